/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf_watch.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#define TALKS 23

/* A server of its own process: answers TALKS connections, one request each, and ends. */
static void serve(int listening)
{
	for (int i = 0; i < TALKS; i++) {
		char buf[64], answer[64];
		int fd = accept(listening, NULL, NULL), n;
		ssize_t got = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);

		if (got <= 0)
			_exit(1);
		buf[got] = '\0';
		n = snprintf(answer, sizeof(answer), "answer to %s", buf);
		if (write(fd, answer, n) != n || read(fd, buf, 1) != 0)
			_exit(2);
		close(fd);
	}
	_exit(0);
}

static pid_t server_start(int listening)
{
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (!pid)
		serve(listening);
	return pid;
}

static void server_join(pid_t pid)
{
	int status = -1;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0, "the server ended with %x", status);
}

struct talks { uint64_t cookie[TALKS]; uint16_t port[TALKS]; };

static void talk(struct talks *t, int family, const char *to, uint16_t port)
{
	for (int i = 0; i < TALKS; i++) {
		char buf[64];
		int fd = dial(family, to, port), n = snprintf(buf, sizeof(buf), "request %d", i);

		t->cookie[i] = cookie_of(fd);
		t->port[i] = port_of(fd);
		cr_assert_eq(write(fd, buf, n), n);
		read_all(fd, buf, n + strlen("answer to "));
		close(fd);
	}
}

static void expect_text(const struct ev_data *d, const char *fmt, int i)
{
	char text[64];
	int n = snprintf(text, sizeof(text), fmt, i);

	cr_assert_eq(d->len, n, "%u bytes, not %d", d->len, n);
	cr_expect_eq(d->head, n);
	cr_expect_eq(d->tail, 0);
	cr_expect_arr_eq(d->payload, text, n, "not `%s`", text);
}

/* The cookie of the other end: its record of being established has the ports the other way round. */
static uint64_t peer_cookie(const struct watch *w, uint16_t client, uint16_t server)
{
	const struct ev_conn *e = NULL;

	cr_assert_eq(conn_find(w, (struct conn_want){CONN_ESTABLISHED, ROLE_SERVER, server, client, 0, 0}, &e), 1);
	return e->cookie;
}

/* By which both ends are known to be of one connection, whatever their addresses are; they are those of its first segments. */
static void expect_numbers(const struct watch *w, uint64_t near, uint64_t far)
{
	const struct ev_conn *client = NULL, *server = NULL;
	const struct ev_data *d;
	size_t at = 0;

	conn_find(w, (struct conn_want){.what = CONN_ESTABLISHED, .cookie = near}, &client);
	conn_find(w, (struct conn_want){.what = CONN_ESTABLISHED, .cookie = far}, &server);
	cr_assert(client && server);
	cr_expect_eq(client->first_out, server->first_in);
	cr_expect_eq(client->first_in, server->first_out);
	while ((d = watch_next(w, EV_DATA, &at)) && (d->cookie != near || d->dir != DIR_OUT))
		;
	cr_expect(d && d->seq == client->first_out);
}

/* Of the last answer only the end of the connection can tell when it came and was read. */
static void expect_read(const struct watch *w, uint64_t client, const struct ev_data *answer)
{
	const struct ev_io *io, *found = NULL;
	size_t at = 0;

	while ((io = watch_next(w, EV_IO, &at)))
		if (io->cookie == client && io->dir == DIR_IN) {
			cr_expect_null(found, "told twice");
			found = io;
		}
	cr_assert(found);
	cr_expect(found->late);
	cr_expect_eq(found->seq, answer->seq + answer->len);
	cr_expect_eq(found->tid, getpid());
	cr_expect(found->arr_ns > answer->h.ts_ns && found->arr_ns < found->h.ts_ns);
}

