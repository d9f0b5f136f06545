/* SPDX-License-Identifier: BSD-2-Clause */
/* From rows to a window: which rows, in one read transaction, and of what range. */
#include "store/load_row.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/coverage.h"
#include "store/open.h"
#include "store/rows.h"

static int load_tick(struct load *l, sqlite3_stmt *q)
{
	struct interval *v = vec_push(&l->ticks);
	struct win_tick *t = vec_push(&l->w->ticks);
	struct win_coverage *c = &l->w->coverage;

	if (!v || !t)
		return -ENOMEM;
	v->id = sqlite3_column_int64(q, 0);
	v->t_ns = sqlite3_column_int64(q, 1);
	v->dur_ns = sqlite3_column_int64(q, 2);
	if (v->t_ns < 0 || v->dur_ns < 0 || v->t_ns > INT64_MAX - v->dur_ns)
		return load_corrupt(l, "an interval of %lld ns", (long long)v->dur_ns);
	*t = (struct win_tick){v->t_ns, v->dur_ns};
	if (sqlite3_column_type(q, 3) != SQLITE_NULL) {
		c->events = (isnan(c->events) ? 0 : c->events) + sqlite3_column_double(q, 3);
		c->lost_events = (isnan(c->lost_events) ? 0 : c->lost_events) + sqlite3_column_double(q, 4);
	}
	if (sqlite3_column_type(q, 5) != SQLITE_NULL) {
		double weight = sqlite3_column_double(q, 5);

		c->weight = fmax(isnan(c->weight) ? 1 : c->weight, weight);
		c->blind_s += weight < 1 ? (double)v->dur_ns / NS_PER_S : 0;
	}
	return 0;
}

static int load_event(struct load *l, sqlite3_stmt *q)
{
	uint32_t service;
	int rc = load_refer_known(l, &l->services, q, 1, "service", &service);
	struct win_event *v = rc < 0 ? NULL : vec_push(&l->w->events);

	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	v->t_ns = sqlite3_column_int64(q, 0);
	v->service = service;
	v->kind = load_keep(l, q, 2);
	v->detail = load_keep(l, q, 3);
	v->version_before = load_keep(l, q, 4);
	v->version_after = load_keep(l, q, 5);
	v->actor = load_keep(l, q, 6);
	v->pid = (uint32_t)sqlite3_column_int64(q, 7);
	return 0;
}

static int load_process(struct load *l, sqlite3_stmt *q)
{
	uint32_t service;
	int rc = load_refer_known(l, &l->services, q, 3, "service", &service);
	struct win_process *v = rc < 0 ? NULL : vec_push(&l->w->processes);

	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	v->pid = (uint32_t)sqlite3_column_int64(q, 0);
	v->start_ns = sqlite3_column_int64(q, 1);
	v->ppid = (uint32_t)sqlite3_column_int64(q, 2);
	v->service = service;
	v->comm = load_keep(l, q, 4);
	v->exe = load_keep(l, q, 5);
	v->cmdline = load_keep(l, q, 6);
	v->cgroup = load_keep(l, q, 7);
	v->end_ns = sqlite3_column_int64(q, 8);
	return 0;
}

static int load_ranged(struct load *l, const char *sql, int (*each)(struct load *l, sqlite3_stmt *q))
{
	sqlite3_stmt *q = sql_get(l->s, sql);

	sqlite3_bind_int64(q, 1, l->since_ns);
	sqlite3_bind_int64(q, 2, l->until_ns);
	return load_each(l, q, each);
}

static int load_span(struct load *l, sqlite3_stmt *q)
{
	uint32_t service, edge = WIN_NONE, op = WIN_NONE;
	int rc = load_refer(l, &l->services, q, 0, "service", &service);
	struct win_span *v;

	if (rc == 0)
		rc = load_refer_known(l, &l->edges, q, 1, "edge", &edge);
	if (rc == 0)
		rc = load_refer_known(l, &l->ops, q, 2, "operation", &op);
	v = rc < 0 ? NULL : vec_push(&l->w->spans);
	if (!v)
		return rc < 0 ? rc : -ENOMEM;
	*v = (struct win_span){
		.service = service, .edge = edge, .op = op, .t_ns = sqlite3_column_int64(q, 3), .dur_ns = sqlite3_column_int64(q, 4),
		.trace = load_keep(l, q, 5), .id = load_keep(l, q, 6), .parent = load_keep(l, q, 7), .status = load_keep(l, q, 8),
		.error = load_keep(l, q, 9), .detail = load_keep(l, q, 10), .method = load_keep(l, q, 11),
		.confidence = load_real(q, 12), .row = sqlite3_column_int64(q, 13),
	};
	for (int i = 0; i < TIME_PARTS; i++) {
		v->part_ns[i] = sqlite3_column_double(q, 14 + i);          /* NULL is 0: another tracer may know some only */
		v->timed |= sqlite3_column_type(q, 14 + i) != SQLITE_NULL;
	}
	if (!v->trace || !v->id)
		return load_corrupt(l, "a span has no name");
	if (v->t_ns < 0 || v->dur_ns < 0 || v->t_ns > INT64_MAX - v->dur_ns)
		return load_corrupt(l, "a span of %lld ns", (long long)v->dur_ns);
	return 0;
}

