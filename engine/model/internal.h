/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * internal: what the files of the model share.  Nobody outside of engine/model includes it.
 *
 *	socket.c    EV_CONN, EV_DATA, EV_IO: cookie → end of a connection
 *	datagram.c  the same of UDP: the pair of addresses → connection
 *	plain.c     EV_DATA of a TLS library
 *	conn.c      the table of connections, their roles, their end
 *	health.c    EV_HEALTH: connect times, queues, closed windows; accept queues
 *	remote.c    names of those who are not here
 *	nat.c       connections whose addresses are translated on their way
 *	listener.c  who listens, or did last, at an address
 *	process.c   pid → process → leader → service; life events in lifecycle.c
 *	service.c   names of services and their instances
 *	edge.c      caller → callee, the owners of a connection's ends
 *	request.c   finished requests → (edge, operation); weight.c: for how many each counts
 *	downstream.c  what requests waited for: (edge, operation, edge of their calls)
 *	whole.c     finished requests whose caller has not read the response yet, as far as we know
 *	handshake.c TLS handshakes → (edge, version, name, result)
 *	reading.c   the newest sample beside the previous tick's; usage.c: differences summed by service;
 *	points.c    the points of a tick; rows.c: its processes and cgroups
 *	note.c      events for the timeline, loss
 *	stack.c     samples of the CPUs
 *	trace.c     which request caused which: reads and writes of threads; trace_actor.c: who serves what; trace_link.c: links;
 *		    trace_keep.c: whole traces;
 *		    trace_time.c: what requests waited for in those that they caused
 *	build.c     model_tick()
 *
 * Numbers: services, edges and connections are known by number; NONE is none.  A connection's number may be used anew
 * after conn_forget(), those of services and edges never.
 */
#ifndef ROOTLE_MODEL_INTERNAL_H
#define ROOTLE_MODEL_INTERNAL_H

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/text.h"
#include "model/index.h"
#include "model/model.h"
#include "model/outcome.h"
#include "model/timing.h"
#include "model/trace.h"
#include "proto/flow.h"

#define NONE UINT32_MAX

#define SERVICES_MAX 4096
#define EXTERNALS_MAX 1024           /* services that are peers from elsewhere; past it "external:others" */
#define OUTSIDE_MAX 64               /* clients from elsewhere of one service; past it "external:others" */
#define EDGES_MAX 16384
#define LISTENERS_MAX 4096
#define HOSTS_MAX 4096
#define PROCESSES_MAX 16384
#define CGROUPS_MAX 4096
#define DEVICES_MAX 64
#define WHOLES_MAX 16384             /* requests that wait for the word on their caller */
#define ROWS_MAX 4096                /* (edge, operation) of one tick; past it the operation is "(other)" */
#define OPS_BYTES_MAX (2u << 20)     /* text of all operations */
#define SNIS_MAX 2048                /* names that TLS clients ask for; past it "(other)" */
#define TLS_TOLD_MAX 4096
#define TLS_ASKED_MAX 1024
#define LIFE_EVENTS_MAX 32           /* starts, exits, signals, listeners in one tick */
#define EVENTS_MAX 256               /* all events in one tick */
#define SERVICE_PORTS 8

#define LINGER_NS (200 * NS_PER_MS)  /* a closed connection waits for late data */
#define GONE_NS (60 * NS_PER_S)      /* a process that ended is remembered; a start within it is a restart */

struct addr { uint8_t ip[16]; uint16_t port; };
struct place { uint8_t ip[16]; uint32_t netns; uint16_t port, pad; };        /* an address of one network namespace */

/* One end of a connection, as a socket of this node. cookie 0: the end is elsewhere, or was not seen. */
struct end {
	uint64_t cookie;
	uint32_t owner;              /* pid; 0 unknown */
	uint32_t netns;
	uint32_t first_out, first_in;        /* numbers of the first bytes (struct ev_conn), where numbered */
	uint32_t retrans;            /* total that the kernel told */
	uint32_t srtt_us, min_rtt_us;
	uint16_t tick_retrans;
	bool closed, heard;          /* heard: a record of it came, so its totals have a base */
	bool numbered;
	uint8_t wish;
};

