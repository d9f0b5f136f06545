/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_actor: the processes that serve and call, and their threads: which requests each has read and not answered yet, what its
 * thread did last, and how far evidence from it has been right.
 *
 * Two tables of fixed size, of sets with some places each. Whoever is new takes the place that is free, else that of whom
 * serves nothing, else that which was not used for longest; who had to go while it served is counted.
 */
#ifndef ROOTLE_MODEL_TRACE_ACTOR_H
#define ROOTLE_MODEL_TRACE_ACTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "model/trace_trust.h"

#define ACTOR_WAYS 8u
#define ACTORS (128u * ACTOR_WAYS)
#define THREAD_WAYS 4u
#define THREADS (2048u * THREAD_WAYS)
#define TRACE_KINDS 54                  /* of evidence, before the write and after the read of the answer (evidence_kind()) */

/* A place, and whose it is. */
struct who {
	uint32_t id;                    /* pid or tid; 0: nobody's yet */
	uint32_t used;                  /* the newest act then */
	uint32_t life;                  /* different for each who has had it */
	uint32_t open;                  /* requests read and not answered yet */
};

struct actor {
	uint64_t crowded_ns;            /* until then nothing is said to be the only one */
	uint32_t open_reads;            /* of the open requests: serial numbers of their reads, xor; of the only one where there is one */
	struct record forward[TRACE_KINDS], backward[TRACE_KINDS];      /* where both spoke */
	struct record forward_only[TRACE_KINDS], backward_only[TRACE_KINDS];    /* where the other was silent: that the request they
										 * named had not made the call yet, or that it had */
	struct record same;             /* that the thread which read a request answered it */
	struct record both;             /* that they named the same request, or not; */
	struct record chosen[2];        /* where each chose from a run: out of step, and in order */
};

struct actors {
	struct who process[ACTORS], thread[THREADS];
	struct actor actor[ACTORS];     /* by the place of the process */
	uint32_t last[THREADS];         /* the newest act, by the place of the thread */
	uint32_t lives;
	uint64_t lost;                  /* that served when their place was taken */
};

/* Who reads a request that is not answered yet. */
struct reader {
	uint32_t act;                   /* its first read; 0: none */
	uint32_t tid;
	uint32_t process_life, thread_life;
	uint16_t process, thread;       /* their places */
};

/* now: the serial number of the newest act, here and below. Never NULL; another one's is forgotten. */
struct actor *actor_of(struct actors *x, uint32_t pid, uint32_t now);
bool actor_is_known(const struct actors *x, uint32_t pid);
/* The newest act of the thread; 0 where none is known. */
uint32_t *actor_last(struct actors *x, uint32_t tid, uint32_t now);
/* One of its connections has several requests in flight, of which the reads and writes of that connection do not tell: for a minute
 * nothing is said to be the only one. */
void actor_crowd(struct actors *x, uint32_t pid, uint32_t now, uint64_t ts_ns);

/* What a process is serving. */
struct serving {
	uint32_t open;                  /* requests */
	uint32_t only;                  /* the read of the only one; 0: none, or several */
	bool crowded;                   /* there may be more */
};
struct serving actor_serves(struct actors *x, uint32_t pid, uint32_t now, uint64_t ts_ns);
/* A request was read. False: its thread was serving another then. */
bool reader_begins(struct actors *x, struct reader *r, uint32_t pid, uint32_t tid, uint32_t act);
/* It is answered, or will not be. */
void reader_ends(struct actors *x, struct reader *r);
/* Nobody waits for the answer any more, which those who work on it may not know: nobody will say when they have done. */
void reader_is_left(struct actors *x, struct reader *r, uint64_t ts_ns);

#endif
