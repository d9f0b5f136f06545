/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/sockets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/vec.h"
#include "collect/procfs.h"
#include "collect/sockdiag.h"

#define MAX_SOCKETS 65536
#define MAX_NAMESPACES 256
#define TEXT_CAP (4 << 20)       /* of one /proc/PID/net/tcp */

#define STATE_ESTABLISHED 1
#define STATE_SYN_SENT 2
#define STATE_LISTEN 10

/* One network namespace that some process is in. */
struct space { uint32_t inode, pid; int fd; uint64_t seen; };

struct known { struct sock s; uint32_t tgid; uint64_t seen; uint8_t role; };

struct port_key { uint32_t netns; uint16_t port, pad; };

struct sockets {
	struct source base;
	int procfd;
	bool ours;                /* netlink shows what this /proc shows */
	uint64_t reading;
	VEC(struct space) spaces;
	VEC(struct sock) now;     /* this reading */
	uint32_t netns;           /* being read */
	struct map known;         /* cookie → struct known */
	struct map owners;        /* inode of a socket → pid */
	struct map listening;     /* port_key → uint8_t */
	VEC(uint32_t) pids;
	VEC(uint64_t) closed;
	uint64_t refused;
	source_fn *fn;
	void *arg;
	int handed;
};

static struct sockets *self(struct source *s)
{
	return (struct sockets *)s;
}

/* --- who is there ------------------------------------------------------------------------------------------------------ */

static int pids_list(struct sockets *t)
{
	int err;
	DIR *d = procfs_list(t->procfd, &err);
	struct dirent *de;

	vec_reset(&t->pids);
	if (!d)
		return err;
	while ((de = readdir(d))) {
		uint32_t pid = pid_parse(de->d_name), *slot = pid ? vec_push(&t->pids) : NULL;
		if (slot)
			*slot = pid;
	}
	closedir(d);
	return 0;
}

/* The number in a link like "net:[4026531840]" or "socket:[8712]"; 0 where the link is another. */
static uint32_t link_inode(int dirfd, const char *path, const char *prefix)
{
	char link[64];
	ssize_t n = readlinkat(dirfd, path, link, sizeof(link) - 1);
	const char *p = link + strlen(prefix);
	uint64_t v;

	if (n <= 0)
		return 0;
	link[n] = '\0';
	return !strncmp(link, prefix, strlen(prefix)) && scan_u64(&p, &v) ? (uint32_t)v : 0;
}

static void space_see(struct sockets *t, uint32_t inode, uint32_t pid)
{
	struct space *s;

	for (size_t i = 0; i < t->spaces.n; i++) {
		if (t->spaces.v[i].inode != inode)
			continue;
		if (t->spaces.v[i].seen != t->reading)
			t->spaces.v[i].pid = pid;
		t->spaces.v[i].seen = t->reading;
		return;
	}
	if (t->spaces.n >= MAX_NAMESPACES || !(s = vec_push(&t->spaces)))
		return;
	*s = (struct space){ .inode = inode, .pid = pid, .fd = -1, .seen = t->reading };
	if (t->ours)
		s->fd = sockdiag_open(t->procfd, pid);
}

/* A namespace that nobody is in any more must not live on because of us. */
static void spaces_drop(struct sockets *t, bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->spaces.n; i++) {
		struct space s = t->spaces.v[i];
		if (!all && s.seen == t->reading)
			t->spaces.v[kept++] = s;
		else if (s.fd >= 0)
			close(s.fd);
	}
	t->spaces.n = kept;
}

static void spaces_find(struct sockets *t)
{
	char path[48];

	for (size_t i = 0; i < t->pids.n; i++) {
		snprintf(path, sizeof(path), "%u/ns/net", t->pids.v[i]);
		uint32_t inode = link_inode(t->procfd, path, "net:[");
		if (inode)
			space_see(t, inode, t->pids.v[i]);
	}
	spaces_drop(t, false);
}

