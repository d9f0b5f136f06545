/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loop: one thread's epoll loop: descriptors, periodic timers (timerfd) and signals (signalfd), each with a callback.
 */
#ifndef ROOTLE_BASE_LOOP_H
#define ROOTLE_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
typedef void loop_fn(struct loop *l, void *arg, uint64_t value);  /* value: timer expirations, signal number, or epoll bits */

struct loop *loop_new(void);                 /* NULL with errno */
void loop_free(struct loop *l);              /* closes its timers and its signalfd, not the descriptors added */

int loop_fd(struct loop *l, int fd, uint32_t epoll_events, loop_fn *fn, void *arg);          /* 0 or -errno */
void loop_fd_remove(struct loop *l, int fd);
/* Fires every period_ns; with align, at multiples of it in wall-clock time. Returns a handle >= 0 or -errno. */
int loop_timer(struct loop *l, int64_t period_ns, bool align, loop_fn *fn, void *arg);
int loop_timer_set(struct loop *l, int handle, int64_t period_ns);                           /* 0 or -errno */
/* Blocks the signal and delivers it here. */
int loop_signal(struct loop *l, int signo, loop_fn *fn, void *arg);

/* Runs until loop_stop(); 0 or -errno. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l);

#endif
