/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lock: the writer's lock of a recording F: an OFD lock on "F.lock", whose content is the writer's pid.  The lock is the
 * truth; content without a lock is a leftover of a writer that was killed.
 */
#ifndef ROOTLE_STORE_LOCK_H
#define ROOTLE_STORE_LOCK_H

#include <stdint.h>
#include <sys/types.h>

/* A descriptor that holds the lock, or -errno; -EBUSY: *pid is the holder's (0: it did not say). */
int lock_take(const char *path, uint32_t *pid);
/* Gives it back and removes the lock file. fd may be -1. */
void lock_release(int fd, const char *path);
/* The pid of the writer of F; 0: nobody writes, or it may not be asked. */
uint32_t lock_holder(const char *path);

/* Creates an empty file that did not exist: 0640 and group rootle where that group exists and we may give files to it,
 * else 0600. A descriptor or -errno. */
int file_create(const char *path);

#endif
