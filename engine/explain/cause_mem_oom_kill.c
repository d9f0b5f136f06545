/* SPDX-License-Identifier: BSD-2-Clause */
/* mem.oom_kill: the kernel killed it for its memory. */
#include <math.h>

#include "explain/cause.h"
#include "explain/say.h"

static const char *const kills[] = {"oom_kill", "oom", NULL};

double cause_mem_oom_kill(struct study *s, uint32_t v, struct finding *f)
{
	double span_s = (double)(s->sick.until_ns - s->sick.since_ns) / 1e9;
	const struct win_event *kill = event_near(s, v, kills, 60, span_s);
	const char *name = study_name(s, v);
	uint32_t mem = study_series(s, v, "mem_bytes");
	double limit = mem == WIN_NONE ? NAN : gauge_limit(&s->gauges, mem, (struct span){s->base.since_ns, s->sick.until_ns});
	double most = mem == WIN_NONE ? NAN : gauge_max(&s->gauges, mem, (struct span){s->base.since_ns, s->sick.until_ns});

	if (!kill)
		return 0;
	finding_say(s, f, NAN, NAN, NULL, say_query(s, "events", v), "%s oom_kill: %s", say_time(s, kill->t_ns),
		    kill->detail ? kill->detail : name);
	if (!isnan(most))
		finding_say(s, f, NAN, most, "bytes", say_query(s, "services", v), "memory of %s reached %s%s%s", name,
			    say_value(s, most, "bytes"), isnan(limit) ? "" : " of its limit of ",
			    isnan(limit) ? "" : say_value(s, limit, "bytes"));
	f->trigger = kill;
	f->summary = study_text(s, "the kernel killed %s for lack of memory at %s; its requests failed until it was back", name,
				say_time(s, kill->t_ns));
	f->advice = study_text(s, "raise the memory limit of %s for now, and look for what grows", name);
	f->refute = study_text(s, "without a kill the symptom must not come back: %s", say_check(s, "events", v));
	return 0.95;
}
