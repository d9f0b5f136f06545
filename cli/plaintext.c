/* SPDX-License-Identifier: BSD-2-Clause */
#include "plaintext.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "collect/tls_probes.h"
#include "say.h"

#define BUDGET_SECONDS 10
#define ANCESTORS_MAX 16

struct plaintext {
	const struct options *o;
	struct sources *sources;
	struct model *model;
	struct tls_probes *probes;
	bool stopped;
	struct ident_resolver ident;
	size_t said;                    /* processes told of */
	int attached;
	uint64_t begin_ts;
	uint64_t hits;                  /* at the last tick */
	double cost_s[BUDGET_SECONDS];  /* CPU seconds of the last ticks */
	unsigned tick;
};

static bool has(const struct number_list *l, uint32_t v)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i] == v)
			return true;
	return false;
}

/* The process or one that it descends from. */
static bool is_of(const struct plaintext *p, const struct number_list *l, uint32_t pid)
{
	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		const struct process_ident *ident;

		if (has(l, pid))
			return true;
		ident = p->ident.resolve(p->ident.arg, pid);
		pid = ident ? ident->ppid : 0;
	}
	return false;
}

static bool wanted(void *arg, uint32_t pid)
{
	const struct plaintext *p = arg;
	const struct options *o = p->o;

	if (has(&o->exclude_pid, pid))
		return false;
	if (o->tls_pid.n)
		return is_of(p, &o->tls_pid, pid);
	return !o->pid.n || is_of(p, &o->pid, pid);
}

static bool everywhere(const struct options *o)
{
	return !o->tls_pid.n && !o->pid.n && !o->exclude_pid.n;
}

static const char *why_not(int error)
{
	return error == -ENOTSUP ? "built with a Go before 1.18" : "its code cannot be read";
}

static void note(struct plaintext *p, const char *text)
{
	model_note(p->model, clock_unix_ns(), "recorder", text);
}

/* "TLS plaintext of nginx (pid 123, openssl): about 2400 calls/s x 5.4 us = 1.3 % of a core" */
static void say_cost(struct plaintext *p, const struct tls_user *u, double seconds)
{
	double rate = (double)u->ops / seconds, call_s = tls_probes_call_s(p->probes);

	if (!u->library)
		say_note("TLS plaintext of %s (pid %u) cannot be had: %s", u->comm, u->pid, why_not(u->error));
	else
		say_note("TLS plaintext of %s (pid %u, %s): about %.0f calls/s x %.1f us = %.1f %% of a core", u->comm, u->pid,
			 u->library, rate, call_s * 1e6, rate * call_s * 100);
}

static void say_costs(struct plaintext *p, double seconds)
{
	struct tls_user u;

	for (size_t i = 0; tls_probes_user(p->probes, i, &u); i++, p->said++)
		say_cost(p, &u, seconds);
	if (!p->said)
		say_note("TLS plaintext: no process with a TLS library is there yet; those to come are looked at each second");
}

static void attach(struct plaintext *p)
{
	int n = tls_probes_attach(p->probes);
	char text[160];

	if (n < 0) {
		snprintf(text, sizeof(text), "%s", n == -E2BIG ? "too many processes for as many probes" : strerror(-n));
		plaintext_stop(p, text);
		return;
	}
	if (n == p->attached)
		return;
	snprintf(text, sizeof(text), "TLS plaintext: %d probes are attached", n);
	note(p, text);
	p->attached = n;
}

struct plaintext *plaintext_open(const struct options *o, struct sources *s, struct model *m)
{
	struct plaintext *p;
	int err;

	if (!o || !s->bpf || !(o->tls || o->tls_pid.n))
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	*p = (struct plaintext){.o = o, .sources = s, .model = m, .ident = ident_resolver(s->ident)};
	err = tls_probes_open(s->bpf, s->host.proc, everywhere(o), &p->probes);
	if (err) {
		say_note("TLS plaintext cannot be had here: %s", err == -EPERM ? "uprobes are not permitted" :
			 "this kernel has no uprobes for BPF");
		free(p);
		return NULL;
	}
	p->begin_ts = clock_ts_ns();
	tls_probes_find(p->probes, wanted, p);
	return p;
}

void plaintext_begin(struct plaintext *p)
{
	if (!p)
		return;
	say_costs(p, (double)(clock_ts_ns() - p->begin_ts) / 1e9);
	attach(p);
}

/* The share of the node that it has taken lately. */
static double share(struct plaintext *p)
{
	uint64_t hits = tls_probes_hits(p->probes);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	double sum = 0;

	/* a call is two hits */
	p->cost_s[p->tick++ % BUDGET_SECONDS] = (double)(hits - p->hits) / 2 * tls_probes_call_s(p->probes);
	p->hits = hits;
	for (int i = 0; i < BUDGET_SECONDS; i++)
		sum += p->cost_s[i];
	return sum / BUDGET_SECONDS / (double)(cpus > 0 ? cpus : 1);
}

void plaintext_tick(struct plaintext *p)
{
	double now;
	char why[128];

	if (!p || p->stopped)
		return;
	now = share(p);
	if (!isnan(p->o->tls_budget_ratio) && now > p->o->tls_budget_ratio) {
		snprintf(why, sizeof(why), "it took %.1f %% of the node, --tls-budget allows %.1f %%", now * 100,
			 p->o->tls_budget_ratio * 100);
		plaintext_stop(p, why);
		return;
	}
	if (tls_probes_find(p->probes, wanted, p) > 0)
		attach(p);
}

void plaintext_stop(struct plaintext *p, const char *why)
{
	char text[256];

	if (!p || p->stopped)
		return;
	tls_probes_detach(p->probes);
	p->stopped = true;
	snprintf(text, sizeof(text), "TLS plaintext ends: %s", why);
	note(p, text);
	say_note("%s", text);
}

void plaintext_close(struct plaintext *p)
{
	if (!p)
		return;
	tls_probes_close(p->probes);
	free(p);
}
