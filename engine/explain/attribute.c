/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attribution by excess flow: a service is charged with the excess of the calls to it, less what its own callees are charged
 * with on its account.  Where calls are measured per edge the charge is exact; where only a service's totals are known, a callee
 * takes at most what the caller has.  Services without data are bridged; what they may hide is shared out by their resources.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "explain/study.h"

#define GIVES_UP_MS 500.0   /* shorter timeouts between services are rare */
#define GIVES_UP_OWN 0.3

/* The bins before the onset back to another episode, where they are enough; else as far back as `want`. */
static uint32_t healthy_before(const struct study *s, const struct symptom *y, uint32_t want)
{
	uint32_t n = 0;

	while (n < want && !(y->sick[y->first - 1 - n] & SICK_ELSE))
		n++;
	return n >= 3 && n * study_bin_s(s) >= 20 ? n : want;
}

/* The baseline: the explicit one, else the bins before the onset, four times as long as the incident, at least 20 s. */
static void choose_baseline(struct study *s, const struct symptom *y)
{
	const struct grid *g = &s->traffic.grid;
	int64_t length = y->until_ns - y->since_ns;
	uint32_t i, first = y->first, n = 0;

	s->base = (struct span){s->q->baseline_since_ns, s->q->baseline_until_ns};
	if (!s->q->baseline_until_ns) {
		uint32_t want;

		if (length < 60 * NS_PER_S)
			length = 60 * NS_PER_S;
		want = (uint32_t)fmin(4.0 * (double)length / (double)g->bin_ns, (double)first);
		want = healthy_before(s, y, want);
		for (i = 0; i < g->bins; i++) {
			bool base = i < first && i >= first - want && !y->sick[i];

			s->mark[i] = (uint8_t)((s->mark[i] & ~MARK_BASE) | (base ? MARK_BASE : 0));
		}
		s->base = (struct span){grid_time(g, first - want), grid_time(g, first)};
		if (s->base.until_ns > y->since_ns)
			s->base.until_ns = y->since_ns;
	}
	for (i = 0; i < g->bins; i++)
		n += (s->mark[i] & MARK_BASE) != 0;
	s->blind = n < 3 || n * study_bin_s(s) < 20;
	if (s->blind)
		s->base = (struct span){0, 0};
	for (i = 0; s->blind && i < g->bins; i++)
		s->mark[i] = (uint8_t)(s->mark[i] & ~MARK_BASE);
}

static void sum_excess(struct study *s, uint32_t edge, const struct symptom *y)
{
	const struct flow *f = &s->traffic.flow[edge];
	double bin_s = study_bin_s(s);
	struct excess *sum = &s->excess[edge];
	uint32_t i;

	*sum = (struct excess){0};
	for (i = y->first; f->cell && i <= y->last && i < s->traffic.grid.bins; i++) {
		struct excess x;

		if (!y->sick[i])
			continue;
		x = profile_excess(&s->before[edge], &f->cell[i], bin_s);
		/* A new edge has no normal of its own: its time stays its caller's, unless nothing is known of anybody. */
		if (!s->before[edge].bins && !s->blind)
			x.seconds = x.stuck * bin_s;
		sum->seconds += x.seconds;
		sum->failures += x.failures;
		sum->z = fmax(sum->z, isinf(x.z) ? 0 : x.z);
		sum->stuck = fmax(sum->stuck, x.stuck);
	}
}

void study_turn(struct study *s, const struct symptom *y)
{
	const struct grid *g = &s->traffic.grid;
	size_t i;

	s->symptom = y;
	choose_baseline(s, y);
	s->sick = (struct span){y->since_ns, y->until_ns};
	for (i = 0; i < s->w->edges.n; i++) {
		profile_of(&s->before[i], &s->traffic.flow[i], g, s->mark, MARK_BASE, s->scratch);
		profile_of(&s->after[i], &s->traffic.flow[i], g, y->sick, SICK_HERE, s->scratch);
		sum_excess(s, (uint32_t)i, y);
	}
	for (i = 0; i < s->w->series.n; i++)
		s->shift[i] = gauge_shift(&s->gauges, (uint32_t)i, s->base, s->sick);
}

