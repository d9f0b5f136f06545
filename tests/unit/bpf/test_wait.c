/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/wait.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>

enum { TID = 4711, TGID = 4700, OTHER_TID = TID + WAIT_SLOTS };
enum { S = 0x1, D = 0x2 };

#ifdef __x86_64__
enum { READ = 0, WRITE = 1, PREAD = 17, OPENAT = 257, RECVFROM = 45, CONNECT = 42, EPOLL_WAIT = 232, ACCEPT = 43, FUTEX = 202,
       NANOSLEEP = 35, FSYNC = 74, MMAP = 9, IO_URING_ENTER = 426, FUTEX_WAITV = 449, WAIT4 = 61 };
#elif defined(__aarch64__)
enum { READ = 63, WRITE = 64, PREAD = 67, OPENAT = 56, RECVFROM = 207, CONNECT = 203, EPOLL_WAIT = 22, ACCEPT = 202, FUTEX = 98,
       NANOSLEEP = 101, FSYNC = 82, MMAP = 222, IO_URING_ENTER = 426, FUTEX_WAITV = 449, WAIT4 = 260 };
#endif

Test(wait, states)
{
	cr_expect(wait_blocked(0x2), "TASK_UNINTERRUPTIBLE");
	cr_expect(wait_blocked(0x2 | 0x100), "TASK_KILLABLE");
	cr_expect(!wait_blocked(0x0));
	cr_expect(!wait_blocked(0x1), "TASK_INTERRUPTIBLE");
	cr_expect(!wait_blocked(0x402), "TASK_IDLE");
	cr_expect(!wait_blocked(0x4) && !wait_blocked(0x8), "stopped, traced");
}

Test(wait, kinds_of_interruptible_sleep)
{
	static const struct { long nr; __u8 kind; } call[] = {
		{READ, WAIT_NET}, {WRITE, WAIT_NET}, {RECVFROM, WAIT_NET}, {CONNECT, WAIT_NET}, {EPOLL_WAIT, WAIT_POLL},
		{ACCEPT, WAIT_POLL}, {IO_URING_ENTER, WAIT_POLL}, {FUTEX, WAIT_FUTEX}, {FUTEX_WAITV, WAIT_FUTEX},
		{NANOSLEEP, WAIT_SLEEP}, {FSYNC, WAIT_IO}, {WAIT4, WAIT_OTHER}, {MMAP, WAIT_OTHER}, {CALL_NONE, WAIT_OTHER},
		{CALL_UNKNOWN, WAIT_OTHER},
	};

	for (size_t i = 0; i < sizeof(call) / sizeof(*call); i++)
		cr_expect_eq(wait_kind(S, 0, call[i].nr), call[i].kind, "call %ld", call[i].nr);
	cr_expect_eq(wait_kind(S, 1, IO_URING_ENTER), WAIT_IO, "for a request in flight");
	cr_expect_eq(wait_kind(0x200, 0, FUTEX), WAIT_FUTEX, "woken already, on another CPU");
}

Test(wait, kinds_of_uninterruptible_sleep)
{
	cr_expect_eq(wait_kind(D, 1, READ), WAIT_IO);
	cr_expect_eq(wait_kind(D | 0x100, 1, PREAD), WAIT_IO);
	cr_expect_eq(wait_kind(D, 0, FSYNC), WAIT_IO, "a journal commit");
	cr_expect_eq(wait_kind(D, 0, OPENAT), WAIT_IO, "an inode's lock");
	cr_expect_eq(wait_kind(D, 0, MMAP), WAIT_BLOCKED);
	cr_expect_eq(wait_kind(D, 0, RECVFROM), WAIT_BLOCKED);
	cr_expect_eq(wait_kind(D, 1, CALL_NONE), WAIT_MEM, "a page read in a fault");
	cr_expect_eq(wait_kind(D, 0, CALL_NONE), WAIT_MEM, "mmap_lock in a fault");
	cr_expect_eq(wait_kind(D, 1, CALL_UNKNOWN), WAIT_IO);
	cr_expect_eq(wait_kind(D, 0, CALL_UNKNOWN), WAIT_BLOCKED);
}

Test(wait, any_number_is_a_call_of_some_kind)
{
	for (long nr = -3; nr < 4 * (long)CALLS; nr++)
		for (__u32 state = 1; state < 4; state++)
			cr_assert(wait_kind(state, 0, nr) < WAIT_KINDS);
}

/* Leaves at `from`, runs again at `to`, of which it was in a run queue for `queued`. */
static void absence(struct wait_slot *s, __u8 kind, __u64 from, __u64 to, __u64 queued, __u64 *runq)
{
	wait_leave(s, TID, kind, from, *runq);
	wait_arrive(s, TID, to);
	*runq += queued;
}

Test(wait, is_sleep_without_the_run_queue)
{
	struct wait_slot s = {0};
	__u64 runq = 5000;

	absence(&s, WAIT_FUTEX, 100, 200, 30, &runq);
	cr_expect_eq(wait_read(&s, WAIT_FUTEX, 210, runq), 70, "also before it is settled");
	cr_expect_eq(wait_queued(&s, runq), 30);
	wait_settle(&s, runq);
	cr_expect_eq(wait_read(&s, WAIT_FUTEX, 210, runq), 70);
	cr_expect_eq(wait_queued(&s, runq), 0);
	wait_settle(&s, runq);
	cr_expect_eq(s.total_ns[WAIT_FUTEX], 70, "settled once");
}

