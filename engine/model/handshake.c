/* SPDX-License-Identifier: BSD-2-Clause */
/* TLS handshakes → rows of (edge, version, name, result), and those that say that something is wrong on the timeline. */
#include "model/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "proto/tls.h"

#define SNI_OTHER "(other)"
#define TOLD_AGAIN_NS (60 * NS_PER_S)      /* what goes on failing is on the timeline once a minute */
#define SOON_S (7 * 24 * 3600)             /* a certificate that ends within a week is, */
#define SOON_AGAIN_NS (3600 * NS_PER_S)    /* once an hour */
#define ASK_TICKS 30                       /* an answer is waited for */
#define PARENTS_MAX 4
#define TLS_1_3 0x0304

enum { EXPIRED = 0xffff, SOON = 0xfffe };  /* in place of a result */

struct handshake_key {
	uint32_t id, held;           /* as in agg_key */
	uint32_t sni;                /* number in model.snis */
	uint16_t version;
	uint8_t outcome, alert, by, pad[3];
};

/* Who answered. pid 0: not known, or its certificate was seen. */
struct answerer { uint8_t ip[16]; uint32_t pid; uint16_t port; };

struct handshake {
	uint64_t count, first_ns;
	const char *alpn, *subject, *source;  /* interned; NULL: not known */
	int64_t not_after_s;         /* 0: not known */
	struct answerer by;
	uint16_t offered;
};

/* The certificate of a row, while it is looked for. */
struct asked { struct answerer by; unsigned ticks; };

struct told_key { uint32_t edge; uint16_t result, version; };

void handshakes_init(struct model *m)
{
	map_init(&m->handshakes, sizeof(struct handshake_key), sizeof(struct handshake), ROWS_MAX);
	map_init(&m->tls_told, sizeof(struct told_key), sizeof(uint64_t), TLS_TOLD_MAX);
	map_init(&m->tls_asked, sizeof(struct handshake_key), sizeof(struct asked), TLS_ASKED_MAX);
	intern_init(&m->snis, SNIS_MAX);
}

void handshakes_done(struct model *m)
{
	map_done(&m->handshakes);
	map_done(&m->tls_told);
	map_done(&m->tls_asked);
	intern_done(&m->snis);
}

/* The last number is for those that came too late. */
static uint32_t sni_number(struct model *m, const char *sni)
{
	size_t n = strlen(sni);
	uint32_t id = intern_find(&m->snis, sni, n);

	if (id != INTERN_NONE)
		return id;
	if (m->snis.n < SNIS_MAX - 1)
		return intern_put(&m->snis, sni, n);
	m->lost_snis++;
	return intern_put(&m->snis, SNI_OTHER, strlen(SNI_OTHER));
}

static void add(struct handshake *into, const struct handshake *from)
{
	if (!into->count || from->first_ns < into->first_ns)
		into->first_ns = from->first_ns;
	into->count += from->count;
	into->offered = from->offered;
	if (from->alpn)
		into->alpn = from->alpn;
	if (from->by.pid)
		into->by = from->by;
	/* of several certificates the one that ends first */
	if (from->not_after_s && (!into->not_after_s || from->not_after_s < into->not_after_s)) {
		into->not_after_s = from->not_after_s;
		into->subject = from->subject;
		into->source = from->source;
	}
}

static void row_add(struct model *m, const struct handshake_key *k, const struct handshake *from)
{
	struct handshake *into = k->sni == INTERN_NONE ? NULL : map_put(&m->handshakes, k, NULL);

	if (!into) {
		m->lost_rows += from->count;
		return;
	}
	if (!into->count && k->held)
		conn_at(m, k->id)->held++;
	add(into, from);
}

/* In 1.3 the certificate is encrypted: the files of the server's process may tell. */
static void answerer_note(const struct conn *c, const struct tls_handshake *h, struct answerer *ret)
{
	if (h->version < TLS_1_3 || h->cert.not_after_s)
		return;
	ret->pid = c->end[!c->client].owner;
	ret->port = c->a[!c->client].port;
	memcpy(ret->ip, c->a[!c->client].ip, sizeof(ret->ip));
}

void handshake_done(void *arg, struct flow *f, const struct tls_handshake *h)
{
	struct model *m = arg;
	uint32_t id = (uint32_t)(uintptr_t)flow_user(f), edge;
	struct handshake_key k = {.sni = sni_number(m, h->sni), .version = h->version, .outcome = h->outcome,
				  .alert = h->outcome == TLS_ALERT ? h->alert : 0, .by = h->by};
	struct handshake one = {.count = weight_of(conn_at(m, id), h->begin_ns), .first_ns = h->end_ns, .offered = h->offered,
				.not_after_s = h->cert.not_after_s, .source = h->cert.not_after_s ? "wire" : NULL};

	if (*h->sni && k.sni != INTERN_NONE && !conn_at(m, id)->sni) {
		conn_at(m, id)->sni = k.sni + 1;
		conn_at(m, id)->edge_gen = m->gen - 1;
	}
	conn_ask_flow(m, id);
	edge = conn_edge(m, id, false);
	k.id = edge != NONE ? edge : id;
	k.held = edge == NONE;
	one.alpn = h->alpn[0] ? text_keep(m, h->alpn) : NULL;
	one.subject = h->cert.subject[0] ? text_keep(m, h->cert.subject) : NULL;
	answerer_note(conn_at(m, id), h, &one.by);
	row_add(m, &k, &one);
}