static void expect_talk(const struct watch *w, const struct talks *t, int i, uint16_t port, pid_t server)
{
	const uint64_t near = t->cookie[i], far = peer_cookie(w, t->port[i], port);
	const struct ev_data *request = NULL, *answer = NULL;

	cr_assert_eq(data_find(w, near, DIR_OUT, &request), 1, "request %d", i);
	cr_assert_eq(data_find(w, far, DIR_OUT, &answer), 1, "answer %d", i);
	expect_text(request, "request %d", i);
	expect_text(answer, "answer to request %d", i);
	cr_expect_eq(request->tgid, getpid());
	cr_expect_eq(request->tid, getpid());
	cr_expect_eq(answer->tgid, server);
	cr_expect_eq(answer->tid, server);
	cr_expect_eq(answer->rd_tid, server, "who read the request");
	cr_expect_eq(answer->rd_seq, request->seq + request->len);
	cr_expect(answer->rd_ts_ns > request->h.ts_ns && answer->rd_ts_ns < answer->h.ts_ns);
	cr_expect(answer->arr_ns > request->h.ts_ns && answer->arr_ns < answer->rd_ts_ns, "when the request had come");
	expect_read(w, near, answer);
	expect_numbers(w, near, far);
	cr_expect_eq(conn_count(w, (struct conn_want){.what = CONN_CLOSE, .cookie = near, .lport = t->port[i]}), 1);
	cr_expect_eq(conn_count(w, (struct conn_want){.what = CONN_CLOSE, .cookie = far, .rport = t->port[i]}), 1);
}

static void exact_counts(int family)
{
	struct watch w;
	struct talks t;
	uint16_t port;
	pid_t server;
	int l;

	watch_open(&w, NULL);
	l = listener(family, loopback(family));
	port = port_of(l);
	server = server_start(l);
	talk(&t, family, loopback(family), port);
	server_join(server);
	close(l);
	watch_drain(&w);

	cr_expect_eq(conn_count(&w, (struct conn_want){.what = CONN_LISTEN, .lport = port, .tgid = getpid()}), 1);
	cr_expect_eq(conn_count(&w, (struct conn_want){.what = CONN_UNLISTEN, .lport = port}), 1);
	cr_expect_eq(conn_count(&w, (struct conn_want){.what = CONN_CONNECT, .rport = port, .tgid = getpid()}), TALKS);
	cr_expect_eq(conn_count(&w, (struct conn_want){CONN_ESTABLISHED, ROLE_CLIENT, 0, port, getpid(), 0}), TALKS);
	cr_expect_eq(conn_count(&w, (struct conn_want){CONN_ESTABLISHED, ROLE_SERVER, port, 0, 0, 0}), TALKS);
	cr_expect_eq(conn_count(&w, (struct conn_want){CONN_CLOSE, ROLE_CLIENT, 0, port, getpid(), 0}), TALKS);
	cr_expect_eq(conn_count(&w, (struct conn_want){CONN_CLOSE, ROLE_SERVER, port, 0, server, 0}), TALKS);
	cr_expect_eq(conn_count(&w, (struct conn_want){.what = CONN_REFUSED, .rport = port}), 0);
	for (int i = 0; i < TALKS; i++)
		expect_talk(&w, &t, i, port, server);
	watch_close(&w);
}

Test(bpf_source, counts_ipv4_exactly)
{
	exact_counts(AF_INET);
}

Test(bpf_source, counts_ipv6_exactly)
{
	exact_counts(AF_INET6);
}

/* A process in a network namespace of its own, that waits for a byte, works, and ends. */
struct room { pid_t pid; int go, ready; };

static struct room room_open(int family, bool is_server)
{
	int to[2], from[2];
	struct room r;
	char byte;

