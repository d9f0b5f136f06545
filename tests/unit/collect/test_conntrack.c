/* SPDX-License-Identifier: BSD-2-Clause */
/* A message as the kernel sent it (Linux 6.18, of a dump: nft dnat and snat in a namespace), and lines in the form of
 * /proc/net/nf_conntrack. */
#include <criterion/criterion.h>
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/conntrack_read.h"
#include "collect/hosts.h"

/* IPCTNL_MSG_CT_NEW: 10.90.1.2:40210 → 10.90.9.9:82, answered by 10.90.2.2:8082 to 10.90.2.1:40210. */
static const char message[] =
	"d40000000001220001000000f8690000020000003400018014000180080001000a5a0102080002000a5a09091c00028005000100"
	"06000000060002009d12000006000300005200003400028014000180080001000a5a0202080002000a5a02011c00028005000100"
	"06000000060002001f920000060003009d12000008000300000001be080008000000000008000c00c8d3a29608000b0000000001"
	"080007000006977f300004802c0001800500010003000000050002000a000000050003000a000000060004002300000006000500"
	"23000000";

static size_t bytes_of(const char *hex, uint8_t *to, size_t cap)
{
	size_t n = 0;
	unsigned v;

	for (; *hex; hex += 2) {
		hex += strspn(hex, " ");
		if (!*hex || n == cap || sscanf(hex, "%2x", &v) != 1)
			break;
		to[n++] = (uint8_t)v;
	}
	return n;
}

static struct nlmsghdr *recorded(uint8_t buf[512])
{
	size_t n = bytes_of(message, buf, 512);
	struct nlmsghdr *h = (void *)buf;

	cr_assert_eq(h->nlmsg_len, n);
	return h;
}

static void expect(const struct ev_nat *e)
{
	static const uint8_t client[] = {10, 90, 1, 2}, virtual[] = {10, 90, 9, 9}, router[] = {10, 90, 2, 1}, shop[] = {10, 90, 2, 2};

	cr_assert_eq(e->what, NAT_BEGIN);
	cr_assert_eq(e->l4, L4_TCP);
	cr_assert_eq(memcmp(e->seen[0] + 12, client, 4) | memcmp(e->seen[1] + 12, virtual, 4), 0);
	cr_assert_eq(memcmp(e->far[0] + 12, router, 4) | memcmp(e->far[1] + 12, shop, 4), 0);
	cr_assert_eq(e->seen[0][10] & e->far[1][11], 0xff);
	cr_assert_eq(e->seen_port[0], 40210);
	cr_assert_eq(e->seen_port[1], 82);
	cr_assert_eq(e->far_port[0], 40210);
	cr_assert_eq(e->far_port[1], 8082);
}

Test(conntrack, a_message_says_what_is_seen_and_what_is_behind)
{
	_Alignas(8) uint8_t buf[512];
	struct ev_nat e;

	cr_assert(conntrack_message(recorded(buf), &e));
	expect(&e);
}

Test(conntrack, no_cut_and_no_changed_byte_is_read_beyond_its_end)
{
	_Alignas(8) uint8_t buf[512];
	struct nlmsghdr *h = recorded(buf);
	size_t n = h->nlmsg_len;
	struct ev_nat e;

	for (size_t cut = sizeof(*h); cut < n; cut++) {
		struct nlmsghdr *exact = malloc(cut);

		memcpy(exact, buf, cut);
		exact->nlmsg_len = (uint32_t)cut;
		conntrack_message(exact, &e);
		free(exact);
	}
	for (size_t i = sizeof(*h); i < n; i++)
		for (unsigned v = 1; v < 256; v <<= 1) {
			struct nlmsghdr *exact = malloc(n);

			memcpy(exact, buf, n);
			((uint8_t *)exact)[i] ^= (uint8_t)v;
			conntrack_message(exact, &e);
			free(exact);
		}
}

Test(conntrack, what_is_not_translated_is_nothing)
{
	const char *line = "ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=4000 dport=80 src=10.0.0.2 dst=10.0.0.1 "
			   "sport=80 dport=4000 [ASSURED] mark=0 use=1";
	struct ev_nat e;

	cr_assert_not(conntrack_line(line, strlen(line), &e));
	cr_assert_not(conntrack_line("", 0, &e));
	line = "ipv4 2 icmp 1 29 src=10.0.0.1 dst=10.0.0.9 type=8 code=0 id=7 src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=7 mark=0 use=1";
	cr_assert_not(conntrack_line(line, strlen(line), &e));
}

Test(conntrack, a_line_says_the_same_as_a_message)
{
	const char *line = "ipv4     2 tcp      6 117 TIME_WAIT src=10.90.1.2 dst=10.90.9.9 sport=40210 dport=82 packets=6 bytes=405 "
			   "src=10.90.2.2 dst=10.90.2.1 sport=8082 dport=40210 packets=4 bytes=265 [ASSURED] mark=0 use=1\nnext";
	struct ev_nat e;

	cr_assert(conntrack_line(line, strcspn(line, "\n"), &e));
	expect(&e);
}