/* The map changes while rows move: first look, then move. */
static void settle_held(struct model *m)
{
	VEC(struct handshake_key) held = {0};
	const void *key;
	size_t it = 0, i;

	while (map_next(&m->handshakes, &it, &key, NULL)) {
		const struct handshake_key *k = key;
		struct handshake_key *slot = k->held ? vec_push(&held) : NULL;

		if (slot)
			*slot = *k;
	}
	for (i = 0; i < held.n; i++) {
		struct handshake_key k = held.v[i];
		struct handshake from = *(struct handshake *)map_get(&m->handshakes, &k);

		map_del(&m->handshakes, &k);
		conn_at(m, k.id)->held--;
		k.id = conn_edge(m, k.id, true);
		k.held = 0;
		if (k.id != NONE)
			row_add(m, &k, &from);
		else
			m->lost_rows += from.count;
	}
	vec_done(&held);
}

/* ---- certificates of 1.3 ---- */

/* The process, or where that has ended the one that it was forked from: some have a process for each connection. */
static const struct process_ident *alive(struct model *m, uint32_t pid)
{
	const struct process_ident *i = proc_ident(m, pid);

	for (int up = 0; i && i->gone && up < PARENTS_MAX; up++) {
		const struct process_ident *parent = i->ppid ? proc_ident(m, i->ppid) : NULL;

		i = parent && parent->exe && i->exe && !strcmp(parent->exe, i->exe) ? parent : NULL;
	}
	return i && !i->gone ? i : NULL;
}

/* As certificate_resolver.ask(); *ret then has the row's certificate and nothing else. */
static int certificate_ask(struct model *m, const struct handshake_key *k, const struct answerer *by, struct handshake *ret)
{
	const struct process_ident *i = alive(m, by->pid);
	struct certificate_question q = {.start_ticks = i ? i->start_ticks : 0, .pid = i ? i->pid : 0, .port = by->port};
	struct certificate c;
	char source[CERTIFICATE_PATH_LEN + 16], path[CERTIFICATE_PATH_LEN];
	int known;

	/* "(other)" is nobody's name */
	if (!i || k->sni == intern_find(&m->snis, SNI_OTHER, strlen(SNI_OTHER)))
		return 0;
	memcpy(q.ip, by->ip, sizeof(q.ip));
	strncpy(q.host, intern_text(&m->snis, k->sni), sizeof(q.host) - 1);
	known = m->o.certificates.ask(m->o.certificates.arg, &q, &c);
	if (known <= 0)
		return known;
	snprintf(source, sizeof(source), "%sfile %s", c.newer ? "newer " : "",
		 text_clean(path, sizeof(path), c.path, strlen(c.path), true));
	*ret = (struct handshake){.not_after_s = c.not_after_s, .source = text_keep(m, source),
				  .subject = c.subject[0] ? text_keep(m, c.subject) : NULL};
	return known;
}

/* What the rows of this tick do not know is asked for. */
static void certificates_want(struct model *m)
{
	const void *key;
	size_t it = 0;
	void *value;

	while (map_next(&m->handshakes, &it, &key, &value)) {
		struct handshake *h = value, found;
		struct asked *a;
		int known;

		if (!h->by.pid || h->not_after_s)
			continue;
		known = certificate_ask(m, key, &h->by, &found);
		if (known > 0)
			add(h, &found);
		a = known < 0 ? map_put(&m->tls_asked, key, NULL) : NULL;
		if (a)
			*a = (struct asked){.by = h->by};
	}
}

/* Answers to what earlier ticks asked: a row that counts nothing. Maps change while rows move: first look, then move. */
static void certificates_take(struct model *m, uint64_t now_ns)
{
	VEC(struct handshake_key) over = {0};
	const void *key;
	size_t it = 0;
	void *value;

	while (map_next(&m->tls_asked, &it, &key, &value)) {
		struct asked *a = value;
		struct handshake found;
		int known = certificate_ask(m, key, &a->by, &found);
		struct handshake_key *slot = known >= 0 || ++a->ticks == ASK_TICKS ? vec_push(&over) : NULL;

		if (slot)
			*slot = *(const struct handshake_key *)key;
		if (known <= 0)
			continue;
		found.first_ns = now_ns;
		row_add(m, key, &found);
	}
	for (size_t i = 0; i < over.n; i++)
		map_del(&m->tls_asked, &over.v[i]);
	vec_done(&over);
}

/* ---- the timeline ---- */