/* What few connections have: something queued, or a window that was closed. By end. */
struct strain {
	uint64_t zero_told_ns[2];    /* of the totals that the kernel told, what is counted */
	uint32_t zero_told[2];
	uint64_t tick_zero_ns[2];
	uint32_t tick_zeros[2];
	uint32_t send_queue[2], recv_queue[2];   /* in this tick's pass; 0 where it did not tell */
};

struct conn {
	struct addr a[2];            /* the key, with netns and l4; of a UNIX stream the two cookies (bpf/event.h); behind all
				      * translations, where there are any (nat.c) */
	uint32_t netns;              /* of loopback addresses, which each namespace has for itself, and of those that were found to be
				      * in several; else 0 */
	struct end end[2];           /* the sockets at a[0], a[1] */
	struct flow *flow;           /* made when the first payload comes */
	struct flow *plain;          /* of the plaintext beside it, where a TLS library is looked at; as seen by end plain_end */
	uint64_t base[2];            /* bytes sent by end i before we looked */
	uint64_t counted[2];         /* bytes sent by end i since */
	uint64_t tick_bytes[2];
	uint32_t seq[2];             /* one past the highest byte counted, by sender */
	uint64_t last_ns, closed_ns; /* closed_ns 0: open */
	uint64_t syn_ns;             /* when connect() sent its SYN; 0: answered, or not seen */
	uint64_t tick_connect_ns;    /* it took so long, in this tick */
	struct strain *strain;       /* NULL: none */
	uint64_t shift_ns;           /* when shift became what it is */
	uint32_t edge, edge_gen;     /* edge_gen != model.gen: to be looked up again */
	uint32_t next;               /* in the list of closed or of free ones */
	uint32_t sni;                /* one more than the number in model.snis; 0: none */
	uint32_t held;               /* rows of requests that wait for the owner */
	uint32_t whole;              /* its newest request is model.wholes[whole - 1]; 0: none */
	uint32_t act, hop;           /* the newest of it (model/trace.h); 0: none */
	struct reader reader;        /* of the request that is read and not answered yet */
	uint32_t dialled;            /* the act that connected; 0: none */
	uint8_t opening;             /* and nothing was read by the client since: OPENING_* (trace.c) */
	uint8_t acted;               /* ends of which acts are told, 1 << end */
	uint8_t l4;                  /* L4_*; of UDP: not found by cookie, never open, closed when it is silent */
	uint8_t client;              /* which end sent the SYN */
	uint8_t flow_client;         /* which end the flow was told it was */
	uint8_t plain_end;
	uint8_t ticks;               /* ticks for which an owner was waited for */
	uint8_t opened, closed, refused, timeouts, resets[2];   /* in this tick; resets by the end that sent them */
	uint8_t shift, shift_before; /* one of 1 << shift connections was read, and before that */
	bool used, keyed, sure;      /* sure: the client was seen to be it */
	bool seq_known[2];
	bool fresh;                  /* seen from its SYN on */
	bool open;                   /* established and not closed */
	bool counted_open;           /* in the `open` of its edge */
	bool touched, retired, reset_seen;
	bool orphan;                 /* its tuple is not known */
	bool quic;
	bool translated;             /* a[] are not the addresses that the caller used */
	bool joined;                 /* payload before now was left out: a flow begins in the middle */
};

#define CONN_CHUNK 256

/* One translation: [0] who calls, [1] who is called; by the addresses in front of it, and behind it. */
struct nat {
	struct addr seen[2], far[2];
	uint32_t netns;              /* that translates */
	uint32_t next;               /* in the list of free ones */
	uint8_t l4;
	bool used;
};

struct series { float last; uint32_t changed, sent; };   /* tick numbers */

struct listener {
	struct addr a;
	uint32_t netns;
	uint32_t owner;              /* pid; 0 unknown */
	uint32_t service;            /* of the last owner; NONE unknown */
	uint32_t sockets;            /* open ones; 0: nobody listens any more */
	uint64_t gone_ns;
	uint32_t queue, backlog;     /* of its sockets, in the pass numbered so */
	uint32_t pass;
	uint32_t overflows;          /* in this tick */
	struct series queue_series, overflow_series;
	bool used;
};

