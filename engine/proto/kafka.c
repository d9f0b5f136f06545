/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kafka (https://kafka.apache.org/protocol), APIs and versions up to 3.9, flexible ones too.
 *
 * An operation is the API, for those that are about topics with the first one ("Produce orders", "Fetch orders (+2)"); the topics of an
 * incremental Fetch are those that its session was begun with, and of topics that are named by their id the names are taken from
 * Metadata responses.  Responses are matched by correlation id.  Fetch, JoinGroup and SyncGroup wait for something to happen.  A
 * Produce with acks=0 is answered by nobody.  Errors are the first code that is not 0, of those that the first kilobytes show.
 */
#include "proto/kafka_body.h"
#include "proto/kafka_names.h"
#include "proto/normalise.h"
#include "proto/protocols.h"
#include "proto/wire.h"

#include <stdio.h>
#include <string.h>

#define SIZE_MIN 8                  /* key, version, correlation id */
#define SIZE_MAX_BYTES (1u << 30)
/* What of a message is looked at, and waited for. */
#define LOOK 4096
#define LOOK_METADATA (32 * 1024)
#define PENDING_MAX 1024
#define TOPICS_MAX 128
#define NAME_MAX_BYTES 80

struct pending { int32_t id; uint8_t key, version; uint32_t records; };
struct topic { uint8_t id[KAFKA_UUID]; char name[NAME_MAX_BYTES]; };

/* A message that has not passed. */
struct passing {
	bool open, oneway, waits;
	uint64_t id, begin_ns, bytes, rows;
	int error;
	uint16_t op_len;
	char op[160];
	struct trace_ids ids;
};

struct kafka {
	bool lost[2];
	struct passing now[2];
	struct pending *pending;
	uint32_t n, cap;
	struct topic *topics;
	uint32_t topics_n, topics_cap, topics_next;
	char session[NAME_MAX_BYTES + 16];      /* topics of the last Fetch that named any */
	struct proto_sink *sink;                /* during a call */
};

struct header {
	uint32_t size;                  /* behind the size field */
	int key, version;
	int32_t id;
	struct kafka_reader body;
};

static uint64_t sink_id(int32_t id)
{
	return (uint64_t)(uint32_t)id | 1ull << 32;       /* 0 is a correlation id */
}

static bool is_client_id(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < 0x20 || p[i] == 0x7f)
			return false;
	return true;
}

/* Is it the header of a request, as far as n bytes show? 1, 0, -1 more bytes will tell. */
static int is_request(const uint8_t *p, size_t n)
{
	uint32_t size;
	int16_t client;

	if (n < 14)
		return n >= 4 && (be32(p) < SIZE_MIN || be32(p) > SIZE_MAX_BYTES) ? 0 : -1;
	size = be32(p);
	if (size < SIZE_MIN + 2 || size > SIZE_MAX_BYTES || !kafka_api(be16(p + 4)) || be16(p + 6) > KAFKA_VERSION_MAX)
		return 0;
	client = (int16_t)be16(p + 12);
	if (client < -1 || (uint32_t)(client > 0 ? client : 0) + SIZE_MIN + 2 > size)
		return 0;
	return client <= 0 || is_client_id(p + 14, n - 14 < (size_t)client ? n - 14 : (size_t)client);
}

static struct header header_read(const uint8_t *p, size_t n)
{
	struct header h = {.size = be32(p), .key = be16(p + 4), .version = be16(p + 6), .id = (int32_t)be32(p + 8)};
	size_t end = 4 + (size_t)h.size < n ? 4 + (size_t)h.size : n;

	h.body = (struct kafka_reader){.b = {p + 12, end - 12}};
	kafka_string(&h.body);          /* the client id has a length of two bytes in every version */
	h.body.flexible = h.version >= kafka_api(h.key)->flexible;
	kafka_tags(&h.body);
	return h;
}

static bool pending_put(struct kafka *t, const struct pending *x, struct proto_sink *s)
{
	if (t->n == PENDING_MAX) {
		memmove(t->pending, t->pending + 1, (PENDING_MAX - 1) * sizeof(*x));
		t->n--;
	}
	if (t->n == t->cap) {
		uint32_t cap = t->cap ? t->cap * 2 : 8;
		struct pending *v = s->realloc(s, t->pending, t->cap * sizeof(*v), cap * sizeof(*v));

		if (!v)
			return false;
		t->pending = v;
		t->cap = cap;
	}
	t->pending[t->n++] = *x;
	return true;
}

static struct pending *pending_find(struct kafka *t, int32_t id)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->pending[i].id == id)
			return &t->pending[i];
	return NULL;
}

