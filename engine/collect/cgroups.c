/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/text.h"
#include "collect/cgroup_path.h"
#include "collect/node.h"
#include "collect/procfs.h"

#define MAX_ROWS 4096
#define MAX_KEPT_FDS 512          /* of controller files; further ones are opened for each reading */
#define FORGET_AFTER 60           /* readings without a process */
#define LIMITS_EVERY 8            /* readings: somebody tightens a quota now and then */
#define NO_LIMIT (UINT64_C(1) << 60)   /* v1 writes "none" as PAGE_COUNTER_MAX, just below 2^63 */

struct hierarchy {
	int fd;                   /* of the mount point; -1 not mounted */
	char *root;               /* what of the hierarchy is mounted: "/" or a container's own path */
};

enum row_file { F_USAGE, F_THROTTLE, F_MEM, F_MEMSTAT, F_IO, F_PIDS, F_PSI_CPU, F_PSI_MEM, F_PSI_IO, ROW_FILES };

struct row {
	char *name;               /* NULL: free */
	char *text;               /* copy of the lines that `paths` points into */
	struct cgroup_paths paths;
	struct kept_file file[ROW_FILES];
	uint64_t procs_cpu_ns;    /* of its processes since the row is known */
	uint64_t used;            /* reading of the last cgroups_use() */
	uint64_t limits_read;     /* reading; 0 never */
	double quota_cores;
	char quota_path[512];     /* level of the tightest quota, within its hierarchy */
	uint64_t mem_limit_bytes;
	const char *named;        /* in the arena of the reading `named_in` */
	uint64_t named_in;
	uint64_t key;
};

struct cgroups {
	struct hierarchy at[CG_MAX];
	VEC(struct row) rows;
	struct map index;         /* hash of /proc/PID/cgroup → row */
	uint64_t reading;
	uint32_t kept_fds;
	uint64_t refused;         /* rows past the cap, times seen */
	bool any;
	char *buf;
};

#define BUF_BYTES (64 << 10)

/* "31 23 0:28 /root /mount/point rw,relatime - fstype source superoptions" (proc(5)); fields cut in place. */
struct mount_line { char *root, *point, *type, *options; };

static bool mount_line_parse(char *line, struct mount_line *ret)
{
	char *dash = strstr(line, " - "), *save = NULL, *w;
	int i = 0;

	if (!dash)
		return false;
	*dash = '\0';
	*ret = (struct mount_line){ 0 };
	for (w = strtok_r(line, " ", &save); w; w = strtok_r(NULL, " ", &save), i++) {
		if (i == 3)
			ret->root = w;
		else if (i == 4)
			ret->point = w;
	}
	ret->type = strtok_r(dash + 3, " ", &save);
	strtok_r(NULL, " ", &save);
	ret->options = strtok_r(NULL, " ", &save);
	return ret->point && ret->type && ret->options;
}

static void hierarchy_set(struct hierarchy *h, const char *sys, const struct mount_line *m)
{
	char path[4096];
	bool moved = strcmp(sys, "/sys") && text_starts(m->point, "/sys/");

	if (h->fd >= 0)
		return;
	snprintf(path, sizeof(path), "%s%s", moved ? sys : "", moved ? m->point + strlen("/sys") : m->point);
	h->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (h->fd < 0)
		return;
	h->root = strdup(m->root);
	if (!h->root) {
		close(h->fd);
		h->fd = -1;
	}
}

static void mount_add(struct cgroups *c, const char *sys, const struct mount_line *m)
{
	if (!strcmp(m->type, "cgroup2")) {
		hierarchy_set(&c->at[CG_V2], sys, m);
		return;
	}
	for (char *o = m->options; *o;) {
		int n = (int)strcspn(o, ",");
		enum cgroup_controller ctl = cgroup_controller_find(o, n);
		if (ctl != CG_OTHER)
			hierarchy_set(&c->at[ctl], sys, m);
		o += n + (o[n] == ',');
	}
}