Test(conntrack, a_line_of_ipv6)
{
	const char *line = "ipv6     10 udp      17 29 src=fd00::1 dst=fd00::a sport=5000 dport=53 src=fd00::2 dst=fd00::1 sport=53 "
			   "dport=5000 mark=0 use=1";
	struct ev_nat e;

	cr_assert(conntrack_line(line, strlen(line), &e));
	cr_assert_eq(e.l4, L4_UDP);
	cr_assert_eq(e.seen[1][15], 10);
	cr_assert_eq(e.far[1][15], 2);
	cr_assert_eq(e.far_port[1], 53);
}

#define ROW(sport, pod) "ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.1.2 dst=10.9.9.9 sport=" sport " dport=80 src=10.0.2." pod \
	" dst=10.0.1.2 sport=8080 dport=" sport " [ASSURED] mark=0 zone=0 use=2\n"

struct told { unsigned n; uint8_t what[8]; uint16_t port[8]; uint8_t pod[8]; };

static void tell(void *arg, const struct ev_nat *e)
{
	struct told *t = arg;

	t->what[t->n] = e->what;
	t->port[t->n] = e->seen_port[0];
	t->pod[t->n++] = e->far[1][15];
}

/* What is gone is told of before what is new; a line without its end is none. */
Test(conntrack, from_one_text_to_the_next)
{
	struct conntrack_rows none = {0}, before = {0}, after = {0};
	struct told t = {0};

	cr_assert(conntrack_text(ROW("40001", "2") ROW("40002", "2") ROW("40003", "2"), &before));
	conntrack_changes(&none, &before, tell, &t);
	cr_assert_eq(t.n, 3);
	memset(&t, 0, sizeof(t));
	cr_assert(conntrack_text("nonsense\n" ROW("40003", "3") "\n" ROW("40001", "2") ROW("40004", "2") "ipv4     2 tcp      6 43", &after));
	cr_assert_eq(after.row.n, 3);
	conntrack_changes(&before, &after, tell, &t);
	cr_assert_eq(t.n, 4);
	cr_expect(t.what[0] == NAT_END && t.what[1] == NAT_END && t.what[2] == NAT_BEGIN && t.what[3] == NAT_BEGIN);
	for (unsigned i = 0; i < 4; i++) {
		cr_expect_neq(t.port[i], 40001, "it is as it was");
		cr_expect_eq(t.pod[i], i > 1 && t.port[i] == 40003 ? 3 : 2);
	}
	vec_done(&before.row);
	vec_done(&after.row);
}

static char proc[] = "/tmp/rootle-hosts-XXXXXX";

static void sh(const char *fmt, unsigned pid)
{
	char cmd[300];

	snprintf(cmd, sizeof(cmd), fmt, proc, pid);
	cr_assert_eq(system(cmd), 0);
}

/* A process chooses what its /etc/hosts is: to look at it must neither wait for anybody nor leave its root. */
Test(hosts, what_a_process_chooses)
{
	const uint8_t ip[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 3};
	struct hosts_resolver r;
	struct hosts *h;
	char name[64];

	cr_assert_not_null(mkdtemp(proc));
	for (unsigned pid = 1; pid <= 4; pid++)
		sh("mkdir -p %s/%u/root/etc", pid);
	sh("echo 10.0.0.3 plain > %s/%u/root/etc/hosts", 1);
	sh("mkfifo %s/%u/root/etc/hosts", 2);
	sh("cd %s && echo 10.0.0.3 ours > outside && ln -s $PWD/outside %u/root/etc/hosts", 3);
	sh("cd %s/%u/root/etc && ln -s /etc/others hosts && echo 10.0.0.3 inside > others", 4);
	h = hosts_new(proc);
	r = hosts_resolver(h);
	cr_expect(r.find(r.arg, 1, ip, name, sizeof(name)) && !strcmp(name, "plain"));
	cr_expect_not(r.find(r.arg, 2, ip, name, sizeof(name)), "it would wait for a writer");
	cr_expect_not(r.find(r.arg, 3, ip, name, sizeof(name)), "it is not below its root");
	cr_expect(r.find(r.arg, 4, ip, name, sizeof(name)) && !strcmp(name, "inside"));
	cr_expect_not(r.find(r.arg, 5, ip, name, sizeof(name)));
	hosts_free(h);
	sh("rm -rf %s # %u", 0);
}

Test(hosts, the_first_name_of_the_first_line_of_an_address)
{
	static const char text[] = "# 10.0.0.3 nobody\n127.0.0.1\tlocalhost\n10.0.0.3  till.test till # the till\n10.0.0.3 other\n::1 ip6-localhost\n"
				   "fd00::3 six";
	uint8_t ip[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 3};
	const uint8_t six[16] = {0xfd, [15] = 3};
	char name[16];

	cr_assert(hosts_find(text, ip, name, sizeof(name)));
	cr_assert_str_eq(name, "till.test");
	cr_assert(hosts_find(text, six, name, sizeof(name)));
	cr_assert_str_eq(name, "six");
	cr_assert_not(hosts_find(text, ip, name, 5), "it does not fit");
	ip[15] = 4;
	cr_assert_not(hosts_find(text, ip, name, sizeof(name)));
	cr_assert_not(hosts_find("", ip, name, sizeof(name)));
}
