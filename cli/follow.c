/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "collect/kernel_can.h"
#include "exit.h"
#include "follow.h"
#include "out.h"
#include "recorder.h"
#include "say.h"
#include "table.h"

#define WAIT_MS 500             /* then the pipe, the signals and the recorder are looked at */

struct follow {
	const struct options *o;
	struct reading reading;
	int64_t last_ns;        /* everything before it is printed */
	size_t n;               /* rows printed */
	bool known;             /* --service was seen, or none is asked for */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int signo)
{
	interrupted = signo;
}

static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal};     /* no SA_RESTART: waiting ends */

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

static void text_row(const struct window *w, const struct sum_op *p, const char *at)
{
	static const struct table_column columns[] = {
		{""}, {"", false, true}, {"", false, true}, {"", true}, {"", true}, {"", true},
	};
	const struct win_edge *e = &w->edges.v[p->edge];
	struct table t;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	table_text(&t, at);
	table_printf(&t, "%s -> %s", service_text(w, e->from), service_text(w, e->to));
	table_text(&t, op_text(w, p->op) ? op_text(w, p->op) : e->protocol);
	table_printf(&t, "%.0f", p->l.count);
	table_percent(&t, p->l.error_ratio);
	table_ms(&t, p->l.p95_ms);
	table_print_rows(&t);
	table_done(&t);
}

static size_t text_tick(const struct summary *s, const struct options *o)
{
	size_t n = 0;
	char at[16];

	time_clock(at, sizeof(at), s->since_ns);
	for (size_t i = 0; i < s->ops.n && !out_closed(); i++)
		if (request_wanted(o, s->window, &s->ops.v[i])) {
			text_row(s->window, &s->ops.v[i], at);
			n++;
		}
	return n;
}

static size_t print_tick(struct follow *f, int64_t since, int64_t until)
{
	struct window *w = reading_load(&f->reading, since, until, REQUESTS_LOAD);
	struct summary *s = w ? summary_new(w, since, until) : NULL;
	struct json j;
	size_t n = 0;

	if (w && f->o->service && !f->known)
		f->known = window_find_service(w, f->o->service) != WIN_NONE;
	if (s && f->o->json) {
		json_init(&j, false);
		n = json_requests(s, f->o, &j, true);
		json_done(&j);
	} else if (s) {
		n = text_tick(s, f->o);
	}
	summary_free(s);
	window_free(w);
	return n;
}

/* Second by second, as the ticks were taken. */
static void print_until(struct follow *f, int64_t newest_ns)
{
	while (f->last_ns < newest_ns && !out_closed()) {
		int64_t next = (f->last_ns / NS_PER_S + 1) * NS_PER_S;

		next = next < newest_ns ? next : newest_ns;
		f->n += print_tick(f, f->last_ns, next);
		f->last_ns = next;
	}
}

static bool still_written(struct follow *f)
{
	return store_writer_pid(f->reading.paths.v[0]) != 0;
}

static int follow_ticks(struct follow *f)
{
	int64_t newest = f->last_ns, until = f->o->until_ns;
	struct store_error err;

	while (!interrupted && !out_probe() && (until == TIME_UNSET || f->last_ns < until)) {
		bool written = still_written(f);       /* asked first: what it wrote last is waited for */
		int got = store_wait(f->reading.stores.v[0], &newest, WAIT_MS, &err);

		if (got < 0)
			return interrupted ? EXIT_OK : store_failed(&err);
		if (got == 0 && !written)
			break;
		if (got > 0)
			print_until(f, until != TIME_UNSET && newest > until ? until : newest);
	}
	return EXIT_OK;
}

static void print_summary(struct follow *f, int64_t since)
{
	struct range seen = {.since_ns = since, .until_ns = f->last_ns};
	struct window *w = f->o->json ? reading_load(&f->reading, since, f->last_ns, 0) : NULL;

	if (w)
		rows_summary("requests/1", w, &seen, f->n);
	window_free(w);
	if (f->o->service && !f->known)
		say_note("no service is called '%s' here; rootle services lists them", f->o->service);
	else if (f->n == 0)
		say_note("no requests in this range");
}

static int follow_recording(struct options *o)
{
	struct follow f = {.o = o};
	int ret = reading_open(&f.reading, o);

	if (ret)
		return ret;
	if (f.reading.stores.n == 1) {
		int64_t since = f.reading.range.explicit_ ? f.reading.range.since_ns : f.reading.last_ns;

		f.last_ns = since;
		print_until(&f, f.reading.range.until_ns);
		ret = follow_ticks(&f);
		print_summary(&f, since);
		if (ret == EXIT_OK && f.n == 0)
			ret = EXIT_NO_DATA;
	} else {
		ret = say_error(EXIT_USAGE, "requests: --follow follows one recording, but --db was given %zu times", o->db.n);
	}
	reading_close(&f.reading);
	return out_finish(ret);
}

static int follow_own(void *arg, const char *path)
{
	struct options *o = arg;
	const char **db = vec_push(&o->db);

	if (!db)
		return say_error(EXIT_FAILED, "out of memory");
	*db = path;
	int ret = follow_recording(o);

	o->db.n--;      /* path goes with the recording */
	return ret;
}

int requests_follow(struct options *o)
{
	struct store_error err;

	catch_signals();
	if (o->db.n == 0 && !kernel_missing_capability() && recording_fresh(DEFAULT_RECORDING, o->now_ns, &err) == 0) {
		say_note("nobody is recording: recording while it is followed");
		return recorder_beside(o, follow_own, o);
	}
	return follow_recording(o);
}
