/* SPDX-License-Identifier: BSD-2-Clause */
/* cpu.neighbour: a process that has nothing to do with the requests took the CPU. */
#include <math.h>

#include "explain/cause.h"
#include "explain/say.h"

static const char *const begins[] = {"start", "exec", NULL};

double cause_cpu_neighbour(struct study *s, uint32_t v, struct finding *f)
{
	uint32_t wait, taker;
	double grown, fit;
	const struct win_process *p;
	const char *who, *name = study_name(s, v);

	if (!cpu_waits(s, v, &wait))
		return 0;
	taker = cpu_taker(s, v, &grown);
	fit = wait_fit(s, v, wait);
	if (taker == WIN_NONE || burns_more(s, v) || fit < FIT_MIN)
		return 0;
	p = process_guilty(s, taker);
	who = study_name(s, taker);
	finding_say_series(s, f, study_series(s, taker, "cpu_cores"));
	finding_say_series(s, f, wait);
	finding_say_process(s, f, p);
	finding_say_calls(s, f);
	f->service = taker;
	f->trigger = event_near(s, taker, begins, 60, study_bin_s(s));
	f->summary = study_text(s, "%s took %.2g cores since the onset; %s waits for a CPU", who, grown, name);
	f->advice = p ? study_text(s, "lower its priority (renice -n 19 -p %u) or give it a CPU quota; nothing is wrong with %s",
				   p->pid, name) :
			study_text(s, "lower the priority of %s or give it a CPU quota; nothing is wrong with %s", who, name);
	f->refute = study_text(s, "the wait for a CPU must fall within seconds of %s's end: %s", who, say_check(s, "services", v));
	return 0.65 + 0.23 * fit;
}
