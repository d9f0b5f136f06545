/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keys: the one list of what keys do: key handling, the help screen and the manual come from it.
 */
#ifndef ROOTLE_TUI_KEYS_H
#define ROOTLE_TUI_KEYS_H

enum request_id {
	DO_NOTHING = 0, DO_QUIT, DO_HELP, DO_BACK, DO_UP, DO_DOWN, DO_PAGE_UP, DO_PAGE_DOWN, DO_FIRST, DO_LAST, DO_ENTER,
	DO_FILTER, DO_PAUSE, DO_NEXT_VIEW, DO_EARLIER, DO_LATER, DO_NOW, DO_VIEW,
};

struct key_row {
	enum request_id request;
	int key, other_key;        /* other_key 0: none */
	const char *keys;          /* as people read it */
	const char *what;
};

/* Ends with a row whose keys is NULL. */
extern const struct key_row key_table[];

/* What the key asks for; digits give DO_VIEW. */
enum request_id key_request(int key);

#endif
