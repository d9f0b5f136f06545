/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Life: open the skeleton, switch off what the options and the kernel's BTF rule out, load, attach each program by itself.
 * Where one program does not load, libbpf gives up the whole object: it is opened anew without that one.
 */
#include "collect/bpf_source.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "base/map.h"
#include "bpf/copy.h"
#include "bpf/probes.skel.h"
#include "collect/probe.h"
#include "collect/ring.h"

#define RING_BYTES_DEFAULT (16u << 20)
#define PROBES_MAX 32
#define WHY_LEN 192

struct counts { uint64_t drops[16], seen[8]; };         /* as in bpf/maps.h */

/* The record of a probe that a report line points to */
struct probe_now {
	struct bpf_link *link;
	bool off;               /* not to be loaded */
	char why[WHY_LEN];
};

struct bpf_source {
	struct source source;
	struct probes_bpf *skel;
	struct probe_now probes[PROBES_MAX];
	struct ring ring;
	uint64_t *wishes;
	uint64_t seen[SEEN_MAX];
	int cgroup_fd;
};

/* libbpf talks through one function for the whole process: kept is the first warning about a program, which says what went
 * wrong. Those after it only say how far that led. */
static __thread char first_line[WHY_LEN];

static int log_keep(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[WHY_LEN];

	if (level != LIBBPF_WARN || first_line[0])
		return 0;
	vsnprintf(line, sizeof(line), fmt, ap);
	if (!strstr(line, "prog '") || strstr(line, "BEGIN PROG LOAD LOG"))
		return 0;
	line[strcspn(line, "\n")] = '\0';
	memcpy(first_line, line, sizeof(line));
	return 0;
}

static struct bpf_source *of(struct source *s)
{
	return (struct bpf_source *)s;
}

static struct bpf_program *program_of(struct bpf_source *b, size_t i)
{
	return bpf_object__find_program_by_name(b->skel->obj, probe_table[i].program);
}

/* Arguments of a tracepoint in this kernel, without the leading void *; -1: there is no such tracepoint. */
static int tracepoint_args(const struct btf *btf, const char *name)
{
	const struct btf_type *t;
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);

	if (id < 0)
		return -1;
	t = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);       /* pointer */
	t = btf__type_by_id(btf, t->type);                              /* function */
	return t && btf_is_func_proto(t) ? btf_vlen(t) - 1 : -1;
}

static bool btf_knows(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, strncmp(name, "btf_trace_", 10) ? BTF_KIND_STRUCT : BTF_KIND_TYPEDEF) >= 0;
}

static void probe_off(struct probe_now *p, const char *why)
{
	p->off = true;
	snprintf(p->why, sizeof(p->why), "%s", why);
}

static void probes_choose(struct bpf_source *b, const struct probe_options *o, const struct btf *btf)
{
	for (size_t i = 0; i < probe_table_n; i++) {
		const struct probe_row *row = &probe_table[i];

		if ((o->no_packets && row->group == PROBE_PACKETS) || (o->no_sched && row->group == PROBE_SCHED))
			probe_off(&b->probes[i], "left out by option");
		else if (row->tracepoint && !btf_knows(btf, row->tracepoint))
			probe_off(&b->probes[i], "this kernel does not have it");
	}
}

static int filters_set(struct probes_bpf__rodata *ro, const struct probe_options *o)
{
	const size_t max = sizeof(ro->only_ports) / sizeof(ro->only_ports[0]);

	if (o->only_ports.n > max || o->only_pids.n > max || o->exclude_pids.n > max)
		return -E2BIG;
	for (size_t i = 0; i < o->only_ports.n; i++)
		ro->only_ports[i] = o->only_ports.v[i];
	for (size_t i = 0; i < o->only_pids.n; i++)
		ro->only_pids[i] = o->only_pids.v[i];
	for (size_t i = 0; i < o->exclude_pids.n; i++)
		ro->exclude_pids[i] = o->exclude_pids.v[i];
	ro->only_ports_n = o->only_ports.n;
	ro->only_pids_n = o->only_pids.n;
	ro->exclude_pids_n = o->exclude_pids.n;
	return 0;
}

