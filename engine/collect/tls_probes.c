/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/tls_probes.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/map.h"
#include "base/vec.h"
#include "bpf/tls.h"
#include "bpf/tls.skel.h"
#include "collect/bpf_source.h"
#include "collect/link_closer.h"
#include "collect/tls_image.h"
#include "collect/tls_target.h"

#define LINKS_MAX 1024
#define KNOWN_MAX 65536          /* processes remembered as looked at */
#define IMAGES_MAX 4096          /* files looked at; past it no new ones */
#define CALIBRATION_CALLS 1000

struct image_key { uint64_t dev, ino; };

struct user {
	struct tls_user u;
	struct tls_target target[TLS_TARGETS_MAX];
	int targets;
	bool attached;
	VEC(struct bpf_link *) links;    /* of this process alone */
};

struct tls_probes {
	struct tls_bpf *skel;
	struct bpf_link *sockets[2];
	VEC(struct bpf_link *) links;   /* of all processes */
	size_t attached;         /* links, in all */
	VEC(struct user) users;
	struct map known;        /* pid → its start time: looked at already */
	struct map images;       /* struct image_key → struct tls_image *; NULL: none in it */
	struct map hooked;       /* struct image_key → 1: for all processes */
	struct link_closer closer;
	double call_s;
	bool everywhere;
};

/* ---- the function that the cost is measured on ---- */

__attribute__((noinline)) static int measured_call(void *object, const void *buf, int n)
{
	asm volatile("" : : "r"(object), "r"(buf), "r"(n) : "memory");
	return 0;
}

