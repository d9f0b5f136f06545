/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "command.h"
#include "out.h"
#include "reading.h"
#include "say.h"

/* Stops the export where nobody reads any more. */
static int line(void *arg, const char *text, size_t n)
{
	out_bytes(text, n);
	return out_closed() ? -EPIPE : 0;
}

int cmd_export(const struct command *c, struct options *o, int argc, char **argv)
{
	struct store_error err;
	struct reading r;
	int ret = reading_open(&r, o);

	if (ret)
		return ret;
	if (r.range.since_ns >= r.range.until_ns) {
		say_note("no data in this range");
		ret = EXIT_NO_DATA;
	}
	for (size_t i = 0; i < r.stores.n && ret == 0; i++)
		if (store_export_ndjson(r.stores.v[i], r.range.since_ns, r.range.until_ns, line, NULL, &err) < 0 &&
		    !out_closed())
			ret = store_failed(&err);
	reading_close(&r);
	return out_finish(ret);
}