static void mounts_find(struct cgroups *c, int procfd, const char *sys)
{
	/* in a container, what is mounted where on the node is what its init sees */
	int init = strcmp(sys, "/sys") ? openat(procfd, "1/mountinfo", O_RDONLY | O_CLOEXEC) : -1;
	int fd = init >= 0 ? init : openat(procfd, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL;
	size_t cap = 0;

	while (f && getline(&line, &cap, f) > 0) {
		struct mount_line m;
		line[strcspn(line, "\n")] = '\0';
		if (mount_line_parse(line, &m) && text_starts(m.type, "cgroup"))
			mount_add(c, sys, &m);
	}
	free(line);
	if (f)
		fclose(f);
	else if (fd >= 0)
		close(fd);
}

struct cgroups *cgroups_new(int procfd, const char *sys)
{
	struct cgroups *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	for (int i = 0; i < CG_MAX; i++)
		c->at[i].fd = -1;
	map_init(&c->index, sizeof(uint64_t), sizeof(uint32_t), 4 * MAX_ROWS);
	c->buf = malloc(BUF_BYTES);
	if (!c->buf) {
		cgroups_free(c);
		return NULL;
	}
	mounts_find(c, procfd, sys);
	for (int i = 0; i < CG_MAX; i++)
		c->any |= c->at[i].fd >= 0 && i != CG_SYSTEMD;
	return c;
}

static void row_close(struct cgroups *c, struct row *r)
{
	for (int i = 0; i < ROW_FILES; i++) {
		c->kept_fds -= r->file[i].fd >= 0;
		kept_close(&r->file[i]);
	}
}

static void row_free(struct cgroups *c, struct row *r)
{
	if (!r->name)
		return;
	row_close(c, r);
	free(r->name);
	free(r->text);
	r->name = r->text = NULL;
	map_reset(&c->index);        /* a cache; the slot will be another cgroup's */
}

void cgroups_free(struct cgroups *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->rows.n; i++)
		row_free(c, &c->rows.v[i]);
	for (int i = 0; i < CG_MAX; i++) {
		if (c->at[i].fd >= 0)
			close(c->at[i].fd);
		free(c->at[i].root);
	}
	vec_done(&c->rows);
	map_done(&c->index);
	free(c->buf);
	free(c);
}

void cgroups_begin(struct cgroups *c)
{
	c->reading++;
}

static struct row *row_slot(struct cgroups *c)
{
	for (size_t i = 0; i < c->rows.n; i++)
		if (!c->rows.v[i].name)
			return &c->rows.v[i];
	return c->rows.n < MAX_ROWS ? vec_push(&c->rows) : NULL;
}

/* Rows are one a name: a second set of paths with the same name shares the first's row. */
static uint32_t row_named(const struct cgroups *c, const char *name)
{
	for (size_t i = 0; i < c->rows.n; i++)
		if (c->rows.v[i].name && !strcmp(c->rows.v[i].name, name))
			return (uint32_t)i;
	return CGROUP_NONE;
}

static uint32_t row_add(struct cgroups *c, char *text, uint64_t key)
{
	char *copy = strdup(text);
	struct cgroup_paths paths;

	if (!copy)
		return CGROUP_NONE;
	cgroup_paths_parse(copy, &paths);
	const char *name = cgroup_paths_main(&paths);
	uint32_t same = strcmp(name, "/") ? row_named(c, name) : CGROUP_NONE;
	struct row *r = NULL;
	char *kept = NULL;
	if (same == CGROUP_NONE && strcmp(name, "/")) {
		kept = strdup(name);
		r = kept ? row_slot(c) : NULL;
		c->refused += !r;
	}
	if (!r) {
		free(kept);
		free(copy);
		return same;
	}
	*r = (struct row){ .name = kept, .text = copy, .paths = paths, .key = key, .quota_cores = NAN, .mem_limit_bytes = UNKNOWN };
	for (int i = 0; i < ROW_FILES; i++)
		r->file[i].fd = -1;
	return (uint32_t)(r - c->rows.v);
}

uint32_t cgroups_find(struct cgroups *c, char *text)
{
	uint64_t key = hash_bytes(text, strlen(text));
	uint32_t *known = map_get(&c->index, &key);

	if (known && (*known == CGROUP_NONE || c->rows.v[*known].name))
		return *known;
	uint32_t row = row_add(c, text, key);
	if (c->index.n >= c->index.limit)
		map_reset(&c->index);        /* a cache: rows are found by name again */
	known = map_put(&c->index, &key, NULL);
	if (known)
		*known = row;
	return row;
}

