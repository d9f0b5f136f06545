/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "collect/procfs.h"

#define FD_DIRS_A_READING 64      /* where the kernel does not tell the number and they must be listed */
#define MAX_FDS_LISTED 100000     /* of one directory */
#define FRESH_EVERY 16            /* readings after which also a process that did not run is read again */
#define LIMITS_EVERY 64
#define CGROUP_EVERY 8
#define CGROUP_YOUNG 3            /* readings in which a new process's cgroup is looked at each time */
#define SWEEP_EVERY 16            /* readings between searches for threads that ended */
#define THREADS_A_PROCESS 8       /* the limit of threads is that many times the limit of processes */

/* What threads wait for: the kinds of the wait table, and the run queue. */
#define WAIT_RUNQ WAIT_KINDS
#define WAITS (WAIT_KINDS + 1)

struct process_entry {
	struct sample_process row;
	uint64_t clock_ns;        /* of its CPU clock when the row was read; 0: there is none */
	uint64_t first, seen, listed;   /* readings: first, last, last visit of the threads */
	uint64_t moved;           /* reading in which it was found, or its v2 cgroup changed */
	uint64_t cgroup_id;       /* v2, as the iterator says */
	uint32_t cgroup;          /* row of cgroups */
	uint64_t used_ns;         /* CPU since the reading before */
	bool ran;                 /* since the reading before, or not known */
	uint64_t start_ticks;     /* of the leader, this reading */
	uint64_t runq_ns;         /* with what it was throttled */
	int64_t debt[WAITS];      /* of threads that ended between two looks of the iterator: comes with the next reading */
	struct { uint64_t cpu, faults; int64_t wait[WAITS]; uint32_t threads; } sum;   /* growth in this reading, from the tasks */
};

struct thread_entry { uint64_t start_ns, cpu, faults, wait[WAITS], seen; uint32_t tgid, pad; };

int processes_init(struct processes *p, int procfd, uint32_t limit)
{
	struct stat st;

	memset(p, 0, sizeof(*p));
	p->procfd = procfd;
	p->ours = procfs_is_ours(procfd);
	p->fd_sizes = !fstatat(procfd, "self/fd", &st, 0) && st.st_size > 0 && p->ours;
	p->tick_ns = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);
	p->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	p->limit = limit;
	map_init(&p->table, sizeof(uint32_t), sizeof(struct process_entry), limit);
	map_init(&p->threads, sizeof(uint32_t), sizeof(struct thread_entry), (size_t)limit * THREADS_A_PROCESS);
	return 0;
}

void processes_done(struct processes *p)
{
	map_done(&p->table);
	map_done(&p->threads);
	vec_done(&p->gone);
}

void processes_begin(struct processes *p, bool from_tasks)
{
	p->reading++;
	p->from_tasks = from_tasks;
}

void processes_forget(struct processes *p)
{
	map_reset(&p->table);
	map_reset(&p->threads);
}

