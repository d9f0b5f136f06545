/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/handle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct series_key { uint32_t service, metric, device, pad; };
struct process_key { int64_t start_ns; uint32_t pid, pad; };
struct stack_key { uint32_t parent, frame; };
struct process_row { uint32_t row; uint32_t pad; int64_t last_ns; uint64_t facts; };

#define PROCESSES_KEPT 16384      /* process rows remembered; past it they are looked up in the file */
#define STACKS_KEPT 16384          /* frames of stacks remembered, likewise */
#define FRAME_BYTES_MAX 255
#define LAST_SEEN_NS (60 * 1000000000ll)
#define SAME_START_NS 1000000000ll   /* starts of one pid this close are the same process */

void dict_init(struct dict *d)
{
	memset(d, 0, sizeof(*d));
	map_init(&d->series, sizeof(struct series_key), sizeof(uint32_t), 0);
	map_init(&d->cgroups, sizeof(uint32_t), sizeof(uint32_t), 0);
	map_init(&d->processes, sizeof(struct process_key), sizeof(struct process_row), 0);
	intern_init(&d->names, 0);
	map_init(&d->frames, sizeof(uint64_t), sizeof(uint32_t), 0);
	map_init(&d->stacks, sizeof(struct stack_key), sizeof(uint32_t), 0);
}

static void service_clear(struct dict_service *v)
{
	free(v->name);
	free(v->kind);
	free(v->exe);
	free(v->why);
	free(v->image);
}

void dict_done(struct dict *d)
{
	for (size_t i = 0; i < d->services.n; i++)
		service_clear(&d->services.v[i]);
	for (size_t i = 0; i < d->edges.n; i++)
		free(d->edges.v[i].protocol);
	for (size_t i = 0; i < d->ops.n; i++)
		free(d->ops.v[i].text);
	vec_done(&d->services);
	vec_done(&d->edges);
	vec_done(&d->ops);
	map_done(&d->series);
	map_done(&d->cgroups);
	map_done(&d->processes);
	intern_done(&d->names);
	map_done(&d->frames);
	map_done(&d->stacks);
}

void dict_forget(struct dict *d)
{
	for (size_t i = 0; i < d->services.n; i++) {
		d->services.v[i].row = 0;
		d->services.v[i].dirty = true;
	}
	for (size_t i = 0; i < d->edges.n; i++) {
		d->edges.v[i].row = 0;
		d->edges.v[i].dirty = true;
	}
	for (size_t i = 0; i < d->ops.n; i++)
		d->ops.v[i].row = 0;
	map_reset(&d->series);
	map_reset(&d->cgroups);
	map_reset(&d->processes);
	dict_forget_stacks(d);
}

void dict_forget_stacks(struct dict *d)
{
	map_reset(&d->frames);
	map_reset(&d->stacks);
}

/* Replaces *at by a copy of s; false: no memory. */
static bool text_keep(char **at, const char *s)
{
	char *copy = s ? strdup(s) : NULL;

	if (s && !copy)
		return false;
	free(*at);
	*at = copy;
	return true;
}

#define GROW_TO(vec, id) while ((vec)->n <= (id)) if (!vec_push(vec)) return -ENOMEM

static int service_absorb(struct dict *d, const struct tick_service *t)
{
	struct dict_service *v;

	GROW_TO(&d->services, t->id);
	v = &d->services.v[t->id];
	if (v->name && strcmp(v->name, t->name) != 0)
		v->row = 0;
	v->dirty = true;
	if (!text_keep(&v->name, t->name) || !text_keep(&v->kind, t->kind) || !text_keep(&v->exe, t->exe) ||
	    !text_keep(&v->why, t->why) || !text_keep(&v->image, t->image))
		return -ENOMEM;
	return 0;
}

static int edge_absorb(struct dict *d, const struct tick_edge *t)
{
	struct dict_edge *v;

	GROW_TO(&d->edges, t->id);
	v = &d->edges.v[t->id];
	v->from = t->from;
	v->to = t->to;
	v->port = t->port;
	v->defined = v->dirty = true;
	return text_keep(&v->protocol, t->protocol) ? 0 : -ENOMEM;
}

