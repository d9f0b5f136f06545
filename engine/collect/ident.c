/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/ident.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "collect/cgroup_path.h"
#include "collect/ident_private.h"
#include "collect/procfs.h"

#define DEFAULT_MAX 65536
#define ARGV_CAP (32 << 10)        /* as read: class paths are long, and the class comes behind them */
#define EXEC_READS_A_SECOND 100    /* of /proc, at the exec itself; beyond, a process is read when it is asked for */
#define BARE_READS 3               /* a process without arguments is read again that many times */
#define CLOCK_READS 4              /* of which the one counts that nothing came in between of */
#define WORDS_MAX 8192             /* distinct reasons and images */
#define CHECK_NS (2 * NS_PER_S)    /* how long a process is taken for the same where no events tell */

static uint64_t clock_of(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

struct ident *ident_new(const char *proc, const struct name_rules *rules, uint32_t max_processes)
{
	struct ident *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->procfd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	t->argv = malloc(ARGV_CAP);
	t->containers = containers_new(proc);
	t->rules = rules;
	intern_init(&t->words, WORDS_MAX);
	if (t->procfd < 0 || !t->argv || !t->containers) {
		ident_free(t);
		return NULL;
	}
	map_init(&t->table, sizeof(uint32_t), sizeof(struct entry *), max_processes ? max_processes : DEFAULT_MAX);
	t->foreign = !procfs_is_initial(t->procfd);
	ident_link_read(t, 1, "ns/pid", t->pid_namespace, sizeof(t->pid_namespace));
	t->tick_ns = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);
	return t;
}

static void entry_free(struct entry *e)
{
	if (!e)
		return;
	ident_image_put(e->image);
	free(e);
}

/* Frees what was retired before the previous call. */
static void retired_free(struct ident *t, size_t entries, size_t images)
{
	for (size_t i = 0; i < entries; i++)
		entry_free(t->retired.v[i]);
	for (size_t i = 0; i < images; i++)
		ident_image_put(t->images.v[i]);
	t->retired.n -= entries;
	t->images.n -= images;
	if (entries)
		memmove(t->retired.v, t->retired.v + entries, t->retired.n * sizeof(*t->retired.v));
	if (images)
		memmove(t->images.v, t->images.v + images, t->images.n * sizeof(*t->images.v));
}

void ident_free(struct ident *t)
{
	const void *key;
	void *value;
	size_t it = 0;

	if (!t)
		return;
	while (map_next(&t->table, &it, &key, &value))
		entry_free(*(struct entry **)value);
	map_done(&t->table);
	retired_free(t, t->retired.n, t->images.n);
	vec_done(&t->retired);
	vec_done(&t->images);
	if (t->procfd >= 0)
		close(t->procfd);
	containers_free(t->containers);
	intern_done(&t->words);
	free(t->argv);
	free(t);
}

static struct entry *entry_get(const struct ident *t, uint32_t pid)
{
	struct entry **slot = map_get(&t->table, &pid);

	return slot ? *slot : NULL;
}

static void entry_retire(struct ident *t, struct entry *e)
{
	struct entry **slot = vec_push(&t->retired);

	if (slot)
		*slot = e;               /* else it leaks: better than a pointer to nothing */
	map_del(&t->table, &e->id.pid);
}

static struct entry *entry_new(struct ident *t, uint32_t pid)
{
	struct entry *e = entry_get(t, pid), **slot;

	if (e)
		entry_retire(t, e);
	e = calloc(1, sizeof(*e));
	slot = e ? map_put(&t->table, &pid, NULL) : NULL;
	if (!slot) {
		free(e);
		return NULL;
	}
	e->id.pid = pid;
	*slot = e;
	return e;
}

/* The entry shows what its image holds. */
static void entry_point(struct entry *e)
{
	struct image *i = e->image;

	e->id.comm = i->comm;
	e->id.exe = i->exe;
	e->id.cmdline = i->cmdline;
	e->id.cgroup = i->cgroup;
	e->id.service = i->service;
	e->id.kind = i->kind;
	e->id.why = i->why;
	e->id.version = i->version;
	e->id.image = i->container.image ? i->container.image : "";
	e->id.whole = i->whole;
	e->id.tool = i->tool && !i->placed && !i->ruled && !i->server;
	e->id.launcher = i->launcher;
}

static void image_set(struct ident *t, struct entry *e, struct image *i)
{
	if (e->image) {
		struct image **slot = vec_push(&t->images);
		if (slot)
			*slot = e->image;
	}
	e->image = i;
	entry_point(e);
}

