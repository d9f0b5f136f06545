/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/capture_writer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/text.h"
#include "collect/capture_packet.h"
#include "collect/packet_make.h"

#define SOCKETS_MAX 65536

/* One end of a connection, as its socket. */
struct end {
	struct packet_ends ends;        /* local is the source */
	uint32_t tgid;
	char comm[EV_COMM_LEN];
};

/* Both ends of one connection share it: the key has the lower place first. */
struct line_key { struct { uint8_t ip[16]; uint16_t port; } end[2]; };
struct line {
	uint32_t next[2];               /* one past the last byte written of what end i sends */
	bool known[2];
	bool fresh;                     /* was seen to begin, and nothing is written yet */
	uint8_t client;
};

struct capture_writer {
	struct capture_writer_options o;
	struct map ends;                /* cookie → struct end */
	struct map lines;
	uint64_t lost;
	uint8_t block[PCAPNG_AROUND_MAX + UINT16_MAX];
};

struct capture_writer *capture_writer_new(const struct capture_writer_options *o)
{
	struct capture_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->o = *o;
	map_init(&w->ends, sizeof(uint64_t), sizeof(struct end), SOCKETS_MAX);
	map_init(&w->lines, sizeof(struct line_key), sizeof(struct line), SOCKETS_MAX);
	o->put(o->arg, w->block, pcapng_begin(w->block, "rootle " ROOTLE_VERSION));
	return w;
}

void capture_writer_free(struct capture_writer *w)
{
	if (!w)
		return;
	map_done(&w->ends);
	map_done(&w->lines);
	free(w);
}

uint64_t capture_writer_lost(const struct capture_writer *w)
{
	return w->lost;
}

static unsigned key_of(const struct packet_ends *e, struct line_key *key)
{
	int order = memcmp(e->saddr, e->daddr, 16);
	unsigned source = order > 0 || (!order && e->sport > e->dport);

	*key = (struct line_key){0};
	memcpy(key->end[source].ip, e->saddr, 16);
	memcpy(key->end[!source].ip, e->daddr, 16);
	key->end[source].port = e->sport;
	key->end[!source].port = e->dport;
	return source;
}

static struct packet_ends turned(const struct packet_ends *e)
{
	struct packet_ends t = {.sport = e->dport, .dport = e->sport};

	memcpy(t.saddr, e->daddr, 16);
	memcpy(t.daddr, e->saddr, 16);
	return t;
}

/* ---- packets ---- */

static void comment_of(const struct capture_writer *w, char *buf, size_t cap, uint32_t tgid, const char *comm, bool sender)
{
	const char *service = tgid && w->o.service ? w->o.service(w->o.arg, tgid) : NULL;
	char name[64], clean[128];

	if (!tgid) {
		*buf = '\0';
		return;
	}
	text_clean(name, sizeof(name), comm, strnlen(comm, EV_COMM_LEN), true);
	text_clean(clean, sizeof(clean), service ? service : "", service ? strlen(service) : 0, true);
	snprintf(buf, cap, "%s%s%spid=%u%s%s side=%s", *name ? "process=" : "", name, *name ? " " : "", tgid, service ? " service=" : "",
		 clean, sender ? "sender" : "receiver");
}

static void put_packet(struct capture_writer *w, struct pcapng_packet *k)
{
	if (k->comment && !*k->comment)
		k->comment = NULL;
	w->o.put(w->o.arg, w->block, pcapng_packet(w->block, k));
}

static void put_segment(struct capture_writer *w, const struct packet_ends *e, uint32_t seq, uint32_t ack, uint8_t flags,
			struct pcapng_packet k)
{
	k.header_n = packet_make_tcp(k.header, e, seq, ack, flags, k.len);
	put_packet(w, &k);
}

