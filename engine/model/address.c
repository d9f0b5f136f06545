/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses: which are loopback, which network namespace has which, their text. */
#include "model/internal.h"

#include <arpa/inet.h>
#include <stdio.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool is_v4(const uint8_t ip[16])
{
	return !memcmp(ip, mapped, 12);
}

bool addr_is_loopback(const uint8_t ip[16])
{
	static const uint8_t one[16] = {[15] = 1};

	return is_v4(ip) ? ip[12] == 127 : !memcmp(ip, one, 16);
}

bool addr_is_any(const uint8_t ip[16])
{
	static const uint8_t any[4];
	static const uint8_t any6[16];

	return is_v4(ip) ? !memcmp(ip + 12, any, 4) : !memcmp(ip, any6, 16);
}

bool addr_same(const struct addr *a, const struct addr *b)
{
	return a->port == b->port && !memcmp(a->ip, b->ip, 16);
}

uint32_t addr_scope(const uint8_t a[16], const uint8_t b[16], uint32_t netns)
{
	return addr_is_loopback(a) || addr_is_loopback(b) ? netns : 0;
}

void addr_learn(struct model *m, const uint8_t ip[16], uint32_t netns)
{
	uint32_t *there;

	if (!netns || addr_is_loopback(ip) || addr_is_any(ip))
		return;
	there = map_put(&m->local, ip, NULL);
	if (there)
		*there = netns;
	else
		m->lost_addresses++;
}

uint32_t addr_netns(const struct model *m, const uint8_t ip[16], uint32_t from)
{
	const uint32_t *there;

	if (addr_is_loopback(ip))
		return from;
	there = map_get(&m->local, ip);
	return there ? *there : 0;
}

char *addr_text(char *buf, size_t cap, const uint8_t ip[16], uint16_t port)
{
	char text[INET6_ADDRSTRLEN] = "?";
	bool v4 = is_v4(ip);

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? ip + 12 : ip, text, sizeof(text));
	if (!port)
		snprintf(buf, cap, "%s", text);
	else
		snprintf(buf, cap, v4 ? "%s:%u" : "[%s]:%u", text, port);
	return buf;
}
