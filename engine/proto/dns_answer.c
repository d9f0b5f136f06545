/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/dns_answer.h"

#include <string.h>

#include "proto/wire.h"

#define HEADER 12u
#define RESPONSE 0x8000u
#define TYPE_A 1
#define TYPE_CNAME 5
#define TYPE_AAAA 28
#define CLASS_IN 1

/* As a host may be called; _ is in names of services. 0: as none is. */
static char host_char(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ? (char)c : 0;
}

/* The question's name, which nothing precedes that it could point to. Where it ends; 0: it is none that can be shown. */
static size_t question_name(const uint8_t *p, size_t n, char *name, size_t cap)
{
	size_t at = HEADER, len = 0;

	while (at < n && p[at] && p[at] < 64 && at + p[at] < n) {
		if (len + p[at] + 2u > cap)
			return 0;
		if (len)
			name[len++] = '.';
		for (size_t i = 1; i <= p[at]; i++) {
			name[len] = host_char(p[at + i]);
			if (!name[len++])
				return 0;
		}
		at += p[at] + 1u;
	}
	if (at >= n || p[at] || !len)
		return 0;
	name[len] = '\0';
	return at + 1;
}

/* Behind the name of a record, which is usually a pointer; 0: it is cut. */
static size_t name_skip(const uint8_t *p, size_t n, size_t at)
{
	while (at < n) {
		if (p[at] >= 0xc0)
			return at + 2;
		if (!p[at])
			return at + 1;
		at += p[at] + 1u;
	}
	return 0;
}

static void address_add(struct dns_answer *ret, const uint8_t *data, size_t len)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	uint8_t *ip;

	if (ret->n == DNS_ADDRESSES)
		return;
	ip = ret->ip[ret->n++];
	memcpy(ip, mapped, sizeof(mapped));
	memcpy(len == 4 ? ip + 12 : ip, data, len);
}

/* One record; where the next begins, 0 where it is cut. */
static size_t record_read(const uint8_t *p, size_t n, size_t at, struct dns_answer *ret)
{
	unsigned type, class, len;
	uint32_t ttl;

	at = name_skip(p, n, at);
	if (!at || at + 10 > n)
		return 0;
	type = be16(p + at);
	class = be16(p + at + 2);
	ttl = be32(p + at + 4);
	len = be16(p + at + 8);
	at += 10;
	if (at + len > n)
		return 0;
	if (class != CLASS_IN || (type != TYPE_A && type != TYPE_AAAA && type != TYPE_CNAME))
		return at + len;
	ret->ttl_s = ttl < ret->ttl_s ? ttl : ret->ttl_s;
	if ((type == TYPE_A && len == 4) || (type == TYPE_AAAA && len == 16))
		address_add(ret, p + at, len);
	return at + len;
}

bool dns_answer_read(const uint8_t *p, size_t n, struct dns_answer *ret)
{
	size_t at;

	ret->n = 0;
	ret->ttl_s = UINT32_MAX;
	if (n < HEADER || !(be16(p + 2) & RESPONSE) || be16(p + 2) & 15 || be16(p + 4) != 1)
		return false;
	at = question_name(p, n, ret->name, sizeof(ret->name));
	if (!at || at + 4 > n || be16(p + at + 2) != CLASS_IN)
		return false;
	at += 4;
	for (unsigned i = be16(p + 6); i && at; i--)
		at = record_read(p, n, at, ret);
	return ret->n > 0;
}
