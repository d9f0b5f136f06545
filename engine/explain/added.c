/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the added time goes: latency and waits in one unit, so that evidence competes by how much of the excess it explains. */
#include <math.h>
#include <string.h>

#include "explain/cause.h"

#define LATENCY_SHARE 0.3   /* a wait of this share of the latency explains it: queues in front multiply a wait */
#define WAIT_MIN 0.3        /* s/s from which on a wait may stand behind a queue that is many times as long … */
#define QUEUE_SHARE 0.02    /* … as where all wait for the one that writes the log; but not any number of times */

typedef double mean_fn(const struct gauges *g, uint32_t series, struct span range);

static double added_by(const struct study *s, uint32_t service, const char *metric, mean_fn *mean)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < s->w->series.n; i++) {
		double before, after;

		if (s->w->series.v[i].service != service || strcmp(s->w->series.v[i].metric, metric) != 0)
			continue;
		after = mean(&s->gauges, (uint32_t)i, s->sick);
		before = s->blind ? NAN : mean(&s->gauges, (uint32_t)i, s->base);
		if (!isnan(after))
			sum += after - (isnan(before) ? 0 : before);
	}
	return sum;
}

double metric_added(const struct study *s, uint32_t service, const char *metric)
{
	return added_by(s, service, metric, gauge_mean);
}

double metric_added_lasting(const struct study *s, uint32_t service, const char *metric)
{
	return added_by(s, service, metric, gauge_mean_lasting);
}

static double level_by(const struct study *s, uint32_t service, const char *metric, mean_fn *mean)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < s->w->series.n; i++)
		if (s->w->series.v[i].service == service && !strcmp(s->w->series.v[i].metric, metric))
			sum += fmax(0, mean(&s->gauges, (uint32_t)i, s->sick));
	return sum;
}

double metric_level(const struct study *s, uint32_t service, const char *metric)
{
	return level_by(s, service, metric, gauge_mean);
}

double metric_level_lasting(const struct study *s, uint32_t service, const char *metric)
{
	return level_by(s, service, metric, gauge_mean_lasting);
}

static double sick_seconds(const struct study *s)
{
	double n = 0;
	uint32_t i;

	for (i = 0; i < s->traffic.grid.bins; i++)
		n += (s->symptom->sick[i] & SICK_HERE) != 0;
	return fmax(n, 1) * study_bin_s(s);
}

struct added added_time(const struct study *s, uint32_t service)
{
	return (struct added){
		.latency = s->node[service].self[CUR_SECONDS] / sick_seconds(s),
		.cpu = fmax(0, metric_added(s, service, "cpu_cores")),
		.runq = fmax(0, metric_added(s, service, "runq_wait_s")),
		.disk = fmax(0, metric_added(s, service, "disk_wait_s")),
	};
}

double added_fit(const struct added *a, double wait)
{
	double known = a->cpu + a->runq + a->disk, of_latency = a->latency > 0 ? wait / a->latency : 1;
	double fit = fmin(1, of_latency / LATENCY_SHARE);

	if (known > 0 && wait >= WAIT_MIN && of_latency >= QUEUE_SHARE)
		fit = fmax(fit, wait / known);
	/* What is known to go elsewhere cannot have gone here. */
	return known > 0 ? fmin(fit, 2 * wait / known) : fit;
}

double wait_fit(const struct study *s, uint32_t service, uint32_t series)
{
	struct added a = added_time(s, service);

	if (s->w->series.v[series].service != service)
		return 0.5;
	return added_fit(&a, strcmp(s->w->series.v[series].metric, "disk_wait_s") ? a.runq : a.disk);
}

bool burns_more(const struct study *s, uint32_t service)
{
	uint32_t cpu = study_series(s, service, "cpu_cores");
	struct calls b = study_calls(s, service, false), a = study_calls(s, service, true);
	double before, after;

	if (s->blind || cpu == WIN_NONE || !(b.per_s > 0) || !(a.per_s > 0))
		return false;
	before = gauge_mean(&s->gauges, cpu, s->base);
	after = gauge_mean(&s->gauges, cpu, s->sick);
	return after - before >= 0.1 && after / a.per_s > 2 * before / b.per_s;
}