Test(wait, is_not_what_a_preempted_thread_does)
{
	struct wait_slot s = {0};
	__u64 runq = 0;

	absence(&s, WAIT_IO, 100, 150, 10, &runq);
	absence(&s, WAIT_NONE, 160, 190, 30, &runq);
	absence(&s, WAIT_IO, 200, 250, 0, &runq);
	wait_settle(&s, runq);
	cr_expect_eq(s.total_ns[WAIT_IO], 90);
	cr_expect_eq(runq, 40);
	for (int i = 0; i < WAIT_KINDS; i++)
		cr_expect(i == WAIT_IO || !s.total_ns[i]);
}

Test(wait, is_being_throttled_as_far_as_the_kernel_counts_it)
{
	struct wait_slot s = {0};
	__u64 runq = 0;

	absence(&s, WAIT_THROTTLED, 100, 200, 99, &runq);
	wait_settle(&s, runq);
	cr_expect_eq(s.total_ns[WAIT_THROTTLED], 99);
	absence(&s, WAIT_THROTTLED, 300, 400, 101, &runq);
	wait_settle(&s, runq);
	cr_expect_eq(s.total_ns[WAIT_THROTTLED], 199);
}

Test(wait, lasts)
{
	struct wait_slot s = {0};

	wait_leave(&s, TID, WAIT_NET, 100, 0);
	cr_expect_eq(wait_read(&s, WAIT_NET, 150, 0), 50);
	cr_expect_eq(wait_read(&s, WAIT_NET, 90, 0), 0, "a clock read before the sleep began");
	cr_expect_eq(wait_read(&s, WAIT_IO, 150, 0), 0);
}

Test(wait, of_clocks_that_differ)
{
	struct wait_slot s = {0};
	__u64 runq = 0;

	absence(&s, WAIT_NET, 100, 99, 0, &runq);
	absence(&s, WAIT_NET, 200, 210, 11, &runq);
	wait_settle(&s, runq);
	cr_expect_eq(s.total_ns[WAIT_NET], 0, "never negative");
}

Test(wait, belongs_to_one_thread)
{
	struct wait_slot s = {0};

	cr_expect_eq(WAIT_SLOT(TID), WAIT_SLOT(OTHER_TID));
	cr_expect_eq(wait_leave(&s, TID, WAIT_NET, 100, 7), 0);
	wait_arrive(&s, OTHER_TID, 150);
	cr_expect_eq(s.since_ns, 100, "not ended by another");
	cr_expect_eq(wait_leave(&s, OTHER_TID, WAIT_NONE, 160, 9), 0, "not taken for nothing");
	cr_expect_eq(s.tid, TID);
	cr_expect_eq(wait_leave(&s, OTHER_TID, WAIT_NET, 200, 9), 1, "a loss to be counted");
	cr_expect_eq(s.tid, OTHER_TID);
	cr_expect_eq(wait_read(&s, WAIT_NET, 300, 9), 100);
}

/* What was noted of a slot before it was another thread's compares with nothing after. */
Test(wait, tells_that_the_slot_was_anothers)
{
	struct wait_slot s = {0};
	__u64 runq = 0;
	__u8 taken;

	absence(&s, WAIT_NET, 100, 200, 0, &runq);
	taken = s.taken;
	absence(&s, WAIT_NET, 300, 400, 0, &runq);
	cr_expect_eq(s.taken, taken);
	wait_leave(&s, OTHER_TID, WAIT_NET, 500, 0);
	wait_arrive(&s, OTHER_TID, 600);
	absence(&s, WAIT_NET, 700, 800, 0, &runq);
	cr_expect_eq(s.tid, TID);
	cr_expect_neq(s.taken, taken);
}

Test(wait, ends_with_its_thread)
{
	struct wait_slot s = {0}, leader = {.tid = TGID};
	__u64 runq = 0;

	absence(&s, WAIT_FUTEX, 100, 200, 30, &runq);
	wait_end(&s, TID, &leader, TGID, runq);
	cr_expect_eq(s.tid, 0);
	cr_expect_eq(leader.total_ns[WAIT_FUTEX], 70, "the process keeps it");
	cr_expect_eq(leader.gone_runq_ns, 30);
	cr_expect_eq(wait_leave(&s, TID, WAIT_NET, 300, 0), 0, "the same number again is another thread");
	cr_expect_eq(s.total_ns[WAIT_FUTEX], 0);
}

Test(wait, goes_to_no_stranger)
{
	struct wait_slot s = {0}, stranger = {.tid = TGID + 1};
	__u64 runq = 0;

	absence(&s, WAIT_FUTEX, 300, 400, 0, &runq);
	wait_end(&s, TID, &stranger, TGID, runq);
	cr_expect_eq(stranger.total_ns[WAIT_FUTEX], 0);
}

