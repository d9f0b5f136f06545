/* SPDX-License-Identifier: BSD-2-Clause */
#include "filter.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exit.h"
#include "model/outcome.h"
#include "proto/user.h"
#include "rows.h"
#include "say.h"
#include "sort.h"

/* What has no parser: transport alone, and DNS over TCP. */
static const char *const plain_protocols[] = {"tcp", "udp", "unix", "dns-tcp"};

/* ---- words ---- */

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Does text begin with the pattern up to its next '*'? */
static bool piece_at(const char *pattern, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (!text[i] || !same_letter(pattern[i], text[i]))
			return false;
	return true;
}

bool filter_text(const char *pattern, const char *text)
{
	bool whole = strchr(pattern, '*') != NULL, open = !whole;      /* open: anything may come before the next piece */

	for (;;) {
		size_t n = strcspn(pattern, "*");

		if (whole && !pattern[n]) {               /* the last piece ends the text */
			size_t len = strlen(text);

			return open ? len >= n && piece_at(pattern, n, text + len - n) : len == n && piece_at(pattern, n, text);
		}
		while (!piece_at(pattern, n, text)) {
			if (!open || !*text)
				return false;
			text++;
		}
		if (!pattern[n])
			return true;
		text += n;
		pattern += n + 1;
		open = true;
	}
}

/* Calls wanted() for each word of a list separated by commas, until it is true. */
static bool any_word(const char *list, bool (*wanted)(const char *word, const void *arg), const void *arg)
{
	char word[64];

	for (list += strspn(list, ","); *list; list += strspn(list, ",")) {
		size_t n = strcspn(list, ",");

		snprintf(word, sizeof(word), "%.*s", (int)n, list);
		if (wanted(word, arg))
			return true;
		list += n;
	}
	return false;
}

int filter_check(const struct options *o)
{
	if (o->status && !o->status[strspn(o->status, ",")])
		return say_error(EXIT_USAGE, "--status: '%s' names no status", o->status);
	if (o->protocol && !o->protocol[strspn(o->protocol, ",")])
		return say_error(EXIT_USAGE, "--protocol: '%s' names no protocol", o->protocol);
	if (o->max_latency_ns && o->min_latency_ns > o->max_latency_ns)
		return say_error(EXIT_USAGE, "--min-latency is above --max-latency");
	return 0;
}

bool filter_is_set(const struct options *o)
{
	return o->service || o->protocol || o->op || o->status || o->min_latency_ns || o->max_latency_ns;
}

/* ---- status ---- */

struct end { int status; const char *detail, *error; bool failed; };

/* "4xx" and the like: a digit for any. */
static bool digits_match(const char *word, int status)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", status);
	if (strlen(text) != strlen(word))
		return false;
	for (size_t i = 0; word[i]; i++)
		if (word[i] != text[i] && (i == 0 || !same_letter(word[i], 'x')))
			return false;
	return true;
}

static bool ended_so(const char *word, const void *arg)
{
	const struct end *e = arg;

	if (!strcasecmp(word, "ok"))
		return !e->failed;
	if (!strcasecmp(word, "error"))
		return e->failed;
	return (e->status && digits_match(word, e->status)) || (e->detail && !strcasecmp(word, e->detail)) ||
	       (e->error && !strcasecmp(word, e->error));
}

bool filter_status(const struct options *o, int status, const char *detail, const char *error, bool failed)
{
	const struct end e = {status, detail, error, failed};

	return !o->status || any_word(o->status, ended_so, &e);
}

bool filter_latency(const struct options *o, double ms)
{
	return (!o->min_latency_ns || ms >= (double)o->min_latency_ns / 1e6) &&
	       (!o->max_latency_ns || ms <= (double)o->max_latency_ns / 1e6);
}

/* ---- protocols ---- */

static bool same_word(const char *word, const void *arg)
{
	return !strcasecmp(word, arg);
}