void cgroups_use(struct cgroups *c, uint32_t row, uint64_t cpu_ns)
{
	if (row >= c->rows.n)
		return;
	c->rows.v[row].used = c->reading;
	c->rows.v[row].procs_cpu_ns += cpu_ns;
}

const char *cgroups_path(struct cgroups *c, uint32_t row, struct sample *ret)
{
	if (row >= c->rows.n)
		return NULL;
	struct row *r = &c->rows.v[row];
	if (r->named_in != c->reading) {
		r->named = arena_strdup(&ret->arena, r->name);
		r->named_in = c->reading;
	}
	return r->named;
}

/* "path/file" below the mount point; false where the mount does not show this cgroup (another cgroup namespace). */
static bool level_path(const struct hierarchy *h, const char *path, int len, const char *file, char *buf, size_t cap)
{
	size_t root = strcmp(h->root, "/") ? strlen(h->root) : 0;

	if ((size_t)len < root || strncmp(path, h->root, root) || strstr(path, "/../"))
		return false;
	int n = snprintf(buf, cap, "%.*s/%s", len - (int)root, path + root, file);
	return n > 0 && (size_t)n < cap;
}

/* Reads a file of the cgroup `path`[0..len) of a hierarchy into c->buf ("" where it cannot). */
static ssize_t level_read(struct cgroups *c, enum cgroup_controller ctl, const char *path, int len, const char *file)
{
	char rel[4096];

	c->buf[0] = '\0';
	if (c->at[ctl].fd < 0 || !path || !level_path(&c->at[ctl], path, len, file, rel, sizeof(rel)))
		return -ENOENT;
	return file_read(c->at[ctl].fd, rel + strspn(rel, "/"), c->buf, BUF_BYTES);
}

/* The same for a file of the row that is read every time: through a kept descriptor while there are few. */
static const char *row_read(struct cgroups *c, struct row *r, enum row_file f, enum cgroup_controller ctl,
			    const char *path, const char *file)
{
	char rel[4096];
	struct kept_file *k = &r->file[f];

	c->buf[0] = '\0';
	if (!path || c->at[ctl].fd < 0 || !level_path(&c->at[ctl], path, (int)strlen(path), file, rel, sizeof(rel)))
		return c->buf;
	c->kept_fds -= k->fd >= 0;
	if (kept_read(k, c->at[ctl].fd, rel + strspn(rel, "/"), c->buf, BUF_BYTES) < 0)
		c->buf[0] = '\0';
	if (c->kept_fds >= MAX_KEPT_FDS)
		kept_close(k);
	c->kept_fds += k->fd >= 0;
	return c->buf;
}

static uint64_t number(const char *text)
{
	uint64_t v;

	return scan_u64(&text, &v) ? v : UNKNOWN;
}

/* One level's quota in cores; NAN for none. */
static double quota_read(struct cgroups *c, bool v2, const char *path, int len)
{
	const char *p = c->buf;
	uint64_t quota, period;

	if (v2) {
		level_read(c, CG_V2, path, len, "cpu.max");          /* "max 100000" or "50000 100000" */
		return scan_u64(&p, &quota) && scan_u64(&p, &period) && period ? (double)quota / (double)period : NAN;
	}
	level_read(c, CG_CPU, path, len, "cpu.cfs_quota_us");        /* -1: none */
	if (!scan_u64(&p, &quota))
		return NAN;
	level_read(c, CG_CPU, path, len, "cpu.cfs_period_us");
	p = c->buf;
	return scan_u64(&p, &period) && period ? (double)quota / (double)period : NAN;
}

/* Length of the parent's part of path[0..len); 0 at the top. */
static int level_up(const char *path, int len)
{
	while (len > 0 && path[len - 1] != '/')
		len--;
	return len > 0 ? len - 1 : 0;
}

static void quota_find(struct cgroups *c, struct row *r, bool v2)
{
	const char *path = r->paths.path[v2 ? CG_V2 : CG_CPU];

	r->quota_cores = NAN;
	r->quota_path[0] = '\0';
	for (int len = path ? (int)strlen(path) : 0; len > 1; len = level_up(path, len)) {
		double q = quota_read(c, v2, path, len);
		if (isnan(q) || q >= r->quota_cores || (size_t)len >= sizeof(r->quota_path))
			continue;
		char old[sizeof(r->quota_path)];
		snprintf(old, sizeof(old), "%s", r->quota_path);
		snprintf(r->quota_path, sizeof(r->quota_path), "%.*s", len, path);
		r->quota_cores = q;
		if (strcmp(old, r->quota_path)) {     /* throttling is counted at the level that has the quota */
			c->kept_fds -= r->file[F_THROTTLE].fd >= 0;
			kept_close(&r->file[F_THROTTLE]);
		}
	}
}

