/* SPDX-License-Identifier: BSD-2-Clause */
/* What the probes cost, and doing with less of them. */
#include "collect/bpf_private.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/sample.h"
#include "collect/cgroup_root.h"
#include "collect/governor.h"

int bpf_source_measure(struct source *s, bool on)
{
	struct bpf_source *b = bpf_source_of(s);

	if (b->stats_fd >= 0)
		close(b->stats_fd);
	b->stats_fd = -1;
	if (!on)
		return 0;
	b->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	return b->stats_fd < 0 ? -errno : 0;
}

uint64_t bpf_source_run_ns(struct source *s)
{
	struct bpf_source *b = bpf_source_of(s);
	struct bpf_program *p;
	uint64_t sum = 0;

	bpf_object__for_each_program(p, b->skel->obj) {
		struct bpf_prog_info info = {0};
		uint32_t len = sizeof(info);

		if (bpf_program__fd(p) >= 0 && !bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len))
			sum += info.run_time_ns;
	}
	return sum;
}

/* Without the scheduler's probe the table of waits stands still: a thread that slept then would sleep for ever in it, and what
 * is not in it would be taken for work. */
static void waits_forget(struct bpf_source *b)
{
	size_t bytes = (size_t)bpf_map__value_size(b->skel->maps.waits) * bpf_map__max_entries(b->skel->maps.waits);
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(b->skel->maps.waits), 0);

	__atomic_store_n(&b->skel->bss->switches_seen, 0, __ATOMIC_RELEASE);
	if (p == MAP_FAILED)
		return;
	memset(p, 0, bytes);
	munmap(p, bytes);
}

/* A part that does not come back stays off, and is tried again with the next call; the caller says so. */
static int parts_switch(struct bpf_source *b, uint32_t off)
{
	int cgroup_fd = cgroup_root_open(), err = 0;
	bool sched = false;

	for (size_t i = 0; i < b->ladder.n; i++) {
		const struct probe_row *row = ladder_row(&b->ladder, i);
		bool want = !(row->group & off);

		/* samples are the clock's business: profile_pause() */
		if (!row->program || b->ladder.parts[i].idle || row->group & PROBE_CLOCK || want == !b->parked[i])
			continue;
		if (want && bpf_part_attach(b, i, cgroup_fd) < 0) {
			err = -EIO;
			continue;
		}
		if (!want)
			bpf_part_detach(b, i);
		sched |= !want && row->group & PROBE_SCHED;
		b->parked[i] = !want;
	}
	if (sched)
		waits_forget(b);
	if (cgroup_fd >= 0)
		close(cgroup_fd);
	return err;
}

int bpf_source_limit(struct source *s, const struct governor_level *level)
{
	struct bpf_source *b = bpf_source_of(s);
	uint32_t word = LIMIT_SHIFT(level->shift) | (level->small_heads ? LIMIT_SMALL_HEADS : 0);

	__atomic_store_n(&b->skel->data->limits, word, __ATOMIC_RELEASE);
	return parts_switch(b, level->off);
}
