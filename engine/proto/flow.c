/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two directions are put in order each by sequence number (stream.c) and offered to the parser in the order of time,
 * for a response can come out of the ring buffer a little before the end of its request.  So responses are held back
 * while no request waits, until a later segment of the client, or too much, or the end shows that none will come.
 */
#include "proto/flow_private.h"
#include "proto/protocols.h"

#include <stdlib.h>
#include <string.h>

/* Beginnings that nobody recognises before a flow is given up: a new connection has one, one joined in the middle is in
 * the middle of a message at first. */
#define MISSES_MAX 16
/* Of a new connection: its first segments may come out of order, and then begin in the middle too. */
#define MISSES_FRESH 4
/* Of a connection's messages so many percent may be broken; with more of them the guess was wrong. */
#define BROKEN_MAX_PERCENT 40
#define EARLY_BYTES (64 * 1024)
/* Less room than this behind what a parser has left is none. */
#define PART_MIN 4096
/* Responses held back for a request still to come. */
#define HELD_PIECES 32
#define HELD_BYTES (16 * 1024)
#define HELD_NS 1000000000ull

enum {                  /* how flow_run() is called */
	RUN_START = 1,  /* the bytes begin a segment */
	RUN_CUT = 2,    /* a hole follows them */
	RUN_ORDERED = 4,/* whatever the client sent before them has been parsed */
};

struct flow *flow_new(struct flow_pool *pool, uint16_t server_port, bool mid)
{
	struct flow *f = pool_realloc(pool, NULL, 0, sizeof(*f));

	if (!f)
		return NULL;
	memset(f, 0, sizeof(*f));
	f->sink = flow_sink;
	f->sink.raw = pool->raw;
	f->pool = pool;
	f->server_port = server_port;
	f->mid = mid;
	return f;
}

static void flow_drop_state(struct flow *f)
{
	if (!f->ops)
		return;
	f->ops->done(f->state, &f->sink);
	pool_realloc(f->pool, f->state, f->ops->state_size, 0);
	f->state = NULL;
	f->ops = NULL;
	f->switching = false;
}

static void flow_hush(struct flow *f)
{
	flow_forget(f, f->queue.n);
	flow_drop_state(f);
	for (int d = 0; d < 2; d++)
		stream_done(&f->dir[d], f->pool);
	pairing_done(&f->queue, f->pool);
	pool_realloc(f->pool, f->text, f->text_cap, 0);
	f->text = NULL;
	f->text_cap = 0;
	f->deaf = true;
}

void flow_free(struct flow *f)
{
	if (!f)
		return;
	flow_hush(f);
	pool_realloc(f->pool, f, sizeof(*f), 0);
}

void flow_set_user(struct flow *f, void *user)
{
	f->user = user;
}

void *flow_user(const struct flow *f)
{
	return f->user;
}

static void flow_give_up(struct flow *f)
{
	f->pool->given_up++;
	flow_hush(f);
}

/* Lets go of the protocol, of what waits for an answer and of the bytes that were kept. */
static void flow_start_over(struct flow *f)
{
	flow_forget(f, f->queue.n);
	flow_drop_state(f);
	for (int d = 0; d < 2; d++) {
		stream_drop(&f->dir[d], f->pool, f->dir[d].len);
		f->dir[d].skip = 0;
		f->dir[d].waiting = false;
	}
}

/* Not this protocol: another may be tried with what comes, as on a connection joined in the middle. */
static void flow_wrong(struct flow *f)
{
	f->failed |= 1ull << f->ops->id;
	flow_start_over(f);
	f->mid = true;
	if (++f->misses >= MISSES_MAX || __builtin_popcountll(f->failed) > 2)
		flow_give_up(f);
}

/* The state of a protocol, zeroed; false where there is no memory. */
static bool flow_new_state(struct flow *f, const struct proto_ops *o)
{
	if (o->state_size) {
		f->state = pool_realloc(f->pool, NULL, 0, o->state_size);
		if (!f->state) {
			flow_give_up(f);
			return false;
		}
		memset(f->state, 0, o->state_size);
		if (o->user)
			*(const struct user_protocol **)f->state = o->user;
	}
	f->ops = o;
	f->good = f->bad = 0;
	return true;
}