static void fds_look(struct sockets *t, uint32_t pid)
{
	char path[48];

	snprintf(path, sizeof(path), "%u/fd", pid);
	int fd = openat(t->procfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;
	while (d && (de = readdir(d))) {
		uint32_t inode = de->d_name[0] == '.' ? 0 : link_inode(dirfd(d), de->d_name, "socket:[");
		uint32_t *owner = inode ? map_put(&t->owners, &inode, NULL) : NULL;
		if (owner && (!*owner || pid < *owner))  /* who opened it rather than a child that inherited it */
			*owner = pid;
	}
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

/* Dear, hence only when a socket is there whose owner is not known. */
static void owners_find(struct sockets *t)
{
	map_reset(&t->owners);
	for (size_t i = 0; i < t->pids.n; i++)
		fds_look(t, t->pids.v[i]);
}

/* --- what is there ----------------------------------------------------------------------------------------------------- */

static void on_sock(void *arg, const struct sock *s)
{
	struct sockets *t = arg;
	struct sock *slot = t->now.n < MAX_SOCKETS ? vec_push(&t->now) : NULL;

	if (!slot) {
		t->refused++;
		return;
	}
	*slot = *s;
	slot->netns = t->netns;
	if (s->state == STATE_LISTEN) {
		struct port_key key = { .netns = t->netns, .port = s->lport };
		map_put(&t->listening, &key, NULL);
	}
}

static void space_text(struct sockets *t, const struct space *s)
{
	static const struct { const char *name; int family; } files[] = { { "net/tcp", 4 }, { "net/tcp6", 6 } };
	char *text = malloc(TEXT_CAP);

	for (size_t i = 0; text && i < 2; i++)
		if (pid_file_read(t->procfd, s->pid, files[i].name, text, TEXT_CAP) > 0)
			sockdiag_parse(text, files[i].family, on_sock, t);
	free(text);
}

static void space_read(struct sockets *t, const struct space *s)
{
	size_t before = t->now.n;

	t->netns = s->inode;
	if (s->fd >= 0 && sockdiag_dump(s->fd, on_sock, t) >= 0)
		return;
	t->now.n = before;
	space_text(t, s);
}

/* --- records ----------------------------------------------------------------------------------------------------------- */

static void emit(struct sockets *t, const struct known *k, uint8_t what)
{
	const struct sock *s = &k->s;
	struct ev_conn e = {
		.h = { .ts_ns = clock_ts_ns(), .size = sizeof(e), .type = EV_CONN },
		.cookie = s->cookie, .netns = s->netns, .tgid = k->tgid, .lport = s->lport, .rport = s->rport,
		.what = what, .role = k->role, .family = s->family, .srtt_us = s->srtt_us, .min_rtt_us = s->min_rtt_us,
		.retrans = s->retrans, .rx_queue = s->rx_queue, .tx_queue = s->tx_queue,
		.bytes_out = s->bytes_out, .bytes_in = s->bytes_in,
	};
	char comm[32];

	memcpy(e.laddr, s->laddr, 16);
	memcpy(e.raddr, s->raddr, 16);
	if (k->tgid && pid_file_read(t->procfd, k->tgid, "comm", comm, sizeof(comm)) > 0)
		memcpy(e.comm, comm, strnlen(comm, strcspn(comm, "\n") < EV_COMM_LEN ? strcspn(comm, "\n") : EV_COMM_LEN - 1));
	t->fn(t->arg, &e.h);
	t->handed++;
}

static bool is_listening(const struct sockets *t, uint32_t netns, uint16_t port)
{
	struct port_key key = { .netns = netns, .port = port };

	return map_get(&t->listening, &key) != NULL;
}

/* Who sent the SYN is not told: the side with the listening port did not; else the one with the higher port, as a guess. */
static uint8_t role_of(const struct sockets *t, const struct sock *s)
{
	if (s->state == STATE_LISTEN)
		return ROLE_SERVER;
	if (s->state == STATE_SYN_SENT)
		return ROLE_CLIENT;
	if (is_listening(t, s->netns, s->lport))
		return ROLE_SERVER;
	if (is_listening(t, s->netns, s->rport) || s->lport > s->rport)
		return ROLE_CLIENT;
	return ROLE_UNKNOWN;
}

static uint32_t owner_of(const struct sockets *t, const struct sock *s)
{
	const uint32_t *pid = map_get(&t->owners, &s->inode);

	return pid ? *pid : 0;
}

static void sock_new(struct sockets *t, struct known *k, const struct sock *s)
{
	k->s = *s;
	k->tgid = owner_of(t, s);
	k->role = role_of(t, s);
	emit(t, k, s->state == STATE_LISTEN ? CONN_LISTEN : s->state == STATE_SYN_SENT ? CONN_CONNECT : CONN_EXISTING);
}

static void sock_again(struct sockets *t, struct known *k, const struct sock *s)
{
	bool connected = k->s.state == STATE_SYN_SENT && s->state == STATE_ESTABLISHED;
	bool retransmitted = s->retrans > k->s.retrans;
	uint32_t owner = k->tgid ? k->tgid : owner_of(t, s);
	bool owned = owner != k->tgid;

	k->s = *s;
	k->tgid = owner;
	if (connected)
		emit(t, k, CONN_ESTABLISHED);
	if (owned)
		emit(t, k, CONN_OWNER);
	if (retransmitted)
		emit(t, k, CONN_RETRANS);
}

static bool unknown_owner(const struct sockets *t)
{
	for (size_t i = 0; i < t->now.n; i++)
		if (t->now.v[i].inode && !map_get(&t->known, &t->now.v[i].cookie))
			return true;
	return false;
}

static void rows_compare(struct sockets *t)
{
	for (size_t i = 0; i < t->now.n; i++) {
		const struct sock *s = &t->now.v[i];
		bool fresh;
		struct known *k = map_put(&t->known, &s->cookie, &fresh);
		if (!k) {
			t->refused++;
			continue;
		}
		k->seen = t->reading;
		if (fresh)
			sock_new(t, k, s);
		else
			sock_again(t, k, s);
	}
}

static void closed_find(struct sockets *t)
{
	const void *key;
	void *value;
	size_t it = 0;

	vec_reset(&t->closed);
	while (map_next(&t->known, &it, &key, &value)) {
		const struct known *k = value;
		if (k->seen == t->reading)
			continue;
		emit(t, k, k->s.state == STATE_LISTEN ? CONN_UNLISTEN : CONN_CLOSE);
		uint64_t *slot = vec_push(&t->closed);
		if (slot)
			*slot = *(const uint64_t *)key;
	}
	for (size_t i = 0; i < t->closed.n; i++)
		map_del(&t->known, &t->closed.v[i]);
}

/* --- the source -------------------------------------------------------------------------------------------------------- */

static int sockets_fd(struct source *s)
{
	return -1;
}

static int sockets_drain(struct source *s, source_fn *fn, void *arg)
{
	struct sockets *t = self(s);
	int err = pids_list(t);

	if (err)
		return err;
	t->reading++;
	t->fn = fn;
	t->arg = arg;
	t->handed = 0;
	vec_reset(&t->now);
	map_reset(&t->listening);
	spaces_find(t);
	for (size_t i = 0; i < t->spaces.n; i++)
		space_read(t, &t->spaces.v[i]);
	if (unknown_owner(t))
		owners_find(t);
	rows_compare(t);
	closed_find(t);
	return t->handed;
}

static void sockets_counters(struct source *s, struct source_counters *ret)
{
	*ret = (struct source_counters){ 0 };
	ret->drops[DROP_STORAGE] = self(s)->refused;
	ret->seen[SEEN_RECORDS] = (uint64_t)self(s)->handed;
}

static void sockets_close(struct source *s)
{
	struct sockets *t = self(s);

	spaces_drop(t, true);
	vec_done(&t->spaces);
	vec_done(&t->now);
	vec_done(&t->pids);
	vec_done(&t->closed);
	map_done(&t->known);
	map_done(&t->owners);
	map_done(&t->listening);
	close(t->procfd);
	free(t);
}

static const struct source_ops ops = {
	.name = "sockets", .fd = sockets_fd, .drain = sockets_drain, .counters = sockets_counters, .close = sockets_close,
};

int sockets_source_open(const char *proc, struct source **ret)
{
	struct sockets *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->base.ops = &ops;
	t->procfd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->procfd < 0) {
		int err = -errno;
		free(t);
		return err;
	}
	t->ours = procfs_is_ours(t->procfd);
	map_init(&t->known, sizeof(uint64_t), sizeof(struct known), MAX_SOCKETS);
	map_init(&t->owners, sizeof(uint32_t), sizeof(uint32_t), 4 * MAX_SOCKETS);
	map_init(&t->listening, sizeof(struct port_key), sizeof(uint8_t), MAX_SOCKETS);
	*ret = &t->base;
	return 0;
}
