/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/map_graph.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tui/map_select.h"

#define NAME_CAP 256

struct map_graph *map_graph_alloc(size_t nodes, size_t edges)
{
	struct map_graph *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	arena_init(&g->arena, 0);
	g->node = arena_alloc(&g->arena, nodes * sizeof(*g->node));
	g->edge = arena_alloc(&g->arena, edges * sizeof(*g->edge));
	if (g->node && g->edge)
		return g;
	map_graph_free(g);
	return NULL;
}

void map_graph_free(struct map_graph *g)
{
	if (!g)
		return;
	arena_done(&g->arena);
	free(g);
}

/* ---- from a summary ---- */

struct building {
	const struct summary *s;
	bool *wanted;
	uint32_t *node;            /* by service; the last is the caller that is not known */
	struct map_graph *g;
};

static int by_name(const void *a, const void *b)
{
	const struct map_node *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->service < y->service ? -1 : x->service > y->service;
}

/* A copy that may go to a terminal; NULL: no memory. */
static const char *cleaned(struct map_graph *g, const char *text)
{
	char clean[NAME_CAP];

	return arena_strdup(&g->arena, text_clean(clean, sizeof(clean), text, strlen(text), g->utf8));
}

static int add_node(struct building *b, uint32_t service)
{
	const struct window *w = b->s->window;
	const struct sum_service *sum = service == WIN_NONE ? NULL : summary_service(b->s, service);
	const char *name = service == WIN_NONE ? "(unknown)" : w->services.v[service].name;
	const char *kind = service == WIN_NONE ? NULL : w->services.v[service].kind;
	struct map_node *n = &b->g->node[b->g->nodes++];

	*n = (struct map_node){
		.name = cleaned(b->g, name), .kind = kind ? cleaned(b->g, kind) : NULL, .service = service, .members = 1, .rate_per_s = NAN,
		.cpu_cores = sum ? sum->cpu_cores : NAN, .health = sum ? service_health(sum) : HEALTH_OK,
	};
	return n->name && (n->kind || !kind) ? 0 : -ENOMEM;
}

static int add_nodes(struct building *b)
{
	const struct summary *s = b->s;
	uint32_t unknown = (uint32_t)s->window->services.n;
	bool *used = arena_alloc(&b->g->arena, unknown + 1);

	if (!used)
		return -ENOMEM;
	for (size_t i = 0; i < s->edges.n; i++) {
		const struct win_edge *w = &s->window->edges.v[s->edges.v[i].edge];

		if (map_edge_shown(s, b->wanted, &s->edges.v[i]))
			used[w->to] = used[w->from == WIN_NONE ? unknown : w->from] = true;
	}
	for (uint32_t i = 0; i <= unknown; i++)
		if (used[i] && add_node(b, i == unknown ? WIN_NONE : i))
			return -ENOMEM;
	if (b->g->nodes)
		qsort(b->g->node, b->g->nodes, sizeof(*b->g->node), by_name);
	for (uint32_t i = 0; i < b->g->nodes; i++)
		b->node[b->g->node[i].service == WIN_NONE ? unknown : b->g->node[i].service] = i;
	return 0;
}

static bool is_dead_end(const char *word)
{
	return !strcmp(word, "refused") || !strcmp(word, "timeout") || !strcmp(word, "hangs");
}

static int add_edge(struct building *b, const struct sum_edge *e)
{
	const struct window *w = b->s->window;
	const struct win_edge *we = &w->edges.v[e->edge];
	const char *word = edge_health_word(e), *protocol = cleaned(b->g, we->protocol ? we->protocol : "");

	if (!protocol)
		return -ENOMEM;
	b->g->edge[b->g->edges++] = (struct map_edge){
		.from = b->node[we->from == WIN_NONE ? w->services.n : we->from], .to = b->node[we->to],
		.protocol = protocol, .members = 1, .spoken = e->l.count > 0, .rate_per_s = e->l.rate_per_s,
		.errors = e->l.errors, .p95_ms = e->l.p95_ms, .error_ratio = e->l.error_ratio, .open = e->open,
		.trouble = is_dead_end(word) ? word : NULL, .reset = e->resets > 0,
		.health = edge_health(e),
	};
	return 0;
}

