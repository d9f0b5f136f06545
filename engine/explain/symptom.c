/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening incidents: only what users feel does, at the edges where requests enter the system.  Everything deeper is
 * evidence.  An incident is 2 of 3 bins that leave the range of all bins before, so that natural noise opens none.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain/study.h"

#define HISTORY_MIN_S 20.0   /* of normal behaviour, before we speak */
#define HISTORY_BINS 96      /* of it are compared with */
#define BLIND_MAX_S 600.0    /* longer recordings have a before, or it is how things are */
#define LATENCY_MIN_MS 0.5   /* a smaller change is not felt … */
#define EPISODES_MAX 3       /* told of one service, the worst */
#define AFFECTED_WEIGHT 0.1  /* seconds that being hit is worth, however short the wait */
#define OUTSIDE_WEIGHT 0.1   /* what we ask of others is not what users ask of us */
#define OPEN_WEIGHT 4        /* what lasts comes before what is over, unless that was much worse */
#define LATENCY_SURE_MS 2.0  /* … up to here only one to three times as much: a busy neighbour costs that on any node */

/* What is at hand while one service's front is looked at. */
struct front {
	struct study *s;
	uint32_t service;
	struct flow flow;
	struct profile normal;
	uint8_t *ok;         /* by bin: 1 normal so far */
	bool any;            /* some bin could be judged */
};

static bool root_like(const struct study *s, uint32_t service)
{
	const struct node *n = &s->node[service];
	const char *kind = s->w->services.v[service].kind;
	uint32_t i;

	if (kind && !strcmp(kind, "external"))
		return true;
	for (i = 0; i < n->n_in; i++) {
		uint32_t e = s->link[n->in + i];

		if (s->w->edges.v[e].from != service && s->traffic.flow[e].count > 0)
			return false;
	}
	return true;
}

/* Do users, or clients that nobody calls, come in through this edge? */
static bool edge_enters(const struct study *s, uint32_t edge)
{
	const struct win_edge *e = &s->w->edges.v[edge];
	const struct node *to = &s->node[e->to];
	uint32_t i;

	if (e->from == e->to)
		return false;
	if (e->from != WIN_NONE)
		return root_like(s, e->from);
	for (i = 0; i < to->n_in; i++) {
		uint32_t from = s->w->edges.v[s->link[to->in + i]].from;

		if (from != WIN_NONE && from != e->to && !root_like(s, from))
			return false;
	}
	return true;
}

static int front_gather(struct front *f, bool all)
{
	const struct node *n = &f->s->node[f->service];
	uint32_t bins = f->s->traffic.grid.bins, i;

	for (i = 0; i < n->n_in; i++) {
		uint32_t e = f->s->link[n->in + i];

		if (f->s->w->edges.v[e].from == f->service || (!all && !edge_enters(f->s, e)))
			continue;
		if (flow_merge(&f->flow, &f->s->traffic.flow[e], bins) < 0)
			return -ENOMEM;
	}
	flow_finish(&f->flow, bins);
	return 0;
}

/* Errors and refusals alone: the requests that were only slow are the other symptom's. */
static double cell_failures(const struct profile *p, const struct cell *c, double bin_s)
{
	double errors = c->errors - p->error_share * c->count, noise = 3 * sqrt(p->error_share * c->count);
	double refused = c->refused - p->refused_per_s * bin_s;

	if (errors < fmax(3, noise) || errors < 0.005 * c->count)
		errors = 0;
	return errors + (refused >= 3 ? refused : 0);
}

static bool quantile_felt(double before_ms, double ms)
{
	return ms - before_ms > LATENCY_SURE_MS || (ms - before_ms > LATENCY_MIN_MS && ms > 3 * before_ms);
}

static bool latency_felt(const struct profile *p, const struct cell *c)
{
	return quantile_felt(p->p50_ms, c->p50_ms) || quantile_felt(p->p90_ms, c->p90_ms) ||
	       quantile_felt(p->p99_ms, c->p99_ms);
}

