/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pg: the little of PostgreSQL's protocol 3 (simple queries, trust) that the demo's services speak: both ends of it.
 * Messages: PostgreSQL documentation, "Frontend/Backend Protocol", chapter "Message Formats".
 */
#ifndef ROOTLE_DEMO_PG_H
#define ROOTLE_DEMO_PG_H

#include <stddef.h>
#include <stdint.h>

enum { PG_TEXT_MAX = 8192 };

/* A connection that is ready for queries and gives up waiting for an answer after timeout_ms; or -errno. User and database
 * are "shop" and the one given. */
int pg_connect(uint16_t port, const char *database, int timeout_ms);
/* Runs one statement. Calls row() for each row with its first column's text. The number of rows, or -errno (-EPROTO: the
 * server answered with an error; the connection can go on). */
int pg_query(int fd, const char *sql, void (*row)(void *arg, const char *text, size_t n), void *arg);

/* Connects, runs one statement that may take up to a minute, leaves. 0 or -errno. */
int pg_run(uint16_t port, const char *database, const char *sql);

/* One message: type (0: none, the start-up message), 4 bytes of length, payload (n bytes at most cap, NUL behind). The type, or
 * -errno; -EMSGSIZE where it does not fit. */
int pg_receive(int fd, int startup, char *buf, size_t cap, size_t *n);
int pg_send(int fd, char type, const void *payload, size_t n);

#endif
