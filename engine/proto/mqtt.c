/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MQTT 3.1, 3.1.1 (OASIS, 2014) and 5.0 (OASIS, 2019).
 *
 * A publication of the client is "PUBLISH topic": with QoS 1 and 2 answered by PUBACK and PUBCOMP, with QoS 0 by nobody.  One of the
 * server is "DELIVER topic", which is told as complete when it has passed, whatever the client says to it.  CONNECT, SUBSCRIBE,
 * UNSUBSCRIBE and PING wait for their acknowledgements.  A message sent again with the same packet id is the same request.  Topics
 * longer than 4 KB (the protocol allows 64) are not decoded, and an alias without its topic is "(topic alias)".
 */
#include "proto/normalise.h"
#include "proto/protocols.h"
#include "proto/wire.h"

#include <string.h>

#define TOPIC_MAX 4096
#define HEAD_MAX 5              /* type and length */
#define ID_CONNECT 1
#define ID_PING 2
#define ID_PACKET(type, id) ((uint64_t)(type) << 16 | (id))

enum {
	CONNECT = 1, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP,
	DISCONNECT, AUTH
};

/* A publication whose payload has not passed. */
struct message {
	bool open, oneway, again;
	uint64_t id, begin_ns, bytes;
	uint16_t op_len;
	char op[200];
};

struct mqtt {
	bool lost[2];
	uint8_t version;        /* 3, 4 or 5; 0: not seen */
	struct message now[2];
};

struct packet {
	uint8_t type, flags;
	size_t head;            /* bytes before the variable header */
	size_t size;            /* of the whole packet */
	const uint8_t *p;       /* behind the head */
	size_t n;               /* bytes there are of that */
};

/* A variable byte integer (5.0: 1.5.5): its bytes; 0 incomplete; PROTO_BAD. */
static ssize_t varint(const uint8_t *p, size_t n, uint32_t *v)
{
	*v = 0;
	for (size_t i = 0; i < 4; i++) {
		if (i == n)
			return 0;
		*v |= (uint32_t)(p[i] & 0x7f) << 7 * i;
		if (!(p[i] & 0x80))
			return (ssize_t)i + 1;
	}
	return PROTO_BAD;
}

/* Flags that a type must have; 0xff: any. */
static uint8_t flags_of(uint8_t type)
{
	return type == PUBLISH ? 0xff : type == PUBREL || type == SUBSCRIBE || type == UNSUBSCRIBE ? 2 : 0;
}

static bool length_fits(uint8_t type, uint32_t n)
{
	switch (type) {
	case CONNECT: return n >= 10;
	case CONNACK: case PUBACK: case PUBREC: case PUBREL: case PUBCOMP: case UNSUBACK: return n >= 2 && n < 1u << 20;
	case PUBLISH: return n >= 2;
	case SUBSCRIBE: case UNSUBSCRIBE: return n >= 5;
	case SUBACK: return n >= 3;
	case PINGREQ: case PINGRESP: return n == 0;
	default: return n < 1u << 20;
	}
}

/* The head of the packet at p: its length; 0 incomplete; PROTO_BAD. */
static ssize_t packet_read(const uint8_t *p, size_t n, struct packet *k)
{
	uint32_t len;
	ssize_t r;

	if (!n)
		return 0;
	*k = (struct packet){.type = p[0] >> 4, .flags = p[0] & 15};
	if (!k->type || (flags_of(k->type) != 0xff && k->flags != flags_of(k->type)) || (k->flags & 6) == 6)
		return PROTO_BAD;
	r = varint(p + 1, n - 1, &len);
	if (r <= 0)
		return r;
	if (!length_fits(k->type, len))
		return PROTO_BAD;
	k->head = (size_t)r + 1;
	k->size = k->head + len;
	k->p = p + k->head;
	k->n = n < k->size ? n - k->head : len;
	return (ssize_t)k->head;
}

