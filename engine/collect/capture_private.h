/* SPDX-License-Identifier: BSD-2-Clause */
/* capture_private: what the files of capture share. Nobody else includes it. */
#ifndef ROOTLE_COLLECT_CAPTURE_PRIVATE_H
#define ROOTLE_COLLECT_CAPTURE_PRIVATE_H

#include "base/map.h"
#include "base/vec.h"
#include "bpf/window.h"
#include "collect/capture.h"

#define HOLES_MAX 4
#define COPIES 4096                     /* of a power of two: packets remembered, to know a copy */

struct capture_place { uint8_t ip[16]; uint16_t port; };

/* Two places, the lower one first. */
struct capture_key { struct capture_place end[2]; };

struct hole { uint32_t from, to; };     /* bytes that were not seen yet, though later ones were */

/* What one end sends. */
struct half {
	uint64_t rtt_ns;                /* when the byte before rtt_seq was sent; 0: no acknowledgement is waited for */
	uint64_t high_ns;               /* when next became what it is */
	struct zero_window window;      /* that it offers */
	struct hole hole[HOLES_MAX];
	uint32_t next;                  /* one past the highest byte seen */
	uint32_t isn;
	uint32_t rtt_seq;
	uint32_t srtt_us, min_rtt_us;   /* between the place of the capture and the other end */
	uint32_t retrans;
	uint8_t holes;
	bool begun;                     /* next is known */
	bool syn, fin;                  /* was sent */
	bool deaf;                      /* nobody wants its payload */
};

struct capture_conn {
	struct capture_key key;
	struct half half[2];
	uint64_t first_cookie;          /* of end 0; that of end 1 is the next */
	uint64_t last_ns, closed_ns;
	uint32_t next, prev;            /* in the list of the closed ones, the oldest first; next: of the free ones too */
	uint8_t client;                 /* which end */
	bool used, known;               /* known: client is */
	bool established, closed, touched;
	bool v6;
};

struct capture_pair {
	uint64_t bytes[2];              /* by sender */
	uint64_t last_ns;
	uint8_t first;                  /* who spoke first */
	bool quic, touched;
};

struct capture_copy { uint64_t print, ts_ns; };

struct capture {
	source_fn *fn;
	void *arg;
	struct capture_conn **chunk;
	uint32_t high, free, nconns, hand;
	uint32_t closed_head, closed_tail;
	uint64_t serial;                /* of connections */
	struct map conns;               /* struct capture_key → number */
	struct map served;              /* struct capture_place: somebody was asked for a connection there */
	VEC(uint32_t) touched;
	struct map pairs;               /* struct capture_key → struct capture_pair */
	struct capture_copy copy[COPIES];
	struct capture_counters n;
	union { uint64_t align; uint8_t record[sizeof(struct ev_data) + UINT16_MAX]; };
};

#define CAPTURE_NONE UINT32_MAX

/* Which of key's ends sent the packet. */
unsigned capture_key_of(const struct capture_packet *p, struct capture_key *key);

/* capture_tcp.c */
void capture_tcp(struct capture *c, uint64_t ts_ns, const struct capture_packet *p);
void capture_tcp_tick(struct capture *c, uint64_t ts_ns);

/* capture_table.c */
struct capture_conn *capture_conn_at(const struct capture *c, uint32_t id);
uint32_t capture_conn_find(const struct capture *c, const struct capture_key *key);
/* Where there is no room for a new one another is forgotten. CAPTURE_NONE: no memory. */
uint32_t capture_conn_new(struct capture *c, const struct capture_key *key, uint64_t ts_ns);
/* It has ended: it is kept for what comes late. */
void capture_conn_closed(struct capture *c, uint32_t id);
void capture_conn_forget(struct capture *c, uint32_t id);
void capture_table_done(struct capture *c);

/* capture_record.c: records about an end of a connection */
void capture_tell(struct capture *c, const struct capture_conn *x, unsigned end, uint8_t what, uint64_t ts_ns);
void capture_tell_data(struct capture *c, const struct capture_conn *x, unsigned end, const struct capture_packet *p, uint32_t seq,
		       uint64_t ts_ns);
void capture_tell_health(struct capture *c, const struct capture_conn *x, unsigned end, uint64_t ts_ns);

/* capture_udp.c */
void capture_udp(struct capture *c, uint64_t ts_ns, const struct capture_packet *p);
void capture_udp_tick(struct capture *c, uint64_t ts_ns);

#endif
