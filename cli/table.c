/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "out.h"
#include "table.h"

#define MARK_BYTES 4        /* of what ends a cell that is cut */
#define GAP 2               /* blanks between columns */
#define FLEX_MIN 6          /* a column is not cut below this */

void table_init(struct table *t, const struct table_column *columns, size_t n_columns)
{
	*t = (struct table){.columns = columns, .n_columns = n_columns};
	arena_init(&t->arena, 0);
}

void table_done(struct table *t)
{
	vec_done(&t->cells);
	arena_done(&t->arena);
}

void table_text(struct table *t, const char *s)
{
	size_t n = s ? strlen(s) : 0;
	char *clean = arena_alloc(&t->arena, 3 * n + 1);      /* a replacement character takes three bytes */
	const char **cell = vec_push(&t->cells);

	if (clean)
		text_clean(clean, 3 * n + 1, s ? s : "", n, out_utf8());
	if (cell)
		*cell = clean ? clean : "";
}

void table_printf(struct table *t, const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	table_text(t, buf);
}

void table_count(struct table *t, double v)
{
	char buf[32];

	table_text(t, isnan(v) ? "-" : count_format(buf, sizeof(buf), v));
}

void table_bytes(struct table *t, double bytes)
{
	char buf[32];

	table_text(t, isnan(bytes) ? "-" : size_format(buf, sizeof(buf), bytes));
}

void table_ms(struct table *t, double ms)
{
	char buf[32];

	table_text(t, ms_format(buf, sizeof(buf), ms));
}

void table_percent(struct table *t, double ratio)
{
	if (isnan(ratio))
		table_text(t, "-");
	else if (ratio == 0)
		table_text(t, "0 %");
	else if (ratio < 0.0005)
		table_text(t, "<0.1 %");       /* not "0.0 %": something is there */
	else
		table_printf(t, ratio < 0.0995 ? "%.1f %%" : "%.0f %%", ratio * 100);
}

struct layout { size_t width[TABLE_COLUMNS_MAX], gap; };

static void measure(const struct table *t, struct layout *l)
{
	size_t rows = t->cells.n / t->n_columns, *width = l->width;

	l->gap = GAP;
	for (size_t c = 0; c < t->n_columns; c++) {
		width[c] = strlen(t->columns[c].title);
		for (size_t r = 0; r < rows; r++) {
			size_t w = text_width(t->cells.v[r * t->n_columns + c]);

			width[c] = w > width[c] ? w : width[c];
		}
	}
}

/* Takes columns from the widest flexible one until the line fits; where none may shrink any more, from the gaps. Who reads a pipe
 * has no edge. */
static void fit(const struct table *t, struct layout *l)
{
	size_t total = GAP * (t->n_columns - 1), *width = l->width;

	for (size_t c = 0; c < t->n_columns; c++)
		total += width[c];
	while (out_is_narrow() && total > out_columns()) {
		size_t widest = t->n_columns;

		for (size_t c = 0; c < t->n_columns; c++)
			if (t->columns[c].flex && width[c] > FLEX_MIN &&
			    (widest == t->n_columns || width[c] > width[widest]))
				widest = c;
		if (widest == t->n_columns) {
			l->gap = 1;
			return;
		}
		width[widest]--;
		total--;
	}
}

/* Bytes of s that fit in `columns` columns, at a character's border. */
static size_t cut_bytes(const char *s, size_t columns)
{
	char part[8];
	size_t used = 0, i = 0;

	while (s[i]) {
		size_t n = 1;

		while (((unsigned char)s[i + n] & 0xc0) == 0x80 && n < sizeof(part) - 1)
			n++;
		memcpy(part, s + i, n);
		part[n] = '\0';
		used += text_width(part);
		if (used > columns)
			break;
		i += n;
	}
	return i;
}

static void append_cell(char *line, size_t cap, const char *s, size_t width, bool right, bool last)
{
	size_t at = strlen(line), w = text_width(s), n = strlen(s);
	const char *mark = "";

	if (w > width) {
		mark = out_utf8() ? "…" : "~";
		n = cut_bytes(s, width - 1);
		char kept[512];

		snprintf(kept, sizeof(kept), "%.*s", (int)n, s);
		w = text_width(kept) + 1;
	}
	int pad = (int)(width > w ? width - w : 0);

	snprintf(line + at, cap - at, "%*s%.*s%s%*s", right ? pad : 0, "", (int)n, s, mark, right || last ? 0 : pad, "");
}

static void print_row(const struct table *t, const struct layout *l, const char *const *cells, const char *on, const char *off)
{
	size_t cap = 1, n;
	char *line;

	for (size_t c = 0; c < t->n_columns; c++)
		cap += strlen(cells[c]) + l->width[c] + MARK_BYTES + GAP;
	line = calloc(1, cap);
	if (!line)
		return;
	for (size_t c = 0; c < t->n_columns; c++) {
		bool last = c + 1 == t->n_columns;

		append_cell(line, cap, cells[c], l->width[c], t->columns[c].right, last);
		if (!last)
			strncat(line, &"  "[GAP - l->gap], cap - strlen(line) - 1);
	}
	n = strlen(line);

	while (n && line[n - 1] == ' ')
		line[--n] = '\0';
	out_line("%s%s%s", on, line, off);
	free(line);
}

static void print_table(const struct table *t, bool titled)
{
	struct layout l;
	const char *titles[TABLE_COLUMNS_MAX];

	measure(t, &l);
	fit(t, &l);
	for (size_t c = 0; c < t->n_columns; c++)
		titles[c] = t->columns[c].title;
	if (titled)
		print_row(t, &l, titles, out_bold(), out_plain());
	for (size_t r = 0; r + t->n_columns <= t->cells.n; r += t->n_columns)
		print_row(t, &l, t->cells.v + r, "", "");
}

void table_print(const struct table *t)
{
	print_table(t, true);
}

void table_print_rows(const struct table *t)
{
	print_table(t, false);
}
