/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture_import.h"
#include "collect/kernel_can.h"
#include "exit.h"
#include "reading.h"
#include "recorder.h"
#include "say.h"

#define FRESH_NS (60 * NS_PER_S)
#define ATTACH_FOR_NS (15 * NS_PER_S)

int store_failed(const struct store_error *err)
{
	return say_error(EXIT_FAILED, "%s", err->text);
}

const char *recording_path(const struct options *o, const char *command)
{
	if (o->db.n == 0)
		return DEFAULT_RECORDING;
	if (o->db.n == 1)
		return o->db.v[0];
	say_error(EXIT_USAGE, "%s: works on one recording, but --db was given %zu times", command, o->db.n);
	return NULL;
}

static int add_store(struct reading *r, const char *path, struct store *s)
{
	struct store_span span;
	struct store_error err;
	struct store **slot = vec_push(&r->stores);
	const char **name = vec_push(&r->paths);

	if (!slot || !name) {
		store_close(s);
		return say_error(EXIT_FAILED, "out of memory");
	}
	*slot = s;
	*name = path;
	if (store_span(s, &span, &err))
		return store_failed(&err);
	r->live |= span.writer_pid != 0;
	r->ticks += span.ticks;
	if (span.first_ns >= span.last_ns)
		return 0;
	if (r->first_ns == r->last_ns || span.first_ns < r->first_ns)
		r->first_ns = span.first_ns;
	if (span.last_ns > r->last_ns)
		r->last_ns = span.last_ns;
	return 0;
}

/* The same file by another name, or twice: everything in it would count double. */
static bool is_open(const struct reading *r, const char *path)
{
	struct stat wanted, open;

	for (size_t i = 0; i < r->paths.n; i++)
		if (!stat(path, &wanted) && !stat(r->paths.v[i], &open) && wanted.st_dev == open.st_dev &&
		    wanted.st_ino == open.st_ino)
			return true;
	return false;
}

static int open_path(struct reading *r, const char *path)
{
	struct store_error err;
	struct store *s;

	if (is_open(r, path)) {
		say_note("%s: given twice, read once", path);
		return 0;
	}
	s = store_open_reader(path, &err);

	return s ? add_store(r, path, s) : store_failed(&err);
}

int recording_open(const char *path, struct store **s, struct store_span *span)
{
	struct store_error err;

	*s = store_open_reader(path, &err);
	if (!*s && err.code == -ENOENT)
		return say_error(EXIT_NO_DATA, "nobody is recording: there is no %s", path);
	if (!*s)
		return store_failed(&err);
	if (store_span(*s, span, &err) == 0)
		return 0;
	store_close(*s);
	*s = NULL;
	return store_failed(&err);
}

int recording_written(const char *path, struct store_error *err)
{
	struct store_span span;
	struct store *s = store_open_reader(path, err);

	if (!s)
		return err->code == -ENOENT ? 0 : err->code;
	int ret = store_span(s, &span, err);

	store_close(s);
	return ret ? ret : span.writer_pid != 0;
}

int recording_fresh(const char *path, int64_t now_ns, struct store_error *err)
{
	struct store_span span;
	struct store *s = store_open_reader(path, err);

	if (!s)
		return err->code == -ENOENT ? 0 : err->code;
	int ret = store_span(s, &span, err);

	if (ret == 0)
		ret = span.writer_pid || span.last_ns > now_ns - FRESH_NS;
	store_close(s);
	return ret;
}

/* While the temporary recording is there, a signal may end the recording, but not the process. */
static void hold_signals(struct reading *r)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, &r->signals);
}

/* Captures become a recording that goes with the command. */
static int read_captures(struct reading *r, struct options *o)
{
	int ret;

	if (o->db.n && o->db.level == LEVEL_COMMAND_LINE)
		return say_error(EXIT_USAGE, "--pcap and --db exclude each other");
	if (o->follow)
		return say_error(EXIT_USAGE, "--follow follows a recording that is being written, and --pcap is none");
	hold_signals(r);
	ret = temp_recording_make(&r->temp);
	if (ret) {
		sigprocmask(SIG_SETMASK, &r->signals, NULL);
		return ret;
	}
	ret = capture_import(o->pcap.v, o->pcap.n, r->temp.db, o->raw);
	if (ret == 0)
		ret = open_path(r, r->temp.db);
	if (ret == 0)
		options_now(o, r->last_ns);
	return ret;
}

