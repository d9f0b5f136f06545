/* SPDX-License-Identifier: BSD-2-Clause */
/* way: the ways to put bytes on a socket and to take them off. */
#ifndef ROOTLE_TESTS_WAY_H
#define ROOTLE_TESTS_WAY_H

#include <stddef.h>
#include <sys/types.h>

struct way {
	const char *name;
	/* All n bytes; 0 or -1 with errno. */
	int (*put)(int fd, const char *p, size_t n);
	/* What is there, at most n bytes: their number, 0 at the end, -1 with errno. */
	ssize_t (*get)(int fd, char *p, size_t n);
};

extern const struct way ways[];
const struct way *way_find(const char *name);   /* NULL: none */

/* uring.c: one send or receive through a ring of its own; async: by a worker of the kernel. */
int uring_put(int fd, const char *p, size_t n, int async);
ssize_t uring_get(int fd, char *p, size_t n, int async);

#endif
