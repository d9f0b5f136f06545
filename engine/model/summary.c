/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/summary.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/metric.h"

/* One group of request rows while it is being added up. */
struct group {
	struct hist hist;
	double count, waits, errors, bytes_request, bytes_response, rows;      /* NaN: of no row known */
	double judged;                     /* requests of rows that know their errors */
	double weighted[5], weight[5];     /* avg p50 p90 p95 p99 of the rows without histogram, by count */
	double no_hist;                    /* requests of rows without histogram */
	double hist_sum_ms;
	double begun, first_ns;
	struct win_timing timing;
};

/* A sum of what is known; NaN while nothing is. */
static void add_known(double *sum, double v)
{
	if (!isnan(v))
		*sum = isnan(*sum) ? v : *sum + v;
}

static void timing_sum(struct win_timing *sum, const struct win_timing *t)
{
	size_t i;

	sum->count += t->count;
	sum->total_ns += t->total_ns;
	for (i = 0; i < TIME_PARTS; i++)
		sum->part_ns[i] += t->part_ns[i];
}

double win_timing_unknown(const struct win_timing *t)
{
	double rest = t->total_ns;
	size_t i;

	for (i = 0; i < TIME_PARTS; i++)
		rest -= t->part_ns[i];
	return rest;
}

static int group_add(struct group *g, const struct win_requests *r)
{
	const double columns[] = {r->avg_ms, r->p50_ms, r->p90_ms, r->p95_ms, r->p99_ms};
	double latencies = r->count - r->waits;
	size_t i;

	g->count += r->count;
	g->waits += r->waits;
	add_known(&g->errors, r->errors);
	g->judged += isnan(r->errors) ? 0 : r->count;
	add_known(&g->bytes_request, r->bytes_request);
	add_known(&g->bytes_response, r->bytes_response);
	add_known(&g->rows, r->rows);
	g->begun += r->begun;
	g->first_ns += r->first_ns;
	timing_sum(&g->timing, &r->timing);
	if (!r->hist)
		g->no_hist += latencies;
	for (i = 0; !r->hist && i < 5; i++) {
		if (isnan(columns[i]))
			continue;
		g->weighted[i] += columns[i] * latencies;
		g->weight[i] += latencies;
	}
	if (!r->hist)
		return 0;
	g->hist_sum_ms += isnan(r->avg_ms) ? hist_sum(r->hist) / 1e6 : r->avg_ms * latencies;
	return hist_merge(&g->hist, r->hist);
}

/* Histogram where there is one, else the weighted column. A group that mixes both is answered by the larger part. */
static double group_quantile(const struct group *g, double q, int column)
{
	if (g->hist.count && (double)g->hist.count >= g->no_hist)
		return hist_quantile(&g->hist, q) / 1e6;
	return g->weight[column] > 0 ? g->weighted[column] / g->weight[column] : NAN;
}

static double group_average(const struct group *g)
{
	double n = (double)g->hist.count + g->weight[0];

	return n > 0 ? (g->hist_sum_ms + g->weighted[0]) / n : NAN;
}

static struct sum_latency group_result(const struct group *g, double seconds)
{
	return (struct sum_latency){
		.count = g->count,
		.waits = g->waits,
		.errors = g->errors,
		.rate_per_s = seconds > 0 ? g->count / seconds : NAN,
		.error_ratio = g->judged > 0 ? g->errors / g->judged : NAN,
		.avg_ms = group_average(g),
		.p50_ms = group_quantile(g, 0.50, 1),
		.p90_ms = group_quantile(g, 0.90, 2),
		.p95_ms = group_quantile(g, 0.95, 3),
		.p99_ms = group_quantile(g, 0.99, 4),
		.max_ms = g->hist.n ? (double)hist_bucket_high(g->hist.cell[g->hist.n - 1].bucket) / 1e6 : NAN,
		.first_byte_avg_ms = g->begun > 0 ? g->first_ns / g->begun / 1e6 : NAN,
		.bytes_request = g->bytes_request,
		.bytes_response = g->bytes_response,
		.rows = g->rows,
		.timing = g->timing,
	};
}

/* Of no rows: that there were no requests is known, their latency and size are not. */
static struct sum_latency no_requests(void)
{
	return (struct sum_latency){
		.error_ratio = NAN, .avg_ms = NAN, .p50_ms = NAN, .p90_ms = NAN, .p95_ms = NAN, .p99_ms = NAN, .max_ms = NAN,
		.first_byte_avg_ms = NAN, .bytes_request = NAN, .bytes_response = NAN, .rows = NAN,
	};
}