/* When the node booted, by the wall clock as it is set now: to the tick, so that every recorder that asks gets the same. The
 * kernel's btime is that too, but in whole seconds, which would put a process before the reading that it follows. */
static int64_t boot_unix_ns(int64_t tick_ns)
{
	uint64_t least = UINT64_MAX;
	int64_t boot = 0;

	for (int i = 0; i < CLOCK_READS; i++) {
		uint64_t before = clock_of(CLOCK_BOOTTIME);
		int64_t wall = clock_unix_ns();
		uint64_t gap = clock_of(CLOCK_BOOTTIME) - before;
		if (gap < least) {
			least = gap;
			boot = wall - (int64_t)(before + gap / 2);
		}
	}
	return (boot + tick_ns / 2) / tick_ns * tick_ns;
}

/* A start once told stays, also where the wall clock is set anew. */
static void start_set(const struct ident *t, struct entry *e, uint64_t ticks)
{
	if (e->id.start_unix_ns && e->id.start_ticks == ticks)
		return;
	e->id.start_ticks = ticks;
	e->id.start_unix_ns = boot_unix_ns((int64_t)t->tick_ns) + (int64_t)(ticks * t->tick_ns);
}

/* --- reading ---------------------------------------------------------------------------------------------------------- */

static uint32_t netns_read(const struct ident *t, uint32_t pid)
{
	char link[64];
	const char *p;
	uint64_t v;

	ident_link_read(t, pid, "ns/net", link, sizeof(link));     /* "net:[4026531840]" */
	p = strchr(link, '[');
	if (!p)
		return 0;
	p++;
	return scan_u64(&p, &v) ? (uint32_t)v : 0;
}

static void cgroup_read(struct ident *t, uint32_t pid, struct image *i)
{
	struct cgroup_paths paths;

	if (pid_file_read(t->procfd, pid, "cgroup", t->text, sizeof(t->text)) < 0)
		t->text[0] = '\0';
	cgroup_paths_parse(t->text, &paths);
	snprintf(i->cgroup, sizeof(i->cgroup), "%s", cgroup_paths_main(&paths));
}

static void kernel_name(struct entry *e, struct image *i)
{
	e->id.kthread = 1;
	snprintf(i->service, sizeof(i->service), "kernel");
	i->kind = "node";
	i->why = "kernel thread";
	i->placed = true;
}

static size_t argv_read(struct ident *t, uint32_t pid)
{
	ssize_t n = pid_file_read(t->procfd, pid, "cmdline", t->argv, ARGV_CAP);

	if (n <= 0) {
		t->argv[0] = '\0';
		return 0;
	}
	return (size_t)n;
}

/* Reads the process anew into e. 0, -ESRCH where it is gone (e is unchanged), -ENOMEM. */
static int entry_read(struct ident *t, struct entry *e, int depth)
{
	struct proc_stat st;
	char exe[512];

	if (t->events && t->foreign)
		return -ESRCH;           /* what is there is another process: only events tell */
	if (pid_file_read(t->procfd, e->id.pid, "stat", t->text, sizeof(t->text)) <= 0 || proc_stat_parse(t->text, &st))
		return -ESRCH;
	ident_link_read(t, e->id.pid, "exe", exe, sizeof(exe));
	struct image *i = ident_image_new(st.comm, exe);
	if (!i)
		return -ENOMEM;
	e->id.ppid = st.ppid;
	e->id.session = st.session;
	e->stale = e->forked = false;
	e->checked_ns = clock_ts_ns();
	start_set(t, e, st.start_ticks);
	cgroup_read(t, e->id.pid, i);
	if (st.flags & PROC_PF_KTHREAD) {
		kernel_name(e, i);
	} else {
		e->id.netns = netns_read(t, e->id.pid);
		size_t alen = argv_read(t, e->id.pid);
		/* The kernel shows the new executable before the new arguments. */
		e->stale = !alen && exe[0] && e->bare++ < BARE_READS;
		ident_image_name(t, e, i, alen, depth);
	}
	image_set(t, e, i);
	return 0;
}

/* --- finding ---------------------------------------------------------------------------------------------------------- */

/* Without events: is it still the same process, running the same program? */
static bool entry_holds(struct ident *t, const struct entry *e)
{
	struct proc_stat st;
	char exe[512];

	if (pid_file_read(t->procfd, e->id.pid, "stat", t->text, sizeof(t->text)) <= 0 || proc_stat_parse(t->text, &st))
		return true;             /* gone: what is known of it stays true */
	if (st.start_ticks != e->id.start_ticks)
		return false;
	ident_link_read(t, e->id.pid, "exe", exe, sizeof(exe));
	return !exe[0] || !strcmp(exe, e->image->exe);
}

