/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/screen.h"

#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "tui/keys.h"

#define HEAD_ROWS 3
#define FOOT_ROWS 1

int screen_view_rows(const struct grid *g)
{
	return g->rows > HEAD_ROWS + FOOT_ROWS ? g->rows - HEAD_ROWS - FOOT_ROWS : 1;
}

static void coverage_text(char *buf, size_t cap, const struct window *w)
{
	double events = w ? w->coverage.events : NAN, lost = w ? w->coverage.lost_events : NAN;

	size_t n;

	if (isnan(events) || isnan(lost))
		n = (size_t)snprintf(buf, cap, "coverage unknown");
	else if (lost <= 0)
		n = (size_t)snprintf(buf, cap, "nothing lost");
	else
		n = (size_t)snprintf(buf, cap, "lost %.2g %%", 100 * lost / (events + lost));
	if (w && w->coverage.blind_s > 0)
		snprintf(buf + n, cap - n, ", requests not read");
	else if (w && w->coverage.weight > 1)
		snprintf(buf + n, cap - n, ", requests estimated");
}

/* Anything that a reader should know of what he sees: something was lost, at whichever stage, or left out. */
static bool is_partial(const struct window *w)
{
	return w && (w->coverage.loss.n || w->coverage.lost_events > 0 || w->coverage.weight > 1 || w->coverage.blind_s > 0);
}

static void draw_head(struct grid *g, const struct screen *s, const struct top_state *st)
{
	char clock[16] = "--:--:--", coverage[64], line[256];
	const char *node = st->window && st->window->node ? st->window->node : "?";

	if (s->shown_ns)
		time_clock(clock, sizeof(clock), s->shown_ns);
	coverage_text(coverage, sizeof(coverage), st->window);
	snprintf(line, sizeof(line), "rootle  %s  %s%s%s%s%s", node, clock, s->paused ? "  paused" : "",
		 s->behind_ns > 2 * NS_PER_S ? "  in the past" : "", st->filter ? "  only " : "", st->filter ? st->filter : "");
	grid_put(g, 0, 0, 0, STYLE_BOLD, line);
	grid_right(g, 0, g->cols / 2, g->cols - g->cols / 2, is_partial(st->window) ? STYLE_WARN : STYLE_DIM, coverage);
}

/* The one line that matters at 3 a.m. */
static void draw_incident_line(struct grid *g, const struct top_state *st)
{
	const struct incident *in;

	if (!st->report) {
		grid_put(g, 1, 0, 0, STYLE_DIM, "looking for incidents");
		return;
	}
	if (!st->report->incidents.n) {
		grid_put(g, 1, 0, 0, STYLE_GOOD, "no incident");
		return;
	}
	in = &st->report->incidents.v[0];
	if (in->causes.n)
		grid_printf(g, 1, 0, 0, in->open ? STYLE_BAD : STYLE_WARN, "%.2f %s: %s", in->causes.v[0].confidence,
			    in->causes.v[0].kind, in->causes.v[0].summary);
	else
		grid_put(g, 1, 0, 0, in->open ? STYLE_BAD : STYLE_WARN, in->sentence);
}

/* What was lost, first: the gravest as a sentence, else the largest by its names. */
static void draw_loss_line(struct grid *g, const struct window *w)
{
	const struct win_coverage *c = &w->coverage;
	const struct win_loss *most = NULL;

	if (c->notes.n) {
		grid_printf(g, 2, 0, 0, STYLE_WARN, "not seen: %s%s", c->notes.v[0], c->notes.n > 1 ? "; ..." : "");
		return;
	}
	for (size_t i = 0; i < c->loss.n; i++)
		if (!most || c->loss.v[i].count > most->count)
			most = &c->loss.v[i];
	if (most)
		grid_printf(g, 2, 0, 0, STYLE_DIM, "not seen: %s.%s %.0f times", most->stage, most->reason, most->count);
}

static void draw_foot(struct grid *g, const struct screen *s)
{
	int row = g->rows - 1, col = 0, i;

	if (s->typing) {
		grid_printf(g, row, 0, 0, STYLE_BOLD, "/%s_", s->typing);
		return;
	}
	if (s->note) {
		grid_put(g, row, 0, 0, STYLE_WARN, s->note);
		return;
	}
	for (i = 0; view_table[i]; i++)
		col += grid_printf(g, row, col, 0, i == s->view ? STYLE_SELECTED : STYLE_PLAIN, " %d %s ", i + 1, view_table[i]->name);
	grid_put(g, row, col + 2, 0, STYLE_DIM, "Tab next  / filter  Space pause  [ ] time  ? help");
}

static void draw_help(struct grid *g)
{
	const struct key_row *r;
	int row = HEAD_ROWS;

	for (r = key_table; r->keys && row < g->rows - FOOT_ROWS; r++, row++) {
		grid_put(g, row, 2, 10, STYLE_BOLD, r->keys);
		grid_put(g, row, 13, 0, STYLE_PLAIN, r->what);
	}
}

void screen_draw(struct grid *g, const struct screen *s, struct top_state *st)
{
	grid_clear(g);
	st->lines = 0;
	st->picked = NULL;
	draw_head(g, s, st);
	draw_incident_line(g, st);
	if (is_partial(st->window))
		draw_loss_line(g, st->window);
	if (s->help)
		draw_help(g);
	else if (st->sum)
		view_table[s->view]->draw(st, g, HEAD_ROWS, screen_view_rows(g));
	else
		grid_put(g, HEAD_ROWS, 2, 0, STYLE_DIM, "waiting for the first tick");
	draw_foot(g, s);
}