static double calls_s(void)
{
	struct timespec a, b;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
	for (int i = 0; i < CALIBRATION_CALLS; i++)
		measured_call(&a, &b, i);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static struct bpf_link *uprobe(const struct bpf_program *p, int pid, const char *path, uint64_t offset, bool ret)
{
	LIBBPF_OPTS(bpf_uprobe_opts, o, .retprobe = ret);

	return bpf_program__attach_uprobe_opts(p, pid, path, offset, &o);
}

/* Where a function of ours is in our own file. */
static int64_t own_offset(uintptr_t address)
{
	unsigned long long from, to, offset;
	FILE *f = fopen("/proc/self/maps", "re");
	int64_t ret = -ENOENT;
	char line[512];

	while (f && ret < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llx-%llx %*s %llx", &from, &to, &offset) == 3 && address >= from && address < to)
			ret = (int64_t)(address - from + offset);
	if (f)
		fclose(f);
	return ret;
}

static int calibrate(struct tls_probes *p)
{
	int64_t at = own_offset((uintptr_t)measured_call);
	struct bpf_link *in, *out;
	double bare = calls_s();
	int err = 0;

	if (at < 0)
		return (int)at;
	in = uprobe(p->skel->progs.tls_write, getpid(), "/proc/self/exe", (uint64_t)at, false);
	out = uprobe(p->skel->progs.tls_return, getpid(), "/proc/self/exe", (uint64_t)at, true);
	if (in && out)
		p->call_s = (calls_s() - bare) / CALIBRATION_CALLS;
	else
		err = errno == EPERM || errno == EACCES ? -EPERM : -EOPNOTSUPP;
	bpf_link__destroy(in);
	bpf_link__destroy(out);
	if (p->call_s < 0)
		p->call_s = 0;
	return err;
}

/* ---- loading ---- */

/* Maps of both objects are those of the first, which is loaded. */
static int maps_share(struct tls_probes *p, struct source *bpf)
{
	struct bpf_map *m;
	int err = 0;

	bpf_object__for_each_map(m, p->skel->obj) {
		int fd = bpf_source_map(bpf, bpf_map__name(m));

		if (fd >= 0 && !err)
			err = bpf_map__reuse_fd(m, fd);
	}
	return err;
}

static int skeleton_load(struct tls_probes *p, struct source *bpf, bool before_6_3)
{
	int err;

	p->skel = tls_bpf__open();
	if (!p->skel)
		return -errno;
	bpf_program__set_autoload(before_6_3 ? p->skel->progs.tls_sock_wrote : p->skel->progs.tls_sock_wrote_fentry, false);
	bpf_program__set_autoload(before_6_3 ? p->skel->progs.tls_sock_read : p->skel->progs.tls_sock_read_fentry, false);
	err = maps_share(p, bpf);
	if (!err)
		err = tls_bpf__load(p->skel);
	if (!err) {
		p->sockets[0] = bpf_program__attach(before_6_3 ? p->skel->progs.tls_sock_wrote_fentry : p->skel->progs.tls_sock_wrote);
		p->sockets[1] = bpf_program__attach(before_6_3 ? p->skel->progs.tls_sock_read_fentry : p->skel->progs.tls_sock_read);
		err = p->sockets[0] && p->sockets[1] ? 0 : -errno;
	}
	if (!err)
		return 0;
	for (int i = 0; i < 2; i++) {
		bpf_link__destroy(p->sockets[i]);
		p->sockets[i] = NULL;
	}
	tls_bpf__destroy(p->skel);
	p->skel = NULL;
	return err;
}

int tls_probes_open(struct source *bpf, bool everywhere, struct tls_probes **ret)
{
	struct tls_probes *p = calloc(1, sizeof(*p));
	int err = p ? 0 : -ENOMEM;

	if (err)
		return err;
	p->everywhere = everywhere;
	link_closer_init(&p->closer);
	map_init(&p->known, sizeof(uint32_t), sizeof(uint64_t), 0);
	map_init(&p->images, sizeof(struct image_key), sizeof(struct tls_image *), IMAGES_MAX);
	map_init(&p->hooked, sizeof(struct image_key), 1, IMAGES_MAX);
	err = skeleton_load(p, bpf, false);
	if (err && err != -EPERM)
		err = skeleton_load(p, bpf, true);
	if (!err)
		err = calibrate(p);
	if (err) {
		tls_probes_close(p);
		return err == -EPERM ? err : -EOPNOTSUPP;
	}
	*ret = p;
	return 0;
}

static void user_done(struct tls_probes *p, struct user *u)
{
	for (size_t i = 0; i < u->links.n; i++)
		link_closer_put(&p->closer, u->links.v[i]);
	p->attached -= u->links.n;
	vec_done(&u->links);
}

void tls_probes_detach(struct tls_probes *p)
{
	for (size_t i = 0; i < p->users.n; i++)
		user_done(p, &p->users.v[i]);
	p->users.n = 0;
	for (size_t i = 0; i < p->links.n; i++)
		link_closer_put(&p->closer, p->links.v[i]);
	p->attached = p->links.n = 0;
	for (int i = 0; i < 2; i++) {
		link_closer_put(&p->closer, p->sockets[i]);
		p->sockets[i] = NULL;
	}
}

void tls_probes_close(struct tls_probes *p)
{
	void *value;
	size_t it = 0;

	if (!p)
		return;
	tls_probes_detach(p);
	link_closer_done(&p->closer);
	while (map_next(&p->images, &it, NULL, &value))
		free(*(struct tls_image **)value);
	map_done(&p->images);
	map_done(&p->hooked);
	map_done(&p->known);
	vec_done(&p->links);
	vec_done(&p->users);
	tls_bpf__destroy(p->skel);
	free(p);
}

/* ---- finding ---- */

/* The 22nd field of stat(5), behind the last parenthesis: with the pid, who a process is. 0: gone. */
static uint64_t start_of(uint32_t pid)
{
	unsigned long long start = 0;
	char path[64], buf[1024], *at;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	at = fgets(buf, sizeof(buf), f) ? strrchr(buf, ')') : NULL;
	if (!at || sscanf(at + 1, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &start) != 1)
		start = 0;
	fclose(f);
	return start;
}

/* What is in a file, looked at once. *error is set where it has a library that cannot be hooked. */
static const struct tls_image *image_of(struct tls_probes *p, const struct tls_target *t, int *error)
{
	struct image_key k = {t->dev, t->ino};
	struct tls_image **at, *image;
	bool fresh;
	int err;

	at = map_put(&p->images, &k, &fresh);
	if (!at || !fresh)
		return at ? *at : NULL;
	image = malloc(sizeof(*image));
	if (!image)
		return NULL;
	err = tls_image_read(t->path, image);
	if (err) {
		free(image);
		/* what could not be read this time says nothing of the file: the process may have ended meanwhile */
		if (err != -ENOTSUP && err != -EILSEQ && err != -ENOENT)
			map_del(&p->images, &k);
		if (err == -ENOTSUP || err == -EILSEQ)
			*error = err;
		return NULL;
	}
	return *at = image;
}

static void comm_read(struct tls_user *u)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/comm", u->pid);
	f = fopen(path, "re");
	if (!f || !fgets(u->comm, sizeof(u->comm), f))
		u->comm[0] = '\0';
	u->comm[strcspn(u->comm, "\n")] = '\0';
	if (f)
		fclose(f);
}

/* From now on its sockets are looked at, before any of its functions is hooked. */
static int user_count(struct tls_probes *p, const struct tls_user *u)
{
	struct tls_process v = {.kinds = !strcmp(u->library, "go") ? TLS_OF_GO : TLS_OF_C};

	return bpf_map_update_elem(bpf_map__fd(p->skel->maps.tls_processes), &u->pid, &v, BPF_NOEXIST);
}

/* 1: it has a library. */
static int user_find(struct tls_probes *p, uint32_t pid)
{
	struct user user = {.u.pid = pid}, *slot;

	user.targets = tls_targets(pid, user.target);
	for (int i = 0; i < user.targets; i++) {
		const struct tls_image *image = image_of(p, &user.target[i], &user.u.error);

		if (image && !user.u.library)
			user.u.library = image->library;
	}
	if (!user.u.library && !user.u.error)
		return 0;
	comm_read(&user.u);
	if (user.u.library)
		user_count(p, &user.u);
	slot = vec_push(&p->users);
	if (!slot)
		return -ENOMEM;
	*slot = user;
	return 1;
}

/* Libraries are mapped a moment after exec: a process is looked at until it is two seconds old, then not again. */
static bool is_settled(uint64_t start)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec > start / (uint64_t)sysconf(_SC_CLK_TCK) + 2;
}