static int skeleton_prepare(struct bpf_source *b, const struct probe_options *o, const struct btf *btf)
{
	int err;

	b->skel = probes_bpf__open();
	if (!b->skel)
		return -errno;
	err = filters_set(b->skel->rodata, o);
	if (err)
		return err;
	b->skel->rodata->exit_says_group_dead = tracepoint_args(btf, "btf_trace_sched_process_exit") >= 2;
	b->skel->rodata->victim_is_task = tracepoint_args(btf, "btf_trace_mark_victim") >= 2;
	b->skel->rodata->page_kb = sysconf(_SC_PAGESIZE) / 1024;
	for (size_t i = 0; i < probe_table_n; i++)
		bpf_program__set_autoload(program_of(b, i), !b->probes[i].off);
	return bpf_map__set_max_entries(b->skel->maps.ring, o->ring_bytes ? o->ring_bytes : RING_BYTES_DEFAULT);
}

/* The program that libbpf gave up at: the one that it warned of. False: it warned of none. */
static bool probe_blame(struct bpf_source *b)
{
	char quoted[64];

	for (size_t i = 0; i < probe_table_n; i++) {
		snprintf(quoted, sizeof(quoted), "'%s'", probe_table[i].program);
		if (!b->probes[i].off && strstr(first_line, quoted)) {
			probe_off(&b->probes[i], first_line);
			return true;
		}
	}
	return false;
}

static int skeleton_load(struct bpf_source *b, const struct probe_options *o, const struct btf *btf)
{
	for (size_t tries = 0; tries <= probe_table_n; tries++) {
		int err = skeleton_prepare(b, o, btf);

		if (err)
			return err;
		first_line[0] = '\0';
		err = probes_bpf__load(b->skel);
		if (!err)
			return 0;
		if (!probe_blame(b))
			return err;
		probes_bpf__destroy(b->skel);
		b->skel = NULL;
	}
	return -EINVAL;
}

static struct bpf_link *probe_attach(struct bpf_source *b, size_t i)
{
	struct bpf_program *p = program_of(b, i);

	if (probe_table[i].group != PROBE_PACKETS)
		return bpf_program__attach(p);
	if (b->cgroup_fd < 0) {
		errno = -b->cgroup_fd;
		return NULL;
	}
	return bpf_program__attach_cgroup(p, b->cgroup_fd);
}

/* Number attached. */
static int probes_attach(struct bpf_source *b)
{
	int n = 0;

	b->cgroup_fd = probe_cgroup_root();
	for (size_t i = 0; i < probe_table_n; i++) {
		struct probe_now *p = &b->probes[i];

		if (p->off)
			continue;
		p->link = probe_attach(b, i);
		if (p->link)
			n++;
		else
			probe_off(p, strerror(errno));
	}
	if (b->cgroup_fd >= 0)
		close(b->cgroup_fd);
	return n;
}

static int memory_map(struct bpf_source *b)
{
	struct bpf_map *ring = b->skel->maps.ring;
	void *p = mmap(NULL, WISH_SLOTS * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED,
	               bpf_map__fd(b->skel->maps.wishes), 0);

	if (p == MAP_FAILED)
		return -errno;
	b->wishes = p;
	return ring_open(&b->ring, bpf_map__fd(ring), bpf_map__max_entries(ring));
}