/* The first payload of a connection says the number that its sender began with; the other's is not known yet. */
static void put_beginning(struct capture_writer *w, const struct line *l, unsigned from, const struct packet_ends *e, uint32_t seq,
			  uint64_t unix_ns)
{
	uint8_t flags = from == l->client ? TCP_SYN : TCP_SYN | TCP_ACK;

	put_segment(w, e, seq - 1, 0, flags, (struct pcapng_packet){.unix_ns = unix_ns});
}

static void put_data(struct capture_writer *w, const struct ev_data *d, const struct end *x, uint64_t unix_ns)
{
	struct packet_ends e = d->dir == DIR_OUT ? x->ends : turned(&x->ends);
	struct line_key key;
	unsigned from = key_of(&e, &key);
	struct line *l = map_put(&w->lines, &key, NULL);
	char comment[PCAPNG_COMMENT_MAX + 1];
	struct pcapng_packet k = {.unix_ns = unix_ns, .payload = d->payload, .cap = d->head, .len = d->len - d->tail, .comment = comment};

	if (!l) {
		w->lost++;
		return;
	}
	if (l->fresh)
		put_beginning(w, l, from, &e, d->seq, unix_ns);
	l->fresh = false;
	comment_of(w, comment, sizeof(comment), x->tgid, x->comm, d->dir == DIR_OUT);
	/* the end of a segment whose middle was not copied is a packet of its own */
	put_segment(w, &e, d->seq, 0, TCP_PSH | (d->flags & DATA_FIN && !d->tail ? TCP_FIN : 0), k);
	if (d->tail) {
		k.payload = d->payload + d->head;
		k.cap = k.len = d->tail;
		put_segment(w, &e, d->seq + d->len - d->tail, 0, TCP_PSH | (d->flags & DATA_FIN ? TCP_FIN : 0), k);
	}
	l->next[from] = d->seq + d->len;
	l->known[from] = true;
}

static void take_data(struct capture_writer *w, const struct ev_data *d, uint64_t unix_ns)
{
	const struct end *x;

	if (d->flags & (DATA_PLAIN | DATA_UNIX))
		return;
	x = map_get(&w->ends, &d->cookie);
	if (x)
		put_data(w, d, x, unix_ns);
	else
		w->lost++;
}

static void take_datagram(struct capture_writer *w, const struct ev_datagram *d, uint64_t unix_ns)
{
	char comment[PCAPNG_COMMENT_MAX + 1];
	struct pcapng_packet k = {.unix_ns = unix_ns, .payload = d->payload, .cap = d->head, .len = d->len, .comment = comment};
	struct packet_ends e = {.sport = d->lport, .dport = d->rport};

	memcpy(e.saddr, d->laddr, 16);
	memcpy(e.daddr, d->raddr, 16);
	if (d->dir == DIR_IN)
		e = turned(&e);
	comment_of(w, comment, sizeof(comment), d->tgid, "", d->dir == DIR_OUT);
	/* the same of what both ends tell of */
	k.header_n = packet_make_udp(k.header, &e, (uint16_t)(hash_bytes(d->payload, d->head) | 1), k.len);
	put_packet(w, &k);
}

/* ---- what is known of a socket ---- */

static struct line *line_of(struct capture_writer *w, const struct end *x, unsigned *local)
{
	struct line_key key;

	*local = key_of(&x->ends, &key);
	return map_put(&w->lines, &key, NULL);
}

static void learn_owner(struct end *x, const struct ev_conn *e)
{
	if (!e->tgid)
		return;
	x->tgid = e->tgid;
	memcpy(x->comm, e->comm, sizeof(x->comm));
}

static struct end *end_of(struct capture_writer *w, const struct ev_conn *e)
{
	struct end *x = map_get(&w->ends, &e->cookie);

	if (!x && e->what != CONN_CLOSE)
		x = map_put(&w->ends, &e->cookie, NULL);
	if (!x)
		return NULL;
	learn_owner(x, e);
	if (e->lport && e->rport) {
		memcpy(x->ends.saddr, e->laddr, 16);
		memcpy(x->ends.daddr, e->raddr, 16);
		x->ends.sport = e->lport;
		x->ends.dport = e->rport;
	}
	return x;
}

