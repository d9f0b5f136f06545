/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/link_closer.h"

#include <stdlib.h>

#include <bpf/libbpf.h>

static void *work(void *arg)
{
	struct link_closer *c = arg;
	struct bpf_link *l;

	pthread_mutex_lock(&c->lock);
	for (;;) {
		while (!c->queue.n && !c->ending)
			pthread_cond_wait(&c->more, &c->lock);
		if (!c->queue.n)
			break;
		l = c->queue.v[--c->queue.n];
		pthread_mutex_unlock(&c->lock);
		bpf_link__destroy(l);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

void link_closer_init(struct link_closer *c)
{
	*c = (struct link_closer){0};
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->more, NULL);
}

void link_closer_put(struct link_closer *c, struct bpf_link *l)
{
	struct bpf_link **slot;

	if (!l)
		return;
	pthread_mutex_lock(&c->lock);
	/* their threads come with the first links, as many as there are */
	if (c->threads < LINK_CLOSER_THREADS && pthread_create(&c->thread[c->threads], NULL, work, c) == 0)
		c->threads++;
	slot = c->threads ? vec_push(&c->queue) : NULL;
	if (slot)
		*slot = l;
	pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
	if (!slot)
		bpf_link__destroy(l);
}

void link_closer_done(struct link_closer *c)
{
	pthread_mutex_lock(&c->lock);
	c->ending = true;
	pthread_cond_broadcast(&c->more);
	pthread_mutex_unlock(&c->lock);
	for (int i = 0; i < c->threads; i++)
		pthread_join(c->thread[i], NULL);
	vec_done(&c->queue);
	pthread_cond_destroy(&c->more);
	pthread_mutex_destroy(&c->lock);
}