static bool kind_wanted(enum symptom_kind want, enum symptom_kind kind)
{
	if (want == SYMPTOM_LATENCY)
		return kind == SYMPTOM_LATENCY;
	if (want == SYMPTOM_ERRORS)
		return kind == SYMPTOM_ERRORS;
	return true;
}

static bool bin_sick(const struct front *f, uint32_t bin, double z_least, enum symptom_kind want)
{
	const struct cell *c = &f->flow.cell[bin];
	double bin_s = study_bin_s(f->s);
	struct excess x = profile_excess(&f->normal, c, bin_s);

	if (x.stuck > 0)
		return true;
	if (kind_wanted(want, SYMPTOM_LATENCY) && f->normal.bins && x.z >= z_least && (x.novel > 1 || z_least < Z_OPEN) &&
	    latency_felt(&f->normal, c))
		return true;
	return kind_wanted(want, SYMPTOM_ERRORS) && cell_failures(&f->normal, c, bin_s) > 0;
}

/* The normal is what was normal so far; an explicit baseline stays what it is. */
static bool front_learn(struct front *f, uint32_t bin)
{
	const struct grid *g = &f->s->traffic.grid;
	uint32_t i, n = 0;

	if (f->s->q->baseline_until_ns) {
		if (!f->any)
			profile_of(&f->normal, &f->flow, g, f->s->mark, MARK_BASE, f->s->scratch);
		f->any = true;
		return f->normal.bins > 0;
	}
	for (i = bin; i-- > 0;) {
		f->ok[i] &= 1;
		if ((f->ok[i] & 1) && n < HISTORY_BINS && f->flow.cell[i].count > 0) {
			f->ok[i] |= 2;
			n++;
		}
	}
	if (n < 3 || n * study_bin_s(f->s) < HISTORY_MIN_S)
		return false;
	profile_of(&f->normal, &f->flow, g, f->ok, 2, f->s->scratch);
	f->any = true;
	return true;
}

/* Marks the bins of sick[] that are part of an alarm: at least two of three neighbours. */
static void keep_alarms(uint8_t *sick, uint32_t bins)
{
	uint32_t i, j;

	for (i = 0; i < bins; i++) {
		uint32_t near = 0;

		for (j = i >= 2 ? i - 2 : 0; j <= i + 2 && j < bins; j++)
			near += (sick[j] & 1) && j != i;
		if ((sick[i] & 1) && near)
			sick[i] |= 2;
	}
	for (i = 0; i < bins; i++)
		sick[i] = (sick[i] & 2) ? 1 : 0;
}

static void scan(struct front *f, uint8_t *sick, enum symptom_kind want, double z_least)
{
	uint32_t bins = f->s->traffic.grid.bins, i;

	for (i = 0; i < bins; i++) {
		const struct cell *c = &f->flow.cell[i];

		if (f->s->mark[i] & MARK_BASE)
			continue;
		if (front_learn(f, i) && (f->s->mark[i] & MARK_SUSPECT || !f->s->q->baseline_until_ns))
			sick[i] = bin_sick(f, i, z_least, want);
		/* Once an alarm stands, what is between its bins is no school for what is normal. */
		f->ok[i] = !sick[i] && c->count > 0 && !(i && sick[i - 1]) && !(i > 1 && sick[i - 2]);
	}
	keep_alarms(sick, bins);
	for (i = 0; i < bins; i++)
		if (!(f->s->mark[i] & MARK_SUSPECT))
			sick[i] = 0;
}

