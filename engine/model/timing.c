/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/timing.h"

#include "bpf/event.h"

#define NOISE_NS 4096      /* by which waits may exceed the time they are in: two clocks, and nine numbers cut to 64 ns */
#define NOISE_SHARE 256    /* and by this part of it: clocks of different speeds */

_Static_assert(FLOW_WAITS == PART_MAX, "the flow carries all parts");

const struct time_part_info time_part_table[TIME_PARTS] = {
	[TIME_THERE] = {"there", "network there", "on the network to it"},
	[TIME_QUEUE] = {"queue", "queue", "waiting to be read"},
	[TIME_CPU] = {"cpu", "CPU", "on the CPU"},
	[TIME_RUNQ] = {"runq", "run queue", "waiting for a CPU"},
	[TIME_QUOTA] = {"quota", "throttled", "throttled by the CPU quota"},
	[TIME_IO] = {"io", "disk", "waiting for block I/O"},
	[TIME_MEM] = {"mem", "memory", "waiting for memory"},
	[TIME_LOCK] = {"lock", "lock", "waiting for a lock"},
	[TIME_NET] = {"net", "net", "waiting for others to answer"},
	[TIME_POLL] = {"poll", "poll", "waiting for an event"},
	[TIME_SLEEP] = {"sleep", "sleep", "sleeping"},
	[TIME_DOWN] = {"down", "downstream", "waiting for the services it called"},
	[TIME_BACK] = {"back", "network back", "on the network back"},
	[TIME_CLIENT] = {"client", "caller", "waiting for the caller to read it"},
	[TIME_REMOTE] = {"remote", "elsewhere", "on the network or at a callee elsewhere"},
};

/* Of each PART_* what it is; TIME_PARTS: not known. */
static const enum time_part part_of[PART_MAX] = {
	[PART_RUNQ] = TIME_RUNQ, [PART_THROTTLED] = TIME_QUOTA, [PART_IO] = TIME_IO, [PART_MEM] = TIME_MEM,
	[PART_FUTEX] = TIME_LOCK, [PART_NET] = TIME_NET, [PART_POLL] = TIME_POLL, [PART_SLEEP] = TIME_SLEEP, [PART_OTHER] = TIME_PARTS,
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

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
static bool waits_known(const struct request *r)
{
	const struct flow_waits *w = &r->waits;

	return w->until_ns && r->sent_ns <= w->read_ns && w->read_ns <= w->until_ns && w->until_ns <= r->end_ns &&
	       w->until_ns - w->read_ns < (uint64_t)UINT32_MAX << PART_SHIFT;
}

/* From the read to the answer, of the thread that did both. */
static bool time_inside(struct timing *t, const struct request *r)
{
	uint64_t wait_ns[PART_MAX], sum;
	unsigned i;

	if (!waits_known(r) || !waits_fit(&r->waits, wait_ns, &sum))
		return false;
	t->part_ns[TIME_CPU] = r->waits.until_ns - r->waits.read_ns - sum;
	for (i = 0; i < PART_MAX; i++)
		if (part_of[i] != TIME_PARTS)
			t->part_ns[part_of[i]] += wait_ns[i];
	return true;
}

/* From the last byte's departure to the read. What left an end elsewhere was seen when it came. woken_ns: of the time before the
 * read the reader was in a run queue for so long. */
static bool time_before(struct timing *t, const struct request *r, struct timing_ends ends, uint64_t woken_ns)
{
	uint64_t arrived_ns = ends.caller ? r->arrived_ns : r->sent_ns;

	if (r->read_ns < r->sent_ns || r->read_ns > r->end_ns)
		return false;
	if (arrived_ns < r->sent_ns || arrived_ns > r->read_ns) {
		t->part_ns[TIME_RUNQ] += least(woken_ns, r->read_ns - r->sent_ns);
		return woken_ns > 0;
	}
	woken_ns = least(woken_ns, r->read_ns - arrived_ns);
	t->part_ns[TIME_THERE] = arrived_ns - r->sent_ns;
	t->part_ns[TIME_QUEUE] = r->read_ns - arrived_ns - woken_ns;
	t->part_ns[TIME_RUNQ] += woken_ns;
	return true;
}

struct timing timing_of(const struct request *r, struct timing_ends ends)
{
	struct timing t = {.total_ns = r->end_ns - r->begin_ns};
	bool inside, before;

	if (r->no_latency || r->begin_ns > r->sent_ns || r->sent_ns > r->end_ns)
		return (struct timing){0};
	if (!ends.callee) {
		t.part_ns[TIME_REMOTE] = t.total_ns;
		t.count = ends.caller;
	} else {
		inside = time_inside(&t, r);
		before = time_before(&t, r, ends, inside ? (uint64_t)r->waits.woken << PART_SHIFT : 0);
		t.count = inside || before;
	}
	return t.count ? t : (struct timing){0};
}

void timing_got(struct timing *t, uint64_t end_ns, const struct timing_got *got)
{
	if (!t->count || got->read_ns < end_ns)
		return;
	t->total_ns += got->read_ns - end_ns;
	if (got->arrived_ns < end_ns || got->arrived_ns > got->read_ns)
		return;
	t->part_ns[TIME_BACK] += got->arrived_ns - end_ns;
	t->part_ns[TIME_CLIENT] += got->read_ns - got->arrived_ns;
}

/* The calls' own shares of their union, within from_ns and to_ns; returns the union. */
static uint64_t calls_union(uint64_t from_ns, uint64_t to_ns, const struct timing_call *calls, size_t n, uint64_t *share_ns)
{
	uint64_t covered_ns = from_ns, sum = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t begin = calls[i].begin_ns > covered_ns ? calls[i].begin_ns : covered_ns;
		uint64_t end = least(calls[i].end_ns, to_ns);

		share_ns[i] = end > begin ? end - begin : 0;
		sum += share_ns[i];
		if (share_ns[i])
			covered_ns = end;
	}
	return sum;
}

