/* SPDX-License-Identifier: BSD-2-Clause */
#include "time_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "rows.h"

#define BAR 20
#define SHOWN 4                      /* parts named beside the bar */
#define SHARE_MIN 0.005              /* and only those that are at least this much of the whole */

/* In the order of a request's way; of what is not known nothing is drawn. */
static const struct { enum time_part part; char letter; } bar_table[] = {
	{TIME_THERE, '>'}, {TIME_QUEUE, 'q'}, {TIME_RUNQ, 'r'}, {TIME_CPU, '#'},
	{TIME_QUOTA, 't'}, {TIME_IO, 'd'}, {TIME_MEM, 'm'}, {TIME_LOCK, 'l'},
	{TIME_DOWN, '='}, {TIME_NET, 'n'}, {TIME_POLL, 'p'}, {TIME_SLEEP, 's'},
	{TIME_BACK, '<'}, {TIME_CLIENT, 'c'}, {TIME_REMOTE, 'R'},
};
#define BARS (sizeof(bar_table) / sizeof(bar_table[0]))
_Static_assert(BARS == TIME_PARTS, "each part has its letter");

struct share { const char *name; double ns; };

/* The end of each part is rounded, not its length: so the bar is as long as what is known. */
static void bar_fill(char bar[BAR + 1], const struct win_timing *t)
{
	double sum = 0;
	int from = 0;

	memset(bar, '.', BAR);
	bar[BAR] = '\0';
	for (size_t i = 0; i < BARS; i++) {
		int to;

		sum += t->part_ns[bar_table[i].part];
		to = (int)lround(sum / t->total_ns * BAR);
		for (; from < to && from < BAR; from++)
			bar[from] = bar_table[i].letter;
	}
}

static int by_size(const void *pa, const void *pb)
{
	const struct share *a = pa, *b = pb;

	return a->ns != b->ns ? (a->ns < b->ns) - (a->ns > b->ns) : strcmp(a->name, b->name);
}

/* Calls stand for TIME_DOWN; what they do not explain of it is of callees that are not known. */
static size_t shares_of(struct share *s, const struct window *w, const struct win_timing *t, const struct sum_call *calls, size_t n)
{
	double down = t->part_ns[TIME_DOWN];
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		s[k++] = (struct share){service_text(w, w->edges.v[calls[i].callee].to), calls[i].ns};
		down -= calls[i].ns;
	}
	for (size_t i = 0; i < BARS; i++)
		if (bar_table[i].part != TIME_DOWN)
			s[k++] = (struct share){time_part_table[bar_table[i].part].label, t->part_ns[bar_table[i].part]};
	s[k++] = (struct share){"downstream", down};
	s[k++] = (struct share){"unknown", win_timing_unknown(t)};
	qsort(s, k, sizeof(*s), by_size);
	return k;
}

static void parts_cell(struct table *t, const struct share *s, size_t n, double whole)
{
	char cell[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < n && i < SHOWN && s[i].ns >= whole * SHARE_MIN && len < sizeof(cell) - 1; i++)
		len += (size_t)snprintf(cell + len, sizeof(cell) - len, "%s%.40s %.0f %%", i ? ", " : "", s[i].name,
					100 * s[i].ns / whole);
	table_text(t, cell);
}

void time_cells(struct table *t, const struct window *w, const struct win_timing *timing, const struct sum_call *calls, size_t n)
{
	struct share shares[SUM_CALLS_MAX + BARS + 2];
	char bar[BAR + 1];

	if (!(timing->count > 0) || !(timing->total_ns > 0)) {
		table_text(t, "-");
		table_text(t, "-");
		table_text(t, NULL);
		table_text(t, NULL);
		return;
	}
	table_count(t, timing->count);
	table_ms(t, timing->total_ns / timing->count / 1e6);
	bar_fill(bar, timing);
	table_text(t, bar);
	parts_cell(t, shares, shares_of(shares, w, timing, calls, n), timing->total_ns);
}

static void print_legend(void)
{
	char line[80] = ".";
	size_t len = 1;

	len += (size_t)snprintf(line + len, sizeof(line) - len, " unknown");
	for (size_t i = 0; i < BARS; i++) {
		char word[32];
		size_t n = (size_t)snprintf(word, sizeof(word), "%c %s", bar_table[i].letter, time_part_table[bar_table[i].part].label);

		if (len + 2 + n >= sizeof(line)) {
			out_line("%s", line);
			len = (size_t)snprintf(line, sizeof(line), "%s", word);
			continue;
		}
		len += (size_t)snprintf(line + len, sizeof(line) - len, "  %s", word);
	}
	out_line("%s", line);
}

void time_end(struct rows_table *t, size_t n)
{
	rows_table_end(t);
	if (n && !t->o->follow)
		print_legend();
}

static void json_call(struct json *j, const struct window *w, const struct sum_call *c)
{
	const struct win_edge *e = &w->edges.v[c->callee];

	json_object(j, NULL);
	json_string(j, "to", service_name(w, e->to));
	json_string(j, "protocol", e->protocol);
	json_number(j, "port", e->port ? e->port : NAN);
	json_number(j, "count", c->count);
	json_number(j, "ns", c->ns);
	json_object_end(j);
}

void json_time_parts(struct json *j, const struct window *w, const struct win_timing *timing, const struct sum_call *calls,
		     size_t n)
{
	char key[32];

	if (!(timing->count > 0)) {
		json_null(j, "time");
		return;
	}
	json_object(j, "time");
	json_number(j, "timed", timing->count);
	json_number(j, "timed_ns", timing->total_ns);
	for (int i = 0; i < TIME_PARTS; i++) {
		snprintf(key, sizeof(key), "%s_ns", time_part_table[i].name);
		json_number(j, key, timing->part_ns[i]);
	}
	json_number(j, "unknown_ns", win_timing_unknown(timing));
	json_array(j, "downstream");
	for (size_t i = 0; i < n; i++)
		json_call(j, w, &calls[i]);
	json_array_end(j);
	json_object_end(j);
}
