/* SPDX-License-Identifier: BSD-2-Clause */
/* app.errors: the service itself raises errors, nothing deeper shows. */
#include <math.h>
#include <string.h>

#include "explain/cause.h"
#include "explain/say.h"

/* The warning or error that became more frequent by most, NULL: none. */
static const struct win_log *loudest(const struct study *s, uint32_t v, double *before, double *after)
{
	const struct win_log *best = NULL;
	size_t i, k;

	*before = *after = 0;
	for (i = 0; i < s->w->logs.n; i++) {
		const struct win_log *l = &s->w->logs.v[i];
		double b = 0, a = 0;

		if (l->service != v || !l->level || !strcmp(l->level, "info") || !strcmp(l->level, "debug") ||
		    l->t_ns < s->sick.since_ns || l->t_ns >= s->sick.until_ns || (best && l->template == best->template))
			continue;
		for (k = 0; k < s->w->logs.n; k++) {
			const struct win_log *o = &s->w->logs.v[k];

			if (o->service != v || strcmp(o->template, l->template) != 0)
				continue;
			a += o->t_ns >= s->sick.since_ns && o->t_ns < s->sick.until_ns ? o->count : 0;
			b += o->t_ns >= s->base.since_ns && o->t_ns < s->base.until_ns ? o->count : 0;
			b += isnan(o->baseline_count) ? 0 : o->baseline_count;
		}
		if (a >= 3 && a - b > *after - *before) {
			best = l;
			*before = b;
			*after = a;
		}
	}
	return best;
}

double cause_app_errors(struct study *s, uint32_t v, struct finding *f)
{
	const struct node *n = &s->node[v];
	const char *name = study_name(s, v);
	double before, after, strength = 0.5;
	const struct win_log *log;

	if (study_outside(s, v) || study_extra_errors(s, v) < 3 || n->self[CUR_FAILURES] <= 0)
		return 0;
	finding_say_calls(s, f);
	finding_say_ends(s, f);
	log = loudest(s, v, &before, &after);
	if (log) {
		finding_say(s, f, before, after, "lines", NULL, "%s logs \"%.200s\" %.0f times (%.0f before)",
			    name, log->sample ? log->sample : log->template, after, before);
		strength = 0.6;
	}
	f->summary = study_text(s, "%s raises errors itself: %.0f of the %.0f extra failures begin there, none of what it calls "
				"fails as much", name, n->self[CUR_FAILURES],
				fmax(s->symptom->extra_failures, n->self[CUR_FAILURES]));
	f->advice = study_text(s, "read the log of %s around %s", name, say_time(s, s->sick.since_ns));
	f->refute = study_text(s, "if a callee of %s fails as often, the errors begin there: %s", name, say_check(s, "edges", v));
	return strength;
}