struct listening { uint32_t listener, drops; bool heard; };   /* one socket; heard: drops has a base */

struct proc_count {                  /* one reading; UNKNOWN as in struct sample_process */
	uint64_t cpu_ns, runq_ns, dwait_ns, majflt, read_bytes, write_bytes, waited_ns[WAITED_MAX];
};

/* The kernel adds the I/O of a child to its parent's counter when the parent waits for it. What the child had shown itself
 * by then is not the parent's again. */
struct own_io {
	uint64_t raw;                /* as last read */
	uint64_t own;                /* without what children had shown */
	uint64_t pending;            /* of ended children, not waited for yet */
	uint32_t age;                /* readings since the last child ended: some are never waited for */
	bool read;
};

struct proc {
	uint32_t pid, leader;
	uint64_t start_ticks;
	int64_t start_unix_ns;
	uint32_t base_name;          /* number of the name in model.bases; NONE: of the node (kernel thread) */
	uint32_t instance;           /* service, set on leaders that listen; NONE */
	uint32_t conns;              /* open sockets it owns */
	uint64_t born_ns;            /* exec seen at; 0: was there, or announced */
	uint64_t gone_ns;            /* 0: lives */
	struct proc_count base, now;
	struct own_io reads, writes;
	uint64_t rss_bytes, shared_bytes, fd_limit;
	uint32_t threads, fds;
	uint32_t reading;            /* number of the last reading it was in; 0: none */
	uint32_t known_at;           /* number of the newest reading when it became known */
	uint32_t cgroup;             /* index into model.cgroups; NONE */
	bool listens, announced, replaced, based, ended_now, began_now;
	bool adopted;                /* does the work of its leader, whose name it has */
	char state;
};

/* A base name, as people call the program; its instances share it. */
struct base_name { uint32_t plain; /* service called so, NONE: none yet */ bool split; /* instances are name:port */ bool whole; /* never */ };

struct usage {
	double cpu_s, runq_s, dwait_s, majflt, read_bytes, write_bytes, throttled_s, stall_s, waited_s[WAITED_MAX];
	double quota_cores, mem_limit;       /* NaN: none */
	uint64_t rss_bytes, fd_limit;
	uint64_t shared_bytes;               /* the part of rss_bytes that is the most any process shares */
	uint32_t threads, fds, processes, stopped;
	bool runq_known, dwait_known, fds_known, stall_known, waited_known;
};

struct service {
	const char *kind;            /* static or interned in model.texts */
	const char *exe, *why, *image;       /* interned in model.texts */
	const char *version;
	uint16_t port[SERVICE_PORTS];
	uint32_t nports;
	uint32_t leader;             /* the last process seen to lead it */
	uint64_t leader_ns;          /* when that process began; 0: before us */
	uint64_t exit_ns;            /* when a leader of it ended last; 0 never */
	uint32_t listening;          /* open listeners */
	uint32_t outside;            /* clients from elsewhere that have a name */
	uint32_t restarts;           /* in this tick */
	bool networked;              /* it listens or is an end of an edge */
	bool serves;                 /* it listens, or did, or is called */
	bool sent, described;
	bool renamed;                /* for the port it listens on: that is the reason for its name */
	struct usage use;            /* of this tick */
	uint64_t tick_rx, tick_tx, tick_retrans;
	uint32_t open;
	uint32_t busy;               /* tick number of the last activity worth a row */
	uint32_t forks;              /* in this tick */
	struct series series[M_FORKS + 1];
};

#define SRTT_MAX 15

/* The sockets of one side, in this tick. */
struct side { uint64_t send_queue, recv_queue, zero_ns; uint32_t zeros; bool here; /* some are on this node */ };

enum { CALLER = 0, CALLEE = 1 };

struct edge {
	uint32_t from, to;
	uint16_t port;
	uint8_t l4;
	enum proto_id proto;
	bool sent, active;
	uint8_t nsrtt;
	uint32_t open, open_sent;
	uint32_t row_sent;           /* tick number of the last row */
	uint32_t opened, closed, refused, timeouts, resets, retrans, inflight;
	uint64_t oldest_ns;          /* begin of the oldest request in flight; 0 none */
	uint64_t bytes_out, bytes_in;
	uint32_t srtt[SRTT_MAX];
	uint32_t min_rtt_us, resets_callee, retrans_callee, connecting;
	uint64_t connect_max_ns;
	struct hist connect;         /* ns */
	struct side side[2];
};

