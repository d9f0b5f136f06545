/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/tls_probes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/vec.h"
#include "bpf/tls.h"
#include "bpf/tls.skel.h"
#include "collect/bpf_source.h"
#include "collect/host.h"
#include "collect/link_closer.h"
#include "collect/procfs.h"
#include "collect/tls_image.h"
#include "collect/tls_look.h"
#include "collect/tls_target.h"

#define LINKS_MAX 1024
#define LOOKS_MAX 256            /* processes whose mappings are read in one pass; the others' turn comes with the next */
#define IMAGES_MAX 4096          /* files looked at; past it no new ones */
#define CALIBRATION_CALLS 1000

struct image_key { uint64_t dev, ino; };

/* What was found in a file; image NULL: no library, or one that cannot be hooked, and `error` says why. */
struct image { struct tls_image *image; int error; };

struct user {
	struct tls_user u;
	uint64_t start_ticks;
	struct tls_target target[TLS_TARGETS_MAX];
	int targets, attached;           /* attached: so many of them are hooked */
	VEC(struct bpf_link *) links;    /* of this process alone */
};

struct tls_probes {
	struct tls_bpf *skel;
	struct bpf_link *sockets[2];
	VEC(struct bpf_link *) links;   /* of all processes */
	size_t attached;         /* links, in all */
	VEC(struct user) users;
	int procfd;              /* of the node's /proc */
	char proc[HOST_PATH_MAX];
	struct tls_look look;
	bool begun;              /* the first pass was made: it looks at all */
	uint32_t turn;           /* the pid that the next pass begins behind: the last one did not get further; 0 */
	struct map images;       /* struct image_key → struct image */
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

int tls_probes_open(struct source *bpf, const char *proc, bool everywhere, struct tls_probes **ret)
{
	struct tls_probes *p = calloc(1, sizeof(*p));
	int err = p ? 0 : -ENOMEM;

	if (err)
		return err;
	p->everywhere = everywhere;
	snprintf(p->proc, sizeof(p->proc), "%s", proc);
	p->procfd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	link_closer_init(&p->closer);
	tls_look_init(&p->look);
	map_init(&p->images, sizeof(struct image_key), sizeof(struct image), IMAGES_MAX);
	map_init(&p->hooked, sizeof(struct image_key), 1, IMAGES_MAX);
	err = p->procfd < 0 ? -errno : skeleton_load(p, bpf, false);
	if (err && err != -EPERM && p->procfd >= 0)
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
		free(((struct image *)value)->image);
	map_done(&p->images);
	map_done(&p->hooked);
	tls_look_done(&p->look);
	if (p->procfd >= 0)
		close(p->procfd);
	vec_done(&p->links);
	vec_done(&p->users);
	tls_bpf__destroy(p->skel);
	free(p);
}

/* ---- finding ---- */

static int stat_read(const struct tls_probes *p, uint32_t pid, struct proc_stat *ret)
{
	char text[1024];

	return pid_file_read(p->procfd, pid, "stat", text, sizeof(text)) > 0 ? proc_stat_parse(text, ret) : -ESRCH;
}

/* What is in a file, looked at once; NULL: nothing. *error is set where it has a library that cannot be hooked. */
static const struct tls_image *image_of(struct tls_probes *p, const struct tls_target *t, int *error)
{
	struct image_key k = {t->dev, t->ino};
	struct image *at;
	bool fresh;

	at = map_put(&p->images, &k, &fresh);
	if (!at)
		return NULL;
	if (fresh) {
		at->image = malloc(sizeof(*at->image));
		at->error = at->image ? tls_image_read(t->path, at->image) : -ENOMEM;
		if (at->error) {
			free(at->image);
			at->image = NULL;
		}
	}
	if (!at->error || at->error == -ENOENT)
		return at->image;
	if (at->error == -ENOTSUP || at->error == -EILSEQ) {
		*error = at->error;
		return NULL;
	}
	/* what could not be read this time says nothing of the file: the process may have ended meanwhile */
	map_del(&p->images, &k);
	return NULL;
}

/* From now on its sockets are looked at, before any of its functions is hooked. */
static int user_count(struct tls_probes *p, const struct tls_user *u)
{
	struct tls_process v = {.kinds = !strcmp(u->library, "go") ? TLS_OF_GO : TLS_OF_C};

	return bpf_map_update_elem(bpf_map__fd(p->skel->maps.tls_processes), &u->pid, &v, BPF_NOEXIST);
}

static struct user *user_of(struct tls_probes *p, uint32_t pid)
{
	for (size_t i = p->users.n; i-- > 0;)
		if (p->users.v[i].u.pid == pid)
			return &p->users.v[i];
	return NULL;
}

static bool has_target(const struct user *u, const struct tls_target *t)
{
	for (int i = 0; i < u->targets; i++)
		if (u->target[i].dev == t->dev && u->target[i].ino == t->ino)
			return true;
	return false;
}

/* Those of its files that have a library and were not known. How many. */
static int targets_add(struct tls_probes *p, struct user *u)
{
	struct tls_target found[TLS_TARGETS_MAX];
	int n = tls_targets(p->proc, u->u.pid, found), added = 0;

	for (int i = 0; i < n && u->targets < TLS_TARGETS_MAX; i++) {
		const struct tls_image *image = has_target(u, &found[i]) ? NULL : image_of(p, &found[i], &u->u.error);

		if (!image)
			continue;
		if (!u->u.library)
			u->u.library = image->library;
		u->target[u->targets++] = found[i];
		added++;
	}
	return added;
}

/* 1: it has a library that it had not before. */
static int user_find(struct tls_probes *p, const struct proc_stat *st)
{
	struct user fresh = {.u.pid = st->pid, .start_ticks = st->start_ticks}, *u = user_of(p, st->pid), *slot;

	if (u && targets_add(p, u)) {
		user_count(p, &u->u);
		return 1;
	}
	if (u || (!targets_add(p, &fresh) && !fresh.u.error))
		return 0;
	snprintf(fresh.u.comm, sizeof(fresh.u.comm), "%.15s", st->comm);
	if (fresh.u.library)
		user_count(p, &fresh.u);
	slot = vec_push(&p->users);
	if (!slot)
		return -ENOMEM;
	*slot = fresh;
	return 1;
}

static void user_drop(struct tls_probes *p, struct user *u)
{
	bpf_map_delete_elem(bpf_map__fd(p->skel->maps.tls_processes), &u->u.pid);
	user_done(p, u);
	*u = p->users.v[--p->users.n];
}

static int process_look(struct tls_probes *p, uint32_t pid, unsigned *looks, tls_wanted_fn *wanted, void *arg)
{
	uint64_t now_ns = clock_ts_ns();
	struct proc_stat st;
	enum tls_due due = stat_read(p, pid, &st) ? TLS_DUE_NOT : tls_look_due(&p->look, &st, now_ns);
	struct user *u;

	if (due == TLS_DUE_NOT || pid == (uint32_t)getpid() || !wanted(arg, pid))
		return 0;
	/* after an exec it is nobody that was known */
	u = due == TLS_DUE_NEW ? user_of(p, pid) : NULL;
	if (u)
		user_drop(p, u);
	(*looks)++;
	tls_looked(&p->look, &st, now_ns);
	return user_find(p, &st);
}

/* Those that have ended go, with the probes that were theirs alone. */
static void users_expire(struct tls_probes *p)
{
	struct proc_stat st;

	for (size_t i = p->users.n; i-- > 0;)
		if (stat_read(p, p->users.v[i].u.pid, &st) || st.start_ticks != p->users.v[i].start_ticks)
			user_drop(p, &p->users.v[i]);
}

/* /proc lists pids in ascending order: where a pass has looked at enough, the next one begins behind. */
int tls_probes_find(struct tls_probes *p, tls_wanted_fn *wanted, void *arg)
{
	int fd = openat(p->procfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = 0;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	uint32_t behind = p->turn;
	unsigned looks = 0;
	struct dirent *e;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return -errno;
	}
	users_expire(p);
	p->turn = 0;
	while (!p->turn && (e = readdir(d))) {
		uint32_t pid = pid_parse(e->d_name);

		if (pid > behind)
			found += process_look(p, pid, &looks, wanted, arg) > 0;
		if (looks >= LOOKS_MAX && p->begun)
			p->turn = pid;
	}
	p->begun = true;
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
	int err = 0, unused = 0;

	for (; u->attached < u->targets && !err; u->attached++) {
		const struct tls_target *t = &u->target[u->attached];
		const struct tls_image *image = image_of(p, t, &unused);

		if (image && image_is_new(p, t))
			err = image_hook(p, u, image, t->path);
	}
	/* it ended meanwhile: no failure of ours */
	return err == -ESRCH || err == -ENOENT ? 0 : err;
}

int tls_probes_attach(struct tls_probes *p)
{
	for (size_t i = 0; i < p->users.n; i++) {
		struct user *u = &p->users.v[i];
		int err = user_hook(p, u);

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
