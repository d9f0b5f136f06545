/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stock-db: stands in for PostgreSQL where that is not installed.  One table of orders, kept as lines of text; an index on the
 * customer, which DROP INDEX and CREATE INDEX take away and bring back; without it a query reads every line.
 */
#include <ctype.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"
#include "pg.h"
#include "role.h"

enum { ORDERS = 200000, CUSTOMERS = 20000, LINE = 32 };

struct table {
	char (*line)[LINE];        /* "id|customer|total" */
	atomic_bool indexed;
};

static bool table_fill(struct table *t)
{
	t->line = calloc(ORDERS, LINE);
	for (int i = 0; t->line && i < ORDERS; i++)
		snprintf(t->line[i], LINE, "%d|%d|%d", i, i % CUSTOMERS, i * 37 % 10000);
	atomic_store(&t->indexed, true);
	return t->line;
}

static int send_row(int fd, const char *text)
{
	unsigned char row[6 + LINE] = {0, 1};
	size_t n = strlen(text);

	row[5] = n;
	memcpy(row + 6, text, n);
	return pg_send(fd, 'D', row, 6 + n);
}

/* Orders of a customer: every CUSTOMERS-th line by the index, else whichever line says so. */
static int select_orders(const struct table *t, int fd, int customer, int first)
{
	bool indexed = atomic_load(&t->indexed);
	int at = indexed ? customer : 0, step = indexed ? CUSTOMERS : 1, rows = 0;

	for (; at < ORDERS; at += step) {
		char *end;
		long id = strtol(t->line[at], &end, 10);

		if (strtol(end + 1, NULL, 10) != customer || id < first)
			continue;
		if (send_row(fd, t->line[at]))
			return -1;
		rows++;
	}
	return rows;
}

/* The number behind a word of the statement, or 0. */
static int number_after(const char *sql, const char *word)
{
	const char *at = strstr(sql, word);

	while (at && *at && !isdigit((unsigned char)*at))
		at++;
	return at ? atoi(at) : 0;
}

static int complete(int fd, const char *tag)
{
	return pg_send(fd, 'C', tag, strlen(tag) + 1) || pg_send(fd, 'Z', "I", 1);
}

static int answer(struct table *t, int fd, const char *sql)
{
	static const char description[] = "\0\1line\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0";
	char tag[32];
	int rows;

	if (strstr(sql, " INDEX")) {
		atomic_store(&t->indexed, strncmp(sql, "CREATE", 6) == 0);
		return complete(fd, strncmp(sql, "CREATE", 6) == 0 ? "CREATE INDEX" : "DROP INDEX");
	}
	if (strncmp(sql, "SELECT", 6) != 0 || !strstr(sql, "customer"))
		return complete(fd, "SELECT 0");
	if (pg_send(fd, 'T', description, sizeof(description) - 1))
		return -1;
	rows = select_orders(t, fd, number_after(sql, "customer"), number_after(sql, "id >="));
	snprintf(tag, sizeof(tag), "SELECT %d", rows);
	return rows < 0 ? rows : complete(fd, tag);
}

static void serve(int fd, void *arg)
{
	char buf[PG_TEXT_MAX];
	size_t n;

	if (pg_receive(fd, 1, buf, sizeof(buf), &n) < 0 || pg_send(fd, 'R', "\0\0\0\0", 4) || pg_send(fd, 'Z', "I", 1))
		return;
	while (pg_receive(fd, 0, buf, sizeof(buf), &n) == 'Q')
		if (answer(arg, fd, buf))
			return;
}

int role_stock_db(char **args)
{
	struct table t;

	if (!table_fill(&t))
		return 1;
	net_serve(atoi(args[0]), serve, &t);
	return 1;
}
