/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as an import: refused with a reason and nothing left of it, or taken, and then exported and loaded again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/rootle-fuzz-XXXXXX", db[64], ndjson[64];
static struct store *store;     /* empty: kept from one input to the next while nothing is taken */

static void store_end(void)
{
	store_close(store);
	store = NULL;
	unlink(db);
}

static void clean_up(void)
{
	store_end();
	rmdir(dir);
}

static void set_up(void)
{
	struct store_error err;
	int fd;

	if (!db[0]) {
		fd = memfd_create("ndjson", 0);
		if (!mkdtemp(dir) || fd < 0)
			abort();
		atexit(clean_up);
		snprintf(db, sizeof(db), "%s/r.db", dir);
		snprintf(ndjson, sizeof(ndjson), "/proc/self/fd/%d", fd);
	}
	if (!store)
		store = store_open_writer(db, NULL, &err);
	if (!store)
		abort();
}

static void input(const uint8_t *data, size_t size)
{
	FILE *f = fopen(ndjson, "w");

	if (!f || fwrite(data, 1, size, f) != size || fclose(f))
		abort();
}

static int ignore(void *arg, const char *text, size_t n)
{
	if (!n || text[n - 1] != '\n')
		abort();
	return 0;
}

static void load(struct window *w)
{
	struct store_error err;

	if (!w || store_load(store, INT64_MIN, INT64_MAX, LOAD_ALL, w, &err) < 0)
		abort();
}

/* What was taken can be read, and goes out again. */
static void check_taken(void)
{
	struct window *w = window_new();
	struct store_error err;

	load(w);
	window_free(w);
	if (store_export_ndjson(store, INT64_MIN, INT64_MAX, ignore, NULL, &err) < 0)
		abort();
}

static void check_refused(const struct store_error *err)
{
	struct window *w = window_new();

	load(w);
	if (!err->text[0] || w->services.n || w->requests.n || w->events.n || w->last_ns)
		abort();
	window_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct store_error err = {0};
	struct import_stats stats;

	set_up();
	input(data, size);
	if (store_import_ndjson(store, ndjson, &stats, &err) < 0) {
		check_refused(&err);
	} else {
		check_taken();
		store_end();
	}
	return 0;
}