struct agg_key { uint32_t id, op, held, pad; };          /* held: id is a connection's number, else an edge's */

struct agg {
	uint64_t count, errors, sum_ns, bytes_request, bytes_response, rows;
	uint64_t waits;              /* of count: those without a latency */
	uint64_t slowest_ns;         /* the longest latency so far */
	uint64_t begun, first_ns;    /* with a latency and a response: how many, and the sum of the times to its first byte */
	struct outcomes outcomes;
	struct timing timing;
	struct hist hist;
};

/* A request that ended, and what is known of its time by then. end_seq: one past the response. */
struct whole { uint32_t conn, op, hop, end_seq, tick; uint64_t end_ns; struct timing timing; };

struct note {
	uint64_t ts_ns;              /* 0: unix_ns is set */
	int64_t unix_ns;
	uint32_t service;            /* NONE: of the node, or of pid where that is set */
	uint32_t pid;
	const char *kind;            /* these live in model.note_text */
	const char *detail, *before, *after, *actor;
};

struct loss {
	const char *stage, *reason;
	uint64_t total, told;
	bool events;                 /* counts events: part of tick.lost */
};

struct cgroup_count { uint64_t cpu_ns, throttled_ns, periods, read_bytes, write_bytes, stall_us; };

struct cgroup {
	const char *path;
	struct cgroup_count base, now;
	double quota_cores;
	uint64_t mem_bytes, mem_limit_bytes;
	uint32_t pids, reading;
	uint32_t vote, votes;        /* majority vote of the services of its processes */
	bool based;
};

struct stack { uint32_t service, pid; uint64_t samples; const char *frames; };

#define DEVICE_METRICS 6
#define INTERFACE_METRICS 3

struct device {
	char name[32];
	struct sample_device base, now;
	uint32_t reading;
	bool based;
	struct series series[DEVICE_METRICS];
};

struct interface {
	char name[32];
	struct sample_interface base, now;
	uint32_t reading;
	bool based;
	struct series series[INTERFACE_METRICS];
};

struct model {
	struct model_options o;
	uint32_t self;               /* our own pid */
	uint32_t gen;                /* changes when the owner or the name of a socket may have changed */
	bool named;                  /* the first interval is over: names are decided */
	bool ending;                 /* the next tick is the last: nothing is waited for */
	uint32_t tick_no;
	uint64_t now_ns;             /* of the newest event */
	uint64_t events;             /* in this tick */
	uint8_t shift, tick_shift;   /* of the connections that are read now, the largest in this tick */
	bool reads, tick_blind;      /* payload is read at all; for a while in this tick it was not */

	/* connections */
	struct conn **chunk;
	size_t nchunks;
	uint32_t nconns, conn_high;  /* in use; numbers given so far */
	uint32_t conn_free, closed_head, closed_tail, hand, reap;
	struct index by_cookie;      /* number * 2 + end */
	struct index by_addr;
	struct index by_numbers;     /* as by_cookie: ends that are numbered */
	VEC(uint32_t) touched;
	struct flow_pool pool;

	VEC(struct nat) nats;
	struct index nat_seen, nat_far;          /* pair of addresses → nats */
	uint32_t nat_free, nat_hand;
	struct map remotes;          /* address and netns → what DNS called it (remote.c) */
	uint64_t remotes_swept_ns;

	VEC(struct listener) listeners;
	struct map listener_addr;    /* address and netns → listener */
	struct map listener_cookie;  /* cookie → struct listening */
	uint32_t pass;               /* number of the pass over the sockets that goes on, or was the last */
	bool pass_begun;
	bool passed;                 /* one was finished in this tick */
	bool windows;                /* closed windows are told of */
	struct map local;            /* address → netns where a socket had it */
	struct map hosts;            /* by_address: address → service that was called there first */
	struct map bound;            /* struct place → pid that receives datagrams there */

