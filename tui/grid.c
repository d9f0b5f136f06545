/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/grid.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/text.h"

int grid_init(struct grid *g, int rows, int cols, bool utf8)
{
	*g = (struct grid){.rows = rows > 0 ? rows : 1, .cols = cols > 0 ? cols : 1, .utf8 = utf8};
	g->cell = calloc((size_t)g->rows * (size_t)g->cols, sizeof(*g->cell));
	if (!g->cell)
		return -ENOMEM;
	grid_clear(g);
	return 0;
}

void grid_done(struct grid *g)
{
	free(g->cell);
	*g = (struct grid){0};
}

void grid_clear(struct grid *g)
{
	size_t i, n = (size_t)g->rows * (size_t)g->cols;

	for (i = 0; i < n; i++)
		g->cell[i] = (struct cell){.cp = ' ', .width = 1};
}

/* 0: it goes with the one before it, for which a cell has no room. */
static int char_width(uint32_t cp)
{
	int w = wcwidth((wchar_t)cp);

	return w < 0 ? 1 : w;
}

int grid_put(struct grid *g, int row, int col, int width, enum style style, const char *text)
{
	char clean[1024];
	const char *s = text_clean(clean, sizeof(clean), text, strlen(text), g->utf8);
	int at = col, end = width > 0 && col + width < g->cols ? col + width : g->cols;
	size_t n = strlen(s), i = 0;

	while (i < n) {
		uint32_t cp = '?';
		size_t len = utf8_decode(s + i, n - i, &cp);
		int w = char_width(cp);

		i += len ? len : 1;
		if (!w)
			continue;
		if (at + w > end)
			break;
		if (row >= 0 && row < g->rows && at >= 0) {
			struct cell *c = &g->cell[row * g->cols + at];

			c[0] = (struct cell){cp, (uint8_t)style, 1};
			if (w == 2)
				c[1] = (struct cell){0, (uint8_t)style, 0};
		}
		at += w;
	}
	return at - col;
}

int grid_printf(struct grid *g, int row, int col, int width, enum style style, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return grid_put(g, row, col, width, style, text);
}

void grid_right(struct grid *g, int row, int col, int width, enum style style, const char *text)
{
	int used = (int)text_width(text);

	grid_put(g, row, used < width ? col + width - used : col, used < width ? used : width, style, text);
}

void grid_row_style(struct grid *g, int row, enum style style)
{
	int c;

	for (c = 0; row >= 0 && row < g->rows && c < g->cols; c++)
		g->cell[row * g->cols + c].style = (uint8_t)style;
}

const char *style_sgr(enum style s)
{
	/* never red against green alone: bad is bold red, warn is yellow, good is plain weight */
	static const char *const sgr[STYLE_MAX] = {"", "2", "1", "32", "33", "1;31", "1;36", "7"};

	return sgr[s];
}

static size_t utf8_encode(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

static int last_used(const struct grid *g, int row)
{
	int c = g->cols;

	while (c > 0 && g->cell[row * g->cols + c - 1].cp == ' ')
		c--;
	return c;
}

static void write_row(FILE *out, const struct grid *g, int row, bool colour)
{
	int c, end = last_used(g, row);
	enum style style = STYLE_PLAIN;
	char utf8[4];

	for (c = 0; c < end; c++) {
		const struct cell *cell = &g->cell[row * g->cols + c];

		if (!cell->width)
			continue;
		if (colour && cell->style != style) {
			style = cell->style;
			fprintf(out, "\x1b[0%s%sm", *style_sgr(style) ? ";" : "", style_sgr(style));
		}
		fwrite(utf8, 1, utf8_encode(cell->cp, utf8), out);
	}
	fputs(style != STYLE_PLAIN ? "\x1b[0m\n" : "\n", out);
}

char *grid_text(const struct grid *g, bool colour)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	int row;

	if (!out)
		return NULL;
	for (row = 0; row < g->rows; row++)
		write_row(out, g, row, colour);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
