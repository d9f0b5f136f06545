/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "command.h"
#include "model/span_tree.h"
#include "out.h"
#include "rows.h"
#include "say.h"
#include "sort.h"
#include "tui/waterfall.h"

#define SHOWN_MOST 50            /* traces listed for people, without --limit */
#define HOPS_MOST 1000           /* hops drawn of a trace, without --limit */
#define PREFIX_MIN 8             /* of an id, in a list that has to be narrow */
#define ID_MOST 64               /* columns of it in any list */
#define LOOK_BACK_NS (60 * NS_PER_S)   /* followed: a trace is told after it ended, in a tick that may be later than its own */

static const struct table_column columns[] = {
	{"TRACE"}, {"TIME"}, {"SERVICE", false, true}, {"OPERATION", false, true}, {"TOOK", true}, {"HOPS", true}, {"SERV", true},
	{"ERR", true}, {"STATUS"},
};

/* The traces of a window that are wanted, in the order wanted. */
struct listing {
	struct span_tree *tree;
	struct sum_trace *v;       /* the tree's */
	size_t n, cut;             /* cut: left out by the limit */
	int id_length;             /* that is shown */
};

/* ---- which traces ---- */

static bool hop_wanted(const struct filter *f, const struct win_span *s)
{
	const struct options *o = f->o;
	uint32_t from = s->edge == WIN_NONE ? WIN_NONE : f->w->edges.v[s->edge].from;

	if (o->protocol && (s->edge == WIN_NONE || !f->edge[s->edge]))
		return false;
	return service_wanted(o, f->w, from, s->service) && (!o->op || (s->op != WIN_NONE && f->op[s->op])) &&
	       filter_status(o, span_status(s), s->detail, s->error, span_failed(f->w, s));
}

/* All is asked of one and the same hop. */
static bool trace_wanted(const struct filter *f, const struct span_tree *tree, const struct sum_trace *t)
{
	if (!filter_latency(f->o, (double)t->dur_ns / 1e6))
		return false;
	for (uint32_t i = 0; i < t->n; i++)
		if (hop_wanted(f, &f->w->spans.v[tree->nodes.v[t->first + i].span]))
			return true;
	return false;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct sum_trace *)a)->id, ((const struct sum_trace *)b)->id);
}

/* How much of an id tells all traces of the window apart. */
static int prefix_length(const struct span_tree *tree)
{
	size_t n = tree->traces.n, longest = PREFIX_MIN;
	struct sum_trace *copy = n ? malloc(n * sizeof(*copy)) : NULL;

	if (!copy)
		return PREFIX_MIN;
	memcpy(copy, tree->traces.v, n * sizeof(*copy));
	qsort(copy, n, sizeof(*copy), by_id);
	for (size_t i = 1; i < n; i++) {
		size_t same = 0;

		while (copy[i].id[same] && copy[i].id[same] == copy[i - 1].id[same])
			same++;
		longest = same + 1 > longest ? same + 1 : longest;
	}
	free(copy);
	return (int)(longest < ID_MOST ? longest : ID_MOST);
}

static int list(struct listing *l, const struct filter *f, size_t most)
{
	const struct sort_key *key = f->o->sort_key ? f->o->sort_key : sort_traces;
	size_t n = 0;

	l->tree = span_tree_new(f->w);
	if (!l->tree)
		return -1;
	l->v = l->tree->traces.v;
	l->id_length = out_is_narrow() ? prefix_length(l->tree) : ID_MOST;
	for (size_t i = 0; i < l->tree->traces.n; i++)
		if (trace_wanted(f, l->tree, &l->v[i]))
			l->v[n++] = l->v[i];
	if (sort_rows(f->o->follow ? NULL : key, f->w, l->v, n, sizeof(*l->v)))
		return -1;
	l->n = most && n > most ? most : n;
	l->cut = n - l->n;
	return 0;
}

/* ---- lists ---- */

static const char *end_text(const struct window *w, const struct win_span *s)
{
	if (s->detail || s->status)
		return s->detail ? s->detail : s->status;
	return span_failed(w, s) ? req_error_name(span_error(s)) : NULL;
}

static void text_row(struct table *t, const struct window *w, const struct sum_trace *v, int id_length)
{
	const struct win_span *root = &w->spans.v[v->root];
	char at[16];

	table_printf(t, "%.*s", id_length, v->id);
	table_text(t, time_clock(at, sizeof(at), v->t_ns));
	table_text(t, service_text(w, root->service));
	table_text(t, root->op == WIN_NONE ? NULL : w->ops.v[root->op]);
	table_ms(t, (double)v->dur_ns / 1e6);
	table_printf(t, "%u", v->n);
	table_printf(t, "%u", v->services);
	table_printf(t, "%u", v->errors);
	table_text(t, end_text(w, root));
}

