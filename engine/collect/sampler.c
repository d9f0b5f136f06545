/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "collect/cgroups.h"
#include "collect/node.h"
#include "collect/processes.h"
#include "collect/procfs.h"

#define DEFAULT_MAX_PROCESSES 16384
#define STRINGS_LIMIT (16 << 20)   /* bytes of names in one sample */

struct sampler {
	int procfd;
	struct source *bpf;
	struct node node;
	struct processes processes;
	struct cgroups *cgroups;
	int tasks_error;          /* of the iterator's last reading: 0 or -errno */
};

struct sampler *sampler_new(const struct sampler_options *o)
{
	struct sampler *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->bpf = o->bpf;
	s->procfd = open(o->proc ? o->proc : "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->procfd < 0)
		goto fail;
	errno = ENOMEM;
	if (node_init(&s->node, s->procfd) ||
	    processes_init(&s->processes, s->procfd, o->max_processes ? o->max_processes : DEFAULT_MAX_PROCESSES))
		goto fail;
	s->cgroups = cgroups_new(s->procfd, o->sys ? o->sys : "/sys");
	if (s->cgroups)
		return s;
	errno = ENOMEM;
fail:;
	int err = errno;
	sampler_free(s);
	errno = err;
	return NULL;
}

void sampler_free(struct sampler *s)
{
	if (!s)
		return;
	if (s->node.buf)
		node_done(&s->node);
	processes_done(&s->processes);
	cgroups_free(s->cgroups);
	if (s->procfd >= 0)
		close(s->procfd);
	free(s);
}

void sample_init(struct sample *s)
{
	*s = (struct sample){ 0 };
	arena_init(&s->arena, STRINGS_LIMIT);
}

void sample_done(struct sample *s)
{
	vec_done(&s->processes);
	vec_done(&s->cgroups);
	vec_done(&s->devices);
	vec_done(&s->interfaces);
	arena_done(&s->arena);
}

static void sample_reset(struct sample *s)
{
	vec_reset(&s->processes);
	vec_reset(&s->cgroups);
	vec_reset(&s->devices);
	vec_reset(&s->interfaces);
	arena_reset(&s->arena);
}

static void on_task(void *arg, const struct ev_task *t)
{
	processes_task(arg, t);
}

/* One pass of the iterator; /proc where there is none. Once it failed it is not asked again. */
static void processes_collect(struct sampler *s)
{
	if (s->bpf && !s->tasks_error) {
		processes_begin(&s->processes, true);
		int n = bpf_source_tasks(s->bpf, on_task, &s->processes);
		if (n > 0)
			return;
		s->tasks_error = n ? n : -ENODATA;
		processes_forget(&s->processes);
	}
	processes_begin(&s->processes, false);
	processes_scan(&s->processes);
}

int sampler_read(struct sampler *s, struct sample *ret)
{
	sample_reset(ret);
	ret->ts_ns = clock_ts_ns();
	ret->unix_ns = clock_unix_ns();
	int err = node_read(&s->node, ret);
	if (err)
		return err;
	cgroups_begin(s->cgroups);
	processes_collect(s);
	processes_read(&s->processes, s->cgroups, ret);
	cgroups_read(s->cgroups, ret);
	return 0;
}

/* The kernel tells pids of the first namespace; those of a container's /proc are others. */
static void namespace_report(const struct sampler *s, struct probe_report *r)
{
	struct probe_line *l = procfs_is_initial(s->procfd) ? NULL : vec_push(&r->lines);

	if (l)
		*l = (struct probe_line){ .probe = "pid namespace", .rung = "container",
					  .lacks = "processes by their /proc: only command names, and who owns a socket may be wrong",
					  .why = "not the host's pid namespace: run on the host or with --pid=host" };
}

void sampler_report(struct sampler *s, struct probe_report *r)
{
	namespace_report(s, r);
	node_report(&s->node, r);
	processes_report(&s->processes, r);
	cgroups_report(s->cgroups, r);
}
