/* SPDX-License-Identifier: BSD-2-Clause */
/* app.slow: its own time grew and nothing deeper shows: what is left when no other kind fits. */
#include <math.h>

#include "explain/cause.h"
#include "explain/say.h"

double cause_app_slow(struct study *s, uint32_t v, struct finding *f)
{
	const struct node *n = &s->node[v];
	const char *name = study_name(s, v);

	if (study_outside(s, v) || (n->d[CUR_SECONDS] <= 0 && s->symptom->kind == SYMPTOM_ERRORS && n->measured))
		return 0;
	finding_say_calls(s, f);
	finding_say_where(s, f);
	if (n->odd != WIN_NONE)
		finding_say_series(s, f, n->odd);
	f->summary = n->d[CUR_SECONDS] > 0 ?
		study_text(s, "%s itself got slower: %s of %s's extra latency is its own, and nothing it calls or waits "
			   "for explains it", name, say_share(s, n->score), study_name(s, s->symptom->service)) :
		study_text(s, "%s behaves differently since the onset, more than any other service behind %s", name,
			   study_name(s, s->symptom->service));
	f->advice = study_text(s, "look at what %s does while it answers: its log around %s, its stacks", name,
			     say_time(s, s->sick.since_ns));
	f->refute = study_text(s, "if its slow calls wait for a callee, it is that one: %s", say_check(s, "edges", v));
	return 0.45;
}