static void text_list(const struct listing *l, const struct window *w, const struct options *o)
{
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < l->n; i++)
		text_row(&t, w, &l->v[i], l->id_length);
	if (l->n)
		(o->follow && !out_terminal() ? table_print_rows : table_print)(&t);
	table_done(&t);
	if (l->cut)
		say_note("%zu more traces: --limit N, or a filter", l->cut);
}

static void json_hop(struct json *j, const struct window *w, const struct win_span *s)
{
	const struct win_edge *e = s->edge == WIN_NONE ? NULL : &w->edges.v[s->edge];

	json_string(j, "from", e ? service_name(w, e->from) : NULL);
	json_string(j, "service", service_name(w, s->service));
	json_string(j, "protocol", e ? e->protocol : NULL);
	json_number(j, "port", e && e->port ? e->port : NAN);
	json_string(j, "op", s->op == WIN_NONE ? NULL : w->ops.v[s->op]);
	json_string(j, "status", s->status);
	json_string(j, "detail", s->detail);
	json_string(j, "error", s->error || s->status ? req_error_name(span_error(s)) : NULL);
}

static void json_trace(struct json *j, const struct window *w, const struct sum_trace *v)
{
	row_begin(j, "trace");
	json_string(j, "trace", v->id);
	json_time(j, "t", v->t_ns);
	json_number(j, "dur_ms", (double)v->dur_ns / 1e6);
	json_number(j, "extent_ms", (double)(v->until_ns - v->since_ns) / 1e6);
	json_hop(j, w, &w->spans.v[v->root]);
	json_uint(j, "spans", v->n);
	json_uint(j, "services", v->services);
	json_uint(j, "errors", v->errors);
	json_uint(j, "roots", v->roots);
	row_end(j);
}

/* ---- one trace ---- */

static void json_span(struct json *j, const struct window *w, const struct sum_trace *v, const struct span_node *n)
{
	const struct win_span *s = &w->spans.v[n->span];
	char key[32];

	row_begin(j, "span");
	json_string(j, "trace", v->id);
	json_string(j, "span", s->id);
	json_string(j, "parent", s->parent);
	json_uint(j, "depth", n->depth);
	json_time(j, "t", s->t_ns);
	json_number(j, "offset_ms", (double)(s->t_ns - v->since_ns) / 1e6);
	json_number(j, "dur_ms", (double)s->dur_ns / 1e6);
	json_hop(j, w, s);
	json_string(j, "method", s->method);
	json_number(j, "confidence", s->confidence);
	for (int i = 0; i < TIME_PARTS; i++) {
		snprintf(key, sizeof(key), "%s_ns", time_part_table[i].name);
		json_number(j, key, s->timed ? s->part_ns[i] : NAN);
	}
	json_number(j, "unknown_ns", span_unknown_ns(s));
	row_end(j);
}

static size_t json_one(struct json *j, const struct span_tree *tree, const struct sum_trace *v)
{
	size_t n;

	json_trace(j, tree->window, v);
	for (n = 0; n < v->n && !out_closed(); n++)
		json_span(j, tree->window, v, &tree->nodes.v[v->first + n]);
	return n + 1;
}

static int text_one(const struct span_tree *tree, const struct sum_trace *v, uint32_t most)
{
	struct grid g;
	char *drawn;
	int lines;

	if (grid_init(&g, 1, (int)out_columns(), out_utf8()))
		return -1;
	lines = waterfall_draw(tree, v, most, &g, 0, 0, 0);
	grid_done(&g);
	if (grid_init(&g, lines, (int)out_columns(), out_utf8()))
		return -1;
	waterfall_draw(tree, v, most, &g, 0, lines, 0);
	drawn = grid_text(&g, out_colored());
	if (drawn)
		out_bytes(drawn, strlen(drawn));
	grid_done(&g);
	free(drawn);
	return drawn ? 0 : -1;
}

/* What the linker knows that it left out, of the whole range. */
static void say_left_out(const struct window *w)
{
	for (size_t i = 0; i < w->coverage.loss.n; i++) {
		const struct win_loss *l = &w->coverage.loss.v[i];

		if (strcmp(l->stage, "trace") == 0 && l->count > 0)
			say_note("left out in this range: %.0f %s", l->count, l->reason);
	}
}

/* ---- the command ---- */

/* Of the one recording that is followed: from when on, and the last row that was shown. */
struct followed { int64_t since_ns, row; };

