/* SPDX-License-Identifier: BSD-2-Clause */
/* db.slow_query: one statement got slower, or runs more often.  When all statements got slower alike, it is not the
 * statements: then the disk or the CPU under them is looked at first. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "explain/cause.h"
#include "explain/say.h"

#define ALIKE 3   /* others that got slower by less than a third as much only stand in the same queue */

struct statement {
	double count[2], seconds[2];   /* before, after */
	struct hist hist[2];
	double added;                  /* seconds, beyond what the same calls took before */
};

static bool is_database(const struct study *s, uint32_t v)
{
	static const char *const protocols[] = {"postgres", "mysql", "redis", "mongodb", "cassandra", "clickhouse", "memcached",
						"tds", "foundationdb"};
	const struct node *n = &s->node[v];
	const char *kind = s->w->services.v[v].kind;
	uint32_t i;
	size_t k;

	if (kind && !strcmp(kind, "db"))
		return true;
	for (i = 0; i < n->n_in; i++) {
		const char *p = s->w->edges.v[s->link[n->in + i]].protocol;

		for (k = 0; p && k < sizeof(protocols) / sizeof(*protocols); k++)
			if (!strcmp(p, protocols[k]))
				return true;
	}
	return false;
}

static int side_of(const struct study *s, const struct win_requests *r)
{
	int64_t mid = r->t_ns + r->dur_ns / 2;

	if (!s->blind && mid >= s->base.since_ns && mid < s->base.until_ns)
		return 0;
	return mid >= s->sick.since_ns && mid < s->sick.until_ns ? 1 : -1;
}

static void statements_read(struct study *s, uint32_t v, struct statement *st)
{
	size_t i;

	for (i = 0; i < s->w->requests.n; i++) {
		const struct win_requests *r = &s->w->requests.v[i];
		struct statement *x;
		int side;

		if (s->w->edges.v[r->edge].to != v || r->op == WIN_NONE)
			continue;
		side = side_of(s, r);
		if (side < 0)
			continue;
		x = &st[r->op];
		x->count[side] += r->count;
		x->seconds[side] += r->hist ? hist_sum(r->hist) / 1e9 : isnan(r->avg_ms) ? 0 : r->avg_ms * r->count / 1e3;
		if (r->hist && hist_merge(&x->hist[side], r->hist) < 0)
			s->failed = true;
	}
}

static double mean_s(const struct statement *st, int side)
{
	return st->count[side] > 0 ? st->seconds[side] / st->count[side] : 0;
}

/* By how much one call takes longer. */
static double grown_s(const struct statement *st)
{
	return mean_s(st, 1) - mean_s(st, 0);
}

static bool slower_alike(const struct statement *st, const struct statement *top)
{
	double factor = mean_s(st, 1) / mean_s(st, 0), of = mean_s(top, 1) / fmax(mean_s(top, 0), 1e-6);

	return factor > 2 && (factor > of / ALIKE || grown_s(st) > grown_s(top) / ALIKE);
}

/* What the calls took in the sick range beyond what as many seconds of the baseline took. */
static double statements_added(const struct study *s, struct statement *st, size_t n, double *slower_others, size_t *top)
{
	double base_s = (double)(s->base.until_ns - s->base.since_ns), sick_s = (double)(s->sick.until_ns - s->sick.since_ns);
	double sum = 0, others = 0, of = 0;
	size_t i;

	*top = 0;
	for (i = 0; i < n; i++) {
		double usual = s->blind || base_s <= 0 ? 0 : st[i].seconds[0] * sick_s / base_s;

		st[i].added = fmax(0, st[i].seconds[1] - usual);
		sum += st[i].added;
		if (st[i].added > st[*top].added)
			*top = i;
	}
	for (i = 0; i < n; i++) {
		if (i == *top || !(st[i].count[0] >= 10) || !(st[i].count[1] >= 5))
			continue;
		of++;
		others += slower_alike(&st[i], &st[*top]);
	}
	*slower_others = of > 0 ? others / of : 0;
	return sum;
}

