/* SPDX-License-Identifier: BSD-2-Clause */
/* dependency.slow: slow, and outside of what can be seen from here. */
#include "explain/cause.h"
#include "explain/say.h"

double cause_dependency_slow(struct study *s, uint32_t v, struct finding *f)
{
	const struct node *n = &s->node[v];
	struct calls b = study_calls(s, v, false), a = study_calls(s, v, true);
	const char *name = study_name(s, v);

	if (!study_outside(s, v) || n->d[CUR_SECONDS] <= 0)
		return 0;
	finding_say_calls(s, f);
	f->summary = study_text(s, "%s answers slowly (mean %s): %s of %s's extra latency; it runs outside of this node, so "
				"nothing deeper can be seen", name, say_change(s, say_ms(s, b.mean_ms), say_ms(s, a.mean_ms),
				b.requests > 0), say_share(s, n->score), study_name(s, s->symptom->service));
	f->advice = study_text(s, "ask the owner of %s; meanwhile shorten the timeout or serve without it", name);
	f->refute = study_text(s, "a grown round-trip time would mean the path, not %s: %s", name, say_check(s, "edges", v));
	return 0.65;
}
