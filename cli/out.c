/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exit.h"
#include "out.h"
#include "say.h"

#define MIN_COLUMNS 40
#define DEFAULT_COLUMNS 80
#define MAX_COLUMNS_WIDE 1000

static struct {
	char buf[64 * 1024];
	size_t len;
	bool regular;      /* a file: lines may wait in buf */
	bool terminal, narrow, color, utf8;
	size_t columns, rows;
	int error;         /* errno of the write that failed; nothing is written after it */
} out;

/* The terminal's size; into a pipe or file what COLUMNS says, so that a wide table can be had there too. */
static size_t terminal_size(void)
{
	const char *given = getenv("COLUMNS");
	struct winsize ws = {0};
	long columns;

	out.terminal = isatty(STDOUT_FILENO);
	out.narrow = out.terminal || given;
	if (out.terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_col)
		columns = ws.ws_col;
	else
		columns = given ? strtol(given, NULL, 10) : 0;
	out.rows = ws.ws_row > 1 ? ws.ws_row - 1 : 0;
	if (columns <= 0 || columns > MAX_COLUMNS_WIDE)
		return DEFAULT_COLUMNS;
	return columns < MIN_COLUMNS ? MIN_COLUMNS : (size_t)columns;
}

static bool want_color(const char *color)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	if (strcmp(color, "auto"))
		return strcmp(color, "always") == 0;
	return isatty(STDOUT_FILENO) && !(none && *none) && term && strcmp(term, "dumb");
}

void out_init(const char *color)
{
	struct stat st;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);      /* a file size limit is EFBIG, like a full disk, not the end of a recorder */
	setlocale(LC_CTYPE, "");
	out.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	out.regular = fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode);
	out.columns = terminal_size();
	out.color = want_color(color);
}

bool out_colored(void)
{
	return out.color;
}

bool out_utf8(void)
{
	return out.utf8;
}

bool out_terminal(void)
{
	return out.terminal;
}

bool out_is_narrow(void)
{
	return out.narrow;
}

size_t out_rows(void)
{
	return out.rows;
}

size_t out_columns(void)
{
	return out.columns ? out.columns : DEFAULT_COLUMNS;
}

bool out_closed(void)
{
	return out.error != 0;
}

bool out_probe(void)
{
	struct pollfd p = {.fd = STDOUT_FILENO};

	if (!out.error && poll(&p, 1, 0) > 0 && p.revents & (POLLERR | POLLNVAL))
		out.error = EPIPE;
	return out.error != 0;
}

static void write_all(const char *s, size_t n)
{
	while (n && !out.error) {
		ssize_t w = write(STDOUT_FILENO, s, n);

		if (w < 0 && errno == EAGAIN)
			poll(&(struct pollfd){.fd = STDOUT_FILENO, .events = POLLOUT}, 1, -1);
		else if (w < 0 && errno != EINTR)
			out.error = errno;
		if (w > 0) {
			s += w;
			n -= (size_t)w;
		}
	}
}

static void flush(void)
{
	write_all(out.buf, out.len);
	out.len = 0;
}

void out_bytes(const char *s, size_t n)
{
	if (out.error || n == 0)
		return;
	if (out.len + n > sizeof(out.buf))
		flush();
	if (n > sizeof(out.buf)) {
		write_all(s, n);
		return;
	}
	memcpy(out.buf + out.len, s, n);
	out.len += n;
	if (!out.regular && s[n - 1] == '\n')
		flush();
}

void out_line(const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		out.error = ENOMEM;
		return;
	}
	text[n] = '\n';            /* over the NUL: the length says where it ends */
	out_bytes(text, (size_t)n + 1);
	free(text);
}

void out_json(struct json *j)
{
	if (j->failed && !out.error)
		out.error = ENOMEM;
	if (!out.error)
		out_line("%s", j->buf);
	json_reset(j);
}

const char *out_bold(void)
{
	return out.color ? "\033[1m" : "";
}

const char *out_red(void)
{
	return out.color ? "\033[31m" : "";
}

const char *out_dim(void)
{
	return out.color ? "\033[2m" : "";
}

const char *out_plain(void)
{
	return out.color ? "\033[0m" : "";
}

int out_finish(int code)
{
	flush();
	if (out.error == EPIPE)     /* nobody reads on; a verdict was asked for all the same */
		return code == EXIT_CAUSE_FOUND || code == EXIT_UNDETERMINED ? code : EXIT_OK;
	if (out.error)
		return say_error(EXIT_FAILED, "cannot write the output: %s", strerror(out.error));
	return code;
}
