/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "pg.h"

static uint32_t get32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return ntohl(v);
}

int pg_receive(int fd, int startup, char *buf, size_t cap, size_t *n)
{
	unsigned char head[5] = {0};
	size_t skip = startup ? 1 : 0;
	int err = net_read(fd, head + skip, sizeof(head) - skip);
	uint32_t size = get32(head + 1);

	if (err)
		return err;
	if (size < 4 || size - 4 >= cap)
		return -EMSGSIZE;
	*n = size - 4;
	err = net_read(fd, buf, *n);
	buf[*n] = '\0';
	return err ? err : head[0];
}

int pg_send(int fd, char type, const void *payload, size_t n)
{
	char message[5 + PG_TEXT_MAX];
	uint32_t size = htonl(n + 4);

	if (n > PG_TEXT_MAX)
		return -EMSGSIZE;
	message[0] = type;
	memcpy(message + 1, &size, 4);
	memcpy(message + 5, payload, n);
	return net_write(fd, message, 5 + n);
}

/* Reads until ReadyForQuery. */
static int await_ready(int fd, void (*row)(void *arg, const char *text, size_t n), void *arg)
{
	char buf[PG_TEXT_MAX];
	size_t n = 0;
	int type, rows = 0, failed = 0;

	while ((type = pg_receive(fd, 0, buf, sizeof(buf), &n)) > 0 && type != 'Z') {
		if (type == 'E')
			failed = 1;
		if (type != 'D' || n < 6)
			continue;
		rows++;
		if (row && get32(buf + 2) <= n - 6)
			row(arg, buf + 6, get32(buf + 2));
	}
	if (type < 0)
		return type;
	return failed ? -EPROTO : rows;
}

int pg_connect(uint16_t port, const char *database, int timeout_ms)
{
	char buf[256] = {0, 0, 0, 0, 0, 3, 0, 0};     /* length, protocol 3.0 */
	int fd = net_connect(port, timeout_ms), n, err;

	if (fd < 0)
		return fd;
	n = 8 + snprintf(buf + 8, sizeof(buf) - 9, "user%cshop%cdatabase%c%s", 0, 0, 0, database) + 2;
	buf[3] = n;
	err = net_write(fd, buf, n);
	if (!err)
		err = await_ready(fd, NULL, NULL);
	if (err < 0) {
		close(fd);
		return err;
	}
	return fd;
}

int pg_query(int fd, const char *sql, void (*row)(void *arg, const char *text, size_t n), void *arg)
{
	int err = pg_send(fd, 'Q', sql, strlen(sql) + 1);

	return err ? err : await_ready(fd, row, arg);
}

int pg_run(uint16_t port, const char *database, const char *sql)
{
	int fd = pg_connect(port, database, 60000), rows;

	if (fd < 0)
		return fd;
	rows = pg_query(fd, sql, NULL, NULL);
	pg_send(fd, 'X', "", 0);
	close(fd);
	return rows < 0 ? rows : 0;
}
