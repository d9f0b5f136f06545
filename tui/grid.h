/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grid: a screen as an array of cells.  Views draw on it; tui/term.c shows it, `rootle map` prints it, tests compare
 * it. Text from outside is cleaned on its way in: nothing a process is called can move the cursor.  Drawing outside is
 * clipped.
 */
#ifndef ROOTLE_TUI_GRID_H
#define ROOTLE_TUI_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum style { STYLE_PLAIN = 0, STYLE_DIM, STYLE_BOLD, STYLE_GOOD, STYLE_WARN, STYLE_BAD, STYLE_TITLE, STYLE_SELECTED, STYLE_MAX };

struct cell { uint32_t cp; uint8_t style; uint8_t width; };   /* width 0: the right half of the character before */

struct grid {
	struct cell *cell;
	int rows, cols;
	bool utf8;              /* false: only ASCII may be drawn; line drawing and marks fall back */
};

/* 0 or -ENOMEM. */
int grid_init(struct grid *g, int rows, int cols, bool utf8);
void grid_done(struct grid *g);
void grid_clear(struct grid *g);

/* Draws text from (row, col) to the right, cut at `width` columns (0: at the edge). Columns used. */
int grid_put(struct grid *g, int row, int col, int width, enum style style, const char *text);
int grid_printf(struct grid *g, int row, int col, int width, enum style style, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* Right-aligned in the `width` columns from col. */
void grid_right(struct grid *g, int row, int col, int width, enum style style, const char *text);
/* Gives a whole row a style (selection). */
void grid_row_style(struct grid *g, int row, enum style style);

/* The grid as lines without trailing blanks, UTF-8, each ending in '\n'; with colour, SGR sequences around styles.
 * Caller frees; NULL: no memory. */
char *grid_text(const struct grid *g, bool colour);
/* Writes a style's SGR parameters, "" for plain: "1;31". */
const char *style_sgr(enum style s);

#endif
