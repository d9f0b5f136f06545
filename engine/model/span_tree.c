/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/span_tree.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/outcome.h"

/* Links between the spans of a window, by index; WIN_NONE: none. A span's children are chained by time. */
struct link { uint32_t parent, child, sibling; bool placed; };

struct builder {
	struct span_tree *tree;
	const struct window *w;
	uint32_t *order;           /* spans by trace, then id, then time */
	struct link *link;
};

/* ---- who is whose parent ---- */

static int by_trace(const void *pa, const void *pb, void *window)
{
	const struct window *w = window;
	uint32_t ia = *(const uint32_t *)pa, ib = *(const uint32_t *)pb;
	const struct win_span *a = &w->spans.v[ia], *b = &w->spans.v[ib];
	int order = strcmp(a->trace, b->trace);

	if (!order)
		order = strcmp(a->id, b->id);
	return order ? order : ia < ib ? -1 : 1;
}

/* The first span of this id among order[first, end); WIN_NONE. */
static uint32_t find(const struct builder *b, size_t first, size_t end, const char *id)
{
	size_t low = first, high = end;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(b->w->spans.v[b->order[middle]].id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < end && !strcmp(b->w->spans.v[b->order[low]].id, id) ? b->order[low] : WIN_NONE;
}

static int by_index(const void *pa, const void *pb)
{
	uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;

	return (a > b) - (a < b);
}

/* Finds the parents of a trace, and brings its spans into the order of time, which is that of the window. */
static void link_trace(struct builder *b, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++) {
		uint32_t at = b->order[i];
		const char *parent = b->w->spans.v[at].parent;
		uint32_t found = parent ? find(b, first, end, parent) : WIN_NONE;

		b->link[at].parent = found == at ? WIN_NONE : found;
	}
	qsort(b->order + first, end - first, sizeof(*b->order), by_index);
	for (size_t i = end; i-- > first;) {
		uint32_t at = b->order[i], parent = b->link[at].parent;

		if (parent == WIN_NONE)
			continue;
		b->link[at].sibling = b->link[parent].child;
		b->link[parent].child = at;
	}
}

/* ---- the nodes in the order in which they are drawn ---- */

static int place(struct builder *b, uint32_t at, uint32_t depth, bool last)
{
	struct span_node *n = vec_push(&b->tree->nodes);

	if (!n)
		return -1;
	*n = (struct span_node){.span = at, .depth = depth, .last = last};
	b->link[at].placed = true;
	return 0;
}

/* The next of a chain of siblings that has no place yet. */
static uint32_t unplaced(const struct builder *b, uint32_t at)
{
	while (at != WIN_NONE && b->link[at].placed)
		at = b->link[at].sibling;
	return at;
}

/* A root and all below it. Chains may be as long as there are spans: no recursion. */
static int place_below(struct builder *b, uint32_t root)
{
	uint32_t at = root, depth = 0;

	if (place(b, root, 0, false))
		return -1;
	for (;;) {
		uint32_t next = unplaced(b, b->link[at].child);

		if (next != WIN_NONE) {
			depth++;
		} else {
			while (at != root && (next = unplaced(b, b->link[at].sibling)) == WIN_NONE) {
				at = b->link[at].parent;
				depth--;
			}
			if (at == root)
				return 0;
		}
		at = next;
		if (place(b, at, depth, unplaced(b, b->link[at].sibling) == WIN_NONE))
			return -1;
	}
}

/* One of a circle of parents that this span hangs on: the earliest. */
static uint32_t circle_of(const struct builder *b, uint32_t at)
{
	uint32_t slow = at, fast = at, first;

	do {
		slow = b->link[slow].parent;
		fast = b->link[b->link[fast].parent].parent;
	} while (slow != fast);
	first = slow;
	for (at = b->link[slow].parent; at != slow; at = b->link[at].parent)
		first = at < first ? at : first;
	return first;
}

static int place_trace(struct builder *b, size_t first, size_t end, uint32_t *roots)
{
	size_t i;

	for (i = first; i < end; i++)
		if (b->link[b->order[i]].parent == WIN_NONE && ++*roots && place_below(b, b->order[i]))
			return -1;
	for (i = first; i < end; i++)
		if (!b->link[b->order[i]].placed && ++*roots && place_below(b, circle_of(b, b->order[i])))
			return -1;
	return 0;
}

/* ---- traces ---- */

static uint32_t count_services(const struct builder *b, size_t first, size_t end, uint32_t *seen, uint32_t stamp)
{
	uint32_t n = 0;

	for (size_t i = first; i < end; i++) {
		uint32_t service = b->w->spans.v[b->order[i]].service;

		n += seen[service] != stamp;
		seen[service] = stamp;
	}
	return n;
}

