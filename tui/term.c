/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/term.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <string.h>
#include <term.h>
#include <unistd.h>
#include <wchar.h>

static SCREEN *screen;
static bool coloured;
static volatile sig_atomic_t interrupted;
static struct sigaction before[NSIG];
static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

static const struct { enum style style; short pair, colour; attr_t attr; } looks[] = {
	{STYLE_PLAIN, 0, 0, A_NORMAL}, {STYLE_DIM, 0, 0, A_DIM},
	{STYLE_BOLD, 0, 0, A_BOLD}, {STYLE_GOOD, 1, COLOR_GREEN, A_NORMAL},
	{STYLE_WARN, 2, COLOR_YELLOW, A_NORMAL}, {STYLE_BAD, 3, COLOR_RED, A_BOLD},
	{STYLE_TITLE, 4, COLOR_CYAN, A_BOLD}, {STYLE_SELECTED, 0, 0, A_REVERSE},
};

static void start_colours(void)
{
	size_t i;

	start_color();
	use_default_colors();
	for (i = 0; i < sizeof(looks) / sizeof(*looks); i++)
		if (looks[i].pair)
			init_pair(looks[i].pair, looks[i].colour, -1);
}

static void on_signal(int signo)
{
	(void)signo;
	interrupted = 1;
}

/* Ctrl-C and a closed connection leave the same way as the key: the terminal is given back. */
static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal};
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &sa, &before[signals[i]]);
}

static void release_signals(void)
{
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &before[signals[i]], NULL);
}

int term_open(bool colour)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return -ENOTTY;
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return -EINVAL;
	set_term(screen);
	catch_signals();
	set_escdelay(25);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	curs_set(0);
	coloured = colour && has_colors();
	if (coloured)
		start_colours();
	return 0;
}

void term_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
	release_signals();
}

void term_size(int *rows, int *cols)
{
	getmaxyx(stdscr, *rows, *cols);
}

bool term_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static void show_cell(int row, int col, const struct cell *c)
{
	wchar_t text[2] = {(wchar_t)c->cp, 0};
	cchar_t cc;

	setcchar(&cc, text, looks[c->style].attr, coloured ? looks[c->style].pair : 0, NULL);
	mvadd_wch(row, col, &cc);
}

void term_show(const struct grid *g)
{
	int row, col;

	for (row = 0; row < g->rows; row++)
		for (col = 0; col < g->cols; col++)
			if (g->cell[row * g->cols + col].width)
				show_cell(row, col, &g->cell[row * g->cols + col]);
	refresh();
}

static const struct { int curses, ours; } key_map[] = {
	{KEY_UP, KEY_UP_}, {KEY_DOWN, KEY_DOWN_}, {KEY_LEFT, KEY_LEFT_}, {KEY_RIGHT, KEY_RIGHT_},
	{KEY_PPAGE, KEY_PAGE_UP}, {KEY_NPAGE, KEY_PAGE_DOWN}, {KEY_HOME, KEY_HOME_}, {KEY_END, KEY_END_},
	{KEY_ENTER, KEY_ENTER_}, {KEY_BACKSPACE, KEY_BACK}, {KEY_RESIZE, KEY_RESIZE_},
};

int term_key(int timeout_ms)
{
	wint_t c;
	size_t i;
	int kind;

	timeout(timeout_ms);
	errno = 0;
	kind = get_wch(&c);
	if (interrupted || (kind == ERR && errno == EIO))      /* EIO: the terminal is gone */
		return KEY_CLOSED;
	if (kind == ERR)
		return KEY_NONE_;
	for (i = 0; kind == KEY_CODE_YES && i < sizeof(key_map) / sizeof(*key_map); i++)
		if ((int)c == key_map[i].curses)
			return key_map[i].ours;
	if (kind == KEY_CODE_YES)
		return KEY_NONE_;
	switch (c) {
	case '\r':
	case '\n':
		return KEY_ENTER_;
	case 27:
		return KEY_ESC;
	case '\t':
		return KEY_TAB;
	case 127:
	case 8:
		return KEY_BACK;
	default:
		return (int)c;
	}
}