static double p95(const struct hist *h)
{
	return h->count ? hist_quantile(h, 0.95) / 1e6 : NAN;
}

static double judge(struct study *s, uint32_t v, struct finding *f, const struct statement *st, size_t op, double share,
		    double others)
{
	uint32_t cpu, wait, read;
	bool busy = metric_rose(s, v, "cpu_cores", 0.05, 0.3, &cpu);
	bool disk = disk_waits(s, v, &wait), reads = metric_rose(s, v, "disk_read_bytes", 5e5, 1e6, &read);
	double before = p95(&st->hist[0]), after = p95(&st->hist[1]), grown, strength;
	double was = mean_s(st, 0) * 1e3, is = mean_s(st, 1) * 1e3;
	/* A disk that explains little of the added time is no cause, whoever else uses it. */
	bool starved = disk && !burns_more(s, v) && wait_fit(s, v, wait) >= FIT_MIN && disk_taker(s, v, &grown) != WIN_NONE;

	if (s->blind && !(is >= 10 && (busy || disk || reads || is >= 50)))
		return 0;
	if (!s->blind && st->count[0] >= 5 && !(is > 1.3 * was) && st->count[1] < 1.5 * st->count[0])
		return 0;
	if (isnan(after)) {
		before = st->count[0] > 0 ? was : NAN;
		after = is;
	}
	finding_say(s, f, before, after, "ms", say_query(s, "requests", v),
		    "p95 of it %s in %.0f calls; %s of the time added at %s",
		    say_change(s, say_ms(s, before), say_ms(s, after), !isnan(before)), st->count[1], say_share(s, share),
		    study_name(s, v));
	if (busy)
		finding_say_series(s, f, cpu);
	if (reads)
		finding_say_series(s, f, read);
	if (disk && wait_fit(s, v, wait) >= FIT_MIN)
		finding_say_series(s, f, wait);
	strength = share >= 0.5 ? 0.9 : 0.75;
	if (!busy && !disk && !reads)
		strength -= 0.2;      /* it waits for something that we do not see: a lock, the network */
	if (others > 0.5 && !s->blind)
		strength -= busy ? 0.1 : 0.25;
	if (starved)
		strength -= 0.3;
	return strength;
}

static void summarise(struct study *s, uint32_t v, struct finding *f, const struct statement *st, const char *text)
{
	double was = mean_s(st, 0) * 1e3, is = mean_s(st, 1) * 1e3;
	bool more = st->count[0] > 0 && !(is > 1.3 * was);

	f->summary = study_text(s, "%s: the statement \"%.160s\" %s (%s on average); %s of %s's excess", study_name(s, v), text,
				more ? "runs more often" : "got slower",
				say_change(s, say_ms(s, was), say_ms(s, is), st->count[0] > 0),
				say_share(s, s->node[v].score), study_name(s, s->symptom->service));
}

double cause_db_slow_query(struct study *s, uint32_t v, struct finding *f)
{
	size_t n = s->w->ops.n, op, i;
	struct statement *st;
	double sum, others, strength = 0;
	const char *name = study_name(s, v);

	if (!n || !is_database(s, v) || s->node[v].d[CUR_SECONDS] <= 0)
		return 0;
	st = calloc(n, sizeof(*st));
	if (!st) {
		s->failed = true;
		return 0;
	}
	statements_read(s, v, st);
	sum = statements_added(s, st, n, &others, &op);
	if (sum > 0 && st[op].added >= 0.3 * sum)
		strength = judge(s, v, f, &st[op], op, st[op].added / sum, others);
	if (strength > 0) {
		finding_say_calls(s, f);
		summarise(s, v, f, &st[op], s->w->ops.v[op]);
		f->advice = study_text(s, "EXPLAIN the statement on %s: a missing index, stale statistics, grown data?", name);
		f->refute = study_text(s, "if other statements got slower as much, it is not this one: %s",
				       say_check(s, "requests", v));
	}
	for (i = 0; i < n; i++) {
		hist_done(&st[i].hist[0]);
		hist_done(&st[i].hist[1]);
	}
	free(st);
	return strength;
}
