/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/flow_private.h"
#include "proto/protocols.h"
#include "proto/user.h"

/* A guess below this is none. The port adds to what the bytes say, and says nothing alone. */
#define SURE_ENOUGH 60
#define PORT_BONUS 20
/* one direction speaks against it: in the middle of a connection that may be the rest of a message */
#define CONTRADICTION 30
/* of a protocol that the user has said to be on this port, and that the bytes may be */
#define TOLD 110

struct guess {
	const struct proto_ops *ops;
	int score;
	bool swapped, more;
};

static bool port_is(const struct proto_ops *o, uint16_t port)
{
	const uint16_t *p;

	for (p = o->ports; p && *p; p++)
		if (*p == port)
			return true;
	return false;
}

static int infer(const struct proto_ops *o, enum proto_dir dir, const struct stream *st)
{
	if (!st->len)
		return 0;
	return o->user ? user_infer(o->user, dir, st->buf, st->len) : o->infer(dir, st->buf, st->len);
}

static int flow_score(const struct flow *f, const struct proto_ops *o, bool swap, bool *more)
{
	int best = 0;
	bool against = false;

	for (int d = 0; d < 2; d++) {
		const struct stream *st = &f->dir[d ^ swap];
		int score = infer(o, (enum proto_dir)d, st);

		if (score < 0 && st->len < KEEP_UNDECIDED / 2)
			*more = true;
		else if (score > best)
			best = score;
		else if (st->len && score <= 0)
			against = true;
	}
	if (!best)
		return 0;
	if (o->user)
		return !swap && !against && port_is(o, f->server_port) ? TOLD : best - (against ? CONTRADICTION : 0);
	return best - (against ? CONTRADICTION : 0) + (!swap && port_is(o, f->server_port) ? PORT_BONUS : 0);
}

/* The best of a table that is better than *best. */
static void flow_ask(const struct flow *f, const struct proto_ops *const *o, struct guess *g)
{
	for (; *o; o++) {
		if (f->failed & 1ull << (*o)->id)
			continue;
		for (int swap = 0; swap <= f->mid; swap++) {
			int score = flow_score(f, *o, swap, &g->more);

			if (score > g->score) {
				g->score = score;
				g->ops = *o;
				g->swapped = swap;
			}
		}
	}
}

const struct proto_ops *flow_infer(const struct flow *f, bool *swapped, bool *more)
{
	struct guess g = {.score = SURE_ENOUGH - 1};

	flow_ask(f, proto_table, &g);
	/* whatever is said to be on a port may be encrypted there */
	if (g.ops != &proto_tls)
		flow_ask(f, proto_user_table, &g);
	*more = g.more;
	if (g.ops)
		*swapped = g.swapped;
	return g.ops;
}
