/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/flow_private.h"

#include <string.h>

#define MARKERS_MAX 4                  /* in the queue behind a request that is alone */
#define LONG_REQUEST (1u << 30)        /* where nothing tells where it began */

static struct flow *flow_of(const struct proto_sink *s)
{
	return (struct flow *)s;   /* the sink is the first member */
}

/* The waits up to the end of the response, or as far into it as the thread that read wrote it itself. */
static struct flow_waits waits_of(const struct flow *f)
{
	const struct flow_waits *w = &f->dir[FROM_SERVER].waits;

	return w->read_ns == f->read_ns && w->until_ns >= f->first_ns ? *w : (struct flow_waits){0};
}

/* Was no other request of this connection on its way at any time of this one's, which was taken off the queue? */
static bool was_alone(const struct flow *f, const struct waiting *w)
{
	for (uint32_t i = 0; i < f->queue.n; i++)
		if (i == MARKERS_MAX || !pairing_at(&f->queue, i)->marker)
			return false;
	return w->begin_ns >= f->said_ns;
}

/* The read before the response took bytes of this request, and none behind it. */
static bool read_was_of(const struct flow *f, const struct waiting *w)
{
	return f->read_seq && (int32_t)(f->read_seq - w->begin_seq) > 0 && (int32_t)(f->read_seq - w->end_seq) <= 0;
}

static void request_read(const struct flow *f, const struct waiting *w, struct request *q)
{
	if (!read_was_of(f, w))
		return;
	q->read_ns = f->read_ns;
	if (f->read_seq == w->end_seq)
		q->arrived_ns = f->arrived_ns;
	if (was_alone(f, w))
		q->waits = waits_of(f);
}

/* The request that is parsed now ends in the newest segment of the client; it began behind the one before it, or in that. */
static void request_spans(struct flow *f, struct waiting *w)
{
	uint32_t end = f->dir[FROM_CLIENT].next;

	if (!f->asked)
		f->asked_seq[0] = end - LONG_REQUEST;
	else if (end != f->asked_seq[1])
		f->asked_seq[0] = f->asked_seq[1];
	f->asked = true;
	f->asked_seq[1] = end;
	w->begin_seq = f->asked_seq[0];
	w->end_seq = end;
}

void flow_emit(struct flow *f, const struct waiting *w, const struct proto_response *r)
{
	const struct stream *client = &f->dir[FROM_CLIENT], *server = &f->dir[FROM_SERVER];
	bool read = f->read_ns >= w->begin_ns && r->error != REQ_ABORTED;
	struct request q = {
		.proto = w->proto ? w->proto : f->ops->id,
		.op = w->op,
		.status = r->status,
		.error = r->error,
		.detail = r->detail,
		.begin_ns = w->begin_ns,
		.sent_ns = w->sent_ns,
		.first_ns = r->begin_ns,
		.end_ns = r->end_ns,
		.bytes_request = w->bytes,
		.bytes_response = r->bytes,
		.rows = r->rows,
		.no_latency = w->waits || r->lasts,
		.client_tid = w->tid ? w->tid : client->tid,
		.server_tid = r->error == REQ_ABORTED ? 0 : server->tid,
		.server_read_tid = read ? f->read_tid : 0,
		.server_read_ns = read ? f->read_ns : 0,
		.end_seq = server->next,
	};

	if (w->marker)
		return;
	if (read)
		request_read(f, w, &q);
	f->said_ns = r->end_ns;
	if (w->has_ids && !f->pool->no_ids)
		q.ids = w->ids;
	if (r->ids && trace_ids_any(r->ids) && !f->pool->no_ids)
		trace_ids_merge(&q.ids, r->ids);
	f->pool->requests++;
	if (f->pool->on_request)
		f->pool->on_request(f->pool->arg, f, &q);
}

void flow_forget(struct flow *f, uint32_t n)
{
	for (; n && f->queue.n; n--)
		if (!pairing_take(&f->queue, 0)->marker)
			f->pool->lost_requests++;
}

/* The text of the operation, with its end; NULL: no memory. Valid until the next call. */
static const char *flow_text(struct flow *f, const char *op, size_t n)
{
	if (n >= f->text_cap) {
		char *text = pool_realloc(f->pool, f->text, f->text_cap, n + 1);

		if (!text)
			return NULL;
		f->text = text;
		f->text_cap = (uint32_t)n + 1;
	}
	memcpy(f->text, op, n);
	f->text[n] = '\0';
	return f->text;
}

static void flow_oneway(struct flow *f, const struct proto_request *r)
{
	struct request q = {
		.proto = r->proto ? r->proto : f->ops->id,
		.op = flow_text(f, r->op, r->op_len),
		.error = r->error,
		.detail = r->detail,
		.begin_ns = r->begin_ns,
		.sent_ns = r->end_ns,
		.end_ns = r->end_ns,
		.bytes_request = r->bytes,
		.rows = r->rows,
		.no_latency = true,
		.client_tid = f->dir[FROM_CLIENT].tid,
	};

	if (!q.op) {
		f->pool->lost_requests++;
		return;
	}
	if (r->ids && !f->pool->no_ids)
		q.ids = *r->ids;
	f->pool->requests++;
	if (f->pool->on_request)
		f->pool->on_request(f->pool->arg, f, &q);
}