static double edge_excess(const struct study *s, uint32_t edge, int cur)
{
	return cur == CUR_SECONDS ? s->excess[edge].seconds : s->excess[edge].failures;
}

static void charge_nodes(struct study *s)
{
	size_t i;
	uint32_t k;
	int cur;

	for (i = 0; i < s->w->services.n; i++) {
		struct node *n = &s->node[i];

		for (cur = 0; cur < CUR_MAX; cur++) {
			n->d[cur] = n->self[cur] = 0;
			for (k = 0; k < n->n_in; k++)
				if (s->w->edges.v[s->link[n->in + k]].from != i)
					n->d[cur] += edge_excess(s, s->link[n->in + k], cur);
		}
		n->reached = false;
		n->depth = 0;
		n->parent = WIN_NONE;
		n->score = n->weight = 0;
		n->odd = WIN_NONE;
	}
}

/* Breadth first from the symptom along the calls: depth, and the path back. */
static void reach(struct study *s, uint32_t root)
{
	uint32_t *queue = calloc(s->w->services.n + 1, sizeof(*queue)), head = 0, tail = 0, k;

	if (!queue) {
		s->failed = true;
		return;
	}
	s->node[root].reached = true;
	queue[tail++] = root;
	while (head < tail) {
		uint32_t v = queue[head++];

		for (k = 0; k < s->node[v].n_out; k++) {
			uint32_t c = s->w->edges.v[s->link[s->node[v].out + k]].to;

			if (s->node[c].reached)
				continue;
			s->node[c].reached = true;
			s->node[c].depth = s->node[v].depth + 1;
			s->node[c].parent = v;
			queue[tail++] = c;
		}
	}
	free(queue);
}

/* Has the edge calls of its own, or are only the totals of its callee known? */
static bool edge_measured(const struct study *s, uint32_t edge)
{
	return s->traffic.flow[edge].count > 0 || s->excess[edge].seconds > 0 || s->excess[edge].failures > 0;
}

struct walk {
	struct study *s;
	uint8_t *seen;
	int cur;
	double limit;
};

/* What the callees of v are charged with on its account. */
static double callees_charge(struct walk *k, uint32_t v)
{
	struct study *s = k->s;
	double sum = 0;
	uint32_t i;

	for (i = 0; i < s->node[v].n_out; i++) {
		uint32_t e = s->link[s->node[v].out + i], c = s->w->edges.v[e].to;

		if (edge_measured(s, e)) {
			if (c != v)
				sum += fmin(edge_excess(s, e, k->cur), k->limit);
			continue;
		}
		if (k->seen[c])
			continue;
		k->seen[c] = 1;
		sum += s->node[c].measured ? fmin(s->node[c].d[k->cur], k->limit) : callees_charge(k, c);
	}
	return sum;
}

static void charge_self(struct study *s)
{
	struct walk k = {.s = s, .seen = calloc(s->w->services.n + 1, 1)};
	size_t i;

	if (!k.seen) {
		s->failed = true;
		return;
	}
	for (i = 0; i < s->w->services.n; i++)
		for (k.cur = 0; k.cur < CUR_MAX; k.cur++) {
			struct node *n = &s->node[i];

			memset(k.seen, 0, s->w->services.n);
			k.seen[i] = 1;
			k.limit = n->d[k.cur];
			n->self[k.cur] = fmax(0, n->d[k.cur] - callees_charge(&k, (uint32_t)i));
		}
	free(k.seen);
}

/* Do requests over the edge stay open, and answers fail to come? */
static bool edge_hangs(const struct study *s, uint32_t edge)
{
	const struct profile *b = &s->before[edge], *a = &s->after[edge];
	double answers = a->per_s * (1 - a->error_share);

	if (s->excess[edge].stuck <= 0)
		return false;
	return s->blind ? a->requests <= 10 * s->excess[edge].stuck : answers < 0.5 * b->per_s * (1 - b->error_share);
}