/* An explicit question says that there is a symptom: then the worst of the suspect bins are it. */
static uint32_t sick_asserted(struct front *f, uint8_t *sick, enum symptom_kind kind)
{
	uint32_t bins = f->s->traffic.grid.bins, i, n = 0;
	double worst = 0, bin_s = study_bin_s(f->s);

	for (i = 0; i < bins; i++) {
		const struct cell *c = &f->flow.cell[i];
		double v = kind == SYMPTOM_ERRORS ? c->errors / fmax(c->count, 1) : c->mean_ms;

		if (f->s->mark[i] & MARK_SUSPECT && v > worst)
			worst = v;
	}
	for (i = 0; i < bins; i++) {
		const struct cell *c = &f->flow.cell[i];
		double v = kind == SYMPTOM_ERRORS ? c->errors / fmax(c->count, 1) : c->mean_ms;

		if (!(f->s->mark[i] & MARK_SUSPECT))
			continue;
		sick[i] = worst <= 0 || v >= 0.8 * worst || profile_excess(&f->normal, c, bin_s).stuck > 0;
		n += sick[i];
	}
	return n;
}

/* The next episode from bin `at` on: bins closer than 30 s (three bins) are one. Cuts y to it: the others' bins become SICK_ELSE. */
static bool episode(struct symptom *y, const uint8_t *sick, uint32_t bins, double bin_s, uint32_t at)
{
	uint32_t gap = bin_s < 10 ? (uint32_t)(30 / bin_s) : 3, i;

	while (at < bins && !sick[at])
		at++;
	if (at == bins)
		return false;
	y->first = y->last = at;
	for (i = at; i < bins && i <= y->last + gap; i++)
		if (sick[i])
			y->last = i;
	for (i = 0; i < bins; i++)
		y->sick[i] = !sick[i] ? 0 : i < y->first || i > y->last ? SICK_ELSE : SICK_HERE;
	return true;
}

static void symptom_sums(struct front *f, struct symptom *y, struct profile *now)
{
	double bin_s = study_bin_s(f->s);
	uint32_t i;

	profile_of(now, &f->flow, &f->s->traffic.grid, y->sick, SICK_HERE, f->s->scratch);
	for (i = y->first; i <= y->last && i < f->s->traffic.grid.bins; i++) {
		const struct cell *c = &f->flow.cell[i];
		struct excess x = profile_excess(&f->normal, c, bin_s);
		double tail = profile_tail_share(&f->normal, c);

		if (!y->sick[i])
			continue;
		y->latency_z = fmax(y->latency_z, isinf(x.z) ? Z_OPEN : x.z);
		y->extra_s += x.seconds;
		y->extra_failures += cell_failures(&f->normal, c, bin_s);
		y->requests += c->count;
		y->affected += isnan(tail) ? 0 : c->count * fmax(0, tail - 0.01);
		now->inflight = fmax(now->inflight, x.stuck);
	}
}

static void symptom_latency(struct front *f, struct symptom *y, const struct profile *now)
{
	static const char *const name[Q_MAX] = {"median latency", "p90 latency", "p99 latency"};
	int q, best = Q_P50;
	double most = -INFINITY;

	for (q = 0; q < Q_MAX; q++) {
		double up = (now->log_q[q].median - f->normal.log_q[q].median) / fmax(f->normal.log_q[q].scale, 0.05);

		if (!isnan(up) && up > most) {
			most = up;
			best = q;
		}
	}
	y->kind = SYMPTOM_LATENCY;
	y->what = name[best];
	y->unit = "ms";
	y->before = f->normal.bins ? exp(f->normal.log_q[best].median) : NAN;
	y->after = exp(now->log_q[best].median);
}

static void symptom_errors(struct front *f, struct symptom *y, const struct profile *now)
{
	double refused = now->refused_per_s / fmax(now->per_s + now->refused_per_s, 1e-9);

	y->kind = SYMPTOM_ERRORS;
	y->what = "share of failed requests";
	y->unit = "ratio";
	y->before = f->normal.bins ? f->normal.error_share : NAN;
	y->after = fmax(now->error_share, refused);
	y->affected = y->extra_failures;
}

