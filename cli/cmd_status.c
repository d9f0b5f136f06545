/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "command.h"
#include "out.h"
#include "reading.h"
#include "say.h"
#include "untrusted.h"

/* There is no such recording, so nobody is writing it: the same keys, null and 0 for the facts of a recording. */
static void no_status_json(const char *path)
{
	static const char *const unknown[] = {"pid", "node", "version", "since", "until"};
	struct json j;

	json_init(&j, true);
	json_object(&j, NULL);
	json_string(&j, "schema", "status/1");
	json_string(&j, "path", path);
	json_bool(&j, "recording", false);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		json_null(&j, unknown[i]);
	json_uint(&j, "ticks", 0);
	json_int(&j, "file_bytes", 0);
	json_null(&j, "probes");
	json_object_end(&j);
	out_json(&j);
	json_done(&j);
}

static void status_json(const char *path, struct store *s, const struct store_span *span)
{
	char *node = store_meta(s, "node"), *version = store_meta(s, "version"), *probes = store_meta(s, "probes");
	char *checked = untrusted_array(probes);
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
	json_raw(&j, "probes", checked ? checked : "null");
	json_object_end(&j);
	out_json(&j);
	json_done(&j);
	free(node);
	free(version);
	free(probes);
	free(checked);
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
	int ret = recording_open(path, &s, &span);

	if (ret == EXIT_NO_DATA && o->json) {
		no_status_json(path);
		return out_finish(ret);
	}
	if (ret)
		return ret;
	if (o->json)
		status_json(path, s, &span);
	else
		status_text(path, &span);
	store_close(s);
	return out_finish(span.writer_pid ? EXIT_OK : EXIT_NO_DATA);
}