static uint32_t hanging_callee(const struct study *s, uint32_t v)
{
	uint32_t i, best = WIN_NONE;

	for (i = 0; i < s->node[v].n_out; i++) {
		uint32_t e = s->link[s->node[v].out + i];

		if (edge_hangs(s, e) && s->node[s->w->edges.v[e].to].depth > s->node[v].depth &&
		    (best == WIN_NONE || s->excess[e].stuck > s->excess[best].stuck))
			best = e;
	}
	return best == WIN_NONE ? WIN_NONE : s->w->edges.v[best].to;
}

/* The callee for which v's own callers wait so long that somebody gives up: nearly all of v's extra time is its. */
static uint32_t exhausting_callee(const struct study *s, uint32_t v)
{
	const struct node *n = &s->node[v];
	uint32_t i, best = WIN_NONE;

	if (n->d[CUR_SECONDS] <= 0 || n->self[CUR_SECONDS] > GIVES_UP_OWN * n->d[CUR_SECONDS])
		return WIN_NONE;
	for (i = 0; i < n->n_out; i++) {
		uint32_t e = s->link[n->out + i];

		if (s->after[e].p90_ms >= GIVES_UP_MS && s->after[e].p90_ms > 5 * s->before[e].p90_ms &&
		    (best == WIN_NONE || s->excess[e].seconds > s->excess[best].seconds))
			best = e;
	}
	return best == WIN_NONE || s->node[s->w->edges.v[best].to].depth <= n->depth ? WIN_NONE : s->w->edges.v[best].to;
}

static void hand_down(struct study *s, uint32_t from, uint32_t to, int cur)
{
	s->node[to].d[cur] += s->node[from].self[cur];
	s->node[to].self[cur] += s->node[from].self[cur];
	s->node[from].self[cur] = 0;
}

/* A caller has so many connections to a callee; once all of them hang, the others wait in the caller itself.  That queue is
 * the callee's: it is handed down from the front.  So are the failures of one who gives up waiting. */
static void hand_down_queues(struct study *s)
{
	uint32_t depth, i;
	int cur;

	for (depth = 0; depth < 32; depth++)
		for (i = 0; i < s->w->services.n; i++) {
			struct node *n = &s->node[i];
			uint32_t c = n->reached && n->depth == depth ? hanging_callee(s, i) : WIN_NONE;

			for (cur = 0; c != WIN_NONE && cur < CUR_MAX; cur++)
				hand_down(s, i, c, cur);
			if (c == WIN_NONE && n->reached && n->depth == depth && n->self[CUR_FAILURES] > 0)
				c = exhausting_callee(s, i);
			if (c != WIN_NONE)
				hand_down(s, i, c, CUR_FAILURES);
		}
}

static void weigh_resources(struct study *s)
{
	size_t i;

	for (i = 0; i < s->w->series.n; i++) {
		const struct metric_info *m = metric_by_name(s->w->series.v[i].metric);
		struct node *n = &s->node[s->w->series.v[i].service];
		double score = fabs(s->shift[i].z) >= Z_SURE ? shift_score(&s->shift[i]) : 0;

		if (score > n->weight && !(m && m->aside)) {
			n->weight = score;
			n->odd = (uint32_t)i;
		}
	}
}

/* May the service hide below v: known to be called, or not placed in any graph, and no calls to it are measured?  A process
 * of this node that takes no part in any connection serves nobody; it is only in imports that nothing is known of it. */
static bool hidden_below(const struct study *s, const uint8_t *seen, uint32_t v, uint32_t c, bool front)
{
	const struct node *n = &s->node[c];

	if (c == v || n->measured || study_is_node(s, c))
		return false;
	return seen[c] || (front && !s->w->processes.n && !n->n_in && !n->n_out && n->resourced && !s->w->services.v[c].exe);
}

static void mark_hidden(const struct study *s, uint8_t *seen, uint32_t v)
{
	uint32_t i;

	for (i = 0; i < s->node[v].n_out; i++) {
		uint32_t c = s->w->edges.v[s->link[s->node[v].out + i]].to;

		if (seen[c] || s->node[c].measured)
			continue;
		seen[c] = 1;
		mark_hidden(s, seen, c);
	}
}