static bool in_range(const struct summary *s, int64_t t_ns)
{
	return t_ns >= s->since_ns && t_ns < s->until_ns;
}

/* ---- how long was recorded ---- */

static void widen(int64_t *first, int64_t *last, const struct summary *s, int64_t t, int64_t dur)
{
	if (!in_range(s, t))
		return;
	if (t < *first)
		*first = t;
	if (t + dur > *last)
		*last = t + dur;
}

/* Ticks follow each other, but for the time in which nobody recorded; those of imports may overlap. */
static double ticks_seconds(const struct summary *s)
{
	int64_t sum = 0, last = INT64_MIN;

	for (size_t i = 0; i < s->window->ticks.n; i++) {
		const struct win_tick *t = &s->window->ticks.v[i];
		int64_t from = t->t_ns > last ? t->t_ns : last, to = t->t_ns + t->dur_ns;

		if (!in_range(s, t->t_ns) || to <= from)
			continue;
		sum += to - from;
		last = to;
	}
	return (double)sum / 1e9;
}

/* From the first row to the last. */
static double rows_seconds(const struct summary *s)
{
	int64_t first = INT64_MAX, last = INT64_MIN;
	size_t i;

	for (i = 0; i < s->window->requests.n; i++)
		widen(&first, &last, s, s->window->requests.v[i].t_ns, s->window->requests.v[i].dur_ns);
	for (i = 0; i < s->window->tcp.n; i++)
		widen(&first, &last, s, s->window->tcp.v[i].t_ns, s->window->tcp.v[i].dur_ns);
	for (i = 0; i < s->window->points.n; i++)
		widen(&first, &last, s, s->window->points.v[i].t_ns, s->window->points.v[i].dur_ns);
	return last > first ? (double)(last - first) / 1e9 : 0;
}

/* ---- requests ---- */

struct op_key { uint32_t edge, op; };

static struct group *group_of(struct map *m, const void *key)
{
	struct group **slot = map_put(m, key, NULL);

	if (slot && !*slot) {
		*slot = calloc(1, sizeof(**slot));
		if (*slot)
			(*slot)->errors = (*slot)->bytes_request = (*slot)->bytes_response = (*slot)->rows = NAN;
	}
	return slot ? *slot : NULL;
}

static void groups_done(struct map *m)
{
	void *value;
	size_t it = 0;

	while (map_next(m, &it, NULL, &value)) {
		struct group *g = *(struct group **)value;

		if (g)
			hist_done(&g->hist);
		free(g);
	}
	map_done(m);
}

struct groups { struct map op, edge, in, out; };

static int add_requests(struct groups *all, const struct window *w, const struct win_requests *r)
{
	const struct win_edge *e = &w->edges.v[r->edge];
	struct op_key key = {r->edge, r->op};
	struct group *g[4];
	size_t i;

	g[0] = group_of(&all->op, &key);
	g[1] = group_of(&all->edge, &r->edge);
	g[2] = group_of(&all->in, &e->to);
	g[3] = e->from == WIN_NONE ? g[2] : group_of(&all->out, &e->from);
	for (i = 0; i < 4; i++) {
		if (!g[i])
			return -1;
		if (i == 3 && e->from == WIN_NONE)
			break;
		if (group_add(g[i], r))
			return -1;
	}
	return 0;
}

static int by_count(const void *a, const void *b)
{
	const struct sum_op *x = a, *y = b;

	if (x->l.count != y->l.count)
		return x->l.count < y->l.count ? 1 : -1;
	if (x->edge != y->edge)
		return x->edge < y->edge ? -1 : 1;
	return x->op < y->op ? -1 : x->op > y->op;
}

static int finish_ops(struct summary *s, const struct map *groups)
{
	const void *key;
	void *value;
	size_t it = 0;

	while (map_next(groups, &it, &key, &value)) {
		const struct op_key *k = key;
		struct sum_op *o = vec_push(&s->ops);

		if (!o)
			return -1;
		*o = (struct sum_op){k->edge, k->op, group_result(*(struct group **)value, s->seconds)};
	}
	if (s->ops.n)
		qsort(s->ops.v, s->ops.n, sizeof(*s->ops.v), by_count);
	return 0;
}

/* ---- edges ---- */

struct edge_sums { struct sum_edge sum; double srtt_n, connect_n; int64_t newest; bool seen; };

#define SIDE_UNKNOWN {.send_queue_bytes = NAN, .recv_queue_bytes = NAN, .zero_windows = NAN, .zero_window_us = NAN}

