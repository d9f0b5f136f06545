/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"

#define MAX_REFUSED 65536       /* past it sockets are let in rather than forgotten at random */

void attach_filter_init(struct attach_filter *f, const struct options *o, struct ident_resolver ident)
{
	*f = (struct attach_filter){.o = o, .ident = ident};
	f->active = o && (o->port.n || o->exclude_port.n || o->pid.n || o->exclude_pid.n || o->cgroup.n ||
			  o->exclude_cgroup.n);
	map_init(&f->refused, sizeof(uint64_t), 1, MAX_REFUSED);
}

void attach_filter_done(struct attach_filter *f)
{
	map_done(&f->refused);
}

static bool has_number(const struct number_list *l, uint32_t v)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i] == v)
			return true;
	return false;
}

/* path is `prefix` or below it */
static bool below(const char *path, const char *prefix)
{
	size_t n = strlen(prefix);

	while (n > 1 && prefix[n - 1] == '/')
		n--;
	return strncmp(path, prefix, n) == 0 && (path[n] == '\0' || path[n] == '/' || n == 1);
}

static bool has_cgroup(const struct text_list *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (below(path, l->v[i]))
			return true;
	return false;
}

/* A process that is not known (yet) is let in: its CONN_OWNER record decides again. */
static bool process_wanted(const struct attach_filter *f, uint32_t tgid)
{
	const struct options *o = f->o;
	const struct process_ident *p = tgid ? f->ident.resolve(f->ident.arg, tgid) : NULL;

	if (!tgid)
		return true;
	if ((o->pid.n && !has_number(&o->pid, tgid)) || has_number(&o->exclude_pid, tgid))
		return false;
	if (!p)
		return true;
	return !(o->cgroup.n && !has_cgroup(&o->cgroup, p->cgroup)) && !has_cgroup(&o->exclude_cgroup, p->cgroup);
}

bool attach_process_wanted(const struct attach_filter *f, uint32_t pid)
{
	return !f->active || process_wanted(f, pid);
}

static bool ends_wanted(const struct attach_filter *f, uint16_t lport, uint16_t rport, uint32_t tgid)
{
	const struct options *o = f->o;

	if (o->port.n && !has_number(&o->port, lport) && !has_number(&o->port, rport))
		return false;
	if (has_number(&o->exclude_port, lport) || has_number(&o->exclude_port, rport))
		return false;
	return process_wanted(f, tgid);
}

/* A UDP socket has as many connections as peers: each record says for itself whether it is wanted. */
static bool datagram_wanted(const struct attach_filter *f, const struct ev_datagram *d)
{
	return ends_wanted(f, d->lport, d->rport, d->tgid);
}

bool attach_wanted(struct attach_filter *f, const struct ev_hdr *ev)
{
	if (!f->active || ev->type == EV_PROC)
		return true;
	if (ev->type == EV_DATA)
		return !map_get(&f->refused, &((const struct ev_data *)ev)->cookie);
	if (ev->type == EV_IO)
		return !map_get(&f->refused, &((const struct ev_io *)ev)->cookie);
	if (ev->type == EV_HEALTH)
		return !map_get(&f->refused, &((const struct ev_health *)ev)->cookie);
	if (ev->type == EV_DATAGRAM)
		return datagram_wanted(f, (const struct ev_datagram *)ev);
	if (ev->type != EV_CONN)
		return true;
	const struct ev_conn *c = (const struct ev_conn *)ev;
	bool wanted = ends_wanted(f, c->lport, c->rport, c->tgid);

	if (c->l4 == L4_UDP)
		return wanted;
	if (wanted || c->what == CONN_CLOSE || c->what == CONN_UNLISTEN)
		map_del(&f->refused, &c->cookie);
	else
		map_put(&f->refused, &c->cookie, NULL);
	return wanted;
}

/* A list that does not fit is left out whole: part of an "only" would hide the rest. attach_wanted() has all of it. */
static int ports_from(struct probe_options *po, const struct number_list *l)
{
	for (size_t i = 0; l->n <= KERNEL_FILTER_MAX && i < l->n; i++) {
		uint16_t *slot = vec_push(&po->only_ports);

		if (!slot)
			return -ENOMEM;
		*slot = (uint16_t)l->v[i];
	}
	return 0;
}

static int pids_from(struct probe_options *po, const struct number_list *l)
{
	for (size_t i = 0; l->n <= KERNEL_FILTER_MAX && i < l->n; i++) {
		uint32_t *slot = vec_push(&po->only_pids);

		if (!slot)
			return -ENOMEM;
		*slot = l->v[i];
	}
	return 0;
}

static int exclude_pid(struct probe_options *po, uint32_t pid)
{
	uint32_t *slot = vec_push(&po->exclude_pids);

	if (!slot)
		return -ENOMEM;
	*slot = pid;
	return 0;
}

int probe_options_from(struct probe_options *po, const struct options *o, uint32_t self)
{
	*po = (struct probe_options){0};
	int ret = exclude_pid(po, self);

	if (!o)
		return ret;
	po->btf = o->btf;
	po->rungs = o->rung;
	po->no_profile = o->no_profile;
	po->map_bytes = (size_t)o->memory_bytes;
	if (ret == 0)
		ret = ports_from(po, &o->port);
	if (ret == 0)
		ret = pids_from(po, &o->pid);
	for (size_t i = 0; ret == 0 && i < o->exclude_pid.n && po->exclude_pids.n < KERNEL_FILTER_MAX; i++)
		ret = exclude_pid(po, o->exclude_pid.v[i]);
	return ret;
}

void probe_options_done(struct probe_options *po)
{
	vec_done(&po->only_ports);
	vec_done(&po->only_pids);
	vec_done(&po->exclude_pids);
}
