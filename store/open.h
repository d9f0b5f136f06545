/* SPDX-License-Identifier: BSD-2-Clause */
/* open: what the other files of store/ need of opening. */
#ifndef ROOTLE_STORE_OPEN_H
#define ROOTLE_STORE_OPEN_H

#include <stdbool.h>

#include "store/store.h"

#define STORE_MIN_BYTES (1024 * 1024ll)    /* least store_limits.max_bytes */

#define STORE_URI_READ "?mode=ro"
#define STORE_URI_IMMUTABLE "?immutable=1"
#define STORE_URI_WRITE "?mode=rw"         /* the file is there */

/* A "file:" URI of the path, whatever is in it, with one of these; caller frees. NULL: no memory. */
char *store_uri(const char *path, const char *query);
/* Nobody writes and there is no -wal: the main file is all there is. */
bool store_file_settled(const char *path);
/* Opens the reader's connection in the way that the file's state asks for. 0 or negative with s->why. */
int store_reconnect(struct store *s);
/* To be called before each read: a file that was opened as immutable may have got a writer since. */
int store_refresh(struct store *s);
/* The writer's file is still the one that its path names. */
bool store_is_there(const struct store *s);
/* Where the first interval begins and the last one ends, 0 where there is none: the cheap part of store_span(). */
int span_range(struct store *s, int64_t *first_ns, int64_t *last_ns);
/* A second, short-lived connection that writes beside the writer: the writer's checks and VFS, but no lock of ours and no limit,
 * which only the writer knows. */
int store_open_beside(const char *path, struct store **ret, struct store_error *err);
/* Fills an empty file with the schema and opens it: a plain file with a rollback journal, no lock, no limits. */
int store_create_plain(const char *path, struct store **ret, struct store_error *err);

#endif
