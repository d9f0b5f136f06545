/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "base/clock.h"
#include "diagnose.h"

/* Counts are integers in the schema. */
static void json_count(struct json *j, const char *key, double v)
{
	if (isnan(v))
		json_null(j, key);
	else
		json_int(j, key, (int64_t)llround(v));
}

/* Where the schema wants a time: also for 0, when nothing was recorded. */
static void json_instant(struct json *j, const char *key, int64_t unix_ns)
{
	char text[32];

	json_string(j, key, time_rfc3339(text, sizeof(text), unix_ns));
}

static void json_strings(struct json *j, const char *key, const char *const *v, size_t n)
{
	json_array(j, key);
	for (size_t i = 0; i < n; i++)
		json_string(j, NULL, v[i]);
	json_array_end(j);
}

static void json_trigger(struct json *j, const struct window *w, const struct win_event *e)
{
	if (!e) {
		json_null(j, "trigger");
		return;
	}
	json_object(j, "trigger");
	json_time(j, "t", e->t_ns);
	json_string(j, "service", e->service < w->services.n ? w->services.v[e->service].name : NULL);
	json_string(j, "kind", e->kind);
	json_string(j, "detail", e->detail);
	json_string(j, "version_before", e->version_before);
	json_string(j, "version_after", e->version_after);
	json_string(j, "actor", e->actor);
	json_object_end(j);
}

static void json_evidence(struct json *j, const struct evidence *e)
{
	json_object(j, NULL);
	json_string(j, "sentence", e->sentence);
	json_number(j, "before", e->before);
	json_number(j, "after", e->after);
	json_string(j, "unit", e->unit);
	json_string(j, "query", e->query);
	json_object_end(j);
}

static void json_cause(struct json *j, const struct window *w, const struct cause *c, size_t rank)
{
	json_object(j, NULL);
	json_uint(j, "rank", rank);
	json_string(j, "service", c->service);
	json_string(j, "kind", c->kind);
	json_number(j, "confidence", c->confidence);
	json_number(j, "share_ratio", c->share);
	json_string(j, "summary", c->summary);
	json_trigger(j, w, c->trigger);
	json_strings(j, "path", c->path.v, c->path.n);
	json_array(j, "evidence");
	for (size_t i = 0; i < c->evidence.n; i++)
		json_evidence(j, &c->evidence.v[i]);
	json_array_end(j);
	json_string(j, "advice", c->advice);
	json_string(j, "refute", c->refute);
	json_object_end(j);
}

static void json_symptom(struct json *j, const struct incident *in)
{
	json_object(j, "symptom");
	json_string(j, "service", in->service);
	json_string(j, "kind", symptom_name(in->kind));
	json_instant(j, "since", in->since_ns);
	json_time(j, "until", in->until_ns);
	json_number(j, "before", in->before);
	json_number(j, "after", in->after);
	json_string(j, "unit", in->unit);
	json_count(j, "requests_affected", in->requests_affected);
	json_string(j, "sentence", in->sentence ? in->sentence : "");
	json_object_end(j);
}

static void json_incident(struct json *j, const struct window *w, const struct incident *in)
{
	json_object(j, NULL);
	json_string(j, "id", in->id);
	json_string(j, "state", in->open ? "open" : "resolved");
	json_symptom(j, in);
	json_array(j, "causes");
	for (size_t i = 0; i < in->causes.n; i++)
		json_cause(j, w, &in->causes.v[i], i + 1);
	json_array_end(j);
	json_strings(j, "affected", in->affected.v, in->affected.n);
	json_strings(j, "ruled_out", in->ruled_out.v, in->ruled_out.n);
	json_strings(j, "observations", in->observations.v, in->observations.n);
	json_object_end(j);
}

static void json_report_window(struct json *j, const struct diagnosis *d)
{
	json_object(j, "window");
	json_instant(j, "since", d->reading.range.since_ns);
	json_instant(j, "until", d->reading.range.until_ns);
	json_time(j, "baseline_since", d->report->baseline_since_ns);
	json_time(j, "baseline_until", d->report->baseline_until_ns);
	json_object_end(j);
}

static void json_report_coverage(struct json *j, const struct diagnosis *d)
{
	const struct win_coverage *c = &d->window->coverage;

	json_object(j, "coverage");
	json_count(j, "events", c->events);
	json_count(j, "lost_events", c->lost_events);
	json_number(j, "weight", c->weight);
	json_number(j, "blind_s", c->blind_s);
	json_array(j, "notes");
	for (size_t i = 0; i < c->notes.n; i++)
		json_string(j, NULL, c->notes.v[i]);
	for (size_t i = 0; i < d->report->notes.n; i++)
		json_string(j, NULL, d->report->notes.v[i]);
	json_array_end(j);
	json_object_end(j);
}

void report_json(struct json *j, const struct diagnosis *d)
{
	json_object(j, NULL);
	json_string(j, "schema", "explain/1");
	json_string(j, "node", d->window->node);
	json_report_window(j, d);
	json_report_coverage(j, d);
	json_array(j, "incidents");
	for (size_t i = 0; i < d->report->incidents.n; i++)
		json_incident(j, d->window, &d->report->incidents.v[i]);
	json_array_end(j);
	json_object_end(j);
}
