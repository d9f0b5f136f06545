/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams → requests and responses. */
#include "proto/grpc_names.h"
#include "proto/http2_conn.h"

#define GRPC_PREFIX_BYTES 5     /* of each message: compressed?, length */

static bool is_set(const struct h2_stream *st, unsigned bits)
{
	return (st->seen & bits) == bits;
}

static void stream_forget(struct http2 *h, struct h2_stream *st)
{
	h->streams.early -= !is_set(st, H2_ASKED);
	h2_stream_remove(&h->streams, st);
}

/* What came of the request's body since it was reported. */
static void request_grow(struct h2_stream *st, struct proto_sink *s)
{
	if (st->sent_bytes)
		s->grow(s, st->id, st->sent_ns, st->sent_bytes);
	st->sent_bytes = 0;
}

/* The response so far: statuses and sizes, no class of error. */
static struct proto_response response_of(const struct h2_stream *st, uint64_t end_ns)
{
	return (struct proto_response){.id = st->id, .status = st->status, .begin_ns = st->begin_ns, .end_ns = end_ns,
				       .bytes = st->bytes, .rows = is_set(st, H2_ROWS_LOST) ? 0 : st->rows};
}

static void judge_http(const struct h2_stream *st, struct proto_response *r)
{
	r->error = http_error(st->status);
	r->detail = st->status ? NULL : "unknown";
}

static void judge_grpc(const struct h2_stream *st, struct proto_response *r)
{
	if (st->grpc_status < 0 && is_set(st, H2_STATUS_LOST)) {
		r->status = 0;
		r->detail = "unknown";
		return;
	}
	r->status = st->grpc_status >= 0 ? st->grpc_status : grpc_of_http(st->status);
	r->error = grpc_error(r->status);
	r->detail = grpc_name(r->status);
}

static void response_report(struct h2_stream *st, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_response r = response_of(st, end_ns);

	request_grow(st, s);
	if (is_set(st, H2_GRPC))
		judge_grpc(st, &r);
	else
		judge_http(st, &r);
	s->response(s, &r);
}

static void response_end(struct http2 *h, struct h2_stream *st, uint64_t end_ns, struct proto_sink *s)
{
	st->end_ns = end_ns;
	st->seen |= H2_ANSWERED;
	if (!is_set(st, H2_ASKED))
		return;
	if (!is_set(st, H2_REPORTED))
		response_report(st, end_ns, s);
	stream_forget(h, st);
}

/* Streams are opened in order: what was answered early and is below `id` was asked before we looked, or is lost. */
static void early_forget(struct http2 *h, uint32_t id, struct proto_sink *s)
{
	for (uint32_t i = 0; h->streams.early && i < h->streams.cap;) {
		struct h2_stream *st = &h->streams.slot[i];

		if (!st->id || st->id >= id || is_set(st, H2_ASKED)) {
			i++;
			continue;
		}
		if (is_set(st, H2_ANSWERED))
			response_report(st, st->end_ns, s);  /* unpaired: it is counted */
		stream_forget(h, st);
	}
}

/* Is the block a request's? Not where it may as well be the trailers of a request that is not known. */
static bool is_request(const struct http2 *h)
{
	const struct h2_side *d = &h->side[FROM_CLIENT];

	if (!(d->stream & 1) || d->stream <= h->last)
		return false;
	return d->head.pseudo || (d->head.unknown && (h->last || !d->ends));
}

static int request_begin(struct http2 *h, uint64_t end_ns, struct proto_sink *s)
{
	struct h2_side *d = &h->side[FROM_CLIENT];
	struct h2_stream *st;
	char op[HTTP_OP_MAX];
	struct proto_request r = {.id = d->stream, .op = op, .begin_ns = d->block_ns, .end_ns = end_ns, .bytes = d->block_bytes};

	h->last = d->stream;
	early_forget(h, d->stream, s);
	st = h2_stream_find(&h->streams, d->stream);
	if (st)
		h->streams.early--;
	else
		st = h2_stream_add(&h->streams, s, d->stream);
	if (!st)
		return PROTO_BAD;
	st->seen |= H2_ASKED;
	if (d->head.grpc) {
		st->seen |= H2_GRPC;
		r.proto = PROTO_GRPC;
	} else {
		st->seen &= (uint8_t)~H2_GRPC;
	}
	if (d->head.method_n == 7 && d->head.method[0] == 'C')
		st->seen |= H2_TUNNEL;
	r.op_len = h2_head_op(&d->head, op, s->raw);
	r.ids = &d->head.ids;
	s->request(s, &r);
	if (is_set(st, H2_ANSWERED))
		response_end(h, st, st->end_ns, s);
	return 0;
}

