/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bpf_watch: the real probes, their records kept, and little conversations over real sockets to look at.  The machine is
 * busy with other things: every count below is of one port, cookie or process of the test's own.
 */
#ifndef TEST_BPF_WATCH_H
#define TEST_BPF_WATCH_H

#include "collect/bpf_source.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/vec.h"

struct watch {
	struct source *source;
	struct probe_report report;
	VEC(struct ev_hdr *) all;
};

static inline void watch_keep(void *arg, const struct ev_hdr *ev)
{
	struct watch *w = arg;
	struct ev_hdr **slot = vec_push(&w->all), *copy = malloc(ev->size);

	cr_assert(slot && copy);
	*slot = memcpy(copy, ev, ev->size);
}

/* Attaches, or skips the test where that cannot be. */
static inline void watch_open(struct watch *w, const struct probe_options *o)
{
	static const struct probe_options none;
	int err;

	*w = (struct watch){0};
	err = bpf_source_open(o ? o : &none, &w->source, &w->report);
	if (err == -EPERM)
		cr_skip_test("lacks %s", w->report.missing_capability ? w->report.missing_capability : "a capability");
	if (err == -ENOSYS)
		cr_skip_test("no BPF or no BTF here");
	cr_assert_eq(err, 0, "bpf_source_open: %s", strerror(-err));
}

/* Records of softirqs still under way are waited for. */
static inline void watch_drain(struct watch *w)
{
	for (int i = 0; i < 5; i++) {
		usleep(10000);
		w->source->ops->drain(w->source, watch_keep, w);
	}
}

static inline void watch_forget(struct watch *w)
{
	for (size_t i = 0; i < w->all.n; i++)
		free(w->all.v[i]);
	vec_reset(&w->all);
}

static inline void watch_close(struct watch *w)
{
	struct source_counters c;

	w->source->ops->counters(w->source, &c);
	for (int i = DROP_RING_CONN; i <= DROP_BYTES; i++)
		cr_expect_eq(c.drops[i], 0, "%s: %lu lost", ev_drop_names[i], (unsigned long)c.drops[i]);
	w->source->ops->close(w->source);
	watch_forget(w);
	vec_done(&w->all);
	probe_report_done(&w->report);
}

/* The next record of a type behind *at (0 to begin), NULL at the end. */
static inline const void *watch_next(const struct watch *w, uint8_t type, size_t *at)
{
	while (*at < w->all.n)
		if (w->all.v[(*at)++]->type == type)
			return w->all.v[*at - 1];
	return NULL;
}

/* What a record of a connection has to be; 0 is anything. */
struct conn_want {
	uint8_t what, role;
	uint16_t lport, rport;
	uint32_t tgid;
	uint64_t cookie;
};

static inline bool conn_is(const struct ev_conn *e, const struct conn_want *q)
{
	return (!q->what || e->what == q->what) && (!q->role || e->role == q->role) && (!q->lport || e->lport == q->lport) &&
	       (!q->rport || e->rport == q->rport) && (!q->tgid || e->tgid == q->tgid) && (!q->cookie || e->cookie == q->cookie);
}

/* Number of such records; *last is the last of them. */
static inline int conn_find(const struct watch *w, struct conn_want q, const struct ev_conn **last)
{
	const struct ev_conn *e;
	size_t at = 0;
	int n = 0;

	while ((e = watch_next(w, EV_CONN, &at))) {
		if (!conn_is(e, &q))
			continue;
		n++;
		if (last)
			*last = e;
	}
	return n;
}

static inline int conn_count(const struct watch *w, struct conn_want q)
{
	return conn_find(w, q, NULL);
}

/* The segments of one direction of a socket. Number; *last is the last of them. */
static inline int data_find(const struct watch *w, uint64_t cookie, uint8_t dir, const struct ev_data **last)
{
	const struct ev_data *d;
	size_t at = 0;
	int n = 0;

	while ((d = watch_next(w, EV_DATA, &at))) {
		if (d->cookie != cookie || d->dir != dir)
			continue;
		n++;
		if (last)
			*last = d;
	}
	return n;
}

static inline uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	return cookie;
}

union any_addr { struct sockaddr sa; struct sockaddr_in v4; struct sockaddr_in6 v6; };

