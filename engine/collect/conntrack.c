/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/conntrack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/vec.h"
#include "collect/conntrack_read.h"
#include "collect/host.h"
#include "collect/netns.h"
#include "collect/procfs.h"

#define MAX_SPACES 512
#define NAMES_EVERY 5            /* looks between two at the namespaces that have a name */
#define SCAN_EVERY 30            /* and between two walks over all processes; those that call are seen at once */
#define TEXT_EVERY_NS NS_PER_S
#define TEXT_CAP (1 << 20)
#define BUF_BYTES (64 << 10)     /* what the kernel puts into one datagram of a list is less */
#define QUEUE_BYTES (2 << 20)    /* of each socket: events of some 5000 connections that begin at once */
#define SPACE_PATH 272
#define TRACKING "sys/net/netfilter/nf_conntrack_max"

/* One network namespace. */
struct space {
	uint32_t inode;
	int fd;                   /* -1: its text is read */
	uint64_t seen;            /* number of the walk that found it last */
	uint32_t pid;             /* of a process there; 0: found by its name */
	bool fresh;               /* what is there already was not listed yet */
	struct conntrack_rows rows;       /* of the last text */
	char path[SPACE_PATH];    /* of its file: "7/ns/net" below /proc, or absolute */
};

struct conntrack {
	struct source base;
	int procfd;
	char root[HOST_PATH_MAX]; /* what /proc is in; "" */
	bool ours;                /* netlink shows what this /proc shows */
	bool tracked;             /* connections are tracked on this node */
	int error;                /* of the last namespace that could not be entered; 0 */
	uint64_t look, text_ns;
	VEC(struct space) spaces;
	struct conntrack_counters counters;
	char *buf;                /* BUF_BYTES */
	source_fn *fn;
	void *arg;
	uint32_t netns;           /* being read */
	bool done;                /* the list is at its end */
	int handed;
};

static struct conntrack *self(struct source *s)
{
	return (struct conntrack *)s;
}

static void emit(void *arg, const struct ev_nat *nat)
{
	struct conntrack *t = arg;
	struct ev_nat e = *nat;

	if (!t->fn)
		return;
	e.h = (struct ev_hdr){ .ts_ns = clock_ts_ns(), .size = sizeof(e), .type = EV_NAT };
	e.netns = t->netns;
	t->fn(t->arg, &e.h);
	t->handed++;
}

/* ---- netlink ---- */

/* Only what has the status of something translated passes: on a node with many connections few do. */
static int filter_attach(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_IMM, MNL_NLMSG_HDRLEN + sizeof(struct nfgenmsg)),
		BPF_STMT(BPF_LDX | BPF_IMM, CTA_STATUS),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_NLATTR)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0),           /* it does not say */
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, MNL_ATTR_HDRLEN),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, IPS_SRC_NAT | IPS_DST_NAT, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno : 0;
}

static int list_ask(int fd, int family)
{
	char buf[MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct nfgenmsg))];
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	g->nfgen_family = (uint8_t)family;
	g->version = NFNETLINK_V0;
	return sendto(fd, h, h->nlmsg_len, 0, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

/* One datagram of a list or of events. 0, or what an error message says. */
static int datagram_take(struct conntrack *t, ssize_t n)
{
	int left = (int)n;

	for (const struct nlmsghdr *h = (const void *)t->buf; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
		struct ev_nat e;

		if (h->nlmsg_type == NLMSG_DONE)
			t->done = true;
		else if (h->nlmsg_type == NLMSG_ERROR && h->nlmsg_len >= mnl_nlmsg_size(sizeof(struct nlmsgerr)))
			return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error;
		else if (conntrack_message(h, &e))
			emit(t, &e);
	}
	return 0;
}

/* What is there, and the events that come meanwhile. 0 or -errno. */
static int list_take(struct conntrack *t, const struct space *s)
{
	int err;

	setsockopt(s->fd, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 }, sizeof(int));
	err = list_ask(s->fd, AF_UNSPEC);
	t->netns = s->inode;
	t->done = false;
	while (!err && !t->done) {
		ssize_t n = recv(s->fd, t->buf, BUF_BYTES, 0);

		if (n < 0 && errno != EINTR && errno != ENOBUFS)
			err = -errno;
		else if (n > 0)
			err = datagram_take(t, n);
	}
	if (filter_attach(s->fd) && !err)
		err = -errno;
	return err;
}