	cr_assert(!pipe2(to, O_CLOEXEC) && !pipe2(from, O_CLOEXEC));
	r.pid = fork();
	cr_assert_geq(r.pid, 0);
	if (!r.pid) {
		const char *server = family == AF_INET ? "10.213.7.1" : "fd13:7::1";
		struct talks t;
		int l = -1;

		if (unshare(CLONE_NEWNET) || write(from[1], "u", 1) != 1 || read(to[0], &byte, 1) != 1)
			_exit(3);
		if (is_server) {
			union any_addr a = addr_of(family, server, 18437);

			l = socket(family, SOCK_STREAM, 0);
			if (bind(l, &a.sa, sizeof(a)) || listen(l, 64) || write(from[1], "l", 1) != 1)
				_exit(4);
			serve(l);
		}
		talk(&t, family, server, 18437);
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	r.go = to[1];
	r.ready = from[0];
	cr_assert_eq(read(r.ready, &byte, 1), 1);
	return r;
}

static void room_wait(struct room *r)
{
	server_join(r->pid);
	close(r->go);
	close(r->ready);
}

static void shell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void shell(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	cr_assert_eq(system(line), 0, "%s", line);
}

static uint32_t netns_of(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	cr_assert_eq(stat(path, &st), 0);
	return (uint32_t)st.st_ino;
}

/* The namespaces and the cable between them go when their processes end. */
static void cable_lay(pid_t a, pid_t b)
{
	shell("ip link add rootle0 netns %d type veth peer name rootle1 netns %d", a, b);
	for (int i = 0; i < 2; i++) {
		shell("nsenter -t %d -n sh -c 'ip addr add 10.213.7.%d/24 dev rootle%d && "
		      "ip -6 addr add fd13:7::%d/64 dev rootle%d nodad && ip link set rootle%d up && ip link set lo up'",
		      i ? b : a, i + 1, i, i + 1, i, i);
	}
}

static void across_namespaces(int family)
{
	struct room server, client;
	struct watch w;
	const struct ev_data *d;
	uint32_t ns[2];
	int requests = 0, answers = 0;
	size_t at = 0;
	char byte;

	watch_open(&w, NULL);
	server = room_open(family, true);
	client = room_open(family, false);
	cable_lay(server.pid, client.pid);
	ns[0] = netns_of(server.pid);
	ns[1] = netns_of(client.pid);
	cr_assert_eq(write(server.go, "g", 1), 1);
	cr_assert_eq(read(server.ready, &byte, 1), 1);
	cr_assert_eq(write(client.go, "g", 1), 1);
	room_wait(&client);
	room_wait(&server);
	watch_drain(&w);
	cr_expect_eq(conn_count(&w, (struct conn_want){CONN_ESTABLISHED, ROLE_CLIENT, 0, 18437, client.pid, 0}), TALKS);
	cr_expect_eq(conn_count(&w, (struct conn_want){CONN_ESTABLISHED, ROLE_SERVER, 18437, 0, 0, 0}), TALKS);
	while ((d = watch_next(&w, EV_DATA, &at))) {
		const struct ev_conn *e = NULL;
		bool near;

		if (!conn_find(&w, (struct conn_want){.what = CONN_ESTABLISHED, .cookie = d->cookie}, &e) ||
		    (e->lport != 18437 && e->rport != 18437))
			continue;
		near = e->role == ROLE_CLIENT;
		cr_expect_eq(e->netns, ns[near]);
		cr_expect(!(d->flags & DATA_LOOPBACK));
		requests += near && d->dir == DIR_OUT;
		answers += near && d->dir == DIR_IN;
		requests += 1000 * (!near && d->dir == DIR_IN);
		answers += 1000 * (!near && d->dir == DIR_OUT);
	}
	cr_expect_eq(requests, 1001 * TALKS, "%d", requests);
	cr_expect_eq(answers, 1001 * TALKS, "%d", answers);
	watch_close(&w);
}

Test(bpf_source, counts_across_namespaces)
{
	if (geteuid() != 0)
		cr_skip_test("needs root to make network namespaces");
	across_namespaces(AF_INET);
	across_namespaces(AF_INET6);
}

Test(bpf_source, tells_of_refused_connects)
{
	int unheard, fd;
	union any_addr a;
	uint64_t cookie[2];
	struct watch w;

	watch_open(&w, NULL);
	unheard = bound(AF_INET, "127.0.0.1");
	a = addr_of(AF_INET, "127.0.0.1", port_of(unheard));
	for (int i = 0; i < 2; i++) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (i ? SOCK_NONBLOCK : 0), 0);
		cookie[i] = cookie_of(fd);
		cr_expect_eq(connect(fd, &a.sa, sizeof(a)), -1);
		cr_expect(errno == ECONNREFUSED || errno == EINPROGRESS);
		usleep(20000);
		close(fd);
	}
	watch_drain(&w);
	for (int i = 0; i < 2; i++) {
		const struct ev_conn *refused = NULL, *end = NULL;

		cr_expect_eq(conn_count(&w, (struct conn_want){.what = CONN_CONNECT, .cookie = cookie[i], .tgid = getpid()}), 1);
		cr_assert_eq(conn_find(&w, (struct conn_want){.what = CONN_REFUSED, .cookie = cookie[i]}, &refused), 1);
		cr_assert_eq(conn_find(&w, (struct conn_want){.what = CONN_CLOSE, .cookie = cookie[i]}, &end), 1);
		cr_expect_eq(refused->err, ECONNREFUSED);
		cr_expect_eq(refused->rport, port_of(unheard));
		cr_expect_neq(refused->lport, 0);
		cr_expect_eq(end->lport, refused->lport);
		cr_expect_eq(conn_count(&w, (struct conn_want){.what = CONN_RESET_RECV, .cookie = cookie[i]}), 0);
	}
	close(unheard);
	watch_close(&w);
}