static void report_fill(struct probe_report *r, const struct bpf_source *b, const char *why_all)
{
	for (size_t i = 0; i < probe_table_n; i++) {
		const struct probe_row *row = &probe_table[i];
		struct probe_line *l = vec_push(&r->lines);
		bool on = b && b->probes[i].link;

		if (!l)
			return;
		*l = (struct probe_line){
			.probe = row->probe, .state = on ? PROBE_ON : PROBE_ABSENT, .rung = on ? row->rung : "absent",
			.program = row->program, .hook = row->hook, .type = row->type,
			.lacks = on ? NULL : row->lacks, .why = on ? NULL : why_all,
		};
		if (!on && !why_all)
			l->why = b->probes[i].why;
	}
}

static int source_fd(struct source *s)
{
	return -1;
}

static int source_drain(struct source *s, source_fn *fn, void *arg)
{
	return ring_drain(&of(s)->ring, fn, arg, of(s)->seen);
}

static void source_counters(struct source *s, struct source_counters *ret)
{
	struct bpf_source *b = of(s);
	int cpus = libbpf_num_possible_cpus(), fd = bpf_map__fd(b->skel->maps.counts);
	struct counts *c = cpus > 0 ? calloc(cpus, sizeof(*c)) : NULL;
	uint32_t zero = 0;

	*ret = (struct source_counters){0};
	memcpy(ret->seen, b->seen, sizeof(ret->seen));
	if (!c || bpf_map_lookup_elem(fd, &zero, c)) {
		free(c);
		return;
	}
	for (int cpu = 0; cpu < cpus; cpu++) {
		for (int i = 0; i < DROP_MAX; i++)
			ret->drops[i] += c[cpu].drops[i];
		for (int i = 0; i < SEEN_MAX; i++)
			ret->seen[i] += c[cpu].seen[i];
	}
	free(c);
}

static void source_close(struct source *s)
{
	struct bpf_source *b = of(s);

	for (size_t i = 0; i < probe_table_n; i++)
		bpf_link__destroy(b->probes[i].link);
	ring_close(&b->ring);
	if (b->wishes)
		munmap(b->wishes, WISH_SLOTS * sizeof(uint64_t));
	probes_bpf__destroy(b->skel);
	free(b);
}

static const struct source_ops ops = { "bpf", source_fd, source_drain, source_counters, source_close };

int bpf_source_open(const struct probe_options *o, struct source **ret, struct probe_report *report)
{
	struct bpf_source *b = NULL;
	struct btf *btf = NULL;
	int err;

	libbpf_set_print(log_keep);
	report->missing_capability = probe_missing_capability();
	if (report->missing_capability) {
		report_fill(report, NULL, report->missing_capability);
		return -EPERM;
	}
	btf = btf__load_vmlinux_btf();
	if (!btf) {
		report_fill(report, NULL, "no BTF: /sys/kernel/btf/vmlinux");
		return -ENOSYS;
	}
	b = calloc(1, sizeof(*b));
	err = b ? 0 : -ENOMEM;
	if (!err) {
		b->source.ops = &ops;
		probes_choose(b, o, btf);
		err = skeleton_load(b, o, btf);
	}
	if (!err)
		err = memory_map(b);
	if (!err && !probes_attach(b))
		err = -ENOSYS;
	report_fill(report, err ? NULL : b, err ? "the programs could not be loaded or attached" : NULL);
	btf__free(btf);
	if (err) {
		if (b)
			source_close(&b->source);
		return err;
	}
	*ret = &b->source;
	return 0;
}

void probe_report_done(struct probe_report *r)
{
	vec_done(&r->lines);
	r->missing_capability = NULL;
}

/* Reads an iterator to its end in whole records of `size`; fn gets each. Count or -errno. */
static int iterate(struct bpf_link *link, size_t size, void (*fn)(void *arg, const void *rec), void *arg)
{
	uint64_t buf[2048];     /* aligned */
	size_t have = 0;
	ssize_t n;
	int fd, count = 0;

	if (!link)
		return -ENOSYS;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		return fd;
	while ((n = read(fd, (char *)buf + have, sizeof(buf) - have)) != 0) {
		size_t used = 0;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0) {
			count = -errno;
			break;
		}
		for (have += n; have - used >= size; used += size, count++)
			fn(arg, (char *)buf + used);
		have -= used;
		memmove(buf, (char *)buf + used, have);
	}
	close(fd);
	return count;
}