static bool user_known(const struct tls_probes *p, uint32_t pid)
{
	for (size_t i = p->users.n; i-- > 0;)
		if (p->users.v[i].u.pid == pid)
			return true;
	return false;
}

static int process_look(struct tls_probes *p, uint32_t pid, tls_wanted_fn *wanted, void *arg)
{
	uint64_t start = start_of(pid), *seen = start ? map_put(&p->known, &pid, NULL) : NULL;
	int ret;

	if (!seen || *seen == start || pid == (uint32_t)getpid() || !wanted(arg, pid))
		return 0;
	ret = user_known(p, pid) && !is_settled(start) ? 0 : user_find(p, pid);
	if (ret || is_settled(start))
		*seen = start;
	return ret;
}

/* Those that have ended go, with the probes that were theirs alone. */
static void users_expire(struct tls_probes *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->users.n; i++) {
		if (start_of(p->users.v[i].u.pid))
			p->users.v[n++] = p->users.v[i];
		else
			user_done(p, &p->users.v[i]);
	}
	p->users.n = n;
	if (p->known.n > KNOWN_MAX)
		map_reset(&p->known);
}

int tls_probes_find(struct tls_probes *p, tls_wanted_fn *wanted, void *arg)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int found = 0;

	if (!d)
		return -errno;
	users_expire(p);
	while ((e = readdir(d))) {
		long pid = strtol(e->d_name, NULL, 10);
		int one = pid > 0 ? process_look(p, (uint32_t)pid, wanted, arg) : 0;

		if (one > 0)
			found++;
	}
	closedir(d);
	return found;
}

