/* SPDX-License-Identifier: BSD-2-Clause */
/* The dictionaries of a file: each has numbers of its own, and so has the window. */
#include "store/load_row.h"

#include <errno.h>

static void keep_first(const char **at, const char *text)
{
	if (!*at)
		*at = text;
}

static int load_service(struct load *l, sqlite3_stmt *q)
{
	const char *name = load_text(q, 1);
	uint32_t id = name ? window_service(l->w, name) : WIN_NONE;
	struct win_service *v;

	if (!name)
		return load_corrupt(l, "a service has no name");
	if (id == WIN_NONE)
		return -ENOMEM;
	v = &l->w->services.v[id];
	keep_first(&v->kind, load_keep(l, q, 2));
	keep_first(&v->exe, load_keep(l, q, 3));
	keep_first(&v->why, load_keep(l, q, 4));
	keep_first(&v->image, load_keep(l, q, 5));
	keep_first(&v->node, load_keep(l, q, 6));
	return load_note(l, &l->services, q, "a service", id);
}

static int load_edge(struct load *l, sqlite3_stmt *q)
{
	uint32_t from, to = WIN_NONE;
	int rc = load_refer_known(l, &l->services, q, 1, "service", &from);

	if (rc == 0)
		rc = load_refer(l, &l->services, q, 2, "service", &to);
	return rc < 0 ? rc : load_note(l, &l->edges, q, "an edge",
				  window_edge(l->w, from, to, load_text(q, 3), (uint32_t)sqlite3_column_int(q, 4)));
}

static int load_op(struct load *l, sqlite3_stmt *q)
{
	const char *text = load_text(q, 1);

	return text ? load_note(l, &l->ops, q, "an operation", window_op(l->w, text)) : load_corrupt(l, "an operation has no text");
}

static int load_series(struct load *l, sqlite3_stmt *q)
{
	const char *metric = load_text(q, 2);
	uint32_t service = WIN_NONE;
	int rc = metric ? load_refer(l, &l->services, q, 1, "service", &service) : load_corrupt(l, "a series has no metric");

	return rc < 0 ? rc : load_note(l, &l->series, q, "a series", window_series(l->w, service, metric, load_text(q, 3)));
}

int load_names(struct load *l, unsigned what)
{
	int rc = load_each(l, sql_get(l->s, "SELECT id, name, kind, exe, why, image, node FROM service"), load_service);

	if (rc == 0)
		rc = load_each(l, sql_get(l->s, "SELECT id, src, dst, protocol, port FROM edge"), load_edge);
	if (rc == 0 && what & (LOAD_REQUESTS | LOAD_OUTCOMES | LOAD_SPANS | LOAD_DOWNSTREAM))
		rc = load_each(l, sql_get(l->s, "SELECT id, text FROM op"), load_op);
	if (rc == 0 && what & LOAD_POINTS)
		rc = load_each(l, sql_get(l->s, "SELECT id, service, metric, device FROM series"), load_series);
	return rc;
}
