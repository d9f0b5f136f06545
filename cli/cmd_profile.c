/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "command.h"
#include "flame_svg.h"
#include "model/flame.h"
#include "out.h"
#include "rows.h"
#include "say.h"
#include "table.h"

#define SHOWN_RATIO 0.01        /* of all samples: what has less is not drawn as text */
#define SELF_SHOWN 8            /* functions listed by what they use themselves */
#define INDENT_MAX 16
#define PATH_MAX_BYTES 65536

static const struct table_column tree_columns[] = {{"TOTAL", true}, {"SELF", true}, {"FUNCTION", false, true}};
static const struct table_column self_columns[] = {{"SELF", true}, {"FUNCTION", false, true}};

static int flame_of(struct flame *f, const struct summary *s, const struct options *o)
{
	struct flame_wish wish = {.service = WIN_NONE, .pid = o->pid.v, .n_pid = o->pid.n};

	if (o->service)
		wish.service = window_find_service(s->window, o->service);
	return flame_init(f, s->window, &wish);
}

/* text -------------------------------------------------------------------------------------------------------------- */

static uint32_t shown_child(const struct flame *f, uint32_t at, double least)
{
	return at != WIN_NONE && f->nodes.v[at].total >= least ? at : WIN_NONE;
}

/* A function that calls one other only stands above it, not left of it: stacks are deep, and lines are short. */
static void tree_rows(struct table *t, const struct flame *f, uint32_t parent, double least, unsigned indent)
{
	uint32_t first = shown_child(f, f->nodes.v[parent].child, least);
	bool branches = first != WIN_NONE && shown_child(f, f->nodes.v[first].next, least) != WIN_NONE;
	double all = f->nodes.v[FLAME_ROOT].total;

	if (branches && parent != FLAME_ROOT && indent < INDENT_MAX)
		indent++;
	for (uint32_t i = first; i != WIN_NONE; i = shown_child(f, f->nodes.v[i].next, least)) {
		const struct flame_node *v = &f->nodes.v[i];

		table_percent(t, v->total / all);
		v->self > 0 ? table_percent(t, v->self / all) : table_text(t, "");
		table_printf(t, "%*s%s", (int)(2 * indent), "", v->frame);
		tree_rows(t, f, i, least, indent + (v->depth == 1));
	}
}

static int by_samples(const void *pa, const void *pb)
{
	const struct flame_function *a = pa, *b = pb;

	return a->samples != b->samples ? a->samples < b->samples ? 1 : -1 : strcmp(a->frame, b->frame);
}

static void self_text(const struct flame *f)
{
	struct flame_functions v;
	struct table t;

	flame_functions(f, &v);         /* without memory for all of them: those that there are */
	qsort(v.list.v, v.list.n, sizeof(*v.list.v), by_samples);
	table_init(&t, self_columns, sizeof(self_columns) / sizeof(self_columns[0]));
	for (size_t i = 0; i < v.list.n && i < SELF_SHOWN; i++) {
		table_percent(&t, v.list.v[i].samples / f->nodes.v[FLAME_ROOT].total);
		table_text(&t, v.list.v[i].frame);
	}
	out_line("%s", "");
	table_print(&t);
	table_done(&t);
	vec_done(&v.list);
}

static void head_text(const struct summary *s, const struct flame *f)
{
	double samples = f->nodes.v[FLAME_ROOT].total, seconds = window_sampled_s(s->window, s->since_ns, s->until_ns);
	double hz = s->window->profile_hz;

	if (hz > 0 && seconds > 0)
		out_line("%.0f samples of the CPUs at %.0f Hz in %.0f s: %.2f cores", samples, hz, seconds, samples / hz / seconds);
	else
		out_line("%.0f samples of the CPUs", samples);
}

static void tree_text(const struct summary *s, const struct flame *f)
{
	double all = f->nodes.v[FLAME_ROOT].total;
	struct table t;

	head_text(s, f);
	table_init(&t, tree_columns, sizeof(tree_columns) / sizeof(tree_columns[0]));
	tree_rows(&t, f, FLAME_ROOT, all * SHOWN_RATIO, 0);
	table_print(&t);
	table_done(&t);
	self_text(f);
}

/* folded ------------------------------------------------------------------------------------------------------------ */

static size_t folded_text(const struct flame *f)
{
	char *path = malloc(PATH_MAX_BYTES), *line = malloc(PATH_MAX_BYTES);
	size_t n = 0;

	for (size_t i = 1; path && line && i < f->nodes.n && !out_closed(); i++) {
		const struct flame_node *v = &f->nodes.v[i];
		const char *service = f->nodes.v[i].frame;

		if (v->self <= 0)
			continue;
		for (uint32_t up = (uint32_t)i; up != FLAME_ROOT; up = f->nodes.v[up].parent)
			service = f->nodes.v[up].frame;
		flame_path(f, (uint32_t)i, ";", path, PATH_MAX_BYTES);
		text_clean(line, PATH_MAX_BYTES, path, strlen(path), true);
		out_line("%s;%s %.0f", service, line, v->self);
		n++;
	}
	free(path);
	free(line);
	return n;
}

static size_t text(const struct summary *s, const struct options *o)
{
	struct flame f;
	size_t n = 0;

	if (flame_of(&f, s, o) == 0 && f.nodes.v[FLAME_ROOT].total > 0) {
		n = f.nodes.n - 1;
		if (o->svg)
			n = flame_svg_write(&f, o->svg) ? ROWS_FAILED : n;
		else if (o->folded)
			n = folded_text(&f);
		else
			tree_text(s, &f);
	}
	flame_done(&f);
	return n;
}

/* json -------------------------------------------------------------------------------------------------------------- */

static void json_frames(struct json *j, const struct flame *f, uint32_t node)
{
	uint32_t path[1024], n = 0;

	for (; f->nodes.v[node].depth > 1 && n < 1024; node = f->nodes.v[node].parent)
		path[n++] = node;
	json_array(j, "frames");
	while (n-- > 0)
		json_string(j, NULL, f->nodes.v[path[n]].frame);
	json_array_end(j);
}

static size_t json(const struct summary *s, const struct options *o, struct json *j)
{
	struct flame f;
	size_t n = 0;
	int err = flame_of(&f, s, o);

	for (size_t i = 1; !err && i < f.nodes.n && !out_closed(); i++) {
		const struct flame_node *v = &f.nodes.v[i];

		if (v->self <= 0)
			continue;
		row_begin(j, "stack");
		json_string(j, "service", service_name(s->window, v->service));
		json_frames(j, &f, (uint32_t)i);
		json_number(j, "samples", v->self);
		json_number(j, "cpu_s", v->self / s->window->profile_hz);
		json_number(j, "share_ratio", v->self / f.nodes.v[FLAME_ROOT].total);
		row_end(j);
		n++;
	}
	flame_done(&f);
	return n;
}

int cmd_profile(const struct command *c, struct options *o, int argc, char **argv)
{
	static const struct rows rows = {"profile/1", "no samples of the CPUs", LOAD_PROFILE, false, text, json};

	if (o->json + o->folded + (o->svg != NULL) > 1)
		return say_error(EXIT_USAGE, "%s: --json, --folded and --svg are three forms: give one", c->name);
	return rows_command(&rows, o);
}
