/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/sweep.h"

#include <errno.h>
#include <stdlib.h>

#include "store/handle.h"

#define ID_MOST (16u << 20)       /* of ids that are marked: past it a pass ends without deleting anything */

/* Which facts refer to which names. */
static const struct { enum sweep_table table; const char *sql; } fact_table[] = {
	{SWEEP_EDGE, "SELECT edge FROM requests WHERE tick = ?1"}, {SWEEP_OP, "SELECT op FROM requests WHERE tick = ?1"},
	{SWEEP_EDGE, "SELECT edge FROM outcome WHERE tick = ?1"}, {SWEEP_OP, "SELECT op FROM outcome WHERE tick = ?1"},
	{SWEEP_EDGE, "SELECT edge FROM downstream WHERE tick = ?1"}, {SWEEP_OP, "SELECT op FROM downstream WHERE tick = ?1"},
	{SWEEP_EDGE, "SELECT callee FROM downstream WHERE tick = ?1"},
	{SWEEP_EDGE, "SELECT edge FROM tls WHERE tick = ?1"},
	{SWEEP_EDGE, "SELECT edge FROM tcp WHERE tick = ?1"}, {SWEEP_SERIES, "SELECT series FROM point WHERE tick = ?1"},
	{SWEEP_CGROUP, "SELECT cgroup FROM cgroup_tick WHERE tick = ?1"},
	{SWEEP_STACK, "SELECT stack FROM profile WHERE tick = ?1"}, {SWEEP_SERVICE, "SELECT service FROM profile WHERE tick = ?1"},
};

/* What refers to names and is no fact of a tick, and the end of those that were not met, in the order of the enum. */
static const struct { const char *also, *ids, *drop; } name_table[SWEEP_TABLES] = {
	[SWEEP_EDGE] = {"SELECT edge FROM span", "SELECT id FROM edge", "DELETE FROM edge WHERE id = ?1"},
	[SWEEP_OP] = {"SELECT op FROM span", "SELECT id FROM op", "DELETE FROM op WHERE id = ?1"},
	[SWEEP_SERIES] = {NULL, "SELECT id FROM series", "DELETE FROM series WHERE id = ?1"},
	[SWEEP_CGROUP] = {NULL, "SELECT id FROM cgroup", "DELETE FROM cgroup WHERE id = ?1"},
	/* "(other)" stays; the youngest first, so that a stack is met after all that it is the caller of */
	[SWEEP_STACK] = {"SELECT 1", "SELECT id, parent FROM stack ORDER BY id DESC", "DELETE FROM stack WHERE id = ?1"},
	[SWEEP_FRAME] = {"SELECT frame FROM stack", "SELECT id FROM frame", "DELETE FROM frame WHERE id = ?1"},
	[SWEEP_SERVICE] = {"SELECT src FROM edge UNION SELECT dst FROM edge UNION SELECT service FROM series UNION "
			   "SELECT service FROM pattern UNION SELECT service FROM process UNION SELECT service FROM cgroup UNION "
			   "SELECT service FROM event UNION SELECT service FROM span",
			   "SELECT id FROM service", "DELETE FROM service WHERE id = ?1"},
};

void sweep_reset(struct store *s)
{
	s->sweep.tick = 0;
	s->sweep.table = 0;
	for (int i = 0; i < SWEEP_TABLES; i++)
		s->sweep.used[i].n = 0;
}

void sweep_done(struct sweep *w)
{
	for (int i = 0; i < SWEEP_TABLES; i++)
		vec_done(&w->used[i]);
}

static int mark(struct store *s, enum sweep_table table, int64_t id)
{
	if (id <= 0)
		return 0;
	if (id >= ID_MOST)
		return -ERANGE;
	while (s->sweep.used[table].n <= (size_t)id)
		if (!vec_push(&s->sweep.used[table]))
			return -ENOMEM;
	s->sweep.used[table].v[id] = 1;
	return 0;
}

static bool is_marked(const struct store *s, enum sweep_table table, int64_t id)
{
	return id >= ID_MOST || ((size_t)id < s->sweep.used[table].n && s->sweep.used[table].v[id]);
}

/* Marks the ids that a statement with its bindings gives. */
static int mark_rows(struct store *s, enum sweep_table table, sqlite3_stmt *q)
{
	int rc = q ? 0 : -EIO;

	while (rc == 0 && (rc = sql_step(s, q)) > 0)
		rc = mark(s, table, sqlite3_column_int64(q, 0));
	if (rc < 0 && q)
		sqlite3_reset(q);
	return rc;
}