/* Another process has the pid, or it executed something else: the old entry goes, as far as nobody holds it. */
static struct entry *entry_check(struct ident *t, struct entry *e, int depth)
{
	uint64_t start = e->id.start_ticks, cpu = e->cpu_ns;
	struct entry *fresh;

	e->checked_ns = clock_ts_ns();
	if (entry_holds(t, e))
		return e;
	fresh = entry_new(t, e->id.pid);
	if (!fresh || entry_read(t, fresh, depth))
		return NULL;
	fresh->executed = fresh->id.start_ticks == start;
	fresh->cpu_ns = fresh->executed ? cpu : 0;
	return fresh;
}

static bool is_due(const struct entry *e)
{
	return clock_ts_ns() - e->checked_ns >= (uint64_t)CHECK_NS;
}

/* A forked child's exact start time; the event's is right to a tick. */
static void start_refine(struct ident *t, struct entry *e)
{
	struct proc_stat st;

	e->forked = false;
	if (t->foreign)
		return;
	if (pid_file_read(t->procfd, e->id.pid, "stat", t->text, sizeof(t->text)) > 0 && !proc_stat_parse(t->text, &st) &&
	    st.start_ticks - e->id.start_ticks + 1 <= 2)
		start_set(t, e, st.start_ticks);
}

struct entry *ident_entry_find(struct ident *t, uint32_t pid, int depth)
{
	struct entry *e = entry_get(t, pid);

	if (e && e->image) {
		if (e->stale && !e->id.gone && entry_read(t, e, depth))
			e->stale = false;        /* gone: what is known stays */
		if (e->forked && !e->id.gone)
			start_refine(t, e);
		return (t->events && !e->id.gone) || !is_due(e) ? e : entry_check(t, e, depth);
	}
	if (!e)
		e = entry_new(t, pid);
	if (e && !entry_read(t, e, depth))
		return e;
	if (e) {                         /* nobody has seen it */
		map_del(&t->table, &pid);
		entry_free(e);
	}
	return NULL;
}

const struct process_ident *ident_get(struct ident *t, uint32_t pid)
{
	struct entry *e = pid ? ident_entry_find(t, pid, 0) : NULL;

	return e ? &e->id : NULL;
}

/* --- events ----------------------------------------------------------------------------------------------------------- */

/* Events have the clock that stands still while the node is suspended, starts the one that does not. */
static uint64_t event_ticks(const struct ident *t, const struct ev_proc *e)
{
	uint64_t mono = clock_of(CLOCK_MONOTONIC), suspended = clock_of(CLOCK_BOOTTIME) - mono;

	return (e->h.ts_ns + suspended) / t->tick_ns;
}

static void on_fork(struct ident *t, const struct ev_proc *ev)
{
	struct entry *parent = ident_entry_find(t, ev->ptgid, 0), *e;

	if (!parent)
		return;                  /* will be read when it is asked for */
	struct image *image = parent->image;
	struct process_ident id = parent->id;
	e = entry_new(t, ev->tgid);
	if (!e)
		return;
	image->refs++;
	e->id = id;
	e->id.pid = ev->tgid;
	e->id.ppid = ev->ptgid;
	e->id.gone = 0;
	e->id.start_unix_ns = 0;
	e->image = image;
	e->forked = true;
	e->titled = image->titled;
	e->checked_ns = clock_ts_ns();
	start_set(t, e, event_ticks(t, ev));
}

static bool budget_take(struct ident *t, uint64_t ts_ns)
{
	uint64_t second = ts_ns / (uint64_t)NS_PER_S;

	if (second != t->second)
		t->reads = 0;
	t->second = second;
	return t->reads++ < EXEC_READS_A_SECOND;
}

/* What the event itself tells: a file's path and the command name; enough for a name when the process is gone at once. */
static void exec_from_event(struct ident *t, struct entry *e, const struct ev_proc *ev)
{
	char comm[EV_COMM_LEN + 1] = "", path[EV_PATH_LEN + 1] = "";

	memcpy(comm, ev->comm, EV_COMM_LEN);
	memcpy(path, ev->path, EV_PATH_LEN);
	struct image *i = ident_image_new(comm, path);
	if (!i)
		return;
	snprintf(i->cgroup, sizeof(i->cgroup), "%s", e->image ? e->image->cgroup : "/");
	size_t n = strlen(path);
	memcpy(t->argv, path, n + 1);
	bool gone = e->id.gone;
	e->id.gone = 1;                  /* there is nothing to read */
	ident_image_name(t, e, i, n + 1, 0);
	e->id.gone = gone;
	i->cmdline[0] = '\0';
	image_set(t, e, i);
}