static void mem_limit_find(struct cgroups *c, struct row *r, bool v2)
{
	const char *path = r->paths.path[v2 ? CG_V2 : CG_MEMORY];

	r->mem_limit_bytes = UNKNOWN;
	for (int len = path ? (int)strlen(path) : 0; len > 1; len = level_up(path, len)) {
		level_read(c, v2 ? CG_V2 : CG_MEMORY, path, len, v2 ? "memory.max" : "memory.limit_in_bytes");
		uint64_t v = number(c->buf);
		if (v < NO_LIMIT && v < r->mem_limit_bytes)
			r->mem_limit_bytes = v;
	}
}

/* A controller is on v1 or on v2, never on both. */
static bool on_v2(const struct cgroups *c, enum cgroup_controller ctl)
{
	return c->at[ctl].fd < 0 && c->at[CG_V2].fd >= 0;
}

/* The path whose usage counts for this row: NULL where it is an ancestor's (or the root's). */
static const char *usage_path(const struct cgroups *c, const struct row *r, enum cgroup_controller ctl)
{
	const char *path = r->paths.path[on_v2(c, ctl) ? CG_V2 : ctl];

	return !path || !path[1] || cgroup_is_below(r->name, path) ? NULL : path;
}

static void cpu_read(struct cgroups *c, struct row *r, struct sample_cgroup *ret)
{
	bool v2 = on_v2(c, CG_CPU);
	const char *path = usage_path(c, r, CG_CPUACCT);
	uint64_t usage = UNKNOWN;

	if (path && !on_v2(c, CG_CPUACCT))
		usage = number(row_read(c, r, F_USAGE, CG_CPUACCT, path, "cpuacct.usage"));
	else if (path)
		usage = scan_key(row_read(c, r, F_USAGE, CG_V2, path, "cpu.stat"), "usage_usec", UNKNOWN);
	ret->cpu_ns = usage == UNKNOWN ? r->procs_cpu_ns : on_v2(c, CG_CPUACCT) ? usage * 1000 : usage;

	ret->quota_cores = r->quota_cores;
	ret->throttled_ns = ret->periods_throttled = 0;
	if (isnan(r->quota_cores))
		return;
	const char *text = row_read(c, r, F_THROTTLE, v2 ? CG_V2 : CG_CPU, r->quota_path, "cpu.stat");
	uint64_t t = scan_key(text, v2 ? "throttled_usec" : "throttled_time", UNKNOWN);
	ret->throttled_ns = v2 && t != UNKNOWN ? t * 1000 : t;
	ret->periods_throttled = scan_key(text, "nr_throttled", UNKNOWN);
}

/* The working set: what is left when the file cache that is easily dropped has gone; only that comes near a limit and hurts. */
static void mem_read(struct cgroups *c, struct row *r, struct sample_cgroup *ret)
{
	bool v2 = on_v2(c, CG_MEMORY);
	enum cgroup_controller ctl = v2 ? CG_V2 : CG_MEMORY;
	const char *path = usage_path(c, r, CG_MEMORY);

	ret->mem_limit_bytes = r->mem_limit_bytes;
	ret->mem_bytes = number(row_read(c, r, F_MEM, ctl, path, v2 ? "memory.current" : "memory.usage_in_bytes"));
	if (ret->mem_bytes == UNKNOWN)
		return;
	uint64_t cache = scan_key(row_read(c, r, F_MEMSTAT, ctl, path, "memory.stat"),
				  v2 ? "inactive_file" : "total_inactive_file", 0);
	ret->mem_bytes = ret->mem_bytes > cache ? ret->mem_bytes - cache : 0;
}