/* The excess that stays with v may be that of callees whose calls nobody measured: share it out by how far the resources of
 * each have shifted.  The third power: among shifts in several places, the largest is the fault and the others echoes. */
static void share_hidden(struct study *s, uint32_t v, double score, uint8_t *seen)
{
	double sum = pow(s->node[v].weight, 3);
	size_t i;

	memset(seen, 0, s->w->services.n);
	mark_hidden(s, seen, v);
	for (i = 0; i < s->w->services.n; i++)
		if (hidden_below(s, seen, v, (uint32_t)i, v == s->symptom->service))
			sum += pow(s->node[i].weight, 3);
	if (sum <= 0) {
		s->node[v].score += score;
		return;
	}
	s->node[v].score += score * pow(s->node[v].weight, 3) / sum;
	for (i = 0; i < s->w->services.n; i++)
		if (hidden_below(s, seen, v, (uint32_t)i, v == s->symptom->service)) {
			s->node[i].score += score * pow(s->node[i].weight, 3) / sum;
			if (!s->node[i].reached && s->node[i].weight > 0) {
				s->node[i].parent = v;
				s->node[i].depth = s->node[v].depth + 1;
			}
		}
}

/* The currencies count as far as the symptom shows in them. */
static void currency_weights(const struct symptom *y, double weight[CUR_MAX])
{
	weight[CUR_SECONDS] = y->kind == SYMPTOM_ERRORS ? 0 : 1;
	weight[CUR_FAILURES] = y->kind == SYMPTOM_LATENCY ? 0 : 1;
	if (y->kind == SYMPTOM_ERRORS && y->latency_z >= Z_OPEN && y->extra_s > 0)
		weight[CUR_SECONDS] = 0.3;
	if (y->kind == SYMPTOM_LATENCY && y->extra_failures >= 3)
		weight[CUR_FAILURES] = 0.3;
}

/* The whole that is shared out: the symptom's own excess; of one that was asserted and lies within its own noise, the
 * largest behind it. */
static void whole_of(const struct study *s, double whole[CUR_MAX])
{
	const struct node *root = &s->node[s->symptom->service];
	size_t i;
	int cur;

	for (cur = 0; cur < CUR_MAX; cur++) {
		whole[cur] = root->d[cur];
		for (i = 0; root->d[cur] <= 0 && s->symptom->asserted && i < s->w->services.n; i++)
			if (s->node[i].reached)
				whole[cur] = fmax(whole[cur], s->node[i].d[cur]);
	}
}

static double node_score(const struct node *n, const double whole[CUR_MAX], const double weight[CUR_MAX])
{
	double sum = 0, of = 0;
	int cur;

	for (cur = 0; cur < CUR_MAX; cur++) {
		if (whole[cur] <= 0)
			continue;
		of += weight[cur];
		if (n->d[cur] > 0)
			sum += weight[cur] * fmin(1, n->d[cur] / whole[cur]) * n->self[cur] / n->d[cur];
	}
	return of > 0 ? sum / of : 0;
}

void study_attribute(struct study *s)
{
	uint8_t *seen = calloc(s->w->services.n + 1, 1);
	double weight[CUR_MAX], whole[CUR_MAX], *score = calloc(s->w->services.n + 1, sizeof(*score));
	uint32_t root = s->symptom->service;
	size_t i;

	charge_nodes(s);
	reach(s, root);
	charge_self(s);
	hand_down_queues(s);
	weigh_resources(s);
	currency_weights(s->symptom, weight);
	whole_of(s, whole);
	if (!seen || !score) {
		s->failed = true;
		goto out;
	}
	for (i = 0; i < s->w->services.n; i++)
		score[i] = s->node[i].reached ? node_score(&s->node[i], whole, weight) : 0;
	/* An asserted symptom that the rows do not show still has to lie somewhere. */
	if (whole[CUR_SECONDS] * weight[CUR_SECONDS] + whole[CUR_FAILURES] * weight[CUR_FAILURES] <= 0)
		score[root] = 0.3;
	for (i = 0; i < s->w->services.n; i++)
		if (score[i] > 0)
			share_hidden(s, (uint32_t)i, score[i], seen);
out:
	free(seen);
	free(score);
}