	struct map procs;            /* pid → struct proc * */
	struct intern bases;
	VEC(struct base_name) base;
	struct intern names;         /* of services: the number is the service's */
	VEC(struct service *) services;
	uint32_t externals;
	struct intern texts;

	struct map edge_index;
	VEC(struct edge) edges;

	struct intern ops;           /* 0 is "(other)" */
	size_t ops_bytes;
	uint32_t ops_sent;           /* defined in ticks, from 1 on */
	bool other_sent;
	struct map aggs;
	VEC(struct whole) wholes;
	struct map downs;            /* of this tick */

	struct map handshakes;       /* of this tick */
	struct map tls_told;         /* what was put on the timeline → when */
	struct map tls_asked;        /* certificates that are being looked for (handshake.c) */
	struct intern snis;

	/* readings: base is the last one of the previous tick */
	uint32_t reading;
	bool based, read_now;
	uint64_t base_ts, now_ts;
	int64_t prev_unix_ns;        /* of the reading before the one that is taken in */
	struct sample_node base_node, now_node;
	VEC(struct cgroup) cgroups;
	struct intern cgroup_path;   /* the number is the index into cgroups */
	VEC(struct device) devices;
	VEC(struct interface) interfaces;
	struct series node_series[METRIC_MAX];

	struct trace trace;

	VEC(struct stack) stacks;    /* of this tick; their text in stack_text */
	struct arena stack_text;

	VEC(struct note) notes;
	struct arena note_text;
	uint32_t life_events;
	uint32_t forks;              /* in this tick */
	VEC(struct loss) losses;
	uint64_t lost_unknown_cookie, lost_conns, lost_listeners, lost_services, lost_edges, lost_ops, lost_rows,
		lost_events, lost_processes, lost_flows, lost_stacks, lost_snis, lost_wholes, lost_downs, lost_nats, lost_remotes,
		lost_clients, lost_devices, lost_cgroups, lost_texts, lost_addresses, bad_records, kernel_loss;
};

/* conn.c */
struct conn *conn_at(const struct model *m, uint32_t id);
/* The connection and the end of a cookie, or NONE. */
uint32_t conn_by_cookie(const struct model *m, uint64_t cookie, unsigned *end);
/* The connection whose one end is known by these numbers of its first bytes, and its other end, which is not. */
uint32_t conn_by_numbers(const struct model *m, uint32_t first_out, uint32_t first_in, unsigned *end);
/* Nothing is lost where there is no memory: it is found by its addresses. */
void conn_number(struct model *m, uint32_t id, unsigned end, uint32_t first_out, uint32_t first_in);
/* The same by its addresses; *end is the local one. netns: addr_scope(). */
uint32_t conn_by_addr(const struct model *m, const struct addr *local, const struct addr *remote, uint32_t netns, uint8_t l4,
		      unsigned *end);
/* A new one without key or ends; NONE: no room (counted). */
uint32_t conn_new(struct model *m);
bool conn_set_key(struct model *m, uint32_t id, const struct addr a[2], uint32_t netns, uint8_t l4);
/* From now on it is known by the addresses behind a translation: to[0] is that of `end`. A connection that is there already is its
 * other end, which had not been recognised. */
void conn_move(struct model *m, uint32_t id, unsigned end, const struct addr to[2], uint32_t netns);
/* It keeps its ends but is no longer found by address: its ports are used anew. */
void conn_retire(struct model *m, uint32_t id);
/* The socket of this end, which was closed, lives on as another connection's: only what was counted stays, with its owner. */
void conn_release(struct model *m, uint32_t id, unsigned end);
bool conn_set_end(struct model *m, uint32_t id, unsigned end, uint64_t cookie);
void conn_set_owner(struct model *m, struct conn *c, unsigned end, uint32_t pid);
/* Without a trace: what it counted goes too. */
void conn_forget(struct model *m, uint32_t id);
void conn_touch(struct model *m, uint32_t id);
/* It ended: open → closed; the struct stays LINGER_NS for late data. */
void conn_close(struct model *m, uint32_t id, uint64_t ts_ns);
/* This end's socket was closed. */
void conn_end_closed(struct model *m, uint32_t id, unsigned end, uint64_t ts_ns);
/* End of a tick: requests that those which lingered long enough leave unanswered come out. */
void conns_end_flows(struct model *m, uint64_t now_ns);
/* Forgets those that lingered long enough and whose counts have found their edge. */
void conn_flush(struct model *m, uint64_t now_ns);
/* A slice of the table: forgets what nobody will end. */
void conn_reap(struct model *m, uint64_t now_ns);
void conns_done(struct model *m);

