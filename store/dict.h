/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dict: the numbers that services, edges, operations and series have in the file.
 *
 * The model numbers what it sees once for the life of the process and says what a number means only once.  So the
 * definitions are kept here, whatever becomes of the tick that carried them; their row ids are looked up (or the rows
 * made) when a fact first refers to them, and forgotten when a transaction is rolled back.
 */
#ifndef ROOTLE_STORE_DICT_H
#define ROOTLE_STORE_DICT_H

#include "base/map.h"
#include "base/vec.h"
#include "model/tick.h"

struct store;

/* row: id in the file, 0: not looked up yet; dirty: the row may lack what is known here */
struct dict_service { char *name, *kind, *exe, *why, *image; uint32_t row; bool dirty; };
struct dict_edge { uint32_t from, to; char *protocol; uint16_t port; bool defined; uint32_t row; bool dirty; };
struct dict_op { char *text; uint32_t row; };

struct dict {
	VEC(struct dict_service) services;   /* by the model's number */
	VEC(struct dict_edge) edges;
	VEC(struct dict_op) ops;
	struct map series;                   /* struct series_key → uint32_t row */
	struct map cgroups;                  /* intern number of the path → uint32_t row */
	struct map processes;                /* struct process_key → struct process_row */
	struct intern names;                 /* devices and cgroup paths */
	struct map frames;                   /* hash of the name → uint32_t row */
	struct map stacks;                   /* struct stack_key → uint32_t row */
};

void dict_init(struct dict *d);
void dict_done(struct dict *d);
/* Forgets every row id, keeps the definitions. */
void dict_forget(struct dict *d);
/* Takes over the definitions of a tick. 0 or -ENOMEM (call again: nothing is taken twice). */
int dict_absorb(struct dict *d, const struct tick *t);

/* Row ids by the model's numbers: > 0, or negative. -EINVAL: a number that was never defined. */
int64_t dict_service(struct store *s, uint32_t id);
int64_t dict_edge(struct store *s, uint32_t id);
int64_t dict_op(struct store *s, uint32_t id);
int64_t dict_series(struct store *s, uint32_t service, enum metric_id metric, const char *device);
/* A process of the same pid that started within a second is the same; apart: no, this is another one. */
int64_t dict_process(struct store *s, const struct tick_process *p, int64_t now_ns, bool apart);
int64_t dict_cgroup(struct store *s, const struct tick_cgroup *g);
/* The stack of a folded text, "main;serve;parse"; frames between two ';' that are empty are left out. */
int64_t dict_stack(struct store *s, const char *folded);
/* Rows of stacks and frames were deleted from the file: what is remembered of them goes. */
void dict_forget_stacks(struct dict *d);

/* The same by what they are called, for imports. Found or made; > 0, or negative. NULL strings: not known. */
int64_t row_service(struct store *s, const char *name);
/* src 0: not known; port 0: not known. */
int64_t row_edge(struct store *s, int64_t src, int64_t dst, const char *protocol, int port);
int64_t row_op(struct store *s, const char *text);
int64_t row_series(struct store *s, int64_t service, const char *metric, const char *device);
int64_t row_pattern(struct store *s, int64_t service, const char *template, const char *level, const char *sample);
int64_t row_cgroup(struct store *s, const char *path, int64_t service);
int64_t row_frame(struct store *s, const char *name);
/* parent 0: the outermost frame */
int64_t row_stack(struct store *s, int64_t parent, int64_t frame);
/* Fills in what is given and not NULL. */
int row_service_set(struct store *s, int64_t row, const char *kind, const char *exe, const char *why, const char *image,
		    const char *node);

#endif
