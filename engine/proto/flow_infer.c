/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/flow_private.h"

/* A guess below this is none. The port adds to what the bytes say, and says nothing alone. */
#define SURE_ENOUGH 60
#define PORT_BONUS 20
/* one direction speaks against it: in the middle of a connection that may be the rest of a message */
#define CONTRADICTION 30

static bool port_is(const struct proto_ops *o, uint16_t port)
{
	const uint16_t *p;

	for (p = o->ports; p && *p; p++)
		if (*p == port)
			return true;
	return false;
}

static int flow_score(const struct flow *f, const struct proto_ops *o, bool swap, bool *more)
{
	int best = 0;
	bool against = false;

	for (int d = 0; d < 2; d++) {
		const struct stream *st = &f->dir[d ^ swap];
		int score = st->len ? o->infer((enum proto_dir)d, st->buf, st->len) : 0;

		if (score < 0 && st->len < KEEP_UNDECIDED / 2)
			*more = true;
		else if (score > best)
			best = score;
		else if (st->len && score <= 0)
			against = true;
	}
	if (!best)
		return 0;
	return best - (against ? CONTRADICTION : 0) + (!swap && port_is(o, f->server_port) ? PORT_BONUS : 0);
}

const struct proto_ops *flow_infer(const struct flow *f, bool *swapped, bool *more)
{
	const struct proto_ops *found = NULL, *const *o;
	int best = SURE_ENOUGH - 1;

	*more = false;
	for (o = proto_table; *o; o++) {
		if (f->failed & 1ull << (*o)->id)
			continue;
		for (int swap = 0; swap <= f->mid; swap++) {
			int score = flow_score(f, *o, swap, more);

			if (score > best) {
				best = score;
				found = *o;
				*swapped = swap;
			}
		}
	}
	return found;
}