/* ---- hooking ---- */

static const struct bpf_program *program_of(const struct tls_probes *p, enum tls_hook hook)
{
	const struct bpf_program *const v[TLS_HOOKS] = {
		[TLS_HOOK_WRITE] = p->skel->progs.tls_write, [TLS_HOOK_READ] = p->skel->progs.tls_read,
		[TLS_HOOK_WRITE_EX] = p->skel->progs.tls_write_ex, [TLS_HOOK_READ_EX] = p->skel->progs.tls_read_ex,
		[TLS_HOOK_SHAKE] = p->skel->progs.tls_shake, [TLS_HOOK_FREE] = p->skel->progs.tls_free,
		[TLS_HOOK_GO_WRITE] = p->skel->progs.tls_go_write, [TLS_HOOK_GO_READ] = p->skel->progs.tls_go_read,
		[TLS_HOOK_GO_RETURN] = p->skel->progs.tls_go_return,
	};

	return v[hook];
}

static int link_keep(struct tls_probes *p, struct user *u, struct bpf_link *l)
{
	struct bpf_link **slot = NULL;

	if (!l)
		return -errno;
	if (p->attached < LINKS_MAX)
		slot = p->everywhere ? vec_push(&p->links) : vec_push(&u->links);
	if (!slot) {
		bpf_link__destroy(l);
		return -E2BIG;
	}
	*slot = l;
	p->attached++;
	return 0;
}

/* Returns before beginnings, so that no call is seen to begin whose end will not be. */
static int image_hook(struct tls_probes *p, struct user *u, const struct tls_image *image, const char *path)
{
	int err = 0, pid = p->everywhere ? -1 : (int)u->u.pid;

	for (size_t i = image->n; i-- > 0 && !err;) {
		uint64_t offset = image->at[i].offset;

		if (tls_hook_returns(image->at[i].hook))
			err = link_keep(p, u, uprobe(p->skel->progs.tls_return, pid, path, offset, true));
		if (!err)
			err = link_keep(p, u, uprobe(program_of(p, image->at[i].hook), pid, path, offset, false));
	}
	return err;
}

/* True where it is to be hooked: everywhere, a file is once. */
static bool image_is_new(struct tls_probes *p, const struct tls_target *t)
{
	struct image_key k = {t->dev, t->ino};
	bool fresh = true;

	if (p->everywhere && !map_put(&p->hooked, &k, &fresh))
		return false;
	return fresh;
}

static int user_hook(struct tls_probes *p, struct user *u)
{
	int err = 0, unused;

	for (int i = 0; i < u->targets && !err; i++) {
		const struct tls_image *image = image_of(p, &u->target[i], &unused);

		if (image && image_is_new(p, &u->target[i]))
			err = image_hook(p, u, image, u->target[i].path);
	}
	u->attached = true;
	/* it ended meanwhile: no failure of ours */
	return err == -ESRCH || err == -ENOENT ? 0 : err;
}

int tls_probes_attach(struct tls_probes *p)
{
	for (size_t i = 0; i < p->users.n; i++) {
		struct user *u = &p->users.v[i];
		int err = u->attached ? 0 : user_hook(p, u);

		if (err)
			return err;
	}
	return (int)p->attached;
}

bool tls_probes_user(struct tls_probes *p, size_t i, struct tls_user *ret)
{
	struct tls_process v;

	if (i >= p->users.n)
		return false;
	*ret = p->users.v[i].u;
	if (!bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.tls_processes), &ret->pid, &v))
		ret->ops = v.ops;
	return true;
}

double tls_probes_call_s(const struct tls_probes *p)
{
	return p->call_s;
}

uint64_t tls_probes_hits(const struct tls_probes *p)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *v = cpus > 0 ? calloc((size_t)cpus, sizeof(*v)) : NULL, sum = 0;
	uint32_t zero = 0;

	if (v && !bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.tls_hits), &zero, v))
		for (int i = 0; i < cpus; i++)
			sum += v[i];
	free(v);
	return sum;
}