static void pending_drop(struct kafka *t, struct pending *x)
{
	t->n--;
	memmove(x, x + 1, (size_t)(t->pending + t->n - x) * sizeof(*x));
}

static const char *topic_name(const struct kafka *t, const uint8_t *id)
{
	for (uint32_t i = 0; i < t->topics_n; i++)
		if (!memcmp(t->topics[i].id, id, KAFKA_UUID))
			return t->topics[i].name;
	return NULL;
}

/* Past the bound the oldest goes. */
static void topic_learn(void *arg, const uint8_t *id, struct kafka_bytes name)
{
	struct kafka *t = arg;
	struct topic *x;

	if (topic_name(t, id))
		return;
	if (t->topics_n == t->topics_cap && t->topics_cap < TOPICS_MAX) {
		uint32_t cap = t->topics_cap ? t->topics_cap * 2 : 4;
		struct topic *v = t->sink->realloc(t->sink, t->topics, t->topics_cap * sizeof(*v), cap * sizeof(*v));

		if (!v)
			return;
		t->topics = v;
		t->topics_cap = cap;
	}
	x = t->topics_n < t->topics_cap ? &t->topics[t->topics_n++] : &t->topics[t->topics_next++ % TOPICS_MAX];
	memcpy(x->id, id, KAFKA_UUID);
	normalise_name(x->name, sizeof(x->name), (const char *)name.p, name.n, t->sink->raw);
}

/* " orders", " orders (+2)"; "" where it is not known. */
static void topics_write(struct kafka *t, const struct kafka_topics *k, char *out, size_t cap)
{
	char name[NAME_MAX_BYTES];
	const char *known = k->id ? topic_name(t, k->id) : NULL;

	out[0] = '\0';
	if (!k->n || (k->id && !known))
		return;
	if (!k->id)
		normalise_name(name, sizeof(name), (const char *)k->name.p, k->name.n, t->sink->raw);
	if (k->n > 1)
		snprintf(out, cap, " %s (+%lld)", known ? known : name, (long long)k->n - 1);
	else
		snprintf(out, cap, " %s", known ? known : name);
}

static void op_write(struct kafka *t, struct passing *m, int key, const struct kafka_topics *k)
{
	char topics[sizeof(t->session)];
	int n;

	topics_write(t, k, topics, sizeof(topics));
	if (key == KAFKA_FETCH && topics[0])
		memcpy(t->session, topics, sizeof(topics));
	n = snprintf(m->op, sizeof(m->op), "%s%s", kafka_api(key)->name,
		     key == KAFKA_FETCH && !k->n && k->session ? t->session : topics);
	m->op_len = (uint16_t)((size_t)n < sizeof(m->op) ? (size_t)n : sizeof(m->op) - 1);
}

/* How many bytes of a message of this size are wanted before it is looked at. */
static size_t wanted(size_t size, size_t look)
{
	return size < look ? size : look;
}

static ssize_t kafka_client(struct kafka *t, const struct proto_bytes *b, struct proto_sink *s)
{
	struct passing *m = &t->now[FROM_CLIENT];
	struct kafka_topics k;
	struct pending x;
	struct header h;

	switch (is_request(b->p, b->n)) {
	case 0:
		return PROTO_BAD;
	case -1:
		return 0;
	}
	if (b->n < wanted(4 + (size_t)be32(b->p), LOOK) && !b->cut)
		return 0;
	h = header_read(b->p, b->n);
	k = kafka_request_body(&h.body, h.key, h.version);
	*m = (struct passing){.open = true, .id = sink_id(h.id), .begin_ns = proto_begin_ns(b), .bytes = 4 + (uint64_t)h.size,
			      .oneway = h.key == KAFKA_PRODUCE && !k.acks, .waits = kafka_api(h.key)->waits, .rows = k.records,
			      .ids = k.ids};
	op_write(t, m, h.key, &k);
	x = (struct pending){.id = h.id, .key = (uint8_t)h.key, .version = (uint8_t)h.version, .records = (uint32_t)k.records};
	if (!m->oneway && !pending_put(t, &x, s))
		return PROTO_BAD;
	return 4 + (ssize_t)h.size;
}

static void request_end(struct passing *m, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_request q = {.id = m->id, .op = m->op, .op_len = m->op_len, .begin_ns = m->begin_ns, .end_ns = end_ns,
				  .bytes = m->bytes, .waits = m->waits, .oneway = m->oneway, .rows = m->rows, .ids = &m->ids};

	m->open = false;
	s->request(s, &q);
}

static void response_end(struct passing *m, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_response r = {.id = m->id, .status = m->error, .begin_ns = m->begin_ns, .end_ns = end_ns, .bytes = m->bytes,
				   .rows = m->rows};

	m->open = false;
	if (m->error) {
		r.error = kafka_error_class(m->error);
		r.detail = kafka_error_name(m->error);
	}
	s->response(s, &r);
}