static int op_absorb(struct dict *d, const struct tick_op *t)
{
	GROW_TO(&d->ops, t->id);
	d->ops.v[t->id].row = 0;
	return text_keep(&d->ops.v[t->id].text, t->text) ? 0 : -ENOMEM;
}

int dict_absorb(struct dict *d, const struct tick *t)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < t->services.n; i++)
		rc = service_absorb(d, &t->services.v[i]);
	for (size_t i = 0; !rc && i < t->edges.n; i++)
		rc = edge_absorb(d, &t->edges.v[i]);
	for (size_t i = 0; !rc && i < t->ops.n; i++)
		rc = op_absorb(d, &t->ops.v[i]);
	return rc;
}

/* The id in the first column of a statement with its bindings made, 0 where there is no row. */
static int64_t id_of(struct store *s, sqlite3_stmt *q)
{
	int64_t id;
	int rc = q ? sql_step(s, q) : -EIO;

	if (rc <= 0)
		return rc;
	id = sqlite3_column_int64(q, 0);
	sqlite3_reset(q);
	return id;
}

static int64_t inserted(struct store *s, sqlite3_stmt *q)
{
	int rc = sql_run(s, q);

	return rc < 0 ? rc : sqlite3_last_insert_rowid(s->db);
}

/* The id of the row of this text, made where there is none. Both statements take the text as ?1. */
static int64_t row_of_text(struct store *s, const char *find, const char *make, const char *text)
{
	sqlite3_stmt *q = sql_get(s, find);
	int64_t id;

	bind_text(q, 1, text);
	id = id_of(s, q);
	if (id)
		return id;
	q = sql_get(s, make);
	bind_text(q, 1, text);
	return inserted(s, q);
}

int64_t row_service(struct store *s, const char *name)
{
	return row_of_text(s, "SELECT id FROM service WHERE name = ?1", "INSERT INTO service(name) VALUES(?1)", name);
}

int row_service_set(struct store *s, int64_t row, const char *kind, const char *exe, const char *why, const char *image,
		    const char *node)
{
	const char *const field[] = {kind, exe, why, image, node};
	sqlite3_stmt *q = sql_get(s, "UPDATE service SET kind = ifnull(?2, kind), exe = ifnull(?3, exe), why = ifnull(?4, why), "
				     "image = ifnull(?5, image), node = ifnull(?6, node) WHERE id = ?1");

	sqlite3_bind_int64(q, 1, row);
	for (int i = 0; i < 5; i++)
		bind_text(q, 2 + i, field[i]);
	return sql_run(s, q);
}

/* An edge that is only known as "tcp" is one that a better name was found for before, where there is one such row. */
#define EDGE_BETTER "SELECT max(id) FROM edge WHERE dst = ?1 AND ifnull(src, 0) = ?2 AND port = ?3 " \
		    "AND protocol NOT IN ('tcp', 'udp', 'quic', 'dns') HAVING count(*) = 1"
#define EDGE_SAME "SELECT id FROM edge WHERE dst = ?1 AND ifnull(src, 0) = ?2 AND port = ?3 AND ifnull(protocol, '') = ?4"

static int64_t edge_find(struct store *s, const char *sql, int64_t src, int64_t dst, const char *protocol, int port)
{
	sqlite3_stmt *q = sql_get(s, sql);

	sqlite3_bind_int64(q, 1, dst);
	sqlite3_bind_int64(q, 2, src);
	sqlite3_bind_int(q, 3, port);
	if (sqlite3_bind_parameter_count(q) > 3)
		bind_text(q, 4, protocol ? protocol : "");
	return id_of(s, q);
}

int64_t row_edge(struct store *s, int64_t src, int64_t dst, const char *protocol, int port)
{
	int64_t id = edge_find(s, EDGE_SAME, src, dst, protocol, port);
	sqlite3_stmt *q;

	if (id)
		return id;
	q = sql_get(s, "INSERT INTO edge(src, dst, protocol, port) VALUES(?1, ?2, ?3, ?4)");
	bind_id(q, 1, (uint32_t)src);
	sqlite3_bind_int64(q, 2, dst);
	bind_text(q, 3, protocol);
	sqlite3_bind_int(q, 4, port);
	return inserted(s, q);
}

