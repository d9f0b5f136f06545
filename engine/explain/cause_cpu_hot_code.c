/* SPDX-License-Identifier: BSD-2-Clause */
/* cpu.hot_code: the service itself burns more CPU a request; where, as far as its CPUs were sampled. */
#include <math.h>

#include "explain/cause.h"
#include "explain/hot.h"
#include "explain/say.h"

#define MOST_OF_IT 0.5

/* Names the function that grew most; NULL where there are no samples. */
static const char *say_hot(struct study *s, struct finding *f, uint32_t v, const struct hot *hot)
{
	const char *unit = s->w->profile_hz > 0 ? "cores" : "ratio";

	finding_say(s, f, hot->before, hot->after, unit, say_query(s, "profile", v), "hottest in %s: %.120s itself %s (%.300s)",
		    study_name(s, v), hot->frame, say_change(s, say_value(s, hot->before, unit), say_value(s, hot->after, unit), true),
		    hot->path);
	return hot->frame;
}

double cause_cpu_hot_code(struct study *s, uint32_t v, struct finding *f)
{
	struct calls b = study_calls(s, v, false), a = study_calls(s, v, true);
	const char *name = study_name(s, v);
	uint32_t series;
	const struct win_process *pid = process_newest(s, v);
	struct hot hot = {0};
	const char *where = NULL;
	double before, after;

	if (s->blind || !metric_rose(s, v, "cpu_cores", 0.05, INFINITY, &series))
		return 0;
	before = s->shift[series].before / (b.per_s > 0 ? b.per_s : 1) * 1e3;
	after = s->shift[series].after / (a.per_s > 0 ? a.per_s : 1) * 1e3;
	if (!(after > 1.4 * before))
		return 0;
	finding_say_series(s, f, series);
	if (a.per_s > 0 && b.per_s > 0)
		finding_say(s, f, before, after, "ms", say_query(s, "services", v), "CPU a request of %s: %s -> %s", name,
			    say_ms(s, before), say_ms(s, after));
	if (hot_find(s, v, &hot))
		where = say_hot(s, f, v, &hot);
	finding_say_calls(s, f);
	f->summary = study_text(s, "%s burns more CPU: %.2g -> %.2g cores%s%s", name, s->shift[series].before,
				s->shift[series].after, a.per_s > 0 && b.per_s > 0 ?
				study_text(s, ", %s -> %s a request", say_ms(s, before), say_ms(s, after)) : "",
				where && hot.grown_share >= MOST_OF_IT ? study_text(s, ", most of it in %.80s", where) : "");
	if (where)
		f->advice = study_text(s, "see what calls it: %s", say_check(s, "profile", v));
	else
		f->advice = study_text(s, "see where %s burns it: perf top%s", name, pid ? study_text(s, " -p %u", pid->pid) : "");
	f->refute = study_text(s, "CPU a request must fall back with the latency: %s", say_check(s, "services", v));
	return s->node[v].odd == series ? 0.62 : 0.55;
}
