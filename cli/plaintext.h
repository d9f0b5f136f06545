/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plaintext: --tls and --tls-pid: what is inside of TLS, from probes on the libraries of chosen processes.  Says what it will cost
 * before it attaches, and detaches when it costs more than --tls-budget allows.
 */
#ifndef ROOTLE_CLI_PLAINTEXT_H
#define ROOTLE_CLI_PLAINTEXT_H

#include "model/model.h"
#include "options.h"
#include "sources.h"

struct plaintext;

/* Begins to look at the processes; hooks nothing yet. NULL where it was not asked for, or cannot be had here (said on stderr: the
 * recording goes on without). All of it is borrowed and must outlive it. */
struct plaintext *plaintext_open(const struct options *o, struct sources *s, struct model *m);
/* Says what it will cost by what has been seen since, and attaches. p may be NULL. */
void plaintext_begin(struct plaintext *p);
/* Once a second: processes that are new, and what it costs. p may be NULL. */
void plaintext_tick(struct plaintext *p);
/* Detaches for good, with a note of why on the timeline. p may be NULL. */
void plaintext_stop(struct plaintext *p, const char *why);
void plaintext_close(struct plaintext *p);

#endif
