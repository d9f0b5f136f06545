/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Starts, ends, signals and OOM kills that a reader of the timeline wants to know of.
 *
 * A machine starts helpers all the time (shells, coreutils, cron).  A process is worth a word when it leads its tree and
 * listens, belongs to a service that others call, or has worked or been on the network for a tick; what only waits
 * (sleep) or is gone at once is not.  So a start is decided on at the end of a tick, with the time of the exec.
 */
#include "model/internal.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#define WORK_CPU_NS (20 * NS_PER_MS)
#define WORK_BYTES (1u << 20)
#define WAIT_NS (10 * NS_PER_S)      /* one that has done nothing until then is not worth a word */
#define BORN_MAX 1024               /* decided on in one tick; the others in the next */
#define STEADY_NS (30 * NS_PER_S)    /* a process that lasted so long was meant to stay */
#define SETTLE_NS NS_PER_S           /* a server listens by then, so that its instance is known */

static const char *signal_name(int sig, char buf[16])
{
	const char *name = sigabbrev_np(sig);

	if (name)
		snprintf(buf, 16, "SIG%s", name);
	else
		snprintf(buf, 16, "signal %d", sig);
	return buf;
}

static bool is_leader(struct model *m, struct proc *p)
{
	return p->base_name != NONE && proc_leader(m, p) == p;
}

static bool has_worked(const struct proc *p)
{
	const struct proc_count *c = &p->now;

	return c->cpu_ns >= (uint64_t)WORK_CPU_NS || (c->read_bytes != UNKNOWN && c->read_bytes >= WORK_BYTES) ||
	       (c->write_bytes != UNKNOWN && c->write_bytes >= WORK_BYTES);
}

static bool matters(struct model *m, struct proc *p)
{
	uint32_t service = proc_service_find(m, p);

	return p->pid != m->self && service != NONE && service != 0 &&
	       (p->announced || p->listens || service_at(m, service)->serves || (p->reading && has_worked(p)));
}

void life_begin(struct model *m, struct proc *p, uint64_t ts_ns)
{
	if (p->pid == m->self)
		return;
	p->began_now = true;
	if (is_leader(m, p))
		p->born_ns = ts_ns ? ts_ns : 1;
}

/* Something that is meant to run on: a server, or a process that had lasted. A command that is run again and again (a
 * compiler, a client, a cron job) only starts, however often and from wherever. */
static bool is_steady(const struct service *s, const struct proc *p)
{
	bool lasted = s->leader && s->exit_ns && s->exit_ns - s->leader_ns >= (uint64_t)STEADY_NS;

	return p->listens || s->serves || lasted || (p->replaced && !s->exit_ns);
}

/* started, restarted, or restarted as something else: by what was known of the service before. */
static const char *kind_of_start(const struct service *s, const struct proc *p, const char *version)
{
	bool before = s->leader && s->leader != p->pid;
	bool ended = s->exit_ns && (s->exit_ns >= p->born_ns || p->born_ns - s->exit_ns < (uint64_t)GONE_NS);

	if (!is_steady(s, p) || !((before && ended) || p->replaced))
		return "start";
	return version && s->version && s->version != version ? "deploy" : "restart";
}

static void announce(struct model *m, struct proc *p, uint32_t service)
{
	const struct process_ident *i = proc_ident(m, p->pid);
	struct service *s = service_at(m, service);
	const char *version = i ? text_keep(m, i->version) : NULL;
	const char *kind = kind_of_start(s, p, version);
	struct note *n = note_add(m, kind, true);

	if (n) {
		n->ts_ns = p->born_ns;
		n->service = service;
		n->pid = p->pid;
		n->detail = note_printf(m, "%s as pid %u: %.160s",
					!strcmp(kind, "start") ? "started" :
					!strcmp(kind, "restart") ? "restarted" : "restarted with a changed executable",
					p->pid, i && i->cmdline && *i->cmdline ? i->cmdline : i ? i->comm : "");
		if (!strcmp(kind, "deploy")) {
			n->before = note_printf(m, "%s", s->version);
			n->after = note_printf(m, "%s", version);
		}
		if (i && i->ppid > 1)
			n->actor = note_actor(m, i->ppid);
	}
	s->described = false;           /* its executable may be another one now */
	service_describe(m, service, i);
	s->restarts += strcmp(kind, "start") != 0;
	s->version = version ? version : s->version;
	s->leader = p->pid;
	s->leader_ns = p->born_ns;
	p->announced = true;
	p->replaced = false;
	p->born_ns = 0;
}

static void decide(struct model *m, struct proc *p, uint64_t now_ns)
{
	uint64_t age = now_ns > p->born_ns ? now_ns - p->born_ns : 0;
	uint32_t service;
	bool serves, works;

	if (!p->listens && !p->gone_ns && age < (uint64_t)SETTLE_NS)
		return;
	service = proc_service_find(m, p);
	serves = service != NONE && service_at(m, service)->serves;
	works = has_worked(p) || (service != NONE && service_at(m, service)->networked);
	/* a client that is gone at once (curl in a health check) is a helper */
	if (p->listens || serves || (!p->gone_ns && works))
		service = proc_service(m, p);
	else
		service = NONE;
	if (service != NONE && service != 0)
		announce(m, p, service);
	else if (p->gone_ns || age > (uint64_t)WAIT_NS)
		p->born_ns = 0;
}

void life_decide(struct model *m, uint64_t now_ns)
{
	struct proc *born[BORN_MAX];
	size_t it = 0, n = 0, i;
	void *value;

	/* announcing may resolve parents, and so add to the map: first look, then act */
	while (n < BORN_MAX && map_next(&m->procs, &it, NULL, &value))
		if ((*(struct proc **)value)->born_ns)
			born[n++] = *(struct proc **)value;
	for (i = 0; i < n; i++)
		decide(m, born[i], now_ns);
}

