/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wall: a limit on the bytes of a recording's files that holds whatever SQLite does: a shim over the default VFS that
 * answers SQLITE_FULL to a write that would grow the main file and its -wal and -shm past it.
 *
 * Retention keeps well below the wall; it is what makes "at all times" true during bursts, beside long readers and in
 * checkpoints.  SQLite treats it as a full disk: the transaction is undone, the file stays whole.
 */
#ifndef ROOTLE_STORE_WALL_H
#define ROOTLE_STORE_WALL_H

#include <stdint.h>
#include <sqlite3.h>

#define WALL_VFS "rootle-wall"

/* Registers the VFS once. 0 or -ENOMEM. */
int wall_register(void);
/* bytes: most of the main file, -wal and -shm together; 0: no limit. db was opened with WALL_VFS. */
void wall_set(sqlite3 *db, int64_t bytes);

#endif