/* By their ends; the window's order, which is that in which they were first seen, must not show. */
static int by_ends(const void *a, const void *b)
{
	const struct map_edge *x = a, *y = b;
	int protocol = strcmp(x->protocol, y->protocol);

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->from != y->from ? (x->from < y->from ? -1 : 1) : protocol;
}

static void rate_nodes(struct map_graph *g)
{
	for (uint32_t i = 0; i < g->edges; i++) {
		const struct map_edge *e = &g->edge[i];
		struct map_node *n = &g->node[e->to];

		if (e->spoken)
			n->rate_per_s = (isnan(n->rate_per_s) ? 0 : n->rate_per_s) + e->rate_per_s;
		n->health = e->health > n->health ? e->health : n->health;
	}
}

void map_graph_keep(struct map_graph *g)
{
	for (uint32_t i = 0; i < g->nodes; i++)
		g->node[i].kept |= g->node[i].health != HEALTH_OK;
	for (uint32_t i = 0; i < g->edges; i++)
		if (g->edge[i].health != HEALTH_OK)
			g->node[g->edge[i].from].kept = g->node[g->edge[i].to].kept = true;
}

/* ---- merging ---- */

void map_edge_add(struct map_edge *into, const struct map_edge *e)
{
	if (e->spoken) {
		double rate = into->spoken ? into->rate_per_s : 0, ratio = into->spoken ? into->error_ratio : 0;
		double all = rate + e->rate_per_s;

		into->error_ratio = all > 0 ? (rate * ratio + e->rate_per_s * e->error_ratio) / all : ratio;
		into->errors = (into->spoken ? into->errors : 0) + e->errors;
		into->p95_ms = into->spoken ? fmax(into->p95_ms, e->p95_ms) : e->p95_ms;
		into->rate_per_s = all;
		into->spoken = true;
	}
	into->open = isnan(into->open) ? e->open : isnan(e->open) ? into->open : into->open + e->open;
	into->members += e->members;
	into->reset |= e->reset;
	if (strcmp(into->protocol, e->protocol))
		into->protocol = "";
	if (e->health > into->health || !into->trouble)
		into->trouble = e->trouble ? e->trouble : into->trouble;
	into->health = e->health > into->health ? e->health : into->health;
}

static void node_add(struct map_node *into, const struct map_node *n)
{
	into->members += n->members;
	into->cpu_cores = isnan(into->cpu_cores) ? n->cpu_cores : isnan(n->cpu_cores) ? into->cpu_cores : into->cpu_cores + n->cpu_cores;
	if (!isnan(n->rate_per_s))
		into->rate_per_s = (isnan(into->rate_per_s) ? 0 : into->rate_per_s) + n->rate_per_s;
	if (into->kind && (!n->kind || strcmp(into->kind, n->kind)))
		into->kind = NULL;
	into->health = n->health > into->health ? n->health : into->health;
	into->kept |= n->kept;
	into->clients &= n->clients;
	into->service = WIN_NONE;
}

/* Calls of the same two stay apart, by protocol, as long as neither is a group. */
static int merge_edges(struct map_graph *to, const struct map_graph *g, const uint32_t *number)
{
	uint32_t i, k;

	for (i = 0; i < g->edges; i++) {
		struct map_edge e = g->edge[i];

		e.protocol = arena_strdup(&to->arena, e.protocol);
		if (!e.protocol)
			return -ENOMEM;
		e.from = number[e.from];
		e.to = number[e.to];
		for (k = 0; k < to->edges; k++)
			if (to->edge[k].from == e.from && to->edge[k].to == e.to && to->edge[k].apart == e.apart)
				break;
		if (k < to->edges && (to->node[e.from].members > 1 || to->node[e.to].members > 1))
			map_edge_add(&to->edge[k], &e);
		else
			to->edge[to->edges++] = e;
	}
	if (to->edges)
		qsort(to->edge, to->edges, sizeof(*to->edge), by_ends);
	return 0;
}

static bool copy_texts(struct map_graph *to, struct map_node *n)
{
	n->name = arena_strdup(&to->arena, n->name);
	n->kind = n->kind ? arena_strdup(&to->arena, n->kind) : NULL;
	return !n->name;
}

