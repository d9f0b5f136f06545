/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/outcome.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Statuses from here on say more than that it went well (HTTP: redirects). */
#define STATUS_TOLD 300

bool outcome_is_told(const struct request *r)
{
	return r->error != REQ_OK || (r->detail && r->detail[0]) || r->status >= STATUS_TOLD;
}

bool outcome_is_error(const struct proto_ops *o, enum req_error class, int status)
{
	switch (class) {
	case REQ_OK:
		return false;
	case REQ_CLIENT_ERROR:
		return !o || !o->strangers || status == 408 || status == 429 || status == 499;
	case REQ_SERVER_ERROR:
	case REQ_ABORTED:
	default:
		return true;
	}
}

static bool is_same(const struct outcome *a, const struct outcome *b)
{
	return a->status == b->status && a->error == b->error && !strcmp(a->detail, b->detail);
}

static int put(struct outcomes *o, const struct outcome *x)
{
	struct outcome other = {.error = x->error, .count = x->count}, *slot;

	for (size_t i = 0; i < o->v.n; i++)
		if (is_same(&o->v.v[i], x)) {
			o->v.v[i].count += x->count;
			return 0;
		}
	/* the last places are kept for the rest of each class */
	if (o->v.n >= OUTCOMES_MAX - REQ_CLASSES && !is_same(x, &other))
		return put(o, &other);
	slot = vec_push(&o->v);
	if (!slot)
		return -ENOMEM;
	*slot = *x;
	return 0;
}

int outcome_add(struct outcomes *o, const struct request *r, uint64_t count)
{
	struct outcome x = {.status = r->status, .error = r->error, .count = count};

	snprintf(x.detail, sizeof(x.detail), "%s", r->detail ? r->detail : "");
	return put(o, &x);
}

int outcomes_merge(struct outcomes *into, const struct outcomes *from)
{
	for (size_t i = 0; i < from->v.n; i++)
		if (put(into, &from->v.v[i]))
			return -ENOMEM;
	return 0;
}

void outcomes_done(struct outcomes *o)
{
	vec_done(&o->v);
}
