/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace: which request in caused which requests out, from outside.  Knows who read and wrote which connection in which order;
 * never looks at payload, never waits for anybody.
 *
 * A hop is one finished request on one connection, both ends of which are one hop.  An act is a read or a write of a thread of a
 * process that serves and calls (bpf/middle.h).  Both are kept in rings for some seconds: a hop ends before the one that caused
 * it, so links are made a tick later.  What falls out of a ring before it was looked at is counted.
 *
 * Links (trace_link.c) are left out where the evidence is not enough, and counted.  Whole traces are chosen each tick
 * (trace_keep.c): a bounded number of rows of struct tick.
 *
 * Memory: TRACE_HOPS * sizeof(struct hop) + TRACE_ACTS * sizeof(struct act) and tables of fixed size: 9 to 12 MB, from the
 * first request on, for the program's life.
 */
#ifndef ROOTLE_MODEL_TRACE_H
#define ROOTLE_MODEL_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/timing.h"
#include "model/trace_actor.h"
#include "model/trace_carrier.h"
#include "model/trace_shape.h"
#include "proto/flow.h"

struct conn;
struct ev_conn;
struct ev_io;
struct model;
struct tick;

#define TRACE_HOPS 16384u
#define TRACE_ACTS 65536u
#define TRACE_LATE 1024u
#define TRACE_LINKED_NS 1200000000ull   /* after the end of a hop: what it caused is linked by then */

enum link_method {
	LINK_NONE,              /* a root, or the evidence was not enough */
	LINK_ID,
	LINK_THREAD,
	LINK_TURN,
	LINK_ALONE,
	LINK_ORDER,
	LINK_QUEUE,
	LINK_SHAPE,
	LINK_METHODS
};

struct link_method_info {
	const char *name;       /* as stored */
	float confidence;       /* of such a link: measured against services that carry an id (tests/bench/links.py) */
	const char *what;       /* for people */
};
extern const struct link_method_info link_method_table[LINK_METHODS];
#define LINK_FLOOR 0.9f         /* below it a link is left out */

/* Reads, or writes, of a thread in a row: what is repeated on one connection is one entry of it. */
struct run {
	uint32_t begin;         /* its first act */
	uint32_t last;          /* its newest act, where this is the first one */
	uint32_t entry;         /* the first act of this entry, */
	uint32_t at;            /* which is the how manyth, from 0 */
};

/* Serial numbers count from 1 and wrap; 0 is none. */
struct act {
	uint64_t ts_ns;
	uint32_t tid, pid;
	uint32_t conn;
	uint32_t hop;           /* that it belongs to; 0: not known (yet) */
	uint32_t before, after; /* acts of the same thread */
	struct run run;
	uint32_t on_conn;       /* the one before on the same connection, of either end */
	uint32_t nopen;         /* requests that the process was serving then, or at least so many, */
	uint32_t open;          /* and the read of the only one; 0: none, or several, or not known */
	bool server;            /* of the end that serves */
	bool write;
	bool shared;            /* of more hops than one: several requests in one segment, or streams */
	bool begins;            /* a read: nobody had read of the request before, */
	bool first;             /* and this thread was serving nothing else then */
	bool connect;           /* connect(), in the place of what was written next, which an event loop does turns later */
	bool opening;           /* on a connection that this end opened, before its first request */
	bool crowded;           /* there may have been more than nopen */
};

struct hop {
	uint64_t begin_ns, sent_ns, first_ns, end_ns;   /* as in struct request */
	uint64_t id, trace;
	struct trace_ids ids;           /* that came with it */
	uint32_t conn, edge, op;        /* edge NONE: not known yet */
	uint32_t kind;                  /* shape_kind() of the operation */
	uint32_t callee;                /* its pid; 0: not of this node, or not known */
	uint32_t before;                /* the hop that ended before on this connection */
	uint32_t asked, read;           /* acts: the request was written by the caller, read by the callee */
	uint32_t answered, got;         /* the response was written by the callee, read by the caller */
	uint32_t parent, child, next;   /* hops: what caused it, the last that it caused, the next of its siblings */
	float confidence;
	int status;
	uint8_t method;                 /* of the parent */
	uint8_t error;                  /* enum req_error */
	bool decided;                   /* its parent is known, or will not be */
	bool kept;                      /* it is in a tick, or will be */
	bool due;                       /* it has failed, or what it caused: to be kept with its cause, once that is decided */
	bool failed;
	bool no_latency;
	bool weighed;                   /* neither witness alone is enough */
	bool judged;                    /* whether its two witnesses agree is counted */
	bool claimed;                   /* what its only witness says is counted */
	bool doubted;                   /* two calls had as good a claim on one parent */
	bool certain;                   /* its parent is, by two witnesses or by one that needs none */
	char detail[24];
	bool told, linked, summed;   /* timing is final but for the calls; the calls are; both are in the sums of a tick */
	struct timing timing;           /* of this one; count 0: not known */
};

