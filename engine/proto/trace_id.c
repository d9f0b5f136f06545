/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/trace_id.h"

#include "base/map.h"

#include <string.h>
#include <strings.h>

#define VALUE_MAX 256           /* of a longer value the rest is not looked at */
#define COMMENTS_MAX 4          /* of one statement */
#define NAME_LONGEST 23         /* of id_fields[] */

/* How a value is written. */
enum form {
	FORM_W3C,               /* version-TRACE-SPAN-flags */
	FORM_B3,                /* TRACE-SPAN[-sampled[-PARENT]] */
	FORM_JAEGER,            /* TRACE:SPAN:PARENT:flags, the colons perhaps as %3A */
	FORM_XRAY,              /* Root=1-time-TRACE;Parent=SPAN;Sampled=1 */
	FORM_CLOUD,             /* TRACE/SPAN;o=1, SPAN in decimal */
	FORM_SKYWALKING,        /* sampled-TRACE-SEGMENT-number-…, in base 64 */
	FORM_TRACE, FORM_SPAN, FORM_PARENT,             /* in hexadecimal */
	FORM_TRACE_DECIMAL, FORM_SPAN_DECIMAL,
	FORM_REQUEST,           /* any text */
};

struct id_field {
	const char *name;       /* in lower case, '-' also for '_' */
	uint8_t length, form;
	uint8_t rank;           /* of several the smallest counts; the same for fields that belong together */
};

#define FIELD(name, form, rank) {name, sizeof(name) - 1, form, rank}

static const struct id_field id_fields[] = {
	FIELD("traceparent", FORM_W3C, 1),
	FIELD("elastic-apm-traceparent", FORM_W3C, 2),
	FIELD("b3", FORM_B3, 3),
	FIELD("x-b3-traceid", FORM_TRACE, 3),
	FIELD("x-b3-spanid", FORM_SPAN, 3),
	FIELD("x-b3-parentspanid", FORM_PARENT, 3),
	FIELD("x-datadog-trace-id", FORM_TRACE_DECIMAL, 4),
	FIELD("x-datadog-parent-id", FORM_SPAN_DECIMAL, 4),
	FIELD("uber-trace-id", FORM_JAEGER, 5),
	FIELD("x-amzn-trace-id", FORM_XRAY, 6),
	FIELD("x-cloud-trace-context", FORM_CLOUD, 7),
	FIELD("sw8", FORM_SKYWALKING, 8),
	FIELD("x-request-id", FORM_REQUEST, 1),
	FIELD("request-id", FORM_REQUEST, 2),
	FIELD("x-correlation-id", FORM_REQUEST, 3),
	FIELD("correlation-id", FORM_REQUEST, 4),
	FIELD("x-trace-id", FORM_REQUEST, 5),
	FIELD("trace-id", FORM_REQUEST, 6),
	FIELD("x-transaction-id", FORM_REQUEST, 7),
};

static bool is_name(const struct id_field *f, const char *name)
{
	for (size_t i = 0; i < f->length; i++) {
		char c = name[i] == '_' ? '-' : name[i];

		if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != f->name[i])
			return false;
	}
	return true;
}

static const struct id_field *field_find(const char *name, size_t n)
{
	if (n > NAME_LONGEST || !trace_ids_may(name, n))
		return NULL;
	for (size_t i = 0; i < sizeof(id_fields) / sizeof(*id_fields); i++)
		if (id_fields[i].length == n && is_name(&id_fields[i], name))
			return &id_fields[i];
	return NULL;
}

/* A value being read. */
struct text { const char *p, *end; };

static int digit_value(char c, unsigned base)
{
	int v = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : 99;

	return v < (int)base ? v : -1;
}

/* So that what is kept is not the id. 0 stays 0: no id. */
static uint64_t mixed(uint64_t x)
{
	return x ? hash_bytes(&x, sizeof(x)) | 1 : 0;
}

/* The number here: of 128 bits the lower 64, which is what formats of 64 bits keep of them. 0: there is none. */
static uint64_t number(struct text *t, unsigned base)
{
	uint64_t x = 0;
	int d;

	for (; t->p < t->end && (d = digit_value(*t->p, base)) >= 0; t->p++)
		x = x * base + (uint64_t)d;
	return mixed(x);
}

