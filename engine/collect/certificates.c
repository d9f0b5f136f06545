/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/certificates.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "collect/cert_files.h"
#include "collect/host.h"

#define ANSWERS_MAX 4096
#define QUEUE_MAX 64
#define FRESH_NS (60 * NS_PER_S)
#define REST 20                    /* after each question it rests for so many times as long as that took: 5 % of a core */
#define REST_MAX_NS (5 * NS_PER_S)
#define NICENESS 10
#define END_S 1

struct answer {
	int known;               /* as ask() returns it; -EAGAIN: none yet */
	bool asked;              /* in the queue, or being looked for */
	uint64_t at_ns;
	struct certificate c;
};

struct certificates {
	char proc[HOST_PATH_MAX];
	pthread_t thread;
	pthread_mutex_t lock;    /* of all below */
	pthread_cond_t wake;
	struct map answers;      /* struct certificate_question → struct answer */
	struct certificate_question queue[QUEUE_MAX];
	size_t begin, n;         /* of the queue */
	bool busy, stopping;
};

/* ---- the thread ---- */

/* Until there is a question, or `until`; false: it is to end. The lock is held. */
static bool wait_for(struct certificates *c, const struct timespec *until)
{
	while (!c->stopping && (until || !c->n))
		if (until ? pthread_cond_timedwait(&c->wake, &c->lock, until) : pthread_cond_wait(&c->wake, &c->lock))
			break;
	return !c->stopping;
}

static void answer_put(struct certificates *c, const struct certificate_question *q, int known, const struct certificate *found)
{
	struct answer *a = map_get(&c->answers, q);

	if (!a)
		return;
	*a = (struct answer){.known = known > 0 ? 1 : known == -ESRCH ? known : 0, .at_ns = clock_ts_ns(), .c = *found};
}

static bool rest(struct certificates *c, uint64_t took_ns)
{
	uint64_t ns = took_ns * REST < REST_MAX_NS ? took_ns * REST : REST_MAX_NS, at = clock_ts_ns() + ns;
	struct timespec until = {.tv_sec = (time_t)(at / NS_PER_S), .tv_nsec = (long)(at % NS_PER_S)};

	return wait_for(c, &until);
}

static void *certificates_thread(void *arg)
{
	struct certificates *c = arg;

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICENESS);
	pthread_mutex_lock(&c->lock);
	while (wait_for(c, NULL)) {
		struct certificate_question q = c->queue[c->begin];
		struct certificate found = {0};
		uint64_t began = clock_ts_ns();
		int known;

		c->begin = (c->begin + 1) % QUEUE_MAX;
		c->n--;
		c->busy = true;
		pthread_mutex_unlock(&c->lock);
		known = cert_files_find(c->proc, &q, &found);
		pthread_mutex_lock(&c->lock);
		c->busy = false;
		answer_put(c, &q, known, &found);
		if (!rest(c, clock_ts_ns() - began))
			break;
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* Signals are the main thread's. */
static int thread_start(struct certificates *c)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(&c->thread, NULL, certificates_thread, c);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!err)
		pthread_setname_np(c->thread, "rootle-certs");
	return -err;
}

/* ---- everybody else ---- */

static void done(struct certificates *c)
{
	map_done(&c->answers);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

struct certificates *certificates_new(const char *proc)
{
	struct certificates *c = calloc(1, sizeof(*c));
	pthread_condattr_t attr;

	if (!c)
		return NULL;
	snprintf(c->proc, sizeof(c->proc), "%s", proc);
	map_init(&c->answers, sizeof(struct certificate_question), sizeof(struct answer), ANSWERS_MAX);
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->wake, &attr);
	pthread_condattr_destroy(&attr);
	if (thread_start(c) == 0)
		return c;
	done(c);
	return NULL;
}

void certificates_free(struct certificates *c)
{
	struct timespec until;

	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += END_S;
	if (pthread_clockjoin_np(c->thread, NULL, CLOCK_MONOTONIC, &until) == 0)
		done(c);
}

/* False: too many at once. */
static bool enqueue(struct certificates *c, const struct certificate_question *q)
{
	if (c->n == QUEUE_MAX)
		return false;
	c->queue[(c->begin + c->n++) % QUEUE_MAX] = *q;
	pthread_cond_signal(&c->wake);
	return true;
}

/* With a room for it, made where need be: all that is answered is forgotten then. */
static struct answer *answer_of(struct certificates *c, const struct certificate_question *q)
{
	bool fresh;
	struct answer *a = map_put(&c->answers, q, &fresh);

	if (!a && !c->n && !c->busy) {
		map_reset(&c->answers);
		a = map_put(&c->answers, q, &fresh);
	}
	if (a && fresh)
		a->known = -EAGAIN;
	return a;
}

static int ask(void *arg, const struct certificate_question *q, struct certificate *ret)
{
	struct certificates *c = arg;
	struct answer *a;
	int known = -EAGAIN;

	pthread_mutex_lock(&c->lock);
	a = answer_of(c, q);
	if (a && !a->asked && (a->known == -EAGAIN || a->at_ns + FRESH_NS < clock_ts_ns()))
		a->asked = enqueue(c, q);
	if (a)
		known = a->known;
	if (known > 0)
		*ret = a->c;
	pthread_mutex_unlock(&c->lock);
	return known;
}

struct certificate_resolver certificates_resolver(struct certificates *c)
{
	return (struct certificate_resolver){.ask = c ? ask : NULL, .arg = c};
}