/* Another protocol has agreed on TLS: its handshake comes next. */
static void flow_encrypt(struct flow *f)
{
	flow_start_over(f);
	if (flow_new_state(f, &proto_tls))
		f->ops->init(f->state, f->mid);
}

static void flow_encrypted(struct flow *f)
{
	f->encrypted = true;
	if (f->ops == &proto_tls)
		flow_hush(f);
	else
		flow_encrypt(f);
}

/* May bytes of dir that begin a message be parsed now? */
static bool flow_may_parse(const struct flow *f, enum proto_dir dir)
{
	const struct stream *st = &f->dir[dir];

	return dir == FROM_CLIENT || f->queue.n || !f->ops || f->ops->duplex || (st->len && !st->waiting) || st->skip;
}

static void flow_note_response(struct flow *f, const struct proto_bytes *b)
{
	/* where responses name their requests, each message is taken as the beginning of one */
	if ((f->first_ns && !f->ops->duplex) || !b->n)
		return;
	f->first_ns = proto_begin_ns(b);
	f->read_ns = f->dir[FROM_SERVER].rd_ts_ns;
	f->read_tid = f->dir[FROM_SERVER].rd_tid;
	f->read_seq = f->dir[FROM_SERVER].rd_seq;
	f->arrived_ns = f->dir[FROM_SERVER].arr_ns;
}

/* What the server says next is the answer to something that has not been parsed yet. */
static bool must_wait(const struct flow *f, int how)
{
	return (!f->queue.n && !(how & RUN_ORDERED)) || (f->sink.turn && f->dir[FROM_CLIENT].len);
}

/*
 * Parses message by message while the parser makes progress. Returns how many bytes are done with, more than b.n where
 * it skips, or an error. Sets st->waiting where it stopped before a response whose request is still to be parsed.
 */
static ssize_t flow_messages(struct flow *f, enum proto_dir dir, struct proto_bytes b, int how)
{
	size_t off = 0;
	ssize_t r;

	f->dir[dir].waiting = false;
	for (;;) {
		if (dir == FROM_SERVER)
			flow_note_response(f, &b);
		f->sink.turn = false;
		r = f->ops->parse(f->state, dir, &b, &f->sink);
		if (r == PROTO_SWITCH) {
			f->switching = true;
			return (ssize_t)off;
		}
		if (r == PROTO_AGAIN)
			r = 0;
		else if (r <= 0)
			return r < 0 ? r : (ssize_t)off;
		off += (size_t)r;
		if ((size_t)r > b.n)
			return (ssize_t)off;
		b.p += r;
		b.n -= (size_t)r;
		b.fresh -= (size_t)r < b.fresh ? (size_t)r : b.fresh;
		b.start = b.start && !r;
		if (dir == FROM_SERVER && b.n && !f->ops->duplex && must_wait(f, how)) {
			f->dir[dir].waiting = true;
			return (ssize_t)off;
		}
	}
}

/* Bytes of dir that the parser has not skipped are lost: n and those it had left; the tail of them was seen. Returns how many bytes
 * of the end of the tail are to be parsed. */
static size_t flow_gap(struct flow *f, enum proto_dir dir, uint64_t n, const struct segment *s)
{
	struct stream *st = &f->dir[dir];
	struct proto_bytes tail = {s->tail, s->tail_len, 0, s->ts_ns, s->ts_ns, false, false};
	ssize_t r;

	f->pool->lost_bytes += n;
	if (s->ts_ns > st->last_ns)
		st->last_ns = s->ts_ns;
	n += st->len + s->tail_len;
	stream_drop(st, f->pool, st->len);
	st->waiting = false;
	if (dir == FROM_CLIENT)
		f->doubt = f->piped;
	r = f->ops->gap(f->state, dir, n, &tail, &f->sink);
	if (r == PROTO_ENCRYPTED)
		flow_encrypted(f);
	else if (r < 0)
		flow_wrong(f);
	return r > 0 ? (size_t)r : 0;
}

/*
 * A message of dir is not what the parser understands; n bytes that are not kept go with it. One among many is an oddity: the parser
 * finds the next, as behind a hole. Too many of them: the guess was wrong.
 */
static void flow_broken(struct flow *f, enum proto_dir dir, uint64_t n)
{
	struct segment none = {.ts_ns = f->dir[dir].last_ns, .tail = (const uint8_t *)""};

	f->pool->broken++;
	f->bad++;
	f->dir[dir].skip = 0;
	if ((uint64_t)f->bad * 100 >= ((uint64_t)f->good + f->bad) * BROKEN_MAX_PERCENT)
		flow_wrong(f);
	else
		flow_gap(f, dir, n, &none);
}

