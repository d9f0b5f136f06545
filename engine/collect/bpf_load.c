/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel can is found out first, and the rungs are chosen by that. Where a program does not load all the same (its
 * verifier, a helper), libbpf gives up the whole object: that part steps down and the object is opened anew.
 */
#include "collect/bpf_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "collect/cgroup_root.h"
#include "collect/kernel_can.h"
#include "collect/map_plan.h"
#include "collect/profile_clock.h"

#define LINE_LEN 192
#define FUNCTION "function:"

/* What is known of the kernel while its programs are loaded. */
struct knowledge {
	struct btf *kernel, *file;      /* NULL: none */
	const struct btf *btf;          /* of these the one that fields are found by */
	bool *known;                    /* for each row of the table, what it wants to be known */
	const char *file_path;          /* where libbpf is to look; NULL: in the kernel */
	char none_path[32];
	int none_fd;                    /* -1: not needed */
};

/* libbpf talks through one function for the whole process: kept is the first warning about a program, which says what went
 * wrong, and of the verifier's log its last word. Warnings after that only say how far it led. */
static __thread char first_line[LINE_LEN], last_word[LINE_LEN];

/* The log ends with the instruction, what is wrong with it, and how much was processed. */
static void verifier_keep(const char *log)
{
	for (const char *next; *log; log = next) {
		size_t n = strcspn(log, "\n");

		next = log + n + (log[n] == '\n');
		if (!strncmp(log, "processed ", 10) || !strncmp(log, "-- END", 6))
			break;
		if (n && n < sizeof(last_word) && strncmp(log, "prog '", 6)) {
			memcpy(last_word, log, n);
			last_word[n] = '\0';
		}
	}
}

static int log_keep(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char *line = NULL;

	if (level != LIBBPF_WARN || vasprintf(&line, fmt, ap) < 0)
		return 0;
	if (strstr(line, "BEGIN PROG LOAD LOG")) {
		verifier_keep(line);
	} else if (!first_line[0] && strstr(line, "prog '")) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(first_line, sizeof(first_line), "%s", line);
	}
	free(line);
	return 0;
}

/* Arguments of a tracepoint in this kernel, without the leading void *; -1: there is no such tracepoint. */
static int tracepoint_args(const struct btf *btf, const char *name)
{
	const struct btf_type *t;
	int id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF) : -1;

	if (id < 0)
		return -1;
	t = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);       /* pointer */
	t = btf__type_by_id(btf, t->type);                              /* function */
	return t && btf_is_func_proto(t) ? btf_vlen(t) - 1 : -1;
}

/* Each name is a pass over all types (a hundred thousand): all of them in one. */
static void names_look_up(struct knowledge *k)
{
	uint32_t n = k->btf ? btf__type_cnt(k->btf) : 0;

	for (uint32_t id = 1; id < n; id++) {
		const struct btf_type *t = btf__type_by_id(k->btf, id);
		const char *name;

		if (!btf_is_typedef(t) && !btf_is_struct(t) && !btf_is_func(t))
			continue;
		name = btf__name_by_offset(k->btf, t->name_off);
		if (!btf_is_func(t) && strncmp(name, "btf_trace_", 10) && strncmp(name, "bpf_iter__", 10))
			continue;
		for (size_t i = 0; i < probe_table_n; i++) {
			const char *wants = probe_table[i].knows;
			bool function = wants && !strncmp(wants, FUNCTION, strlen(FUNCTION));

			if (wants && function == btf_is_func(t) && !strcmp(wants + (function ? strlen(FUNCTION) : 0), name))
				k->known[i] = true;
		}
	}
}

/* libbpf opens no object with relocations where it finds no BTF, even if none of its programs that are wanted has any: it is
 * given one that knows nothing. */
static int knowledge_none(struct knowledge *k)
{
	struct btf *empty = btf__new_empty();
	uint32_t size = 0;
	const void *raw = empty ? btf__raw_data(empty, &size) : NULL;

	k->none_fd = raw ? memfd_create("no BTF", MFD_CLOEXEC) : -1;
	snprintf(k->none_path, sizeof(k->none_path), "/proc/self/fd/%d", k->none_fd);
	k->file_path = k->none_path;
	if (k->none_fd >= 0 && write(k->none_fd, raw, size) != (ssize_t)size) {
		close(k->none_fd);
		k->none_fd = -1;
	}
	btf__free(empty);
	return k->none_fd < 0 ? -ENOMEM : 0;
}

static int knowledge_gather(struct knowledge *k, const struct probe_options *o)
{
	*k = (struct knowledge){
		.known = calloc(probe_table_n, sizeof(*k->known)), .file_path = o->btf, .none_fd = -1,
	};
	if (!k->known)
		return -ENOMEM;
	if (!ladder_wishes(o->rungs, "btf", "absent"))
		k->kernel = btf__load_vmlinux_btf();
	if (o->btf) {
		k->file = btf__parse(o->btf, NULL);
		if (!k->file)
			return errno == ENOENT || errno == EACCES ? -errno : -EBADMSG;
	}
	k->btf = k->file ? k->file : k->kernel;
	names_look_up(k);
	return k->btf ? 0 : knowledge_none(k);
}