static void sink_request(struct proto_sink *s, const struct proto_request *r)
{
	struct flow *f = flow_of(s);
	struct waiting *w;

	f->good++;
	if (r->oneway) {
		flow_oneway(f, r);
		return;
	}
	if (f->doubt && !r->id) {
		f->pool->lost_requests += r->op != NULL;
		return;
	}
	w = pairing_push(&f->queue, f->pool, r);
	if (w) {
		w->tid = f->dir[FROM_CLIENT].tid;
		request_spans(f, w);
		return;
	}
	f->pool->lost_requests += r->op != NULL;
	if (r->id)
		return;
	/* without its place in the order nothing behind it can be paired either */
	flow_forget(f, f->queue.n);
	f->doubt = true;
}

static uint32_t waiting_find(const struct flow *f, uint64_t id)
{
	uint32_t i = 0;

	while (i < f->queue.n && id && pairing_at(&f->queue, i)->id != id)
		i++;
	return i;
}

static void sink_grow(struct proto_sink *s, uint64_t id, uint64_t end_ns, uint64_t bytes)
{
	struct flow *f = flow_of(s);
	uint32_t i = id || !f->queue.n ? waiting_find(f, id) : f->queue.n - 1;
	struct waiting *w;

	if (i == f->queue.n)
		return;
	w = pairing_at(&f->queue, i);
	/* a marker behind the request is not what goes on */
	if (w->marker && i)
		w = pairing_at(&f->queue, i - 1);
	w->bytes += bytes;
	w->sent_ns = end_ns;
	w->tid = f->dir[FROM_CLIENT].tid;
	w->end_seq = f->dir[FROM_CLIENT].next;
}

static void sink_served(struct proto_sink *s, uint64_t id)
{
	struct flow *f = flow_of(s);
	uint32_t i = waiting_find(f, id);

	if (i < f->queue.n)
		pairing_at(&f->queue, i)->served = true;
}

static bool sink_response(struct proto_sink *s, const struct proto_response *r)
{
	struct flow *f = flow_of(s);
	uint32_t i = waiting_find(f, r->id);
	const struct waiting *w;

	f->good++;
	f->first_ns = 0;
	/* time decides: what was answered before it was asked is another's answer */
	if (i == f->queue.n || r->end_ns < pairing_at(&f->queue, i)->begin_ns) {
		f->pool->unpaired++;
		return false;
	}
	w = pairing_take(&f->queue, i);
	if (!r->id && !w->chained && f->queue.n && pairing_at(&f->queue, 0)->begin_ns < r->begin_ns)
		f->piped = true;
	flow_emit(f, w, r);
	return true;
}

static int sink_tag(const struct proto_sink *s)
{
	const struct flow *f = flow_of(s);

	/* what was asked later than this was said does not wait for it */
	if (!f->queue.n || pairing_at(&f->queue, 0)->begin_ns > f->dir[FROM_SERVER].last_ns)
		return -1;
	return pairing_at(&f->queue, 0)->tag;
}

static bool sink_has(const struct proto_sink *s, uint64_t id)
{
	const struct flow *f = flow_of(s);

	return waiting_find(f, id) < f->queue.n;
}

static uint32_t sink_resync(struct proto_sink *s, bool keep)
{
	struct flow *f = flow_of(s);
	uint32_t before = 0;

	while (before < f->queue.n && pairing_at(&f->queue, before)->begin_ns <= f->dir[FROM_SERVER].last_ns)
		before++;
	flow_forget(f, keep && !f->piped ? pairing_newest(&f->queue, before) : before);
	return f->queue.n;
}

static void sink_handshake(struct proto_sink *s, const struct tls_handshake *h)
{
	struct flow *f = flow_of(s);

	if (f->pool->on_handshake)
		f->pool->on_handshake(f->pool->arg, f, h);
}

static void *sink_realloc(struct proto_sink *s, void *p, size_t old, size_t n)
{
	struct flow *f = flow_of(s);
	void *x;

	if (n > old && f->state_held + (n - old) > (f->ops && f->ops->state_max ? f->ops->state_max : STATE_MAX))
		return NULL;
	x = pool_realloc(f->pool, p, old, n);
	if (x || !n)
		f->state_held += n - old;
	return x;
}

const struct proto_sink flow_sink = {
	.request = sink_request,
	.grow = sink_grow,
	.served = sink_served,
	.response = sink_response,
	.tag = sink_tag,
	.has = sink_has,
	.resync = sink_resync,
	.handshake = sink_handshake,
	.realloc = sink_realloc,
};