static bool is_protocol(const struct window *w, const char *word)
{
	for (size_t i = 0; i < sizeof(plain_protocols) / sizeof(*plain_protocols); i++)
		if (!strcasecmp(word, plain_protocols[i]))
			return true;
	for (int id = PROTO_UNKNOWN; id < PROTO_MAX; id++)
		if (!strcasecmp(word, proto_name((enum proto_id)id)))
			return true;
	for (size_t i = 0; i < w->edges.n; i++)        /* a user's own, or from elsewhere */
		if (w->edges.v[i].protocol && !strcasecmp(word, w->edges.v[i].protocol))
			return true;
	return proto_by_name(word) != NULL;
}

static bool is_unknown_protocol(const char *word, const void *arg)
{
	return !is_protocol(arg, word);
}

static int unknown_protocol(const struct options *o)
{
	char names[512] = "";

	for (int id = PROTO_UNKNOWN + 1; id < PROTO_MAX; id++) {
		strncat(names, proto_name((enum proto_id)id), sizeof(names) - strlen(names) - 1);
		strncat(names, " ", sizeof(names) - strlen(names) - 1);
	}
	return say_error(EXIT_USAGE, "--protocol: '%s' is none of %stcp udp unix dns-tcp, nor of this recording", o->protocol, names);
}

/* ---- which edges and operations ---- */

static bool edge_wanted(const struct filter *f, const struct win_edge *e)
{
	const struct options *o = f->o;

	/* the map is of all that the service calls and is called by; of a trace one hop has to be the service's */
	if (f->rows != FILTER_MAP && f->rows != FILTER_TRACES && !service_wanted(o, f->w, e->from, e->to))
		return false;
	return !o->protocol || (e->protocol && any_word(o->protocol, same_word, e->protocol));
}

int filter_init(struct filter *f, const struct options *o, const struct window *w, enum filter_rows rows)
{
	*f = (struct filter){.o = o, .w = w, .rows = rows};
	if (o->protocol && any_word(o->protocol, is_unknown_protocol, w))
		return unknown_protocol(o);
	if (rows == FILTER_NOTHING)
		return 0;
	f->edge = calloc(w->edges.n + 1, sizeof(*f->edge));
	f->op = o->op ? calloc(w->ops.n + 1, sizeof(*f->op)) : NULL;
	if (!f->edge || (o->op && !f->op)) {
		filter_done(f);
		return say_error(EXIT_FAILED, "out of memory");
	}
	for (size_t i = 0; i < w->edges.n; i++)
		f->edge[i] = edge_wanted(f, &w->edges.v[i]);
	for (size_t i = 0; f->op && i < w->ops.n; i++)
		f->op[i] = filter_text(o->op, w->ops.v[i]);
	return 0;
}

void filter_done(struct filter *f)
{
	free(f->edge);
	free(f->op);
	*f = (struct filter){0};
}

struct sum_only filter_only(const struct filter *f)
{
	return (struct sum_only){f->edge, f->op};
}

/* ---- which rows ---- */

/* Of each edge and service of the window: did any request to it end as --status says; is it an end of an edge that is shown. */
struct marks { bool *edge, *service, *end; };

static bool latency_wanted(const struct options *o, const struct sum_latency *l)
{
	return filter_latency(o, l->count > 0 ? l->p95_ms : NAN);
}

/* Requests that just went well are no outcome: they are what the others leave, and all where no errors are known of. */
static bool plain_ends(const struct options *o, const struct sum_latency *l)
{
	return (!(l->errors >= l->count) && filter_status(o, 0, NULL, NULL, false)) ||
	       (l->errors > 0 && filter_status(o, 0, NULL, NULL, true));
}

static bool outcome_wanted(const struct filter *f, const struct sum_outcome *x)
{
	const char *protocol = f->w->edges.v[x->edge].protocol;
	bool failed = outcome_is_error(protocol ? proto_by_name(protocol) : NULL, req_error_by_name(x->error), x->status);

	return filter_status(f->o, x->status, x->detail, x->error, failed);
}

static bool op_wanted(const struct filter *f, const struct summary *s, const struct sum_op *p)
{
	size_t n;
	const struct sum_outcome *x = summary_outcomes(s, p->edge, p->op, &n);
	bool ends = plain_ends(f->o, &p->l);

	for (size_t i = 0; i < n && !ends; i++)
		ends = outcome_wanted(f, &x[i]);
	return ends && latency_wanted(f->o, &p->l);
}

