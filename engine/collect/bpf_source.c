/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/bpf_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "bpf/copy.h"
#include "collect/kernel_can.h"

struct counts { uint64_t drops[16], seen[8]; };         /* as in bpf/maps.h */

static int memory_map(struct bpf_source *b)
{
	struct bpf_map *ring = b->skel->maps.ring;
	void *p;

	b->wish_slots = bpf_map__max_entries(b->skel->maps.wishes);
	p = mmap(NULL, b->wish_slots * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED,
	         bpf_map__fd(b->skel->maps.wishes), 0);
	if (p == MAP_FAILED)
		return -errno;
	b->wishes = p;
	udp_counts_init(&b->udp, bpf_map__fd(b->skel->maps.udp_counts));
	return ring_open(&b->ring, bpf_map__fd(ring), bpf_map__max_entries(ring));
}

static int source_fd(struct source *s)
{
	return bpf_map__fd(bpf_source_of(s)->skel->maps.ring);
}

static int source_drain(struct source *s, source_fn *fn, void *arg)
{
	struct bpf_source *b = bpf_source_of(s);
	int udp = udp_counts_read(&b->udp, clock_ts_ns(), fn, arg), n = ring_drain(&b->ring, fn, arg, b->seen);

	return n < 0 || udp < 0 ? n : n + udp;
}

void bpf_source_ends(struct source *s)
{
	bpf_source_of(s)->udp.read_ns = 0;
}

static void source_counters(struct source *s, struct source_counters *ret)
{
	struct bpf_source *b = bpf_source_of(s);
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
	struct bpf_source *b = bpf_source_of(s);

	bpf_source_measure(s, false);
	for (size_t i = 0; i < b->ladder.n; i++)
		bpf_part_detach(b, i);
	ring_close(&b->ring);
	if (b->wishes)
		munmap(b->wishes, b->wish_slots * sizeof(uint64_t));
	probes_bpf__destroy(b->skel);
	free(b);
}

static const struct source_ops ops = { "bpf", source_fd, source_drain, source_counters, source_close };

struct bpf_link *bpf_link_of(const struct bpf_source *b, const char *source, const char *part)
{
	for (size_t i = 0; i < b->ladder.n; i++) {
		const struct probe_row *row = ladder_row(&b->ladder, i);

		if (!strcmp(row->source, source) && !strcmp(row->part, part))
			return b->links[i][0];
	}
	return NULL;
}

/* Why there is no program at all, in words. */
static const char *why_none(int err)
{
	struct utsname u;

	if (err == -EPERM)
		return kernel_missing_capability();
	if (err == -EBADMSG)
		return "the file given as BTF is none";
	if (uname(&u) == 0 && kernel_release_is_old(u.release))
		return "this kernel is older than 5.8";
	return "the programs could not be loaded or attached";
}

int bpf_source_open(const struct probe_options *o, struct source **ret, struct probe_report *report)
{
	struct bpf_source *b = calloc(1, sizeof(*b));
	int err = b ? 0 : -ENOMEM;

	report->missing_capability = kernel_missing_capability();
	if (!err) {
		b->source.ops = &ops;
		b->stats_fd = -1;
		err = bpf_load(b, o);
	}
	if (!err)
		err = memory_map(b);
	if (err == -ENOSYS && report->missing_capability)
		err = -EPERM;
	bpf_report(report, err ? NULL : b, err ? why_none(err) : NULL);
	if (err) {
		if (b)
			source_close(&b->source);
		return err;
	}
	*ret = &b->source;
	return 0;
}

int bpf_source_profile(struct source *s, struct profile_probe *ret)
{
	struct bpf_source *b = bpf_source_of(s);
	int prog_fd = bpf_program__fd(b->skel->progs.profile_sampled);

	if (prog_fd < 0)
		return -ENOSYS;
	*ret = (struct profile_probe){
		.prog_fd = prog_fd, .ring_fd = bpf_map__fd(b->skel->maps.stack_ring),
		.ring_bytes = bpf_map__max_entries(b->skel->maps.stack_ring),
	};
	return 0;
}

void bpf_source_wish(struct source *s, uint64_t cookie, int wish)
{
	struct bpf_source *b = bpf_source_of(s);

	__atomic_store_n(&b->wishes[WISH_SLOT(cookie, b->wish_slots)], WISH_WORD(cookie, (uint64_t)wish), __ATOMIC_RELAXED);
}

int bpf_source_map(struct source *s, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(bpf_source_of(s)->skel->obj, name);

	return fd >= 0 ? fd : -ENOENT;
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

size_t bpf_source_map_bytes(struct source *s, const char *name)
{
	struct bpf_source *b = bpf_source_of(s);
	struct bpf_map *m;
	size_t sum = 0;

	bpf_object__for_each_map(m, b->skel->obj)
		if (!name || !strcmp(bpf_map__name(m), name))
			sum += map_bytes(bpf_map__fd(m));
	return sum;
}