/* Of every way a connection can end, one CLOSE each. */
Test(bpf_source, closes_what_was_opened)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };
	uint64_t cookie[60];
	struct watch w;
	int sent = 0, received = 0;

	watch_open(&w, NULL);
	for (int i = 0; i < 60; i += 2) {
		struct pair p = pair_make(i % 4 ? AF_INET : AF_INET6);

		cookie[i] = p.near_cookie;
		cookie[i + 1] = p.far_cookie;
		if (i % 3 == 0)
			setsockopt(p.near, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		if (i % 3 == 1)         /* unread bytes: an RST answers */
			cr_assert_eq(write(p.near, "x", 1), 1);
		pair_close(&p);
	}
	watch_drain(&w);
	for (int i = 0; i < 60; i++) {
		cr_expect_eq(conn_count(&w, (struct conn_want){.what = CONN_ESTABLISHED, .cookie = cookie[i]}), 1, "%d", i);
		cr_expect_eq(conn_count(&w, (struct conn_want){.what = CONN_CLOSE, .cookie = cookie[i]}), 1, "%d", i);
		sent += conn_count(&w, (struct conn_want){.what = CONN_RESET_SENT, .cookie = cookie[i]});
		received += conn_count(&w, (struct conn_want){.what = CONN_RESET_RECV, .cookie = cookie[i]});
	}
	cr_expect_geq(sent, 20);
	cr_expect_geq(received, 20);
	watch_close(&w);
}

Test(bpf_source, knows_what_was_there_before)
{
	int l = listener(AF_INET, "127.0.0.1"), near, far;
	const struct ev_conn *e = NULL;
	const struct ev_data *d = NULL;
	uint16_t port = port_of(l);
	struct watch w;
	char byte;

	near = dial(AF_INET, "127.0.0.1", port);
	far = accept(l, NULL, NULL);
	cr_assert_eq(write(near, "unread", 6), 6);
	watch_open(&w, NULL);
	cr_expect_gt(bpf_source_existing(w.source, watch_keep, &w), 2);
	cr_assert_eq(conn_find(&w, (struct conn_want){.what = CONN_LISTEN, .lport = port}, &e), 1);
	cr_expect_eq(e->tgid, getpid());
	cr_expect_eq(e->tx_queue, 128);
	cr_assert_eq(conn_find(&w, (struct conn_want){.what = CONN_EXISTING, .cookie = cookie_of(far)}, &e), 1);
	cr_expect_eq(e->tgid, getpid());
	cr_expect_eq(e->lport, port);
	cr_expect_eq(e->rx_queue, 6);
	cr_expect_eq(conn_count(&w, (struct conn_want){.what = CONN_EXISTING, .cookie = cookie_of(near), .rport = port}), 1);

	cr_assert_eq(write(near, "more", 4), 4);
	cr_assert_eq(read(far, &byte, 1), 1);
	watch_drain(&w);
	cr_assert_eq(data_find(&w, cookie_of(near), DIR_OUT, &d), 1);
	cr_expect_arr_eq(d->payload, "more", 4);
	cr_expect_eq(d->tgid, getpid());
	close(near);
	close(far);
	close(l);
	watch_drain(&w);
	cr_expect_eq(conn_count(&w, (struct conn_want){.what = CONN_CLOSE, .rport = port}), 1);
	cr_expect_eq(conn_count(&w, (struct conn_want){.what = CONN_UNLISTEN, .lport = port}), 1);
	watch_close(&w);
}

