/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "base/text.h"
#include "command.h"
#include "reading.h"
#include "say.h"

int cmd_snapshot(const struct command *c, struct options *o, int argc, char **argv)
{
	struct store_error err;
	struct reading r;
	int ret;

	if (!recording_path(o, c->name))
		return EXIT_USAGE;
	ret = reading_open(&r, o);
	if (ret)
		return ret;
	if (r.range.since_ns >= r.range.until_ns)
		ret = say_error(EXIT_NO_DATA, "nothing to copy in this range");
	else if (store_snapshot(r.stores.v[0], argv[0], r.range.since_ns, r.range.until_ns, &err))
		ret = store_failed(&err);
	else
		say_note("snapshot: %s", argv[0]);
	reading_close(&r);
	return ret;
}

int cmd_mark(const struct command *c, struct options *o, int argc, char **argv)
{
	const char *path = recording_path(o, c->name);
	struct store_error err;
	char at[32];

	if (!path)
		return EXIT_USAGE;
	if (store_mark(path, o->now_ns, argv[0], &err))
		return store_failed(&err);
	say_note("marked: %s", time_rfc3339(at, sizeof(at), o->now_ns));
	return EXIT_OK;
}