static int request_block(struct http2 *h, uint64_t end_ns, struct proto_sink *s)
{
	struct h2_side *d = &h->side[FROM_CLIENT];
	struct h2_stream *st = h2_stream_find(&h->streams, d->stream);

	if (!st || !is_set(st, H2_ASKED))
		return is_request(h) ? request_begin(h, end_ns, s) : 0;
	st->sent_bytes += d->block_bytes;
	st->sent_ns = end_ns;
	if (d->ends)
		request_grow(st, s);
	return 0;
}

/* A response to a stream that is not known: of a request that is still to come, or was lost. */
static struct h2_stream *stream_unasked(struct http2 *h, uint32_t id, struct proto_sink *s)
{
	struct h2_stream *st = h2_stream_add(&h->streams, s, id);

	if (!st)
		return NULL;
	if (id > h->last)
		h->streams.early++;
	else
		st->seen |= H2_ASKED;
	if (h->side[FROM_SERVER].head.grpc)
		st->seen |= H2_GRPC;
	return st;
}

static void response_head(struct http2 *h, struct h2_stream *st)
{
	struct h2_side *d = &h->side[FROM_SERVER];

	st->seen |= H2_HEAD;
	st->status = d->head.status;
	st->begin_ns = d->block_ns;
}

static int response_block(struct http2 *h, uint64_t end_ns, struct proto_sink *s)
{
	struct h2_side *d = &h->side[FROM_SERVER];
	struct h2_stream *st = h2_stream_find(&h->streams, d->stream);

	if (d->pushed || !(d->stream & 1) || (d->head.status >= 100 && d->head.status < 200 && !d->ends))
		return 0;
	if (!st)
		st = stream_unasked(h, d->stream, s);
	if (!st)
		return PROTO_BAD;
	if (!is_set(st, H2_HEAD))
		response_head(h, st);
	st->bytes += d->block_bytes;
	if (d->head.grpc_status >= 0)
		st->grpc_status = d->head.grpc_status;
	if (d->head.unknown)
		st->seen |= H2_STATUS_LOST;
	if (d->ends) {
		response_end(h, st, end_ns, s);
	} else if (is_set(st, H2_TUNNEL | H2_ASKED) && !is_set(st, H2_REPORTED) && st->status / 100 == 2) {
		response_report(st, end_ns, s);
		st->seen |= H2_REPORTED;
	}
	return 0;
}

int h2_upgraded(struct http2 *h, struct proto_sink *s)
{
	struct h2_stream *st;

	if (h->mid || s->tag(s) < 0)
		return 0;
	st = h2_stream_add(&h->streams, s, 1);
	if (!st)
		return PROTO_BAD;
	st->seen = H2_ASKED;
	h->last = 1;
	return 0;
}

int h2_block_end(struct http2 *h, enum proto_dir dir, uint64_t end_ns, struct proto_sink *s)
{
	return dir == FROM_CLIENT ? request_block(h, end_ns, s) : response_block(h, end_ns, s);
}

void h2_data_end(struct http2 *h, enum proto_dir dir, uint64_t end_ns, struct proto_sink *s)
{
	struct h2_side *d = &h->side[dir];
	struct h2_stream *st = h2_stream_find(&h->streams, d->stream);

	if (!st)
		return;
	if (dir == FROM_CLIENT) {
		st->sent_bytes += d->block_bytes;
		st->sent_ns = end_ns;
		if (d->ends && is_set(st, H2_ASKED))
			request_grow(st, s);
		return;
	}
	st->bytes += d->block_bytes;
	if (d->ends)
		response_end(h, st, end_ns, s);
}

/* Counts the messages of a gRPC response; the bytes behind each prefix are of no interest. */
static size_t message_take(struct h2_stream *st, const uint8_t *p, size_t have, size_t left)
{
	size_t n;

	if (st->prefix == GRPC_PREFIX_BYTES && st->message) {
		n = st->message < left ? st->message : left;
		st->message -= (uint32_t)n;
		return n;
	}
	if (st->prefix == GRPC_PREFIX_BYTES)
		st->prefix = 0;
	for (n = 0; n < have && n < left && st->prefix < GRPC_PREFIX_BYTES; n++, st->prefix++)
		st->message = st->prefix ? st->message << 8 | p[n] : 0;
	st->rows += st->prefix == GRPC_PREFIX_BYTES;
	return n;
}