static void knowledge_done(struct knowledge *k)
{
	if (k->none_fd >= 0)
		close(k->none_fd);
	free(k->known);
	btf__free(k->kernel);
	btf__free(k->file);
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

static bool stands_on(const struct ladder *l, const char *program)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct probe_row *row = ladder_row(l, i);

		if (row->program && !strcmp(row->program, program))
			return !l->parts[i].idle;
	}
	return false;
}

/* Constants that the verifier removes branches by. */
static void kernel_set(struct probes_bpf__rodata *ro, const struct ladder *l, const struct btf *btf)
{
	ro->exit_says_group_dead = tracepoint_args(btf, "btf_trace_sched_process_exit") >= 2;
	ro->victim_is_task = tracepoint_args(btf, "btf_trace_mark_victim") >= 2;
	ro->page_kb = sysconf(_SC_PAGESIZE) / 1024;
	ro->state_in_hash = l->state_in_hash;
	ro->cookie_by_helper = l->can & CAN_SOCK_COOKIE;
	ro->task_by_helper = l->can & CAN_CURRENT_TASK;
	ro->unix_reads_told = stands_on(l, "sock_read");
}

/* What an entry takes, as kernel/bpf accounts for it, rather too much. */
static size_t entry_bytes(const struct bpf_map *m)
{
	enum bpf_map_type type = bpf_map__type(m);
	size_t value = (bpf_map__value_size(m) + 7) & ~7u, cpus = (size_t)libbpf_num_possible_cpus();

	if (type == BPF_MAP_TYPE_RINGBUF)
		return 1;
	if (type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY)
		value *= cpus;
	if (type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY)
		return value;
	return value + bpf_map__key_size(m) + 80;       /* struct htab_elem or stack_map_bucket, and their bucket */
}

/* Of the budget; maps that nothing uses on these rungs are as small as can be. */
static int maps_size(struct probes_bpf *skel, const struct ladder *l, const struct probe_options *o)
{
	struct bpf_map *m, *const hashes[] = { skel->maps.states, skel->maps.listeners, skel->maps.writing };
	int err = 0;

	bpf_object__for_each_map(m, skel->obj) {
		const struct map_row *row = map_plan_row(bpf_map__name(m));

		if (!err && row)
			err = bpf_map__set_max_entries(m, map_plan_entries(row, o->map_bytes ? o->map_bytes : MAP_BUDGET_DEFAULT,
			                                                   entry_bytes(m)));
	}
	for (size_t i = 0; !err && !l->state_in_hash && i < sizeof(hashes) / sizeof(hashes[0]); i++)
		err = bpf_map__set_max_entries(hashes[i], 1);
	if (!err && o->ring_bytes)
		err = bpf_map__set_max_entries(skel->maps.ring, o->ring_bytes);
	if (!err && o->no_profile)
		err = bpf_map__set_max_entries(skel->maps.stack_ring, (uint32_t)sysconf(_SC_PAGESIZE));
	skel->rodata->wish_slots = bpf_map__max_entries(skel->maps.wishes);
	return err;
}

static struct bpf_program *program_named(struct bpf_source *b, const char *name)
{
	return name ? bpf_object__find_program_by_name(b->skel->obj, name) : NULL;
}

/* None but those of the rungs: what is not loaded costs nothing. */
static void programs_pick(struct bpf_source *b)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, b->skel->obj)
		bpf_program__set_autoload(p, false);
	for (size_t i = 0; i < b->ladder.n; i++) {
		const struct probe_row *row = ladder_row(&b->ladder, i);
		const char *const names[] = { row->program, row->also };

		for (size_t k = 0; k < 2 && !b->ladder.parts[i].idle; k++)
			if ((p = program_named(b, names[k])))
				bpf_program__set_autoload(p, true);
	}
}

static int skeleton_open(struct bpf_source *b, const struct probe_options *o, const struct knowledge *k)
{
	LIBBPF_OPTS(bpf_object_open_opts, oo, .btf_custom_path = k->file_path);
	int err;

	b->skel = probes_bpf__open_opts(&oo);
	if (!b->skel)
		return -errno;
	err = filters_set(b->skel->rodata, o);
	if (err)
		return err;
	kernel_set(b->skel->rodata, &b->ladder, k->btf);
	programs_pick(b);
	return maps_size(b->skel, &b->ladder, o);
}

void bpf_part_detach(struct bpf_source *b, size_t part)
{
	for (size_t k = 0; k < 2; k++) {
		bpf_link__destroy(b->links[part][k]);
		b->links[part][k] = NULL;
	}
}

static void skeleton_close(struct bpf_source *b)
{
	for (size_t i = 0; i < b->ladder.n; i++)
		bpf_part_detach(b, i);
	probes_bpf__destroy(b->skel);
	b->skel = NULL;
}