static struct bpf_link *link_of(struct bpf_source *b, const char *program)
{
	for (size_t i = 0; i < probe_table_n; i++)
		if (!strcmp(probe_table[i].program, program))
			return b->probes[i].link;
	return NULL;
}

struct existing_call { source_fn *fn; void *arg; };

static void existing_each(void *arg, const void *rec)
{
	struct existing_call *c = arg;

	c->fn(c->arg, rec);
}

int bpf_source_existing(struct source *s, source_fn *fn, void *arg)
{
	struct existing_call c = { fn, arg };

	return iterate(link_of(of(s), "sock_existing"), sizeof(struct ev_conn), existing_each, &c);
}

typedef VEC(struct ev_task) task_vec;

static void task_keep(void *arg, const void *rec)
{
	struct ev_task *t = vec_push((task_vec *)arg);

	if (t)
		memcpy(t, rec, sizeof(*t));
}

/* The iterator gives each thread its own I/O; the contract is the process's total, on its leader. */
static int tasks_sum_io(task_vec *tasks)
{
	struct map leaders;
	size_t *at;

	map_init(&leaders, sizeof(uint32_t), sizeof(size_t), 0);
	for (size_t i = 0; i < tasks->n; i++) {
		if (tasks->v[i].tid != tasks->v[i].tgid)
			continue;
		at = map_put(&leaders, &tasks->v[i].tgid, NULL);
		if (!at) {
			map_done(&leaders);
			return -ENOMEM;
		}
		*at = i;
	}
	for (size_t i = 0; i < tasks->n; i++) {
		struct ev_task *t = &tasks->v[i];

		if (t->tid == t->tgid)
			continue;
		at = map_get(&leaders, &t->tgid);
		if (at) {
			tasks->v[*at].read_bytes += t->read_bytes;
			tasks->v[*at].write_bytes += t->write_bytes;
		}
		t->read_bytes = t->write_bytes = 0;
	}
	map_done(&leaders);
	return 0;
}

int bpf_source_tasks(struct source *s, task_fn *fn, void *arg)
{
	task_vec tasks = {0};
	int n = iterate(link_of(of(s), "task_each"), sizeof(struct ev_task), task_keep, &tasks);
	int err = n < 0 ? n : tasks_sum_io(&tasks);

	for (size_t i = 0; !err && i < tasks.n; i++)
		fn(arg, &tasks.v[i]);
	n = (int)tasks.n;
	vec_done(&tasks);
	return err ? err : n;
}

void bpf_source_wish(struct source *s, uint64_t cookie, int wish)
{
	__atomic_store_n(&of(s)->wishes[WISH_SLOT(cookie)], WISH_WORD(cookie, (uint64_t)wish), __ATOMIC_RELAXED);
}

/* memlock of /proc/self/fdinfo is what the kernel charged for the map */
static size_t map_bytes(int fd)
{
	char path[64], line[128];
	size_t bytes = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %zu", &bytes) == 1)
			break;
	if (f)
		fclose(f);
	return bytes;
}

void bpf_source_cost(struct source *s, struct probe_cost *ret)
{
	struct bpf_source *b = of(s);
	struct bpf_map *m;

	*ret = (struct probe_cost){0};
	bpf_object__for_each_map(m, b->skel->obj)
		ret->map_bytes += map_bytes(bpf_map__fd(m));
	for (size_t i = 0; i < probe_table_n; i++) {
		struct bpf_prog_info info = {0};
		uint32_t len = sizeof(info);

		if (b->probes[i].off || bpf_obj_get_info_by_fd(bpf_program__fd(program_of(b, i)), &info, &len))
			continue;
		ret->run_ns += info.run_time_ns;
		ret->runs += info.run_cnt;
	}
}
