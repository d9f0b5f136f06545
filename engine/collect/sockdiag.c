/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "collect/netns.h"
#include "collect/procfs.h"

#define STATE_SYN_RECV 3
#define STATE_TIME_WAIT 6
#define STATE_CLOSE 7
#define STATE_NEW_SYN_RECV 12
#define STATES_WANTED (0xfffu & ~(1u << STATE_SYN_RECV | 1u << STATE_TIME_WAIT | 1u << STATE_CLOSE | 1u))
#define COOKIE_FROM_INODE (UINT64_C(1) << 63)

int sockdiag_open(int procfd, uint32_t pid)
{
	char path[48];

	snprintf(path, sizeof(path), "%u/ns/net", pid);
	return netns_socket(procfd, path, NETLINK_SOCK_DIAG);
}

static void address_copy(uint8_t *to, const void *from, bool v6)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (v6) {
		memcpy(to, from, 16);
		return;
	}
	memcpy(to, mapped, sizeof(mapped));
	memcpy(to + 12, from, 4);
}

/* An IPv6 socket that talks IPv4 has mapped addresses. */
static uint8_t family_of(const struct sock *s, bool v6)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return v6 && memcmp(s->raddr, mapped, 12) && memcmp(s->laddr, mapped, 12) ? 6 : 4;
}

/* A kernel may know a shorter or a longer tcp_info than these headers. */
static void info_take(struct sock *s, const void *data, size_t len)
{
	struct tcp_info i = { 0 };

	memcpy(&i, data, len < sizeof(i) ? len : sizeof(i));
	s->srtt_us = i.tcpi_rtt;
	s->min_rtt_us = i.tcpi_min_rtt == UINT32_MAX ? 0 : i.tcpi_min_rtt;
	s->retrans = i.tcpi_total_retrans;
	s->bytes_out = i.tcpi_bytes_acked;
	s->bytes_in = i.tcpi_bytes_received;
}

static void message_take(const struct nlmsghdr *h, sock_fn *fn, void *arg)
{
	const struct inet_diag_msg *m = NLMSG_DATA(h);
	struct sock s = { 0 };

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return;
	bool v6 = m->idiag_family == AF_INET6;
	s.cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	s.inode = m->idiag_inode;
	s.state = m->idiag_state;
	s.lport = ntohs(m->id.idiag_sport);
	s.rport = ntohs(m->id.idiag_dport);
	s.rx_queue = m->idiag_rqueue;
	s.tx_queue = m->idiag_wqueue;
	address_copy(s.laddr, m->id.idiag_src, v6);
	address_copy(s.raddr, m->id.idiag_dst, v6);
	s.family = family_of(&s, v6);
	size_t left = h->nlmsg_len - NLMSG_LENGTH(sizeof(*m)), at = 0;
	const char *attrs = (const char *)(m + 1);
	while (at + sizeof(struct nlattr) <= left) {
		struct nlattr a;
		memcpy(&a, attrs + at, sizeof(a));
		if (a.nla_len < sizeof(a) || at + a.nla_len > left)
			break;
		if (a.nla_type == INET_DIAG_INFO)
			info_take(&s, attrs + at + sizeof(a), a.nla_len - sizeof(a));
		at += NLA_ALIGN(a.nla_len);
	}
	fn(arg, &s);
}

static int request_send(int fd, int family)
{
	struct { struct nlmsghdr h; struct inet_diag_req_v2 r; } req = {
		.h = { .nlmsg_len = sizeof(req), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.r = { .sdiag_family = (uint8_t)family, .sdiag_protocol = IPPROTO_TCP, .idiag_ext = 1 << (INET_DIAG_INFO - 1),
		       .idiag_states = STATES_WANTED },
	};
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };

	return sendto(fd, &req, sizeof(req), 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

/* One datagram: count of sockets, or -errno; *done at the end of the dump. */
static int datagram_take(const char *buf, ssize_t n, sock_fn *fn, void *arg, bool *done)
{
	int count = 0;

	for (const struct nlmsghdr *h = (const void *)buf; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
		if (h->nlmsg_type == NLMSG_DONE) {
			*done = true;
			return count;
		}
		if (h->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *e = NLMSG_DATA(h);
			return e->error ? e->error : -EPROTO;
		}
		if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY)
			continue;
		message_take(h, fn, arg);
		count++;
	}
	return count;
}

static int family_dump(int fd, int family, sock_fn *fn, void *arg)
{
	static const size_t cap = 32 << 10;     /* the kernel fills at most that much a datagram */
	char *buf = malloc(cap);
	bool done = false;
	int total = 0, n = buf ? request_send(fd, family) : -ENOMEM;

	while (!n && !done) {
		ssize_t got = recv(fd, buf, cap, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			n = got < 0 ? -errno : -EPROTO;
			break;
		}
		int some = datagram_take(buf, got, fn, arg, &done);
		if (some < 0)
			n = some;
		else
			total += some;
	}
	free(buf);
	return n < 0 ? n : total;
}

int sockdiag_dump(int fd, sock_fn *fn, void *arg)
{
	int v4 = family_dump(fd, AF_INET, fn, arg), v6;

	if (v4 < 0)
		return v4;
	v6 = family_dump(fd, AF_INET6, fn, arg);
	return v6 == -ENOENT ? v4 : v6 < 0 ? v6 : v4 + v6;      /* ENOENT: no IPv6 here */
}

/* "0100007F:1F90": each 32-bit word is printed as the host's integer. */
static bool hex_address(const char *s, bool v6, uint8_t *addr, uint16_t *port)
{
	uint32_t word[4] = { 0 };
	int words = v6 ? 4 : 1;

	for (int i = 0; i < words; i++)
		if (sscanf(s + 8 * i, "%8x", &word[i]) != 1)
			return false;
	address_copy(addr, word, v6);
	return s[8 * words] == ':' && sscanf(s + 8 * words + 1, "%4hx", port) == 1;
}

/* "   0: LADDR:PORT RADDR:PORT ST TX:RX TR:WHEN RETR UID TIMEOUT INODE …" */
static bool line_parse(char *line, bool v6, struct sock *s)
{
	char local[48], remote[48];
	unsigned state, tx, rx, inode;

	*s = (struct sock){ 0 };
	if (sscanf(line, " %*u: %47s %47s %2x %8x:%8x %*s %*s %*u %*u %u", local, remote, &state, &tx, &rx, &inode) != 6)
		return false;
	if (strlen(local) != (v6 ? 37u : 13u) || strlen(remote) != strlen(local) ||
	    !hex_address(local, v6, s->laddr, &s->lport) || !hex_address(remote, v6, s->raddr, &s->rport))
		return false;
	if (state > 31 || !(STATES_WANTED >> state & 1) || !inode)
		return false;
	s->state = (uint8_t)state;
	s->inode = inode;
	s->cookie = COOKIE_FROM_INODE | inode;
	s->rx_queue = rx;
	s->tx_queue = tx;
	s->family = family_of(s, v6);
	return true;
}

int sockdiag_parse(const char *text, int family, sock_fn *fn, void *arg)
{
	int n = 0;

	for (const char *l = text; *l; l = scan_line(l)) {
		char line[256];
		struct sock s;
		size_t len = strcspn(l, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)(len < sizeof(line) ? len : sizeof(line) - 1), l);
		if (!line_parse(line, family == 6, &s))
			continue;
		fn(arg, &s);
		n++;
	}
	return n;
}
