/* SPDX-License-Identifier: BSD-2-Clause */
/* Import of ndjson: lines of a file into one transaction.  What each type means is in import_rows.c. */
#include "store/import.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES (16u << 20)
#define TIME_MAX_S 9.2e9          /* as nanoseconds it, and the time between any two, fits 63 bits */
#define COUNT_MAX 9e15            /* a double counts exactly to here */

int import_refuse(struct import *im, const char *fmt, ...)
{
	va_list ap;

	if (im->problem[0])
		return -EINVAL;
	va_start(ap, fmt);
	vsnprintf(im->problem, sizeof(im->problem), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

const char *import_text(struct import *im, const char *key, bool required)
{
	json_t *v = json_object_get(im->line, key);

	if (json_is_string(v) && json_string_length(v) == strlen(json_string_value(v)))
		return json_string_value(v);
	if (v && !json_is_null(v))
		import_refuse(im, "\"%s\" is not a string", key);
	else if (required)
		import_refuse(im, "\"%s\" is missing", key);
	return NULL;
}

double import_number(struct import *im, const char *key, bool required)
{
	json_t *v = json_object_get(im->line, key);

	if (json_is_number(v))
		return json_number_value(v);
	if (v && !json_is_null(v))
		import_refuse(im, "\"%s\" is not a number", key);
	else if (required)
		import_refuse(im, "\"%s\" is missing", key);
	return NAN;
}

double import_amount(struct import *im, const char *key, bool required)
{
	double v = import_number(im, key, required);

	if (v < 0)
		import_refuse(im, "\"%s\" is negative", key);
	return v;
}

double import_count(struct import *im, const char *key, bool required)
{
	double v = import_amount(im, key, required);

	if (v > COUNT_MAX)
		import_refuse(im, "\"%s\" is more than can be counted", key);
	return v;
}

bool import_time_fits(double ns)
{
	return ns <= TIME_MAX_S * 1e9;
}

int64_t import_time(struct import *im, const char *key, bool required)
{
	double s = import_number(im, key, required);

	if (isnan(s))
		return 0;
	if (s < 0) {
		import_refuse(im, "\"%s\" is negative", key);
		return 0;
	}
	if (s > TIME_MAX_S) {
		import_refuse(im, "\"%s\" is no time in Unix seconds", key);
		return 0;
	}
	return llround(s * 1e6) * 1000;
}

/* The row of an interval, made where it is not there. Only rows of this file share an interval. */
int64_t import_tick(struct import *im, bool fresh)
{
	struct tick_key key = {.t_ns = import_time(im, "t", true), .dur_ns = import_time(im, "dur_s", true)};
	sqlite3_stmt *q;
	int64_t *id;
	int rc;

	if (!import_time_fits((double)key.t_ns + (double)key.dur_ns))
		import_refuse(im, "\"t\" + \"dur_s\" is no time in Unix seconds");
	if (im->problem[0])
		return -EINVAL;
	id = map_put(&im->ticks, &key, NULL);
	if (!id)
		return -ENOMEM;
	if (*id && !fresh)
		return *id;
	q = sql_get(im->s, "INSERT INTO tick(t_ns, dur_ns, source) VALUES(?1, ?2, 2)");
	sqlite3_bind_int64(q, 1, key.t_ns);
	sqlite3_bind_int64(q, 2, key.dur_ns);
	rc = sql_run(im->s, q);
	*id = rc < 0 ? 0 : sqlite3_last_insert_rowid(im->s->db);
	return rc < 0 ? rc : *id;
}

static const struct import_type *type_of(const char *name)
{
	for (const struct import_type *t = import_types; t->name; t++)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

/* Is key one of the words of list? */
static bool listed(const char *list, const char *key)
{
	size_t n = strlen(key);

	for (const char *at = list; n && (at = strstr(at, key)) != NULL; at += n)
		if ((at == list || at[-1] == ' ') && strchr(" ,", at[n]))
			return true;
	return false;
}

static void count_keys(struct import *im, const char *keys)
{
	const char *key;
	json_t *value;

	json_object_foreach(im->line, key, value)
		if (strcmp(key, "type") != 0 && !listed(keys, key))
			im->stats->unknown_keys++;
}

static int line_take(struct import *im)
{
	const char *name = import_text(im, "type", true);
	const struct import_type *type = name ? type_of(name) : NULL;
	int rc;

	if (!name)
		return -EINVAL;
	if (!type) {
		im->stats->unknown_types++;
		return 0;
	}
	rc = type->row(im);
	if (im->problem[0])
		return -EINVAL;
	if (rc < 0)
		return rc;
	count_keys(im, type->keys);
	im->stats->rows++;
	return 0;
}

static bool blank(const char *text, size_t n)
{
	while (n && strchr(" \t\r\n", text[n - 1]) && text[n - 1])
		n--;
	return n == 0;
}

static int line_parse(struct import *im, const char *text, size_t n)
{
	json_error_t why;
	int rc;

	if (blank(text, n))
		return 0;
	if (n > LINE_MAX_BYTES)
		return import_refuse(im, "longer than 16 MB");
	im->line = json_loadb(text, n, 0, &why);
	if (!im->line)
		return import_refuse(im, "not JSON: %s", why.text);
	rc = json_is_object(im->line) ? line_take(im) : import_refuse(im, "not a JSON object");
	json_decref(im->line);
	im->line = NULL;
	return rc;
}

static int lines_read(struct import *im, FILE *f)
{
	char *text = NULL;
	size_t cap = 0;
	ssize_t n;
	int rc = 0;

	while (rc == 0 && (n = getline(&text, &cap, f)) >= 0) {
		im->stats->lines++;
		rc = line_parse(im, text, (size_t)n);
	}
	if (rc == 0 && ferror(f))
		rc = import_refuse(im, "cannot be read: %s", strerror(errno));
	free(text);
	return rc;
}

static int import_file(struct import *im, FILE *f)
{
	int rc = sql_exec(im->s, "BEGIN IMMEDIATE");

	if (rc == 0)
		rc = lines_read(im, f);
	if (rc == 0)
		rc = sql_exec(im->s, "COMMIT");
	if (rc < 0)
		sql_rollback(im->s);
	dict_forget(&im->s->dict);
	sweep_reset(im->s);
	return rc;
}

static int import_failed(struct import *im, const char *file, int rc, struct store_error *err)
{
	if (im->problem[0])
		return error_set(err, EINVAL, "%s:%llu: %s; nothing of this file was imported", file,
				 (unsigned long long)im->stats->lines, im->problem);
	if (rc == -ENOSPC)
		return error_set(err, ENOSPC, "%s: does not fit into %s: give a larger --max-size, or free space on its disk; "
				 "nothing of it was imported", file, im->s->path);
	return error_from(im->s, err, rc);
}

int store_import_ndjson(struct store *s, const char *file, struct import_stats *stats, struct store_error *err)
{
	struct import im = {.s = s, .stats = stats};
	FILE *f = fopen(file, "re");
	int rc;

	*stats = (struct import_stats){0};
	if (!f)
		return error_set(err, errno, "%s: cannot be opened: %s", file, strerror(errno));
	map_init(&im.ticks, sizeof(struct tick_key), sizeof(int64_t), 0);
	hist_init(&im.hist);
	rc = import_file(&im, f);
	fclose(f);
	map_done(&im.ticks);
	hist_done(&im.hist);
	if (rc < 0)
		return import_failed(&im, file, rc, err);
	s->created = false;
	s->last_tick_id = sql_int(s, "SELECT max(id) FROM tick", s->last_tick_id);
	sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return 0;
}
