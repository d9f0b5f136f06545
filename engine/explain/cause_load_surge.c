/* SPDX-License-Identifier: BSD-2-Clause */
/* load.surge: more requests came from outside than usual; what is behind is full, not broken. */
#include <math.h>

#include "explain/cause.h"
#include "explain/say.h"

#define SURGE 1.8   /* times the usual rate; daily tides are slower than a baseline is long */

double cause_load_surge(struct study *s, uint32_t v, struct finding *f)
{
	const struct node *n = &s->node[s->symptom->service];
	uint32_t i, most = WIN_NONE;
	struct calls b = study_calls(s, s->symptom->service, false), a = study_calls(s, s->symptom->service, true);
	double extra = 0, per_s = a.per_s + a.stuck / fmax(1, (double)(s->sick.until_ns - s->sick.since_ns) / 1e9);

	if (s->blind || !(b.per_s > 0) || per_s < SURGE * b.per_s || burns_more(s, v))
		return 0;
	for (i = 0; i < n->n_in; i++) {
		uint32_t e = s->link[n->in + i];
		double more = s->after[e].per_s - s->before[e].per_s;

		if (more > extra) {
			extra = more;
			most = s->w->edges.v[e].from;
		}
	}
	f->service = most == WIN_NONE ? s->symptom->service : most;
	f->score = 1;
	finding_say(s, f, b.per_s, a.per_s, "per_s", say_query(s, "requests", s->symptom->service),
		    "requests to %s: %s, most of it from %s", study_name(s, s->symptom->service),
		    say_change(s, say_value(s, b.per_s, "per_s"), say_value(s, a.per_s, "per_s"), true),
		    most == WIN_NONE ? "callers that are not known" : study_name(s, most));
	finding_say_calls(s, f);
	f->summary = study_text(s, "%s sends %.2g times the usual load (%.3g -> %.3g requests/s); %s is what gives out first",
				study_name(s, f->service), a.per_s / b.per_s, b.per_s, a.per_s, study_name(s, v));
	f->advice = study_text(s, "limit the rate at %s, or add capacity to %s", study_name(s, s->symptom->service),
			       study_name(s, v));
	f->refute = study_text(s, "latency must fall when the rate does: %s", say_check(s, "requests", s->symptom->service));
	return 0.86;
}
