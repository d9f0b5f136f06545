/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who listens at which address of which network namespace, and who did last: a refused connect must be able to name the
 * service that is gone.  Several sockets at one address (SO_REUSEPORT) are one listener.
 */
#include "model/internal.h"

#include <stdlib.h>

#define KEEP_NS (3600 * NS_PER_S)
#define LOCAL_MAX 1024

struct listener_key { uint8_t ip[16]; uint32_t netns; uint16_t port, pad; };

static struct listener_key key_of(const uint8_t ip[16], uint16_t port, uint32_t netns)
{
	struct listener_key k = {.netns = netns, .port = port};

	memcpy(k.ip, ip, 16);
	return k;
}

static struct listener *at(struct model *m, const uint8_t ip[16], uint16_t port, uint32_t netns)
{
	struct listener_key k = key_of(ip, port, netns);
	const uint32_t *i = map_get(&m->listener_addr, &k);

	return i ? &m->listeners.v[*i] : NULL;
}

/* An open one goes before one that is gone: a server may have moved from its own address to all of them. */
struct listener *listener_find(struct model *m, const struct addr *a, uint32_t netns)
{
	static const uint8_t any6[16];
	static const uint8_t any4[16] = {[10] = 0xff, [11] = 0xff};
	const uint8_t *const ip[] = {a->ip, any4, any6};
	struct listener *gone = NULL;
	size_t i;

	if (!netns)
		return NULL;
	for (i = 0; i < 3; i++) {
		struct listener *l = at(m, ip[i], a->port, netns);

		if (l && l->sockets)
			return l;
		if (l && (!gone || l->gone_ns > gone->gone_ns))
			gone = l;
	}
	return gone;
}

static void set_service(struct model *m, struct listener *l, uint32_t service)
{
	if (l->service == service)
		return;
	if (l->service != NONE && l->sockets && service_at(m, l->service)->listening)
		service_at(m, l->service)->listening--;
	l->service = service;
	if (service != NONE && l->sockets)
		service_at(m, service)->listening++;
	m->gen++;
}

static void set_owner(struct model *m, struct listener *l, uint32_t pid)
{
	struct proc *p = pid ? proc_get(m, pid) : NULL;
	struct proc *leader;
	uint32_t service;

	if (!p)
		return;
	l->owner = pid;
	proc_emancipate(m, p);
	leader = proc_leader(m, p);
	p->listens = leader->listens = true;
	if (!m->named)
		return;
	service = leader->base_name == NONE ? proc_service(m, p) : service_instance(m, leader, l->a.port);
	if (service != NONE)
		service_at(m, service)->networked = service_at(m, service)->serves = true;
	set_service(m, l, service);
}

/* The place of a listener nobody has needed for the longest time. */
static struct listener *recycle(struct model *m)
{
	struct listener *old = NULL;
	struct listener_key k;
	size_t i;

	for (i = 0; i < m->listeners.n; i++) {
		struct listener *l = &m->listeners.v[i];

		if (!l->sockets && (!old || l->gone_ns < old->gone_ns))
			old = l;
	}
	if (!old)
		return NULL;
	k = key_of(old->a.ip, old->a.port, old->netns);
	map_del(&m->listener_addr, &k);
	return old;
}

static struct listener *create(struct model *m, const struct ev_conn *e)
{
	struct listener_key k = key_of(e->laddr, e->lport, e->netns);
	struct listener *l = m->listeners.n < LISTENERS_MAX ? vec_push(&m->listeners) : recycle(m);
	uint32_t *slot = l ? map_put(&m->listener_addr, &k, NULL) : NULL;

	if (!slot) {
		m->lost_listeners++;
		return NULL;
	}
	*slot = (uint32_t)(l - m->listeners.v);
	*l = (struct listener){.netns = e->netns, .service = NONE};
	memcpy(l->a.ip, e->laddr, 16);
	l->a.port = e->lport;
	return l;
}

static void note_listener(struct model *m, const char *kind, const struct listener *l)
{
	struct note *n = m->named ? note_add(m, kind, true) : NULL;
	char text[64];

	if (!n)
		return;
	n->service = l->service;
	n->pid = l->owner;
	n->detail = note_printf(m, "%s %s", l->sockets ? "listens at" : "no longer listens at",
				addr_text(text, sizeof(text), l->a.ip, l->a.port));
}

static void begin(struct model *m, const struct ev_conn *e)
{
	struct listener *l = at(m, e->laddr, e->lport, e->netns);
	struct listening *slot;
	bool fresh;

	if (!e->lport)
		return;
	if (!l)
		l = create(m, e);
	slot = l ? map_put(&m->listener_cookie, &e->cookie, &fresh) : NULL;
	if (!slot)
		return;
	/* one that was there before us threw away what it threw away */
	if (fresh)
		*slot = (struct listening){.heard = m->named};
	slot->listener = (uint32_t)(l - m->listeners.v);
	if (fresh && !l->sockets++ && l->service != NONE)
		service_at(m, l->service)->listening++;
	addr_learn(m, e->laddr, e->netns);
	set_owner(m, l, e->tgid);
	if (fresh && l->sockets == 1)
		note_listener(m, "listen", l);
}