static bool row_wanted(const struct filter *f, const struct sum_latency *l, bool marked)
{
	if ((f->o->op || f->o->status) && !(l->count > 0))
		return false;
	return (!f->o->status || marked || plain_ends(f->o, l)) && latency_wanted(f->o, l);
}

static bool service_row_wanted(const struct filter *f, const struct sum_service *v, const struct marks *m)
{
	const struct options *o = f->o;

	if (f->rows == FILTER_MAP)
		return !(o->protocol || o->op || o->status || o->min_latency_ns || o->max_latency_ns || o->limit) || m->end[v->service];
	if (!service_wanted(o, f->w, v->service, v->service))
		return false;
	if ((o->protocol || o->op) && !m->end[v->service])
		return false;
	if (o->status && !m->service[v->service] && !(v->in.count > 0 && plain_ends(o, &v->in)))
		return false;
	return latency_wanted(o, &v->in);
}

static void mark_outcomes(const struct filter *f, const struct summary *s, struct marks *m)
{
	for (size_t i = 0; f->o->status && i < s->outcomes.n; i++)
		if (outcome_wanted(f, &s->outcomes.v[i])) {
			m->edge[s->outcomes.v[i].edge] = true;
			m->service[f->w->edges.v[s->outcomes.v[i].edge].to] = true;
		}
}

static void mark_ends(const struct filter *f, const struct summary *s, struct marks *m)
{
	for (size_t i = 0; i < s->edges.n; i++) {
		const struct win_edge *e = &f->w->edges.v[s->edges.v[i].edge];

		m->end[e->to] = true;
		if (e->from != WIN_NONE)
			m->end[e->from] = true;
	}
}

/* Keeps the rows of a vector for which `wanted` (of `row`) holds, in their order. */
#define KEEP(vec, wanted)                                                      \
	do {                                                                   \
		size_t kept_ = 0;                                              \
		for (size_t i_ = 0; i_ < (vec).n; i_++) {                      \
			const __typeof__(*(vec).v) *row = &(vec).v[i_];        \
			if (wanted)                                            \
				(vec).v[kept_++] = *row;                       \
		}                                                              \
		(vec).n = kept_;                                               \
	} while (0)

#define SORT(f, vec) sort_rows((f)->o->sort_key, (f)->w, (vec).v, (vec).n, sizeof(*(vec).v))

/* Sorts and cuts a vector; how many went. */
#define CUT(f, vec)                                                            \
	({                                                                     \
		ssize_t cut_ = SORT(f, vec);                                   \
		if (cut_ == 0 && (f)->o->limit && (vec).n > (f)->o->limit) {   \
			cut_ = (ssize_t)((vec).n - (f)->o->limit);             \
			(vec).n = (f)->o->limit;                               \
		}                                                              \
		cut_;                                                          \
	})

static ssize_t filter_marked(const struct filter *f, struct summary *s, struct marks *m)
{
	ssize_t cut = 0;

	mark_outcomes(f, s, m);
	KEEP(s->ops, op_wanted(f, s, row));
	if (f->rows == FILTER_OPS)
		return CUT(f, s->ops);
	if (f->rows == FILTER_SERVICES) {
		KEEP(s->edges, f->edge[row->edge] && (!f->o->op || row->l.count > 0));
	} else {
		KEEP(s->edges, f->edge[row->edge] && row_wanted(f, &row->l, m->edge[row->edge]));
		cut = CUT(f, s->edges);
	}
	mark_ends(f, s, m);
	KEEP(s->services, service_row_wanted(f, row, m));
	return f->rows == FILTER_SERVICES ? CUT(f, s->services) : cut;
}

ssize_t filter_summary(const struct filter *f, struct summary *s)
{
	struct marks m = {calloc(f->w->edges.n + 1, 1), calloc(f->w->services.n + 1, 1), calloc(f->w->services.n + 1, 1)};
	ssize_t cut = -1;

	if (f->rows == FILTER_NOTHING)
		cut = 0;
	else if (m.edge && m.service && m.end)
		cut = filter_marked(f, s, &m);
	free(m.edge);
	free(m.service);
	free(m.end);
	return cut;
}