/* socket.c */
void socket_conn(struct model *m, const struct ev_conn *e);
void socket_data(struct model *m, const struct ev_data *e);
void socket_io(struct model *m, const struct ev_io *e);
/* The socket of a segment, or NONE; one that was never announced (its record was lost) is kept without addresses until it is. */
uint32_t conn_of_data(struct model *m, uint64_t cookie, unsigned *end);
bool conn_flow_begin(struct model *m, uint32_t id);    /* false: no memory (counted) */
struct segment segment_of_data(const struct ev_data *e, enum proto_dir dir);

/* plain.c */
void plain_data(struct model *m, const struct ev_data *e);

/* The flow that has the requests. */
static inline struct flow *conn_flow(const struct conn *c)
{
	return c->plain ? c->plain : c->flow;
}
/* The record's totals correct what was not seen as segments. first: what was before us is not counted. */
void conn_take_totals(struct conn *c, unsigned end, const struct ev_conn *e, bool first);

/* datagram.c */
void datagram_conn(struct model *m, const struct ev_conn *e);
void datagram_data(struct model *m, const struct ev_datagram *e);
/* End of a tick: one that asks nothing any more, or has waited too long for an answer, is over. */
void datagram_settle(struct model *m, uint32_t id);
/* The service that receives at this address; NONE. */
uint32_t datagram_service(struct model *m, const struct addr *a, uint32_t netns);
void datagrams_init(struct model *m);
void datagrams_done(struct model *m);
/* The kernel's totals of payload, so far. */
void socket_totals(struct conn *c, unsigned end, uint64_t out, uint64_t in);

/* health.c */
void health_event(struct model *m, const struct ev_health *e);
/* The SYN was sent; it was answered; the connection ended. */
void health_syn(struct conn *c, uint64_t ts_ns);
void health_connected(struct conn *c, unsigned end, uint64_t ts_ns);
void health_ended(struct conn *c, unsigned end);
/* What the connection had in this tick goes to its edge. */
void health_fold(struct edge *e, struct conn *c);
void health_row(const struct model *m, const struct edge *e, struct tick_tcp *r);
/* The row was taken: the next tick begins. */
void health_reset(struct edge *e);

/* nat.c */
void nat_event(struct model *m, const struct ev_nat *e);
/* The addresses that the called end knows instead of these, with their scope (addr_scope()): a[0] is the socket's own. False: nothing
 * translates between the ends. */
bool nat_follow(const struct model *m, struct addr a[2], uint32_t *scope, uint8_t l4);
/* The addresses of its ends as the caller knows them. */
void conn_seen(const struct model *m, const struct conn *c, struct addr seen[2]);
void nats_done(struct model *m);

/* remote.c */
#define REMOTE_NAME 128
/* A DNS message that answers a client of this network namespace (0: not known). */
void remote_answer(struct model *m, const uint8_t *message, size_t n, uint32_t netns);
/* The name of an end that is not here, and where it is from: one of remote_why. */
enum remote_source { REMOTE_DNS, REMOTE_HOSTS, REMOTE_SNI, REMOTE_ADDRESS };
extern const char *const remote_why[];
enum remote_source remote_name(const struct model *m, const struct conn *c, unsigned end, char name[REMOTE_NAME]);
void remotes_init(struct model *m);
void remotes_done(struct model *m);

/* weight.c */
/* Is it among the connections whose payload is read? */
bool conn_is_read(const struct model *m, const struct conn *c);
/* A segment of it that was read at this shift. */
void weight_seen(struct model *m, struct conn *c, unsigned shift, uint64_t ts_ns);
/* For how many a request that began then and ends now counts. */
uint64_t weight_of(const struct conn *c, uint64_t begin_ns);
uint32_t weight_of_tick(const struct model *m);
void weight_commit(struct model *m);

