/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/mysql.h"
#include "proto/wire.h"

#include <string.h>
#include <strings.h>

#define GREETING 10
#define VERSION_MAX 64
#define GREETING_MAX 512
#define LOGIN_CAPS (MYSQL_PROTOCOL_41 | 1u << 15)

static bool is_printable(uint8_t c)
{
	return c >= ' ' && c != 0x7f;
}

static bool is_text(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_printable(p[i]) && p[i] != '\n' && p[i] != '\t' && p[i] != '\r')
			return false;
	return n;
}

/* "10", a version, a thread, eight bytes of salt, a zero. */
static int infer_greeting(const uint8_t *p, size_t n)
{
	const uint8_t *v = p + 5, *nul = memchr(v, 0, n - 5 < VERSION_MAX ? n - 5 : VERSION_MAX);
	size_t off;

	if (n < 6)
		return -1;
	if (*v < '0' || *v > '9')
		return 0;
	if (!nul)
		return n - 5 < VERSION_MAX ? -1 : 0;
	if (!is_text(v, (size_t)(nul - v)) || nul - v < 3 || le24(p) < (size_t)(nul - v) + 20 || le24(p) > GREETING_MAX)
		return 0;
	off = (size_t)(nul - p) + 1 + 4 + 8;
	return n <= off ? -1 : p[off] ? 0 : 95;
}

/* An error before any greeting: of a server that lets nobody in. */
static int infer_refusal(const uint8_t *p, size_t n)
{
	size_t len = le24(p);

	if (len < 8 || len > 512)
		return 0;
	if (n < len + MYSQL_HEAD)
		return n < 8 || is_text(p + 7, n - 7) ? -1 : 0;
	return n == len + MYSQL_HEAD && le16(p + 5) >= 1000 && le16(p + 5) < 5000 && is_text(p + 7, len - 3) ? 85 : 0;
}

bool mysql_is_answer(const uint8_t *p, size_t n)
{
	size_t off = 0;
	uint8_t seq = 1;

	if (n < 5 || p[3] != 1 || !le24(p))
		return false;
	for (; n - off >= MYSQL_HEAD; seq++) {
		size_t len = le24(p + off);

		if (p[off + 3] != seq)
			return false;
		if (len + MYSQL_HEAD > n - off)
			return seq > 1 || p[4] == 0xff || len < MYSQL_SPLIT;
		off += len + MYSQL_HEAD;
	}
	return true;
}

static int infer_server(const uint8_t *p, size_t n)
{
	size_t len = le24(p), second;

	if (p[3] > 1)
		return 0;
	if (n < 5)
		return -1;
	if (!p[3])
		return p[4] == GREETING ? infer_greeting(p, n) : p[4] == 0xff ? infer_refusal(p, n) : 0;
	if (p[4] == 0xff)
		return len >= 9 && n >= 13 && n >= len + MYSQL_HEAD && p[7] == '#' && is_text(p + 8, len - 4) ? 85 : 0;
	/* the number of columns, and the first of them, whose catalogue is always "def" */
	second = MYSQL_HEAD + len;
	if (len <= 4 && n >= second + 8 && p[second + 3] == 2 && !memcmp(p + second + 4, "\3def", 4))
		return 90;
	return !p[4] && len >= 7 && n == second && mysql_is_answer(p, n) ? 45 : 0;
}

static bool starts_sql(const uint8_t *p, size_t n)
{
	static const char *const words[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "SET", "SHOW", "BEGIN", "COMMIT", "ROLLBACK",
		"REPLACE", "CREATE", "ALTER", "DROP", "USE", "CALL", "START", "WITH", "EXPLAIN", "TRUNCATE", "LOCK", "UNLOCK",
		"ANALYZE", "DESC", "DO", "GRANT", "FLUSH", "KILL", "XA", "LOAD", "OPTIMIZE", "CHECK", "PREPARE", "EXECUTE"};

	if (n > 2 && p[1] == 1 && p[0] == 0)
		p += 2, n -= 2;         /* no attributes */
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i]);

		if (n >= len && !strncasecmp((const char *)p, words[i], len) && (n == len || p[len] <= ' ' || p[len] == '('))
			return true;
	}
	return false;
}