static bool skip(struct text *t, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(t->end - t->p) < n || strncasecmp(t->p, word, n))
		return false;
	t->p += n;
	return true;
}

static bool skip_past(struct text *t, char c)
{
	const char *at = t->p < t->end ? memchr(t->p, c, (size_t)(t->end - t->p)) : NULL;

	t->p = at ? at + 1 : t->end;
	return at;
}

static uint64_t part_hash(const char *p, size_t n)
{
	return n ? hash_bytes(p, n) | 1 : 0;
}

static void read_w3c(struct trace_ids *v, struct text t)
{
	if (!skip_past(&t, '-'))
		return;
	v->trace = number(&t, 16);
	if (skip(&t, "-"))
		v->span = number(&t, 16);
}

static void read_b3(struct trace_ids *v, struct text t)
{
	uint64_t trace = number(&t, 16);

	if (!skip(&t, "-"))     /* "0": not sampled */
		return;
	v->trace = trace;
	v->span = number(&t, 16);
	if (skip(&t, "-") && skip_past(&t, '-'))
		v->parent = number(&t, 16);
}

static bool skip_colon(struct text *t)
{
	return skip(t, ":") || skip(t, "%3a");
}

static void read_jaeger(struct trace_ids *v, struct text t)
{
	v->trace = number(&t, 16);
	if (skip_colon(&t))
		v->span = number(&t, 16);
	if (skip_colon(&t))
		v->parent = number(&t, 16);
}

static void read_xray(struct trace_ids *v, struct text t)
{
	do {
		while (skip(&t, " "))
			;
		if (skip(&t, "root=")) {
			if (skip_past(&t, '-') && skip_past(&t, '-'))
				v->trace = number(&t, 16);
		} else if (skip(&t, "parent=")) {
			v->span = number(&t, 16);
		}
	} while (skip_past(&t, ';'));
}

static void read_cloud(struct trace_ids *v, struct text t)
{
	v->trace = number(&t, 16);
	if (skip(&t, "/"))
		v->span = number(&t, 10);
}

static void read_skywalking(struct trace_ids *v, struct text t)
{
	const char *begin;

	if (!skip_past(&t, '-'))
		return;
	begin = t.p;
	if (!skip_past(&t, '-'))
		return;
	v->trace = part_hash(begin, (size_t)(t.p - 1 - begin));
	begin = t.p;
	if (skip_past(&t, '-') && skip_past(&t, '-'))
		v->span = part_hash(begin, (size_t)(t.p - 1 - begin));
}

/* What a value says by itself. */
static struct trace_ids value_read(enum form form, struct text t)
{
	struct trace_ids v = {0};

	switch (form) {
	case FORM_W3C:           read_w3c(&v, t); break;
	case FORM_B3:            read_b3(&v, t); break;
	case FORM_JAEGER:        read_jaeger(&v, t); break;
	case FORM_XRAY:          read_xray(&v, t); break;
	case FORM_CLOUD:         read_cloud(&v, t); break;
	case FORM_SKYWALKING:    read_skywalking(&v, t); break;
	case FORM_TRACE:         v.trace = number(&t, 16); break;
	case FORM_SPAN:          v.span = number(&t, 16); break;
	case FORM_PARENT:        v.parent = number(&t, 16); break;
	case FORM_TRACE_DECIMAL: v.trace = number(&t, 10); break;
	case FORM_SPAN_DECIMAL:  v.span = number(&t, 10); break;
	case FORM_REQUEST:       v.request = part_hash(t.p, (size_t)(t.end - t.p)); break;
	}
	return v;
}

static void take(uint64_t *to, uint64_t from)
{
	if (from && !*to)
		*to = from;
}