/* The program that libbpf gave up at is the one that it warned of; its part steps down. False: it warned of none. */
static bool program_blame(struct bpf_source *b, const struct knowledge *k)
{
	const char *at = strstr(first_line, "prog '");
	char name[64], why[LINE_LEN];

	if (!at || sscanf(at, "prog '%63[^']", name) != 1)
		return false;
	snprintf(why, sizeof(why), "%.*s%s%.90s", last_word[0] ? 90 : LINE_LEN, at, last_word[0] ? ": " : "", last_word);
	return ladder_step_down(&b->ladder, name, k->known, why);
}

/* 1: a part has stepped down, try again. */
static int skeleton_load(struct bpf_source *b, const struct probe_options *o, const struct knowledge *k)
{
	int err = skeleton_open(b, o, k);

	if (err)
		return err;
	first_line[0] = last_word[0] = '\0';
	err = probes_bpf__load(b->skel);
	return err && program_blame(b, k) ? 1 : err;
}

/* The iterator over socket storage wants to know whose. */
static struct bpf_link *storage_attach(const struct bpf_source *b, const struct bpf_program *p)
{
	union bpf_iter_link_info over = { .map.map_fd = bpf_map__fd(b->skel->maps.socks) };
	struct bpf_iter_attach_opts opts;

	memset(&opts, 0, sizeof(opts));         /* padding too: libbpf refuses what it does not know */
	opts.sz = sizeof(opts);
	opts.link_info = &over;
	opts.link_info_len = sizeof(over);
	return bpf_program__attach_iter(p, &opts);
}

static struct bpf_link *program_attach(const struct bpf_source *b, const struct bpf_program *p, int cgroup_fd)
{
	enum bpf_prog_type type = bpf_program__type(p);

	if (!strcmp(bpf_program__section_name(p), "iter/bpf_sk_storage_map"))
		return storage_attach(b, p);
	if (type != BPF_PROG_TYPE_CGROUP_SKB && type != BPF_PROG_TYPE_CGROUP_SOCK && type != BPF_PROG_TYPE_SOCK_OPS)
		return bpf_program__attach(p);
	if (cgroup_fd < 0) {
		errno = -cgroup_fd;
		return NULL;
	}
	return bpf_program__attach_cgroup(p, cgroup_fd);
}

int bpf_part_attach(struct bpf_source *b, size_t part, int cgroup_fd)
{
	const struct probe_row *row = ladder_row(&b->ladder, part);
	const char *const names[] = { row->program, row->also };

	for (size_t k = 0; k < 2; k++) {
		struct bpf_program *p = program_named(b, names[k]);

		if (!p || b->ladder.parts[part].idle)
			continue;
		if (row->group & PROBE_CLOCK)           /* of one CPU, to see that it works: profile_open() begins it */
			return profile_clock_try(bpf_program__fd(p));
		b->links[part][k] = program_attach(b, p, cgroup_fd);
		if (!b->links[part][k]) {
			int err = -errno;

			bpf_part_detach(b, part);
			return err;
		}
	}
	return 0;
}

/* 1: a part has stepped down to a rung that takes other programs. */
static int programs_attach(struct bpf_source *b, const struct knowledge *k)
{
	int cgroup_fd = cgroup_root_open(), ret = 0;

	for (size_t i = 0; i < b->ladder.n; i++) {
		int err = bpf_part_attach(b, i, cgroup_fd);

		if (!err)
			continue;
		ladder_step_down(&b->ladder, ladder_row(&b->ladder, i)->program, k->known, strerror(-err));
		ret |= ladder_row(&b->ladder, i)->program != NULL;
	}
	if (cgroup_fd >= 0)
		close(cgroup_fd);
	return ret;
}

static bool anything_attached(const struct bpf_source *b)
{
	for (size_t i = 0; i < b->ladder.n; i++)
		if (b->links[i][0])
			return true;
	return false;
}

int bpf_load(struct bpf_source *b, const struct probe_options *o)
{
	const struct ladder_wish wish = {
		.no_packets = o->no_packets, .no_sched = o->no_sched, .no_iterators = o->no_iterators,
		.no_profile = o->no_profile, .rungs = o->rungs,
	};
	struct knowledge k;
	int err;

	libbpf_set_print(log_keep);
	err = knowledge_gather(&k, o);
	if (!err)
		err = ladder_choose(&b->ladder, probe_table, probe_table_n, kernel_can(k.kernel, k.file), k.known, &wish);
	/* each round steps at least one part down */
	for (size_t round = 0; !err && round <= probe_table_n; round++) {
		err = skeleton_load(b, o, &k);
		if (!err)
			err = programs_attach(b, &k);
		if (err <= 0)
			break;
		skeleton_close(b);
		err = 0;
	}
	knowledge_done(&k);
	if (!err && !b->skel)
		return -EINVAL;
	return err || anything_attached(b) ? err : -ENOSYS;
}