Test(wait, of_a_leader_that_never_ran)
{
	struct wait_slot s = {0}, leader = {0};
	__u64 runq = 0;

	absence(&s, WAIT_FUTEX, 100, 200, 0, &runq);
	wait_end(&s, TID, &leader, TGID, runq);
	cr_expect_eq(leader.tid, TGID);
	cr_expect_eq(leader.total_ns[WAIT_FUTEX], 100);
}

/* Freeing memory from 1000 to 2000: asleep for 300, in the run queue for 50, on the CPU for the rest. */
Test(wait, for_memory_is_all_of_the_time_that_freeing_it_takes)
{
	struct wait_slot s = {0};
	__u64 runq = 0;

	absence(&s, WAIT_NET, 100, 200, 0, &runq);
	wait_reclaim_begin(&s, TID, 1000, runq);
	absence(&s, WAIT_IO, 1100, 1450, 50, &runq);
	wait_reclaim_end(&s, TID, 2000, runq);
	cr_expect_eq(s.total_ns[WAIT_MEM], 950);
	cr_expect_eq(s.total_ns[WAIT_IO], 0);
	cr_expect_eq(s.total_ns[WAIT_NET], 100);
	absence(&s, WAIT_IO, 2100, 2200, 0, &runq);
	wait_settle(&s, runq);
	cr_expect_eq(s.total_ns[WAIT_IO], 100, "it is over");
}

Test(wait, for_memory_ends_only_what_began)
{
	struct wait_slot s = {0};

	wait_reclaim_end(&s, TID, 2000, 0);
	cr_expect_eq(s.total_ns[WAIT_MEM], 0);
	wait_reclaim_begin(&s, TID, 1000, 0);
	wait_reclaim_end(&s, TID, 1500, 0);
	wait_reclaim_end(&s, TID, 9000, 0);
	cr_expect_eq(s.total_ns[WAIT_MEM], 500);
}

/* Every nanosecond of an hour of random switching is in one place: on the CPU, in the run queue, or in a wait. */
Test(wait, adds_up)
{
	struct wait_slot s = {0};
	__u64 now = 1, cpu = 0, queued = 0, runq = 0, sum = 0;

	srand(4711);
	for (int i = 0; i < 100000; i++) {
		__u64 run = (__u64)rand() % 1000, away = (__u64)rand() % 1000, queue = away ? (__u64)rand() % away : 0;
		__u8 kind = (__u8)(rand() % (WAIT_KINDS + 1));

		if (kind == WAIT_KINDS || kind == WAIT_THROTTLED) {
			kind = kind == WAIT_THROTTLED ? kind : WAIT_NONE;
			queue = away;
		}
		cpu += run;
		now += run;
		absence(&s, kind, now, now + away, queue, &runq);
		now += away;
		queued += queue;
	}
	wait_settle(&s, runq);
	for (int i = 0; i < WAIT_KINDS; i++)
		sum += i == WAIT_THROTTLED ? 0 : s.total_ns[i];
	cr_expect_eq(cpu + queued + sum, now - 1);
	cr_expect_eq(wait_sum(&s, runq), now - 1 - cpu);
}

Test(wait, parts_wrap)
{
	struct wait_slot s = {0};
	__u32 before[PART_MAX], after[PART_MAX];

	s.total_ns[WAIT_NET] = ((__u64)UINT32_MAX << PART_SHIFT) - 640;
	s.total_ns[WAIT_THROTTLED] = 6400;
	wait_parts(&s, 64000, before);
	s.total_ns[WAIT_POLL] += 6400;
	s.total_ns[WAIT_NET] += 64000;
	wait_parts(&s, 128000, after);
	cr_expect_eq(after[PART_NET] - before[PART_NET], 1000);
	cr_expect_eq(after[PART_POLL] - before[PART_POLL], 100);
	cr_expect_eq(after[PART_RUNQ] - before[PART_RUNQ], 1000);
	cr_expect_eq(before[PART_RUNQ], 900, "without the time throttled");
	cr_expect_eq(before[PART_THROTTLED], 100);
}

/* ---- requests in hand ---- */

Test(wait, a_request_that_had_the_thread_alone)
{
	struct wait_slot s = {.tid = TID};
	__u8 begun;

	for (int i = 0; i < 300; i++) {
		begun = wait_request(&s, 0);
		cr_expect_eq(wait_request(&s, 1), begun, "its body");
		cr_expect(wait_answer(&s, 1, begun), "request %d", i);
		cr_expect(wait_answer(&s, 0, begun), "more of the answer");
		cr_expect_eq(s.open, 0);
	}
}

Test(wait, requests_in_hand_at_once)
{
	struct wait_slot s = {.tid = TID};
	__u8 a = wait_request(&s, 0), b = wait_request(&s, 0);

	cr_expect(!wait_answer(&s, 1, b), "the other one waits");
	cr_expect(!wait_answer(&s, 1, a), "the other one was answered meanwhile");
	cr_expect_eq(s.open, 0);
	cr_expect(wait_answer(&s, 1, wait_request(&s, 0)), "the next is alone again");
}
