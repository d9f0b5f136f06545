/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/profile_clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "collect/procfs.h"

#define CPUS_MAX 8192

int cpu_range_next(const char **text, uint32_t *first, uint32_t *last)
{
	const char *p = *text;
	uint64_t a, b;

	while (*p == ',')
		p++;
	if (!scan_u64(&p, &a))
		return false;
	b = a;
	if (*p == '-') {
		p++;
		if (!scan_u64(&p, &b))
			return false;
	}
	*text = p;
	if (b < a || b >= CPUS_MAX)
		return false;
	*first = (uint32_t)a;
	*last = (uint32_t)b;
	return true;
}

/* The program runs in the timer's interrupt, at a fixed distance: 1 / hz. */
static int event_open(const struct profile_clock *c, uint32_t cpu)
{
	struct perf_event_attr a = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(a), .config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_freq = c->hz, .freq = 1, .exclude_idle = 1, .disabled = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &a, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, c->prog_fd) < 0 || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static void event_close(struct profile_clock *c, uint32_t cpu)
{
	if (cpu < c->event.n && c->event.v[cpu] >= 0) {
		close(c->event.v[cpu]);
		c->event.v[cpu] = -1;
	}
}

/* 0, or the error of opening it. */
static int event_want(struct profile_clock *c, uint32_t cpu)
{
	while (c->event.n <= cpu) {
		int *fd = vec_push(&c->event);

		if (!fd)
			return -ENOMEM;
		*fd = -1;
	}
	if (c->event.v[cpu] < 0)
		c->event.v[cpu] = event_open(c, cpu);
	return c->event.v[cpu] < 0 ? c->event.v[cpu] : 0;
}

static bool listed(const char *list, uint32_t cpu)
{
	uint32_t first, last;

	while (cpu_range_next(&list, &first, &last))
		if (cpu >= first && cpu <= last)
			return true;
	return false;
}

/* Of a CPU that was away the kernel keeps the event, but its timer is gone: it is made anew. *err: of the last that failed. */
static int events_match(struct profile_clock *c, const char *list, int *err)
{
	const char *at = list;
	uint32_t first, last;
	int n = 0;

	for (uint32_t cpu = 0; cpu < c->event.n; cpu++)
		if (!listed(list, cpu))
			event_close(c, cpu);
	while (cpu_range_next(&at, &first, &last)) {
		for (uint32_t cpu = first; cpu <= last; cpu++) {
			int failed = event_want(c, cpu);

			*err = failed ? failed : *err;
			n += !failed;
		}
	}
	return n;
}

static bool online_changed(struct profile_clock *c)
{
	char now[sizeof(c->online)];

	if (file_read(AT_FDCWD, c->path, now, sizeof(now)) <= 0)
		strcpy(now, "0");
	if (!strcmp(now, c->online))
		return false;
	strcpy(c->online, now);
	return true;
}

int profile_clock_open(struct profile_clock *c, int prog_fd, uint32_t hz)
{
	int err = -ENODEV, n;

	*c = (struct profile_clock){.prog_fd = prog_fd, .hz = hz, .path = "/sys/devices/system/cpu/online"};
	online_changed(c);
	n = events_match(c, c->online, &err);
	if (n > 0)
		return n;
	profile_clock_close(c);
	return err;
}

int profile_clock_try(int prog_fd)
{
	const struct profile_clock c = {.prog_fd = prog_fd, .hz = 1};
	int fd = event_open(&c, 0);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

void profile_clock_close(struct profile_clock *c)
{
	for (uint32_t cpu = 0; cpu < c->event.n; cpu++)
		event_close(c, cpu);
	vec_done(&c->event);
}

int profile_clock_follow(struct profile_clock *c)
{
	int err = 0, n = 0;

	if (online_changed(c))
		return events_match(c, c->online, &err);
	for (size_t i = 0; i < c->event.n; i++)
		n += c->event.v[i] >= 0;
	return n;
}
