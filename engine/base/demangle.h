/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demangle: names of C++ and Rust functions as people write them, without parameters.  Done where they are read, not where they
 * are recorded: the text comes from any program's symbol table, and readers need no privileges.
 */
#ifndef ROOTLE_BASE_DEMANGLE_H
#define ROOTLE_BASE_DEMANGLE_H

#include <stddef.h>

#define DEMANGLED_MAX 256

/* buf with the demangled name, cut to cap, or name itself where it is not mangled, or this build knows no demangler. */
const char *demangle(char *buf, size_t cap, const char *name);

#endif