static void flow_run(struct flow *f, enum proto_dir dir, const uint8_t *p, size_t n, int how);

/* What was kept of both directions, given to the parser that has just been chosen. */
static void flow_run_kept(struct flow *f)
{
	if (f->dir[FROM_CLIENT].len)
		flow_run(f, FROM_CLIENT, NULL, 0, 0);
	if (!f->ops || !f->dir[FROM_SERVER].len)
		return;
	if (!f->queue.n && !f->ops->duplex) {
		f->dir[FROM_SERVER].waiting = true;
		return;
	}
	flow_run(f, FROM_SERVER, NULL, 0, 0);
	if (f->ops && f->dir[FROM_CLIENT].len)
		flow_run(f, FROM_CLIENT, NULL, 0, 0);
}

/* The two ends have agreed on another protocol: its parser takes over what is kept, and the requests that wait. */
static void flow_switch(struct flow *f)
{
	const struct proto_ops *o = proto_by_id(f->sink.next);

	flow_drop_state(f);
	if (!o) {
		flow_give_up(f);
		return;
	}
	if (!flow_new_state(f, o))
		return;
	o->init(f->state, false);
	flow_run_kept(f);
}

/* Parses what was kept and the n bytes at p behind it, all seen by st->last_ns; keeps what the parser leaves. */
static void flow_run(struct flow *f, enum proto_dir dir, const uint8_t *p, size_t n, int how)
{
	struct stream *st = &f->dir[dir];
	struct proto_bytes b = {(const uint8_t *)"", 0, 0, st->kept_ns, st->last_ns, st->at_start, how & RUN_CUT};
	bool kept = st->len;
	size_t used;
	ssize_t r;

	if (!kept)
		b.start = how & RUN_START;
	if (kept && !stream_keep(st, f->pool, p, n, KEEP_MAX)) {
		f->pool->lost_memory += n;
		flow_broken(f, dir, n);
		return;
	}
	b.fresh = kept ? st->split : 0;
	b.n = kept ? st->len : n;
	if (b.n)
		b.p = kept ? st->buf : p;
	r = flow_messages(f, dir, b, how);
	if (r == PROTO_ENCRYPTED) {
		flow_encrypted(f);
		return;
	}
	if (r < 0) {
		flow_broken(f, dir, kept ? 0 : n);
		return;
	}
	used = (size_t)r < b.n ? (size_t)r : b.n;
	st->skip = (size_t)r - used;
	st->at_start = b.start && !used;
	if (used >= b.fresh)
		st->kept_ns = st->last_ns;
	if (kept)
		stream_drop(st, f->pool, used);
	else if (!stream_keep(st, f->pool, b.p + used, b.n - used, KEEP_MAX))
		flow_broken(f, dir, b.n - used);
	if (f->switching && f->ops)
		flow_switch(f);
}

static void flow_adopt(struct flow *f, const struct proto_ops *o, bool swap)
{
	struct stream t = f->dir[0];

	if (!flow_new_state(f, o))
		return;
	if (swap) {
		f->dir[0] = f->dir[1];
		f->dir[1] = t;
		f->swapped = !f->swapped;
	}
	o->init(f->state, f->mid);
	flow_run_kept(f);
}

/* In the middle of a connection what was kept may be the end of a message: is the segment behind it, its last n bytes, a beginning?
 * Then only that is kept. */
static const struct proto_ops *flow_infer_last(struct flow *f, struct stream *st, size_t n, uint64_t ts_ns, bool *swap)
{
	struct stream all = *st;
	const struct proto_ops *o;
	bool more;

	st->buf += st->len - n;
	st->len = (uint32_t)n;
	o = flow_infer(f, swap, &more);
	st->buf = all.buf;
	st->len = all.len;
	if (!o)
		return NULL;
	stream_drop(st, f->pool, st->len - n);
	st->kept_ns = ts_ns;
	st->at_start = true;
	return o;
}

