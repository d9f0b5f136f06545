/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "exit.h"
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

static size_t print_rows(const struct rows *rows, const struct options *o, const struct summary *s)
{
	struct json j;
	size_t n;

	if (!o->json)
		return rows->text(s, o);
	json_init(&j, false);
	n = rows->json(s, o, &j);
	json_done(&j);
	return n;
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
	struct summary *s = NULL;
	size_t n = 0;
	int ret = reading_open(&r, o);

	if (ret)
		return ret;
	int64_t until = r.range.until_ns;

	if (rows->to_now && !r.range.explicit_ && until < o->now_ns)
		until = o->now_ns;
	w = reading_load(&r, r.range.since_ns, until, rows->load);
	if (w)
		s = summary_new(w, r.range.since_ns, until);
	if (!s) {
		ret = w ? say_error(EXIT_FAILED, "out of memory") : EXIT_FAILED;
		goto out;
	}
	if (service_known(o, w))
		n = print_rows(rows, o, s);
	if (o->json)
		rows_summary(rows->schema, w, &r.range, n);
	else if (n == 0)
		say_note("%s in this range", rows->nothing);
	ret = out_finish(n == ROWS_FAILED ? EXIT_FAILED : n ? EXIT_OK : EXIT_NO_DATA);
out:
	summary_free(s);
	window_free(w);
	reading_close(&r);
	return ret;
}
