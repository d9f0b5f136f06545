/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/tds.h"
#include "proto/wire.h"

#include <string.h>

bool tds_is_head(enum proto_dir dir, const uint8_t *p, size_t n)
{
	static const uint8_t client[] = {TDS_BATCH, TDS_RPC, TDS_ATTENTION, TDS_BULK, TDS_TRANSACTION, TDS_LOGIN7, TDS_SSPI,
					 TDS_PRELOGIN};

	if (n < TDS_HEAD || p[1] & ~0x1f || be16(p + 2) < TDS_HEAD || be16(p + 2) > TDS_PACKET_MAX || p[7])
		return false;
	return dir == FROM_SERVER ? p[0] == TDS_RESULT : memchr(client, p[0], sizeof(client)) != NULL;
}

/* Headers of a message: their length, then one of 18 bytes that names the transaction. */
static bool has_headers(const uint8_t *p, size_t n)
{
	return n >= 14 && le32(p) >= 22 && le32(p) <= 512 && le32(p + 4) == 18 && le16(p + 8) == 2;
}

static bool is_wide_ascii(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		if (p[i + 1] || (p[i] < ' ' && p[i] != '\t' && p[i] != '\r' && p[i] != '\n') || p[i] >= 0x7f)
			return false;
	return n >= 8;
}

static int infer_client(const uint8_t *p, size_t n)
{
	const uint8_t *q = p + TDS_HEAD;
	size_t len = be16(p + 2), have = (n < len ? n : len) - TDS_HEAD;

	switch (p[0]) {
	case TDS_PRELOGIN:
		/* the first option is the version, of six bytes, behind the list of options */
		if (have < 5)
			return n < len ? -1 : 0;
		return p[1] & 1 && !q[0] && be16(q + 1) >= 6 && be16(q + 1) < 128 && be16(q + 3) == 6 && n <= len ? 95 : 0;
	case TDS_LOGIN7:
		if (have < 8)
			return n < len ? -1 : 0;
		return le32(q) <= 128 * 1024 && le32(q) >= len - TDS_HEAD && q[7] >= 0x70 && q[7] <= 0x74 ? 90 : 0;
	case TDS_BATCH: case TDS_RPC: case TDS_TRANSACTION:
		if (have < 14 && n < len)
			return -1;
		if (has_headers(q, have))
			return 95;
		return p[0] == TDS_BATCH && p[1] <= 1 && n == len && is_wide_ascii(q, have) ? 85 : 0;
	}
	return 0;
}

int tds_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	struct tds_end e;

	if (n < TDS_HEAD)
		return n && (dir == FROM_SERVER ? p[0] != TDS_RESULT : p[0] > TDS_PRELOGIN || !p[0]) ? 0 : -1;
	if (!tds_is_head(dir, p, n))
		return 0;
	if (dir == FROM_CLIENT)
		return infer_client(p, n);
	/* a message in one packet that ends as it must */
	return p[1] & 1 && be16(p + 2) == n && tds_end_read(&e, p + TDS_HEAD, n - TDS_HEAD) ? 75 : 30;
}