static const struct sum_edge edge_unknown = {
	.opened = NAN, .closed = NAN, .refused = NAN, .timeouts = NAN, .resets = NAN, .retrans = NAN, .open = NAN, .inflight = NAN,
	.oldest_ms = NAN, .bytes_out_per_s = NAN, .bytes_in_per_s = NAN, .connect_max_us = NAN, .min_rtt_us = NAN,
	.resets_callee = NAN, .retrans_callee = NAN, .connecting = NAN, .caller = SIDE_UNKNOWN, .callee = SIDE_UNKNOWN,
};

static void add_highest(double *most, double v)
{
	if (!isnan(v) && !(*most >= v))
		*most = v;
}

static void add_least(double *least, double v)
{
	if (!isnan(v) && !(*least <= v))
		*least = v;
}

static void add_side(struct sum_side *s, const struct win_side *t)
{
	add_highest(&s->send_queue_bytes, t->send_queue_bytes);
	add_highest(&s->recv_queue_bytes, t->recv_queue_bytes);
	add_known(&s->zero_windows, t->zero_windows);
	add_known(&s->zero_window_us, t->zero_window_us);
}

static void add_health(struct edge_sums *e, const struct win_tcp *t)
{
	struct sum_edge *s = &e->sum;
	double opened = t->opened > 0 ? t->opened : 1;

	if (t->connect_p50_us > 0) {
		s->connect_p50_us += t->connect_p50_us * opened;
		e->connect_n += opened;
	}
	add_highest(&s->connect_max_us, t->connect_max_us);
	add_least(&s->min_rtt_us, t->min_rtt_us);
	add_known(&s->resets_callee, t->resets_callee);
	add_known(&s->retrans_callee, t->retrans_callee);
	add_side(&s->caller, &t->caller);
	add_side(&s->callee, &t->callee);
}

static void add_tcp(struct edge_sums *e, const struct win_tcp *t)
{
	struct sum_edge *s = &e->sum;

	e->seen = true;
	add_known(&s->opened, t->opened);
	add_known(&s->closed, t->closed);
	add_known(&s->refused, t->refused);
	add_known(&s->timeouts, t->timeouts);
	add_known(&s->resets, t->resets);
	add_known(&s->retrans, t->retrans);
	add_known(&s->bytes_out_per_s, t->bytes_out);
	add_known(&s->bytes_in_per_s, t->bytes_in);
	if (!isnan(t->srtt_us) && t->srtt_us > 0) {
		s->srtt_us += t->srtt_us;
		e->srtt_n++;
	}
	if (t->t_ns >= e->newest) {
		e->newest = t->t_ns;
		s->open = t->open;
		s->inflight = t->inflight;
		s->oldest_ms = t->oldest_ms;
		s->connecting = t->connecting;
	}
	add_health(e, t);
}

static int finish_edges(struct summary *s, struct edge_sums *sums, const struct map *groups)
{
	uint32_t i;

	for (i = 0; i < s->window->edges.n; i++) {
		struct group *const *g = map_get(groups, &i);
		struct sum_edge *e = &sums[i].sum, *row;

		if (!g && !sums[i].seen)
			continue;
		e->edge = i;
		e->l = g ? group_result(*g, s->seconds) : no_requests();
		e->srtt_us = sums[i].srtt_n ? e->srtt_us / sums[i].srtt_n : NAN;
		e->connect_p50_us = sums[i].connect_n ? e->connect_p50_us / sums[i].connect_n : NAN;
		e->bytes_out_per_s = s->seconds > 0 ? e->bytes_out_per_s / s->seconds : NAN;
		e->bytes_in_per_s = s->seconds > 0 ? e->bytes_in_per_s / s->seconds : NAN;
		row = vec_push(&s->edges);
		if (!row)
			return -1;
		*row = *e;
	}
	return 0;
}

/* ---- services ---- */

enum reduce { MEAN, NEWEST, NEWEST_LIMIT, TOTAL, HIGHEST, HIGHEST_LIMIT };