struct trace {
	struct hop *hop;                /* TRACE_HOPS; NULL before the first */
	struct act *act;                /* TRACE_ACTS */
	struct shapes *shapes;
	uint32_t ticks;
	uint32_t nhops, nacts;          /* serial number of the newest */
	uint32_t undecided;             /* all hops up to it are decided */
	uint32_t scanned;               /* of all hops up to it was looked at what their threads did */
	uint32_t chosen;                /* all roots up to it are in a tick, or will not be */
	uint32_t choosing;              /* as chosen, once the tick is taken */
	uint32_t called;                /* of all hops up to it the calls are final */
	uint32_t placed;                /* of all hops up to it the edge was looked for */
	uint32_t late[TRACE_LATE], nlate;       /* hops decided when what they belong to is in a tick already */
	uint64_t seed;
	struct actors actors;
	struct carriers carriers;
	uint64_t ambiguous, below_floor, hops_lost, acts_lost, spans_full;
};

/* What a thread did with a connection's end. Called in the order of the records. */
void trace_act(struct model *m, uint32_t conn, unsigned end, uint32_t pid, uint32_t tid, uint64_t ts_ns, bool write);
/* The same, from a record of its own; writes only of processes that are known to serve and call. */
void trace_io(struct model *m, uint32_t conn, unsigned end, const struct ev_io *e);
/* connect() of a process that is known to serve and call. */
void trace_connect(struct model *m, uint32_t conn, const struct ev_conn *e);
/* The connection that `old` was filed as has its addresses now. */
void trace_connect_moved(struct model *m, uint32_t conn, const struct conn *old);
/* A request ended. slowest: of its operation in this tick so far. Its hop's serial number; 0: it has none. */
uint32_t trace_request(struct model *m, uint32_t conn, const struct request *r, uint32_t edge, uint32_t op, bool failed,
		       bool slowest);
/* A request ended: whoever has read it serves it no longer. */
void trace_answered(struct model *m, uint32_t conn, const struct request *r);
/* The connection is forgotten: what is open on it will not be answered. */
void trace_conn_gone(struct model *m, uint32_t conn);
/* End of a tick: hops without an edge find theirs, links are made. */
void trace_settle(struct model *m, uint64_t now_ns);
/* Chooses traces and puts their spans into the tick; 0 or -ENOMEM. */
int trace_build(struct model *m, struct tick *t, uint64_t now_ns);
/* trace_time.c: all of a hop's own time is known that will be. */
void trace_told(struct model *m, uint32_t hop, const struct timing *t);
/* The hop's place will be another's. */
void trace_time_lost(struct model *m, struct hop *h);
/* End of a tick: which hops have made all calls that they will. */
void trace_times(struct model *m, uint64_t now_ns);
/* The tick was taken. */
void trace_commit(struct model *m);
void trace_done(struct model *m);

/* trace.c, for trace_link.c and trace_keep.c: NULL where the serial number is 0 or has left the ring. */
struct hop *trace_hop_at(const struct trace *t, uint32_t serial);
struct act *trace_act_at(const struct trace *t, uint32_t serial);

uint64_t trace_random(struct trace *t);                       /* not 0 */

/* trace_keep.c: its place is in an earlier tick; the next one has it. */
void trace_late(struct trace *t, uint32_t serial);

/* trace_link.c: links of all hops that are old enough. */
void trace_link(struct model *m, uint64_t now_ns);

#endif
