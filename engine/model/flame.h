/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flame: samples of the CPUs added up as a tree: services, below them their stacks from the outermost function inwards.
 */
#ifndef ROOTLE_MODEL_FLAME_H
#define ROOTLE_MODEL_FLAME_H

#include "model/window.h"

#define FLAME_ROOT 0            /* node of everything */

struct flame_node {
	const char *frame;      /* function; of a child of the root the service; lives in the window */
	uint32_t parent;        /* WIN_NONE: the root */
	uint32_t child, next;   /* the child, and the sibling, with the most samples first; WIN_NONE: none */
	uint32_t service;       /* WIN_NONE: the root, or not known whose it is */
	uint32_t depth;         /* 0: the root */
	double self, total;     /* samples in it, and with those of what it calls */
};

struct flame { VEC(struct flame_node) nodes; };

/* A function wherever it is called from. */
struct flame_function {
	const char *frame;
	double samples;         /* in it */
	double most;            /* of them in one node, */
	uint32_t node;          /* this */
};
struct flame_functions { VEC(struct flame_function) list; };

struct flame_wish {
	int64_t since_ns, until_ns;             /* rows that begin in there; 0, 0: all */
	uint32_t service;                       /* WIN_NONE: all */
	const uint32_t *pid;                    /* only these; those that several processes were added up to are left out */
	size_t n_pid;                           /* 0: all */
};

/* 0 or -ENOMEM. Nodes stand behind their parent. flame_done() in either case. */
int flame_init(struct flame *f, const struct window *w, const struct flame_wish *wish);
void flame_done(struct flame *f);
/* All that have samples of their own, by name. 0 or -ENOMEM; to be vec_done() in either case. */
int flame_functions(const struct flame *f, struct flame_functions *ret);
/* One of them; NULL: it is not there. */
const struct flame_function *flame_function_find(const struct flame_functions *v, const char *frame);
/* "serve;parse": the functions of a node below its service; cut at the outer end where it does not fit. Returns buf. */
char *flame_path(const struct flame *f, uint32_t node, const char *between, char *buf, size_t cap);

#endif
