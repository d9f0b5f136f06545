/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/clock.h"
#include "diagnose.h"
#include "exit.h"
#include "say.h"

/* A short window is compared with the four windows before it, and with ten minutes at least. */
#define HISTORY_FACTOR 4
#define HISTORY_MIN_NS (600 * NS_PER_S)

static enum symptom_kind symptom_of(const char *s)
{
	if (!s)
		return SYMPTOM_ANY;
	return strcmp(s, "latency") == 0 ? SYMPTOM_LATENCY : SYMPTOM_ERRORS;
}

static int64_t load_since(const struct diagnosis *d)
{
	const struct range *r = &d->reading.range;
	int64_t length = r->until_ns - r->since_ns, since = d->reading.first_ns;
	int64_t history = length > HISTORY_MIN_NS / HISTORY_FACTOR ? length : HISTORY_MIN_NS / HISTORY_FACTOR;

	/* by division: four times the decades that an import may span are more than 64 bits */
	if ((r->since_ns - since) / HISTORY_FACTOR > history)
		since = r->since_ns - history * HISTORY_FACTOR;
	if (d->question.baseline_until_ns)
		since = d->question.baseline_since_ns < r->since_ns ? d->question.baseline_since_ns : r->since_ns;
	return since < d->reading.first_ns ? d->reading.first_ns : since;
}

static int64_t load_until(const struct diagnosis *d)
{
	int64_t until = d->reading.range.until_ns;

	return d->question.baseline_until_ns > until ? d->question.baseline_until_ns : until;
}

static void ask(struct question *q, const struct options *o, const struct range *r)
{
	*q = (struct question){.service = o->service, .symptom = symptom_of(o->symptom)};
	if (o->baseline.since_ns != TIME_UNSET) {
		q->baseline_since_ns = o->baseline.since_ns;
		q->baseline_until_ns = o->baseline.until_ns;
	}
	if (r->explicit_) {
		q->since_ns = r->since_ns;
		q->until_ns = r->until_ns;
	}
}

int diagnosis_open(struct diagnosis *d, struct options *o)
{
	int ret;

	*d = (struct diagnosis){0};
	if (o->symptom && !o->service)
		return say_error(EXIT_USAGE, "--symptom needs --service: whose symptom is it?");
	ret = reading_open(&d->reading, o);
	if (ret)
		return ret;
	d->now_ns = o->now_ns;
	ask(&d->question, o, &d->reading.range);
	d->window = reading_load(&d->reading, load_since(d), load_until(d), LOAD_EXPLAIN);
	if (!d->window) {
		ret = EXIT_FAILED;
	} else {
		d->unknown_service = o->service && window_find_service(d->window, o->service) == WIN_NONE;
		d->report = explain(d->window, &d->question);
		ret = d->report ? 0 : say_error(EXIT_FAILED, "out of memory");
	}
	if (ret)
		diagnosis_close(d);
	return ret;
}

void diagnosis_close(struct diagnosis *d)
{
	report_free(d->report);
	window_free(d->window);
	reading_close(&d->reading);
	*d = (struct diagnosis){0};
}

bool diagnosis_has_data(const struct diagnosis *d)
{
	const struct window *w = d->window;
	bool any = w->requests.n || w->tcp.n || w->points.n || w->events.n || w->logs.n || w->processes.n;

	if (!any)
		say_note("no data in this range");
	else if (d->unknown_service)
		say_note("no service is called '%s' here; rootle services lists them", d->question.service);
	return any && !d->unknown_service;
}
