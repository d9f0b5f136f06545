/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_graph: what the map shows, as a graph: services and groups of them, and the calls between.  Made from a summary;
 * folded step by step where there is too little room.  Its texts are clean: they may go to a terminal.  Nodes are in
 * the order of their names, so that a map looks the same while only its numbers change.
 */
#ifndef ROOTLE_TUI_MAP_GRAPH_H
#define ROOTLE_TUI_MAP_GRAPH_H

#include "base/arena.h"
#include "tui/health.h"

struct map_node {
	const char *name;
	const char *kind;          /* NULL: not known, or several */
	uint32_t service;          /* of the window; WIN_NONE: a group, or a caller that is not known */
	uint32_t members;          /* services that it stands for: 1, more: a group */
	double rate_per_s;         /* requests to it, its own calls to itself included; NaN: none were understood */
	double cpu_cores;          /* NaN: not known */
	enum health health;        /* the worst of its own and that of the calls to it */
	bool clients;              /* a group of those from outside: not folded for want of room */
	bool kept;                 /* is in trouble, or calls or is called in trouble, or was asked for: never folded */
};

struct map_edge {
	uint32_t from, to;
	const char *protocol;      /* "": not known, or several */
	uint32_t members;          /* calls (edges of the window) that it stands for */
	bool spoken;               /* requests were understood on it: the four below hold */
	double rate_per_s, errors, p95_ms /* of several: the highest */, error_ratio;
	double open;               /* connections */
	const char *trouble;       /* "refused", "timeout", "hangs"; NULL: none of them */
	bool reset;                /* connections were */
	enum health health;
	bool apart;                /* folded from many callers: is to be shown at the callee alone */
};

struct map_graph {
	struct arena arena;        /* all of it, texts included */
	struct map_node *node;
	struct map_edge *edge;
	uint32_t nodes, edges;
	uint32_t services, calls;  /* that it stands for, whatever is folded */
	bool utf8;
};

/* Clients from outside are one node already. service: as in map_wanted(). NULL: no memory. The summary is not needed
 * afterwards. */
struct map_graph *map_graph_new(const struct summary *s, const char *service, bool utf8);
void map_graph_free(struct map_graph *g);

/* How many steps there are; the first takes away the least. */
extern const int map_fold_steps;
/* A graph with this step taken; *ret NULL: there is nothing that it could fold. 0 or -ENOMEM. */
int map_graph_fold(const struct map_graph *g, int step, struct map_graph **ret);
/* Services that are not drawn on their own. */
uint32_t map_graph_folded(const struct map_graph *g);

/* Private to map_graph.c and map_fold.c. */
struct map_graph *map_graph_alloc(size_t nodes, size_t edges);
/* The graph with nodes of the same number in group[] made one; label names a node that stands for several. */
struct map_graph *map_graph_merge(const struct map_graph *g, const uint32_t *group,
				  const char *(*label)(struct map_graph *into, const struct map_node *first, uint32_t members));
void map_edge_add(struct map_edge *into, const struct map_edge *e);
/* Marks the nodes that must not be folded. */
void map_graph_keep(struct map_graph *g);

#endif