/* Parts of one format come in fields of their own (B3, Datadog), so the same rank adds to what is there. */
static void take_trace(struct trace_ids *ids, const struct trace_ids *v, uint8_t rank)
{
	if (!(v->trace | v->span | v->parent) || (ids->trace_rank && ids->trace_rank < rank))
		return;
	if (ids->trace_rank != rank)
		ids->trace = ids->span = ids->parent = 0;
	ids->trace_rank = rank;
	take(&ids->trace, v->trace);
	take(&ids->span, v->span);
	take(&ids->parent, v->parent);
}

static void take_request(struct trace_ids *ids, uint64_t request, uint8_t rank)
{
	if (!request || (ids->request_rank && ids->request_rank <= rank))
		return;
	ids->request = request;
	ids->request_rank = rank;
}

static void field_take(struct trace_ids *ids, const struct id_field *f, const char *value, size_t n)
{
	struct text t = {value, value + (n < VALUE_MAX ? n : VALUE_MAX)};
	struct trace_ids v;

	while (t.p < t.end && (*t.p == ' ' || *t.p == '\t'))
		t.p++;
	while (t.end > t.p && (uint8_t)t.end[-1] <= ' ')
		t.end--;
	v = value_read(f->form, t);
	take_trace(ids, &v, f->rank);
	take_request(ids, v.request, f->rank);
}

bool trace_ids_knows(const char *name, size_t n)
{
	return field_find(name, n);
}

void trace_ids_field(struct trace_ids *ids, const char *name, size_t name_n, const char *value, size_t value_n)
{
	const struct id_field *f = field_find(name, name_n);

	if (f)
		field_take(ids, f, value, value_n);
}

void trace_ids_line(struct trace_ids *ids, const char *line, size_t n)
{
	const char *colon;
	size_t name;

	if (!trace_ids_may(line, n) || !(colon = memchr(line, ':', n < NAME_LONGEST + 2 ? n : NAME_LONGEST + 2)))
		return;
	name = (size_t)(colon - line);
	while (name && (line[name - 1] == ' ' || line[name - 1] == '\t'))
		name--;
	trace_ids_field(ids, line, name, colon + 1, n - (size_t)(colon + 1 - line));
}

static bool is_key(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '-';
}

static bool is_quote(char c)
{
	return c == '\'' || c == '"';
}

/* One key and its value of a comment; words that are none are passed over. */
static void comment_pair(struct trace_ids *ids, struct text *t)
{
	const char *key = t->p, *value;
	size_t n;
	char quote = 0;

	while (t->p < t->end && is_key(*t->p))
		t->p++;
	n = (size_t)(t->p - key);
	while (t->p < t->end && (*t->p == ' ' || is_quote(*t->p)))
		t->p++;
	if (!n || t->p == t->end || (*t->p != '=' && *t->p != ':')) {
		t->p += t->p < t->end && !is_key(*t->p);
		return;
	}
	t->p++;
	while (t->p < t->end && *t->p == ' ')
		t->p++;
	if (t->p < t->end && is_quote(*t->p))
		quote = *t->p++;
	value = t->p;
	while (t->p < t->end && (quote ? *t->p != quote : *t->p != ',' && *t->p != ';' && *t->p != ' '))
		t->p++;
	trace_ids_field(ids, key, n, value, (size_t)(t->p - value));
}

/* Where the next comment begins, behind its sign; NULL: there is none. Statements seldom divide, so a byte is looked for. */
static const char *comment_begin(const char *p, const char *end)
{
	while (p < end && (p = memchr(p, '/', (size_t)(end - p))) && ++p < end)
		if (*p == '*')
			return p + 1;
	return NULL;
}

void trace_ids_sql(struct trace_ids *ids, const char *sql, size_t n)
{
	const char *end = sql + n, *at = sql;

	for (int i = 0; i < COMMENTS_MAX && (at = comment_begin(at, end)); i++) {
		struct text t = {at, memmem(at, (size_t)(end - at), "*/", 2)};

		if (!t.end)
			t.end = end;
		at = t.end;
		while (t.p < t.end)
			comment_pair(ids, &t);
	}
}

void trace_ids_merge(struct trace_ids *ids, const struct trace_ids *more)
{
	take_trace(ids, more, more->trace_rank);
	take_request(ids, more->request, more->request_rank);
}
