/* SPDX-License-Identifier: BSD-2-Clause */
/* What requests waited for downstream: (edge, operation, edge of the calls) → rows of the tick. */
#include "model/internal.h"

#include <errno.h>

struct down_key { uint32_t edge, op, callee; };
struct down { uint64_t count, ns; };

void downstream_init(struct model *m)
{
	map_init(&m->downs, sizeof(struct down_key), sizeof(struct down), 0);
}

void downstream_done(struct model *m)
{
	map_done(&m->downs);
}

static void down_add(struct model *m, const struct down_key *k, uint64_t ns)
{
	struct down *d = map_get(&m->downs, k);

	if (!d && m->downs.n < ROWS_MAX)
		d = map_put(&m->downs, k, NULL);
	if (!d) {
		m->lost_downs++;
		return;
	}
	d->count++;
	d->ns += ns;
}

void downstream_add(struct model *m, uint32_t edge, uint32_t op, struct timing *t, uint64_t from_ns, uint64_t to_ns,
		    const struct timing_call *calls, size_t n)
{
	uint64_t ns[DOWNSTREAM_CALLS_MAX];

	if (!t->count)
		return;
	timing_calls(t, from_ns, to_ns, calls, n, ns);
	for (size_t i = 0; i < n; i++)
		if (calls[i].edge != NONE)
			down_add(m, &(struct down_key){edge, op, calls[i].edge}, ns[i]);
}

int downstream_build(struct model *m, struct tick *t)
{
	const void *key;
	size_t it = 0;
	void *value;

	while (map_next(&m->downs, &it, &key, &value)) {
		const struct down_key *k = key;
		const struct down *d = value;
		struct tick_downstream *r = vec_push(&t->downstream);

		if (!r)
			return -ENOMEM;
		*r = (struct tick_downstream){.edge = k->edge, .op = k->op, .callee = k->callee, .count = d->count, .ns = d->ns};
	}
	return 0;
}

void downstream_commit(struct model *m)
{
	map_reset(&m->downs);
}