static int record_now(struct reading *r, const struct options *o)
{
	struct recorder_options ro;
	char text[32];
	int ret;

	hold_signals(r);
	ret = temp_recording_make(&r->temp);
	if (ret) {
		sigprocmask(SIG_SETMASK, &r->signals, NULL);
		return ret;
	}
	recorder_options_from(&ro, o, r->temp.db);
	ro.for_ns = o->for_ns ? o->for_ns : ATTACH_FOR_NS;
	say_note("nobody is recording: attaching for %s, then answering (rootle record --detach keeps a window ready)",
		 duration_format(text, sizeof(text), ro.for_ns));
	ret = recorder_run(&ro, NULL, NULL);
	return ret ? ret : open_path(r, r->temp.db);
}

/* What narrows a recording does not narrow the reading of one. --pid does, of samples. */
static void say_unused(const struct options *o)
{
	if (o->port.level == LEVEL_COMMAND_LINE || o->exclude_port.level == LEVEL_COMMAND_LINE ||
	    o->cgroup.level == LEVEL_COMMAND_LINE || o->exclude_cgroup.level == LEVEL_COMMAND_LINE)
		say_note("--port, --cgroup and --exclude-* choose what is recorded: of this recording all is read");
}

static int open_any(struct reading *r, struct options *o)
{
	struct store_error err;
	int ret = 0;

	if (o->pcap.n)
		return read_captures(r, o);
	for (size_t i = 0; i < o->db.n && !ret; i++)
		ret = open_path(r, o->db.v[i]);
	if (o->db.n) {
		say_unused(o);
		return ret;
	}
	ret = recording_fresh(DEFAULT_RECORDING, o->now_ns, &err);
	if (ret > 0) {
		say_unused(o);
		return open_path(r, DEFAULT_RECORDING);
	}
	if (ret < 0)
		return store_failed(&err);
	if (!kernel_missing_capability())
		return record_now(r, o);
	return say_error(EXIT_NO_PERMISSION, "nobody is recording on this node and attaching probes needs root: "
			 "sudo rootle record, or give --db FILE");
}

int reading_open(struct reading *r, struct options *o)
{
	const char *why;
	int ret;

	*r = (struct reading){0};
	/* contradictions are found before anything is opened or attached; the times of a capture count from its end */
	if (!o->pcap.n && range_resolve(o, 0, 0, &r->range, &why))
		return say_error(EXIT_USAGE, "%s", why);
	ret = open_any(r, o);
	if (ret == 0 && range_resolve(o, r->first_ns, r->last_ns, &r->range, &why))
		ret = say_error(EXIT_USAGE, "%s", why);
	if (ret) {
		reading_close(r);
		return ret;
	}
	range_say(&r->range, r->first_ns, r->last_ns);
	return 0;
}

void reading_close(struct reading *r)
{
	for (size_t i = 0; i < r->stores.n; i++)
		store_close(r->stores.v[i]);
	vec_done(&r->stores);
	vec_done(&r->paths);
	if (r->temp.dir[0]) {
		temp_recording_remove(&r->temp);
		sigprocmask(SIG_SETMASK, &r->signals, NULL);
	}
	*r = (struct reading){0};
}

struct window *reading_load(struct reading *r, int64_t since_ns, int64_t until_ns, unsigned what)
{
	struct window *w = window_new();
	struct store_error err;

	if (!w) {
		say_error(EXIT_FAILED, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < r->stores.n; i++)
		if (store_load(r->stores.v[i], since_ns, until_ns, what, w, &err)) {
			store_failed(&err);
			window_free(w);
			return NULL;
		}
	if (r->stores.n > 1)
		window_sort(w);
	return w;
}
