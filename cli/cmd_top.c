/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <unistd.h>

#include "collect/kernel_can.h"
#include "command.h"
#include "out.h"
#include "reading.h"
#include "recorder.h"
#include "say.h"
#include "tui/top.h"

static int view(const struct options *o, const char *db, bool live)
{
	char why[512] = "";
	struct top_options to = {
		.db = db,
		.service = o->service,
		.colour = out_colored(),
		.ascii = !out_utf8(),
		.live = live,
		.error = why,
		.error_cap = sizeof(why),
	};

	return top_run(&to) ? say_error(EXIT_FAILED, "%s", *why ? why : "the terminal view failed") : EXIT_OK;
}

static int view_live(void *arg, const char *db)
{
	return view(arg, db, true);
}

static int view_captures(struct options *o)
{
	struct reading r;
	int ret = reading_open(&r, o);

	if (ret)
		return ret;
	ret = view(o, r.paths.v[0], false);
	reading_close(&r);
	return ret;
}

int cmd_top(const struct command *c, struct options *o, int argc, char **argv)
{
	struct store_span span;
	struct store_error err;
	const char *path = recording_path(o, c->name);

	if (!path)
		return EXIT_USAGE;
	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		return say_error(EXIT_USAGE, "top: needs a terminal; rootle map, services or explain answer into a pipe");
	if (o->pcap.n)
		return view_captures(o);
	int written = o->db.n ? 1 : recording_written(path, &err);

	if (written < 0)
		return store_failed(&err);
	if (!written) {
		if (!kernel_missing_capability())
			return recorder_beside(o, view_live, o);
		return say_error(EXIT_NO_PERMISSION, "top: nobody is recording on this node and attaching probes needs root: sudo "
				 "rootle, or give --db FILE");
	}
	struct store *s = store_open_reader(path, &err);

	if (!s)
		return store_failed(&err);
	int ret = store_span(s, &span, &err) ? store_failed(&err) : 0;

	store_close(s);
	return ret ? ret : view(o, path, span.writer_pid != 0);
}
