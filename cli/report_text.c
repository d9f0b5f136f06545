/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_text: an incident as someone reads it at 3 a.m.: a label in the margin, sentences behind it, 80 columns, readable
 * without colour.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "diagnose.h"
#include "out.h"
#include "table.h"

#define MARGIN 10
#define REPORT_COLUMNS 80

/* How much of s goes on a line of `width`: to a space, but not between a number and its "%"; and a command at its end, which
 * is there to be copied, starts a line where it fits on one. */
static size_t line_length(const char *s, size_t width)
{
	const char *command = strstr(s, ": rootle ");
	size_t take = strlen(s);

	if (take <= width)
		return take;
	if (command && (size_t)(command - s) < width && strlen(command + 2) <= width)
		return (size_t)(command + 1 - s);
	for (take = width; take && (s[take] != ' ' || s[take + 1] == '%'); take--)
		;
	return take ? take : strcspn(s, " ");           /* one long word: it may stand out */
}

/* "label     text", wrapped; the label stands on the first line only. */
static void labelled(const char *label, const char *text)
{
	size_t width = REPORT_COLUMNS - MARGIN, n = strlen(text);
	char *clean = malloc(3 * n + 1);
	const char *s = clean;

	if (!clean)
		return;
	text_clean(clean, 3 * n + 1, text, n, out_utf8());
	while (*s) {
		size_t take = line_length(s, width);

		out_line("%-*s%.*s", MARGIN, label, (int)take, s);
		label = "";
		s += take;
		s += strspn(s, " ");
	}
	free(clean);
}

static void labelledf(const char *label, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void labelledf(const char *label, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	labelled(label, text);
	free(text);
}

static void print_coverage(char *buf, size_t cap, const struct win_coverage *c)
{
	if (isnan(c->events) || isnan(c->lost_events) || c->events + c->lost_events <= 0)
		snprintf(buf, cap, "not known");
	else if (c->lost_events <= 0)
		snprintf(buf, cap, "100 %%");
	else
		snprintf(buf, cap, "%.2f %% (lost %.0f events)", 100 * c->events / (c->events + c->lost_events),
			 c->lost_events);
}

/* "14:02:10", with the date in front where that is not today's. */
static char *print_instant(char *buf, size_t cap, int64_t unix_ns, int64_t now_ns)
{
	time_t t = (time_t)(unix_ns / NS_PER_S), now = (time_t)(now_ns / NS_PER_S);
	struct tm at, today;

	localtime_r(&t, &at);
	localtime_r(&now, &today);
	bool same = at.tm_year == today.tm_year && at.tm_yday == today.tm_yday;

	strftime(buf, cap, same ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &at);
	return buf;
}

static void print_head(const struct diagnosis *d, const struct incident *in)
{
	int64_t end = d->reading.range.until_ns, until = in->until_ns ? in->until_ns : end;
	bool now = in->open && d->reading.live && !d->reading.range.explicit_;
	char a[32], b[16], dur[32], cover[64];

	print_coverage(cover, sizeof(cover), &d->window->coverage);
	duration_format(dur, sizeof(dur), (until - in->since_ns) / NS_PER_S * NS_PER_S);
	out_line("%s%-*s%s - %s (%s%s)%s%s%s", out_bold(), MARGIN, "incident",
		 print_instant(a, sizeof(a), in->since_ns, d->now_ns), now ? "now" : time_clock(b, sizeof(b), until), dur,
		 in->open && !now ? ", not over" : "", d->window->node ? "   node " : "",
		 d->window->node ? d->window->node : "", out_plain());
	labelledf("coverage", "%s", cover);
}

static void print_impact(const struct incident *in)
{
	char affected[64] = "";

	if (!isnan(in->requests_affected) && in->requests_affected >= 1)
		snprintf(affected, sizeof(affected), "; %.0f requests", in->requests_affected);
	if (in->sentence)
		labelledf("impact", "%s%s", in->sentence, affected);
	else
		labelledf("impact", "%s: %s%s", in->service, symptom_name(in->kind), affected);
}

static void print_path(const struct cause *c)
{
	char text[512] = "", share[32] = "";

	for (size_t i = 0; i < c->path.n; i++) {
		size_t at = strlen(text);

		snprintf(text + at, sizeof(text) - at, "%s%s", i ? " -> " : "", c->path.v[i]);
	}
	if (!isnan(c->share))
		snprintf(share, sizeof(share), "   %.0f %% of it", c->share * 100);
	if (*text)
		labelledf("  path", "%s%s", text, share);
}

static void print_trigger(const struct window *w, const struct win_event *e)
{
	char at[16];

	if (!e)
		return;
	time_clock(at, sizeof(at), e->t_ns);
	labelledf("  trigger", "%s %s %s%s%s", at, e->service < w->services.n ? w->services.v[e->service].name : "",
		  e->kind, e->detail && *e->detail ? ": " : "", e->detail ? e->detail : "");
}

static void print_cause(const struct window *w, const struct cause *c, size_t rank)
{
	char label[MARGIN + 1], sure[32];

	snprintf(label, sizeof(label), "cause %zu", rank);
	snprintf(sure, sizeof(sure), "confidence %.2f", c->confidence);
	out_line("%s", "");
	labelled(label, c->summary);
	labelledf("", "%s of %s, %s", c->kind, c->service, sure);
	print_path(c);
	print_trigger(w, c->trigger);
	for (size_t i = 0; i < c->evidence.n; i++)
		labelled("   |", c->evidence.v[i].sentence);
	labelled("  advice", c->advice);
	labelled("  refute", c->refute);
}

static void print_list(const char *label, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		labelled(i ? "" : label, v[i]);
}

static void print_victims(const struct incident *in)
{
	char text[512] = "";

	for (size_t i = 0; i < in->affected.n; i++) {
		size_t at = strlen(text);

		snprintf(text + at, sizeof(text) - at, "%s%s", i ? ", " : "", in->affected.v[i]);
	}
	if (*text)
		labelledf("victims", "%s: nothing to fix there", text);
}

static void print_incident(const struct diagnosis *d, const struct incident *in)
{
	print_head(d, in);
	print_impact(in);
	for (size_t i = 0; i < in->causes.n; i++)
		print_cause(d->window, &in->causes.v[i], i + 1);
	out_line("%s", "");
	if (!in->causes.n)
		labelled("cause", "not determined: nothing that changed explains enough of it");
	print_list("seen", in->observations.v, in->observations.n);
	print_list("ruled out", in->ruled_out.v, in->ruled_out.n);
	print_victims(in);
}

void report_text(const struct diagnosis *d)
{
	const struct report *r = d->report;

	if (!r->incidents.n)
		out_line("nothing wrong in this range");
	for (size_t i = 0; i < r->incidents.n; i++) {
		if (i)
			out_line("%s", "");
		print_incident(d, &r->incidents.v[i]);
	}
	print_list("not seen", d->window->coverage.notes.v, d->window->coverage.notes.n);
	print_list("note", r->notes.v, r->notes.n);
}