/* The clock of all threads of a process, those that ended included, in ns: one system call, no file. 0 where it is gone. */
static uint64_t process_clock(const struct processes *p, uint32_t pid)
{
	struct timespec ts;
	clockid_t id;

	if (!p->ours || clock_getcpuclockid((pid_t)pid, &id) || clock_gettime(id, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static void entry_reset(struct process_entry *e, uint32_t pid, uint64_t reading)
{
	memset(e, 0, sizeof(*e));
	e->first = e->moved = reading;
	e->cgroup = CGROUP_NONE;
	e->row.pid = pid;
	e->row.fds = UINT32_MAX;
	e->row.read_bytes = e->row.write_bytes = e->row.fd_limit = UNKNOWN;
	e->row.state = '?';
}

static struct process_entry *entry_find(struct processes *p, uint32_t pid)
{
	bool fresh;
	struct process_entry *e = map_put(&p->table, &pid, &fresh);

	if (!e) {
		p->refused++;
		return NULL;
	}
	if (fresh)
		entry_reset(e, pid, p->reading);
	if (e->seen != p->reading) {
		e->seen = p->reading;
		memset(&e->sum, 0, sizeof(e->sum));
		e->start_ticks = 0;
	}
	return e;
}

/* Growth of a counter of a thread; all of it where the thread is new. */
static uint64_t grown(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : 0;
}

/* Of a wait: an absence that lasts is told of whole, of which the part in a run queue goes again; a thread that lost its slot of
 * the wait table to another one begins anew. */
static uint64_t wait_grown(uint64_t *before, uint64_t now)
{
	uint64_t more = now >= *before ? now - *before : now < *before / 2 ? now : 0;

	if (now >= *before || now < *before / 2)
		*before = now;
	return more;
}

/* The kernel hands what a thread has waited over to the leader when it ends, of which a part was told of as the thread's own. */
static void thread_left(const struct processes *p, struct process_entry *e, const struct thread_entry *t)
{
	for (int i = 0; i < WAITS && p->from_tasks && p->waits_seen; i++)
		e->sum.wait[i] -= (int64_t)t->wait[i];
}

static void thread_add(struct processes *p, struct process_entry *e, uint32_t tid, const struct thread_entry *now)
{
	bool fresh;
	struct thread_entry *t = map_put(&p->threads, &tid, &fresh);

	if (!t)
		return;
	if (t->start_ns != now->start_ns || t->tgid != e->row.pid ||
	    (!now->start_ns && t->wait[WAIT_RUNQ] > now->wait[WAIT_RUNQ])) {
		if (!fresh && t->tgid == e->row.pid)
			thread_left(p, e, t);
		*t = (struct thread_entry){ 0 };        /* another thread with this id */
	}
	e->sum.cpu += grown(now->cpu, t->cpu);
	e->sum.faults += grown(now->faults, t->faults);
	e->sum.wait[WAIT_RUNQ] += (int64_t)grown(now->wait[WAIT_RUNQ], t->wait[WAIT_RUNQ]);
	for (int i = 0; i < WAIT_KINDS; i++)
		e->sum.wait[i] += (int64_t)wait_grown(&t->wait[i], now->wait[i]);
	t->start_ns = now->start_ns;
	t->cpu = now->cpu;
	t->wait[WAIT_RUNQ] = now->wait[WAIT_RUNQ];
	t->faults = now->faults;
	t->tgid = e->row.pid;
	t->seen = p->reading;
}

static void leader_take(struct processes *p, struct process_entry *e, const struct ev_task *t)
{
	e->start_ticks = t->start_ns / p->tick_ns;
	e->row.rss_bytes = t->rss_pages * p->page_bytes;
	e->row.shared_bytes = grown(t->rss_pages, t->anon_pages) * p->page_bytes;
	e->row.read_bytes = t->read_bytes;
	e->row.write_bytes = t->write_bytes;
	e->row.state = (char)t->state;
	if (e->cgroup_id != t->cgroup)
		e->moved = p->reading;           /* look again for a while */
	e->cgroup_id = t->cgroup;
}

void processes_task(struct processes *p, const struct ev_task *t)
{
	struct process_entry *e = entry_find(p, t->tgid);
	struct thread_entry now = { .start_ns = t->start_ns, .cpu = t->oncpu_ns, .faults = t->majflt,
				    .wait = { [WAIT_RUNQ] = t->runq_ns } };

	if (!e)
		return;
	if (t->tid == t->tgid) {
		if (e->row.start_ticks && e->row.start_ticks != t->start_ns / p->tick_ns) {
			entry_reset(e, t->tgid, p->reading);     /* the pid is another process's now */
			e->seen = p->reading;
		}
		leader_take(p, e, t);
	}
	e->listed = p->reading;
	e->sum.threads++;
	p->runq_seen |= t->runq_ns > 0;
	p->io_seen = true;
	for (int i = 0; i < WAIT_KINDS; i++) {
		now.wait[i] = t->wait_ns[i];
		p->waits_seen |= t->wait_ns[i] > 0;
	}
	thread_add(p, e, t->tid, &now);
}

/* Growth of a reading, which may be negative for one reading: a thread is missed whose waits the leader does not have yet. */
static uint64_t wait_settled(int64_t *debt, int64_t sum)
{
	int64_t more = sum + *debt;

	*debt = more < 0 && sum < 0 ? sum : 0;
	return more > 0 ? (uint64_t)more : 0;
}

static void waits_finish(struct process_entry *e)
{
	static const uint8_t kind[WAITED_MAX] = {
		[WAITED_IO] = WAIT_IO, [WAITED_MEM] = WAIT_MEM, [WAITED_FUTEX] = WAIT_FUTEX, [WAITED_NET] = WAIT_NET,
		[WAITED_THROTTLED] = WAIT_THROTTLED,
	};
	struct sample_process *row = &e->row;
	uint64_t throttled, queued, wait[WAITS];

	for (int i = 0; i < WAITS; i++)
		wait[i] = wait_settled(&e->debt[i], e->sum.wait[i]);
	for (int i = 0; i < WAITED_MAX; i++)
		row->waited_ns[i] += wait[kind[i]];
	row->disk_wait_ns += wait[WAIT_IO] + wait[WAIT_MEM] + wait[WAIT_BLOCKED];
	/* the kernel counts being throttled as waiting in the run queue, but only when it is over */
	throttled = row->waited_ns[WAITED_THROTTLED];
	e->runq_ns += wait[WAIT_RUNQ];
	queued = grown(e->runq_ns, throttled);
	if (queued > row->runq_wait_ns)
		row->runq_wait_ns = queued;
}

/* After the last thread was seen. */
static void tasks_finish(struct processes *p, struct process_entry *e)
{
	struct sample_process *row = &e->row;
	uint64_t clock = process_clock(p, row->pid), before = row->cpu_ns;

	row->start_ticks = e->start_ticks ? e->start_ticks : row->start_ticks;
	row->threads = e->sum.threads;
	row->cpu_ns = clock ? clock : row->cpu_ns + e->sum.cpu;
	e->used_ns = e->first == p->reading ? 0 : grown(row->cpu_ns, before);
	e->ran = e->used_ns > 0 || e->first == p->reading;
	row->major_faults += e->sum.faults;
	waits_finish(e);
}

/* "on-CPU ns, waited ns, timeslices" of one thread. */
static bool schedstat_read(struct processes *p, uint32_t pid, const char *name, uint64_t *runq)
{
	uint64_t oncpu;
	const char *s = p->buf;

	return pid_file_read(p->procfd, pid, name, p->buf, sizeof(p->buf)) > 0 && scan_u64(&s, &oncpu) && scan_u64(&s, runq);
}

static void thread_wait(struct processes *p, struct process_entry *e, uint32_t tid, const char *name)
{
	struct thread_entry now = { 0 };

	if (!schedstat_read(p, e->row.pid, name, &now.wait[WAIT_RUNQ]))
		return;
	p->runq_seen = true;
	thread_add(p, e, tid, &now);
}

static void threads_wait(struct processes *p, struct process_entry *e)
{
	char path[64];

	e->listed = p->reading;
	if (e->row.threads <= 1) {
		thread_wait(p, e, e->row.pid, "schedstat");
		return;
	}
	snprintf(path, sizeof(path), "%u/task", e->row.pid);
	int fd = openat(p->procfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	while (d && (de = readdir(d))) {
		uint32_t tid = pid_parse(de->d_name);
		snprintf(path, sizeof(path), "task/%u/schedstat", tid);
		if (tid)
			thread_wait(p, e, tid, path);
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

static void io_take(struct processes *p, struct sample_process *row)
{
	uint64_t cancelled;

	if (pid_file_read(p->procfd, row->pid, "io", p->buf, sizeof(p->buf)) <= 0)
		return;
	row->read_bytes = scan_key(p->buf, "read_bytes:", UNKNOWN);
	row->write_bytes = scan_key(p->buf, "write_bytes:", UNKNOWN);
	cancelled = scan_key(p->buf, "cancelled_write_bytes:", 0);
	if (row->write_bytes != UNKNOWN)
		row->write_bytes = grown(row->write_bytes, cancelled);
	p->io_seen = true;
}

static void stat_take(struct processes *p, struct process_entry *e, const struct proc_stat *st, uint64_t clock)
{
	struct sample_process *row = &e->row;
	uint64_t cpu = clock ? clock : (st->utime_ticks + st->stime_ticks) * p->tick_ns;

	e->used_ns = e->first == p->reading ? 0 : grown(cpu, row->cpu_ns);
	e->clock_ns = clock;
	row->cpu_ns = cpu;
	row->start_ticks = st->start_ticks;
	row->threads = st->threads;
	row->rss_bytes = st->rss_pages * p->page_bytes;
	row->major_faults = st->major_faults;
	row->disk_wait_ns = st->blkio_ticks * p->tick_ns;
	row->state = st->state;
	p->disk_seen |= st->blkio_ticks > 0;
}

/* "size resident shared …" in pages. */
static void shared_take(struct processes *p, struct sample_process *row)
{
	const char *s = p->buf;
	uint64_t shared;

	if (pid_file_read(p->procfd, row->pid, "statm", p->buf, sizeof(p->buf)) <= 0)
		return;
	s = scan_skip(s, 2);
	if (scan_u64(&s, &shared))
		row->shared_bytes = shared * p->page_bytes;
}

/* true where the process is there. */
static bool process_scan(struct processes *p, uint32_t pid)
{
	struct process_entry *e = map_get(&p->table, &pid);
	uint64_t clock = process_clock(p, pid);
	struct proc_stat st;

	if (e && clock && e->clock_ns == clock && (pid + p->reading) % FRESH_EVERY) {
		e->seen = p->reading;            /* did not run: nothing of it has changed */
		e->used_ns = 0;
		e->ran = false;
		return true;
	}
	if (pid_file_read(p->procfd, pid, "stat", p->buf, sizeof(p->buf)) <= 0 || proc_stat_parse(p->buf, &st))
		return false;
	e = entry_find(p, pid);
	if (!e)
		return true;
	if (e->row.start_ticks && e->row.start_ticks != st.start_ticks) {
		entry_reset(e, pid, p->reading);
		e->seen = p->reading;
	}
	e->ran = true;
	uint64_t rss = e->row.rss_bytes;
	stat_take(p, e, &st, clock);
	if (e->row.rss_bytes != rss)
		shared_take(p, &e->row);         /* one more file: where something has changed */
	threads_wait(p, e);
	e->row.runq_wait_ns += (uint64_t)e->sum.wait[WAIT_RUNQ];
	if (!(st.flags & PROC_PF_KTHREAD))
		io_take(p, &e->row);
	return true;
}

int processes_scan(struct processes *p)
{
	struct dirent *de;
	int n = 0, err;
	DIR *d = procfs_list(p->procfd, &err);

	if (!d)
		return err;
	while ((de = readdir(d))) {
		uint32_t pid = pid_parse(de->d_name);
		if (pid && process_scan(p, pid))
			n++;
	}
	closedir(d);
	return n;
}

static uint32_t fds_list(struct processes *p, const char *path)
{
	int fd = openat(p->procfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	uint32_t n = 0;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return UINT32_MAX;
	}
	while (n < MAX_FDS_LISTED && (de = readdir(d)))
		n += de->d_name[0] != '.';
	closedir(d);
	return n;
}

static void fds_read(struct processes *p, struct process_entry *e)
{
	struct stat st;
	char path[32];

	snprintf(path, sizeof(path), "%u/fd", e->row.pid);
	if (p->fd_sizes) {
		e->row.fds = fstatat(p->procfd, path, &st, 0) ? UINT32_MAX : (uint32_t)st.st_size;
		return;
	}
	/* Listing is dear: so many groups that each fits the budget, one group a reading. */
	size_t groups = p->table.n / FD_DIRS_A_READING + 1;
	if (e->row.pid % groups == p->reading % groups)
		e->row.fds = fds_list(p, path);
}

/* "Max open files            1024                 4096                 files" */
static void limits_read(struct processes *p, struct process_entry *e)
{
	static const char key[] = "Max open files";

	if (pid_file_read(p->procfd, e->row.pid, "limits", p->buf, sizeof(p->buf)) <= 0)
		return;
	const char *l = strstr(p->buf, key);
	if (!l)
		return;
	l += sizeof(key) - 1;
	if (!scan_u64(&l, &e->row.fd_limit))
		e->row.fd_limit = UNKNOWN;       /* "unlimited" */
}

static void cgroup_read(struct processes *p, struct cgroups *c, struct process_entry *e)
{
	if (pid_file_read(p->procfd, e->row.pid, "cgroup", p->buf, sizeof(p->buf)) > 0)
		e->cgroup = cgroups_find(c, p->buf);
}

/* What neither the iterator nor stat has, as seldom as each allows. */
static void entry_finish(struct processes *p, struct cgroups *c, struct process_entry *e)
{
	uint64_t turn = e->row.pid + p->reading;
	bool young = p->reading - e->moved < CGROUP_YOUNG;

	if (p->from_tasks)
		tasks_finish(p, e);
	if (e->ran || !p->fd_sizes)
		fds_read(p, e);
	if (e->first == p->reading || turn % LIMITS_EVERY == 0)
		limits_read(p, e);
	if (young || turn % CGROUP_EVERY == 0)
		cgroup_read(p, c, e);
	cgroups_use(c, e->cgroup, e->used_ns);
}

static void row_append(struct processes *p, struct cgroups *c, const struct process_entry *e, struct sample *ret)
{
	struct sample_process *row = vec_push(&ret->processes);

	if (!row)
		return;
	*row = e->row;
	row->cgroup = cgroups_path(c, e->cgroup, ret);
	if (!p->runq_seen)
		row->runq_wait_ns = UNKNOWN;
	if (!p->disk_seen && !p->waits_seen)
		row->disk_wait_ns = UNKNOWN;
	for (int i = 0; i < WAITED_MAX && !(p->from_tasks && p->waits_seen); i++)
		row->waited_ns[i] = UNKNOWN;
}

static void gone_forget(struct processes *p, struct map *m)
{
	for (size_t i = 0; i < p->gone.n; i++)
		map_del(m, &p->gone.v[i]);
	vec_reset(&p->gone);
}

static void gone_push(struct processes *p, uint32_t id)
{
	uint32_t *slot = vec_push(&p->gone);

	if (slot)
		*slot = id;
}

/* A thread is gone when its process was visited without it, or is gone itself. */
static void threads_sweep(struct processes *p)
{
	const void *key;
	void *value;
	size_t it = 0;

	while (map_next(&p->threads, &it, &key, &value)) {
		const struct thread_entry *t = value;
		struct process_entry *e = map_get(&p->table, &t->tgid);
		if (e && t->seen >= e->listed)
			continue;
		if (e)
			thread_left(p, e, t);
		gone_push(p, *(const uint32_t *)key);
	}
	gone_forget(p, &p->threads);
}

void processes_read(struct processes *p, struct cgroups *c, struct sample *ret)
{
	const void *key;
	void *value;
	size_t it = 0;

	if (p->from_tasks || p->reading % SWEEP_EVERY == 0 || p->threads.n > p->threads.limit / 2)
		threads_sweep(p);
	while (map_next(&p->table, &it, &key, &value)) {
		struct process_entry *e = value;
		if (e->seen != p->reading) {
			gone_push(p, e->row.pid);
			continue;
		}
		entry_finish(p, c, e);
		row_append(p, c, e, ret);
	}
	gone_forget(p, &p->table);
}

static void report_line(struct probe_report *r, const char *probe, const char *lacks, const char *why)
{
	struct probe_line *l = vec_push(&r->lines);

	if (l)
		*l = (struct probe_line){ .probe = probe, .rung = "absent", .lacks = lacks, .why = why };
}

/* A thread that never waited yet and a missing probe look the same in the task iterator's records. */
static bool is_on(const struct probe_report *r, const char *probe)
{
	for (size_t i = 0; i < r->lines.n; i++)
		if (!strcmp(r->lines.v[i].probe, probe) && r->lines.v[i].state == PROBE_ON)
			return true;
	return false;
}

void processes_report(const struct processes *p, struct probe_report *r)
{
	if (!p->runq_seen)
		report_line(r, "run queue", "time that threads waited for a CPU", "the kernel lacks SCHED_INFO");
	if (!p->disk_seen && !p->waits_seen && !is_on(r, "waits"))
		report_line(r, "disk delay", "time that each process waited for devices",
			    "no scheduler probe, and kernel.task_delayacct is off");
	if (!p->io_seen)
		report_line(r, "process I/O", "bytes that each process read and wrote", "/proc/PID/io cannot be read");
	if (p->refused)
		report_line(r, "processes", "some processes", "more processes than the limit");
}
