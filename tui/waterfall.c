/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/waterfall.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define DEPTHS 64               /* of which the rails are known; deeper hops are drawn as deep */
#define INDENT 2                /* columns a depth */
#define DURATION 9
#define STATUS 8
#define BAR_MIN 8

struct pen {
	const struct span_tree *tree;
	const struct window *w;
	const struct sum_trace *trace;
	struct grid *g;
	int row, rows, line;            /* line: of the next to be drawn, less those before the first shown */
	int label, bar;                 /* columns */
	uint64_t open;                  /* bit d: a hop of depth d follows below */
};

/* The row of the next line; -1: it is not on the screen. */
static int next_row(struct pen *p)
{
	int at = p->line++;

	return at >= 0 && at < p->rows ? p->row + at : -1;
}

static void layout(struct pen *p)
{
	int cols = p->g->cols, rest = cols - DURATION - STATUS - 2;

	p->label = cols * 2 / 5;
	p->bar = rest - p->label - 1;
	if (p->bar < BAR_MIN) {
		p->bar = BAR_MIN;
		p->label = rest - BAR_MIN - 1 > 0 ? rest - BAR_MIN - 1 : 1;
	}
}

static const char *service_name(const struct pen *p, uint32_t service)
{
	return service == WIN_NONE ? "?" : p->w->services.v[service].name;
}

/* ---- the head ---- */

static void draw_title(struct pen *p)
{
	const struct win_span *root = &p->w->spans.v[p->trace->root];
	const char *from = root->edge == WIN_NONE ? NULL : service_name(p, p->w->edges.v[root->edge].from);
	char at[32];

	grid_printf(p->g, next_row(p), 0, 0, STYLE_TITLE, "trace %s  %s  %s%s%s", p->trace->id, time_rfc3339(at, sizeof(at), p->trace->t_ns),
		    from ? from : "", from ? " -> " : "", service_name(p, root->service));
}

static const char *plural(uint32_t n)
{
	return n == 1 ? "" : "s";
}

static void draw_sums(struct pen *p)
{
	const struct sum_trace *t = p->trace;
	char ms[32], more[96] = "";

	if (t->roots > 1)
		snprintf(more, sizeof(more), ", %u without the hop that caused them", t->roots - 1);
	grid_printf(p->g, next_row(p), 0, 0, STYLE_PLAIN, "%s, %u hop%s, %u service%s, %u failed%s",
		    ms_format(ms, sizeof(ms), (double)t->dur_ns / 1e6), t->n, plural(t->n), t->services, plural(t->services), t->errors, more);
}

static void draw_axis(struct pen *p)
{
	int row = next_row(p);
	char ms[32];

	grid_put(p->g, row, 0, p->label, STYLE_BOLD, "SERVICE, OPERATION");
	grid_put(p->g, row, p->label + 1, 0, STYLE_DIM, "0");
	grid_right(p->g, row, p->label + 1, p->bar, STYLE_DIM, ms_format(ms, sizeof(ms), (double)(p->trace->until_ns - p->trace->since_ns) / 1e6));
	grid_right(p->g, row, p->label + 1 + p->bar, DURATION, STYLE_BOLD, "TOOK");
	grid_put(p->g, row, p->label + 1 + p->bar + DURATION + 2, STATUS, STYLE_BOLD, "STATUS");
}

/* ---- a hop ---- */

/* The rails of what goes on below, and where this one hangs; columns used. More than half of the label is never taken. */
static int draw_rails(struct pen *p, int row, const struct span_node *n, bool corner)
{
	int deepest = p->label / 2 / INDENT, shown = (int)(n->depth < (uint32_t)deepest ? n->depth : (uint32_t)deepest);
	uint32_t skipped = n->depth - (uint32_t)shown;

	for (int d = 1; d <= shown; d++) {
		uint32_t depth = (uint32_t)d + skipped;
		bool open = depth < DEPTHS && p->open >> depth & 1, here = d == shown && corner;
		const char *rail = here ? (open ? (p->g->utf8 ? "├─" : "|-") : (p->g->utf8 ? "└─" : "`-")) : open ? (p->g->utf8 ? "│" : "|") : "";

		grid_put(p->g, row, (d - 1) * INDENT, 0, STYLE_DIM, rail);
	}
	return shown * INDENT + (shown && corner);
}

static void draw_label(struct pen *p, int row, const struct span_node *n)
{
	const struct win_span *s = &p->w->spans.v[n->span];
	int col = draw_rails(p, row, n, true);
	char text[512];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", service_name(p, s->service));

	if (s->op != WIN_NONE && len < sizeof(text))
		snprintf(text + len, sizeof(text) - len, " %s", p->w->ops.v[s->op]);
	grid_put(p->g, row, col, p->label - col, span_failed(p->w, s) ? STYLE_BAD : STYLE_PLAIN, text);
	if (text_width(text) > (size_t)(p->label - col))
		grid_put(p->g, row, p->label - 1, 1, STYLE_DIM, p->g->utf8 ? "…" : "~");
}