/* listener.c */
void listener_health(struct model *m, const struct ev_health *e);
void listener_event(struct model *m, const struct ev_conn *e);
/* True where the cookie is a listener's: then the event was its. */
bool listener_take(struct model *m, const struct ev_conn *e);
/* Who listens at this address, or did last; NULL none. netns 0: any that has the address. */
struct listener *listener_find(struct model *m, const struct addr *a, uint32_t netns);
/* End of the first interval: which names have several instances. */
void listeners_decide(struct model *m);
/* Owners that have become known since. */
void listeners_refresh(struct model *m);
void listeners_init(struct model *m);
/* The tick's counts were taken. */
void listeners_reset(struct model *m);
void listeners_done(struct model *m);
bool addr_is_loopback(const uint8_t ip[16]);
bool addr_is_any(const uint8_t ip[16]);
void addr_learn(struct model *m, const uint8_t ip[16], uint32_t netns);
/* The network namespace of an address of this node; 0: not one of ours. from: of the asking socket. */
uint32_t addr_netns(const struct model *m, const uint8_t ip[16], uint32_t from);
bool addr_same(const struct addr *a, const struct addr *b);
/* The namespace that a pair of addresses is of, where others may have the same pair: with loopback ones; else 0. */
uint32_t addr_scope(const uint8_t a[16], const uint8_t b[16], uint32_t netns);
/* "10.0.0.1:80", "[::1]:80"; port 0: the address alone. */
char *addr_text(char *buf, size_t cap, const uint8_t ip[16], uint16_t port);

/* stack.c */
void stacks_init(struct model *m);
void stacks_done(struct model *m);
int stacks_build(struct model *m, struct tick *t);
/* They are in a tick. */
void stacks_commit(struct model *m);

/* process.c */
/* Known, or resolved now; NULL: cannot be found. */
struct proc *proc_get(struct model *m, uint32_t pid);
/* Read anew after an exec, or where the pid belongs to another process now. */
struct proc *proc_renew(struct model *m, uint32_t pid);
struct proc *proc_known(const struct model *m, uint32_t pid);
const struct process_ident *proc_ident(struct model *m, uint32_t pid);
/* It serves by itself: what was taken for its leader's tool is none. */
void proc_emancipate(struct model *m, struct proc *p);
struct proc *proc_leader(struct model *m, struct proc *p);
/* NONE before the names are decided, or out of room. */
uint32_t proc_service(struct model *m, struct proc *p);
/* The same, but none is made: NONE where there is none yet. */
uint32_t proc_service_find(const struct model *m, const struct proc *p);
uint32_t pid_service(struct model *m, uint32_t pid);
void proc_forget(struct model *m, uint32_t pid);
void procs_expire(struct model *m, uint64_t now_ns);
void procs_done(struct model *m);

/* lifecycle.c */
void life_event(struct model *m, const struct ev_proc *e);
void life_begin(struct model *m, struct proc *p, uint64_t ts_ns);
void life_end(struct model *m, struct proc *p, uint64_t ts_ns, bool told, int32_t code);
void life_decide(struct model *m, uint64_t now_ns);

/* service.c */
/* Find or create by its final name. NONE past the limit (counted). */
uint32_t service_get(struct model *m, const char *name, const char *kind, const char *why);
uint32_t service_plain(struct model *m, uint32_t base_name);
/* One that is not here, by its name (remote.c); port: that it is called at, 0 none. */
uint32_t service_external(struct model *m, const char *name, uint16_t port, const char *why);
/* All clients from elsewhere that have no name of their own. */
uint32_t service_others(struct model *m);
/* The service of a leader that begins to listen at a port. */
uint32_t service_instance(struct model *m, struct proc *leader, uint16_t port);
void service_add_port(struct model *m, uint32_t service, uint16_t port);
bool service_has_port(const struct service *s, uint16_t port);
/* What is known of it from a process of it. */
void service_describe(struct model *m, uint32_t service, const struct process_ident *p);
const char *text_keep(struct model *m, const char *s);
void services_done(struct model *m);

