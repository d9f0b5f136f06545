/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/sockets.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collect/sockdiag.h"

#define CONNECTS 23

struct tally { uint16_t port; uint32_t count[16], server, client, owner_wrong, owner; uint32_t netns; bool cookies; };

static void on_event(void *arg, const struct ev_hdr *h)
{
	const struct ev_conn *e = (const void *)h;
	struct tally *t = arg;

	cr_assert_eq(h->size, sizeof(*e));
	if (e->lport != t->port && e->rport != t->port)
		return;
	t->count[e->what]++;
	t->server += e->what == CONN_EXISTING && e->role == ROLE_SERVER;
	t->client += e->what == CONN_EXISTING && e->role == ROLE_CLIENT;
	t->owner_wrong += e->tgid != t->owner;
	t->netns = e->netns;
}

struct pairs { int listener, near[CONNECTS], far[CONNECTS]; uint16_t port; };

static void pairs_open(struct pairs *p, int n)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(p->listener, (struct sockaddr *)&a, len) || listen(p->listener, 64) || getsockname(p->listener, (struct sockaddr *)&a, &len))
		_exit(99);
	p->port = ntohs(a.sin_port);
	for (int i = 0; i < n; i++) {
		p->near[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(p->near[i], (struct sockaddr *)&a, len))
			_exit(98);
		p->far[i] = accept(p->listener, NULL, NULL);
	}
}

static void pairs_close(struct pairs *p, int n)
{
	for (int i = 0; i < n; i++) {
		struct linger now = { 1, 0 };        /* no TIME_WAIT */
		setsockopt(p->near[i], SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(p->near[i]);
		close(p->far[i]);
	}
}

static uint32_t ss_count(uint16_t port)
{
	char cmd[120];
	unsigned n = UINT32_MAX;

	snprintf(cmd, sizeof(cmd), "ss -Htn state established '( sport = :%u or dport = :%u )' 2>/dev/null | wc -l", port, port);
	FILE *f = popen(cmd, "r");
	if (!f || fscanf(f, "%u", &n) != 1)
		n = UINT32_MAX;
	if (f)
		pclose(f);
	return n;
}

Test(sockets, known_number_here)
{
	struct source *s;
	struct pairs p;
	struct tally t = { .owner = (uint32_t)getpid() };
	struct stat st;

	pairs_open(&p, CONNECTS);
	t.port = p.port;
	cr_assert_eq(sockets_source_open("/proc", &s), 0);
	cr_assert_gt(s->ops->drain(s, on_event, &t), 0);
	cr_expect_eq(t.count[CONN_LISTEN], 1);
	cr_expect_eq(t.count[CONN_EXISTING], 2 * CONNECTS, "%u ends of %d connections", t.count[CONN_EXISTING], CONNECTS);
	cr_expect_eq(t.server, CONNECTS);
	cr_expect_eq(t.client, CONNECTS);
	cr_expect_eq(t.owner_wrong, 0, "%u with another owner", t.owner_wrong);
	cr_assert_eq(stat("/proc/self/ns/net", &st), 0);
	cr_expect_eq(t.netns, (uint32_t)st.st_ino);
	if (system("command -v ss >/dev/null") == 0)
		cr_expect_eq(ss_count(p.port), 2 * CONNECTS, "ss sees %u", ss_count(p.port));
	s->ops->drain(s, on_event, &t);
	cr_expect_eq(t.count[CONN_EXISTING], 2 * CONNECTS, "the same sockets are told again");
	pairs_close(&p, CONNECTS);
	close(p.listener);
	s->ops->drain(s, on_event, &t);
	cr_expect_eq(t.count[CONN_CLOSE], 2 * CONNECTS);
	cr_expect_eq(t.count[CONN_UNLISTEN], 1);
	s->ops->close(s);
}

static void child_in_namespace(int out)
{
	struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct pairs p;

	if (unshare(CLONE_NEWNET))
		_exit(97);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (ioctl(fd, SIOCSIFFLAGS, &r))
		_exit(96);
	pairs_open(&p, CONNECTS);
	if (write(out, &p.port, sizeof(p.port)) != sizeof(p.port))
		_exit(95);
	pause();
	_exit(0);
}

Test(sockets, known_number_in_another_namespace)
{
	if (geteuid() != 0)
		cr_skip_test("needs root to make a network namespace");
	struct source *s;
	struct tally t = { 0 };
	struct stat own;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	pid_t pid = fork();
	if (pid == 0)
		child_in_namespace(fds[1]);
	close(fds[1]);
	cr_assert_eq(read(fds[0], &t.port, sizeof(t.port)), sizeof(t.port), "the child could not open its sockets");
	t.owner = (uint32_t)pid;
	cr_assert_eq(sockets_source_open("/proc", &s), 0);
	cr_assert_gt(s->ops->drain(s, on_event, &t), 0);
	cr_expect_eq(t.count[CONN_LISTEN], 1);
	cr_expect_eq(t.count[CONN_EXISTING], 2 * CONNECTS, "%u ends", t.count[CONN_EXISTING]);
	cr_expect_eq(t.owner_wrong, 0);
	cr_assert_eq(stat("/proc/self/ns/net", &own), 0);
	cr_expect_neq(t.netns, (uint32_t)own.st_ino);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	s->ops->drain(s, on_event, &t);
	cr_expect_eq(t.count[CONN_CLOSE], 2 * CONNECTS);
	s->ops->close(s);
}

Test(sockets, no_proc)
{
	struct source *s;

	cr_expect_eq(sockets_source_open("/nonexistent", &s), -ENOENT);
}

static void keep(void *arg, const struct sock *s)
{
	struct sock **at = arg;

	*(*at)++ = *s;
}

Test(sockets, text_of_proc)
{
	static const char text[] =
		"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 777 1 0 100 0 0 10 0\n"
		"   1: 0100007F:1F90 0100007F:C350 01 00000005:00000000 00:00000000 00000000     0        0 778 1 0 20 4 30 10 -1\n"
		"   2: 0100007F:1F90 0100007F:C351 06 00000000:00000000 03:00001234 00000000     0        0 0 3 0\n"
		"   3: garbage\n";
	struct sock got[8], *at = got;

	cr_assert_eq(sockdiag_parse(text, 4, keep, &at), 2, "TIME_WAIT and garbage are left out");
	cr_expect_eq(got[0].state, 10);
	cr_expect_eq(got[0].lport, 8080);
	cr_expect_eq(got[0].rx_queue, 3);
	cr_expect_eq(got[1].rport, 50000);
	cr_expect_eq(got[1].tx_queue, 5);
	cr_expect_eq(got[1].inode, 778);
	cr_expect_eq(memcmp(got[1].laddr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16), 0);
	for (size_t n = 0; n < sizeof(text); n++) {
		char cut[sizeof(text)];
		memcpy(cut, text, n);
		cut[n] = '\0';
		at = got;
		cr_expect_leq(sockdiag_parse(cut, 4, keep, &at), 2);
	}
}
