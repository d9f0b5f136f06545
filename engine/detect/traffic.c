/* SPDX-License-Identifier: BSD-2-Clause */
#include "detect/traffic.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"

#define BIN_MIN_NS (5 * NS_PER_S)   /* some hundred requests at the rates that are worth an answer */
#define BINS_MAX 720u

uint32_t grid_bin(const struct grid *g, int64_t t_ns)
{
	int64_t bin = (t_ns - g->origin_ns) / g->bin_ns;

	if (t_ns < g->origin_ns || !g->bins)
		return 0;
	return bin >= g->bins ? g->bins - 1 : (uint32_t)bin;
}

int64_t grid_time(const struct grid *g, uint32_t bin)
{
	return g->origin_ns + (int64_t)bin * g->bin_ns;
}

static int64_t middle(int64_t t_ns, int64_t dur_ns)
{
	return t_ns + dur_ns / 2;
}

static int dur_order(const void *pa, const void *pb)
{
	int64_t a = *(const int64_t *)pa, b = *(const int64_t *)pb;

	return a < b ? -1 : a > b;
}

/* The interval that most rows at the end of the range have: those are the suspects; older rows may be coarser. */
static int64_t usual_interval(const struct window *w, int64_t since_ns, int64_t until_ns)
{
	int64_t dur[255];
	size_t n = 0, i;

	for (i = w->requests.n; i-- > 0 && n < 255;) {
		const struct win_requests *r = &w->requests.v[i];

		if (r->t_ns < until_ns && r->t_ns >= since_ns)
			dur[n++] = r->dur_ns;
	}
	if (!n)
		return NS_PER_S;
	qsort(dur, n, sizeof(*dur), dur_order);
	return dur[n / 2];
}

static void grid_lay(struct grid *g, const struct window *w, int64_t since_ns, int64_t until_ns)
{
	int64_t span = until_ns - since_ns, row = usual_interval(w, since_ns, until_ns);

	g->origin_ns = since_ns;
	g->bin_ns = row > BIN_MIN_NS ? row : BIN_MIN_NS;
	if (span <= 0) {
		g->bins = 0;
		return;
	}
	while (span / g->bin_ns >= BINS_MAX)
		g->bin_ns *= 2;
	g->bins = (uint32_t)((span + g->bin_ns - 1) / g->bin_ns);
}

static struct cell *cells_new(uint32_t bins)
{
	struct cell *c = calloc(bins ? bins : 1, sizeof(*c));
	uint32_t i;

	for (i = 0; c && i < bins; i++)
		hist_init(&c[i].hist);
	return c;
}

static struct cell *flow_cell(struct traffic *t, uint32_t edge, int64_t t_ns)
{
	struct flow *f = &t->flow[edge];

	if (!f->cell)
		f->cell = cells_new(t->grid.bins);
	return f->cell ? &f->cell[grid_bin(&t->grid, t_ns)] : NULL;
}

/* A weighted sum, of which the mean is taken at the end; unknown values do not weigh. */
static void mean_add(double *sum, double value, double weight)
{
	if (!isnan(value))
		*sum += value * weight;
}

static double known_or(double value, double other)
{
	return isnan(value) ? other : value;
}

static int cell_requests(struct cell *c, const struct win_requests *r)
{
	double typical = known_or(r->avg_ms, r->p50_ms), latencies = r->count - r->waits;

	c->count += known_or(r->count, 0);
	c->errors += known_or(r->errors, 0);
	c->seconds = fmax(c->seconds, (double)r->dur_ns / 1e9);
	if (r->hist && r->hist->count)
		return hist_merge(&c->hist, r->hist);
	if (isnan(typical) || !(latencies > 0))
		return 0;
	c->timed += latencies;
	mean_add(&c->mean_ms, typical, latencies);
	mean_add(&c->p50_ms, known_or(r->p50_ms, typical), latencies);
	mean_add(&c->p90_ms, known_or(r->p90_ms, known_or(r->p95_ms, typical)), latencies);
	mean_add(&c->p99_ms, known_or(r->p99_ms, known_or(r->p95_ms, typical)), latencies);
	return 0;
}

static void cell_tcp(struct cell *c, const struct win_tcp *r)
{
	c->refused += known_or(r->refused, 0);
	c->timeouts += known_or(r->timeouts, 0);
	c->resets += known_or(r->resets, 0);
	c->retrans += known_or(r->retrans, 0);
	c->opened += known_or(r->opened, 0);
	c->inflight += known_or(r->inflight, 0);
	c->tcp_rows++;
	c->oldest_ms = fmax(c->oldest_ms, known_or(r->oldest_ms, 0));
	if (r->srtt_us > 0) {
		c->srtt_us += r->srtt_us;
		c->srtt_rows++;
	}
}