/* edge.c */
uint32_t edge_get(struct model *m, uint32_t from, uint32_t to, uint16_t port, uint8_t l4);
/* The edge of a connection, or NONE while an owner may still become known; final: decide now, by address if need be. */
uint32_t conn_edge(struct model *m, uint32_t id, bool final);
/* The flow's opinion on who the client is, where nobody saw the SYN. */
void conn_ask_flow(struct model *m, uint32_t id);
/* End of a tick: all that were touched. */
void conns_settle(struct model *m);
/* Counts of the connection go to its edge. False where it has none yet. */
bool conn_fold(struct model *m, uint32_t id, bool final);
void edge_set_proto(struct model *m, uint32_t edge, enum proto_id proto);
/* As the store has it: different for each l4 of one port. */
const char *edge_protocol(const struct edge *e);

/* request.c */
void request_done(void *arg, struct flow *f, const struct request *r);
/* Where the times of this operation in this tick are added up; NULL: the edge is not known (final: and will not be), or no room. */
struct timing *request_timing(struct model *m, uint32_t conn, uint32_t op, bool final);
struct timing *request_timing_of(struct model *m, uint32_t edge, uint32_t op);
void requests_settle(struct model *m);        /* rows that wait for an owner find their edge */
void requests_commit(struct model *m);        /* the tick has them, and owns the histograms now */
void requests_done(struct model *m);          /* frees */

/* whole.c */
/* A request ended. hop: its serial number in the trace; 0: it has none. */
void whole_request(struct model *m, uint32_t conn, uint32_t op, uint32_t hop, struct flow *f, const struct request *r);
/* The socket at this end was read up to this byte of its peer. */
void whole_read(struct model *m, uint32_t conn, unsigned end, uint32_t seq, const struct timing_got *got);
/* The connection will be forgotten. */
void whole_drop(struct model *m, uint32_t conn);
/* End of a tick: those that nobody told of in time. */
void wholes_settle(struct model *m);

/* downstream.c */
#define DOWNSTREAM_CALLS_MAX 256     /* of one request; what it made beyond them is counted as lost */
/* The calls of a request, by their begin, within the time that its process had it: they go into its parts and the rows of the tick.
 * A call's edge may be NONE: then its time is told, but not whose it is. n: at most DOWNSTREAM_CALLS_MAX. */
void downstream_add(struct model *m, uint32_t edge, uint32_t op, struct timing *t, uint64_t from_ns, uint64_t to_ns,
		    const struct timing_call *calls, size_t n);
int downstream_build(struct model *m, struct tick *t);        /* 0 or -ENOMEM */
void downstream_commit(struct model *m);                      /* the tick has them */
void downstream_init(struct model *m);
void downstream_done(struct model *m);

/* handshake.c */
void handshakes_init(struct model *m);
void handshakes_done(struct model *m);        /* frees */
void handshake_done(void *arg, struct flow *f, const struct tls_handshake *h);
/* End of a tick: rows that wait for an owner find their edge, and failures go on the timeline. */
void handshakes_settle(struct model *m, uint64_t now_ns, int64_t unix_ns);
int handshakes_build(struct model *m, struct tick *t);        /* 0 or -ENOMEM */

/* note.c */
struct note *note_add(struct model *m, const char *kind, bool life);   /* NULL: too many in this tick (counted) */
const char *note_printf(struct model *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *note_actor(struct model *m, uint32_t pid);
void loss_set(struct model *m, const char *stage, const char *reason, uint64_t total, bool events);
void loss_own(struct model *m);               /* the model's and the flows' own counters */

/* reading.c */
/* The newest reading becomes the base. */
void readings_commit(struct model *m);
void readings_done(struct model *m);

/* usage.c */
/* Growth of a counter: 0 where it was reset or is not known. */
double growth(uint64_t before, uint64_t now);
/* Seconds between the base and the newest reading; 0: no rates. */
double reading_seconds(const struct model *m);
/* Sums the processes and their cgroups up by service. */
void usage_sum(struct model *m);

/* points.c, rows.c: 0 or -ENOMEM */
int points_build(struct model *m, struct tick *t);
int processes_build(struct model *m, struct tick *t);
int cgroups_build(struct model *m, struct tick *t);

static inline struct service *service_at(const struct model *m, uint32_t id)
{
	return m->services.v[id];
}

#endif
