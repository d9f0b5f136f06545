/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shop: the demo's own service: HTTP/1.1 with keep-alive in front of a PostgreSQL.  A thread and a database connection for each
 * connection.  GET /orders/CUSTOMER lists that customer's orders.
 *
 * Release 2 asks for each order by itself once more (a query in a loop), as a careless change does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net.h"
#include "pg.h"
#include "role.h"

enum { DATABASE_TIMEOUT_MS = 2000 };

struct shop { uint16_t database_port; int release; };

struct page {
	char text[PG_TEXT_MAX];
	size_t n;
	int first_id;
};

/* Adds a row to the page with a check digit: what a template and a price rule cost, some hundred microseconds. */
static void add_order(void *arg, const char *text, size_t n)
{
	struct page *page = arg;
	unsigned sum = 0;

	for (int rule = 0; rule < 16000; rule++)
		for (size_t i = 0; i < n; i++)
			sum = sum * 31 + (unsigned char)text[i];
	if (!page->n)
		page->first_id = atoi(text);
	int put = snprintf(page->text + page->n, sizeof(page->text) - page->n, "%.*s #%08x\n", (int)n, text, sum);

	if (put > 0 && page->n + put < sizeof(page->text))
		page->n += put;
}

static int list_orders(const struct shop *shop, int db, int customer, struct page *page)
{
	char sql[160];
	int rows;

	snprintf(sql, sizeof(sql), "SELECT id, total FROM orders WHERE customer = %d ORDER BY id LIMIT 20", customer);
	rows = pg_query(db, sql, add_order, page);
	for (int i = 0; shop->release > 1 && i < 2 * rows; i++) {
		struct page again = {.n = 0};

		snprintf(sql, sizeof(sql), "SELECT id, note FROM orders WHERE customer = %d AND id >= %d", customer, page->first_id);
		if (pg_query(db, sql, add_order, &again) < 0)
			return -EIO;
	}
	return rows;
}

/* Reads up to the empty line. The length of the head, 0 at the end of the connection, or -errno. */
static ssize_t read_head(int fd, char *buf, size_t cap)
{
	size_t n = 0;

	while (n + 1 < cap) {
		ssize_t got = read(fd, buf + n, cap - 1 - n);

		if (got <= 0)
			return got < 0 ? -errno : 0;
		n += got;
		buf[n] = '\0';
		if (strstr(buf, "\r\n\r\n"))
			return n;
	}
	return -EMSGSIZE;
}

static int reply(int fd, int status, const char *text, size_t n)
{
	static const struct { int status; const char *reason; } reasons[] = {
		{200, "OK"}, {404, "Not Found"}, {502, "Bad Gateway"}, {504, "Gateway Timeout"}};
	const char *reason = "";
	char out[PG_TEXT_MAX + 256];
	int head;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].status == status)
			reason = reasons[i].reason;
	head = snprintf(out, sizeof(out), "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", status,
			reason, n);
	memcpy(out + head, text, n);
	return net_write(fd, out, head + n);
}

/* *db is opened when it is needed, closed and -1 after an error. */
static int answer(const struct shop *shop, int fd, int *db, const char *head)
{
	struct page page = {.n = 0};
	int customer, rows;

	if (sscanf(head, "GET /orders/%d ", &customer) != 1)
		return reply(fd, 404, "no such page\n", 13);
	if (*db < 0)
		*db = pg_connect(shop->database_port, "shop", DATABASE_TIMEOUT_MS);
	rows = *db < 0 ? *db : list_orders(shop, *db, customer, &page);
	if (rows >= 0)
		return reply(fd, 200, page.text, page.n);
	if (*db >= 0)
		close(*db);
	*db = -1;
	return rows == -EAGAIN ? reply(fd, 504, "timeout\n", 8) : reply(fd, 502, "no database\n", 12);
}

static void serve(int fd, void *arg)
{
	char head[4096];
	int db = -1;

	while (read_head(fd, head, sizeof(head)) > 0)
		if (answer(arg, fd, &db, head))
			break;
	if (db >= 0)
		close(db);
}

int role_shop(char **args)
{
	struct shop shop = {.database_port = atoi(args[1]), .release = atoi(args[2])};

	net_serve(atoi(args[0]), serve, &shop);
	return 1;
}
