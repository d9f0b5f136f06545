/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_shape: how often the requests of a service call the same, as a witness to links: where each request makes a call exactly once,
 * no request has two of it, and of those open only the ones that lack it may have caused another.  Counted from all requests and
 * calls of a service, whether linked or not; decays by halves.
 *
 * A kind is an operation without the numbers in it, so that a recording with --raw has the same kinds.
 */
#ifndef ROOTLE_MODEL_TRACE_SHAPE_H
#define ROOTLE_MODEL_TRACE_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

struct model;
struct trace;
struct hop;

#define SHAPE_SERVICES 512u
#define SHAPE_CALLS 2048u
#define SHAPE_KINDS 8u
#define SHAPE_OPEN UINT32_MAX   /* it may still become known */

/* Requests of a service, by their kind. */
struct shape_service { uint32_t service, n; uint32_t kind[SHAPE_KINDS]; float count[SHAPE_KINDS]; bool many; };

/* Calls of one kind that a service makes over one edge. */
struct shape_call {
	uint32_t edge, kind;
	uint32_t caller[SHAPE_KINDS], ncallers; /* kinds of requests that are known to make it */
	float count;
	float once, twice;      /* requests that were found with one, and with more */
	float agreed, differed; /* what the two witnesses of a link say (trace_link.c) */
	bool many;              /* kinds of callers than there is room for */
};

struct shapes {
	struct shape_service service[SHAPE_SERVICES];
	struct shape_call call[SHAPE_CALLS];
	uint32_t looks;         /* hops looked at in this tick: a long poll keeps what is open from being found */
};

uint32_t shape_kind(const char *op);
/* A hop whose edge is known, once. */
void shape_count(struct model *m, const struct hop *h);
/* The parent is certain. Before the child is among its children. */
void shape_learn(struct trace *t, const struct hop *parent, const struct hop *child);
/* Both witnesses have spoken of such a call; have they agreed nearly always? */
void shape_agree(struct trace *t, const struct hop *child, bool agree);
bool shape_is_agreed(const struct trace *t, const struct hop *child);
/* Do requests of the service make this call at most once? */
bool shape_is_once(const struct model *m, const struct hop *child);
/* The first child of the parent that is the same call; 0: none. */
uint32_t shape_child(const struct trace *t, const struct hop *parent, const struct hop *child);
/* Of a call that is made once: the only request that lacks it; 0: none, or several; SHAPE_OPEN. Not final: those open are waited for. So many
 * hops are looked at in a tick. */
uint32_t shape_only(const struct model *m, const struct hop *child, uint32_t serial, bool final);
/* A tick begins. */
void shape_tick(struct trace *t);
/* Half of what was counted is forgotten. */
void shape_age(struct trace *t);

#endif
