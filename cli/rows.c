/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "exit.h"
#include "follow.h"
#include "out.h"
#include "rows.h"
#include "say.h"

const char *service_name(const struct window *w, uint32_t service)
{
	return service < w->services.n ? w->services.v[service].name : NULL;
}

const char *service_text(const struct window *w, uint32_t service)
{
	const char *name = service_name(w, service);

	return name ? name : "?";
}

bool service_wanted(const struct options *o, const struct window *w, uint32_t a, uint32_t b)
{
	const char *na = service_name(w, a), *nb = service_name(w, b);

	return !o->service || (na && strcmp(na, o->service) == 0) || (nb && strcmp(nb, o->service) == 0);
}

void row_begin(struct json *j, const char *type)
{
	json_object(j, NULL);
	json_string(j, "type", type);
}

void row_end(struct json *j)
{
	json_object_end(j);
	out_json(j);
}

void json_quantiles(struct json *j, const struct sum_latency *l)
{
	bool any = l->count > 0;

	json_number(j, "error_ratio", any ? l->error_ratio : NAN);
	json_number(j, "avg_ms", any ? l->avg_ms : NAN);
	json_number(j, "p50_ms", any ? l->p50_ms : NAN);
	json_number(j, "p90_ms", any ? l->p90_ms : NAN);
	json_number(j, "p95_ms", any ? l->p95_ms : NAN);
	json_number(j, "p99_ms", any ? l->p99_ms : NAN);
	json_number(j, "max_ms", any ? l->max_ms : NAN);
}

void json_latency(struct json *j, const struct sum_latency *l)
{
	json_number(j, "count", l->count);
	json_number(j, "errors", l->errors);
	json_number(j, "rate_per_s", l->rate_per_s);
	json_quantiles(j, l);
	json_number(j, "request_bytes", l->bytes_request);
	json_number(j, "response_bytes", l->bytes_response);
}

void json_coverage(struct json *j, const struct window *w)
{
	const struct win_coverage *c = &w->coverage;

	json_object(j, "coverage");
	json_number(j, "events", c->events);
	json_number(j, "lost_events", c->lost_events);
	json_number(j, "weight", c->weight);
	json_number(j, "blind_s", c->blind_s);
	json_array(j, "loss");
	for (size_t i = 0; i < c->loss.n; i++) {
		json_object(j, NULL);
		json_string(j, "stage", c->loss.v[i].stage);
		json_string(j, "reason", c->loss.v[i].reason);
		json_number(j, "count", c->loss.v[i].count);
		json_object_end(j);
	}
	json_array_end(j);
	json_array(j, "notes");
	for (size_t i = 0; i < c->notes.n; i++)
		json_string(j, NULL, c->notes.v[i]);
	json_array_end(j);
	json_object_end(j);
}

void rows_summary(const char *schema, const struct window *w, const struct range *range, size_t n)
{
	struct json j;

	json_init(&j, false);
	row_begin(&j, "summary");
	json_string(&j, "schema", schema);
	json_string(&j, "node", w->node);
	json_time(&j, "since", range->since_ns);
	json_time(&j, "until", range->until_ns);
	json_uint(&j, "rows", n);
	json_coverage(&j, w);
	row_end(&j);
	json_done(&j);
}

/* ---- tables, at once and tick by tick ---- */

void rows_table_init(struct rows_table *t, const struct summary *s, const struct options *o, const struct table_column *columns, size_t n)
{
	size_t first = o->follow;

	t->o = o;
	t->columns[0] = (struct table_column){"TIME"};
	memcpy(t->columns + first, columns, n * sizeof(*columns));
	table_init(&t->table, t->columns, n + first);
	time_clock(t->at, sizeof(t->at), s->since_ns);
}

struct table *rows_table_row(struct rows_table *t)
{
	if (t->o->follow)
		table_text(&t->table, t->at);
	return &t->table;
}

void rows_table_end(struct rows_table *t)
{
	if (t->table.cells.n)
		(t->o->follow && !out_terminal() ? table_print_rows : table_print)(&t->table);
	table_done(&t->table);
}

void json_tick(struct json *j, const struct summary *s, const struct options *o)
{
	if (!o->follow)
		return;
	json_time(j, "t", s->since_ns);
	json_number(j, "dur_s", (double)(s->until_ns - s->since_ns) / 1e9);
}

/* ---- from a window to rows ---- */

static size_t print_rows(const struct rows *rows, const struct options *o, const struct summary *s)
{
	struct json j;
	char at[16];
	size_t n;

	if (!o->json) {
		if (o->follow && rows->drawn)
			out_line("%s%s", o->dot ? "// " : "", time_clock(at, sizeof(at), s->since_ns));
		return rows->text(s, o);
	}
	json_init(&j, false);
	n = rows->json(s, o, &j);
	json_done(&j);
	return n;
}

unsigned rows_load(const struct rows *rows, const struct options *o)
{
	return rows->load | (o->status && rows->filter ? LOAD_OUTCOMES : 0);
}

int rows_show(const struct rows *rows, const struct options *o, const struct window *w, int64_t since_ns, int64_t until_ns, size_t *n)
{
	struct filter f;
	struct summary *s;
	ssize_t cut = 0;
	int ret = filter_init(&f, o, w, rows->filter);

	*n = 0;
	if (ret)
		return ret;
	s = summary_of(w, since_ns, until_ns, filter_only(&f));
	if (s)
		cut = filter_summary(&f, s);
	if (!s || cut < 0)
		ret = say_error(EXIT_FAILED, "out of memory");
	else
		*n = print_rows(rows, o, s);
	if (cut > 0 && !o->follow)
		say_note("%zd more rows: --limit %u", cut, o->limit);
	summary_free(s);
	filter_done(&f);
	return *n == ROWS_FAILED ? EXIT_FAILED : ret;
}

/* A name that nobody has is a mistake, not an empty answer. */
static bool service_known(const struct options *o, const struct window *w)
{
	if (!o->service || window_find_service(w, o->service) != WIN_NONE)
		return true;
	say_note("no service is called '%s' here; rootle services lists them", o->service);
	return false;
}

int rows_command(const struct rows *rows, struct options *o)
{
	struct reading r;
	struct window *w;
	size_t n = 0;
	int ret;

	if (o->follow)
		return rows_follow(rows, o);
	ret = reading_open(&r, o);
	if (ret)
		return ret;
	int64_t until = r.range.until_ns;

	if (rows->to_now && !r.range.explicit_ && until < o->now_ns)
		until = o->now_ns;
	w = reading_load(&r, r.range.since_ns, until, rows_load(rows, o));
	ret = w ? EXIT_OK : EXIT_FAILED;
	if (w && service_known(o, w))
		ret = rows_show(rows, o, w, r.range.since_ns, until, &n);
	if (ret == EXIT_OK && o->json)
		rows_summary(rows->schema, w, &r.range, n);
	else if (ret == EXIT_OK && n == 0)
		say_note("%s in this range", rows->nothing);
	if (ret == EXIT_OK && n == 0)
		ret = EXIT_NO_DATA;
	ret = out_finish(ret);
	window_free(w);
	reading_close(&r);
	return ret;
}