size_t h2_data_take(struct http2 *h, enum proto_dir dir, const uint8_t *p, size_t have, size_t left, struct proto_sink *s)
{
	uint32_t had;
	size_t n;
	struct h2_stream *st = dir == FROM_SERVER ? h2_stream_find(&h->streams, h->side[dir].stream) : NULL;

	if (!st || !is_set(st, H2_GRPC) || is_set(st, H2_ROWS_LOST))
		return left;
	had = st->rows;
	n = message_take(st, p, have, left);
	if (!had && st->rows && is_set(st, H2_ASKED))
		s->served(s, st->id);
	return n;
}

void h2_data_lost(struct http2 *h, enum proto_dir dir)
{
	struct h2_stream *st = h2_stream_find(&h->streams, h->side[dir].stream);

	if (st && dir == FROM_SERVER)
		st->seen |= H2_ROWS_LOST;
}

/* The client gave up. Of gRPC that is how it ends a stream of messages that it has had enough of, which is no failure. */
static void judge_cancel(const struct h2_stream *st, uint32_t code, struct proto_response *r)
{
	r->error = REQ_ABORTED;
	r->detail = h2_error_name(code);
	if (!is_set(st, H2_GRPC))
		return;
	r->status = grpc_of_reset(code);
	r->detail = grpc_name(r->status);
	if (r->status != GRPC_CANCELLED || !st->rows)
		return;
	r->error = REQ_OK;
	r->lasts = true;
}

/* The server gave up: for what the client did wrong, or for its own reasons. */
static void judge_refusal(const struct h2_stream *st, uint32_t code, struct proto_response *r)
{
	switch (code) {
	case 1:         /* PROTOCOL_ERROR */
	case 3:         /* FLOW_CONTROL_ERROR */
	case 5:         /* STREAM_CLOSED */
	case 6:         /* FRAME_SIZE_ERROR */
	case 9:         /* COMPRESSION_ERROR */
		r->error = REQ_CLIENT_ERROR;
		break;
	default:
		r->error = REQ_SERVER_ERROR;
	}
	r->detail = h2_error_name(code);
	if (is_set(st, H2_GRPC))
		r->status = grpc_of_reset(code);
	if (!r->begin_ns)
		r->begin_ns = r->end_ns;
}

void h2_reset(struct http2 *h, enum proto_dir dir, uint32_t id, uint32_t code, uint64_t ns, struct proto_sink *s)
{
	struct h2_stream *st = h2_stream_find(&h->streams, id);
	struct proto_response r;

	if (!st)
		return;
	if (is_set(st, H2_ASKED) && !is_set(st, H2_REPORTED)) {
		request_grow(st, s);
		r = response_of(st, ns);
		if (dir == FROM_CLIENT)
			judge_cancel(st, code, &r);
		else
			judge_refusal(st, code, &r);
		s->response(s, &r);
	}
	stream_forget(h, st);
}

/* Ends the streams above `last` whose response has (begun) or has not been seen to begin, without one. */
static void streams_abort(struct http2 *h, uint32_t last, unsigned must, const char *detail, uint64_t ns, struct proto_sink *s)
{
	for (uint32_t i = 0; i < h->streams.cap;) {
		struct h2_stream *st = &h->streams.slot[i];
		struct proto_response r;

		if (!st->id || st->id <= last || !is_set(st, must) || is_set(st, H2_REPORTED)) {
			i++;
			continue;
		}
		request_grow(st, s);
		r = response_of(st, ns);
		r.error = REQ_ABORTED;
		r.detail = detail;
		if (is_set(st, H2_GRPC))
			r.status = 0;
		s->response(s, &r);
		stream_forget(h, st);
	}
}

void h2_goaway(struct http2 *h, uint32_t last, uint64_t ns, struct proto_sink *s)
{
	streams_abort(h, last, H2_ASKED, "GOAWAY", ns, s);
}

void h2_cut_off(struct http2 *h, uint64_t ns, struct proto_sink *s)
{
	streams_abort(h, 0, H2_ASKED | H2_HEAD, NULL, ns, s);
}
