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

static void known_uint(struct json *j, const char *key, uint64_t v)
{
	if (v)
		json_uint(j, key, v);
	else
		json_null(j, key);
}

/* There is no such recording, so nobody is writing it: the same keys, null and 0 for the facts of a recording. */
static void no_status_json(const char *path)
{
	static const char *const unknown[] = {"pid", "node", "version", "since", "until", "memory_budget_bytes", "map_bytes"};
	struct json j;

	json_init(&j, out_terminal());
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

/* A number among the facts of the recording; 0 where it has none. */
static uint64_t meta_number(struct store *s, const char *key)
{
	char *text = store_meta(s, key);
	uint64_t v = text ? strtoull(text, NULL, 10) : 0;

	free(text);
	return v;
}

static void status_json(const char *path, struct store *s, const struct store_span *span)
{
	char *node = store_meta(s, "node"), *version = store_meta(s, "version"), *probes = store_meta(s, "probes");
	char *checked = untrusted_array(probes);
	bool empty = span->first_ns >= span->last_ns;
	struct json j;

	json_init(&j, out_terminal());
	json_object(&j, NULL);
	json_string(&j, "schema", "status/1");
	json_string(&j, "path", path);
	json_bool(&j, "recording", span->writer_pid != 0);
	known_uint(&j, "pid", span->writer_pid);
	json_string(&j, "node", node);
	json_string(&j, "version", version);
	json_time(&j, "since", empty ? 0 : span->first_ns);
	json_time(&j, "until", empty ? 0 : span->last_ns);
	known_uint(&j, "memory_budget_bytes", meta_number(s, "memory_budget_bytes"));
	known_uint(&j, "map_bytes", meta_number(s, "map_bytes"));
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

static void status_text(const char *path, struct store *s, const struct store_span *span)
{
	uint64_t maps = meta_number(s, "map_bytes"), budget = meta_number(s, "memory_budget_bytes");
	char a[32], b[32], size[32];

	if (span->writer_pid)
		out_line("recording %s, pid %u", path, span->writer_pid);
	else
		out_line("nobody is recording %s", path);
	if (span->first_ns < span->last_ns)
		out_line("%llu ticks from %s to %s, %s", (unsigned long long)span->ticks,
			 time_rfc3339(a, sizeof(a), span->first_ns), time_rfc3339(b, sizeof(b), span->last_ns),
			 size_format(size, sizeof(size), (double)span->file_bytes));
	if (span->writer_pid && maps)
		out_line("memory of the probes: %s of %s", size_format(a, sizeof(a), (double)maps),
			 size_format(b, sizeof(b), (double)budget));
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
		status_text(path, s, &span);
	store_close(s);
	return out_finish(span.writer_pid ? EXIT_OK : EXIT_NO_DATA);
}
