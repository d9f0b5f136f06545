/* SPDX-License-Identifier: BSD-2-Clause */
/* dependency.errors: it fails, and outside of what can be seen from here. */
#include "explain/cause.h"
#include "explain/say.h"

double cause_dependency_errors(struct study *s, uint32_t v, struct finding *f)
{
	const struct node *n = &s->node[v];
	const char *name = study_name(s, v);

	if (!study_outside(s, v) || study_extra_errors(s, v) < 3 || n->self[CUR_FAILURES] <= 0)
		return 0;
	finding_say_calls(s, f);
	finding_say_ends(s, f);
	if (!f->evidence.n)
		return 0;
	f->summary = study_text(s, "%s fails: %.0f more failures than usual; it runs outside of this node, so nothing deeper can be "
				"seen", name, n->d[CUR_FAILURES]);
	f->advice = study_text(s, "ask the owner of %s; meanwhile serve without it", name);
	f->refute = study_text(s, "the failures must end when %s answers again: %s", name, say_check(s, "requests", v));
	return 0.65;
}