static void symptom_unavailable(struct front *f, struct symptom *y, const struct profile *now)
{
	y->kind = SYMPTOM_UNAVAILABLE;
	y->what = "answered requests";
	y->unit = "per_s";
	y->before = f->normal.bins ? f->normal.per_s : NAN;
	y->after = now->per_s;
	y->affected = fmax(y->affected, fmax(now->inflight, (f->normal.per_s - now->per_s) * study_bin_s(f->s)));
}

static void symptom_describe(struct front *f, struct symptom *y, enum symptom_kind want)
{
	struct profile now;

	symptom_sums(f, y, &now);
	y->failure_share = y->extra_failures / fmax(y->requests, 1);
	if (want == SYMPTOM_UNAVAILABLE ||
	    (want == SYMPTOM_ANY && f->normal.bins && now.per_s < 0.3 * f->normal.per_s && now.inflight > 0))
		symptom_unavailable(f, y, &now);
	else if (want == SYMPTOM_ERRORS || (want == SYMPTOM_ANY && y->extra_failures >= 3 &&
					    (y->failure_share >= 0.01 || y->latency_z < Z_OPEN)))
		symptom_errors(f, y, &now);
	else
		symptom_latency(f, y, &now);
	if (want == SYMPTOM_RESOURCE)
		y->kind = SYMPTOM_RESOURCE;
	y->severity = y->extra_s + 2 * y->extra_failures + 5 * now.inflight + AFFECTED_WEIGHT * fmax(0, y->affected);
	if (study_outside(f->s, y->service))
		y->severity *= OUTSIDE_WEIGHT;
}

/* Dates the onset finer than a bin, from the rows themselves: the first that is out of the ordinary in the first bins. */
static void symptom_date(struct front *f, struct symptom *y)
{
	const struct window *w = f->s->w;
	const struct grid *g = &f->s->traffic.grid;
	int64_t from = grid_time(g, y->first) - g->bin_ns, until = grid_time(g, y->first + 1), since_ns = 0;
	double limit = isnan(f->normal.p99_ms) ? INFINITY : f->normal.p99_ms;
	size_t i;

	y->since_ns = grid_time(g, y->first);
	y->until_ns = grid_time(g, y->last + 1);
	y->open = y->last + 2 >= g->bins;
	for (i = 0; i < w->requests.n; i++) {
		const struct win_requests *r = &w->requests.v[i];
		bool bad;

		if (r->t_ns < from || r->t_ns >= until || w->edges.v[r->edge].to != y->service || r->dur_ns >= g->bin_ns)
			continue;
		bad = y->kind == SYMPTOM_ERRORS ? r->errors > 1 + 3 * f->normal.error_share * r->count :
		      r->hist ? hist_above(r->hist, (uint64_t)fmin(limit * 1e6, 9e18)) > 0.1 : r->p50_ms > limit;
		/* Before the first bin one bad row followed by good ones is noise. */
		if (bad && !since_ns)
			since_ns = r->t_ns;
		else if (!bad && since_ns < y->since_ns)
			since_ns = 0;
		if (since_ns >= y->since_ns)
			break;
	}
	if (since_ns)
		y->since_ns = since_ns;
}

/* Of absolute levels only those count that mean something without a before. */
static bool saturated(const struct study *s)
{
	static const struct { const char *metric; double level; } signs[] = {
		{"cpu_throttled_s", 0.1}, {"disk_wait_s", 0.5}, {"runq_wait_s", 0.5}, {"stopped", 1}, {"cpu_cores", 0.7},
	};
	struct span all = {s->w->since_ns, s->w->until_ns};
	size_t i, k;

	for (i = 0; i < s->w->series.n; i++)
		for (k = 0; k < sizeof(signs) / sizeof(*signs); k++) {
			struct shift h;

			if (strcmp(s->w->series.v[i].metric, signs[k].metric) != 0)
				continue;
			h = gauge_shift(&s->gauges, (uint32_t)i, (struct span){0, 0}, all);
			if (h.n_after && h.after >= signs[k].level)
				return true;
		}
	return false;
}

