/* SPDX-License-Identifier: BSD-2-Clause */
/* disk.neighbour: another process took the disk: a backup, a compaction, a copy. */
#include <math.h>

#include "explain/cause.h"
#include "explain/say.h"

static const char *const begins[] = {"start", "exec", NULL};

double cause_disk_neighbour(struct study *s, uint32_t v, struct finding *f)
{
	uint32_t wait, taker;
	double grown, fit;
	const struct win_process *p;
	const char *who, *name = study_name(s, v);

	if (!disk_waits(s, v, &wait))
		return 0;
	fit = wait_fit(s, v, wait);
	taker = disk_taker(s, v, &grown);
	if (taker == WIN_NONE || fit < FIT_MIN)
		return 0;
	p = process_guilty(s, taker);
	who = study_name(s, taker);
	finding_say_series(s, f, study_series(s, taker, metric_growth(s, taker, "disk_write_bytes") > grown / 2 ?
						   "disk_write_bytes" : "disk_read_bytes"));
	finding_say_series(s, f, wait);
	finding_say_process(s, f, p);
	finding_say_calls(s, f);
	f->service = taker;
	f->trigger = event_near(s, taker, begins, 60, study_bin_s(s));
	f->summary = study_text(s, "%s waits for the disk: %s took it with %s since the onset", name, who,
				say_value(s, grown, "bytes/s"));
	f->advice = p ? study_text(s, "ionice -c3 -p %u, or move it out of the busy hours; nothing is wrong with %s", p->pid, name) :
			study_text(s, "give %s a lower I/O priority, or move it out of the busy hours", who);
	f->refute = study_text(s, "the wait for the disk must fall within seconds of %s's end: %s", who,
			       say_check(s, "services", v));
	return 0.65 + 0.28 * fit;
}