/* Takes up to ns from a part; returns how much. */
static uint64_t part_take(uint64_t *part_ns, uint64_t ns)
{
	ns = least(*part_ns, ns);
	*part_ns -= ns;
	return ns;
}

void timing_calls(struct timing *t, uint64_t from_ns, uint64_t to_ns, const struct timing_call *calls, size_t n,
		  uint64_t *down_ns)
{
	uint64_t whole = calls_union(from_ns, to_ns, calls, n, down_ns), down, left;
	size_t longest = 0;

	if (!whole)
		return;
	down = part_take(&t->part_ns[TIME_NET], whole);
	down += part_take(&t->part_ns[TIME_POLL], whole - down);
	if (!t->part_ns[TIME_CPU])              /* what its thread did is not known */
		down += least(timing_unknown(t) - down, whole - down);
	t->part_ns[TIME_DOWN] += down;
	left = down;
	for (size_t i = 1; i < n; i++)
		longest = down_ns[i] > down_ns[longest] ? i : longest;
	for (size_t i = 0; i < n; i++) {
		uint64_t ns = down == whole ? down_ns[i] : (uint64_t)((double)down_ns[i] * (double)down / (double)whole);

		down_ns[i] = least(ns, left);
		left -= down_ns[i];
	}
	down_ns[longest] += left;               /* what rounding left: all of it, where each share is less than one */
}

void timing_merge(struct timing *into, const struct timing *from)
{
	unsigned i;

	into->count += from->count;
	into->total_ns += from->total_ns;
	for (i = 0; i < TIME_PARTS; i++)
		into->part_ns[i] += from->part_ns[i];
}

uint64_t timing_unknown(const struct timing *t)
{
	uint64_t rest = t->total_ns;

	for (unsigned i = 0; i < TIME_PARTS; i++)
		rest -= least(rest, t->part_ns[i]);
	return rest;
}
