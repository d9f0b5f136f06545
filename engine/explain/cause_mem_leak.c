/* SPDX-License-Identifier: BSD-2-Clause */
/* mem.leak: memory grows while the load does not. */
#include <math.h>
#include <string.h>

#include "explain/cause.h"
#include "explain/say.h"

double cause_mem_leak(struct study *s, uint32_t v, struct finding *f)
{
	uint32_t series = study_series(s, v, "mem_bytes"), odd = s->node[v].odd;
	struct calls b = study_calls(s, v, false), a = study_calls(s, v, true);
	const char *name = study_name(s, v);
	const struct shift *h;

	if (!metric_rose(s, v, "mem_bytes", 16e6, INFINITY, NULL))
		return 0;
	h = &s->shift[series];
	if (h->after < 1.2 * h->before || a.per_s > 1.5 * b.per_s)
		return 0;
	finding_say_series(s, f, series);
	finding_say_calls(s, f);
	f->summary = study_text(s, "memory of %s grew from %s to %s while its load did not", name, say_value(s, h->before, "bytes"),
				say_value(s, h->after, "bytes"));
	f->advice = study_text(s, "restart %s to gain time, then find what it keeps", name);
	f->refute = study_text(s, "if it levels off under the same load, it is a cache, not a leak: %s",
			       say_check(s, "services", v));
	/* Memory that grows is a cause only where it is what changed most. */
	return odd == series ? 0.55 : 0.35;
}
