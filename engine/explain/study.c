/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain/study.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "explain/setting.h"

#define LOST_MANY 0.02   /* of the events */

static void suspect_range(const struct window *w, const struct question *q, int64_t *since_ns, int64_t *until_ns)
{
	*since_ns = q->since_ns ? q->since_ns : w->since_ns;
	*until_ns = q->until_ns ? q->until_ns : w->until_ns;
}

static void reach_row(int64_t *first, int64_t *last, int64_t t_ns, int64_t dur_ns)
{
	if (t_ns < *first)
		*first = t_ns;
	if (t_ns + dur_ns > *last)
		*last = t_ns + dur_ns;
}

/* What the rows cover, cut to what the question is about. */
static void data_range(const struct window *w, const struct question *q, int64_t *since_ns, int64_t *until_ns)
{
	int64_t first = INT64_MAX, last = INT64_MIN, a, b;
	size_t i;

	for (i = 0; i < w->requests.n; i++)
		reach_row(&first, &last, w->requests.v[i].t_ns, w->requests.v[i].dur_ns);
	for (i = 0; i < w->tcp.n; i++)
		reach_row(&first, &last, w->tcp.v[i].t_ns, w->tcp.v[i].dur_ns);
	for (i = 0; !w->requests.n && i < w->points.n; i++)
		reach_row(&first, &last, w->points.v[i].t_ns, w->points.v[i].dur_ns);
	suspect_range(w, q, &a, &b);
	if (b && last > b)
		last = b;
	if (q->baseline_until_ns && first < q->baseline_since_ns && q->baseline_since_ns < a)
		first = q->baseline_since_ns;
	*since_ns = first;
	*until_ns = last;
	if (first >= last)
		*since_ns = *until_ns = 0;
}

static bool links_count(struct study *s)
{
	const struct window *w = s->w;
	uint32_t at = 0;
	size_t i;

	s->link = calloc(2 * w->edges.n + 1, sizeof(*s->link));
	if (!s->link)
		return false;
	for (i = 0; i < w->edges.n; i++) {
		s->node[w->edges.v[i].to].n_in++;
		if (w->edges.v[i].from != WIN_NONE)
			s->node[w->edges.v[i].from].n_out++;
	}
	for (i = 0; i < w->services.n; i++) {
		s->node[i].in = at;
		at += s->node[i].n_in;
		s->node[i].out = at;
		at += s->node[i].n_out;
		s->node[i].n_in = s->node[i].n_out = 0;
	}
	return true;
}

static bool graph_init(struct study *s)
{
	const struct window *w = s->w;
	size_t i;

	if (!links_count(s))
		return false;
	for (i = 0; i < w->edges.n; i++) {
		const struct win_edge *e = &w->edges.v[i];
		struct node *to = &s->node[e->to];

		s->link[to->in + to->n_in++] = (uint32_t)i;
		to->measured |= s->traffic.flow[i].count > 0;
		if (e->from != WIN_NONE) {
			struct node *from = &s->node[e->from];

			s->link[from->out + from->n_out++] = (uint32_t)i;
		}
	}
	for (i = 0; i < w->series.n; i++)
		s->node[w->series.v[i].service].resourced = true;
	return true;
}

static bool arrays_init(struct study *s)
{
	size_t edges = s->w->edges.n + 1, bins = s->traffic.grid.bins + 1;

	s->node = calloc(s->w->services.n + 1, sizeof(*s->node));
	s->mark = calloc(bins, 1);
	s->scratch = calloc(bins, sizeof(*s->scratch));
	s->before = calloc(edges, sizeof(*s->before));
	s->after = calloc(edges, sizeof(*s->after));
	s->excess = calloc(edges, sizeof(*s->excess));
	s->shift = calloc(s->w->series.n + 1, sizeof(*s->shift));
	return s->node && s->mark && s->scratch && s->before && s->after && s->excess && s->shift;
}

static void mark_ranges(struct study *s)
{
	const struct question *q = s->q;
	const struct grid *g = &s->traffic.grid;
	int64_t since, until;
	uint32_t i;

	suspect_range(s->w, q, &since, &until);
	for (i = 0; i < g->bins; i++) {
		int64_t mid = grid_time(g, i) + g->bin_ns / 2;

		if (mid >= since && mid < until)
			s->mark[i] |= MARK_SUSPECT;
		if (q->baseline_until_ns && mid >= q->baseline_since_ns && mid < q->baseline_until_ns)
			s->mark[i] = MARK_BASE;
	}
}

/* Of an explicit baseline in which nothing was recorded nothing can be learned: then one is chosen, and that is said. */
static void check_baseline(struct study *s)
{
	size_t i;

	if (!s->q->baseline_until_ns)
		return;
	for (i = 0; i < s->w->requests.n; i++)
		if (s->w->requests.v[i].t_ns >= s->q->baseline_since_ns && s->w->requests.v[i].t_ns < s->q->baseline_until_ns)
			return;
	s->chosen = *s->q;
	s->chosen.baseline_since_ns = s->chosen.baseline_until_ns = 0;
	s->report->baseline_since_ns = s->report->baseline_until_ns = 0;
	s->q = &s->chosen;
	setting_push(s, &s->report->notes, "no request was recorded in the baseline that was asked for: the time before each "
		     "incident is compared with instead");
}

/* Where events were lost, an answer that was not seen looks like one that never came: as long as others come, the age of what
 * is open proves nothing. */
