/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model: from events and samples to ticks.  Knows sockets, connections, services and edges; joins payload to connections, both
 * ends of a connection to one edge, requests to operations; counts.  No I/O, no clock: every time comes in with the data.
 *
 * Names are decided at the end of the first tick, when the sockets that were there before are known; until then requests and
 * counters wait with their connection.  An instance is a process tree (a leader and what it forked) that listens: two of one name
 * at different ports in the first tick are both name:port; one that comes later is name:port, the first keeps its name.
 *
 * Who is called and is not here has the name that DNS was seen to give, else that of /etc/hosts, else what the TLS client asked for,
 * else ADDRESS:PORT.  Clients from elsewhere are external:NAME or external:ADDRESS: the first 64 of each service that they call; all others
 * are external:others.
 *
 * Life of one event: model_event() → the socket of its cookie → the connection of its addresses (both ends share one) → flow
 * (engine/proto) → request → (edge, operation) of the current tick.  model_tick() closes the interval and hands it over.
 */
#ifndef ROOTLE_MODEL_MODEL_H
#define ROOTLE_MODEL_MODEL_H

#include "bpf/event.h"
#include "facts/certificate.h"
#include "facts/hosts.h"
#include "facts/process.h"
#include "facts/sample.h"
#include "model/tick.h"

struct model;

struct model_options {
	struct ident_resolver ident;
	struct certificate_resolver certificates;   /* zero: there is none */
	struct hosts_resolver hosts;    /* likewise */
	const char *node;               /* host name: the name of the service of kind node */
	uint32_t max_connections;       /* 0: 65536; past it the oldest idle ones are forgotten and counted */
	uint32_t max_ops;               /* 0: 4096 operations in all; past it "(other)" */
	size_t max_flow_bytes;          /* 0: 12 MB for all flows' buffers */
	bool raw;                       /* operations keep their values */
	bool no_trace_ids;              /* the ids that requests carry are ignored */
	bool all_traces;                /* a tick has all of its traces, as far as they fit */
	bool by_address;                /* nothing of this is of this node (a capture): names are addresses, at once; who calls from
	                                 * an address where a service is called is that service */
	/* Wanted by the kernel side (bpf_source_wish); NULL: nobody asks. wish: WISH_* of bpf/event.h. */
	void (*wish)(void *arg, uint64_t cookie, int wish);
	void *wish_arg;
};

struct model *model_new(const struct model_options *o);      /* NULL: no memory */
void model_free(struct model *m);

/* One record of bpf/event.h; records of unknown type or wrong size are counted and ignored. An EV_PROC goes to ident_event()
 * first: the model asks the resolver at once. */
void model_event(struct model *m, const struct ev_hdr *ev);
/* A reading of the node; the difference to the previous one goes into the current tick. */
void model_sample(struct model *m, const struct sample *s);
/* Samples of the CPUs that found this process (0: several) in this stack: functions from the outermost to the innermost,
 * separated by ';'. The text is copied. */
void model_stack(struct model *m, uint32_t pid, const char *frames, uint64_t samples);
/* Loss outside of the model, as totals: it puts the growth into the tick. Strings are static. Reasons that begin with "ring_" or
 * "lost_" count events (tick.lost adds them up), unless they end in "bytes". The flows' and the model's own are there already. */
void model_loss(struct model *m, const char *stage, const char *reason, uint64_t total);
/* From now on the payload of one of 1 << shift connections is read (bpf/sample.h); reads false: of none. After the kernel side was
 * told and what it had sent before was handed in. Requests of the others that are in flight are forgotten. */
void model_sampling(struct model *m, unsigned shift, bool reads);
/* The resolver says something else of this process than before: it was moved to another cgroup, or took a title. */
void model_process_changed(struct model *m, uint32_t pid);
/* It was found to execute something else, and no event has said so. */
void model_process_executed(struct model *m, uint32_t pid, uint64_t ts_ns);
/* The name of the service that a process belongs to; NULL: not known, or not yet. Valid as long as the model. */
const char *model_service(const struct model *m, uint32_t pid);
/* A note for the timeline (probe steps, recorder start). Strings are copied. */
void model_note(struct model *m, int64_t unix_ns, const char *kind, const char *detail);

/* Ends the interval: a tick with everything in it since the previous call, ownership to the caller. NULL: no memory (the
 * facts stay for the next call). ts_ns is now (for the age of open requests), unix_ns the start of the interval. */
struct tick *model_tick(struct model *m, uint64_t ts_ns, int64_t unix_ns, int64_t dur_ns);
/* The next tick is the last: connections whose other end nobody has told of yet are filed under its address. */
void model_end(struct model *m);

#endif
