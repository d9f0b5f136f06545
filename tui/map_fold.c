/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps that make a graph smaller: each joins nodes that nothing is wrong with and that look alike in some way,
 * from the harmless to the coarse.  What is kept (map_graph.h) stays on its own through all of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "tui/layered.h"
#include "tui/map_graph.h"

enum alike {
	INSTANCES,         /* api:3000 and api:3001 */
	LEAVES_OF_A_KIND,  /* called by the same, call nobody, and are of one kind */
	LEAVES,            /* called by the same, call nobody */
	TWINS,             /* called by the same, call the same */
	CALLERS,           /* the healthy calls of a service become one, without a line */
	LEAVES_NEAR,       /* call nobody, in one layer, and are not among its most connected */
	LAYER,             /* in one layer, and not among its most connected */
};

/* least: that many have to be alike; connected: that many of a layer are left. */
static const struct step { enum alike alike; uint32_t least, connected; } steps[] = {
	{INSTANCES, 2}, {LEAVES_OF_A_KIND, 5}, {LEAVES_OF_A_KIND, 2}, {LEAVES, 4}, {LEAVES, 2}, {TWINS, 3}, {CALLERS, 6}, {TWINS, 2},
	{LEAVES_NEAR, 2, 9}, {CALLERS, 4}, {LEAVES_NEAR, 2, 5}, {LAYER, 2, 9}, {LEAVES_NEAR, 2, 2}, {LAYER, 2, 6}, {LAYER, 2, 4},
	{LAYER, 2, 2}, {LAYER, 2, 1}, {LEAVES_NEAR, 2}, {LAYER, 2},
};
const int map_fold_steps = sizeof(steps) / sizeof(steps[0]);

struct folding {
	const struct map_graph *g;
	struct layered *layers;    /* for the layers alone */
	uint64_t *key;             /* by node; 0: is not to be folded */
	uint32_t *group;
	uint32_t *degree;
	uint32_t *before;          /* how many of its layer that may be folded are more connected */
	bool *calls;
};

static const char *healthy_label(struct map_graph *g, const struct map_node *first, uint32_t members)
{
	(void)first;
	return arena_printf(&g->arena, "+%u healthy", members);
}

/* Bytes of the name before ":3000"; 0: it has no port. */
static size_t name_before_port(const char *name)
{
	const char *colon = strrchr(name, ':');
	size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;

	return digits && !colon[1 + digits] ? (size_t)(colon - name) : 0;
}

static const char *instances_label(struct map_graph *g, const struct map_node *first, uint32_t members)
{
	return arena_printf(&g->arena, "%.*s %s%u", (int)name_before_port(first->name), first->name, g->utf8 ? "\xc3\x97" : "x", members);
}

/* Adds in whichever order: a set has one key. */
static void key_add(uint64_t *key, const void *what, size_t n)
{
	uint64_t h = hash_bytes(what, n);

	*key += h | 1;
}

static void key_neighbours(const struct folding *f, bool callers, bool callees)
{
	for (uint32_t i = 0; i < f->g->edges; i++) {
		const struct map_edge *e = &f->g->edge[i];
		const uint32_t in[] = {0, e->from}, out[] = {1, e->to};

		if (callers)
			key_add(&f->key[e->to], in, sizeof(in));
		if (callees)
			key_add(&f->key[e->from], out, sizeof(out));
	}
}

/* Groups are not: they are to take in more. */
static bool is_connected(const struct folding *f, uint32_t node, uint32_t most)
{
	return f->g->node[node].members == 1 && f->before[node] < most;
}

struct place { int layer; uint32_t degree, node; };

static int by_connections(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->layer != y->layer)
		return x->layer - y->layer;
	if (x->degree != y->degree)
		return x->degree < y->degree ? 1 : -1;
	return x->node < y->node ? -1 : 1;
}

static int count_before(struct folding *f)
{
	struct place *p = malloc((f->g->nodes + 1) * sizeof(*p));
	uint32_t n = 0, first = 0;

	for (uint32_t i = 0; p && i < f->g->nodes; i++)
		if (f->g->node[i].members == 1 && !f->g->node[i].kept)
			p[n++] = (struct place){f->layers->node[i].layer, f->degree[i], i};
	if (n)
		qsort(p, n, sizeof(*p), by_connections);
	for (uint32_t i = 0; i < n; i++) {
		first = i && p[i].layer == p[i - 1].layer ? first : i;
		f->before[p[i].node] = i - first;
	}
	free(p);
	return p ? 0 : -ENOMEM;
}

static void key_nodes(const struct folding *f, const struct step *step)
{
	enum alike alike = step->alike;

	key_neighbours(f, alike == LEAVES_OF_A_KIND || alike == LEAVES || alike == TWINS, alike == TWINS);
	for (uint32_t i = 0; i < f->g->nodes; i++) {
		const struct map_node *n = &f->g->node[i];
		size_t base = name_before_port(n->name);

		if (alike == INSTANCES && base)
			key_add(&f->key[i], n->name, base);
		if (alike == LEAVES_OF_A_KIND && n->kind)
			key_add(&f->key[i], n->kind, strlen(n->kind));
		if (alike == LEAVES_NEAR || alike == LAYER)
			f->key[i] = is_connected(f, i, step->connected) ? 0 : 1 + (uint64_t)f->layers->node[i].layer;
		if (n->kept || (f->calls[i] && alike != INSTANCES && alike != TWINS && alike != LAYER))
			f->key[i] = 0;
	}
}

