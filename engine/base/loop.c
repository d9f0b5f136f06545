/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

#define ENTRIES_MAX 32
#define SIGNALS_MAX 16
#define REARM_TRIES 8

enum entry_kind { ENTRY_FREE = 0, ENTRY_FD, ENTRY_TIMER, ENTRY_SIGNAL };

struct entry {
	enum entry_kind kind;
	int fd;
	bool align;
	int64_t period_ns;
	loop_fn *fn;
	void *arg;
};

struct loop {
	int epfd, sigfd;
	bool stop;
	sigset_t mask;
	struct entry entry[ENTRIES_MAX];
	struct { loop_fn *fn; void *arg; } on_signal[SIGNALS_MAX * 4];     /* by signal number */
};

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->sigfd = -1;
	sigemptyset(&l->mask);
	l->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epfd < 0) {
		free(l);
		return NULL;
	}
	return l;
}

void loop_free(struct loop *l)
{
	size_t i;

	if (!l)
		return;
	for (i = 0; i < ENTRIES_MAX; i++)
		if (l->entry[i].kind == ENTRY_TIMER)
			close(l->entry[i].fd);
	if (l->sigfd >= 0)
		close(l->sigfd);
	close(l->epfd);
	free(l);
}

/* Registers fd; the entry's index or -errno. */
static int entry_add(struct loop *l, struct entry e, uint32_t events)
{
	struct epoll_event ev = {.events = events};
	int i;

	for (i = 0; i < ENTRIES_MAX && l->entry[i].kind != ENTRY_FREE; i++)
		;
	if (i == ENTRIES_MAX)
		return -ENOSPC;
	ev.data.u32 = (uint32_t)i;
	if (epoll_ctl(l->epfd, EPOLL_CTL_ADD, e.fd, &ev))
		return -errno;
	l->entry[i] = e;
	return i;
}

int loop_fd(struct loop *l, int fd, uint32_t epoll_events, loop_fn *fn, void *arg)
{
	int i = entry_add(l, (struct entry){.kind = ENTRY_FD, .fd = fd, .fn = fn, .arg = arg}, epoll_events);

	return i < 0 ? i : 0;
}

void loop_fd_remove(struct loop *l, int fd)
{
	size_t i;

	for (i = 0; i < ENTRIES_MAX; i++)
		if (l->entry[i].kind == ENTRY_FD && l->entry[i].fd == fd) {
			epoll_ctl(l->epfd, EPOLL_CTL_DEL, fd, NULL);
			l->entry[i] = (struct entry){0};
		}
}

/* An aligned timer is told when the wall clock is set: else, set back by an hour, it would wait for that hour. */
static int timer_arm(const struct entry *e)
{
	int64_t period_ns = e->period_ns;
	int64_t now = clock_unix_ns(), first = e->align ? now - now % period_ns + period_ns : period_ns;
	struct itimerspec its = {
		.it_interval = {period_ns / NS_PER_S, period_ns % NS_PER_S},
		.it_value = {first / NS_PER_S, first % NS_PER_S},
	};

	return timerfd_settime(e->fd, e->align ? TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET : 0, &its, NULL) ? -errno : 0;
}

/* The clock may be set between reading it and arming: then with the new time. */
static int timer_rearm(const struct entry *e)
{
	int ret, tries = 0;

	do
		ret = timer_arm(e);
	while (ret == -ECANCELED && ++tries < REARM_TRIES);
	return ret;
}

int loop_timer(struct loop *l, int64_t period_ns, bool align, loop_fn *fn, void *arg)
{
	struct entry e = {.kind = ENTRY_TIMER, .align = align, .period_ns = period_ns, .fn = fn, .arg = arg};
	int i;

	e.fd = timerfd_create(align ? CLOCK_REALTIME : CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (e.fd < 0)
		return -errno;
	i = timer_rearm(&e);
	if (!i)
		i = entry_add(l, e, EPOLLIN);
	if (i < 0)
		close(e.fd);
	return i;
}

int loop_timer_set(struct loop *l, int handle, int64_t period_ns)
{
	l->entry[handle].period_ns = period_ns;
	return timer_rearm(&l->entry[handle]);
}

int loop_signal(struct loop *l, int signo, loop_fn *fn, void *arg)
{
	int fd;

	if (signo <= 0 || signo >= SIGNALS_MAX * 4)
		return -EINVAL;
	sigaddset(&l->mask, signo);
	if (pthread_sigmask(SIG_BLOCK, &l->mask, NULL))
		return -EINVAL;
	fd = signalfd(l->sigfd, &l->mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	l->on_signal[signo].fn = fn;
	l->on_signal[signo].arg = arg;
	if (l->sigfd < 0) {
		int i = entry_add(l, (struct entry){.kind = ENTRY_SIGNAL, .fd = fd}, EPOLLIN);

		if (i < 0) {
			close(fd);
			return i;
		}
	}
	l->sigfd = fd;
	return 0;
}

static void dispatch_signals(struct loop *l)
{
	struct signalfd_siginfo si;

	while (read(l->sigfd, &si, sizeof(si)) == sizeof(si))
		if (si.ssi_signo < SIGNALS_MAX * 4 && l->on_signal[si.ssi_signo].fn)
			l->on_signal[si.ssi_signo].fn(l, l->on_signal[si.ssi_signo].arg, si.ssi_signo);
}

static void dispatch(struct loop *l, const struct epoll_event *ev)
{
	struct entry e = l->entry[ev->data.u32];       /* a copy: the callback may remove it */
	uint64_t expirations;

	switch (e.kind) {
	case ENTRY_FD:
		e.fn(l, e.arg, ev->events);
		break;
	case ENTRY_TIMER:
		if (read(e.fd, &expirations, sizeof(expirations)) == sizeof(expirations))
			e.fn(l, e.arg, expirations);
		else if (errno == ECANCELED)
			timer_rearm(&e);
		break;
	case ENTRY_SIGNAL:
		dispatch_signals(l);
		break;
	case ENTRY_FREE:
		break;
	}
}

int loop_run(struct loop *l)
{
	struct epoll_event ev[ENTRIES_MAX];

	l->stop = false;
	while (!l->stop) {
		int n = epoll_wait(l->epfd, ev, ENTRIES_MAX, -1), i;

		if (n < 0 && errno != EINTR)
			return -errno;
		for (i = 0; i < n && !l->stop; i++)
			dispatch(l, &ev[i]);
	}
	return 0;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}
