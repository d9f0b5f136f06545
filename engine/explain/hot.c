/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain/hot.h"

#include <math.h>
#include <stdlib.h>

#include "model/flame.h"

#define SAMPLES_MIN 20     /* in the incident: fewer say nothing */
#define PATH_FRAMES 4      /* functions of a path that are told */

/* Samples that were added up, or not named, are no function. */
static bool is_named(const char *frame)
{
	return *frame != '(' && *frame != '[';
}

/* The innermost functions of the path. */
static const char *path_of(struct study *s, const struct flame *f, uint32_t node)
{
	const char *text = "";

	for (int n = 0; n < PATH_FRAMES && f->nodes.v[node].depth > 1; n++, node = f->nodes.v[node].parent)
		text = study_text(s, "%.80s%s%s", f->nodes.v[node].frame, *text ? " > " : "", text);
	return text;
}

/* What a sample of a range stands for, in cores; 1 / all of them where the clock is not known. */
static double weight(const struct study *s, const struct span *span, const struct flame *f)
{
	double seconds = window_sampled_s(s->w, span->since_ns, span->until_ns), all = f->nodes.v[FLAME_ROOT].total;

	if (s->w->profile_hz > 0)
		return seconds > 0 ? 1 / (s->w->profile_hz * seconds) : 0;
	return all > 0 ? 1 / all : 0;
}

static bool pick(struct study *s, const struct flame *b, const struct flame *a, struct hot *ret)
{
	double wb = weight(s, &s->base, b), wa = weight(s, &s->sick, a);
	double total = a->nodes.v[FLAME_ROOT].total * wa - b->nodes.v[FLAME_ROOT].total * wb, most = 0;
	struct flame_functions before, after;
	bool ok = !(flame_functions(b, &before) | flame_functions(a, &after));

	s->failed |= !ok;
	for (size_t i = 0; ok && i < after.list.n; i++) {
		const struct flame_function *v = &after.list.v[i], *old = flame_function_find(&before, v->frame);
		double was = old ? old->samples * wb : 0, is = v->samples * wa;

		if (!is_named(v->frame) || is - was <= most)
			continue;
		most = is - was;
		*ret = (struct hot){.frame = v->frame, .path = NULL, .before = was, .after = is,
				    .grown_share = total > 0 ? fmin(1, most / total) : 0};
		ret->path = path_of(s, a, v->node);
	}
	vec_done(&before.list);
	vec_done(&after.list);
	return most > 0;
}

bool hot_find(struct study *s, uint32_t service, struct hot *ret)
{
	struct flame_wish wish = {.service = service, .since_ns = s->base.since_ns, .until_ns = s->base.until_ns};
	struct flame b, a;
	bool found = false;
	int err;

	if (s->blind || !s->w->profile.n)
		return false;
	err = flame_init(&b, s->w, &wish);
	wish.since_ns = s->sick.since_ns;
	wish.until_ns = s->sick.until_ns;
	err |= flame_init(&a, s->w, &wish);
	s->failed |= err != 0;
	if (!err && a.nodes.v[FLAME_ROOT].total >= SAMPLES_MIN)
		found = pick(s, &b, &a, ret);
	flame_done(&a);
	flame_done(&b);
	return found;
}
