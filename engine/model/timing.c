/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/timing.h"

#include "bpf/event.h"

#define NOISE_NS 4096      /* by which waits may exceed the time they are in: two clocks, and nine numbers cut to 64 ns */
#define NOISE_SHARE 256    /* and by this part of it: clocks of different speeds */

_Static_assert(FLOW_WAITS == PART_MAX, "the flow carries all parts");

const struct time_part_info time_part_table[TIME_PARTS] = {
	[TIME_QUEUE] = {"queue", "waiting to be read"},
	[TIME_CPU] = {"cpu", "on the CPU"},
	[TIME_RUNQ] = {"runq", "waiting for a CPU"},
	[TIME_QUOTA] = {"quota", "throttled by the CPU quota"},
	[TIME_IO] = {"io", "waiting for block I/O"},
	[TIME_MEM] = {"mem", "waiting for memory"},
	[TIME_LOCK] = {"lock", "waiting for a lock"},
	[TIME_NET] = {"net", "waiting for others to answer"},
	[TIME_POLL] = {"poll", "waiting for an event"},
	[TIME_SLEEP] = {"sleep", "sleeping"},
};

/* Of each PART_* what it is; TIME_PARTS: not known. */
static const enum time_part part_of[PART_MAX] = {
	[PART_RUNQ] = TIME_RUNQ, [PART_THROTTLED] = TIME_QUOTA, [PART_IO] = TIME_IO, [PART_MEM] = TIME_MEM,
	[PART_FUTEX] = TIME_LOCK, [PART_NET] = TIME_NET, [PART_POLL] = TIME_POLL, [PART_SLEEP] = TIME_SLEEP, [PART_OTHER] = TIME_PARTS,
};

/* The waits in ns, fitted into the time from the read to the write: the largest gives way. False where they do not fit. */
static bool waits_fit(const struct flow_waits *w, uint64_t wait_ns[PART_MAX], uint64_t *sum)
{
	uint64_t whole = w->until_ns - w->read_ns, over;
	unsigned most = 0, i;

	*sum = 0;
	for (i = 0; i < PART_MAX; i++) {
		wait_ns[i] = (uint64_t)w->wait[i] << PART_SHIFT;
		*sum += wait_ns[i];
		if (wait_ns[i] > wait_ns[most])
			most = i;
	}
	if (*sum <= whole)
		return true;
	over = *sum - whole;
	if (over > NOISE_NS + whole / NOISE_SHARE || over > wait_ns[most])
		return false;
	wait_ns[most] -= over;
	*sum = whole;
	return true;
}

/* read_ns: of the thread that the waits are of. A request that goes on after the read was answered before it was known. */
static bool is_timed(const struct request *r)
{
	const struct flow_waits *w = &r->waits;

	return w->until_ns && r->begin_ns <= r->sent_ns && r->sent_ns <= w->read_ns && w->read_ns <= w->until_ns &&
	       w->until_ns <= r->end_ns && w->until_ns - w->read_ns < (uint64_t)UINT32_MAX << PART_SHIFT;
}

bool timing_add(struct timing *t, const struct request *r)
{
	uint64_t wait_ns[PART_MAX], sum, queue, woken;
	unsigned i;

	if (!is_timed(r) || !waits_fit(&r->waits, wait_ns, &sum))
		return false;
	queue = r->waits.read_ns - r->sent_ns;
	woken = (uint64_t)r->waits.woken << PART_SHIFT;
	woken = woken < queue ? woken : queue;
	t->count++;
	t->total_ns += r->end_ns - r->begin_ns;
	t->part_ns[TIME_QUEUE] += queue - woken;
	t->part_ns[TIME_RUNQ] += woken;
	t->part_ns[TIME_CPU] += r->waits.until_ns - r->waits.read_ns - sum;
	for (i = 0; i < PART_MAX; i++)
		if (part_of[i] != TIME_PARTS)
			t->part_ns[part_of[i]] += wait_ns[i];
	return true;
}

void timing_merge(struct timing *into, const struct timing *from)
{
	unsigned i;

	into->count += from->count;
	into->total_ns += from->total_ns;
	for (i = 0; i < TIME_PARTS; i++)
		into->part_ns[i] += from->part_ns[i];
}