int64_t row_op(struct store *s, const char *text)
{
	return row_of_text(s, "SELECT id FROM op WHERE text = ?1", "INSERT INTO op(text) VALUES(?1)", text);
}

int64_t row_series(struct store *s, int64_t service, const char *metric, const char *device)
{
	sqlite3_stmt *q = sql_get(s, "SELECT id FROM series WHERE service = ?1 AND metric = ?2 AND ifnull(device, '') = ?3");
	int64_t id;

	sqlite3_bind_int64(q, 1, service);
	bind_text(q, 2, metric);
	bind_text(q, 3, device ? device : "");
	id = id_of(s, q);
	if (id)
		return id;
	q = sql_get(s, "INSERT INTO series(service, metric, device) VALUES(?1, ?2, ?3)");
	sqlite3_bind_int64(q, 1, service);
	bind_text(q, 2, metric);
	bind_text(q, 3, device);
	return inserted(s, q);
}

int64_t row_pattern(struct store *s, int64_t service, const char *template, const char *level, const char *sample)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO pattern(service, template, level, sample) VALUES(?1, ?2, ?3, ?4) "
				     "ON CONFLICT DO UPDATE SET sample = ifnull(excluded.sample, sample) RETURNING id");
	int64_t id;

	sqlite3_bind_int64(q, 1, service);
	bind_text(q, 2, template);
	bind_text(q, 3, level);
	bind_text(q, 4, sample);
	id = id_of(s, q);
	return id;
}

int64_t row_cgroup(struct store *s, const char *path, int64_t service)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO cgroup(path, service) VALUES(?1, ?2) "
				     "ON CONFLICT DO UPDATE SET service = ifnull(excluded.service, service) RETURNING id");

	bind_text(q, 1, path);
	bind_id(q, 2, (uint32_t)service);
	return id_of(s, q);
}

int64_t dict_service(struct store *s, uint32_t id)
{
	struct dict_service *v;
	int64_t row;
	int rc;

	if (id >= s->dict.services.n || !s->dict.services.v[id].name)
		return -EINVAL;
	v = &s->dict.services.v[id];
	if (v->row && !v->dirty)
		return v->row;
	row = row_service(s, v->name);
	if (row < 0)
		return row;
	rc = row_service_set(s, row, v->kind, v->exe, v->why, v->image, NULL);
	if (rc < 0)
		return rc;
	v->row = (uint32_t)row;
	v->dirty = false;
	return row;
}

/* The protocol of a known row got a better name: rename the row, or go over to the one that has this name already. */
static int64_t edge_rename(struct store *s, struct dict_edge *v, int64_t src, int64_t dst)
{
	int64_t same = edge_find(s, EDGE_SAME, src, dst, v->protocol, v->port);
	sqlite3_stmt *q;
	int rc;

	if (same)
		return same;
	q = sql_get(s, "UPDATE edge SET protocol = ?2 WHERE id = ?1");
	sqlite3_bind_int64(q, 1, v->row);
	bind_text(q, 2, v->protocol);
	rc = sql_run(s, q);
	return rc < 0 ? rc : (int64_t)v->row;
}

int64_t dict_edge(struct store *s, uint32_t id)
{
	struct dict_edge *v;
	int64_t src, dst, row = 0;

	if (id >= s->dict.edges.n || !s->dict.edges.v[id].defined)
		return -EINVAL;
	v = &s->dict.edges.v[id];
	if (v->row && !v->dirty)
		return v->row;
	src = v->from == ID_NONE ? 0 : dict_service(s, v->from);
	dst = dict_service(s, v->to);
	if (src < 0 || dst < 0)
		return src < 0 ? src : dst;
	if (v->row)
		row = edge_rename(s, v, src, dst);
	else if (v->protocol && strcmp(v->protocol, "tcp") == 0)
		row = edge_find(s, EDGE_BETTER, src, dst, NULL, v->port);
	if (!row)
		row = row_edge(s, src, dst, v->protocol, v->port);
	if (row < 0)
		return row;
	v->row = (uint32_t)row;
	v->dirty = false;
	return row;
}