static int rank(struct folding *f)
{
	f->layers = layered_new(f->g->nodes, f->g->edges);
	if (!f->layers)
		return -ENOMEM;
	for (uint32_t i = 0; i < f->g->edges; i++) {
		f->layers->edge[i].from = f->g->edge[i].from;
		f->layers->edge[i].to = f->g->edge[i].to;
		f->calls[f->g->edge[i].from] |= f->g->edge[i].from != f->g->edge[i].to;
		f->degree[f->g->edge[i].from]++;
		f->degree[f->g->edge[i].to]++;
	}
	return layered_rank(f->layers) || count_before(f) ? -ENOMEM : 0;
}

struct alike_set { uint32_t first, n; };

/* Is there anything that at least so many have in common? Fills group. 1 or 0, -ENOMEM. */
static int group_alike(const struct folding *f, uint32_t least)
{
	struct map sets;
	int any = 0;

	map_init(&sets, sizeof(*f->key), sizeof(struct alike_set), f->g->nodes + 1);
	for (uint32_t i = 0; i < f->g->nodes; i++) {
		bool fresh;
		struct alike_set *set = f->key[i] ? map_put(&sets, &f->key[i], &fresh) : NULL;

		f->group[i] = i;
		if (set)
			*set = (struct alike_set){fresh ? i : set->first, fresh ? 1 : set->n + 1};
		else if (f->key[i])
			any = -ENOMEM;
	}
	for (uint32_t i = 0; any >= 0 && i < f->g->nodes; i++) {
		const struct alike_set *set = f->key[i] ? map_get(&sets, &f->key[i]) : NULL;

		if (!set || set->n < least || set->n < 2)
			continue;
		f->group[i] = set->first;
		any = 1;
	}
	map_done(&sets);
	return any;
}

/* ---- calls ---- */

static bool may_join(const struct map_graph *g, const struct map_edge *e)
{
	return e->health == HEALTH_OK && !e->apart && e->from != e->to && g->node[e->to].members == 1;
}

static struct map_graph *copy(const struct map_graph *g, uint32_t *same)
{
	for (uint32_t i = 0; i < g->nodes; i++)
		same[i] = i;
	return map_graph_merge(g, same, healthy_label);
}

/* The healthy calls of a service, where they are many. */
static int join_callers(const struct map_graph *g, uint32_t least, uint32_t *same, struct map_graph **ret)
{
	struct map_graph *to = copy(g, same);
	uint32_t i, k, n, kept = 0;

	if (!to)
		return -ENOMEM;
	for (i = 0; i < to->edges; i = k) {          /* sorted by callee */
		uint32_t first = WIN_NONE;

		for (n = 0, k = i; k < to->edges && to->edge[k].to == to->edge[i].to; k++)
			n += may_join(to, &to->edge[k]);
		for (uint32_t at = i; at < k; at++) {
			struct map_edge e = to->edge[at];

			if (n < least || !may_join(to, &e)) {
				to->edge[kept++] = e;
			} else if (first == WIN_NONE) {
				first = kept;
				to->edge[kept++] = e;
			} else {
				map_edge_add(&to->edge[first], &e);
			}
		}
		if (first != WIN_NONE)
			to->edge[first].apart = true;
	}
	n = to->edges - kept;
	to->edges = kept;
	*ret = to;
	if (!n) {
		map_graph_free(to);
		*ret = NULL;
	}
	return 0;
}

static int merge_alike(const struct folding *f, const struct step *step, struct map_graph **ret)
{
	int any;

	key_nodes(f, step);
	any = group_alike(f, step->least);
	if (any <= 0)
		return any;
	*ret = map_graph_merge(f->g, f->group, step->alike == INSTANCES ? instances_label : healthy_label);
	return *ret ? 0 : -ENOMEM;
}

int map_graph_fold(const struct map_graph *g, int step, struct map_graph **ret)
{
	size_t n = g->nodes + 1;
	struct folding f = {
		.g = g, .key = calloc(n, sizeof(*f.key)), .group = calloc(n, sizeof(*f.group)), .calls = calloc(n, 1),
		.degree = calloc(n, sizeof(*f.degree)), .before = calloc(n, sizeof(*f.before)),
	};
	int err;

	*ret = NULL;
	if (!f.key || !f.group || !f.calls || !f.degree || !f.before || rank(&f))
		err = -ENOMEM;
	else if (steps[step].alike == CALLERS)
		err = join_callers(g, steps[step].least, f.group, ret);
	else
		err = merge_alike(&f, &steps[step], ret);
	layered_free(f.layers);
	free(f.key);
	free(f.group);
	free(f.calls);
	free(f.degree);
	free(f.before);
	return err;
}