/* What has not been shown yet: its first hop came with a later row of the recording than any that was shown. It may have ended
 * ticks before, but not before following began. */
static size_t new_ones(struct listing *l, const struct summary *s, struct followed *f)
{
	const struct window *w = s->window;
	int64_t newest = f->row;
	size_t n = 0;

	f->since_ns = f->since_ns ? f->since_ns : s->since_ns;

	for (size_t i = 0; i < l->n; i++) {
		int64_t row = w->spans.v[l->v[i].root].row;

		newest = row > newest ? row : newest;
		if (row > f->row && l->v[i].until_ns >= f->since_ns)
			l->v[n++] = l->v[i];
	}
	f->row = newest;
	return n;
}

static size_t show(const struct summary *s, const struct options *o, struct json *j)
{
	static struct followed shown;
	struct listing l = {0};
	struct filter f;
	size_t n = ROWS_FAILED, most = o->limit || j || o->follow ? o->limit : SHOWN_MOST;

	if (filter_init(&f, o, s->window, FILTER_TRACES))
		return ROWS_FAILED;
	if (list(&l, &f, most))
		say_error(EXIT_FAILED, "out of memory");
	else
		n = l.n = o->follow ? new_ones(&l, s, &shown) : l.n;
	if (n != ROWS_FAILED && j)
		for (size_t i = 0; i < n && !out_closed(); i++)
			json_trace(j, s->window, &l.v[i]);
	else if (n != ROWS_FAILED)
		text_list(&l, s->window, o);
	if (n != ROWS_FAILED && !j && !o->follow)
		say_left_out(s->window);
	span_tree_free(l.tree);
	filter_done(&f);
	return n;
}

static size_t text(const struct summary *s, const struct options *o)
{
	return show(s, o, NULL);
}

static size_t json(const struct summary *s, const struct options *o, struct json *j)
{
	return show(s, o, j);
}

/* The one trace whose id begins so, in *ret. 0, or an exit code after a line on stderr. */
static int find(const struct span_tree *tree, const char *id, const struct sum_trace **ret)
{
	size_t n = 0;

	for (size_t i = 0; i < tree->traces.n; i++) {
		const struct sum_trace *t = &tree->traces.v[i];

		if (!text_starts(t->id, id))
			continue;
		*ret = t;
		if (strcmp(t->id, id) == 0)
			return EXIT_OK;
		n++;
	}
	if (n == 1)
		return EXIT_OK;
	*ret = NULL;
	if (n > 1)
		return say_error(EXIT_USAGE, "traces: %zu traces begin with '%s': give more of the id", n, id);
	say_note("no trace begins with '%s' in this range; rootle traces lists them", id);
	return EXIT_NO_DATA;
}

static int show_one(const struct reading *r, const struct window *w, const struct options *o, const char *id)
{
	struct span_tree *tree = span_tree_new(w);
	const struct sum_trace *t = NULL;
	struct json j;
	size_t n = 0;
	int ret = tree ? find(tree, id, &t) : say_error(EXIT_FAILED, "out of memory");

	if (t && o->json) {
		json_init(&j, false);
		n = json_one(&j, tree, t);
		json_done(&j);
	} else if (t && text_one(tree, t, o->limit ? o->limit : HOPS_MOST)) {
		ret = say_error(EXIT_FAILED, "out of memory");
	}
	if (o->json && ret != EXIT_USAGE)
		rows_summary("traces/1", w, &r->range, n);
	else if (t)
		say_left_out(w);
	span_tree_free(tree);
	return ret;
}

static int one_command(struct options *o, const char *id)
{
	struct reading r;
	struct window *w;
	int ret = reading_open(&r, o);

	if (ret)
		return ret;
	w = reading_load(&r, r.range.since_ns, r.range.until_ns, LOAD_SPANS);
	ret = out_finish(w ? show_one(&r, w, o, id) : EXIT_FAILED);
	window_free(w);
	reading_close(&r);
	return ret;
}

int cmd_traces(const struct command *c, struct options *o, int argc, char **argv)
{
	static const struct rows rows = {
		"traces/1", "no traces", LOAD_SPANS, false, text, json, .look_back_ns = LOOK_BACK_NS,
	};

	struct rows of_capture = rows;

	of_capture.nothing = "a capture does not tell what caused what: no traces";
	if (argc && o->follow)
		return say_error(EXIT_USAGE, "traces: --follow lists traces, so give it no ID");
	if (argc && (filter_is_set(o) || o->sort))
		return say_error(EXIT_USAGE, "traces: filters and --sort are for the list, so give no ID with them");
	return argc ? one_command(o, argv[0]) : rows_command(o->pcap.n ? &of_capture : &rows, o);
}
