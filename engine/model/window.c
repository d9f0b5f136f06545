/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/window.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* One index for the five kinds of names. Different names with one hash differ in salt. */
enum index_kind { INDEX_SERVICE, INDEX_EDGE, INDEX_OP, INDEX_SERIES, INDEX_STACK };

struct index_key {
	uint64_t hash;
	uint32_t kind, salt;
};

struct win_hist {
	struct win_hist *next;
	struct hist hist;
};

struct window *window_new(void)
{
	struct window *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	arena_init(&w->arena, 0);
	w->profile_hz = NAN;
	map_init(&w->index_, sizeof(struct index_key), sizeof(uint32_t), 0);
	return w;
}

void window_free(struct window *w)
{
	struct win_hist *h;

	if (!w)
		return;
	for (h = w->hists_; h; h = h->next)
		hist_done(&h->hist);
	vec_done(&w->services);
	vec_done(&w->edges);
	vec_done(&w->ops);
	vec_done(&w->series);
	vec_done(&w->ticks);
	vec_done(&w->requests);
	vec_done(&w->tcp);
	vec_done(&w->outcomes);
	vec_done(&w->downstream);
	vec_done(&w->tls);
	vec_done(&w->points);
	vec_done(&w->events);
	vec_done(&w->logs);
	vec_done(&w->processes);
	vec_done(&w->stacks);
	vec_done(&w->profile);
	vec_done(&w->pauses);
	vec_done(&w->spans);
	vec_done(&w->coverage.notes);
	vec_done(&w->coverage.loss);
	map_done(&w->index_);
	arena_done(&w->arena);
	free(w);
}