static void forget_ages(struct study *s)
{
	double lost = s->w->coverage.lost_events, events = s->w->coverage.events;
	size_t i;
	uint32_t k;

	if (!(lost > LOST_MANY * (events + lost)))
		return;
	for (i = 0; i < s->traffic.n; i++)
		for (k = 0; s->traffic.flow[i].cell && k < s->traffic.grid.bins; k++)
			if (s->traffic.flow[i].cell[k].count > 0)
				s->traffic.flow[i].cell[k].oldest_ms = 0;
}

int study_init(struct study *s, const struct window *w, const struct question *q, struct report *r)
{
	int64_t since, until;

	*s = (struct study){.w = w, .q = q, .report = r};
	check_baseline(s);
	data_range(w, s->q, &since, &until);
	if (traffic_init(&s->traffic, w, since, until) < 0)
		return -ENOMEM;
	if (gauges_init(&s->gauges, w) < 0 || !arrays_init(s) || !graph_init(s)) {
		study_done(s);
		return -ENOMEM;
	}
	forget_ages(s);
	mark_ranges(s);
	return 0;
}

void study_done(struct study *s)
{
	size_t i;

	for (i = 0; i < s->symptoms.n; i++)
		free(s->symptoms.v[i].sick);
	vec_done(&s->symptoms);
	traffic_done(&s->traffic);
	gauges_done(&s->gauges);
	free(s->link);
	free(s->node);
	free(s->mark);
	free(s->scratch);
	free(s->before);
	free(s->after);
	free(s->excess);
	free(s->shift);
	*s = (struct study){0};
}

const char *study_text(struct study *s, const char *fmt, ...)
{
	char buf[1024];
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	text = arena_strdup(&s->report->arena, buf);
	if (!text)
		s->failed = true;
	return text ? text : "";
}

const char *study_name(const struct study *s, uint32_t service)
{
	return service == WIN_NONE ? "(unknown)" : s->w->services.v[service].name;
}

double study_bin_s(const struct study *s)
{
	return (double)s->traffic.grid.bin_ns / 1e9;
}

uint32_t study_series(const struct study *s, uint32_t service, const char *metric)
{
	uint32_t best = WIN_NONE;
	size_t i;

	for (i = 0; i < s->w->series.n; i++) {
		const struct win_series *v = &s->w->series.v[i];

		if (v->service == service && !strcmp(v->metric, metric) &&
		    (best == WIN_NONE || s->shift[i].z > s->shift[best].z))
			best = (uint32_t)i;
	}
	return best;
}

bool study_is_node(const struct study *s, uint32_t service)
{
	const char *kind = s->w->services.v[service].kind;

	return kind && !strcmp(kind, "node");
}

uint32_t study_host(const struct study *s)
{
	size_t i;

	for (i = 0; i < s->w->services.n; i++)
		if (study_is_node(s, (uint32_t)i))
			return (uint32_t)i;
	return WIN_NONE;
}

bool study_outside(const struct study *s, uint32_t service)
{
	const struct win_service *v = &s->w->services.v[service];

	if (v->kind && !strcmp(v->kind, "external"))
		return true;
	/* Imports know no processes at all: then having no resources says nothing. */
	return s->w->series.n && !s->node[service].resourced && !v->exe && !s->node[service].n_out;
}

/* Keeps `sum` a mean weighted by requests where values are known. */
static void calls_add(double *sum, double *weight, double value, double by)
{
	if (isnan(value) || !(by > 0))
		return;
	*sum += value * by;
	*weight += by;
}

static double calls_mean(double sum, double weight)
{
	return weight > 0 ? sum / weight : NAN;
}

struct calls study_calls(const struct study *s, uint32_t service, bool after)
{
	const struct node *n = &s->node[service];
	const struct profile *of = after ? s->after : s->before;
	double w_mean = 0, w50 = 0, w90 = 0, w99 = 0, errors = 0;
	struct calls c = {0};
	uint32_t i;

	for (i = 0; i < n->n_in; i++) {
		uint32_t e = s->link[n->in + i];
		const struct profile *p = &of[e];

		c.requests += p->requests;
		c.per_s += p->per_s;
		errors += p->error_share * p->requests;
		c.refused += p->refused_per_s;
		c.inflight += p->inflight;
		c.stuck += after ? s->excess[e].stuck : 0;
		calls_add(&c.mean_ms, &w_mean, p->mean_ms, p->requests);
		calls_add(&c.p50_ms, &w50, p->p50_ms, p->requests);
		calls_add(&c.p90_ms, &w90, p->p90_ms, p->requests);
		calls_add(&c.p99_ms, &w99, p->p99_ms, p->requests);
	}
	c.errors_share = c.requests > 0 ? errors / c.requests : NAN;
	c.mean_ms = calls_mean(c.mean_ms, w_mean);
	c.p50_ms = calls_mean(c.p50_ms, w50);
	c.p90_ms = calls_mean(c.p90_ms, w90);
	c.p99_ms = calls_mean(c.p99_ms, w99);
	return c;
}

double study_extra_errors(const struct study *s, uint32_t service)
{
	struct calls b = study_calls(s, service, false), a = study_calls(s, service, true);

	if (!(a.requests > 0))
		return 0;
	return a.requests * (a.errors_share - (isnan(b.errors_share) ? 0 : b.errors_share));
}