static void flow_undecided(struct flow *f, enum proto_dir dir, const uint8_t *p, size_t n, uint64_t ts_ns, int how)
{
	struct stream *st = &f->dir[dir];
	const struct proto_ops *o;
	bool swap = false, more;

	if (!st->len) {
		st->kept_ns = ts_ns;
		st->at_start = how & RUN_START;
	}
	if (!stream_keep(st, f->pool, p, n, KEEP_MAX)) {
		flow_give_up(f);
		return;
	}
	o = flow_infer(f, &swap, &more);
	if (!o && f->mid && (how & RUN_START) && st->len > n)
		o = flow_infer_last(f, st, n, ts_ns, &swap);
	if (o) {
		flow_adopt(f, o, swap);
		return;
	}
	if (more && st->len < KEEP_UNDECIDED)
		return;
	f->misses++;
	/* the client's first bytes say what a new connection is, and what is here may not be the first */
	if (!f->mid && dir == FROM_CLIENT && f->misses < MISSES_FRESH)
		return;
	stream_drop(st, f->pool, st->len);
	if (f->misses >= MISSES_MAX || (!f->mid && dir == FROM_CLIENT))
		flow_give_up(f);
}

/* As many bytes as fit behind what is kept. */
static void flow_part(struct flow *f, enum proto_dir dir, const uint8_t *p, size_t n, uint64_t ts_ns, int how)
{
	struct stream *st = &f->dir[dir];
	size_t skip = st->skip < n ? (size_t)st->skip : n;
	bool skipped = skip > 0;

	if (f->deaf)
		return;
	st->skip -= skip;
	p += skip;
	n -= skip;
	if (st->skip || (!n && !skipped))
		return;
	if (!f->ops) {
		flow_undecided(f, dir, p, n, ts_ns, how);
		return;
	}
	flow_run(f, dir, p, n, skip ? how & ~RUN_START : how);
	/* the client's next bytes may have had to wait for what the server just said */
	if (f->ops && dir == FROM_SERVER && f->dir[FROM_CLIENT].len)
		flow_run(f, FROM_CLIENT, NULL, 0, 0);
}

/* How many of n bytes are given to the parser at once: with what it has left they may be more than is kept, and it need not have left
 * much to be able to take them in turn. */
static size_t part_size(const struct stream *st, size_t n)
{
	size_t room = KEEP_MAX - st->len;

	return !st->len || n <= room || room < PART_MIN ? n : room;
}

/* Bytes in order. dir is the caller's: bytes may turn the roles. */
static void flow_bytes(struct flow *f, enum proto_dir dir, const uint8_t *p, size_t n, uint64_t ts_ns, int how)
{
	size_t part = part_size(&f->dir[dir], n);
	bool swapped = f->swapped;

	flow_part(f, dir, p, part, ts_ns, part < n ? how & ~RUN_CUT : how);
	while (part < n && !f->deaf) {
		p += part;
		n -= part;
		how &= ~RUN_START;
		if (f->swapped != swapped)
			dir = (enum proto_dir)!dir;
		swapped = f->swapped;
		part = part_size(&f->dir[dir], n);
		flow_part(f, dir, p, part, ts_ns, part < n ? how & ~RUN_CUT : how);
	}
}

/* n bytes were not seen, then the tail of s was (its head is done with). */
static void flow_hole(struct flow *f, enum proto_dir dir, uint64_t n, const struct segment *s, int how)
{
	struct stream *st = &f->dir[dir];
	uint64_t skip;

	if (f->ops && !st->skip && st->len)
		flow_run(f, dir, NULL, 0, how | RUN_CUT);
	if (f->deaf)
		return;
	skip = st->skip < n ? st->skip : n;
	st->skip -= skip;
	n -= skip;
	if (!f->ops) {
		f->pool->lost_bytes += n;
		f->mid = true;
		stream_drop(st, f->pool, st->len);
		return;
	}
	if (n) {
		size_t rest = flow_gap(f, dir, n, s);

		if (rest)
			flow_bytes(f, dir, s->tail + s->tail_len - rest, rest, s->ts_ns, how & ~RUN_START);
		return;
	}
	if (skip && !st->skip && !s->tail_len)
		flow_run(f, dir, NULL, 0, how);
	flow_bytes(f, dir, s->tail, s->tail_len, s->ts_ns, how & ~RUN_START);
}