/* Failures in numbers, requests that hang, or a long wait beside a resource that is full; of the bins whose mark has `bit`. */
static bool range_is_bad(struct front *f, const uint8_t *mark, uint8_t bit)
{
	static const struct profile nothing = {.mean_ms = NAN, .p99_ms = NAN, .tail_ms = NAN};
	const struct grid *g = &f->s->traffic.grid;
	double stuck = 0, length_s = 0;
	struct profile now;
	uint32_t i;

	profile_of(&now, &f->flow, g, mark, bit, f->s->scratch);
	for (i = 0; i < g->bins; i++)
		if (mark[i] & bit) {
			stuck += profile_excess(&nothing, &f->flow.cell[i], study_bin_s(f->s)).stuck > 0;
			length_s += study_bin_s(f->s);
		}
	return (now.error_share >= 0.05 && now.error_share * now.requests >= 10) || now.refused_per_s * length_s >= 5 ||
	       stuck >= 2 || ((now.p50_ms >= 50 || now.p90_ms >= 100) && now.requests >= 20 && saturated(f->s));
}

static bool cell_known(const struct cell *c)
{
	return c->count > 0 || c->refused > 0 || c->inflight > 0;
}

static bool cell_failing(const struct front *f, const struct cell *c)
{
	static const struct profile nothing = {.mean_ms = NAN, .p99_ms = NAN, .tail_ms = NAN};

	return c->refused > 0 || (c->errors > 0 && c->errors >= 0.05 * c->count) ||
	       profile_excess(&nothing, c, study_bin_s(f->s)).stuck > 0;
}

/* Is all that failed from before the first answer: somebody waited for it to start, and it did? */
static bool only_started(const struct front *f)
{
	uint32_t bins = f->s->traffic.grid.bins, i, answered = bins, failed = 0;

	for (i = bins; i-- > 0;) {
		const struct cell *c = &f->flow.cell[i];

		if (c->count - c->errors > 0)
			answered = i;
		if (!failed && cell_failing(f, c))
			failed = i + 1;
	}
	return failed && answered < bins && failed <= answered + 1;
}

/* A short recording in which nothing changes may lie inside the outage as a whole: then what is bad in itself is the symptom.
 * What is over by the second half of what is known, or with the first answer, was a start. */
static bool sick_from_the_start(struct front *f, uint8_t *sick)
{
	const struct grid *g = &f->s->traffic.grid;
	uint32_t known = 0, seen = 0, failing = 0, i;
	bool bad;

	if (f->s->q->baseline_until_ns || g->bins * study_bin_s(f->s) > BLIND_MAX_S || only_started(f))
		return false;
	memset(sick, 0, g->bins);
	for (i = 0; i < g->bins; i++)
		known += (f->s->mark[i] & MARK_SUSPECT) && cell_known(&f->flow.cell[i]);
	for (i = 0; i < g->bins; i++)
		if ((f->s->mark[i] & MARK_SUSPECT) && cell_known(&f->flow.cell[i])) {
			sick[i] = seen++ < known / 2 ? 1 : 3;
			failing += cell_failing(f, &f->flow.cell[i]);
		}
	bad = range_is_bad(f, sick, 1) && range_is_bad(f, sick, 2);
	for (i = 0; i < g->bins; i++)
		sick[i] = bad && sick[i] && (!failing || cell_failing(f, &f->flow.cell[i]) || f->flow.cell[i].p90_ms >= 100 ||
					     f->flow.cell[i].p50_ms >= 50);
	f->normal = (struct profile){.mean_ms = NAN, .p99_ms = NAN, .tail_ms = NAN};
	return bad;
}

static bool any_sick(const uint8_t *sick, uint32_t bins)
{
	return memchr(sick, 1, bins) != NULL;
}

