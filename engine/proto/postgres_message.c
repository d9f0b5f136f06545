/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/postgres_message.h"
#include "proto/wire.h"

#include <string.h>

#define MESSAGE_MAX (1u << 30)
#define AUTH_MAX (128 * 1024)   /* a ticket of Kerberos or SSPI */

bool pg_is_type(enum proto_dir dir, uint8_t c)
{
	return c && strchr(dir == FROM_CLIENT ? "QPBEDHCSXFdcfp" : "RSKZTDCEINA123tnsVvGHWdc", c);
}

bool pg_length_fits(enum proto_dir dir, uint8_t c, uint32_t len)
{
	if (len < 4 || len > MESSAGE_MAX || !pg_is_type(dir, c))
		return false;
	if (dir == FROM_CLIENT)
		return memchr("HSXc", c, 4) ? len == 4 : c == 'Q' ? len > 4 : c == 'E' ? len >= 9 && len < 600 :
		       c == 'P' ? len >= 8 : c == 'B' ? len >= 12 : c == 'D' || c == 'C' ? len >= 6 && len < 600 : true;
	if (c == 'Z')
		return len == 5;
	if (memchr("123nsIc", c, 7))
		return len == 4;
	if (c == 'C')
		return len > 5 && len < 80;
	if (c == 'K')
		return len >= 12 && len <= 300;
	return c == 'T' || c == 't' || c == 'D' ? len >= 6 : c == 'R' ? len >= 8 && len < AUTH_MAX : len > 4;
}

bool pg_content_fits(enum proto_dir dir, const uint8_t *p, size_t n)
{
	switch (p[0]) {
	case 'Z':
		return n < 6 || p[5] == 'I' || p[5] == 'T' || p[5] == 'E';
	case 'Q':
		return p[n - 1] == '\0' && (n == 6 || p[5] >= '\t');
	case 'C':
		return p[n - 1] == '\0' && (dir == FROM_CLIENT ? p[5] == 'S' || p[5] == 'P' : p[5] >= 'A' && p[5] <= 'Z');
	case 'E':
		return dir == FROM_CLIENT || (p[n - 1] == '\0' && p[5] == 'S');
	default:
		return true;
	}
}

int pg_messages_walk(enum proto_dir dir, const uint8_t *p, size_t n, size_t *end, uint8_t *last)
{
	size_t off = 0;
	int count = 0;

	while (n - off >= 5) {
		uint32_t len = be32(p + off + 1);

		if (!pg_length_fits(dir, p[off], len))
			return -1;
		if (len + 1 > n - off)
			break;
		if (!pg_content_fits(dir, p + off, len + 1))
			return -1;
		*last = p[off];
		off += len + 1;
		count++;
	}
	if (off < n && !pg_is_type(dir, p[off]))
		return -1;
	*end = off;
	return count;
}

static int infer_startup(const uint8_t *p, size_t n)
{
	uint32_t len, code;

	if (p[0])
		return 0;
	if (n < 8)
		return n > 1 && p[1] ? 0 : -1;
	len = be32(p);
	code = be32(p + 4);
	if (len == 8 && (code == PG_SSL || code == PG_GSS))
		return 100;
	if (code == PG_CANCEL && len >= 16 && len <= PG_CANCEL_MAX)
		return 100;
	if (code >> 16 != PG_V3 || len <= 8 || len > PG_STARTUP_MAX)
		return 0;
	if (n < 9)
		return -1;
	/* names of parameters, where Kafka has a number: its requests for metadata begin alike */
	return (p[8] >= 'a' && p[8] <= 'z') || p[8] == '_' || (!p[8] && len == 9) ? 95 : 0;
}

int pg_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	size_t end = 0;
	uint8_t last = 0;
	int count;

	if (!n)
		return -1;
	if (dir == FROM_CLIENT && !p[0])
		return infer_startup(p, n);
	if (!pg_is_type(dir, p[0]))
		return 0;
	if (n < 5)
		return n > 1 && p[1] > 0x40 ? 0 : -1;
	count = pg_messages_walk(dir, p, n, &end, &last);
	if (count < 0)
		return 0;
	if (end == n)
		return last == 'Z' ? 95 : last == 'Q' || last == 'S' ? 80 : 45;
	return count ? 45 : -1;
}
