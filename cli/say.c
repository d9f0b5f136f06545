/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "say.h"

#define LINE_MAX_BYTES 1024

static bool notes_off, details_on;

void say_level(bool quiet, bool verbose)
{
	notes_off = quiet;
	details_on = verbose && !quiet;
}

static void say_line(const char *prefix, const char *fmt, va_list ap)
{
	char raw[LINE_MAX_BYTES], clean[LINE_MAX_BYTES], line[LINE_MAX_BYTES + 16];
	ssize_t ignored;

	vsnprintf(raw, sizeof(raw), fmt, ap);
	text_clean(clean, sizeof(clean), raw, strlen(raw), true);
	int n = snprintf(line, sizeof(line), "%s%s\n", prefix, clean);
	ignored = write(STDERR_FILENO, line, (size_t)n);
	(void)ignored;   /* there is nobody left to tell */
}

int say_error(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_line("rootle: ", fmt, ap);
	va_end(ap);
	return code;
}

void say_note(const char *fmt, ...)
{
	va_list ap;

	if (notes_off)
		return;
	va_start(ap, fmt);
	say_line("", fmt, ap);
	va_end(ap);
}

void say_detail(const char *fmt, ...)
{
	va_list ap;

	if (!details_on)
		return;
	va_start(ap, fmt);
	say_line("", fmt, ap);
	va_end(ap);
}
