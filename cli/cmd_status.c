/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "command.h"
#include "out.h"
#include "reading.h"
#include "say.h"

#define STOP_POLL_MS 50
#define STOP_WAIT_MS 15000      /* a recorder flushes up to 5 s on a slow disk */

static int open_span(const char *path, struct store **s, struct store_span *span)
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
	return store_failed(&err);
}

static void status_json(const char *path, struct store *s, const struct store_span *span)
{
	char *node = store_meta(s, "node"), *version = store_meta(s, "version"), *probes = store_meta(s, "probes");
	bool empty = span->first_ns >= span->last_ns;
	struct json j;

	json_init(&j, true);
	json_object(&j, NULL);
	json_string(&j, "schema", "status/1");
	json_string(&j, "path", path);
	json_bool(&j, "recording", span->writer_pid != 0);
	if (span->writer_pid)
		json_uint(&j, "pid", span->writer_pid);
	else
		json_null(&j, "pid");
	json_string(&j, "node", node);
	json_string(&j, "version", version);
	json_time(&j, "since", empty ? 0 : span->first_ns);
	json_time(&j, "until", empty ? 0 : span->last_ns);
	json_uint(&j, "ticks", span->ticks);
	json_int(&j, "file_bytes", span->file_bytes);
	json_raw(&j, "probes", probes ? probes : "null");
	json_object_end(&j);
	out_json(&j);
	json_done(&j);
	free(node);
	free(version);
	free(probes);
}

static void status_text(const char *path, const struct store_span *span)
{
	char a[32], b[32], size[32];

	if (span->writer_pid)
		out_line("recording %s, pid %u", path, span->writer_pid);
	else
		out_line("nobody is recording %s", path);
	if (span->first_ns < span->last_ns)
		out_line("%llu ticks from %s to %s, %s", (unsigned long long)span->ticks,
			 time_rfc3339(a, sizeof(a), span->first_ns), time_rfc3339(b, sizeof(b), span->last_ns),
			 size_format(size, sizeof(size), (double)span->file_bytes));
}

int cmd_status(const struct command *c, struct options *o, int argc, char **argv)
{
	const char *path = recording_path(o, c->name);
	struct store_span span;
	struct store *s;

	if (!path)
		return EXIT_USAGE;
	int ret = open_span(path, &s, &span);

	if (ret)
		return ret;
	if (o->json)
		status_json(path, s, &span);
	else
		status_text(path, &span);
	store_close(s);
	return out_finish(span.writer_pid ? EXIT_OK : EXIT_NO_DATA);
}

/* The writer's lock is gone, or another one's. */
static bool wait_gone(const char *path, uint32_t pid)
{
	struct store_error err;
	struct store_span span;

	for (int waited = 0; waited < STOP_WAIT_MS; waited += STOP_POLL_MS) {
		struct store *s = store_open_reader(path, &err);
		bool gone = !s || store_span(s, &span, &err) || span.writer_pid != pid;

		store_close(s);
		if (gone && kill((pid_t)pid, 0))
			return true;
		nanosleep(&(struct timespec){.tv_nsec = STOP_POLL_MS * NS_PER_MS}, NULL);
	}
	return false;
}

int cmd_stop(const struct command *c, struct options *o, int argc, char **argv)
{
	const char *path = recording_path(o, c->name);
	struct store_span span;
	struct store *s;

	if (!path)
		return EXIT_USAGE;
	int ret = open_span(path, &s, &span);

	if (ret)
		return ret;
	store_close(s);
	if (!span.writer_pid)
		return say_error(EXIT_NO_DATA, "nobody is recording %s", path);
	if (kill((pid_t)span.writer_pid, SIGTERM))
		return say_error(EXIT_FAILED, "cannot stop the recorder, pid %u: %s", span.writer_pid, strerror(errno));
	if (!wait_gone(path, span.writer_pid))
		return say_error(EXIT_FAILED, "the recorder, pid %u, has not ended within %d s", span.writer_pid,
				 STOP_WAIT_MS / 1000);
	say_note("stopped: %s, pid %u", path, span.writer_pid);
	return EXIT_OK;
}