static void cell_finish(struct cell *c)
{
	if (c->hist.count) {
		c->mean_ms = hist_sum(&c->hist) / (double)c->hist.count / 1e6;
		c->p50_ms = hist_quantile(&c->hist, 0.50) / 1e6;
		c->p90_ms = hist_quantile(&c->hist, 0.90) / 1e6;
		c->p99_ms = hist_quantile(&c->hist, 0.99) / 1e6;
	} else {
		c->mean_ms = c->timed > 0 ? c->mean_ms / c->timed : NAN;
		c->p50_ms = c->timed > 0 ? c->p50_ms / c->timed : NAN;
		c->p90_ms = c->timed > 0 ? c->p90_ms / c->timed : NAN;
		c->p99_ms = c->timed > 0 ? c->p99_ms / c->timed : NAN;
	}
	c->inflight = c->tcp_rows > 0 ? c->inflight / c->tcp_rows : 0;
	c->srtt_us = c->srtt_rows > 0 ? c->srtt_us / c->srtt_rows : NAN;
}

void flow_finish(struct flow *f, uint32_t bins)
{
	uint32_t i;

	for (i = 0; f->cell && i < bins; i++)
		cell_finish(&f->cell[i]);
}

static int read_requests(struct traffic *t, const struct window *w, int64_t since_ns, int64_t until_ns)
{
	size_t i;

	for (i = 0; i < w->requests.n; i++) {
		const struct win_requests *r = &w->requests.v[i];
		struct cell *c;

		if (r->t_ns < since_ns || r->t_ns >= until_ns || r->edge >= t->n)
			continue;
		c = flow_cell(t, r->edge, middle(r->t_ns, r->dur_ns));
		if (!c || cell_requests(c, r) < 0)
			return -ENOMEM;
		t->flow[r->edge].count += known_or(r->count, 0);
	}
	return 0;
}

static int read_tcp(struct traffic *t, const struct window *w, int64_t since_ns, int64_t until_ns)
{
	size_t i;

	for (i = 0; i < w->tcp.n; i++) {
		const struct win_tcp *r = &w->tcp.v[i];
		struct cell *c;

		if (r->t_ns < since_ns || r->t_ns >= until_ns || r->edge >= t->n)
			continue;
		c = flow_cell(t, r->edge, middle(r->t_ns, r->dur_ns));
		if (!c)
			return -ENOMEM;
		cell_tcp(c, r);
		t->flow[r->edge].tcp = true;
	}
	return 0;
}

int traffic_init(struct traffic *t, const struct window *w, int64_t since_ns, int64_t until_ns)
{
	size_t i;

	*t = (struct traffic){.n = w->edges.n};
	grid_lay(&t->grid, w, since_ns, until_ns);
	t->flow = calloc(t->n ? t->n : 1, sizeof(*t->flow));
	if (!t->flow)
		return -ENOMEM;
	if (t->grid.bins && (read_requests(t, w, since_ns, until_ns) < 0 || read_tcp(t, w, since_ns, until_ns) < 0)) {
		traffic_done(t);
		return -ENOMEM;
	}
	for (i = 0; i < t->n; i++)
		flow_finish(&t->flow[i], t->grid.bins);
	return 0;
}

void flow_done(struct flow *f, uint32_t bins)
{
	uint32_t i;

	for (i = 0; f->cell && i < bins; i++)
		hist_done(&f->cell[i].hist);
	free(f->cell);
	*f = (struct flow){0};
}

void traffic_done(struct traffic *t)
{
	size_t i;

	for (i = 0; t->flow && i < t->n; i++)
		flow_done(&t->flow[i], t->grid.bins);
	free(t->flow);
	*t = (struct traffic){0};
}

static int cell_merge(struct cell *into, const struct cell *from)
{
	into->count += from->count;
	into->errors += from->errors;
	into->refused += from->refused;
	into->timeouts += from->timeouts;
	into->resets += from->resets;
	into->retrans += from->retrans;
	into->opened += from->opened;
	into->seconds = fmax(into->seconds, from->seconds);
	into->inflight += from->inflight;
	into->tcp_rows = 1;     /* already a mean: of several edges it is the sum that waits */
	into->oldest_ms = fmax(into->oldest_ms, from->oldest_ms);
	if (from->srtt_rows > 0) {
		into->srtt_us += from->srtt_us * from->srtt_rows;
		into->srtt_rows += from->srtt_rows;
	}
	if (from->hist.count)
		return hist_merge(&into->hist, &from->hist);
	if (from->timed > 0) {
		into->timed += from->timed;
		mean_add(&into->mean_ms, from->mean_ms, from->timed);
		mean_add(&into->p50_ms, from->p50_ms, from->timed);
		mean_add(&into->p90_ms, from->p90_ms, from->timed);
		mean_add(&into->p99_ms, from->p99_ms, from->timed);
	}
	return 0;
}

int flow_merge(struct flow *into, const struct flow *from, uint32_t bins)
{
	uint32_t i;

	if (!from->cell)
		return 0;
	if (!into->cell)
		into->cell = cells_new(bins);
	if (!into->cell)
		return -ENOMEM;
	for (i = 0; i < bins; i++)
		if (cell_merge(&into->cell[i], &from->cell[i]) < 0)
			return -ENOMEM;
	into->count += from->count;
	into->tcp |= from->tcp;
	return 0;
}
