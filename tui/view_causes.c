/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tui/view.h"

/* A cursor over lines of which only some are on the screen. */
struct pen { struct top_state *st; struct grid *g; int row, rows, line; };

static void put_line(struct pen *p, int indent, enum style style, const char *text, size_t n)
{
	char line[512];
	int at = p->line++ - p->st->first;

	if (at < 0 || at >= p->rows)
		return;
	snprintf(line, sizeof(line), "%.*s", (int)n, text);
	grid_put(p->g, p->row + at, indent, 0, style, line);
}

/* Wraps at blanks; following lines are indented by `hang` more. */
static void put_text(struct pen *p, int indent, int hang, enum style style, const char *text)
{
	size_t width = (size_t)(p->g->cols - indent - hang > 20 ? p->g->cols - indent - hang : 20), n = strlen(text);
	int extra = 0;

	while (n) {
		size_t cut = n;

		if (cut > width) {
			for (cut = width; cut && text[cut] != ' '; cut--)
				;
			if (!cut)
				cut = width;
		}
		put_line(p, indent + extra, style, text, cut);
		extra = hang;
		for (text += cut, n -= cut; n && *text == ' '; text++, n--)
			;
	}
}

static void put_labelled(struct pen *p, const char *label, enum style style, const char *text)
{
	char line[1024];

	snprintf(line, sizeof(line), "%-8s%s", label, text);
	put_text(p, 2, 8, style, line);
}

static void draw_cause(struct pen *p, const struct cause *c, size_t rank)
{
	char line[1024];
	size_t i;

	snprintf(line, sizeof(line), "cause %zu  %s", rank, c->summary);
	put_text(p, 0, 9, rank == 1 ? STYLE_BOLD : STYLE_PLAIN, line);
	snprintf(line, sizeof(line), "%s at %s, confidence %.2f", c->kind, c->service, c->confidence);
	put_labelled(p, "", STYLE_DIM, line);
	for (i = 0; i < c->evidence.n; i++)
		put_labelled(p, "|", STYLE_PLAIN, c->evidence.v[i].sentence);
	put_labelled(p, "advice", STYLE_PLAIN, c->advice);
	put_labelled(p, "refute", STYLE_DIM, c->refute);
}

static void draw_list(struct pen *p, const char *label, const char *const *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		put_labelled(p, i ? "" : label, STYLE_DIM, v[i]);
}

static void draw_incident(struct pen *p, const struct incident *in)
{
	char since[16], line[1024];
	size_t i;

	snprintf(line, sizeof(line), "%s since %s  %s", in->open ? "OPEN" : "over", time_clock(since, sizeof(since), in->since_ns),
		 in->sentence);
	put_text(p, 0, 4, in->open ? STYLE_BAD : STYLE_WARN, line);
	for (i = 0; i < in->causes.n; i++)
		draw_cause(p, &in->causes.v[i], i + 1);
	if (!in->causes.n)
		put_text(p, 0, 0, STYLE_PLAIN, "no cause above the floor; what differs:");
	draw_list(p, "saw", in->observations.v, in->causes.n ? 0 : in->observations.n);
	draw_list(p, "not", in->ruled_out.v, in->ruled_out.n);
	draw_list(p, "victims", in->affected.v, in->affected.n);
	put_line(p, 0, STYLE_PLAIN, "", 0);
}

/* Says how long was looked at: a quarter of an hour only where there is one. */
static void put_quiet(struct pen *p)
{
	const struct window *w = p->st->report->window;
	char span[32], line[128];
	int64_t since = w && w->since_ns > w->first_ns ? w->since_ns : w ? w->first_ns : 0;

	if (!w || w->until_ns <= since)
		return;
	snprintf(line, sizeof(line), "nothing wrong found in %s of recording",
		 duration_format(span, sizeof(span), (w->until_ns - since) / NS_PER_S * NS_PER_S));
	put_text(p, 0, 0, STYLE_GOOD, line);
}

static void draw(struct top_state *st, struct grid *g, int row, int rows)
{
	struct pen p = {st, g, row, rows, 0};
	size_t i;

	if (!st->report)
		put_text(&p, 0, 0, STYLE_DIM, "no explanation yet");
	for (i = 0; st->report && i < st->report->incidents.n; i++)
		draw_incident(&p, &st->report->incidents.v[i]);
	if (st->report && !st->report->incidents.n)
		put_quiet(&p);
	for (i = 0; st->report && i < st->report->notes.n; i++)
		put_text(&p, 0, 2, STYLE_DIM, st->report->notes.v[i]);
	st->lines = p.line;
}

const struct view view_causes = {"causes", draw};