struct map_graph *map_graph_merge(const struct map_graph *g, const uint32_t *group,
				  const char *(*label)(struct map_graph *into, const struct map_node *first, uint32_t members))
{
	struct map_graph *to = map_graph_alloc(g->nodes, g->edges);
	uint32_t *number = to ? arena_alloc(&to->arena, g->nodes * 4) : NULL, i;
	bool failed = !number;

	if (to) {
		to->services = g->services;
		to->calls = g->calls;
		to->utf8 = g->utf8;
	}
	for (i = 0; !failed && i < g->nodes; i++) {
		if (group[i] != i) {
			number[i] = number[group[i]];
			node_add(&to->node[number[i]], &g->node[i]);
			continue;
		}
		number[i] = to->nodes++;
		to->node[number[i]] = g->node[i];
		failed |= copy_texts(to, &to->node[number[i]]);
	}
	for (i = 0; !failed && i < g->nodes; i++) {
		struct map_node *n = &to->node[number[i]];

		if (group[i] == i && n->members > g->node[i].members)
			n->name = label(to, n, n->members);
		failed |= !n->name;
	}
	if (failed || merge_edges(to, g, number)) {
		map_graph_free(to);
		return NULL;
	}
	return to;
}

/* ---- clients ---- */

static const char *clients_label(struct map_graph *g, const struct map_node *first, uint32_t members)
{
	(void)first;
	return arena_printf(&g->arena, "%u clients", members);
}

/* Clients from outside that nobody here calls, except one that was asked for. */
static struct map_graph *join_clients(struct map_graph *g, const char *service)
{
	uint32_t *group = arena_alloc(&g->arena, g->nodes * 4), first = WIN_NONE, i;
	bool *called = arena_alloc(&g->arena, g->nodes);
	struct map_graph *to;

	if (!group || !called)
		return NULL;
	for (i = 0; i < g->edges; i++)
		called[g->edge[i].to] = true;
	for (i = 0; i < g->nodes; i++) {
		const char *kind = g->node[i].kind;
		bool outside = (kind && !strcmp(kind, "external")) || text_starts(g->node[i].name, "external:");

		group[i] = i;
		if (called[i] || !outside || (service && !strcmp(service, g->node[i].name)))
			continue;
		first = first == WIN_NONE ? i : first;
		group[i] = first;
	}
	to = map_graph_merge(g, group, clients_label);
	for (i = 0; to && i < to->nodes; i++)
		to->node[i].clients = to->node[i].members > 1;
	return to;
}

static int build(struct building *b, const char *service)
{
	const struct summary *s = b->s;

	if (!b->wanted || !b->node || add_nodes(b))
		return -ENOMEM;
	for (size_t i = 0; i < s->edges.n; i++)
		if (map_edge_shown(s, b->wanted, &s->edges.v[i]) && add_edge(b, &s->edges.v[i]))
			return -ENOMEM;
	b->g->services = b->g->nodes;
	b->g->calls = b->g->edges;
	rate_nodes(b->g);
	for (uint32_t i = 0; i < b->g->nodes; i++)
		b->g->node[i].kept = service && b->g->node[i].service != WIN_NONE &&
				     !strcmp(s->window->services.v[b->g->node[i].service].name, service);
	return 0;
}

struct map_graph *map_graph_new(const struct summary *s, const char *service, bool utf8)
{
	struct building b = {.s = s, .wanted = map_wanted(s, service), .g = map_graph_alloc(s->window->services.n + 1, s->edges.n)};
	struct map_graph *joined = NULL;

	if (b.g) {
		b.g->utf8 = utf8;
		b.node = arena_alloc(&b.g->arena, (s->window->services.n + 1) * sizeof(*b.node));
		if (!build(&b, service))
			joined = join_clients(b.g, service);
	}
	if (joined)
		map_graph_keep(joined);
	free(b.wanted);
	map_graph_free(b.g);
	return joined;
}

uint32_t map_graph_folded(const struct map_graph *g)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->nodes; i++)
		n += g->node[i].members > 1 && !g->node[i].clients ? g->node[i].members : 0;
	return n;
}
