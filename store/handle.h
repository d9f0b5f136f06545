/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handle: what the files of store/ share: the open recording, its cached statements, and how SQLite's results become ours.
 *
 * Inside the layer a function returns 0 or -errno and leaves the reason in store->why; the functions of store.h turn
 * that into a struct store_error with error_from().  Not for other layers.
 */
#ifndef ROOTLE_STORE_HANDLE_H
#define ROOTLE_STORE_HANDLE_H

#include <sqlite3.h>

#include "base/map.h"
#include "store/dict.h"
#include "store/store.h"
#include "store/sweep.h"

#define STORE_APPLICATION_ID 0x526f746c   /* "Rotl": PRAGMA application_id of a recording */
#define STORE_USER_VERSION 2              /* the number of the newest file in store/schema/ */
#define STORE_PAGE 4096
#define BUSY_MS 2000                      /* that a statement waits for another writer */
#define ROLL_NS (10 * 1000000000ll)       /* length of a rolled-up interval */

enum { SOURCE_RECORDED = 0, SOURCE_ROLLED = 1, SOURCE_IMPORTED = 2 };   /* tick.source */

/* The bucket that is being rolled up, a table a slice. */
struct roll {
	int64_t bucket_ns;           /* its start */
	int64_t tick, last;          /* the row that it becomes; the newest raw tick that goes into it */
	unsigned step;               /* next table; 0: begin */
};

struct cached_stmt { const char *text; sqlite3_stmt *stmt; };

struct store {
	sqlite3 *db;
	char *path;
	bool writer;
	bool immutable;              /* opened without -wal and -shm: nobody wrote then */
	int lock_fd;                 /* -1: no lock held */
	dev_t dev;                   /* of the file that the writer opened, with its inode: */
	ino_t ino;                   /* it may be removed or replaced under our feet */
	bool created;                /* this handle made the file and nothing has come into it yet */
	struct store_limits limits;
	struct dict dict;            /* the writer's numbers for the model's */
	int64_t last_tick_id;        /* newest recorded tick row, 0 none */
	int64_t max_pages;           /* most pages of the main file; 0 unlimited */
	unsigned puts;               /* since open */
	unsigned tight_until;        /* puts until a full disk counts as a thing of the past */
	struct roll roll;
	struct sweep sweep;
	int inotify_fd;              /* store_wait; -1 none */
	char why[384];               /* reason of the last failure */
	VEC(struct cached_stmt) cache;
	VEC(uint8_t) blob;           /* scratch for histograms */
};

/* Fills err and returns -code. */
int error_set(struct store_error *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* err from s->why, prefixed by the path; returns code (negative). */
int error_from(struct store *s, struct store_error *err, int code);

/* -errno of the failed SQLite call on s->db, its message kept in s->why. */
int sql_failed(struct store *s);
/* The prepared statement of a string literal (cached by address), without bindings. NULL: s->why. */
sqlite3_stmt *sql_get(struct store *s, const char *literal);
/* 1: a row, 0: done, negative. sql_step resets the statement unless there is a row. */
int sql_step(struct store *s, sqlite3_stmt *q);
/* Runs it to its end: 0 or negative. */
int sql_run(struct store *s, sqlite3_stmt *q);
int sql_exec(struct store *s, const char *text);
/* Ends a transaction that may or may not be open still. */
void sql_rollback(struct store *s);
/* First column of the first row, or fallback. */
int64_t sql_int(struct store *s, const char *literal, int64_t fallback);

/* Binding with NULL for what is not known: NULL pointer, NaN, negative (bind_count). */
void bind_text(sqlite3_stmt *q, int i, const char *text);
void bind_real(sqlite3_stmt *q, int i, double v);
void bind_id(sqlite3_stmt *q, int i, uint32_t id);        /* 0: NULL */

/* The file's size with -wal and -shm, bytes. */
int64_t store_files_bytes(const char *path);

/* Time as it is stored: whole microseconds. */
static inline int64_t whole_us(int64_t ns)
{
	int64_t rest = ns % 1000;

	return ns - (rest < 0 ? rest + 1000 : rest);
}

#endif