/* Who may send it. */
static bool is_of(enum proto_dir dir, uint8_t type)
{
	static const uint16_t client = 1 << CONNECT | 1 << SUBSCRIBE | 1 << UNSUBSCRIBE | 1 << PINGREQ;
	static const uint16_t server = 1 << CONNACK | 1 << SUBACK | 1 << UNSUBACK | 1 << PINGRESP;

	return !((dir == FROM_CLIENT ? server : client) >> type & 1);
}

/* A reason of 5.0, or a return code of 3.1.1 where the numbers do not meet. */
static const char *reason_name(unsigned code)
{
	static const struct { uint8_t code; const char *name; } reasons[] = {
		{1, "UNACCEPTABLE_PROTOCOL_VERSION"}, {2, "IDENTIFIER_REJECTED"}, {3, "SERVER_UNAVAILABLE"},
		{4, "BAD_USER_NAME_OR_PASSWORD"}, {5, "NOT_AUTHORIZED"}, {0x10, "NO_MATCHING_SUBSCRIBERS"},
		{0x11, "NO_SUBSCRIPTION_EXISTED"}, {0x80, "UNSPECIFIED_ERROR"}, {0x81, "MALFORMED_PACKET"},
		{0x82, "PROTOCOL_ERROR"}, {0x83, "IMPLEMENTATION_SPECIFIC_ERROR"}, {0x84, "UNSUPPORTED_PROTOCOL_VERSION"},
		{0x85, "CLIENT_IDENTIFIER_NOT_VALID"}, {0x86, "BAD_USER_NAME_OR_PASSWORD"}, {0x87, "NOT_AUTHORIZED"},
		{0x88, "SERVER_UNAVAILABLE"}, {0x89, "SERVER_BUSY"}, {0x8a, "BANNED"}, {0x8b, "SERVER_SHUTTING_DOWN"},
		{0x8c, "BAD_AUTHENTICATION_METHOD"}, {0x8d, "KEEP_ALIVE_TIMEOUT"}, {0x8e, "SESSION_TAKEN_OVER"},
		{0x8f, "TOPIC_FILTER_INVALID"}, {0x90, "TOPIC_NAME_INVALID"}, {0x91, "PACKET_IDENTIFIER_IN_USE"},
		{0x92, "PACKET_IDENTIFIER_NOT_FOUND"}, {0x93, "RECEIVE_MAXIMUM_EXCEEDED"}, {0x94, "TOPIC_ALIAS_INVALID"},
		{0x95, "PACKET_TOO_LARGE"}, {0x96, "MESSAGE_RATE_TOO_HIGH"}, {0x97, "QUOTA_EXCEEDED"},
		{0x98, "ADMINISTRATIVE_ACTION"}, {0x99, "PAYLOAD_FORMAT_INVALID"}, {0x9a, "RETAIN_NOT_SUPPORTED"},
		{0x9b, "QOS_NOT_SUPPORTED"}, {0x9c, "USE_ANOTHER_SERVER"}, {0x9d, "SERVER_MOVED"},
		{0x9e, "SHARED_SUBSCRIPTIONS_NOT_SUPPORTED"}, {0x9f, "CONNECTION_RATE_EXCEEDED"}, {0xa0, "MAXIMUM_CONNECT_TIME"},
		{0xa1, "SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED"}, {0xa2, "WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].code == code)
			return reasons[i].name;
	return NULL;
}

/* Is it the server's own trouble? */
static enum req_error reason_class(unsigned code, bool connack)
{
	static const uint8_t server[] = {0x80, 0x83, 0x88, 0x89, 0x8b, 0x93, 0x96, 0x97, 0x98, 0x9c, 0x9d, 0x9f, 0xa0};

	if (connack && code && code < 0x80)
		return code == 3 ? REQ_SERVER_ERROR : REQ_CLIENT_ERROR;
	if (code < 0x80)
		return REQ_OK;
	return memchr(server, (int)code, sizeof(server)) ? REQ_SERVER_ERROR : REQ_CLIENT_ERROR;
}

static void answer(const struct proto_bytes *b, const struct packet *k, uint64_t id, unsigned code, struct proto_sink *s)
{
	struct proto_response r = {.id = id, .status = (int)code, .error = reason_class(code, k->type == CONNACK),
				   .detail = code ? reason_name(code) : NULL, .begin_ns = proto_begin_ns(b),
				   .end_ns = proto_end_ns(b, k->size), .bytes = k->size};

	if (s->has(s, id))
		s->response(s, &r);
}

static void ask(const struct proto_bytes *b, const struct packet *k, uint64_t id, const char *op, size_t n, struct proto_sink *s)
{
	struct proto_request q = {.id = id, .op = op, .op_len = n, .begin_ns = proto_begin_ns(b),
				  .end_ns = proto_end_ns(b, k->size), .bytes = k->size};

	if (!s->has(s, id))
		s->request(s, &q);
}

static size_t op_write(char *op, size_t cap, const char *verb, const uint8_t *topic, size_t n, bool raw)
{
	static const char alias[] = "(topic alias)";
	size_t k = strlen(verb);

	memcpy(op, verb, k);
	op[k++] = ' ';
	if (!n) {
		memcpy(op + k, alias, sizeof(alias));
		return k + sizeof(alias) - 1;
	}
	return k + normalise_name(op + k, cap - k, (const char *)topic, n, raw);
}

/* PUBLISH: topic, packet id where QoS is not 0, properties in 5.0, payload. Taken when topic and id are there. */
static ssize_t publish(struct mqtt *t, enum proto_dir dir, const struct proto_bytes *b, const struct packet *k, struct proto_sink *s)
{
	unsigned qos = k->flags >> 1 & 3;
	struct message *m = &t->now[dir];
	size_t len, need;

	if (k->n < 2)
		return 0;
	len = be16(k->p);
	need = 2 + len + (qos ? 2 : 0);
	if (len > TOPIC_MAX || k->head + need > k->size)
		return PROTO_BAD;
	if (k->n < need)
		return 0;
	*m = (struct message){.open = true, .begin_ns = proto_begin_ns(b), .bytes = k->size,
			      .oneway = dir == FROM_SERVER || !qos, .again = qos && k->flags & 8};
	m->op_len = (uint16_t)op_write(m->op, sizeof(m->op), dir == FROM_CLIENT ? "PUBLISH" : "DELIVER", k->p + 2, len, s->raw);
	if (qos)
		m->id = ID_PACKET(PUBLISH, be16(k->p + need - 2));
	return (ssize_t)k->size;
}

static void publish_end(struct message *m, uint64_t end_ns, struct proto_sink *s)
{
	struct proto_request q = {.id = m->id, .op = m->op, .op_len = m->op_len, .begin_ns = m->begin_ns, .end_ns = end_ns,
				  .bytes = m->bytes, .oneway = m->oneway, .rows = 1};

	m->open = false;
	/* sent again: the request waits still; delivered again: it is counted again, for it is read again */
	if (m->oneway || !m->again || !s->has(s, m->id))
		s->request(s, &q);
}

/* SUBSCRIBE and UNSUBSCRIBE: packet id, properties in 5.0, filters. The first one names the request. */
static ssize_t subscribe(struct mqtt *t, const struct proto_bytes *b, const struct packet *k, struct proto_sink *s)
{
	const char *verb = k->type == SUBSCRIBE ? "SUBSCRIBE" : "UNSUBSCRIBE";
	size_t off = 2, len, n = strlen(verb);
	uint32_t properties = 0;
	char op[200];
	ssize_t r;

	if (k->size > 64 * 1024)
		return PROTO_BAD;
	if (b->n < k->size)
		return 0;
	memcpy(op, verb, n);
	if (t->version == 5) {
		r = varint(k->p + off, k->n - off, &properties);
		if (r <= 0 || (size_t)r + properties > k->n - off)
			return PROTO_BAD;
		off += (size_t)r + properties;
	}
	if (t->version) {
		if (k->n - off < 2)
			return PROTO_BAD;
		len = be16(k->p + off);
		if (k->n - off - 2 < len)
			return PROTO_BAD;
		n = op_write(op, sizeof(op), verb, k->p + off + 2, len, s->raw);
	}
	ask(b, k, ID_PACKET(k->type, be16(k->p)), op, n, s);
	return (ssize_t)k->size;
}

/* The worst of the reasons of a SUBACK or UNSUBACK. */
static ssize_t acknowledged(struct mqtt *t, const struct proto_bytes *b, const struct packet *k, struct proto_sink *s)
{
	size_t off = 2;
	uint32_t properties = 0;
	unsigned worst = 0;
	ssize_t r;

	if (k->size > 64 * 1024)
		return PROTO_BAD;
	if (b->n < k->size)
		return 0;
	if (t->version == 5) {
		r = varint(k->p + off, k->n - off, &properties);
		if (r <= 0 || (size_t)r + properties > k->n - off)
			return PROTO_BAD;
		off += (size_t)r + properties;
	}
	for (; t->version && off < k->n; off++)
		if (k->p[off] > worst)
			worst = k->p[off];
	answer(b, k, ID_PACKET(k->type == SUBACK ? SUBSCRIBE : UNSUBSCRIBE, be16(k->p)), worst < 0x80 ? 0 : worst, s);
	return (ssize_t)k->size;
}

/* PUBACK, PUBREC, PUBCOMP of the server: packet id, in 5.0 a reason that may be left out. */
static ssize_t published(const struct proto_bytes *b, const struct packet *k, struct proto_sink *s)
{
	unsigned code;

	if (k->n < (k->size - k->head < 3 ? 2u : 3u))
		return 0;
	code = k->size - k->head > 2 ? k->p[2] : 0;
	/* the end of a QoS 2 message is PUBCOMP, unless PUBREC refuses it */
	if (k->type != PUBREC || code >= 0x80)
		answer(b, k, ID_PACKET(PUBLISH, be16(k->p)), code, s);
	return (ssize_t)k->size;
}

/* Its name and level; a client id and a password lie behind them. */
static ssize_t connect_read(struct mqtt *t, const struct proto_bytes *b, const struct packet *k, struct proto_sink *s)
{
	size_t name;

	if (k->n < 10)
		return 0;
	name = be16(k->p);
	if ((name != 4 || memcmp(k->p + 2, "MQTT", 4) != 0) && (name != 6 || memcmp(k->p + 2, "MQIsdp", 6) != 0))
		return PROTO_BAD;
	t->version = k->p[2 + name];
	if (t->version < 3 || t->version > 5)
		return PROTO_BAD;
	ask(b, k, ID_CONNECT, "CONNECT", 7, s);
	return (ssize_t)k->size;
}

static ssize_t client_packet(struct mqtt *t, const struct proto_bytes *b, const struct packet *k, struct proto_sink *s)
{
	switch (k->type) {
	case CONNECT:
		return connect_read(t, b, k, s);
	case SUBSCRIBE:
	case UNSUBSCRIBE:
		return subscribe(t, b, k, s);
	case PINGREQ:
		ask(b, k, ID_PING, "PING", 4, s);
		break;
	}
	return (ssize_t)k->size;
}

/* The server ends the connection and says why (5.0). */
static ssize_t disconnect(const struct proto_bytes *b, const struct packet *k, struct proto_sink *s)
{
	struct proto_request q = {.op = "DISCONNECT", .op_len = 10, .begin_ns = proto_begin_ns(b),
				  .end_ns = proto_end_ns(b, k->size), .bytes = k->size, .oneway = true};

	if (k->size == k->head)
		return (ssize_t)k->size;
	if (!k->n)
		return 0;
	q.error = reason_class(k->p[0], false);
	q.detail = reason_name(k->p[0]);
	if (q.error != REQ_OK)
		s->request(s, &q);
	return (ssize_t)k->size;
}

static ssize_t server_packet(struct mqtt *t, const struct proto_bytes *b, const struct packet *k, struct proto_sink *s)
{
	switch (k->type) {
	case CONNACK:
		if (k->n < 2)
			return 0;
		answer(b, k, ID_CONNECT, k->p[1], s);
		break;
	case PUBACK:
	case PUBREC:
	case PUBCOMP:
		return published(b, k, s);
	case SUBACK:
	case UNSUBACK:
		return acknowledged(t, b, k, s);
	case PINGRESP:
		answer(b, k, ID_PING, 0, s);
		break;
	case DISCONNECT:
		return disconnect(b, k, s);
	}
	return (ssize_t)k->size;
}

static bool is_topic(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < 0x20 || p[i] == 0x7f || p[i] == '#' || p[i] == '+')
			return false;
	return true;
}

/* May a packet of this direction begin at p, as far as can be seen? */
static bool is_packet(enum proto_dir dir, const uint8_t *p, size_t n)
{
	struct packet k;
	size_t len;

	if (packet_read(p, n, &k) <= 0 || !is_of(dir, k.type))
		return false;
	if (k.type != PUBLISH)
		return k.size <= n;
	len = k.n < 2 ? 0 : be16(k.p);
	return len && len + 2 <= k.size - k.head && len + 2 <= k.n && is_topic(k.p + 2, len);
}

static ssize_t mqtt_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct mqtt *t = state;
	struct packet k;
	ssize_t r;

	if (t->now[dir].open) {
		publish_end(&t->now[dir], proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	if (t->lost[dir]) {
		if (!b->start || !is_packet(dir, b->p, b->n))
			return (ssize_t)b->n;
		t->lost[dir] = false;
	}
	r = packet_read(b->p, b->n, &k);
	if (r <= 0)
		return r;
	if (!is_of(dir, k.type))
		return PROTO_BAD;
	if (k.type == PUBLISH)
		return publish(t, dir, b, &k, s);
	return dir == FROM_CLIENT ? client_packet(t, b, &k, s) : server_packet(t, b, &k, s);
}

static ssize_t mqtt_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct mqtt *t = state;

	t->lost[dir] = true;
	if (dir == FROM_SERVER)
		s->resync(s, false);    /* what was answered in the hole cannot be told from what was not */
	t->now[dir].open = false;
	return 0;
}

static void mqtt_init(void *state, bool mid)
{
	struct mqtt *t = state;

	t->lost[0] = t->lost[1] = mid;
}

static void mqtt_done(void *state, struct proto_sink *s)
{
}

/* CONNECT has a name in it. Two bytes of a PING, or four of an acknowledgement, may be anything: the port must agree. */
static int mqtt_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	struct packet k;
	ssize_t r = packet_read(p, n, &k);

	if (r < 0 || (r > 0 && !is_of(dir, k.type)))
		return 0;
	if (!r)
		return -1;
	if (k.type == CONNECT) {
		if (k.n < 8)
			return -1;
		return !memcmp(k.p, "\0\4MQTT", 6) || !memcmp(k.p, "\0\6MQIsdp", 8) ? 95 : 0;
	}
	if (k.type == PUBLISH)
		return is_packet(dir, p, n) && k.size == n ? 45 : 0;
	return k.size == n && n <= 4 ? 40 : 0;
}

static const uint16_t mqtt_ports[] = {1883, 0};

const struct proto_ops proto_mqtt = {
	.id = PROTO_MQTT,
	.name = "mqtt",
	.ports = mqtt_ports,
	.state_size = sizeof(struct mqtt),
	.duplex = true,
	.whole = true,
	.infer = mqtt_infer,
	.init = mqtt_init,
	.done = mqtt_done,
	.parse = mqtt_parse,
	.gap = mqtt_gap,
};
