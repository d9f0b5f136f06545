/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * term: the terminal.  The only file that knows ncurses.  Shows grids, reads keys; works without colour and without UTF-8;
 * never asks the terminal a question that it would have to wait for.
 */
#ifndef ROOTLE_TUI_TERM_H
#define ROOTLE_TUI_TERM_H

#include "tui/grid.h"

enum {                             /* keys beside the characters themselves */
	KEY_NONE_ = 0x110000, KEY_UP_, KEY_DOWN_, KEY_LEFT_, KEY_RIGHT_, KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_HOME_, KEY_END_,
	KEY_ENTER_, KEY_ESC, KEY_TAB, KEY_BACK, KEY_RESIZE_,
	KEY_CLOSED,             /* interrupted, or the terminal went away: leave */
};

/* Takes the terminal over. 0, -ENOTTY where stdin or stdout is none, -EINVAL where TERM is not known. */
int term_open(bool colour);
/* Gives it back as it was. Safe to call twice. */
void term_close(void);
void term_size(int *rows, int *cols);
bool term_utf8(void);
/* Shows the grid; only what changed goes over the wire. */
void term_show(const struct grid *g);
/* A key, or KEY_NONE_ after timeout_ms. */
int term_key(int timeout_ms);

#endif
