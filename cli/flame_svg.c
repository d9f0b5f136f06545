/* SPDX-License-Identifier: BSD-2-Clause */
#include "flame_svg.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "exit.h"
#include "say.h"
#include "svg.h"

#define WIDTH 1200.0
#define ROW 17
#define MARGIN 10
#define CHAR_WIDTH 6.6          /* of the 11 px monospace */
#define LEAST 0.5               /* px: narrower ones are left out */
#define NAME_MAX_BYTES 512

/* At most n characters. */
static void cut(char *s, size_t n)
{
	while (*s && n) {
		size_t len = utf8_length(s, strlen(s));

		s += len ? len : 1;
		n--;
	}
	*s = '\0';
}

/* Kernel functions blue, others warm: the same name has the same colour everywhere. */
static void put_colour(FILE *out, const char *name)
{
	uint64_t h = hash_bytes(name, strlen(name));
	unsigned a = (unsigned)(h % 60), b = (unsigned)(h / 60 % 70);

	if (text_ends(name, "_[k]"))
		fprintf(out, "rgb(%u,%u,225)", 110 + a, 150 + a);
	else
		fprintf(out, "rgb(%u,%u,%u)", 225 + a / 2, 110 + b, 50 + a);
}

static void put_node(FILE *out, const struct flame *f, uint32_t node, double x, double width)
{
	const struct flame_node *v = &f->nodes.v[node];
	double all = f->nodes.v[FLAME_ROOT].total;
	char name[NAME_MAX_BYTES];
	unsigned y = MARGIN + v->depth * ROW;

	text_clean(name, sizeof(name), v->frame, strlen(v->frame), true);
	fprintf(out, "<g><title>");
	svg_put_escaped(out, name);
	fprintf(out, " (%.0f samples, %.1f %%; itself %.1f %%)</title>", v->total, 100 * v->total / all, 100 * v->self / all);
	fprintf(out, "<rect x=\"%.1f\" y=\"%u\" width=\"%.1f\" height=\"%d\" fill=\"", x, y, width, ROW - 1);
	put_colour(out, v->frame);
	fprintf(out, "\"/>");
	if (width > 3 * CHAR_WIDTH) {
		cut(name, (size_t)((width - 4) / CHAR_WIDTH));
		fprintf(out, "<text x=\"%.1f\" y=\"%u\">", x + 2, y + 12);
		svg_put_escaped(out, name);
		fprintf(out, "</text>");
	}
	fprintf(out, "</g>\n");
}

static void put_tree(FILE *out, const struct flame *f, uint32_t node, double x)
{
	double all = f->nodes.v[FLAME_ROOT].total, width = f->nodes.v[node].total / all * WIDTH;

	if (width < LEAST)
		return;
	put_node(out, f, node, x, width);
	for (uint32_t i = f->nodes.v[node].child; i != WIN_NONE; i = f->nodes.v[i].next) {
		put_tree(out, f, i, x);
		x += f->nodes.v[i].total / all * WIDTH;
	}
}

static unsigned deepest(const struct flame *f)
{
	unsigned depth = 0;

	for (size_t i = 0; i < f->nodes.n; i++)
		if (f->nodes.v[i].depth > depth && f->nodes.v[i].total / f->nodes.v[FLAME_ROOT].total * WIDTH >= LEAST)
			depth = f->nodes.v[i].depth;
	return depth;
}

int flame_svg_write(const struct flame *f, const char *path)
{
	unsigned height = 2 * MARGIN + (deepest(f) + 1) * ROW;
	FILE *out = fopen(path, "we");
	int failed;

	if (!out)
		return say_error(EXIT_FAILED, "%s: cannot be written: %s", path, strerror(errno));
	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%u\" "
		"viewBox=\"%d 0 %.0f %u\">\n<style>text { font: 11px monospace; fill: #000 } rect { rx: 1px }</style>\n", WIDTH + 2 * MARGIN,
		height, -MARGIN, WIDTH + 2 * MARGIN, height);
	put_tree(out, f, FLAME_ROOT, 0);
	fprintf(out, "</svg>\n");
	failed = ferror(out);
	failed |= fclose(out);
	return failed ? say_error(EXIT_FAILED, "%s: cannot be written", path) : 0;
}
