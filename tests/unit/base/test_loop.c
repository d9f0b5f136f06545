/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"

struct seen { int timers, reads, signals; int fd; };

static void on_timer(struct loop *l, void *arg, uint64_t n)
{
	struct seen *s = arg;

	s->timers += (int)n;
	if (s->timers == 2)
		cr_assert_eq(write(s->fd, "x", 1), 1);
	if (s->timers >= 50)
		loop_stop(l);
}

static void on_read(struct loop *l, void *arg, uint64_t bits)
{
	struct seen *s = arg;

	cr_assert(bits & EPOLLIN);
	s->reads++;
	kill(getpid(), SIGUSR1);
}

static void on_signal(struct loop *l, void *arg, uint64_t signo)
{
	struct seen *s = arg;

	cr_assert_eq(signo, SIGUSR1);
	s->signals++;
	loop_stop(l);
}

Test(loop, timers_descriptors_and_signals, .timeout = 10)
{
	struct loop *l = loop_new();
	struct seen s = {0};
	int p[2];

	cr_assert_eq(pipe(p), 0);
	s.fd = p[1];
	cr_assert_eq(loop_fd(l, p[0], EPOLLIN, on_read, &s), 0);
	cr_assert_geq(loop_timer(l, 5 * NS_PER_MS, false, on_timer, &s), 0);
	cr_assert_eq(loop_signal(l, SIGUSR1, on_signal, &s), 0);
	cr_assert_eq(loop_run(l), 0);
	cr_assert_geq(s.timers, 2);
	cr_assert_geq(s.reads, 1);
	cr_assert_eq(s.signals, 1);
	loop_free(l);
	close(p[0]);
	close(p[1]);
}

static void stop_now(struct loop *l, void *arg, uint64_t n)
{
	*(int64_t *)arg = clock_unix_ns();
	loop_stop(l);
}

Test(loop, aligned_timers_fire_on_the_wall_clock, .timeout = 10)
{
	struct loop *l = loop_new();
	int64_t at = 0;

	cr_assert_geq(loop_timer(l, 100 * NS_PER_MS, true, stop_now, &at), 0);
	cr_assert_eq(loop_run(l), 0);
	cr_assert_lt(at % (100 * NS_PER_MS), 50 * NS_PER_MS, "fired %ld ns late", at % (100 * NS_PER_MS));
	loop_free(l);
}

/* In place of libc's: the clock of the machine is not ours to set. */
static int armed, aligned_flags, cancel_first;

int timerfd_settime(int fd, int flags, const struct itimerspec *new_value, struct itimerspec *old_value)
{
	armed++;
	if (flags & TFD_TIMER_ABSTIME)
		aligned_flags = flags;
	if (cancel_first-- > 0) {
		errno = ECANCELED;
		return -1;
	}
	return (int)syscall(SYS_timerfd_settime, fd, flags, new_value, old_value);
}

Test(loop, aligned_timers_survive_a_clock_that_is_set, .timeout = 10)
{
	struct loop *l = loop_new();
	int64_t at = 0;

	cancel_first = 2;
	armed = aligned_flags = 0;
	cr_assert_geq(loop_timer(l, 10 * NS_PER_MS, true, stop_now, &at), 0);
	cr_expect(aligned_flags & TFD_TIMER_CANCEL_ON_SET, "nobody is told that the clock was set");
	cr_expect_eq(armed, 3, "armed again until the clock stands");
	cr_expect_eq(loop_run(l), 0);
	loop_free(l);
}
