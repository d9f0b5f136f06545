/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/top.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "store/store.h"
#include "tui/keys.h"
#include "tui/screen.h"
#include "tui/term.h"

#define VIEW_NS (30 * NS_PER_S)            /* what the map and the services are added up over */
#define EXPLAIN_NS (15 * 60 * NS_PER_S)    /* what the causes are looked for in */
#define EXPLAIN_EVERY_NS (5 * NS_PER_S)
#define STEP_NS (10 * NS_PER_S)
#define FILTER_CAP 128

struct top {
	const struct top_options *o;
	struct store *store;
	struct screen screen;
	struct top_state st;
	struct window *window, *explained;     /* st's are borrowed from these */
	struct summary *sum;
	struct report *report;
	int64_t newest_ns, until_ns, explained_ns;
	char filter[FILTER_CAP], typing[FILTER_CAP], note[FILTER_CAP + 64];
	bool leave, dirty;
	struct store_error err;
};

/* ---- reading ---- */

static int load(struct top *t, int64_t since_ns, int64_t until_ns, unsigned what, struct window **ret)
{
	struct window *w = window_new();
	int err;

	*ret = NULL;
	if (!w)
		return -ENOMEM;
	err = store_load(t->store, since_ns, until_ns, what, w, &t->err);
	if (err) {
		window_free(w);
		return err;
	}
	*ret = w;
	return 0;
}

static int refresh_view(struct top *t)
{
	struct window *w;
	struct summary *s;
	int err = load(t, t->until_ns - VIEW_NS, t->until_ns, LOAD_REQUESTS | LOAD_HISTS | LOAD_TCP | LOAD_POINTS | LOAD_SPANS,
		       &w);

	if (err)
		return err;
	s = summary_new(w, t->until_ns - VIEW_NS, t->until_ns);
	if (!s) {
		window_free(w);
		return -ENOMEM;
	}
	summary_free(t->sum);
	window_free(t->window);
	t->st.window = t->window = w;
	t->st.sum = t->sum = s;
	return 0;
}

static int refresh_report(struct top *t)
{
	struct question q = {.service = NULL};
	struct window *w;
	struct report *r;
	int err = load(t, t->until_ns - EXPLAIN_NS, t->until_ns, LOAD_EXPLAIN, &w);

	if (err)
		return err;
	r = explain(w, &q);
	if (!r) {
		window_free(w);
		return -ENOMEM;
	}
	report_free(t->report);
	window_free(t->explained);
	t->explained = w;
	t->st.report = t->report = r;
	t->explained_ns = t->until_ns;
	return 0;
}

static int refresh(struct top *t)
{
	int64_t apart = t->until_ns - t->explained_ns;
	int err;

	t->screen.shown_ns = t->until_ns;
	t->screen.behind_ns = t->newest_ns - t->until_ns;
	t->dirty = true;
	err = refresh_view(t);
	if (!err && (apart >= EXPLAIN_EVERY_NS || apart < 0))
		err = refresh_report(t);
	return err;
}

/* Takes a newer tick in. */
static int follow(struct top *t, int timeout_ms)
{
	int64_t last = t->newest_ns;
	struct store_span span;
	int got = t->o->live ? store_wait(t->store, &last, timeout_ms, &t->err) : 0;

	if (got <= 0 && t->newest_ns)
		return got;
	if (store_span(t->store, &span, &t->err))
		return t->err.code;
	if (!span.ticks)
		return 0;
	t->newest_ns = span.last_ns;
	if (t->screen.paused || (t->screen.behind_ns > 0 && t->until_ns))
		return 0;
	t->until_ns = t->newest_ns;
	return refresh(t);
}

/* ---- what keys do ---- */

static void move(struct top *t, int by)
{
	t->st.selected += by;
	t->dirty = true;
}

static int travel(struct top *t, int64_t by_ns)
{
	t->until_ns += by_ns;
	if (by_ns == 0 || t->until_ns >= t->newest_ns)
		t->until_ns = t->newest_ns;
	return refresh(t);
}

static void set_filter(struct top *t, const char *text)
{
	snprintf(t->filter, sizeof(t->filter), "%s", text);
	t->st.filter = *t->filter ? t->filter : NULL;
	t->st.selected = t->st.first = 0;
	t->dirty = true;
}

/* The service that is meant: the name itself, else the first that begins with the text, else that contains it. */
static const char *service_like(const struct window *w, const char *text)
{
	const char *begins = NULL, *contains = NULL;
	size_t i;

	for (i = 0; w && i < w->services.n; i++) {
		const char *name = w->services.v[i].name;

		if (!strcmp(name, text))
			return name;
		if (!begins && text_starts(name, text))
			begins = name;
		if (!contains && strstr(name, text))
			contains = name;
	}
	return begins ? begins : contains;
}

static void filter_typed(struct top *t)
{
	const char *name = service_like(t->window, t->typing);

	if (name || !*t->typing) {
		set_filter(t, name ? name : "");
		return;
	}
	snprintf(t->note, sizeof(t->note), "no service is called anything like '%s'", t->typing);
	t->screen.note = t->note;
}

static void set_view(struct top *t, int view)
{
	int n = 0;

	while (view_table[n])
		n++;
	if (view < 0 || view >= n)
		return;
	t->screen.view = view;
	t->screen.help = false;
	t->st.selected = t->st.first = 0;
	t->dirty = true;
}