int64_t dict_op(struct store *s, uint32_t id)
{
	struct dict_op *v;

	if (id == ID_NONE)
		return 0;
	if (id >= s->dict.ops.n || !s->dict.ops.v[id].text)
		return -EINVAL;
	v = &s->dict.ops.v[id];
	if (!v->row) {
		int64_t row = row_op(s, v->text);

		if (row < 0)
			return row;
		v->row = (uint32_t)row;
	}
	return v->row;
}

int64_t dict_series(struct store *s, uint32_t service, enum metric_id metric, const char *device)
{
	struct series_key key = {.service = service, .metric = (uint32_t)metric, .device = INTERN_NONE};
	uint32_t *at;
	int64_t row;

	if (device)
		key.device = intern_put(&s->dict.names, device, strlen(device));
	at = map_get(&s->dict.series, &key);
	if (at)
		return *at;
	if ((unsigned)metric >= METRIC_MAX)
		return -EINVAL;
	row = dict_service(s, service);
	if (row > 0)
		row = row_series(s, row, metric_name(metric), device);
	if (row > 0) {
		at = map_put(&s->dict.series, &key, NULL);
		if (!at)
			return -ENOMEM;
		*at = (uint32_t)row;
	}
	return row;
}

/* A hash of what a row says of a process beside its identity: an exec changes it within a minute. */
static uint64_t process_facts(const struct tick_process *p)
{
	const char *const text[] = {p->comm, p->exe, p->cmdline, p->cgroup};
	uint64_t part[6] = {p->service, p->ppid};

	for (int i = 0; i < 4; i++)
		part[2 + i] = text[i] ? hash_bytes(text[i], strlen(text[i])) : 0;
	return hash_bytes(part, sizeof(part));
}

/* The start that the file has for this process. The kernel counts it from boot, so two recorders that read the clocks at
 * different times find starts some µs apart. One that ended before is another process. */
static int64_t process_start(struct store *s, const struct tick_process *p)
{
	int64_t start_ns = whole_us(p->start_unix_ns), known;
	sqlite3_stmt *q = sql_get(s, "SELECT start_ns FROM process WHERE pid = ?1 AND start_ns > 0 AND start_ns BETWEEN ?2 - ?3 AND ?2 + ?3 "
				     "AND (start_ns = ?2 OR end_ns IS NULL OR end_ns > ?2) ORDER BY abs(start_ns - ?2) LIMIT 1");

	sqlite3_bind_int64(q, 1, p->pid);
	sqlite3_bind_int64(q, 2, start_ns);
	sqlite3_bind_int64(q, 3, SAME_START_NS);
	known = id_of(s, q);
	return known > 0 ? known : start_ns;     /* a failure shows again in the write */
}

static int64_t process_write(struct store *s, const struct tick_process *p, int64_t start_ns, int64_t service, int64_t now_ns)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO process(pid, start_ns, ppid, service, comm, exe, cmdline, cgroup, last_ns, source) "
				     "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0) ON CONFLICT DO UPDATE SET service = excluded.service, "
				     "ppid = excluded.ppid, comm = excluded.comm, exe = excluded.exe, cmdline = excluded.cmdline, "
				     "cgroup = excluded.cgroup, last_ns = excluded.last_ns RETURNING id");
	const char *const text[] = {p->comm, p->exe, p->cmdline, p->cgroup};

	sqlite3_bind_int64(q, 1, p->pid);
	sqlite3_bind_int64(q, 2, start_ns);
	bind_id(q, 3, p->ppid);
	bind_id(q, 4, (uint32_t)service);
	for (int i = 0; i < 4; i++)
		bind_text(q, 5 + i, text[i]);
	sqlite3_bind_int64(q, 9, now_ns);
	return id_of(s, q);
}

