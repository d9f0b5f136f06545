/* SPDX-License-Identifier: BSD-2-Clause */
/* cpu.throttled: its cgroup used up the CPU quota and stood still for the rest of each period. */
#include <math.h>

#include "explain/cause.h"
#include "explain/say.h"

static const char *const changes[] = {"config_change", "limit_change", NULL};

double cause_cpu_throttled(struct study *s, uint32_t v, struct finding *f)
{
	uint32_t series, cpu = study_series(s, v, "cpu_cores");
	const char *name = study_name(s, v);
	double limit;

	/* Without a quota before there was no throttling before; without a baseline some of it may be usual. */
	if (!metric_rose(s, v, "cpu_throttled_s", 0.03, s->blind ? 0.1 : 0.03, &series))
		return 0;
	limit = gauge_limit(&s->gauges, series, s->sick);
	finding_say_series(s, f, series);
	finding_say_series(s, f, cpu);
	finding_say_calls(s, f);
	f->trigger = event_near(s, v, changes, 60, 10);
	f->summary = study_text(s, "%s is throttled by its CPU quota%s: it stood still for %s of every second; that is %s of %s's "
				"excess", name, isnan(limit) ? "" : study_text(s, " of %.2g cores", limit),
				say_ms(s, fmin(s->shift[series].after, 99) * 1e3), say_share(s, s->node[v].score),
				study_name(s, s->symptom->service));
	f->advice = study_text(s, "raise or remove the CPU quota of %s (cpu.max, cpu.cfs_quota_us)", name);
	f->refute = study_text(s, "with a higher quota throttling and latency must fall: %s", say_check(s, "services", v));
	return 0.9;
}