static void response_read(struct kafka *t, struct passing *m, const struct pending *x, const struct proto_bytes *b)
{
	struct kafka_reader r = {.b = {b->p + 8, wanted(4 + (size_t)be32(b->p), b->n) - 8}};
	struct kafka_result result;

	r.flexible = x->version >= kafka_api(x->key)->flexible;
	/* the one response whose header stays the old one, so that everybody can read it */
	if (x->key != KAFKA_API_VERSIONS)
		kafka_tags(&r);
	if (x->key == KAFKA_METADATA) {
		kafka_metadata(&r, x->version, topic_learn, t);
		return;
	}
	result = kafka_response_body(&r, x->key, x->version);
	m->error = result.error;
	m->rows = x->key == KAFKA_PRODUCE ? (result.error ? 0 : x->records) : result.records;
}

static ssize_t kafka_server(struct kafka *t, const struct proto_bytes *b, struct proto_sink *s)
{
	struct passing *m = &t->now[FROM_SERVER];
	struct pending *x;
	size_t size;

	if (b->n < 8)
		return b->n >= 4 && be32(b->p) > SIZE_MAX_BYTES ? PROTO_BAD : 0;
	size = 4 + (size_t)be32(b->p);
	if (size < 8 || size > SIZE_MAX_BYTES)
		return PROTO_BAD;
	x = pending_find(t, (int32_t)be32(b->p + 4));
	if (!x)
		return s->has(s, sink_id((int32_t)be32(b->p + 4))) ? PROTO_BAD : (ssize_t)size;
	if (b->n < wanted(size, x->key == KAFKA_METADATA ? LOOK_METADATA : LOOK) && !b->cut)
		return 0;
	*m = (struct passing){.open = true, .id = sink_id(x->id), .begin_ns = proto_begin_ns(b), .bytes = size};
	response_read(t, m, x, b);
	pending_drop(t, x);
	return (ssize_t)size;
}

/* A lost direction is found again where a segment begins with a header. */
static bool is_found(struct kafka *t, enum proto_dir dir, const struct proto_bytes *b)
{
	if (!b->start || b->n < 8)
		return false;
	if (dir == FROM_CLIENT)
		return is_request(b->p, b->n) > 0;
	return be32(b->p) >= 4 && be32(b->p) < SIZE_MAX_BYTES && pending_find(t, (int32_t)be32(b->p + 4));
}

static ssize_t kafka_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct kafka *t = state;

	t->sink = s;
	if (t->now[dir].open) {
		(dir == FROM_CLIENT ? request_end : response_end)(&t->now[dir], proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	if (t->lost[dir]) {
		if (!is_found(t, dir, b))
			return (ssize_t)b->n;
		t->lost[dir] = false;
	}
	return dir == FROM_CLIENT ? kafka_client(t, b, s) : kafka_server(t, b, s);
}

static ssize_t kafka_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct kafka *t = state;

	t->lost[dir] = true;
	t->now[dir].open = false;
	if (dir == FROM_SERVER)
		s->resync(s, true);
	return 0;
}

static void kafka_init(void *state, bool mid)
{
	struct kafka *t = state;

	t->lost[0] = t->lost[1] = mid;
}

static void kafka_done(void *state, struct proto_sink *s)
{
	struct kafka *t = state;

	s->realloc(s, t->pending, t->cap * sizeof(*t->pending), 0);
	s->realloc(s, t->topics, t->topics_cap * sizeof(*t->topics), 0);
}

/* A size, a key, a version and a name that fit each other; of a response only its size can. */
static int kafka_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	int r;

	if (dir == FROM_SERVER)
		return n < 8 ? -1 : be32(p) >= 6 && be32(p) <= SIZE_MAX_BYTES && 4 + (size_t)be32(p) >= n ? 10 : 0;
	r = is_request(p, n);
	if (r <= 0)
		return r;
	if ((int16_t)be16(p + 12) <= 0)
		return 45;
	return be16(p + 4) == KAFKA_API_VERSIONS && be16(p + 6) <= 4 && be32(p) < 256 ? 85 : 70;
}

static const uint16_t kafka_ports[] = {9092, 9093, 9094, 29092, 0};

const struct proto_ops proto_kafka = {
	.id = PROTO_KAFKA,
	.name = "kafka",
	.ports = kafka_ports,
	.state_size = sizeof(struct kafka),
	.whole = true,
	.infer = kafka_infer,
	.init = kafka_init,
	.done = kafka_done,
	.parse = kafka_parse,
	.gap = kafka_gap,
};