static uint64_t hash_text(uint64_t seed, const char *s)
{
	uint64_t both[2] = {seed, s ? hash_bytes(s, strlen(s)) : 0};

	return hash_bytes(both, sizeof(both));
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* The id of what has this hash and is the same, or WIN_NONE; key is then where it would be put. */
static uint32_t index_find(const struct window *w, struct index_key *key,
			   bool (*same)(const struct window *w, uint32_t id, const void *what), const void *what)
{
	for (key->salt = 0;; key->salt++) {
		const uint32_t *id = map_get(&w->index_, key);

		if (!id)
			return WIN_NONE;
		if (same(w, *id, what))
			return *id;
	}
}

/* Notes the id of the element just pushed; WIN_NONE: no memory. */
static uint32_t index_put(struct window *w, const struct index_key *key, size_t id)
{
	uint32_t *slot = id < WIN_NONE ? map_put(&w->index_, key, NULL) : NULL;

	if (!slot)
		return WIN_NONE;
	return *slot = (uint32_t)id;
}

static bool service_same(const struct window *w, uint32_t id, const void *what)
{
	return !strcmp(w->services.v[id].name, what);
}

uint32_t window_find_service(const struct window *w, const char *name)
{
	struct index_key key = {.kind = INDEX_SERVICE, .hash = hash_text(0, name)};

	return index_find(w, &key, service_same, name);
}

uint32_t window_service(struct window *w, const char *name)
{
	struct index_key key = {.kind = INDEX_SERVICE, .hash = hash_text(0, name)};
	uint32_t id = index_find(w, &key, service_same, name);
	struct win_service *s;

	if (id != WIN_NONE)
		return id;
	name = arena_strdup(&w->arena, name);
	s = name ? vec_push(&w->services) : NULL;
	if (!s)
		return WIN_NONE;
	s->name = name;
	id = index_put(w, &key, w->services.n - 1);
	if (id == WIN_NONE)
		w->services.n--;
	return id;
}

static bool edge_same(const struct window *w, uint32_t id, const void *what)
{
	const struct win_edge *a = &w->edges.v[id], *b = what;

	return a->from == b->from && a->to == b->to && a->port == b->port && same_text(a->protocol, b->protocol);
}

static const char *copy_text(struct window *w, const char *s)
{
	return s ? arena_strdup(&w->arena, s) : NULL;
}

uint32_t window_edge(struct window *w, uint32_t from, uint32_t to, const char *protocol, uint32_t port)
{
	struct win_edge want = {.from = from, .to = to, .protocol = protocol, .port = port}, *e;
	const uint32_t ends[3] = {from, to, port};
	struct index_key key = {.kind = INDEX_EDGE, .hash = hash_text(hash_bytes(ends, sizeof(ends)), protocol)};
	uint32_t id = index_find(w, &key, edge_same, &want);

	if (id != WIN_NONE)
		return id;
	want.protocol = copy_text(w, protocol);
	if (protocol && !want.protocol)
		return WIN_NONE;
	e = vec_push(&w->edges);
	if (!e)
		return WIN_NONE;
	*e = want;
	id = index_put(w, &key, w->edges.n - 1);
	if (id == WIN_NONE)
		w->edges.n--;
	return id;
}

static bool op_same(const struct window *w, uint32_t id, const void *what)
{
	return !strcmp(w->ops.v[id], what);
}

uint32_t window_op(struct window *w, const char *text)
{
	struct index_key key = {.kind = INDEX_OP, .hash = hash_text(0, text)};
	uint32_t id = index_find(w, &key, op_same, text);
	const char **slot;

	if (id != WIN_NONE)
		return id;
	text = arena_strdup(&w->arena, text);
	slot = text ? vec_push(&w->ops) : NULL;
	if (!slot)
		return WIN_NONE;
	*slot = text;
	id = index_put(w, &key, w->ops.n - 1);
	if (id == WIN_NONE)
		w->ops.n--;
	return id;
}

static bool series_same(const struct window *w, uint32_t id, const void *what)
{
	const struct win_series *a = &w->series.v[id], *b = what;

	return a->service == b->service && !strcmp(a->metric, b->metric) && same_text(a->device, b->device);
}

uint32_t window_series(struct window *w, uint32_t service, const char *metric, const char *device)
{
	struct win_series want = {.service = service, .metric = metric, .device = device}, *s;
	struct index_key key = {.kind = INDEX_SERIES, .hash = hash_text(hash_text(service, metric), device)};
	uint32_t id = index_find(w, &key, series_same, &want);

	if (id != WIN_NONE)
		return id;
	want.metric = copy_text(w, metric);
	want.device = copy_text(w, device);
	if (!want.metric || (device && !want.device))
		return WIN_NONE;
	s = vec_push(&w->series);
	if (!s)
		return WIN_NONE;
	*s = want;
	id = index_put(w, &key, w->series.n - 1);
	if (id == WIN_NONE)
		w->series.n--;
	return id;
}

static bool stack_same(const struct window *w, uint32_t id, const void *what)
{
	const struct win_stack *a = &w->stacks.v[id], *b = what;

	return a->parent == b->parent && !strcmp(a->frame, b->frame);
}

uint32_t window_stack(struct window *w, uint32_t parent, const char *frame)
{
	struct win_stack want = {.parent = parent, .frame = frame}, *s;
	struct index_key key = {.kind = INDEX_STACK, .hash = hash_text(parent, frame)};
	uint32_t id = index_find(w, &key, stack_same, &want);

	if (id != WIN_NONE)
		return id;
	want.frame = arena_strdup(&w->arena, frame);
	s = want.frame ? vec_push(&w->stacks) : NULL;
	if (!s)
		return WIN_NONE;
	*s = want;
	id = index_put(w, &key, w->stacks.n - 1);
	if (id == WIN_NONE)
		w->stacks.n--;
	return id;
}

double window_sampled_s(const struct window *w, int64_t since_ns, int64_t until_ns)
{
	double s = (double)(until_ns - since_ns) / 1e9;

	for (size_t i = 0; i < w->pauses.n; i++)
		if (w->pauses.v[i].t_ns >= since_ns && w->pauses.v[i].t_ns < until_ns)
			s -= w->pauses.v[i].s;
	return s > 0 ? s : 0;
}

struct hist *window_hist(struct window *w)
{
	struct win_hist *h = arena_alloc(&w->arena, sizeof(*h));

	if (!h)
		return NULL;
	hist_init(&h->hist);
	h->next = w->hists_;
	w->hists_ = h;
	return &h->hist;
}

/* Ties are broken by what the row is of, so that the order does not depend on the order of filling. */
#define ORDER(a, b) \
	do { \
		if ((a) != (b)) \
			return (a) < (b) ? -1 : 1; \
	} while (0)

static int tick_order(const void *pa, const void *pb)
{
	const struct win_tick *a = pa, *b = pb;

	ORDER(a->t_ns, b->t_ns);
	ORDER(a->dur_ns, b->dur_ns);
	return 0;
}

static int requests_order(const void *pa, const void *pb)
{
	const struct win_requests *a = pa, *b = pb;

	ORDER(a->t_ns, b->t_ns);
	ORDER(a->edge, b->edge);
	ORDER(a->op, b->op);
	ORDER(a->dur_ns, b->dur_ns);
	return 0;
}

static int tcp_order(const void *pa, const void *pb)
{
	const struct win_tcp *a = pa, *b = pb;

	ORDER(a->t_ns, b->t_ns);
	ORDER(a->edge, b->edge);
	ORDER(a->dur_ns, b->dur_ns);
	return 0;
}

static int tls_order(const void *pa, const void *pb)
{
	const struct win_tls *a = pa, *b = pb;

	ORDER(a->t_ns, b->t_ns);
	ORDER(a->edge, b->edge);
	return strcmp(a->result, b->result);
}

static int point_order(const void *pa, const void *pb)
{
	const struct win_point *a = pa, *b = pb;

	ORDER(a->t_ns, b->t_ns);
	ORDER(a->series, b->series);
	ORDER(a->dur_ns, b->dur_ns);
	return 0;
}

static int event_order(const void *pa, const void *pb)
{
	const struct win_event *a = pa, *b = pb;

	ORDER(a->t_ns, b->t_ns);
	ORDER(a->service, b->service);
	ORDER(a->pid, b->pid);
	return strcmp(a->kind ? a->kind : "", b->kind ? b->kind : "");
}

static int log_order(const void *pa, const void *pb)
{
	const struct win_log *a = pa, *b = pb;

	ORDER(a->t_ns, b->t_ns);
	ORDER(a->service, b->service);
	return strcmp(a->template ? a->template : "", b->template ? b->template : "");
}

static int process_order(const void *pa, const void *pb)
{
	const struct win_process *a = pa, *b = pb;

	ORDER(a->start_ns, b->start_ns);
	ORDER(a->pid, b->pid);
	return 0;
}

static int profile_order(const void *pa, const void *pb)
{
	const struct win_profile *a = pa, *b = pb;

	ORDER(a->t_ns, b->t_ns);
	ORDER(a->service, b->service);
	ORDER(a->pid, b->pid);
	ORDER(a->stack, b->stack);
	ORDER(a->dur_ns, b->dur_ns);
	return 0;
}

static int span_order(const void *pa, const void *pb)
{
	const struct win_span *a = pa, *b = pb;

	ORDER(a->t_ns, b->t_ns);
	ORDER(b->dur_ns, a->dur_ns);       /* what encloses others first */
	return strcmp(a->id, b->id);
}

/* Rows mostly come sorted already (from the store): then one pass looks and nothing is moved. */
static void sort_rows(void *v, size_t n, size_t size, int (*order)(const void *, const void *))
{
	const unsigned char *row = v;
	size_t i;

	for (i = 1; i < n; i++)
		if (order(row + (i - 1) * size, row + i * size) > 0)
			break;
	if (i < n)
		qsort(v, n, size, order);
}

void window_sort(struct window *w)
{
	sort_rows(w->ticks.v, w->ticks.n, sizeof(*w->ticks.v), tick_order);
	sort_rows(w->requests.v, w->requests.n, sizeof(*w->requests.v), requests_order);
	sort_rows(w->tcp.v, w->tcp.n, sizeof(*w->tcp.v), tcp_order);
	sort_rows(w->tls.v, w->tls.n, sizeof(*w->tls.v), tls_order);
	sort_rows(w->points.v, w->points.n, sizeof(*w->points.v), point_order);
	sort_rows(w->events.v, w->events.n, sizeof(*w->events.v), event_order);
	sort_rows(w->logs.v, w->logs.n, sizeof(*w->logs.v), log_order);
	sort_rows(w->profile.v, w->profile.n, sizeof(*w->profile.v), profile_order);
	sort_rows(w->spans.v, w->spans.n, sizeof(*w->spans.v), span_order);
	sort_rows(w->processes.v, w->processes.n, sizeof(*w->processes.v), process_order);
}
