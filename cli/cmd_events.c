/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "command.h"
#include "out.h"
#include "rows.h"
#include "table.h"

static const struct table_column columns[] = {
	{"TIME"}, {"SERVICE", false, true}, {"KIND"}, {"DETAIL", false, true}, {"BY", false, true},
};

static bool wanted(const struct options *o, const struct summary *s, const struct win_event *e)
{
	return e->t_ns >= s->since_ns && e->t_ns <= s->until_ns && service_wanted(o, s->window, e->service, e->service);
}

static size_t text(const struct summary *s, const struct options *o)
{
	const struct window *w = s->window;
	struct table t;
	size_t n = 0;
	char at[16];

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < w->events.n; i++) {
		const struct win_event *e = &w->events.v[i];

		if (!wanted(o, s, e))
			continue;
		table_text(&t, time_clock(at, sizeof(at), e->t_ns));
		table_text(&t, service_name(w, e->service));
		table_text(&t, e->kind);
		table_text(&t, e->detail);
		table_text(&t, e->actor);
		n++;
	}
	if (n)
		table_print(&t);
	table_done(&t);
	return n;
}

static size_t json(const struct summary *s, const struct options *o, struct json *j)
{
	const struct window *w = s->window;
	size_t n = 0;

	for (size_t i = 0; i < w->events.n && !out_closed(); i++) {
		const struct win_event *e = &w->events.v[i];

		if (!wanted(o, s, e))
			continue;
		row_begin(j, "event");
		json_time(j, "t", e->t_ns);
		json_string(j, "service", service_name(w, e->service));
		json_string(j, "kind", e->kind);
		json_string(j, "detail", e->detail);
		json_string(j, "version_before", e->version_before);
		json_string(j, "version_after", e->version_after);
		json_string(j, "actor", e->actor);
		if (e->pid)
			json_uint(j, "pid", e->pid);
		else
			json_null(j, "pid");
		row_end(j);
		n++;
	}
	return n;
}

int cmd_events(const struct command *c, struct options *o, int argc, char **argv)
{
	static const struct rows rows = {"events/1", "no events", LOAD_EVENTS, true, text, json};

	return rows_command(&rows, o);
}