static void on_exec(struct ident *t, const struct ev_proc *ev)
{
	struct entry *e = entry_get(t, ev->tgid);

	if (!e || e->id.gone) {
		e = entry_new(t, ev->tgid);
		if (!e)
			return;
		start_set(t, e, event_ticks(t, ev));
		e->forked = true;
	}
	e->id.ppid = ev->ptgid ? ev->ptgid : e->id.ppid;
	if (budget_take(t, ev->h.ts_ns) && !entry_read(t, e, 0))
		return;
	exec_from_event(t, e, ev);
	e->stale = true;
	if (!e->image)
		entry_retire(t, e);
}

void ident_event(struct ident *t, const struct ev_proc *ev)
{
	struct entry *e;

	t->events = true;
	switch (ev->what) {
	case PROC_FORK:
		on_fork(t, ev);
		break;
	case PROC_EXEC:
		on_exec(t, ev);
		break;
	case PROC_EXIT:
		e = entry_get(t, ev->tgid);
		if (e)
			e->id.gone = 1;
		break;
	default:
		break;
	}
}

bool ident_moved(struct ident *t, uint32_t pid, const char *cgroup)
{
	struct entry *e = entry_get(t, pid);
	struct image *before = e ? e->image : NULL;

	if (!before || e->id.gone || e->id.kthread || (!e->titled && (!cgroup || !strcmp(before->cgroup, cgroup))))
		return false;
	e->titled = false;
	return !entry_read(t, e, 0) && (strcmp(before->service, e->image->service) || strcmp(before->cgroup, e->image->cgroup));
}

bool ident_executed(struct ident *t, uint32_t pid, uint64_t cpu_ns)
{
	struct entry *e = entry_get(t, pid);
	bool executed;

	if (!e || !e->image || t->events || e->id.gone || e->id.kthread)
		return false;
	if (e->cpu_ns != cpu_ns) {
		e->cpu_ns = cpu_ns;
		e = entry_check(t, e, 0);
	}
	executed = e && e->executed;
	if (e)
		e->executed = false;
	return executed;
}

/* --- forgetting ------------------------------------------------------------------------------------------------------- */

/* Without events nobody says that a process exited. */
static bool is_gone(const struct ident *t, const struct entry *e)
{
	char path[16];

	if (e->id.gone || t->events)
		return e->id.gone;
	snprintf(path, sizeof(path), "%u", e->id.pid);
	return faccessat(t->procfd, path, F_OK, 0) != 0;
}

void ident_expire(struct ident *t)
{
	VEC(struct entry *) old = { 0 };
	const void *key;
	void *value;
	size_t it = 0;

	retired_free(t, t->retired_old, t->images_old);
	t->retired_old = t->retired.n;
	t->images_old = t->images.n;
	while (map_next(&t->table, &it, &key, &value)) {
		struct entry *e = *(struct entry **)value, **slot;
		e->id.gone = is_gone(t, e);
		if (e->id.gone && e->age++ && (slot = vec_push(&old)))
			*slot = e;
	}
	for (size_t i = 0; i < old.n; i++) {
		map_del(&t->table, &old.v[i]->id.pid);
		entry_free(old.v[i]);
	}
	vec_done(&old);
}

static const struct process_ident *resolve(void *arg, uint32_t pid)
{
	return ident_get(arg, pid);
}

/* Rules about ports: what it is called without them is known. */
static bool rename_by_port(void *arg, uint32_t pid, uint16_t port, struct process_rename *ret)
{
	struct ident *t = arg;
	struct entry *e = entry_get(t, pid);
	const struct image *i = e ? e->image : NULL;
	struct name_facts f;
	char why[256];

	if (!i || i->ruled || !t->rules)
		return false;
	ident_facts_fill(i, NULL, &f);
	const struct name_rule *r = name_rules_find(t->rules, &f, port, ret->service, sizeof(ret->service));
	if (!r)
		return false;
	snprintf(why, sizeof(why), "rule of %s, port %u", r->where, port);
	ret->why = ident_word(t, why);
	ret->whole = r->group;
	return true;
}

struct ident_resolver ident_resolver(struct ident *t)
{
	return (struct ident_resolver){ .resolve = resolve, .rename = rename_by_port, .arg = t };
}
