/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/vec.h"
#include "writer.h"

#define RETRY_MS 500            /* between two tries on a full or failing disk */

struct writer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake, done;      /* CLOCK_MONOTONIC */
	struct store *store;
	struct tick *queue[WRITER_QUEUE];
	size_t head, n;                 /* head: the oldest */
	bool busy;                      /* the thread holds a tick that is not in the queue */
	bool stopping, hurry;           /* hurry: do not retry any more */
	bool failing, tight, told;      /* tight: written, but at the cost of older ticks */
	struct store_error error;       /* of the last failure */
	struct writer_totals totals;
};

static const char *copy(struct tick *into, const char *s)
{
	return s ? arena_strdup(&into->arena, s) : NULL;
}

static int carry_services(struct tick *into, const struct tick *from)
{
	for (size_t i = 0; i < from->services.n; i++) {
		const struct tick_service *s = &from->services.v[i];
		struct tick_service *d = vec_push(&into->services);

		if (!d)
			return -ENOMEM;
		*d = (struct tick_service){s->id, copy(into, s->name), copy(into, s->kind), copy(into, s->exe),
					   copy(into, s->why)};
	}
	return 0;
}

static int carry_edges(struct tick *into, const struct tick *from)
{
	for (size_t i = 0; i < from->edges.n; i++) {
		struct tick_edge *d = vec_push(&into->edges);

		if (!d)
			return -ENOMEM;
		*d = from->edges.v[i];
		d->protocol = copy(into, d->protocol);
	}
	return 0;
}

static int carry_ops(struct tick *into, const struct tick *from)
{
	for (size_t i = 0; i < from->ops.n; i++) {
		struct tick_op *d = vec_push(&into->ops);

		if (!d)
			return -ENOMEM;
		*d = (struct tick_op){from->ops.v[i].id, copy(into, from->ops.v[i].text)};
	}
	return 0;
}

static int carry_loss(struct tick *into, const struct tick *from)
{
	struct tick_loss *l = vec_push(&into->loss);

	if (!l)
		return -ENOMEM;
	*l = (struct tick_loss){"store", "ticks", 1};
	for (size_t i = 0; i < from->loss.n; i++) {
		l = vec_push(&into->loss);
		if (!l)
			return -ENOMEM;
		*l = (struct tick_loss){copy(into, from->loss.v[i].stage), copy(into, from->loss.v[i].reason),
					from->loss.v[i].count};
	}
	return 0;
}

/* Definitions of the later tick win: they must come behind those that are carried. So the two lists are swapped in order. */
#define put_carried_first(list, old)                                                                                             \
	do {                                                                                                                     \
		size_t n_ = (list)->n, add_ = n_ - (old);                                                                        \
		__typeof__((list)->v) tmp_ = add_ && (old) ? malloc((old) * sizeof(*tmp_)) : NULL;                               \
		if (tmp_) {                                                                                                      \
			memcpy(tmp_, (list)->v, (old) * sizeof(*tmp_));                                                          \
			memmove((list)->v, (list)->v + (old), add_ * sizeof(*tmp_));                                             \
			memcpy((list)->v + add_, tmp_, (old) * sizeof(*tmp_));                                                   \
			free(tmp_);                                                                                              \
		}                                                                                                                \
	} while (0)

int tick_carry(struct tick *into, const struct tick *from)
{
	size_t services = into->services.n, edges = into->edges.n, ops = into->ops.n;
	int ret = carry_services(into, from);

	if (ret == 0)
		ret = carry_edges(into, from);
	if (ret == 0)
		ret = carry_ops(into, from);
	if (ret == 0)
		ret = carry_loss(into, from);
	put_carried_first(&into->services, services);
	put_carried_first(&into->edges, edges);
	put_carried_first(&into->ops, ops);
	into->events += from->events;
	into->lost += from->lost + from->events;      /* what was in it is not in the file */
	return ret;
}

/* Gives up the oldest tick of a full queue. Locked. */
static void drop_oldest(struct writer *w)
{
	struct tick *t = w->queue[w->head];

	w->head = (w->head + 1) % WRITER_QUEUE;
	w->n--;
	tick_carry(w->queue[w->head], t);
	tick_free(t);
	w->totals.lost++;
}