/* False where it was told within so long. */
static bool to_be_told(struct model *m, const struct handshake_key *h, uint16_t result, uint64_t now_ns, int64_t again_ns)
{
	struct told_key k = {.edge = h->id, .result = result, .version = h->version};
	uint64_t *at = map_put(&m->tls_told, &k, NULL);

	if (!at) {
		/* too many edges fail: begin anew rather than be silent for ever */
		map_reset(&m->tls_told);
		return true;
	}
	if (*at && now_ns < *at + (uint64_t)again_ns)
		return false;
	*at = now_ns;
	return true;
}

static const char *day(char buf[16], int64_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(buf, 16, "%Y-%m-%d", &tm);
	return buf;
}

/* "certificate_expired, said the client; TLS 1.2, certificate of shop.test until 2026-11-21" */
static const char *failure_text(struct model *m, const struct handshake_key *k, const struct handshake *h)
{
	struct tls_handshake t = {.outcome = k->outcome, .alert = k->alert};
	const char *by = tls_by_name(k->by), *version = tls_version_name(k->version ? k->version : h->offered);
	char until[16], cert[192] = "";

	if (h->not_after_s)
		snprintf(cert, sizeof(cert), ", certificate of %s until %s", h->subject ? h->subject : "(no name)",
			 day(until, h->not_after_s));
	return note_printf(m, "TLS handshake failed: %s%s%s; %s%s%s%s%s", tls_result_name(&t), by ? " from the " : "", by ? by : "",
			   k->version ? "TLS " : "offered at most TLS ", version ? version : "?",
			   intern_text(&m->snis, k->sni)[0] ? ", for " : "", intern_text(&m->snis, k->sni), cert);
}

static void tell(struct model *m, const struct handshake_key *k, const struct handshake *h, const char *kind, const char *text)
{
	struct note *n = note_add(m, kind, false);

	if (!n)
		return;
	n->ts_ns = h->first_ns;
	n->service = m->edges.v[k->id].to;
	n->detail = text;
}

/* "the certificate of shop.test (file /etc/ssl/shop.pem) expires on 2026-11-21" */
static const char *certificate_text(struct model *m, const struct handshake *h, const char *verb)
{
	bool file = h->source && strcmp(h->source, "wire") != 0;
	char until[16];

	return note_printf(m, "the certificate of %s%s%s%s %s on %s", h->subject ? h->subject : "(no name)", file ? " (" : "",
			   file ? h->source : "", file ? ")" : "", verb, day(until, h->not_after_s));
}

static void tell_of(struct model *m, const struct handshake_key *k, const struct handshake *h, uint64_t now_ns, int64_t unix_s)
{
	struct tls_handshake t = {.outcome = k->outcome};

	if (h->count && tls_failed(&t) && to_be_told(m, k, (uint16_t)(k->outcome << 8 | k->alert), now_ns, TOLD_AGAIN_NS))
		tell(m, k, h, "tls_failure", failure_text(m, k, h));
	if (!h->not_after_s)
		return;
	if (h->not_after_s < unix_s && to_be_told(m, k, EXPIRED, now_ns, TOLD_AGAIN_NS))
		tell(m, k, h, "tls_expired", certificate_text(m, h, "expired"));
	else if (h->not_after_s >= unix_s && h->not_after_s < unix_s + SOON_S && to_be_told(m, k, SOON, now_ns, SOON_AGAIN_NS))
		tell(m, k, h, "tls_expiring", certificate_text(m, h, "expires"));
}

void handshakes_settle(struct model *m, uint64_t now_ns, int64_t unix_ns)
{
	const void *key;
	size_t it = 0;
	void *value;

	settle_held(m);
	if (m->o.certificates.ask) {
		certificates_take(m, now_ns);
		certificates_want(m);
	}
	while (map_next(&m->handshakes, &it, &key, &value)) {
		/* a connection may have ended since, and its flow with it */
		edge_set_proto(m, ((const struct handshake_key *)key)->id, PROTO_TLS);
		tell_of(m, key, value, now_ns, unix_ns / (int64_t)NS_PER_S);
	}
}

int handshakes_build(struct model *m, struct tick *t)
{
	const void *key;
	size_t it = 0;
	void *value;

	while (map_next(&m->handshakes, &it, &key, &value)) {
		const struct handshake_key *k = key;
		const struct handshake *h = value;
		struct tls_handshake names = {.outcome = k->outcome, .alert = k->alert};
		struct tick_tls *r = vec_push(&t->tls);

		if (!r)
			return -ENOMEM;
		*r = (struct tick_tls){
			.edge = k->id, .version = tls_version_name(k->version), .result = tls_result_name(&names),
			.by = tls_by_name(k->by), .count = h->count, .not_after_s = h->not_after_s,
			.sni = arena_strdup(&t->arena, intern_text(&m->snis, k->sni)),
			.alpn = h->alpn ? arena_strdup(&t->arena, h->alpn) : NULL,
			.subject = h->subject ? arena_strdup(&t->arena, h->subject) : NULL,
			.source = h->source ? arena_strdup(&t->arena, h->source) : NULL,
		};
		if (!r->sni)
			return -ENOMEM;
	}
	return 0;
}