/* A whole conversation of one process with itself. */
static struct pair whispered(void)
{
	struct pair p = pair_make(AF_INET);
	char buf[5];

	cr_assert_eq(write(p.near, "hello", 5), 5);
	read_all(p.far, buf, 5);
	pair_close(&p);
	return p;
}

static struct pair whispered_by_child(void)
{
	struct pair p = {0};
	int fds[2];
	pid_t pid;

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		p = whispered();
		_exit(write(fds[1], &p, sizeof(p)) != sizeof(p));
	}
	read_all(fds[0], &p, sizeof(p));
	server_join(pid);
	close(fds[0]);
	close(fds[1]);
	return p;
}

static void expect_heard(const struct watch *w, const struct pair *p, bool heard)
{
	cr_expect_eq(data_find(w, p->near_cookie, DIR_OUT, NULL), heard);
	cr_expect_eq(conn_count(w, (struct conn_want){.cookie = p->near_cookie, .what = CONN_ESTABLISHED}), heard);
	cr_expect_eq(conn_count(w, (struct conn_want){.cookie = p->near_cookie, .what = CONN_CLOSE}), heard);
	cr_expect_eq(conn_count(w, (struct conn_want){.cookie = p->far_cookie, .what = CONN_CLOSE}), heard);
	if (!heard)
		cr_expect_eq(conn_count(w, (struct conn_want){.cookie = p->far_cookie}), 0);
}

static void filtered(const struct probe_options *o, bool mine, bool childs)
{
	struct pair a, b;
	struct watch w;

	watch_open(&w, o);
	a = whispered();
	b = whispered_by_child();
	watch_drain(&w);
	expect_heard(&w, &a, mine);
	expect_heard(&w, &b, childs);
	watch_close(&w);
}

Test(bpf_source, filters_by_process)
{
	struct probe_options only = {0}, exclude = {0};

	*vec_push(&only.only_pids) = getpid();
	filtered(&only, true, false);
	*vec_push(&exclude.exclude_pids) = getpid();
	filtered(&exclude, false, true);
	vec_done(&only.only_pids);
	vec_done(&exclude.exclude_pids);
}

/* The client's own port is as good as the server's, also at the end, when it has been given back. */
Test(bpf_source, filters_by_port)
{
	struct probe_options o = {0};
	int l = listener(AF_INET, "127.0.0.1"), own = bound(AF_INET, "127.0.0.1");
	union any_addr a = addr_of(AF_INET, "127.0.0.1", port_of(l));
	uint64_t inside = cookie_of(own), outside;
	uint16_t port = port_of(own);
	struct watch w;
	int other;

	*vec_push(&o.only_ports) = port;
	watch_open(&w, &o);
	cr_assert_eq(connect(own, &a.sa, sizeof(a)), 0);
	other = dial(AF_INET, "127.0.0.1", port_of(l));
	outside = cookie_of(other);
	cr_assert(write(own, "in", 2) == 2 && write(other, "out", 3) == 3);
	close(own);
	close(other);
	watch_drain(&w);
	cr_expect_eq(conn_count(&w, (struct conn_want){.what = CONN_CONNECT, .cookie = inside, .lport = port}), 1);
	cr_expect_eq(data_find(&w, inside, DIR_OUT, NULL), 1);
	cr_expect_eq(conn_count(&w, (struct conn_want){.cookie = outside}), 0);
	cr_expect_eq(data_find(&w, outside, DIR_OUT, NULL), 0);
	close(l);
	watch_close(&w);
	vec_done(&o.only_ports);
}

Test(bpf_source, keeps_within_its_filters)
{
	struct probe_options o = {0};
	struct probe_report r = {0};
	struct source *s = NULL;

	for (int i = 0; i < 17; i++)
		*vec_push(&o.only_ports) = 1 + i;
	cr_expect(bpf_source_open(&o, &s, &r) < 0, "17 ports, and room for 16");
	vec_done(&o.only_ports);
	probe_report_done(&r);
}