static int mark_map(struct store *s, enum sweep_table table, const struct map *m)
{
	const void *key;
	void *value;
	size_t it = 0;
	int rc = 0;

	while (rc == 0 && map_next(m, &it, &key, &value))
		rc = mark(s, table, *(uint32_t *)value);
	return rc;
}

/* The writer may refer to these with its next tick, or has since the pass began. */
static int mark_live(struct store *s)
{
	const struct dict *d = &s->dict;
	int rc = mark_map(s, SWEEP_SERIES, &d->series);

	if (rc == 0)
		rc = mark_map(s, SWEEP_CGROUP, &d->cgroups);
	for (size_t i = 0; rc == 0 && i < d->services.n; i++)
		rc = mark(s, SWEEP_SERVICE, d->services.v[i].row);
	for (size_t i = 0; rc == 0 && i < d->edges.n; i++)
		rc = mark(s, SWEEP_EDGE, d->edges.v[i].row);
	for (size_t i = 0; rc == 0 && i < d->ops.n; i++)
		rc = mark(s, SWEEP_OP, d->ops.v[i].row);
	return rc;
}

static int mark_tick(struct store *s, int64_t tick)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(fact_table) / sizeof(*fact_table); i++) {
		sqlite3_stmt *q = sql_get(s, fact_table[i].sql);

		if (q)
			sqlite3_bind_int64(q, 1, tick);
		rc = mark_rows(s, fact_table[i].table, q);
	}
	return rc;
}

static int drop_unmarked(struct store *s, enum sweep_table table)
{
	sqlite3_stmt *ids = sql_get(s, name_table[table].ids), *drop = sql_get(s, name_table[table].drop);
	int rc = mark_live(s);

	if (rc == 0 && name_table[table].also)
		rc = mark_rows(s, table, sql_get(s, name_table[table].also));
	while (rc == 0 && ids && (rc = sql_step(s, ids)) > 0) {
		int64_t id = sqlite3_column_int64(ids, 0);

		rc = 0;
		if (is_marked(s, table, id)) {
			if (sqlite3_column_count(ids) > 1)
				rc = mark(s, table, sqlite3_column_int64(ids, 1));
			continue;
		}
		sqlite3_bind_int64(drop, 1, id);
		rc = sql_run(s, drop);
	}
	sqlite3_reset(ids);
	if (table == SWEEP_STACK || table == SWEEP_FRAME)
		dict_forget_stacks(&s->dict);
	return rc;
}

/* The next tick back. 1: there is one, 0: none, negative. */
static int tick_back(struct store *s)
{
	sqlite3_stmt *q = sql_get(s, "SELECT max(id) FROM tick WHERE id < ?1");
	int rc = q ? 0 : -EIO;
	int64_t id;

	if (rc < 0)
		return rc;
	sqlite3_bind_int64(q, 1, s->sweep.tick ? s->sweep.tick : INT64_MAX);
	rc = sql_step(s, q);
	id = rc > 0 ? sqlite3_column_int64(q, 0) : 0;
	sqlite3_reset(q);
	if (rc >= 0 && id > 0)
		s->sweep.tick = id;
	return rc < 0 ? rc : id > 0;
}

static int slice(struct store *s)
{
	int rc;

	if (s->sweep.table == 0) {
		rc = tick_back(s);
		if (rc != 0)
			return rc < 0 ? rc : mark_tick(s, s->sweep.tick);
	}
	/* What was imported is never pruned, its names included. */
	if (s->sweep.table == 0 && sql_int(s, "SELECT max(source) FROM tick", 0) == SOURCE_IMPORTED) {
		sweep_reset(s);
		return 0;
	}
	rc = drop_unmarked(s, (enum sweep_table)s->sweep.table);
	if (++s->sweep.table == SWEEP_TABLES)
		sweep_reset(s);
	return rc;
}

int sweep_keep(struct store *s, enum sweep_table table, int64_t id)
{
	int rc = mark(s, table, id);

	return rc == -ERANGE ? 0 : rc;
}

int sweep_slice(struct store *s)
{
	int rc = slice(s);

	if (rc == -ERANGE) {
		sweep_reset(s);
		rc = 0;
	}
	return rc;
}