/* Which metric becomes which field of struct sum_service, and how. */
static const struct reduction { enum metric_id metric; enum reduce how; size_t field; } reductions[] = {
	{M_CPU_CORES, MEAN, offsetof(struct sum_service, cpu_cores)},
	{M_CPU_THROTTLED_S, MEAN, offsetof(struct sum_service, cpu_throttled_s)},
	{M_RUNQ_WAIT_S, MEAN, offsetof(struct sum_service, runq_wait_s)},
	{M_DISK_WAIT_S, MEAN, offsetof(struct sum_service, disk_wait_s)},
	{M_IO_WAIT_S, MEAN, offsetof(struct sum_service, io_wait_s)},
	{M_MEM_WAIT_S, MEAN, offsetof(struct sum_service, mem_wait_s)},
	{M_FUTEX_WAIT_S, MEAN, offsetof(struct sum_service, futex_wait_s)},
	{M_NET_WAIT_S, MEAN, offsetof(struct sum_service, net_wait_s)},
	{M_QUOTA_WAIT_S, MEAN, offsetof(struct sum_service, quota_wait_s)},
	{M_DISK_READ_BYTES, MEAN, offsetof(struct sum_service, disk_read_bytes)},
	{M_DISK_WRITE_BYTES, MEAN, offsetof(struct sum_service, disk_write_bytes)},
	{M_MEM_BYTES, NEWEST, offsetof(struct sum_service, mem_bytes)},
	{M_MEM_BYTES, NEWEST_LIMIT, offsetof(struct sum_service, mem_limit_bytes)},
	{M_THREADS, NEWEST, offsetof(struct sum_service, threads)},
	{M_FDS, NEWEST, offsetof(struct sum_service, fds)},
	{M_CONNECTIONS, NEWEST, offsetof(struct sum_service, connections)},
	{M_PROCESSES, NEWEST, offsetof(struct sum_service, processes)},
	{M_ACCEPT_QUEUE, HIGHEST, offsetof(struct sum_service, accept_queue)},
	{M_ACCEPT_QUEUE, HIGHEST_LIMIT, offsetof(struct sum_service, accept_queue_limit)},
	{M_ACCEPT_OVERFLOWS, TOTAL, offsetof(struct sum_service, accept_overflows)},
	{M_RESTARTS, TOTAL, offsetof(struct sum_service, restarts)},
};
#define REDUCTIONS (sizeof(reductions) / sizeof(*reductions))

struct service_sums { bool seen; double weight[REDUCTIONS], sum[REDUCTIONS]; int64_t newest[REDUCTIONS]; double highest[REDUCTIONS]; };

static void reduce_point(struct service_sums *s, size_t i, const struct win_point *p)
{
	double dur = (double)p->dur_ns / 1e9;

	switch (reductions[i].how) {
	case MEAN:
		s->sum[i] += p->value * dur;
		s->weight[i] += dur;
		break;
	case TOTAL:                         /* a rate per second in the window */
		s->sum[i] += p->value * dur;
		s->weight[i] = 1;
		break;
	case NEWEST:
	case NEWEST_LIMIT:
		if (s->weight[i] && p->t_ns < s->newest[i])
			break;
		s->newest[i] = p->t_ns;
		s->sum[i] = reductions[i].how == NEWEST ? p->value : p->limit;
		s->weight[i] = 1;
		break;
	case HIGHEST:
	case HIGHEST_LIMIT:
		if (s->weight[i] && p->value <= s->highest[i])
			break;
		s->highest[i] = p->value;
		s->sum[i] = reductions[i].how == HIGHEST ? p->value : p->limit;
		s->weight[i] = 1;
		break;
	}
}

/* Of a disk or an interface; a listener's address is the service's own. */
static bool of_device(const struct win_series *s, const struct metric_info *info)
{
	return s->device && !(info && (info->id == M_ACCEPT_QUEUE || info->id == M_ACCEPT_OVERFLOWS));
}

static void add_points(struct summary *s, struct service_sums *sums)
{
	const struct window *w = s->window;
	size_t i, k;

	for (i = 0; i < w->points.n; i++) {
		const struct win_point *p = &w->points.v[i];
		const struct win_series *series = &w->series.v[p->series];
		const struct metric_info *info = metric_by_name(series->metric);

		if (!in_range(s, p->t_ns) || of_device(series, info) || series->service == WIN_NONE || isnan(p->value))
			continue;
		sums[series->service].seen = true;
		for (k = 0; info && k < REDUCTIONS; k++)
			if (reductions[k].metric == info->id)
				reduce_point(&sums[series->service], k, p);
	}
}

static struct sum_latency latency_of(const struct map *groups, uint32_t service, double seconds)
{
	struct group *const *g = map_get(groups, &service);

	return g ? group_result(*g, seconds) : no_requests();
}

static void mark_ends(const struct summary *s, struct service_sums *sums)
{
	size_t i;

	for (i = 0; i < s->edges.n; i++) {
		const struct win_edge *e = &s->window->edges.v[s->edges.v[i].edge];

		sums[e->to].seen = true;
		if (e->from != WIN_NONE)
			sums[e->from].seen = true;
	}
}

