/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbols: the stack of a sample as text: the functions from the outermost to the innermost, separated by ';' ("folded").
 *
 *	main;serve;parse            functions by name
 *	do_syscall_64_[k]           of the kernel
 *	[libx.so.6+0x1c40]          no name is known: where in the file, as objdump has addresses; where a stripped file's
 *	                            unwind table tells, the beginning of the function, else the address itself
 *	[anon]                      code of no file, and of no /tmp/perf-PID.map
 *	[unknown]                   nothing is known: the process ended before it was looked at, or the chain of frame pointers led
 *	                            astray; nothing outside of it is shown, because it would be a guess
 *	[cut]                       the stack goes on outside
 *
 * Names are as the file has them (mangled), with ';' and control characters replaced.  Everything is bounded: processes,
 * modules, names.  Not for several threads with one handle.
 */
#ifndef ROOTLE_COLLECT_SYMBOLS_H
#define ROOTLE_COLLECT_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/event.h"

#define STACK_TEXT_MAX 16384    /* bytes of a folded stack, its NUL included */

struct symbols;

struct symbols_counters {
	uint64_t gone;          /* samples of processes that ended before their mappings could be read */
	uint64_t unreadable;    /* files that could not be read */
	uint64_t too_large;     /* files, the kernel among them, with more functions than are kept */
	uint64_t evicted;       /* files whose functions had to be forgotten */
};

struct symbols *symbols_new(const char *proc);     /* "/proc"; NULL: no memory */
void symbols_free(struct symbols *s);

/* Reads what is not known yet, so that it may take milliseconds, the first time tens. buf has STACK_TEXT_MAX bytes. Its length. */
size_t symbols_fold(struct symbols *s, const struct ev_stack *e, char *buf);
void symbols_counters(const struct symbols *s, struct symbols_counters *ret);

#endif
