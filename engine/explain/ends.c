/* SPDX-License-Identifier: BSD-2-Clause */
/* How the failed calls of a service end: the status or the error that most of the new failures have. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "explain/cause.h"
#include "explain/say.h"

#define FAILED_MIN 3       /* failures that a sentence may be about */
#define SHARE_MIN 0.3      /* of the failures, that must end alike */
#define KINDS_MAX 64       /* rarer ones, which come later, are of the total only */

struct kind { const struct win_outcome *as; double before, after; };

struct ends {
	struct kind kind[KINDS_MAX];
	size_t n;
	double all;            /* failures of the incident */
};

static bool is_alike(const struct win_outcome *a, const struct win_outcome *b)
{
	return a->status == b->status && !strcmp(a->detail, b->detail) && !strcmp(a->error, b->error);
}

static struct kind *kind_of(struct ends *e, const struct win_outcome *o)
{
	for (size_t i = 0; i < e->n; i++)
		if (is_alike(e->kind[i].as, o))
			return &e->kind[i];
	if (e->n == KINDS_MAX)
		return NULL;
	e->kind[e->n] = (struct kind){.as = o};
	return &e->kind[e->n++];
}

static bool is_in(struct span range, const struct win_outcome *o)
{
	return o->t_ns >= range.since_ns && o->t_ns < range.until_ns;
}

static void ends_of(const struct study *s, uint32_t service, struct ends *e)
{
	for (size_t i = 0; i < s->w->outcomes.n; i++) {
		const struct win_outcome *o = &s->w->outcomes.v[i];
		bool after = is_in(s->sick, o), before = !s->blind && is_in(s->base, o);
		struct kind *k;

		if ((!after && !before) || s->w->edges.v[o->edge].to != service || !strcmp(o->error, "ok"))
			continue;
		k = kind_of(e, o);
		if (after)
			e->all += o->count;
		if (k)
			*(after ? &k->after : &k->before) += o->count;
	}
}

/* "status 503", "53300", "a closed connection" */
static const char *end_name(struct study *s, const struct win_outcome *o)
{
	if (o->detail[0])
		return o->detail;
	if (o->status)
		return study_text(s, "status %d", o->status);
	return strcmp(o->error, "aborted") ? NULL : "a closed connection";
}

void finding_say_ends(struct study *s, struct finding *f)
{
	struct ends e = {.n = 0};
	const struct kind *most;
	const char *name;

	ends_of(s, f->suspect, &e);
	most = &e.kind[0];
	for (size_t i = 1; i < e.n; i++)
		if (e.kind[i].after > most->after)
			most = &e.kind[i];
	name = e.n ? end_name(s, most->as) : NULL;
	if (!name || most->after < FAILED_MIN || most->after < SHARE_MIN * e.all)
		return;
	finding_say(s, f, s->blind ? NAN : most->before, most->after, "requests", say_query(s, "requests", f->suspect),
		    "%.0f of the %.0f failed calls of %s end with %s%s", most->after, e.all, study_name(s, f->suspect), name,
		    s->blind ? "" : study_text(s, ", %.0f before", most->before));
}
