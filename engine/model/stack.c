/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Samples of the CPUs: by service at the end of the tick, because names are decided then; of a service with many different stacks
 * the rarest as "(other)" below the caller that they have, so that a tick is bounded and no sample is lost.
 */
#include "model/internal.h"

#include <errno.h>
#include <stdlib.h>

#define STACKS_MAX 16384             /* in one tick, before they are folded */
#define STACKS_TEXT_MAX (4u << 20)
#define SERVICE_STACKS 48            /* of a service in one tick */
#define OTHER "(other)"

void stacks_init(struct model *m)
{
	arena_init(&m->stack_text, STACKS_TEXT_MAX);
}

void stacks_done(struct model *m)
{
	vec_done(&m->stacks);
	arena_done(&m->stack_text);
}

void model_stack(struct model *m, uint32_t pid, const char *frames, uint64_t samples)
{
	struct stack *k = m->stacks.n < STACKS_MAX ? vec_push(&m->stacks) : NULL;

	if (k)
		*k = (struct stack){.pid = pid, .samples = samples, .frames = arena_strdup(&m->stack_text, frames)};
	if (k && k->frames)
		return;
	m->stacks.n -= k != NULL;
	m->lost_stacks += samples;
}

static int by_service(const void *pa, const void *pb)
{
	const struct stack *a = pa, *b = pb;
	int frames;

	if (a->service != b->service)
		return a->service < b->service ? -1 : 1;
	frames = strcmp(a->frames, b->frames);
	if (frames)
		return frames;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

/* The rarest first; of equally rare ones the longest. */
static int by_samples(const void *pa, const void *pb)
{
	const struct stack *a = pa, *b = pb;
	size_t la = strlen(a->frames), lb = strlen(b->frames);

	if (a->samples != b->samples)
		return a->samples < b->samples ? -1 : 1;
	if (la != lb)
		return la > lb ? -1 : 1;
	return strcmp(a->frames, b->frames);
}

/* Sorts, adds equal ones up; the number left. */
static size_t merge_equal(struct stack *v, size_t n)
{
	size_t at = 0;

	if (!n)
		return 0;
	qsort(v, n, sizeof(*v), by_service);
	for (size_t i = 1; i < n; i++) {
		if (by_service(&v[at], &v[i]) == 0)
			v[at].samples += v[i].samples;
		else
			v[++at] = v[i];
	}
	return at + 1;
}

/* "a;b;c" becomes "a;b;(other)", that "a;(other)", that "(other)". NULL: it is that already; false: no memory. */
static bool shorten(struct model *m, struct stack *k)
{
	const char *last = strrchr(k->frames, ';');
	size_t keep = last ? (size_t)(last - k->frames) : 0;
	char *text;

	if (!last && !strcmp(k->frames, OTHER))
		return false;
	if (last && !strcmp(last + 1, OTHER)) {
		while (keep && k->frames[keep - 1] != ';')
			keep--;
		keep -= keep > 0;
	}
	text = arena_alloc(&m->stack_text, keep + sizeof(OTHER) + 1);
	if (!text)
		return false;
	memcpy(text, k->frames, keep);
	strcpy(text + keep, keep ? ";" OTHER : OTHER);
	k->frames = text;
	return true;
}

/* Those of one service; the number left. */
static size_t fold(struct model *m, struct stack *v, size_t n)
{
	bool changed = n > SERVICE_STACKS;

	for (size_t i = 0; changed && i < n; i++)
		v[i].pid = 0;           /* what they run says more than which of them */
	n = changed ? merge_equal(v, n) : n;
	while (changed && n > SERVICE_STACKS) {
		changed = false;
		qsort(v, n, sizeof(*v), by_samples);
		for (size_t i = 0; i < n - SERVICE_STACKS; i++)
			changed |= shorten(m, &v[i]);
		n = merge_equal(v, n);
	}
	return n;
}

static int put(struct tick *t, const struct stack *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct tick_stack *r = v[i].samples ? vec_push(&t->stacks) : NULL;

		if (!v[i].samples)
			continue;
		if (!r)
			return -ENOMEM;
		*r = (struct tick_stack){.service = v[i].service, .pid = v[i].pid, .samples = v[i].samples,
					 .frames = arena_strdup(&t->arena, v[i].frames)};
		if (!r->frames)
			return -ENOMEM;
	}
	return 0;
}

int stacks_build(struct model *m, struct tick *t)
{
	struct stack *v = m->stacks.v;
	size_t begin = 0, end, n;
	int err = 0;

	for (size_t i = 0; i < m->stacks.n; i++)
		v[i].service = pid_service(m, v[i].pid);
	m->stacks.n = merge_equal(v, m->stacks.n);
	for (; !err && begin < m->stacks.n; begin = end) {
		for (end = begin; end < m->stacks.n && v[end].service == v[begin].service; end++)
			;
		n = fold(m, v + begin, end - begin);
		for (size_t i = begin + n; i < end; i++)
			v[i].samples = 0;       /* added to another one: a tick that fails is built again */
		err = put(t, v + begin, n);
	}
	return err;
}

void stacks_commit(struct model *m)
{
	vec_reset(&m->stacks);
	arena_reset(&m->stack_text);
}