static int keep_symptom(struct study *s, const struct symptom *y, size_t first, size_t most)
{
	struct symptom *least = NULL, *slot;
	size_t i;

	for (i = first; s->symptoms.n - first >= most && i < s->symptoms.n; i++)
		if (!least || s->symptoms.v[i].severity < least->severity)
			least = &s->symptoms.v[i];
	if (least && least->severity >= y->severity) {
		free(y->sick);
		return 0;
	}
	slot = least ? least : vec_push(&s->symptoms);
	if (!slot)
		return -ENOMEM;
	if (least)
		free(least->sick);
	*slot = *y;
	return 0;
}

/* Each episode is a symptom of its own; how long it lasted says little, what it cost says all. */
static void front_episodes(struct front *f, const uint8_t *sick, enum symptom_kind want, bool asserted)
{
	uint32_t bins = f->s->traffic.grid.bins, at = 0;
	size_t first = f->s->symptoms.n;

	while (at < bins) {
		struct symptom y = {.service = f->service, .asserted = asserted, .sick = calloc(bins + 1, 1)};

		if (!y.sick || !episode(&y, sick, bins, study_bin_s(f->s), at)) {
			f->s->failed |= !y.sick;
			free(y.sick);
			return;
		}
		at = y.last + 1;
		symptom_describe(f, &y, want);
		symptom_date(f, &y);
		if (keep_symptom(f->s, &y, first, asserted ? 1 : EPISODES_MAX) < 0) {
			free(y.sick);
			f->s->failed = true;
			return;
		}
	}
}

static void front_symptom(struct front *f, enum symptom_kind want, bool asserted)
{
	uint32_t bins = f->s->traffic.grid.bins;
	uint8_t *sick = calloc(bins + 1, 1);

	if (!sick) {
		f->s->failed = true;
		return;
	}
	scan(f, sick, want, asserted ? Z_SURE : Z_OPEN);
	if (any_sick(sick, bins) || sick_from_the_start(f, sick) || (asserted && sick_asserted(f, sick, want)))
		front_episodes(f, sick, want, asserted);
	free(sick);
}

static void look_at(struct study *s, uint32_t service, enum symptom_kind want, bool all, bool asserted)
{
	struct front f = {.s = s, .service = service};

	f.ok = calloc(s->traffic.grid.bins + 1, 1);
	if (!f.ok || front_gather(&f, all) < 0)
		s->failed = true;
	else if (f.flow.cell || (asserted && (f.flow.cell = calloc(s->traffic.grid.bins + 1, sizeof(*f.flow.cell)))))
		front_symptom(&f, want, asserted);
	flow_done(&f.flow, s->traffic.grid.bins);
	free(f.ok);
}

static int symptom_order(const void *pa, const void *pb)
{
	const struct symptom *a = pa, *b = pb;

	double wa = a->severity * (a->open ? OPEN_WEIGHT : 1), wb = b->severity * (b->open ? OPEN_WEIGHT : 1);

	if (wa != wb)
		return wa > wb ? -1 : 1;
	if (a->service != b->service)
		return a->service < b->service ? -1 : 1;
	return a->since_ns < b->since_ns ? -1 : 1;
}

void study_symptoms(struct study *s)
{
	uint32_t service = s->q->service ? window_find_service(s->w, s->q->service) : WIN_NONE, i;

	if (!s->traffic.grid.bins)
		return;
	if (s->q->service) {
		if (service != WIN_NONE)
			look_at(s, service, s->q->symptom, true, s->q->symptom != SYMPTOM_ANY);
	}
	for (i = 0; !s->q->service && i < s->w->services.n; i++)
		if (s->node[i].measured)
			look_at(s, i, s->q->symptom, false, false);
	if (s->symptoms.n > 1)
		qsort(s->symptoms.v, s->symptoms.n, sizeof(*s->symptoms.v), symptom_order);
}