static void wait_ms(pthread_cond_t *c, pthread_mutex_t *m, int ms)
{
	uint64_t at = clock_ts_ns() + (uint64_t)ms * NS_PER_MS;
	struct timespec ts = {.tv_sec = (time_t)(at / NS_PER_S), .tv_nsec = (long)(at % NS_PER_S)};

	pthread_cond_timedwait(c, m, &ts);
}

/* The tick is in the file, or is given up for good (then what it defined goes on with the next). Locked on entry and exit. */
static void write_one(struct writer *w, struct tick *t)
{
	struct store_error err;

	w->busy = true;
	for (;;) {
		pthread_mutex_unlock(&w->lock);
		int ret = store_put_tick(w->store, t, &err);
		pthread_mutex_lock(&w->lock);

		w->failing = ret < 0;
		w->tight = ret >= 0 && store_is_tight(w->store);
		if (ret >= 0) {
			w->totals.written++;
			w->told &= w->tight;
			break;
		}
		w->error = err;
		w->totals.last_error = err.code;
		if (w->hurry || w->n >= WRITER_QUEUE - 1) {
			w->totals.lost++;
			if (w->n)
				tick_carry(w->queue[w->head], t);
			break;
		}
		pthread_cond_broadcast(&w->done);
		wait_ms(&w->wake, &w->lock, RETRY_MS);
	}
	tick_free(t);
	w->busy = false;
	pthread_cond_broadcast(&w->done);
}

static void *writer_thread(void *arg)
{
	struct writer *w = arg;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (w->n == 0 && !w->stopping)
			pthread_cond_wait(&w->wake, &w->lock);
		if (w->n == 0)
			break;
		struct tick *t = w->queue[w->head];

		w->head = (w->head + 1) % WRITER_QUEUE;
		w->n--;
		write_one(w, t);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* Signals are the main thread's: the new thread inherits a full mask. */
static int start_thread(struct writer *w)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	ret = pthread_create(&w->thread, NULL, writer_thread, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

static void writer_free(struct writer *w)
{
	pthread_cond_destroy(&w->wake);
	pthread_cond_destroy(&w->done);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

struct writer *writer_open(struct store *s)
{
	struct writer *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;

	if (!w)
		return NULL;
	w->store = s;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_cond_init(&w->done, &attr);
	pthread_condattr_destroy(&attr);
	int ret = start_thread(w);

	if (ret) {
		writer_free(w);
		errno = ret;
		return NULL;
	}
	return w;
}

void writer_put(struct writer *w, struct tick *t)
{
	pthread_mutex_lock(&w->lock);
	if (w->n == WRITER_QUEUE)
		drop_oldest(w);
	w->queue[(w->head + w->n++) % WRITER_QUEUE] = t;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
}

int writer_flush(struct writer *w, int timeout_ms, struct store_error *err)
{
	uint64_t end = clock_ts_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	int ret = 0;

	pthread_mutex_lock(&w->lock);
	while ((w->n || w->busy) && !w->failing && clock_ts_ns() < end)
		wait_ms(&w->done, &w->lock, 50);
	if (w->failing) {
		*err = w->error;
		ret = err->code;
	} else if (w->n || w->busy) {
		ret = -ETIMEDOUT;
	}
	pthread_mutex_unlock(&w->lock);
	return ret;
}

void writer_totals(struct writer *w, struct writer_totals *ret)
{
	pthread_mutex_lock(&w->lock);
	*ret = w->totals;
	ret->waiting = w->n;
	pthread_mutex_unlock(&w->lock);
}

bool writer_news(struct writer *w, struct store_error *err)
{
	static const char in_memory[] = "; recording goes on in memory, what is given up is counted";
	static const char full[] = "no space left on the disk of the recording: its oldest ticks make room for the new ones";
	bool news;

	pthread_mutex_lock(&w->lock);
	news = (w->failing || w->tight) && !w->told;
	if (news && w->failing) {
		*err = w->error;
		if (err->code != -ESTALE)
			strncat(err->text, in_memory, sizeof(err->text) - strlen(err->text) - 1);
	} else if (news) {
		err->code = -ENOSPC;
		strcpy(err->text, full);
	}
	w->told |= news;
	pthread_mutex_unlock(&w->lock);
	return news;
}

void writer_close(struct writer *w, int timeout_ms)
{
	struct store_error err;

	if (!w)
		return;
	writer_flush(w, timeout_ms, &err);
	pthread_mutex_lock(&w->lock);
	w->stopping = w->hurry = true;
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	writer_free(w);
}