/* A segment in order. Its bytes count from when those before them were there, which may be later (retransmission). */
static void flow_consume(struct flow *f, enum proto_dir dir, struct segment *s, int how)
{
	bool swapped = f->swapped;
	struct stream *st = &f->dir[dir];
	uint32_t hole = segment_hole(s);

	st->next = s->seq + s->len;
	if (s->ts_ns < st->last_ns)
		s->ts_ns = st->last_ns;
	st->last_ns = s->ts_ns;
	st->tid = s->tid;
	st->rd_tid = s->rd_tid;
	st->rd_seq = s->rd_seq;
	st->rd_ts_ns = s->rd_ts_ns;
	st->arr_ns = s->arr_ns;
	/* of a read in the middle of a response nothing is known that this response waited for */
	if (s->waits.until_ns && (!f->first_ns || s->waits.read_ns == f->read_ns))
		st->waits = s->waits;
	if (dir == FROM_SERVER && s->ts_ns > f->dir[FROM_CLIENT].last_ns)
		f->doubt = false;
	flow_bytes(f, dir, s->head, s->head_len, s->ts_ns, how | RUN_START);
	if (f->swapped != swapped)
		dir = (enum proto_dir)!dir;
	if (!f->deaf && s->len > s->head_len) {
		if (hole)
			flow_hole(f, dir, hole, s, how);
		else
			flow_bytes(f, dir, s->tail, s->tail_len, s->ts_ns, how);
	}
	if (s->fin && !f->deaf) {
		f->dir[dir].ended = true;
		if (f->ops && f->ops->end && !f->dir[dir].first)
			f->ops->end(f->state, dir, s->ts_ns, &f->sink);
	}
}

static bool stream_ready(const struct stream *st)
{
	return st->waiting || (st->first && st->first->s.seq == st->next);
}

static uint64_t stream_ready_ns(const struct stream *st)
{
	return st->waiting ? st->kept_ns : st->first->s.ts_ns;
}

static void flow_step(struct flow *f, enum proto_dir dir, int how)
{
	struct stream *st = &f->dir[dir];
	struct piece *x;

	if (st->waiting) {
		flow_run(f, dir, NULL, 0, how);
		if (f->ops && f->dir[FROM_CLIENT].len)
			flow_run(f, FROM_CLIENT, NULL, 0, 0);
		return;
	}
	x = stream_take(st);
	flow_consume(f, dir, &x->s, how);
	piece_free(x, f->pool);
}

/* No request will come for what the server said: enough was held, or it was held long enough. */
static bool held_enough(const struct flow *f, bool closing)
{
	const struct stream *st = &f->dir[FROM_SERVER];

	if (st->pieces > HELD_PIECES || st->piece_bytes > HELD_BYTES)
		return true;
	/* behind a hole the client may have asked */
	return !f->dir[FROM_CLIENT].first && (closing || f->now_ns > stream_ready_ns(st) + HELD_NS);
}

/* Parses all that is in order, the older first. */
static void flow_pump(struct flow *f, bool closing)
{
	while (!f->deaf) {
		const struct stream *c = &f->dir[FROM_CLIENT], *s = &f->dir[FROM_SERVER];
		bool client = stream_ready(c), server = stream_ready(s);

		if (client && (!server || stream_ready_ns(c) <= stream_ready_ns(s)))
			flow_step(f, FROM_CLIENT, 0);
		else if (server && (client || held_enough(f, closing)))
			flow_step(f, FROM_SERVER, RUN_ORDERED);
		else if (server && flow_may_parse(f, FROM_SERVER))
			flow_step(f, FROM_SERVER, 0);
		else
			return;
	}
}

/* Holes that will not be filled any more are lost. */
static void flow_unstick(struct flow *f, bool closing)
{
	for (int d = 0; d < 2 && !f->deaf; d++) {
		struct stream *st = &f->dir[d];

		while (st->first && st->first->s.seq != st->next && (closing || stream_is_stuck(st, f->now_ns))) {
			struct segment behind = st->first->s;

			behind.tail_len = 0;
			flow_hole(f, (enum proto_dir)d, behind.seq - st->next, &behind, 0);
			if (f->deaf)
				return;
			st->next = behind.seq;
			flow_pump(f, closing);
			if (f->deaf)
				return;
		}
	}
}

