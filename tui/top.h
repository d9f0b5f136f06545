/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * top: the terminal view of a recording, live or not.  A reader: everything it shows comes from the store.
 */
#ifndef ROOTLE_TUI_TOP_H
#define ROOTLE_TUI_TOP_H

#include <stdbool.h>

struct top_options {
	const char *db;            /* recording */
	const char *service;       /* filter to begin with; NULL: none */
	bool colour;
	bool ascii;                /* no line drawing even where the terminal could */
	bool live;                 /* a recorder writes it: follow its last tick */
	char *error;               /* one line when it fails */
	unsigned error_cap;
};

/* Runs until the user leaves. 0, or -errno with error filled. The last screen is printed to stdout on leaving, so that it stays
 * in the scrollback. */
int top_run(const struct top_options *o);

#endif