static void end(struct model *m, const struct ev_conn *e)
{
	const struct listening *i = map_get(&m->listener_cookie, &e->cookie);
	struct listener *l = i ? &m->listeners.v[i->listener] : NULL;

	if (!l)
		return;
	map_del(&m->listener_cookie, &e->cookie);
	if (!l->sockets || --l->sockets)
		return;
	if (l->service != NONE && service_at(m, l->service)->listening)
		service_at(m, l->service)->listening--;
	l->gone_ns = e->h.ts_ns;
	note_listener(m, "unlisten", l);
}

void listener_event(struct model *m, const struct ev_conn *e)
{
	if (e->what == CONN_LISTEN)
		begin(m, e);
	else
		end(m, e);
}

bool listener_take(struct model *m, const struct ev_conn *e)
{
	const struct listening *i = m->listener_cookie.n ? map_get(&m->listener_cookie, &e->cookie) : NULL;

	if (!i)
		return false;
	if (e->what == CONN_OWNER)
		set_owner(m, &m->listeners.v[i->listener], e->tgid);
	else if (e->what == CONN_CLOSE)
		end(m, e);
	return true;
}

void listener_health(struct model *m, const struct ev_health *e)
{
	struct listening *i = map_get(&m->listener_cookie, &e->cookie);
	struct listener *l = i ? &m->listeners.v[i->listener] : NULL;

	if (!l)
		return;
	if (l->pass != m->pass)
		l->queue = l->backlog = 0;
	l->pass = m->pass;
	l->queue += e->recv_queue;
	l->backlog += e->send_queue;
	if (i->heard)
		l->overflows += e->drops - i->drops;    /* the kernel's counter wraps, too */
	i->heard = true;
	i->drops = e->drops;
}

static int by_port(const void *pa, const void *pb)
{
	const struct listener *a = *(struct listener *const *)pa, *b = *(struct listener *const *)pb;

	if (a->a.port != b->a.port)
		return a->a.port < b->a.port ? -1 : 1;
	return a < b ? -1 : a > b;
}

/* Another process tree of this name listens at other ports only: then neither can be called by the name alone. */
static bool is_split(struct model *m, struct listener *const *v, size_t n, const struct proc *leader)
{
	bool other = false;
	size_t i, k;

	for (i = 0; i < n; i++) {
		struct proc *p = proc_get(m, v[i]->owner);

		if (!p || proc_leader(m, p)->base_name != leader->base_name || proc_leader(m, p) == leader)
			continue;
		other = true;
		for (k = 0; k < n; k++) {
			struct proc *mine = proc_get(m, v[k]->owner);

			if (mine && proc_leader(m, mine) == leader && v[k]->a.port == v[i]->a.port)
				return false;
		}
	}
	return other;
}

void listeners_decide(struct model *m)
{
	struct listener **v = calloc(m->listeners.n + 1, sizeof(*v));
	size_t i, n = 0;

	for (i = 0; v && i < m->listeners.n; i++)
		if (m->listeners.v[i].sockets && m->listeners.v[i].owner)
			v[n++] = &m->listeners.v[i];
	if (n)
		qsort(v, n, sizeof(*v), by_port);
	for (i = 0; i < n; i++) {
		struct proc *p = proc_get(m, v[i]->owner);
		struct proc *leader = p ? proc_leader(m, p) : NULL;

		if (leader && leader->base_name != NONE && !m->base.v[leader->base_name].split)
			m->base.v[leader->base_name].split = is_split(m, v, n, leader);
	}
	for (i = 0; i < n; i++)         /* ascending: an instance is called by its lowest port */
		set_owner(m, v[i], v[i]->owner);
	free(v);
}

void listeners_refresh(struct model *m)
{
	size_t i;

	for (i = 0; i < m->listeners.n; i++) {
		struct listener *l = &m->listeners.v[i];

		if (l->sockets && l->service == NONE && l->owner)
			set_owner(m, l, l->owner);
		if (!l->sockets && l->gone_ns + KEEP_NS < m->now_ns)
			l->service = NONE;      /* too long ago to blame it */
	}
}

void listeners_reset(struct model *m)
{
	size_t i;

	for (i = 0; i < m->listeners.n; i++)
		m->listeners.v[i].overflows = 0;
}

void listeners_done(struct model *m)
{
	vec_done(&m->listeners);
	map_done(&m->listener_addr);
	map_done(&m->listener_cookie);
	map_done(&m->local);
}

void listeners_init(struct model *m)
{
	map_init(&m->listener_addr, sizeof(struct listener_key), sizeof(uint32_t), LISTENERS_MAX);
	map_init(&m->listener_cookie, sizeof(uint64_t), sizeof(struct listening), 4 * LISTENERS_MAX);
	map_init(&m->local, 16, sizeof(uint32_t), LOCAL_MAX);
}