/* Both ends of a connection on this node tell of its beginning; one of them may have sent something by then. */
static void begin(struct capture_writer *w, const struct end *x, uint8_t role)
{
	unsigned local;
	struct line *l = line_of(w, x, &local);

	if (!l || l->known[0] || l->known[1])
		return;
	l->fresh = true;
	l->client = (uint8_t)(role == ROLE_CLIENT ? local : !local);
}

static void put_bare(struct capture_writer *w, const struct end *x, bool out, uint32_t seq, uint32_t ack, uint8_t flags, uint64_t unix_ns)
{
	struct packet_ends e = out ? x->ends : turned(&x->ends);

	put_segment(w, &e, seq, ack, flags, (struct pcapng_packet){.unix_ns = unix_ns});
}

static void refuse(struct capture_writer *w, const struct end *x, uint64_t unix_ns)
{
	put_bare(w, x, true, 0, 0, TCP_SYN, unix_ns);
	put_bare(w, x, false, 0, 1, TCP_RST | TCP_ACK, unix_ns);
}

/* Each end says goodbye where it said something. */
static void finish(struct capture_writer *w, const struct end *x, uint64_t unix_ns)
{
	struct line_key key;
	unsigned local = key_of(&x->ends, &key), i;
	const struct line *l = map_get(&w->lines, &key);

	for (i = 0; l && i < 2; i++) {
		unsigned from = i ? !local : local;

		if (l->known[0] || l->known[1])
			put_bare(w, x, !i, l->next[from], 0, TCP_FIN, unix_ns);
	}
	map_del(&w->lines, &key);
}

static void reset(struct capture_writer *w, const struct end *x, bool sent, uint64_t unix_ns)
{
	unsigned local;
	struct line *l = line_of(w, x, &local);
	unsigned from = sent ? local : !local;

	if (!l || (!l->known[0] && !l->known[1]))
		return;
	put_bare(w, x, sent, l->next[from], 0, TCP_RST, unix_ns);
	l->known[0] = l->known[1] = false;      /* no FIN follows */
}

static void take_conn(struct capture_writer *w, const struct ev_conn *e, uint64_t unix_ns)
{
	struct end *x;

	if (e->l4 != L4_TCP || !e->cookie || e->what == CONN_LISTEN || e->what == CONN_UNLISTEN)
		return;
	x = end_of(w, e);
	if (!x || !x->ends.sport || !x->ends.dport) {
		if (e->what == CONN_CLOSE)
			map_del(&w->ends, &e->cookie);
		return;
	}
	if (e->what == CONN_ESTABLISHED)
		begin(w, x, e->role);
	else if (e->what == CONN_REFUSED)
		refuse(w, x, unix_ns);
	else if (e->what == CONN_RESET_SENT || e->what == CONN_RESET_RECV)
		reset(w, x, e->what == CONN_RESET_SENT, unix_ns);
	if (e->what != CONN_CLOSE)
		return;
	finish(w, x, unix_ns);
	map_del(&w->ends, &e->cookie);
}

void capture_writer_take(struct capture_writer *w, const struct ev_hdr *ev, uint64_t unix_ns)
{
	const struct ev_datagram *g = (const struct ev_datagram *)ev;
	const struct ev_data *d = (const struct ev_data *)ev;

	if (ev->type == EV_DATA && ev->size >= sizeof(*d) && ev->size - sizeof(*d) >= (size_t)d->head + d->tail &&
	    (uint32_t)d->head + d->tail <= d->len)
		take_data(w, d, unix_ns);
	else if (ev->type == EV_DATAGRAM && ev->size >= sizeof(*g) && ev->size - sizeof(*g) >= g->head && g->head <= g->len)
		take_datagram(w, g, unix_ns);
	else if (ev->type == EV_CONN && ev->size == sizeof(struct ev_conn))
		take_conn(w, (const struct ev_conn *)ev, unix_ns);
}
