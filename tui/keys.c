/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/keys.h"

#include <stddef.h>

#include "tui/term.h"

const struct key_row key_table[] = {
	{DO_QUIT, 'q', KEY_CLOSED, "q", "leave"},
	{DO_HELP, '?', 'h', "? h", "this page"},
	{DO_BACK, KEY_ESC, KEY_BACK, "Esc", "back: close help, drop the filter"},
	{DO_VIEW, '1', 0, "1 2 3 4", "map, services, causes, traces"},
	{DO_NEXT_VIEW, KEY_TAB, 0, "Tab", "next view"},
	{DO_UP, 'k', KEY_UP_, "k Up", "up"},
	{DO_DOWN, 'j', KEY_DOWN_, "j Down", "down"},
	{DO_PAGE_UP, KEY_PAGE_UP, 'b', "b PgUp", "a page up"},
	{DO_PAGE_DOWN, KEY_PAGE_DOWN, 'f', "f PgDn", "a page down"},
	{DO_FIRST, 'g', KEY_HOME_, "g Home", "first line"},
	{DO_LAST, 'G', KEY_END_, "G End", "last line"},
	{DO_ENTER, KEY_ENTER_, 0, "Enter", "only this service, what calls it and what it calls"},
	{DO_FILTER, '/', 0, "/", "type a service to show only it"},
	{DO_PAUSE, ' ', 0, "Space", "stop and go on"},
	{DO_EARLIER, '[', KEY_LEFT_, "[ Left", "ten seconds back in time"},
	{DO_LATER, ']', KEY_RIGHT_, "] Right", "ten seconds forth"},
	{DO_NOW, '.', 0, ".", "back to the newest tick"},
	{DO_NOTHING, 0, 0, NULL, NULL},
};

enum request_id key_request(int key)
{
	const struct key_row *r;

	if (key >= '1' && key <= '9')
		return DO_VIEW;
	for (r = key_table; r->keys; r++)
		if (key && (key == r->key || key == r->other_key))
			return r->request;
	return DO_NOTHING;
}
