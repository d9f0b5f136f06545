/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names.  A service is called as its processes are (`redis`).  Two process trees of one name that listen at different
 * ports are two services, `redis:6379` and `redis:6380`.  A name once in a recording must keep its meaning, so: instances
 * that are there in the first interval are all called name:port; where one begins to listen later beside a running one,
 * only the new one is.  An instance that comes back to its port is the same service again.
 */
#include "model/internal.h"

#include <stdio.h>
#include <stdlib.h>

const char *text_keep(struct model *m, const char *s)
{
	uint32_t id = s && *s ? intern_put(&m->texts, s, strlen(s)) : INTERN_NONE;

	m->lost_texts += s && *s && id == INTERN_NONE;
	return id == INTERN_NONE ? NULL : intern_text(&m->texts, id);
}

uint32_t service_get(struct model *m, const char *name, const char *kind, const char *why)
{
	uint32_t id = intern_find(&m->names, name, strlen(name));
	struct service *s, **slot;

	if (id != INTERN_NONE)
		return id;
	s = m->names.n < SERVICES_MAX ? calloc(1, sizeof(*s)) : NULL;
	slot = s ? vec_push(&m->services) : NULL;
	id = slot ? intern_put(&m->names, name, strlen(name)) : INTERN_NONE;
	if (id == INTERN_NONE) {
		m->services.n -= slot != NULL;
		free(s);
		m->lost_services++;
		return NONE;
	}
	*slot = s;
	s->kind = kind;
	s->why = why;
	s->use = (struct usage){.quota_cores = NAN, .mem_limit = NAN};
	return id;
}

uint32_t service_plain(struct model *m, uint32_t base_name)
{
	struct base_name *b = &m->base.v[base_name];

	if (b->plain == NONE)
		b->plain = service_get(m, intern_text(&m->bases, base_name), "app", NULL);
	return b->plain;
}

uint32_t service_others(struct model *m)
{
	return service_get(m, "external:others", "external", remote_why[REMOTE_ADDRESS]);
}

static bool is_external(const struct model *m, uint32_t id)
{
	return !strcmp(service_at(m, id)->kind, "external");
}

uint32_t service_external(struct model *m, const char *name, uint16_t port, const char *why)
{
	uint32_t id = intern_find(&m->names, name, strlen(name));
	char other[160];

	/* somebody of this node is called so: who is not here has to be another */
	if (id != INTERN_NONE && !m->o.by_address && !is_external(m, id)) {
		snprintf(other, sizeof(other), "%s:%u", name, port);
		name = other;
		id = intern_find(&m->names, name, strlen(name));
	}
	if (id != INTERN_NONE)
		return id;
	if (m->externals >= EXTERNALS_MAX) {
		m->lost_services++;
		return service_others(m);
	}
	m->externals++;
	return service_get(m, name, m->o.by_address && strncmp(name, "external:", 9) ? "app" : "external", why);
}

bool service_has_port(const struct service *s, uint16_t port)
{
	uint32_t i;

	for (i = 0; i < s->nports; i++)
		if (s->port[i] == port)
			return true;
	return false;
}

void service_add_port(struct model *m, uint32_t service, uint16_t port)
{
	struct service *s = service == NONE ? NULL : service_at(m, service);

	if (s && s->nports < SERVICE_PORTS && !service_has_port(s, port))
		s->port[s->nports++] = port;
}

static uint32_t choose(struct model *m, const struct proc *leader, uint16_t port)
{
	const struct base_name *b = &m->base.v[leader->base_name];
	char name[128];
	uint32_t id;

	if (b->whole)
		return service_plain(m, leader->base_name);
	snprintf(name, sizeof(name), "%s:%u", intern_text(&m->bases, leader->base_name), port);
	id = intern_find(&m->names, name, strlen(name));
	if (id != INTERN_NONE)
		return id;
	if (!b->split && (b->plain == NONE || !service_at(m, b->plain)->listening ||
			  service_has_port(service_at(m, b->plain), port)))
		return service_plain(m, leader->base_name);
	return service_get(m, name, "app", NULL);
}

/* Instances that share a port (SO_REUSEPORT, an upgrade in place) are one. */
static uint32_t same_port(struct model *m, const struct proc *leader, uint16_t port)
{
	const char *base = intern_text(&m->bases, leader->base_name);
	size_t n = strlen(base), i;

	for (i = 0; i < m->services.n; i++) {
		const char *name = intern_text(&m->names, (uint32_t)i);

		if (!strncmp(name, base, n) && name[n] == ':' && service_at(m, (uint32_t)i)->listening &&
		    service_has_port(service_at(m, (uint32_t)i), port))
			return (uint32_t)i;
	}
	return NONE;
}

/* People have a name for what listens on this port. NONE: they have not. */
static uint32_t by_port(struct model *m, const struct proc *leader, uint16_t port)
{
	struct process_rename r;
	char name[96];
	uint32_t id;

	if (!m->o.ident.rename || !m->o.ident.rename(m->o.ident.arg, leader->pid, port, &r))
		return NONE;
	id = intern_find(&m->names, r.service, strlen(r.service));
	snprintf(name, sizeof(name), "%s:%u", r.service, port);
	if (!r.whole && id != INTERN_NONE && service_at(m, id)->listening && !service_has_port(service_at(m, id), port))
		id = service_get(m, name, "app", NULL);
	else
		id = service_get(m, r.service, "app", NULL);
	if (id != NONE) {
		service_at(m, id)->why = text_keep(m, r.why);
		service_at(m, id)->renamed = true;
	}
	return id;
}

uint32_t service_instance(struct model *m, struct proc *leader, uint16_t port)
{
	if (leader->instance == NONE) {
		leader->instance = by_port(m, leader, port);
		if (leader->instance == NONE)
			leader->instance = same_port(m, leader, port);
		if (leader->instance == NONE)
			leader->instance = choose(m, leader, port);
		m->gen++;
	}
	if (leader->instance != NONE) {
		service_add_port(m, leader->instance, port);
		service_describe(m, leader->instance, proc_ident(m, leader->pid));
	}
	return leader->instance;
}

void service_describe(struct model *m, uint32_t service, const struct process_ident *p)
{
	struct service *s = service_at(m, service);
	const char *kind;

	if (!p || s->described || service == 0)
		return;
	kind = text_keep(m, p->kind);
	s->described = true;
	s->sent = false;
	s->exe = text_keep(m, p->exe);
	s->kind = kind ? kind : s->kind;
	s->image = text_keep(m, p->image);
	if (!s->renamed)
		s->why = text_keep(m, p->why);
	if (!s->version)
		s->version = text_keep(m, p->version);
	if (!s->leader)
		s->leader = p->pid;
}

void services_done(struct model *m)
{
	size_t i;

	for (i = 0; i < m->services.n; i++)
		free(m->services.v[i]);
	vec_done(&m->services);
	intern_done(&m->names);
	intern_done(&m->texts);
	intern_done(&m->bases);
	vec_done(&m->base);
}