/* At least one cell, where it was. */
static void draw_bar(struct pen *p, int row, const struct win_span *s)
{
	double extent = (double)(p->trace->until_ns - p->trace->since_ns), scale = extent > 0 ? p->bar / extent : 0;
	double begin = (double)(s->t_ns - p->trace->since_ns) * scale, end = begin + (double)s->dur_ns * scale;
	int from = (int)begin, to = (int)ceil(end);
	enum style style = span_failed(p->w, s) ? STYLE_BAD : STYLE_GOOD;

	from = from < p->bar ? from : p->bar - 1;
	to = to > p->bar ? p->bar : to > from ? to : from + 1;
	for (int i = from; i < to; i++)
		grid_put(p->g, row, p->label + 1 + i, 1, style, p->g->utf8 ? "█" : "#");
}

static void draw_hop(struct pen *p, const struct span_node *n)
{
	const struct win_span *s = &p->w->spans.v[n->span];
	const char *end = s->detail ? s->detail : s->status;
	int row = next_row(p), col = p->label + 1 + p->bar;
	char ms[32];

	if (n->depth < DEPTHS)
		p->open = (p->open & ~(~0ull << n->depth)) | (uint64_t)!n->last << n->depth;
	if (row < 0)
		return;
	draw_label(p, row, n);
	draw_bar(p, row, s);
	grid_right(p->g, row, col, DURATION, STYLE_PLAIN, ms_format(ms, sizeof(ms), (double)s->dur_ns / 1e6));
	if (!end && span_error(s) != REQ_OK)
		end = req_error_name(span_error(s));
	if (end)
		grid_put(p->g, row, col + DURATION + 2, STATUS, span_failed(p->w, s) ? STYLE_BAD : STYLE_PLAIN, end);
}

/* ---- what is known of it ---- */

static void add(char *line, size_t cap, const char *gap, const char *name, double ms)
{
	size_t n = strlen(line);
	char text[32];

	snprintf(line + n, cap - n, "%s%s %s", gap, name, ms_format(text, sizeof(text), ms));
}

/* "net 182 ms, cpu 900 us, unknown 3.0 ms": the most first, what is not known last and always. */
static void parts_text(char *line, size_t cap, const struct win_span *s)
{
	bool told[TIME_PARTS] = {false};
	const char *gap = "";

	for (;;) {
		int most = -1;

		for (int i = 0; i < TIME_PARTS; i++)
			if (!told[i] && s->part_ns[i] > 0 && (most < 0 || s->part_ns[i] > s->part_ns[most]))
				most = i;
		if (most < 0)
			break;
		told[most] = true;
		add(line, cap, gap, time_part_table[most].label, s->part_ns[most] / 1e6);
		gap = ", ";
	}
	add(line, cap, gap, "unknown", span_unknown_ns(s) / 1e6);
}

static void link_text(char *line, size_t cap, const struct span_node *n, const struct win_span *s)
{
	if (n->orphan)
		snprintf(line, cap, "caused by a hop that is not here");
	else if (s->method && !isnan(s->confidence))
		snprintf(line, cap, "by %s, %.0f %%", s->method, 100 * s->confidence);
	else if (s->method)
		snprintf(line, cap, "by %s", s->method);
	else
		*line = '\0';
}

/* Where to break a text that is wider: behind a comma, else before a blank. */
static size_t break_at(const char *text, size_t width)
{
	size_t cut = width;

	while (cut > 1 && (text[cut] != ' ' || text[cut - 1] != ','))
		cut--;
	if (cut > 1)
		return cut;
	for (cut = width; cut && text[cut] != ' ';)
		cut--;
	return cut ? cut : width;
}

/* In as many lines as it takes. */
static void draw_wrapped(struct pen *p, const struct span_node *n, const char *text)
{
	while (*text) {
		int row = next_row(p), col = draw_rails(p, row, n, false) + INDENT, width = p->g->cols - col > 10 ? p->g->cols - col : 10;
		size_t len = strlen(text), cut = len > (size_t)width ? break_at(text, (size_t)width) : len;

		if (row >= 0)
			grid_printf(p->g, row, col, width, STYLE_DIM, "%.*s", (int)cut, text);
		text += cut;
		text += strspn(text, " ");
	}
}

static void draw_facts(struct pen *p, const struct span_node *n)
{
	const struct win_span *s = &p->w->spans.v[n->span];
	char line[1024];
	size_t len;

	link_text(line, sizeof(line), n, s);
	len = strlen(line);
	if (s->timed) {
		snprintf(line + len, sizeof(line) - len, "%s", len ? ": " : "");
		len = strlen(line);
		parts_text(line + len, sizeof(line) - len, s);
	}
	draw_wrapped(p, n, line);
}

int waterfall_draw(const struct span_tree *t, const struct sum_trace *trace, uint32_t most, struct grid *g, int row, int rows, int first)
{
	struct pen p = {.tree = t, .w = t->window, .trace = trace, .g = g, .row = row, .rows = rows, .line = -first};
	uint32_t n = most && most < trace->n ? most : trace->n;

	layout(&p);
	draw_title(&p);
	draw_sums(&p);
	draw_axis(&p);
	for (uint32_t i = 0; i < n; i++) {
		draw_hop(&p, &t->nodes.v[trace->first + i]);
		draw_facts(&p, &t->nodes.v[trace->first + i]);
	}
	if (n < trace->n)
		grid_printf(g, next_row(&p), 0, 0, STYLE_DIM, "%u more hops", trace->n - n);
	return p.line + first;
}
