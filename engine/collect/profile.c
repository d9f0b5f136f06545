/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/profile.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/vec.h"
#include "collect/profile_clock.h"
#include "collect/ring.h"

#define DRAIN_NS (100 * NS_PER_MS)      /* a process that is gone by then keeps its addresses without names */
#define QUIET_NS (500 * NS_PER_MS)      /* the same where there is little to name: a wake-up costs more than it brings */
#define QUIET_SAMPLES 5
#define FOLLOW_NS NS_PER_S              /* between two looks at which CPUs are online */
#define ROWS_MAX 8192                   /* of one interval */
#define TEXT_MAX (2u << 20)             /* of their stacks */

struct row_key { uint64_t stack; uint32_t pid, pad; };

/* What comes in between two profile_take(). */
struct batch {
	struct arena text;
	struct map index;               /* struct row_key → uint32_t row */
	VEC(struct profile_row) rows;
};

struct profile {
	pthread_t thread;
	pthread_mutex_t lock;           /* of everything from here to `stopping` */
	pthread_cond_t wake;            /* CLOCK_MONOTONIC */
	struct batch batch[2];
	struct batch *now;
	struct profile_counters counters;
	uint64_t pause_ns;              /* when it was told to pause, CLOCK_MONOTONIC; 0: it is not */
	uint64_t paused_ns;             /* before that */
	bool stopping;
	/* the thread's alone */
	int prog_fd;
	uint32_t hz;
	bool paused;
	struct symbols *symbols;
	struct ring ring;
	struct profile_clock clock;
	char text[STACK_TEXT_MAX];
	bool running;
};

static void batch_init(struct batch *b)
{
	arena_init(&b->text, TEXT_MAX);
	map_init(&b->index, sizeof(struct row_key), sizeof(uint32_t), 0);
}

static void batch_reset(struct batch *b)
{
	map_reset(&b->index);
	vec_reset(&b->rows);
	arena_reset(&b->text);
}

static void batch_done(struct batch *b)
{
	map_done(&b->index);
	vec_done(&b->rows);
	arena_done(&b->text);
}

/* The row of this stack, made where there is none; NULL: no room. */
static struct profile_row *batch_row(struct batch *b, uint32_t pid, const char *stack, size_t n)
{
	struct row_key key = {.stack = hash_bytes(stack, n), .pid = pid};
	bool full = b->rows.n >= ROWS_MAX, fresh = false;
	uint32_t *at = full ? map_get(&b->index, &key) : map_put(&b->index, &key, &fresh);
	struct profile_row *row;

	if (!at)
		return NULL;
	if (!fresh)
		return &b->rows.v[*at];
	row = vec_push(&b->rows);
	if (row)
		*row = (struct profile_row){.pid = pid, .stack = arena_strndup(&b->text, stack, n)};
	if (!row || !row->stack) {
		b->rows.n -= row != NULL;
		map_del(&b->index, &key);
		return NULL;
	}
	*at = (uint32_t)b->rows.n - 1;
	return row;
}

/* Of which there is one: of all processes. */
static struct profile_row *batch_other(struct batch *b)
{
	static const char other[] = "(other)";

	return b->rows.n && !b->rows.v[0].pid ? &b->rows.v[0] : batch_row(b, 0, other, sizeof(other) - 1);
}

void profile_sample(struct profile *p, const struct ev_stack *e)
{
	size_t n = symbols_fold(p->symbols, e, p->text);
	struct profile_row *row;

	pthread_mutex_lock(&p->lock);
	symbols_counters(p->symbols, &p->counters.symbols);
	p->counters.samples++;
	/* first of all, while there is room for it */
	if (!p->now->rows.n)
		batch_other(p->now);
	row = batch_row(p->now, e->tgid, p->text, n);
	if (!row) {
		p->counters.no_room++;
		row = batch_other(p->now);
	}
	if (row)
		row->samples++;
	pthread_mutex_unlock(&p->lock);
}

static void on_record(void *arg, const struct ev_hdr *h)
{
	const struct ev_stack *e = (const struct ev_stack *)h;

	if (h->type == EV_STACK && h->size >= sizeof(*e) && e->kernel <= EV_STACK_KERNEL_MAX && e->user <= EV_STACK_USER_MAX &&
	    h->size >= sizeof(*e) + (e->kernel + (size_t)e->user) * sizeof(e->ip[0]))
		profile_sample(arg, e);
}

