/* SPDX-License-Identifier: BSD-2-Clause */
/* cpu.saturated: the node ran out of CPU and no single newcomer took it. */
#include <math.h>

#include "explain/cause.h"
#include "explain/say.h"

double cause_cpu_saturated(struct study *s, uint32_t v, struct finding *f)
{
	uint32_t host = study_host(s), wait, idle;
	double grown;
	const char *name = study_name(s, v);

	if (!cpu_waits(s, v, &wait) || cpu_taker(s, v, &grown) != WIN_NONE || burns_more(s, v) ||
	    wait_fit(s, v, wait) < FIT_MIN)
		return 0;
	idle = host == WIN_NONE ? WIN_NONE : study_series(s, host, "cpu_idle_cores");
	if (idle == WIN_NONE || !(s->shift[idle].after < 0.3))
		return 0;
	/* It was out of CPU before as well, and nobody minded. */
	if (!s->blind && s->shift[idle].before - s->shift[idle].after < 0.2)
		return 0;
	finding_say_series(s, f, wait);
	finding_say_series(s, f, idle);
	finding_say_series(s, f, study_series(s, v, "cpu_cores"));
	finding_say_calls(s, f);
	f->summary = study_text(s, "the node is out of CPU (%.2g cores idle): %s waits for a core", s->shift[idle].after, name);
	f->advice = "move load away or add cores; the services by CPU: rootle services";
	f->refute = study_text(s, "with idle cores the latency must fall: %s", say_check(s, "services", host));
	return 0.55;
}