/* 0, or -errno where there is no list to be had. */
static int events_take(struct conntrack *t, struct space *s)
{
	if (s->fresh) {
		s->fresh = !t->fn;
		return list_take(t, s);
	}
	t->netns = s->inode;
	for (;;) {
		ssize_t n = recv(s->fd, t->buf, BUF_BYTES, MSG_DONTWAIT);

		if (n > 0) {
			datagram_take(t, n);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || errno != ENOBUFS)
			return 0;
		t->counters.overruns++;
		return list_take(t, s);
	}
}

/* A descriptor that gets the beginnings and ends, or -errno. */
static int space_enter(struct conntrack *t, const struct space *s)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK, .nl_groups = NF_NETLINK_CONNTRACK_NEW | NF_NETLINK_CONNTRACK_DESTROY };
	int fd = netns_socket(t->procfd, s->path, NETLINK_NETFILTER), err;

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ QUEUE_BYTES }, sizeof(int)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){ QUEUE_BYTES }, sizeof(int));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* ---- text ---- */

/* What is new, and what is there no more; of a text that was cut nobody knows what has ended. */
static void text_take(struct conntrack *t, struct space *s)
{
	char *text = s->pid && t->fn ? malloc(TEXT_CAP) : NULL;
	struct conntrack_rows now = { 0 }, none = { 0 };
	ssize_t n = text ? pid_file_read(t->procfd, s->pid, "net/nf_conntrack", text, TEXT_CAP) : -1;
	bool whole = n >= 0 && n < TEXT_CAP - 1;

	t->netns = s->inode;
	t->counters.cut += n > 0 && !whole;
	if (n >= 0 && conntrack_text(text, &now))
		conntrack_changes(whole ? &s->rows : &none, &now, emit, t);
	if (n >= 0) {
		vec_done(&s->rows.row);
		s->rows = now;
	}
	free(text);
}

/* ---- namespaces ---- */