static int finish_services(struct summary *s, struct service_sums *sums, const struct groups *groups)
{
	uint32_t i;
	size_t k;

	mark_ends(s, sums);
	for (i = 0; i < s->window->services.n; i++) {
		struct sum_service *row;

		if (!sums[i].seen)
			continue;
		row = vec_push(&s->services);
		if (!row)
			return -1;
		row->service = i;
		row->in = latency_of(&groups->in, i, s->seconds);
		row->out = latency_of(&groups->out, i, s->seconds);
		for (k = 0; k < REDUCTIONS; k++)
			*(double *)((char *)row + reductions[k].field) =
				sums[i].weight[k] > 0 ? sums[i].sum[k] / sums[i].weight[k] : NAN;
		row->inflight = row->refused = NAN;
		for (k = 0; k < s->edges.n; k++) {
			if (s->window->edges.v[s->edges.v[k].edge].to != i)
				continue;
			add_known(&row->inflight, s->edges.v[k].inflight);
			add_known(&row->refused, s->edges.v[k].refused);
		}
	}
	return 0;
}

/* ---- all of it ---- */

static int fill(struct summary *s, struct groups *g, struct edge_sums *edges, struct service_sums *services)
{
	const struct window *w = s->window;
	size_t i;

	for (i = 0; i < w->edges.n; i++)
		edges[i].sum = edge_unknown;
	for (i = 0; i < w->requests.n; i++)
		if (in_range(s, w->requests.v[i].t_ns) && sum_has(s, w->requests.v[i].edge, w->requests.v[i].op) && add_requests(g, w, &w->requests.v[i]))
			return -1;
	for (i = 0; i < w->tcp.n; i++)
		if (in_range(s, w->tcp.v[i].t_ns) && (!s->only.edge || s->only.edge[w->tcp.v[i].edge]))
			add_tcp(&edges[w->tcp.v[i].edge], &w->tcp.v[i]);
	add_points(s, services);
	if (summary_add_tls(s) || summary_add_outcomes(s) || summary_add_calls(s))
		return -1;
	if (finish_ops(s, &g->op) || finish_edges(s, edges, &g->edge))
		return -1;
	return finish_services(s, services, g);
}

struct summary *summary_new(const struct window *w, int64_t since_ns, int64_t until_ns)
{
	return summary_of(w, since_ns, until_ns, (struct sum_only){0});
}

struct summary *summary_of(const struct window *w, int64_t since_ns, int64_t until_ns, struct sum_only only)
{
	struct summary *s = calloc(1, sizeof(*s));
	struct edge_sums *edges = calloc(w->edges.n + 1, sizeof(*edges));
	struct service_sums *services = calloc(w->services.n + 1, sizeof(*services));
	struct groups g;
	int err = -1;

	map_init(&g.op, sizeof(struct op_key), sizeof(struct group *), 0);
	map_init(&g.edge, sizeof(uint32_t), sizeof(struct group *), 0);
	map_init(&g.in, sizeof(uint32_t), sizeof(struct group *), 0);
	map_init(&g.out, sizeof(uint32_t), sizeof(struct group *), 0);
	if (s && edges && services) {
		s->window = w;
		s->only = only;
		s->since_ns = since_ns;
		s->until_ns = until_ns;
		s->seconds = w->ticks.n ? ticks_seconds(s) : rows_seconds(s);
		err = fill(s, &g, edges, services);
	}
	groups_done(&g.op);
	groups_done(&g.edge);
	groups_done(&g.in);
	groups_done(&g.out);
	free(edges);
	free(services);
	if (err) {
		summary_free(s);
		return NULL;
	}
	return s;
}

void summary_free(struct summary *s)
{
	if (!s)
		return;
	vec_done(&s->ops);
	vec_done(&s->edges);
	vec_done(&s->outcomes);
	vec_done(&s->calls);
	vec_done(&s->tls);
	vec_done(&s->services);
	free(s);
}

const struct sum_service *summary_service(const struct summary *s, uint32_t service)
{
	size_t i;

	for (i = 0; i < s->services.n; i++)
		if (s->services.v[i].service == service)
			return &s->services.v[i];
	return NULL;
}

const struct sum_edge *summary_edge(const struct summary *s, uint32_t edge)
{
	size_t i;

	for (i = 0; i < s->edges.n; i++)
		if (s->edges.v[i].edge == edge)
			return &s->edges.v[i];
	return NULL;
}