/* False: it is to end. */
static bool profile_wait(struct profile *p, bool quiet)
{
	uint64_t at = clock_ts_ns() + (quiet ? QUIET_NS : DRAIN_NS);
	struct timespec ts = {.tv_sec = (time_t)(at / NS_PER_S), .tv_nsec = (long)(at % NS_PER_S)};
	bool go_on;

	pthread_mutex_lock(&p->lock);
	while (!p->stopping && pthread_cond_timedwait(&p->wake, &p->lock, &ts) == 0)
		;
	go_on = !p->stopping;
	pthread_mutex_unlock(&p->lock);
	return go_on;
}

/* The clock that is not there needs nobody to follow it. */
static void profile_follow(struct profile *p)
{
	bool pause;

	pthread_mutex_lock(&p->lock);
	pause = p->pause_ns;
	pthread_mutex_unlock(&p->lock);
	if (pause && !p->paused)
		profile_clock_close(&p->clock);
	else if (!pause && p->paused && profile_clock_open(&p->clock, p->prog_fd, p->hz) < 0)
		return;                 /* still paused: again in a second */
	else if (!pause && !p->paused)
		profile_clock_follow(&p->clock);
	p->paused = pause;
}

static void *profile_thread(void *arg)
{
	struct profile *p = arg;
	uint64_t followed = 0;
	int samples = 0;

	while (profile_wait(p, samples < QUIET_SAMPLES)) {
		samples = ring_drain(&p->ring, on_record, p, NULL);
		if (clock_ts_ns() - followed < FOLLOW_NS)
			continue;
		followed = clock_ts_ns();
		profile_follow(p);
	}
	profile_clock_close(&p->clock);
	ring_drain(&p->ring, on_record, p, NULL);
	return NULL;
}

struct profile *profile_new(const char *proc)
{
	struct profile *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;

	if (!p)
		return NULL;
	p->symbols = symbols_new(proc);
	if (!p->symbols) {
		free(p);
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &attr);
	pthread_condattr_destroy(&attr);
	batch_init(&p->batch[0]);
	batch_init(&p->batch[1]);
	p->now = &p->batch[0];
	return p;
}

/* Signals are the main thread's. */
static int thread_start(struct profile *p)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(&p->thread, NULL, profile_thread, p);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	p->running = !err;
	if (!err)
		pthread_setname_np(p->thread, "rootle-profile");
	return -err;
}

int profile_open(const struct profile_probe *probe, const char *proc, uint32_t hz, struct profile **ret)
{
	struct profile *p = profile_new(proc);
	int err = p ? ring_open(&p->ring, probe->ring_fd, probe->ring_bytes) : -ENOMEM;

	if (!err) {
		p->prog_fd = probe->prog_fd;
		p->hz = hz;
		err = profile_clock_open(&p->clock, probe->prog_fd, hz);
		err = err < 0 ? err : thread_start(p);
	}
	if (err) {
		profile_close(p);
		return err;
	}
	*ret = p;
	return 0;
}

void profile_pause(struct profile *p, bool pause)
{
	uint64_t now = clock_ts_ns();

	pthread_mutex_lock(&p->lock);
	if (!pause && p->pause_ns)
		p->paused_ns += now - p->pause_ns;
	if (!pause || !p->pause_ns)
		p->pause_ns = pause ? now : 0;
	pthread_mutex_unlock(&p->lock);
}

void profile_stop(struct profile *p)
{
	if (!p->running)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	p->running = false;
}

void profile_close(struct profile *p)
{
	if (!p)
		return;
	profile_stop(p);
	profile_clock_close(&p->clock);
	ring_close(&p->ring);
	symbols_free(p->symbols);
	batch_done(&p->batch[0]);
	batch_done(&p->batch[1]);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

int profile_take(struct profile *p, profile_fn *fn, void *arg)
{
	struct batch *full;
	int n = 0;

	pthread_mutex_lock(&p->lock);
	full = p->now;
	p->now = full == &p->batch[0] ? &p->batch[1] : &p->batch[0];
	pthread_mutex_unlock(&p->lock);
	/* the thread has turned to the other one, which was emptied by the call before */
	for (size_t i = 0; i < full->rows.n; i++) {
		if (!full->rows.v[i].samples)
			continue;
		fn(arg, &full->rows.v[i]);
		n++;
	}
	batch_reset(full);
	return n;
}

void profile_counters(struct profile *p, struct profile_counters *ret)
{
	pthread_mutex_lock(&p->lock);
	*ret = p->counters;
	ret->paused_ms = (p->paused_ns + (p->pause_ns ? clock_ts_ns() - p->pause_ns : 0)) / NS_PER_MS;
	pthread_mutex_unlock(&p->lock);
}
