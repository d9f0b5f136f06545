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

#define WAIT_MS 500             /* then the pipe, the signals and the recorder are looked at */

struct follow {
	const struct rows *rows;
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

static int print_tick(struct follow *f, int64_t since, int64_t until)
{
	struct window *w = reading_load(&f->reading, since - f->rows->look_back_ns, until, rows_load(f->rows, f->o));
	size_t n = 0;
	int ret = w ? EXIT_OK : EXIT_FAILED;

	if (w && f->o->service && !f->known)
		f->known = window_find_service(w, f->o->service) != WIN_NONE;
	if (w)
		ret = rows_show(f->rows, f->o, w, since, until, &n);
	f->n += n;
	window_free(w);
	return ret;
}

/* Second by second, as the ticks were taken. */
static int print_until(struct follow *f, int64_t newest_ns)
{
	int ret = EXIT_OK;

	while (ret == EXIT_OK && f->last_ns < newest_ns && !out_closed()) {
		int64_t next = (f->last_ns / NS_PER_S + 1) * NS_PER_S;

		next = next < newest_ns ? next : newest_ns;
		ret = print_tick(f, f->last_ns, next);
		f->last_ns = next;
	}
	return ret;
}

static bool still_written(struct follow *f)
{
	return store_writer_pid(f->reading.paths.v[0]) != 0;
}

static int follow_ticks(struct follow *f)
{
	int64_t newest = f->last_ns, until = f->o->until_ns;
	struct store_error err;
	int ret = EXIT_OK;

	while (ret == EXIT_OK && !interrupted && !out_probe() && (until == TIME_UNSET || f->last_ns < until)) {
		bool written = still_written(f);       /* asked first: what it wrote last is waited for */
		int got = store_wait(f->reading.stores.v[0], &newest, WAIT_MS, &err);

		if (got < 0)
			return interrupted ? EXIT_OK : store_failed(&err);
		if (got == 0 && !written)
			break;
		if (got > 0)
			ret = print_until(f, until != TIME_UNSET && newest > until ? until : newest);
	}
	return ret;
}

static void print_summary(struct follow *f, int64_t since)
{
	struct range seen = {.since_ns = since, .until_ns = f->last_ns};
	struct window *w = f->o->json ? reading_load(&f->reading, since, f->last_ns, 0) : NULL;

	if (w)
		rows_summary(f->rows->schema, w, &seen, f->n);
	window_free(w);
	if (f->o->service && !f->known)
		say_note("no service is called '%s' here; rootle services lists them", f->o->service);
	else if (f->n == 0)
		say_note("%s in this range", f->rows->nothing);
}

static int follow_recording(const struct rows *rows, struct options *o)
{
	struct follow f = {.rows = rows, .o = o};
	int ret = reading_open(&f.reading, o);

	if (ret)
		return ret;
	if (f.reading.stores.n == 1) {
		int64_t since = f.reading.range.explicit_ ? f.reading.range.since_ns : f.reading.last_ns;

		f.last_ns = since;
		ret = print_until(&f, f.reading.range.until_ns);
		if (ret == EXIT_OK)
			ret = follow_ticks(&f);
		if (ret == EXIT_OK)
			print_summary(&f, since);
		if (ret == EXIT_OK && f.n == 0)
			ret = EXIT_NO_DATA;
	} else {
		ret = say_error(EXIT_USAGE, "--follow follows one recording, but --db was given %zu times", o->db.n);
	}
	reading_close(&f.reading);
	return out_finish(ret);
}

struct following { const struct rows *rows; struct options *o; };

static int follow_own(void *arg, const char *path)
{
	const struct following *f = arg;
	struct options *o = f->o;
	const char **db = vec_push(&o->db);

	if (!db)
		return say_error(EXIT_FAILED, "out of memory");
	*db = path;
	int ret = follow_recording(f->rows, o);

	o->db.n--;      /* path goes with the recording */
	return ret;
}

int rows_follow(const struct rows *rows, struct options *o)
{
	struct following f = {rows, o};
	struct store_error err;

	catch_signals();
	if (o->db.n == 0 && !kernel_missing_capability() && recording_fresh(DEFAULT_RECORDING, o->now_ns, &err) == 0) {
		say_note("nobody is recording: recording while it is followed");
		return recorder_beside(o, follow_own, &f);
	}
	return follow_recording(rows, o);
}