/* A segment before the first one seen of a new connection, of which nothing has been parsed: what is kept goes behind it. */
static void flow_rewind(struct flow *f, struct stream *st, const struct segment *s)
{
	struct segment kept = {.dir = s->dir, .ts_ns = st->kept_ns, .seq = st->next - st->len, .len = st->len,
			       .head = st->buf, .head_len = st->len, .tid = st->tid, .rd_tid = st->rd_tid,
			       .rd_seq = st->rd_seq, .rd_ts_ns = st->rd_ts_ns, .arr_ns = st->arr_ns};

	if (f->mid || f->ops || !st->len || kept.seq - s->seq - 1 >= EARLY_BYTES)
		return;
	stream_queue(st, f->pool, &kept);
	stream_drop(st, f->pool, st->len);
	st->next = s->seq;
	st->last_ns = 0;
}

/* What was seen before goes; false where nothing is left. */
static bool flow_trim(struct flow *f, struct stream *st, struct segment *s)
{
	int32_t seen;

	if (!st->begun) {
		st->next = s->seq;
		st->begun = true;
	}
	flow_rewind(f, st, s);
	seen = (int32_t)(st->next - s->seq);
	if (seen <= 0)
		return s->len > 0;
	f->pool->duplicates++;
	if ((uint32_t)seen >= s->len)
		return false;
	segment_trim(s, (uint32_t)seen);
	return true;
}

void flow_segment(struct flow *f, const struct segment *seg)
{
	struct segment s = *seg;
	enum proto_dir dir = (enum proto_dir)(s.dir ^ (unsigned)f->swapped);
	struct stream *st = &f->dir[dir], *other = &f->dir[!dir];

	f->pool->segments++;
	f->pool->bytes += s.len;
	if (s.ts_ns > f->now_ns)
		f->now_ns = s.ts_ns;
	if (f->deaf || !flow_trim(f, st, &s))
		return;
	if (s.seq == st->next && !st->first && !st->waiting && !other->first && !other->waiting &&
	    flow_may_parse(f, dir)) {
		flow_consume(f, dir, &s, 0);
		if (f->dir[FROM_SERVER].waiting)
			flow_pump(f, false);
		return;
	}
	stream_queue(st, f->pool, &s);
	flow_unstick(f, false);
	flow_pump(f, false);
}

/* What still waits will not be answered any more. */
static void flow_abort(struct flow *f, uint64_t ts_ns)
{
	struct proto_response r = {.error = REQ_ABORTED, .end_ns = ts_ns};

	if (f->ops && !f->ops->duplex)
		r.begin_ns = f->first_ns;

	while (f->queue.n)
		flow_emit(f, pairing_take(&f->queue, 0), &r);
}

void flow_close(struct flow *f, uint64_t ts_ns)
{
	if (f->deaf)
		return;
	flow_unstick(f, true);
	flow_pump(f, true);
	/* a FIN without payload is not seen, so a body that runs to the end of the connection ends here */
	for (int d = 0; d < 2 && !f->deaf; d++)
		if (f->ops && f->ops->end)
			f->ops->end(f->state, (enum proto_dir)d, f->dir[d].last_ns, &f->sink);
	if (!f->deaf && f->ops)
		flow_abort(f, ts_ns);
	flow_hush(f);
}

enum proto_id flow_proto(const struct flow *f)
{
	if (f->encrypted)
		return PROTO_TLS;
	return f->ops ? f->ops->id : PROTO_UNKNOWN;
}

bool flow_swapped(const struct flow *f)
{
	return f->swapped;
}

bool flow_is_deaf(const struct flow *f)
{
	return f->deaf || (f->dir[0].skip >= PROTO_OPAQUE / 2 && f->dir[1].skip >= PROTO_OPAQUE / 2);
}

bool flow_wants_whole(const struct flow *f)
{
	return f->ops && f->ops->whole;
}

bool flow_is_crowded(const struct flow *f)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < f->queue.n && n < 2; i++) {
		const struct waiting *w = pairing_at(&f->queue, i);

		n += !w->marker && !w->waits && !w->served;
	}
	return n > 1;
}

uint32_t flow_inflight(const struct flow *f, uint64_t *oldest_ns)
{
	uint32_t n = 0;

	*oldest_ns = 0;
	for (uint32_t i = 0; i < f->queue.n; i++) {
		const struct waiting *w = pairing_at(&f->queue, i);

		if (!w->marker && !w->waits && !w->served && !n++)
			*oldest_ns = w->begin_ns;
	}
	return n;
}
