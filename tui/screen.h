/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * screen: the whole screen of the terminal view drawn to a grid: head line, the worst incident in one line, the view, the
 * key line; or the help page.  Pure: what it draws depends on its arguments alone, so tests compare it as text.
 */
#ifndef ROOTLE_TUI_SCREEN_H
#define ROOTLE_TUI_SCREEN_H

#include "tui/view.h"

struct screen {
	int view;                  /* index into view_table */
	bool help, paused;
	int64_t shown_ns;          /* end of the range shown; 0: nothing yet */
	int64_t behind_ns;         /* how far the range shown lies behind the newest tick */
	const char *typing;        /* filter being typed; NULL: none */
	const char *note;          /* one line in place of the keys, until the next key; NULL: none */
};

/* Rows of g that belong to the view. */
int screen_view_rows(const struct grid *g);
void screen_draw(struct grid *g, const struct screen *s, struct top_state *st);

#endif