#define TICKS_IN "t_ns < ?2 AND t_ns + dur_ns > ?1"

#define SPAN_COLUMNS "service, edge, op, t_ns, dur_ns, trace, span, parent, status, error, detail, method, confidence, id, " PART_COLUMNS
#define SPANS_IN "t_ns < ?2 AND t_ns + dur_ns >= ?1"

/* Those in the range, and then, where there are others, what lies outside of it of the traces that are inside. */
static int load_spans(struct load *l)
{
	int rc = load_ranged(l, "SELECT " SPAN_COLUMNS " FROM span WHERE " SPANS_IN " ORDER BY t_ns, id", load_span);

	if (rc < 0 || (sql_int(l->s, "SELECT min(t_ns) FROM span", 0) >= l->since_ns &&
		       sql_int(l->s, "SELECT max(t_ns) FROM span", 0) < l->until_ns))
		return rc;
	return load_ranged(l, "SELECT " SPAN_COLUMNS " FROM span WHERE NOT (+" SPANS_IN ") AND trace IN "
			      "(SELECT trace FROM span WHERE " SPANS_IN ")", load_span);
}

static int load_rows(struct load *l, unsigned what)
{
	int rc = load_names(l, what);

	if (rc == 0)
		rc = load_ranged(l, "SELECT id, t_ns, dur_ns, events, ifnull(lost, 0), weight FROM tick WHERE " TICKS_IN " ORDER BY t_ns",
				 load_tick);
	if (rc == 0)
		rc = load_facts(l, what);
	if (rc == 0 && what & LOAD_EVENTS)
		rc = load_ranged(l, "SELECT t_ns, service, kind, detail, version_before, version_after, actor, pid FROM event "
				    "WHERE t_ns >= ?1 AND t_ns < ?2 ORDER BY t_ns, id", load_event);
	if (rc == 0 && what & LOAD_PROCESSES)
		rc = load_ranged(l, "SELECT pid, start_ns, ppid, service, comm, exe, cmdline, cgroup, end_ns FROM process "
				    "WHERE start_ns < ?2 AND last_ns + 60000000000 >= ?1 ORDER BY start_ns, id", load_process);
	if (rc == 0 && what & LOAD_SPANS)
		rc = load_spans(l);
	return rc;
}

/* Ranges grow when several files are read as one. */
static int set_ranges(struct load *l, bool fresh)
{
	struct window *w = l->w;
	int64_t first_ns, last_ns;
	int rc = span_range(l->s, &first_ns, &last_ns);

	if (rc < 0 || last_ns == 0)
		return rc;
	if (fresh || first_ns < w->first_ns)
		w->first_ns = first_ns;
	if (fresh || last_ns > w->last_ns)
		w->last_ns = last_ns;
	w->since_ns = l->since_ns > w->first_ns ? l->since_ns : w->first_ns;
	w->until_ns = l->until_ns < w->last_ns ? l->until_ns : w->last_ns;
	if (w->until_ns < w->since_ns)
		w->until_ns = w->since_ns;
	return 0;
}

static double profile_hz(struct store *s)
{
	char *text = store_meta(s, "profile_hz");
	double hz = text ? strtod(text, NULL) : NAN;

	free(text);
	return hz >= 1 && hz <= 1e6 ? hz : NAN;
}

static void load_done(struct load *l)
{
	vec_done(&l->ticks);
	map_done(&l->services);
	map_done(&l->edges);
	map_done(&l->ops);
	map_done(&l->series);
	map_done(&l->stacks);
}

int store_load(struct store *s, int64_t since_ns, int64_t until_ns, unsigned what, struct window *w, struct store_error *err)
{
	struct load l = {.s = s, .w = w, .since_ns = since_ns, .until_ns = until_ns};
	struct map *const maps[] = {&l.services, &l.edges, &l.ops, &l.series, &l.stacks};
	bool fresh = w->last_ns == 0;
	int rc = store_refresh(s);

	if (rc == 0)
		rc = sql_exec(s, "BEGIN");
	if (rc < 0)
		return error_from(s, err, rc);
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++)
		map_init(maps[i], sizeof(int64_t), sizeof(uint32_t), 0);
	if (fresh)
		w->coverage.events = w->coverage.lost_events = w->coverage.weight = NAN;
	rc = set_ranges(&l, fresh);
	if (rc == 0)
		rc = load_rows(&l, what);
	if (rc == 0)
		rc = coverage_notes(s, since_ns, until_ns, w);
	if (rc == 0 && what & LOAD_PROFILE && isnan(w->profile_hz))
		w->profile_hz = profile_hz(s);
	if (rc == 0 && !w->node) {
		char *node = store_meta(s, "node");

		w->node = node ? arena_strdup(&w->arena, node) : NULL;
		free(node);
	}
	sql_rollback(s);
	load_done(&l);
	window_sort(w);
	if (rc == -EINVAL)
		snprintf(s->why, sizeof(s->why), "is corrupt: a histogram cannot be read; copy the file again from its source");
	return rc < 0 ? error_from(s, err, rc == -EINVAL ? -ENODATA : rc) : 0;
}
