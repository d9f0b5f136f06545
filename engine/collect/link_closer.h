/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link_closer: closes BPF links behind the back of who gives them.  Taking a uprobe away waits for a grace period of RCU (20 ms,
 * 100 ms on a busy machine): twenty of them one after the other would keep a recorder from emptying its ring for seconds.
 */
#ifndef ROOTLE_COLLECT_LINK_CLOSER_H
#define ROOTLE_COLLECT_LINK_CLOSER_H

#include <pthread.h>
#include <stdbool.h>

#include "base/vec.h"

struct bpf_link;

#define LINK_CLOSER_THREADS 8

struct link_closer {
	pthread_mutex_t lock;
	pthread_cond_t more;
	VEC(struct bpf_link *) queue;
	pthread_t thread[LINK_CLOSER_THREADS];
	int threads;
	bool ending;
};

void link_closer_init(struct link_closer *c);
/* Takes the link over; NULL is none. Blocks only where no thread or memory is to be had. */
void link_closer_put(struct link_closer *c, struct bpf_link *l);
/* Waits until all are closed. */
void link_closer_done(struct link_closer *c);

#endif
