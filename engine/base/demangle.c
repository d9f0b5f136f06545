/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/demangle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef ROOTLE_DEMANGLE
#include <libiberty/demangle.h>

#define MANGLED_MAX 1024        /* bytes; of templates in templates nobody wants more */

/* Itanium C++ ABI 5.1: _Z; Rust RFC 2603: _R. */
static char *demangled(const char *name)
{
	if (name[0] != '_' || (name[1] != 'Z' && name[1] != 'R') || strlen(name) > MANGLED_MAX)
		return NULL;
	return cplus_demangle(name, DMGL_AUTO | DMGL_NO_OPTS);
}
#else
static char *demangled(const char *name)
{
	return NULL;
}
#endif

/* In a folded stack ';' stands between frames. */
const char *demangle(char *buf, size_t cap, const char *name)
{
	char *text = demangled(name);

	if (!text)
		return name;
	for (char *p = text; (p = strchr(p, ';'));)
		*p = ':';
	snprintf(buf, cap, "%s", text);
	free(text);
	return buf;
}