/* v1: "8:0 Read 4096\n8:0 Write 0\n…Total 4096"; v2: "8:0 rbytes=4096 wbytes=0 …". Sums over devices. */
static void io_sum(const char *text, bool v2, struct sample_cgroup *ret)
{
	static const char *const words[2][2] = { { " Read ", " Write " }, { " rbytes=", " wbytes=" } };
	uint64_t *into[2] = { &ret->read_bytes, &ret->write_bytes };

	ret->read_bytes = ret->write_bytes = 0;
	for (const char *l = text, *end; *l; l = end) {
		end = scan_line(l);
		for (int i = 0; i < 2; i++) {
			const char *w = memmem(l, (size_t)(end - l), words[v2][i], strlen(words[v2][i]));
			uint64_t v;
			if (!w)
				continue;
			w += strlen(words[v2][i]);
			if (scan_u64(&w, &v))
				*into[i] += v;
		}
	}
}

static void io_read(struct cgroups *c, struct row *r, struct sample_cgroup *ret)
{
	bool v2 = on_v2(c, CG_BLKIO);
	const char *path = usage_path(c, r, CG_BLKIO);
	const char *file = v2 ? "io.stat" : "blkio.throttle.io_service_bytes_recursive";

	ret->read_bytes = ret->write_bytes = UNKNOWN;
	row_read(c, r, F_IO, v2 ? CG_V2 : CG_BLKIO, path, file);
	if (c->buf[0] || (path && r->file[F_IO].fd >= 0))     /* an empty file: no device was touched */
		io_sum(c->buf, v2, ret);
}

static void row_sample(struct cgroups *c, struct row *r, struct sample_cgroup *ret)
{
	const char *v2 = usage_path(c, r, CG_V2);
	uint64_t pids;

	if (!r->limits_read || c->reading - r->limits_read >= LIMITS_EVERY) {
		r->limits_read = c->reading;
		quota_find(c, r, on_v2(c, CG_CPU));
		mem_limit_find(c, r, on_v2(c, CG_MEMORY));
	}
	cpu_read(c, r, ret);
	mem_read(c, r, ret);
	io_read(c, r, ret);
	pids = number(row_read(c, r, F_PIDS, on_v2(c, CG_PIDS) ? CG_V2 : CG_PIDS, usage_path(c, r, CG_PIDS), "pids.current"));
	ret->pids = pids > UINT32_MAX ? UINT32_MAX : (uint32_t)pids;
	ret->psi_cpu = psi_parse(row_read(c, r, F_PSI_CPU, CG_V2, v2, "cpu.pressure"));
	ret->psi_mem = psi_parse(row_read(c, r, F_PSI_MEM, CG_V2, v2, "memory.pressure"));
	ret->psi_io = psi_parse(row_read(c, r, F_PSI_IO, CG_V2, v2, "io.pressure"));
}

void cgroups_read(struct cgroups *c, struct sample *ret)
{
	for (uint32_t i = 0; i < c->rows.n; i++) {
		struct row *r = &c->rows.v[i];
		if (!r->name)
			continue;
		if (r->used != c->reading) {
			if (c->reading - r->used > FORGET_AFTER)
				row_free(c, r);
			continue;
		}
		const char *path = cgroups_path(c, i, ret);
		struct sample_cgroup *row = path ? vec_push(&ret->cgroups) : NULL;
		if (!row)
			continue;
		row->path = path;
		row_sample(c, r, row);
	}
}

static void report_line(struct probe_report *r, const char *rung, const char *lacks, const char *why)
{
	struct probe_line *l = vec_push(&r->lines);

	if (l)
		*l = (struct probe_line){ .probe = "cgroups", .state = strcmp(rung, "absent") ? PROBE_ON : PROBE_ABSENT,
					  .rung = rung, .lacks = lacks, .why = why };
}

void cgroups_report(const struct cgroups *c, struct probe_report *r)
{
	bool v2 = c->at[CG_V2].fd >= 0, v1 = false;

	for (int i = 0; i < CG_OTHER; i++)
		v1 |= i != CG_SYSTEMD && c->at[i].fd >= 0;
	if (!c->any)
		report_line(r, "absent", "quotas, throttling and memory limits", "no cgroup file system is mounted");
	else if (v1)
		report_line(r, v2 ? "hybrid" : "v1", "pressure of each cgroup", "the controllers are on v1");
	else
		report_line(r, "v2", NULL, NULL);
	if (c->refused)
		report_line(r, "absent", "some cgroups", "more than 4096 cgroups with processes");
}
