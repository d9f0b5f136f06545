/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * span_tree: the spans of a window as traces: which span caused which.  What `rootle traces` and the terminal view show.
 * A pure function of the window.
 *
 * Spans may come from anybody: a parent that is not there makes a root, and so does the earliest of spans that are each other's
 * parents; of spans with one id the first one has the children.
 */
#ifndef ROOTLE_MODEL_SPAN_TREE_H
#define ROOTLE_MODEL_SPAN_TREE_H

#include <stdbool.h>

#include "model/window.h"
#include "proto/proto.h"

/* A span at its place in the tree of its trace. */
struct span_node {
	uint32_t span;             /* index into the window's spans */
	uint32_t depth;            /* of a root: 0 */
	bool last;                 /* of its siblings; of the roots where it is one */
	bool orphan;               /* a root that says that it has a parent */
};

struct sum_trace {
	const char *id;
	uint32_t first, n;         /* its nodes: roots by time, each followed by what it caused, by time */
	uint32_t root;             /* index into the window's spans: the first root, if there is any the first that is no orphan */
	int64_t t_ns, dur_ns;      /* of that root */
	int64_t since_ns, until_ns;   /* from the first byte to the last one of all spans */
	uint32_t services;         /* different ones that answered */
	uint32_t errors;           /* spans that failed: span_failed() */
	uint32_t roots;            /* more than one: not all of it was seen, or linked */
};

struct span_tree {
	const struct window *window;   /* borrowed */
	VEC(struct span_node) nodes;
	VEC(struct sum_trace) traces;  /* by the time of their first span */
};

/* NULL: no memory. */
struct span_tree *span_tree_new(const struct window *w);
void span_tree_free(struct span_tree *t);

/* The class of its end: as recorded; of another tracer's span as far as its status says: a number from 400 on, "error". */
/* The status as a number; 0: it is none. */
int span_status(const struct win_span *s);
enum req_error span_error(const struct win_span *s);

/* Is that an error of the service that answered? As requests count theirs (model/outcome.h). */
bool span_failed(const struct window *w, const struct win_span *s);

/* What of its duration no part explains, ns; NaN where the parts are not known. */
double span_unknown_ns(const struct win_span *s);

#endif
