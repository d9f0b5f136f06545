/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What those are called who are not here.  By the first that knows it: the newest answer of DNS that a client of the same network
 * namespace got, or else any client of this node; /etc/hosts as the process here sees it; the name that a TLS client asks for; the
 * address.  A connection keeps the name that it was first filed under; one under an address gets the name when one is known.
 *
 * An answer is good for its time to live, at least MIN_S: programs keep an address for longer than they should.
 */
#include "model/internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/dns_answer.h"

#define REMOTES_MAX 8192
#define MIN_S 300u
#define MAX_S 86400u

struct remote_key { uint8_t ip[16]; uint32_t netns; };      /* netns 0: of any client */
struct remote { uint64_t until_ns; char name[112]; };

static struct remote_key key_of(const uint8_t ip[16], uint32_t netns)
{
	struct remote_key k = {.netns = netns};

	memcpy(k.ip, ip, 16);
	return k;
}

/* All that is over goes at once. */
static void make_room(struct model *m)
{
	VEC(struct remote_key) over = {0};
	const void *key;
	void *value;
	size_t it = 0, i;

	while (map_next(&m->remotes, &it, &key, &value)) {
		const struct remote *r = value;
		struct remote_key *slot = r->until_ns < m->now_ns ? vec_push(&over) : NULL;

		if (slot)
			*slot = *(const struct remote_key *)key;
	}
	for (i = 0; i < over.n; i++)
		map_del(&m->remotes, &over.v[i]);
	vec_done(&over);
}

static void learn(struct model *m, const uint8_t ip[16], uint32_t netns, const char *name, uint64_t until_ns)
{
	struct remote_key k = key_of(ip, netns);
	struct remote *r = map_put(&m->remotes, &k, NULL);

	if (!r && m->now_ns >= m->remotes_swept_ns + NS_PER_S) {
		m->remotes_swept_ns = m->now_ns;
		make_room(m);
		r = map_put(&m->remotes, &k, NULL);
	}
	if (!r) {
		m->lost_remotes++;
		return;
	}
	r->until_ns = until_ns;
	snprintf(r->name, sizeof(r->name), "%s", name);
}

void remote_answer(struct model *m, const uint8_t *message, size_t n, uint32_t netns)
{
	struct dns_answer a;
	uint64_t ttl;

	if (!dns_answer_read(message, n, &a))
		return;
	ttl = a.ttl_s < MIN_S ? MIN_S : a.ttl_s > MAX_S ? MAX_S : a.ttl_s;
	for (uint32_t i = 0; i < a.n; i++) {
		if (addr_is_loopback(a.ip[i]) || addr_is_any(a.ip[i]))
			continue;
		learn(m, a.ip[i], 0, a.name, m->now_ns + ttl * NS_PER_S);
		if (netns)
			learn(m, a.ip[i], netns, a.name, m->now_ns + ttl * NS_PER_S);
	}
}

static bool answered(const struct model *m, const uint8_t ip[16], uint32_t netns, char *name, size_t cap)
{
	struct remote_key k = key_of(ip, netns);
	const struct remote *r = map_get(&m->remotes, &k);

	if (!r || r->until_ns < m->now_ns)
		return false;
	snprintf(name, cap, "%s", r->name);
	return true;
}

static bool in_hosts(const struct model *m, const struct conn *c, unsigned end, const uint8_t ip[16], char *name, size_t cap)
{
	uint32_t pid = c->end[!end].owner;

	return m->o.hosts.find && pid && m->o.hosts.find(m->o.hosts.arg, pid, ip, name, cap);
}

/* Also what a client writes into its first message is text for a terminal: other characters than names have are none. */
static bool asked_for(const struct model *m, const struct conn *c, char *name, size_t cap)
{
	const char *sni = c->sni ? intern_text(&m->snis, c->sni - 1) : "";
	size_t i;

	for (i = 0; sni[i]; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.", sni[i]))
			return false;
	if (!i || i >= cap)
		return false;
	memcpy(name, sni, i + 1);
	return true;
}

const char *const remote_why[] = {[REMOTE_DNS] = "DNS answer", [REMOTE_HOSTS] = "/etc/hosts", [REMOTE_SNI] = "SNI",
				 [REMOTE_ADDRESS] = "address"};

enum remote_source remote_name(const struct model *m, const struct conn *c, unsigned end, char name[REMOTE_NAME])
{
	bool server = end != c->client;
	struct addr seen[2];

	conn_seen(m, c, seen);
	if (m->o.by_address || addr_is_loopback(seen[end].ip))
		goto address;
	if (answered(m, seen[end].ip, c->end[!end].netns, name, REMOTE_NAME) || answered(m, seen[end].ip, 0, name, REMOTE_NAME))
		return REMOTE_DNS;
	if (in_hosts(m, c, end, seen[end].ip, name, REMOTE_NAME))
		return REMOTE_HOSTS;
	if (server && asked_for(m, c, name, REMOTE_NAME))
		return REMOTE_SNI;
address:
	addr_text(name, REMOTE_NAME, seen[end].ip, server ? seen[end].port : 0);
	return REMOTE_ADDRESS;
}

void remotes_init(struct model *m)
{
	map_init(&m->remotes, sizeof(struct remote_key), sizeof(struct remote), REMOTES_MAX);
}

void remotes_done(struct model *m)
{
	map_done(&m->remotes);
}