static void type_key(struct top *t, int key)
{
	size_t n = strlen(t->typing);

	t->dirty = true;
	if (key == KEY_ENTER_)
		filter_typed(t);
	if (key == KEY_ENTER_ || key == KEY_ESC) {
		t->screen.typing = NULL;
	} else if (key == KEY_BACK) {
		if (n)
			t->typing[n - 1] = '\0';
	} else if (key >= ' ' && key < 0x7f && n + 1 < sizeof(t->typing)) {
		t->typing[n] = (char)key;
		t->typing[n + 1] = '\0';
	}
}

static void go_back(struct top *t)
{
	if (t->screen.help)
		t->screen.help = false;
	else
		set_filter(t, "");
	t->dirty = true;
}

static int next_view(const struct top *t)
{
	return view_table[t->screen.view + 1] ? t->screen.view + 1 : 0;
}

static int obey(struct top *t, int key, int page)
{
	if (t->screen.note) {
		t->screen.note = NULL;
		t->dirty = true;
	}
	switch (key_request(key)) {
	case DO_QUIT:
		t->leave = true;
		break;
	case DO_HELP:
		t->screen.help = !t->screen.help;
		t->dirty = true;
		break;
	case DO_BACK:
		go_back(t);
		break;
	case DO_UP:
		move(t, -1);
		break;
	case DO_DOWN:
		move(t, 1);
		break;
	case DO_PAGE_UP:
		move(t, -page);
		break;
	case DO_PAGE_DOWN:
		move(t, page);
		break;
	case DO_FIRST:
		move(t, -t->st.selected);
		break;
	case DO_LAST:
		move(t, t->st.lines);
		break;
	case DO_ENTER:
		if (t->st.picked)
			set_filter(t, t->st.picked);
		break;
	case DO_FILTER:
		t->typing[0] = '\0';
		t->screen.typing = t->typing;
		t->dirty = true;
		break;
	case DO_PAUSE:
		t->screen.paused = !t->screen.paused;
		t->dirty = true;
		break;
	case DO_NEXT_VIEW:
		set_view(t, next_view(t));
		break;
	case DO_EARLIER:
		return travel(t, -STEP_NS);
	case DO_LATER:
		return travel(t, STEP_NS);
	case DO_NOW:
		return travel(t, 0);
	case DO_VIEW:
		set_view(t, key - '1');
		break;
	case DO_NOTHING:
		break;
	}
	return 0;
}

/* ---- the screen ---- */

/* Keeps the selected line among the lines and on the screen. */
static void clamp(struct top_state *st, int page)
{
	if (st->selected >= st->lines)
		st->selected = st->lines - 1;
	if (st->selected < 0)
		st->selected = 0;
	if (st->selected < st->first)
		st->first = st->selected;
	if (st->selected >= st->first + page)
		st->first = st->selected - page + 1;
}

static int draw(struct top *t, struct grid *g, int *page)
{
	int rows, cols;

	term_size(&rows, &cols);
	if (rows != g->rows || cols != g->cols) {
		grid_done(g);
		if (grid_init(g, rows, cols, term_utf8() && !t->o->ascii))
			return -ENOMEM;
	}
	*page = screen_view_rows(g) - 1;
	screen_draw(g, &t->screen, &t->st);        /* once to count the lines, again with the selection among them */
	clamp(&t->st, *page);
	screen_draw(g, &t->screen, &t->st);
	term_show(g);
	t->dirty = false;
	return 0;
}

static int run(struct top *t, struct grid *g)
{
	int page = 20, err = follow(t, 0), key;

	t->dirty = true;
	while (err >= 0 && !t->leave) {
		if (t->dirty && draw(t, g, &page))
			return -ENOMEM;
		key = term_key(100);
		if (key == KEY_RESIZE_)
			t->dirty = true;
		else if (key != KEY_NONE_ && key != KEY_CLOSED && t->screen.typing)
			type_key(t, key);
		else if (key != KEY_NONE_)
			err = obey(t, key, page);
		if (err >= 0)
			err = follow(t, 0);
	}
	return err < 0 ? err : 0;
}

/* Like mtr: the last report stays in the scrollback. */
static void leave_behind(const struct top *t, const struct grid *g)
{
	char *text = g->cell ? grid_text(g, t->o->colour) : NULL;

	if (text)
		fputs(text, stdout);
	fflush(stdout);
	free(text);
}

static void fail(const struct top_options *o, const char *why)
{
	if (o->error_cap)
		snprintf(o->error, o->error_cap, "%s", why);
}

int top_run(const struct top_options *o)
{
	struct top t = {.o = o};
	struct grid g = {0};
	int err;

	t.store = store_open_reader(o->db, &t.err);
	if (!t.store) {
		fail(o, t.err.text);
		return t.err.code ? t.err.code : -EIO;
	}
	set_filter(&t, o->service ? o->service : "");
	err = term_open(o->colour);
	if (err) {
		fail(o, err == -ENOTTY ? "top needs a terminal; use `rootle map`, `services` or `explain` in a pipe"
				       : "this terminal (TERM) is not known; try TERM=vt100");
	} else {
		err = run(&t, &g);
		term_close();
		if (err)
			fail(o, t.err.code ? t.err.text : strerror(-err));
		else
			leave_behind(&t, &g);
	}
	grid_done(&g);
	report_free(t.report);
	summary_free(t.sum);
	window_free(t.window);
	window_free(t.explained);
	store_close(t.store);
	return err;
}