static const char *describe_end(struct model *m, bool told, int32_t code)
{
	char name[16];

	if (!told)
		return note_printf(m, "ended");
	if (WIFSIGNALED(code))
		return note_printf(m, "killed by signal %d (%s)", WTERMSIG(code), signal_name(WTERMSIG(code), name));
	return note_printf(m, "exit status %d", WEXITSTATUS(code));
}

/* A daemon's first process ends when the one that it forked goes on: nothing ended. */
static bool lives_on(const struct model *m, const struct proc *p)
{
	size_t it = 0;
	void *value;

	while (map_next(&m->procs, &it, NULL, &value)) {
		const struct proc *o = *(struct proc **)value;

		if (o != p && !o->gone_ns && o->leader == p->pid)
			return true;
	}
	return false;
}

/* Its parent will wait for it, and then has its I/O in its own counter. */
static void bequeath_io(struct model *m, const struct proc *p)
{
	const struct process_ident *i = proc_ident(m, p->pid);
	struct proc *parent = i && i->ppid ? proc_get(m, i->ppid) : NULL;

	if (!parent)
		return;
	parent->reads.pending += p->reads.raw;
	parent->writes.pending += p->writes.raw;
	parent->reads.age = parent->writes.age = 0;
}

void life_end(struct model *m, struct proc *p, uint64_t ts_ns, bool told, int32_t code)
{
	bool leader = is_leader(m, p);
	uint32_t service = proc_service_find(m, p);
	struct note *n;

	if (p->gone_ns)
		return;
	p->gone_ns = ts_ns ? ts_ns : 1;
	bequeath_io(m, p);
	p->ended_now = true;
	if (!matters(m, p) || (!leader && (!told || !code)))
		return;
	if (leader && !code && lives_on(m, p))
		return;
	if (leader)
		service_at(m, service)->exit_ns = p->gone_ns;
	if (p->born_ns)
		decide(m, p, ts_ns);    /* its start comes before its end */
	n = note_add(m, "exit", true);
	if (!n)
		return;
	n->ts_ns = ts_ns;
	n->service = service;
	n->pid = p->pid;
	n->detail = note_printf(m, "pid %u: %s", p->pid, describe_end(m, told, code));
}

/* A leader managing its workers (reload, scale down, stop) is routine; a crash, or a kill, is not. */
static bool is_routine(struct model *m, const struct ev_proc *e, uint32_t service)
{
	switch (e->code) {
	case SIGKILL: case SIGABRT: case SIGSEGV: case SIGBUS: case SIGFPE: case SIGILL:
		return false;
	}
	return e->from && pid_service(m, e->from) == service;
}

static void take_signal(struct model *m, const struct ev_proc *e)
{
	struct proc *p = proc_get(m, e->tgid);
	uint32_t service = p ? proc_service_find(m, p) : NONE;
	const char *kind = "signal";
	struct note *n;
	char name[16];

	if (!p || p->gone_ns || !matters(m, p) || is_routine(m, e, service))
		return;
	if (e->code == SIGSTOP || e->code == SIGTSTP)
		kind = "stop";
	else if (e->code == SIGCONT)
		kind = "cont";
	n = note_add(m, kind, true);
	if (!n)
		return;
	n->ts_ns = e->h.ts_ns;
	n->service = service;
	n->pid = e->tgid;
	n->detail = note_printf(m, "%s to pid %u", signal_name(e->code, name), e->tgid);
	if (e->from)
		n->actor = note_actor(m, e->from);
}

static void take_oom(struct model *m, const struct ev_proc *e)
{
	struct note *n = note_add(m, "oom_kill", false);
	char size[32];

	if (!n)
		return;
	n->ts_ns = e->h.ts_ns;
	n->pid = e->tgid;
	n->detail = note_printf(m, "the kernel killed pid %u (%.15s) for memory: %s resident", e->tgid,
				(const char *)e->comm, size_format(size, sizeof(size), e->rss_kb * 1024.0));
}

void model_process_executed(struct model *m, uint32_t pid, uint64_t ts_ns)
{
	struct proc *old = proc_known(m, pid), *p;
	uint32_t base = old && !old->gone_ns ? old->base_name : NONE;
	bool led = base != NONE && is_leader(m, old) && (old->announced || old->listens);

	p = proc_renew(m, pid);
	if (!p)
		return;
	p->replaced = led && p->base_name == base;
	p->announced = false;
	life_begin(m, p, ts_ns);
}

/* Counted here, for most are gone before anybody could ask for their names. */
static void take_fork(struct model *m, const struct ev_proc *e)
{
	struct proc *p = proc_known(m, e->tgid), *parent = proc_known(m, e->ptgid);
	uint32_t service = parent ? proc_service_find(m, parent) : NONE;

	if (p && p->gone_ns)
		proc_forget(m, e->tgid);        /* the pid is used anew */
	m->forks++;
	if (service != NONE)
		service_at(m, service)->forks++;
}

void life_event(struct model *m, const struct ev_proc *e)
{
	struct proc *p = proc_known(m, e->tgid);

	switch (e->what) {
	case PROC_FORK:
		take_fork(m, e);
		break;
	case PROC_EXEC:
		model_process_executed(m, e->tgid, e->h.ts_ns);
		break;
	case PROC_EXIT:
		if (p)
			life_end(m, p, e->h.ts_ns, true, e->code);
		break;
	case PROC_SIGNAL:
		take_signal(m, e);
		break;
	case PROC_OOM:
		take_oom(m, e);
		break;
	default:
		m->bad_records++;
	}
}
