/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"
#include "reading.h"
#include "say.h"

int cmd_import(const struct command *c, struct options *o, int argc, char **argv)
{
	/* imported rows keep their times, however old: nothing is pruned here */
	static const struct store_limits no_limits;
	const char *path = recording_path(o, c->name);
	struct store_error err;
	int ret = EXIT_OK;

	if (!path)
		return EXIT_USAGE;
	struct store *s = store_open_writer(path, &no_limits, &err);

	if (!s)
		return store_failed(&err);
	for (int i = 0; i < argc && ret == EXIT_OK; i++) {
		struct import_stats stats = {0};

		if (store_import_ndjson(s, argv[i], &stats, &err)) {
			ret = store_failed(&err);
			break;
		}
		say_note("imported: %s, %llu rows of %llu lines", argv[i], (unsigned long long)stats.rows,
			 (unsigned long long)stats.lines);
		if (stats.unknown_types || stats.unknown_keys)
			say_note("left out: %llu lines of unknown types, %llu unknown keys",
				 (unsigned long long)stats.unknown_types, (unsigned long long)stats.unknown_keys);
	}
	store_close(s);
	return ret;
}