int64_t dict_process(struct store *s, const struct tick_process *p, int64_t now_ns, bool apart)
{
	struct process_key key = {.start_ns = p->start_unix_ns, .pid = p->pid};
	struct process_row *at = map_get(&s->dict.processes, &key);
	uint64_t facts = process_facts(p);
	int64_t service, start_ns, row;

	if (at && !apart && at->facts == facts && now_ns - at->last_ns < LAST_SEEN_NS && now_ns >= at->last_ns)
		return at->row;
	service = p->service == ID_NONE ? 0 : dict_service(s, p->service);
	if (service < 0)
		return service;
	start_ns = apart ? whole_us(p->start_unix_ns) : process_start(s, p);
	row = process_write(s, p, start_ns, service, now_ns);
	if (row <= 0)
		return row ? row : -EIO;
	if (s->dict.processes.n >= PROCESSES_KEPT)
		map_reset(&s->dict.processes);
	at = map_put(&s->dict.processes, &key, NULL);
	if (at)
		*at = (struct process_row){.row = (uint32_t)row, .last_ns = now_ns, .facts = facts};
	return row;
}

int64_t dict_cgroup(struct store *s, const struct tick_cgroup *g)
{
	uint32_t name = intern_put(&s->dict.names, g->path, strlen(g->path));
	uint32_t *at = map_get(&s->dict.cgroups, &name);
	int64_t service, row;

	if (at)
		return *at;
	service = g->service == ID_NONE ? 0 : dict_service(s, g->service);
	row = service < 0 ? service : row_cgroup(s, g->path, service);
	if (row <= 0)
		return row ? row : -EIO;
	at = map_put(&s->dict.cgroups, &name, NULL);
	if (!at)
		return -ENOMEM;
	*at = (uint32_t)row;
	return row;
}

int64_t row_frame(struct store *s, const char *name)
{
	return row_of_text(s, "SELECT id FROM frame WHERE name = ?1", "INSERT INTO frame(name) VALUES(?1)", name);
}

int64_t row_stack(struct store *s, int64_t parent, int64_t frame)
{
	sqlite3_stmt *q = sql_get(s, "SELECT id FROM stack WHERE parent = ?1 AND frame = ?2");
	int64_t id;

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, parent);
	sqlite3_bind_int64(q, 2, frame);
	id = id_of(s, q);
	if (id)
		return id;
	q = sql_get(s, "INSERT INTO stack(parent, frame) VALUES(?1, ?2)");
	sqlite3_bind_int64(q, 1, parent);
	sqlite3_bind_int64(q, 2, frame);
	return inserted(s, q);
}

static int64_t dict_frame(struct store *s, const char *name)
{
	uint64_t hash = hash_bytes(name, strlen(name));
	uint32_t *at = map_get(&s->dict.frames, &hash);
	int64_t row;

	if (at)
		return *at;
	row = row_frame(s, name);
	if (row <= 0)
		return row ? row : -EIO;
	at = map_put(&s->dict.frames, &hash, NULL);
	if (at)
		*at = (uint32_t)row;
	return row;
}

static int64_t dict_stack_step(struct store *s, int64_t parent, const char *name)
{
	int64_t frame = dict_frame(s, name), row;
	struct stack_key key = {(uint32_t)parent, (uint32_t)frame};
	uint32_t *at = frame > 0 ? map_get(&s->dict.stacks, &key) : NULL;

	if (at || frame <= 0)
		return at ? *at : frame;
	row = row_stack(s, parent, frame);
	if (row <= 0)
		return row ? row : -EIO;
	at = map_put(&s->dict.stacks, &key, NULL);
	if (at)
		*at = (uint32_t)row;
	return row;
}

int64_t dict_stack(struct store *s, const char *folded)
{
	char name[FRAME_BYTES_MAX + 1];
	int64_t row = 0;

	if (s->dict.stacks.n >= STACKS_KEPT)
		dict_forget_stacks(&s->dict);
	while (*folded && row >= 0) {
		size_t n = strcspn(folded, ";"), keep = n < FRAME_BYTES_MAX ? n : FRAME_BYTES_MAX;

		memcpy(name, folded, keep);
		name[keep] = '\0';
		if (n)
			row = dict_stack_step(s, row, name);
		folded += n + (folded[n] == ';');
	}
	return row ? row : dict_stack_step(s, 0, "[unknown]");
}