bool mysql_is_command(const uint8_t *p, size_t n)
{
	enum mysql_answer answer;
	size_t len, have;

	if (n < 5 || p[3] || !mysql_command(p[4], &answer))
		return false;
	len = le24(p);
	have = n - MYSQL_HEAD < len ? n - MYSQL_HEAD : len;
	if (!len)
		return false;
	switch (p[4]) {
	case COM_QUERY:
		return len > 1 && (have < 2 || (p[5] <= 8 ? have < 3 || p[6] <= 1 : is_printable(p[5]) || p[5] <= ' '));
	case COM_STMT_PREPARE:
		return len > 1 && is_text(p + 5, have - 1 < 16 ? have - 1 : 16);
	case COM_STMT_EXECUTE:
		return len >= 10;
	case COM_INIT_DB: case COM_CHANGE_USER: case COM_STMT_SEND_LONG_DATA: case COM_STMT_BULK_EXECUTE:
		return len > 1;
	default:
		return len < 256;
	}
}

/* A command with a text, of `total` bytes. */
static int infer_text(const uint8_t *p, size_t n, size_t total)
{
	if (n < 13 && n < total)
		return -1;
	if (starts_sql(p + 5, (n < total ? n : total) - 5))
		return 80;
	/* no SQL that is known: nothing that speaks against it */
	return n >= total && is_text(p + 5, total - 5) ? 40 : 0;
}

static int infer_client(const uint8_t *p, size_t n)
{
	size_t len = le24(p);

	if (p[3] > 1 || !len)
		return 0;
	if (n < 5)
		return -1;
	if (p[3] == 1) {
		static const uint8_t zero[19];

		/* the answer to a greeting that was not seen; the bytes behind are 23 zeros, MariaDB's fill the last four */
		return len >= 32 && len < 4096 && n >= 36 && n <= len + MYSQL_HEAD && (le32(p + 4) & LOGIN_CAPS) == LOGIN_CAPS &&
		       p[12] && !memcmp(p + 13, zero, 19) ? 90 : 0;
	}
	if (!mysql_is_command(p, n))
		return 0;
	if (p[4] == COM_QUERY || p[4] == COM_STMT_PREPARE)
		return infer_text(p, n, len + MYSQL_HEAD);
	if (n != len + MYSQL_HEAD)
		return n < len + MYSQL_HEAD && n < 16 ? -1 : 0;
	/* one iteration, of a statement with a small number */
	if (p[4] == COM_STMT_EXECUTE)
		return le32(p + 10) == 1 && p[9] < 8 && !p[8] ? 65 : 0;
	return len == 1 ? 30 : 0;
}

int mysql_infer(enum proto_dir dir, const uint8_t *p, size_t n)
{
	if (n < MYSQL_HEAD)
		return n && n < 3 && (dir == FROM_CLIENT || p[0]) ? -1 : n == 3 && p[2] == 0 ? -1 : n ? 0 : -1;
	return dir == FROM_CLIENT ? infer_client(p, n) : infer_server(p, n);
}

size_t mysql_last_packet(const uint8_t *p, size_t n)
{
	static const size_t ends[] = {MYSQL_HEAD + 5, MYSQL_HEAD + 7};

	/* EOF has five bytes: its name, warnings, flags; OK in its place at least seven, two numbers before the flags */
	for (size_t i = 0; i < 2 && n >= ends[i]; i++) {
		const uint8_t *e = p + n - ends[i];

		if (le24(e) + MYSQL_HEAD == ends[i] && e[3] > 1 && e[4] == 0xfe && (i ? !e[5] && !e[6] : e[6] < 8) && e[8] < 0x40)
			return n - ends[i];
	}
	return n;
}