static void sum_up(const struct builder *b, struct sum_trace *t)
{
	struct span_node *n = b->tree->nodes.v + t->first, *last = NULL;

	t->root = WIN_NONE;
	t->since_ns = INT64_MAX;
	t->until_ns = INT64_MIN;
	for (uint32_t i = 0; i < t->n; i++) {
		const struct win_span *s = &b->w->spans.v[n[i].span];

		if (n[i].depth == 0) {
			n[i].orphan = s->parent != NULL;
			last = &n[i];
			if (t->root == WIN_NONE || (b->w->spans.v[t->root].parent && !n[i].orphan))
				t->root = n[i].span;
		}
		t->errors += span_failed(b->w, s);
		t->since_ns = s->t_ns < t->since_ns ? s->t_ns : t->since_ns;
		t->until_ns = s->t_ns + s->dur_ns > t->until_ns ? s->t_ns + s->dur_ns : t->until_ns;
	}
	if (last)
		last->last = true;
	t->t_ns = b->w->spans.v[t->root].t_ns;
	t->dur_ns = b->w->spans.v[t->root].dur_ns;
}

static int by_time(const void *pa, const void *pb)
{
	const struct sum_trace *a = pa, *b = pb;

	if (a->since_ns != b->since_ns)
		return a->since_ns < b->since_ns ? -1 : 1;
	return strcmp(a->id, b->id);
}

static int build(struct builder *b, uint32_t *seen)
{
	size_t n = b->w->spans.n, first, end;

	for (first = 0; first < n; first = end) {
		const char *id = b->w->spans.v[b->order[first]].trace;
		struct sum_trace *t;

		for (end = first + 1; end < n && !strcmp(b->w->spans.v[b->order[end]].trace, id);)
			end++;
		t = vec_push(&b->tree->traces);
		if (!t)
			return -1;
		t->id = id;
		t->first = (uint32_t)b->tree->nodes.n;
		t->n = (uint32_t)(end - first);
		link_trace(b, first, end);
		if (place_trace(b, first, end, &t->roots))
			return -1;
		sum_up(b, t);
		t->services = count_services(b, first, end, seen, (uint32_t)b->tree->traces.n);
	}
	if (b->tree->traces.n)
		qsort(b->tree->traces.v, b->tree->traces.n, sizeof(*b->tree->traces.v), by_time);
	return 0;
}

struct span_tree *span_tree_new(const struct window *w)
{
	struct builder b = {.tree = calloc(1, sizeof(*b.tree)), .w = w, .order = calloc(w->spans.n + 1, sizeof(*b.order)),
			    .link = calloc(w->spans.n + 1, sizeof(*b.link))};
	uint32_t *seen = calloc(w->services.n + 1, sizeof(*seen));
	int err = -1;

	if (b.tree && b.order && b.link && seen) {
		b.tree->window = w;
		for (uint32_t i = 0; i < w->spans.n; i++) {
			b.order[i] = i;
			b.link[i] = (struct link){WIN_NONE, WIN_NONE, WIN_NONE, false};
		}
		qsort_r(b.order, w->spans.n, sizeof(*b.order), by_trace, (void *)w);
		err = build(&b, seen);
	}
	free(b.order);
	free(b.link);
	free(seen);
	if (!err)
		return b.tree;
	span_tree_free(b.tree);
	return NULL;
}

void span_tree_free(struct span_tree *t)
{
	if (!t)
		return;
	vec_done(&t->nodes);
	vec_done(&t->traces);
	free(t);
}

/* ---- a span ---- */

int span_status(const struct win_span *s)
{
	char *end;
	long v = s->status ? strtol(s->status, &end, 10) : 0;

	return s->status && end != s->status && !*end && v > 0 && v <= INT_MAX ? (int)v : 0;
}

enum req_error span_error(const struct win_span *s)
{
	enum req_error class = s->error ? req_error_by_name(s->error) : REQ_CLASSES;
	int code = span_status(s);

	if (class != REQ_CLASSES)
		return class;
	if (!s->status)
		return REQ_OK;
	if (code)
		return code >= 500 ? REQ_SERVER_ERROR : code >= 400 ? REQ_CLIENT_ERROR : REQ_OK;
	return strcasecmp(s->status, "error") ? REQ_OK : REQ_SERVER_ERROR;
}

bool span_failed(const struct window *w, const struct win_span *s)
{
	enum req_error class = span_error(s);
	const char *protocol = s->edge == WIN_NONE ? NULL : w->edges.v[s->edge].protocol;

	if (class != REQ_CLIENT_ERROR)
		return class != REQ_OK;
	return outcome_is_error(protocol ? proto_by_name(protocol) : NULL, class, span_status(s));
}

double span_unknown_ns(const struct win_span *s)
{
	double rest = (double)s->dur_ns;

	for (int i = 0; i < TIME_PARTS; i++)
		rest -= s->part_ns[i];
	return s->timed ? fmax(rest, 0) : NAN;
}
