/* SPDX-License-Identifier: BSD-2-Clause */
/* The sessions and links of a connection of AMQP 1.0. */
#include "proto/amqp1.h"

#define SESSIONS_MAX 64
#define LINKS_MAX 256

/* A slot for one more of size bytes, the oldest's where the table is full; NULL: no memory. */
static void *slot(void **v, uint32_t *n, uint32_t *cap, uint32_t *oldest, uint32_t max, size_t size, struct proto_sink *s)
{
	uint32_t more = *cap ? *cap * 2 : 1;
	void *p;

	if (*n == *cap && more <= max) {
		p = s->realloc(s, *v, *cap * size, more * size);
		if (p) {
			*v = p;
			*cap = more;
		}
	}
	if (*n < *cap)
		return (char *)*v + (*n)++ * size;
	if (!*n)
		return NULL;
	*oldest %= *n;
	return (char *)*v + (*oldest)++ * size;
}

/* A session that has ended is never looked for: its slot is the first that is used again. */
static struct amqp1_session *session_slot(struct amqp1 *a, struct proto_sink *s)
{
	struct amqp1_session *x;
	void *v = a->sessions;

	for (uint32_t i = 0; i < a->session_n; i++)
		if (!a->sessions[i].has[FROM_CLIENT] && !a->sessions[i].has[FROM_SERVER])
			return &a->sessions[i];
	x = slot(&v, &a->session_n, &a->session_cap, &a->session_oldest, SESSIONS_MAX, sizeof(*x), s);
	a->sessions = v;
	return x;
}

static struct amqp1_link *link_slot(struct amqp1 *a, struct proto_sink *s)
{
	struct amqp1_link *x;
	void *v = a->links;

	for (uint32_t i = 0; i < a->link_n; i++)
		if (!a->links[i].has[FROM_CLIENT] && !a->links[i].has[FROM_SERVER])
			return &a->links[i];
	x = slot(&v, &a->link_n, &a->link_cap, &a->link_oldest, LINKS_MAX, sizeof(*x), s);
	a->links = v;
	return x;
}

void amqp1_session_drop(struct amqp1 *a, uint8_t session)
{
	a->sessions[session] = (struct amqp1_session){0};
	for (uint32_t i = 0; i < a->link_n; i++)
		if (a->links[i].session == session)
			a->links[i] = (struct amqp1_link){.session = session};
}

struct amqp1_session *amqp1_session(struct amqp1 *a, enum proto_dir dir, uint16_t channel, struct proto_sink *s)
{
	struct amqp1_session *x;

	for (uint32_t i = 0; i < a->session_n; i++)
		if (a->sessions[i].has[dir] && a->sessions[i].channel[dir] == channel)
			return &a->sessions[i];
	/* joined behind the begin: most servers take the client's number */
	for (uint32_t i = 0; i < a->session_n; i++) {
		x = &a->sessions[i];
		if (!x->has[dir] && x->has[!dir] && x->channel[!dir] == channel) {
			x->has[dir] = true;
			x->channel[dir] = channel;
			return x;
		}
	}
	x = session_slot(a, s);
	if (!x)
		return NULL;
	amqp1_session_drop(a, (uint8_t)(x - a->sessions));
	x->has[dir] = true;
	x->channel[dir] = channel;
	return x;
}

void amqp1_session_bind(struct amqp1 *a, uint16_t client, uint16_t server)
{
	for (uint32_t i = 0; i < a->session_n; i++)
		if (a->sessions[i].has[FROM_SERVER] && a->sessions[i].channel[FROM_SERVER] == server)
			a->sessions[i].has[FROM_SERVER] = false;
	for (uint32_t i = 0; i < a->session_n; i++) {
		if (a->sessions[i].has[FROM_CLIENT] && a->sessions[i].channel[FROM_CLIENT] == client) {
			a->sessions[i].has[FROM_SERVER] = true;
			a->sessions[i].channel[FROM_SERVER] = server;
			return;
		}
	}
}

struct amqp1_link *amqp1_link(struct amqp1 *a, enum proto_dir dir, uint8_t session, uint32_t handle, struct proto_sink *s)
{
	struct amqp1_link *x;

	for (uint32_t i = 0; i < a->link_n; i++)
		if (a->links[i].session == session && a->links[i].has[dir] && a->links[i].handle[dir] == handle)
			return &a->links[i];
	x = link_slot(a, s);
	if (!x)
		return NULL;
	*x = (struct amqp1_link){.session = session};
	x->has[dir] = true;
	x->handle[dir] = handle;
	return x;
}