static void space_leave(struct space *s)
{
	vec_done(&s->rows.row);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* pid 0: it was found by its name. */
static void space_see(struct conntrack *t, uint32_t inode, uint32_t pid, const char *path)
{
	struct space *s;

	for (size_t i = 0; i < t->spaces.n; i++)
		if (t->spaces.v[i].inode == inode) {
			t->spaces.v[i].seen = t->look;
			t->spaces.v[i].pid = pid ? pid : t->spaces.v[i].pid;
			return;
		}
	s = t->spaces.n < MAX_SPACES ? vec_push(&t->spaces) : NULL;
	if (!s) {
		t->counters.spaces++;
		return;
	}
	*s = (struct space){ .inode = inode, .seen = t->look, .pid = pid, .fresh = true };
	snprintf(s->path, sizeof(s->path), "%s", path);
	s->fd = t->ours || !pid ? space_enter(t, s) : -EXDEV;
	if (s->fd < 0)
		t->error = s->fd;
}

static void names_walk(struct conntrack *t, const char *folder)
{
	int fd = openat(t->procfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	char path[SPACE_PATH];

	while (d && (de = readdir(d))) {
		uint32_t inode;

		if (de->d_name[0] == '.' || snprintf(path, sizeof(path), "%s/%s", folder, de->d_name) >= (int)sizeof(path))
			continue;
		inode = netns_inode(t->procfd, path);
		if (inode)
			space_see(t, inode, 0, path);
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

/* Those with a name need no process: routers. The names are files of the host, where we or its first process see them. */
static void names_find(struct conntrack *t)
{
	static const char *const places[] = { "run/netns", "run/docker/netns" };
	char path[HOST_PATH_MAX];

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", t->root, places[i]);
		names_walk(t, path);
		snprintf(path, sizeof(path), "1/root/%s", places[i]);
		names_walk(t, path);
	}
}

static void processes_walk(struct conntrack *t)
{
	int err;
	DIR *d = procfs_list(t->procfd, &err);
	struct dirent *de;
	char path[48];

	while (d && (de = readdir(d))) {
		uint32_t pid = pid_parse(de->d_name), inode = 0;

		if (!pid)
			continue;
		snprintf(path, sizeof(path), "%u/ns/net", pid);
		inode = netns_inode(t->procfd, path);
		if (inode)
			space_see(t, inode, pid, path);
	}
	if (d)
		closedir(d);
}

/* A namespace that nobody is in any more must not live on because of us. */
static void spaces_drop(struct conntrack *t, bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->spaces.n; i++) {
		if (!all && t->spaces.v[i].seen == t->look)
			t->spaces.v[kept++] = t->spaces.v[i];
		else
			space_leave(&t->spaces.v[i]);
	}
	t->spaces.n = kept;
}

void conntrack_look(struct source *s)
{
	struct conntrack *t = self(s);
	bool tracked = faccessat(t->procfd, TRACKING, F_OK, 0) == 0;

	if (tracked && !t->tracked)
		t->look = 0;
	t->tracked = tracked;
	if (!tracked || t->look++ % NAMES_EVERY)
		return;
	names_find(t);
	if (t->look % SCAN_EVERY != 1)
		return;
	processes_walk(t);
	spaces_drop(t, false);
}

void conntrack_see(struct source *s, uint32_t netns, uint32_t pid)
{
	struct conntrack *t = self(s);
	char path[48];

	for (size_t i = 0; i < t->spaces.n; i++)
		if (t->spaces.v[i].inode == netns)
			return;
	if (!t->tracked || !netns || !pid)
		return;
	snprintf(path, sizeof(path), "%u/ns/net", pid);
	if (netns_inode(t->procfd, path) == netns)
		space_see(t, netns, pid, path);
}

/* ---- the source ---- */

static int conntrack_fd(struct source *s)
{
	return -1;
}

static int conntrack_drain(struct source *source, source_fn *fn, void *arg)
{
	struct conntrack *t = self(source);
	uint64_t now = clock_ts_ns();
	bool text = now >= t->text_ns + TEXT_EVERY_NS;

	t->fn = fn;
	t->arg = arg;
	t->handed = 0;
	if (text)
		t->text_ns = now;
	for (size_t i = 0; i < t->spaces.n; i++) {
		struct space *s = &t->spaces.v[i];
		int err = s->fd >= 0 ? events_take(t, s) : 0;

		if (err) {
			t->error = err;
			space_leave(s);
		}
		if (s->fd < 0 && text)
			text_take(t, s);
	}
	return t->handed;
}

static void no_counters(struct source *s, struct source_counters *ret)
{
	*ret = (struct source_counters){ 0 };
}

void conntrack_counters(struct source *s, struct conntrack_counters *ret)
{
	*ret = self(s)->counters;
}

static void conntrack_close(struct source *s)
{
	struct conntrack *t = self(s);

	spaces_drop(t, true);
	vec_done(&t->spaces);
	close(t->procfd);
	free(t->buf);
	free(t);
}

void conntrack_report(struct source *s, struct probe_report *r)
{
	const struct conntrack *t = self(s);
	struct probe_line *l = vec_push(&r->lines);

	conntrack_drain(s, NULL, NULL);
	if (!l)
		return;
	*l = (struct probe_line){ .probe = "conntrack", .state = PROBE_ON, .rung = "netlink" };
	if (!t->tracked) {
		l->rung = "idle";
		l->why = "this node tracks no connections: none is translated";
	} else if (t->error) {
		l->state = PROBE_INSTEAD;
		l->rung = "/proc";
		l->lacks = "both ends of a connection whose addresses are translated, where it is short";
		l->why = t->error == -EPERM ? "netlink: needs CAP_NET_ADMIN, and CAP_SYS_ADMIN for other network namespaces" :
			 t->error == -EINVAL || t->error == -ENOENT ? "netlink: this kernel lacks nf_conntrack_netlink" :
			 t->error == -EXDEV ? "netlink: this /proc is of another pid namespace than ours" :
			 strerrordesc_np(-t->error);
	}
}

static const struct source_ops ops = {
	.name = "conntrack", .fd = conntrack_fd, .drain = conntrack_drain, .counters = no_counters, .close = conntrack_close,
};

int conntrack_open(const char *proc, struct source **ret)
{
	struct conntrack *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->base.ops = &ops;
	t->procfd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	t->buf = malloc(BUF_BYTES);
	if (t->procfd < 0 || !t->buf) {
		int err = t->procfd < 0 ? -errno : -ENOMEM;

		if (t->procfd >= 0)
			close(t->procfd);
		free(t->buf);
		free(t);
		return err;
	}
	snprintf(t->root, sizeof(t->root), "%.*s", (int)(strlen(proc) > 5 ? strlen(proc) - 5 : 0), proc);
	t->ours = procfs_is_ours(t->procfd);
	*ret = &t->base;
	return 0;
}