static inline union any_addr addr_of(int family, const char *text, uint16_t port)
{
	union any_addr a = {0};

	a.sa.sa_family = family;
	if (family == AF_INET) {
		a.v4.sin_port = htons(port);
		inet_pton(AF_INET, text, &a.v4.sin_addr);
	} else {
		a.v6.sin6_port = htons(port);
		inet_pton(AF_INET6, text, &a.v6.sin6_addr);
	}
	return a;
}

static inline const char *loopback(int family)
{
	return family == AF_INET ? "127.0.0.1" : "::1";
}

static inline uint16_t port_of(int fd)
{
	union any_addr a;
	socklen_t len = sizeof(a);

	cr_assert_eq(getsockname(fd, &a.sa, &len), 0);
	return ntohs(a.sa.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
}

static inline int bound(int family, const char *text)
{
	union any_addr a = addr_of(family, text, 0);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, &a.sa, sizeof(a)), 0, "bind %s: %s", text, strerror(errno));
	return fd;
}

static inline int listener(int family, const char *text)
{
	int fd = bound(family, text);

	cr_assert_eq(listen(fd, 128), 0);
	return fd;
}

static inline int dial(int family, const char *text, uint16_t port)
{
	union any_addr a = addr_of(family, text, port);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(connect(fd, &a.sa, sizeof(a)), 0, "connect %s: %s", text, strerror(errno));
	return fd;
}

struct pair { int near, far; uint64_t near_cookie, far_cookie; uint16_t port; };

/* A connection of this process to itself. */
static inline struct pair pair_make(int family)
{
	struct pair p;
	int l = listener(family, loopback(family));

	p.port = port_of(l);
	p.near = dial(family, loopback(family), p.port);
	p.far = accept(l, NULL, NULL);
	cr_assert_geq(p.far, 0);
	close(l);
	p.near_cookie = cookie_of(p.near);
	p.far_cookie = cookie_of(p.far);
	return p;
}

static inline void pair_close(struct pair *p)
{
	close(p->near);
	close(p->far);
}

static inline void read_all(int fd, void *buf, size_t n)
{
	for (size_t have = 0; have < n;) {
		ssize_t got = read(fd, (char *)buf + have, n - have);

		cr_assert_gt(got, 0, "read: %s", got ? strerror(errno) : "end");
		have += got;
	}
}

/* Byte i of a long text that differs at every offset that a mistake is likely to hit. */
static inline uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 7 + (i >> 8) * 13 + (i >> 16));
}

static inline uint8_t *pattern_make(size_t n)
{
	uint8_t *p = malloc(n);

	cr_assert(p);
	for (size_t i = 0; i < n; i++)
		p[i] = pattern(i);
	return p;
}

/* What the segments of a stream that carries the pattern added up to; what was sent again counts once. */
struct stream { size_t len, copied, segments, cut; };

enum { STREAM_MAX = 16 << 20 };

/* Checks every copied byte of a segment against its place in the stream; marks them as had. */
static inline size_t segment_check(const struct ev_data *d, uint32_t offset, uint8_t *had)
{
	size_t fresh = 0;

	cr_assert_leq(offset + d->len, STREAM_MAX);
	cr_expect_eq(d->h.size, sizeof(*d) + d->head + d->tail);
	cr_expect_eq(d->head + d->tail < d->len, !!(d->flags & DATA_CUT));
	for (size_t i = 0; i < (size_t)d->head + d->tail; i++) {
		size_t place = offset + (i < d->head ? i : d->len - d->tail + (i - d->head));

		cr_assert_eq(d->payload[i], pattern(place), "byte %zu of a segment of %u at %u", i, d->len, offset);
		fresh += !had[place];
		had[place] = 1;
	}
	return fresh;
}

/* The stream begins at the first segment. */
static inline struct stream stream_check(const struct watch *w, uint64_t cookie)
{
	uint8_t *had = calloc(1, STREAM_MAX);
	struct stream s = {0};
	const struct ev_data *d;
	uint32_t begin = 0;
	size_t at = 0;

	cr_assert(had);
	while ((d = watch_next(w, EV_DATA, &at))) {
		if (d->cookie != cookie || d->dir != DIR_OUT)
			continue;
		if (!s.segments++)
			begin = d->seq;
		if (d->seq - begin + d->len > s.len)
			s.len = d->seq - begin + d->len;
		s.copied += segment_check(d, d->seq - begin, had);
		s.cut += !!(d->flags & DATA_CUT);
	}
	free(had);
	return s;
}

#endif
