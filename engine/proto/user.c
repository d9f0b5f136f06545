/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/user_private.h"

#include <errno.h>
#include <string.h>

const struct proto_ops *proto_user_table[USER_PROTOCOLS_MAX + 1];

static struct proto_ops rows[USER_PROTOCOLS_MAX];
static unsigned n_rows;

/* Without magic bytes nothing is certain: then only a port makes it this protocol (flow_infer.c). */
int user_infer(const struct user_protocol *p, enum proto_dir dir, const uint8_t *b, size_t n)
{
	size_t magic = p->magic[dir].n;
	int r;

	if (magic && memcmp(b, p->magic[dir].p, n < magic ? n : magic))
		return 0;
	if (n < magic)
		return -1;
	r = p->is_frames ? user_frames_plausible(p, dir, b, n) : user_lines_plausible(p, dir, b, n);
	if (r <= 0)
		return r;
	return magic > 1 ? 60 : 50;
}

void user_report(struct user_state *u, enum proto_dir dir, uint64_t end_ns, struct proto_sink *s)
{
	struct user_message *m = &u->m[dir];
	struct proto_request q = {.id = m->id, .op = m->op, .op_len = m->op_len, .begin_ns = m->begin_ns, .end_ns = end_ns,
				  .bytes = m->bytes, .oneway = m->oneway};
	struct proto_response r = {.id = m->id, .status = m->status, .error = m->error, .detail = m->detail,
				   .begin_ns = m->begin_ns, .end_ns = end_ns, .bytes = m->bytes};

	m->open = m->body_lines = false;
	if (m->ignored)
		return;
	if (dir == FROM_CLIENT)
		s->request(s, &q);
	else
		s->response(s, &r);
}

static void user_init(void *state, bool mid)
{
	struct user_state *u = state;

	u->lost[0] = u->lost[1] = mid;
}

static void user_done(void *state, struct proto_sink *s)
{
}

/* Lost bytes are found again where a segment begins as a message does. */
static bool user_found(const struct user_state *u, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	if (!b->start || (dir == FROM_SERVER && s->tag(s) < 0))
		return false;
	return u->def->is_frames ? user_frames_plausible(u->def, dir, b->p, b->n) > 0 :
				   user_lines_plausible(u->def, dir, b->p, b->n) > 0;
}

static ssize_t user_parse(void *state, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	struct user_state *u = state;

	if (u->lost[dir]) {
		if (!user_found(u, dir, b, s))
			return (ssize_t)b->n;
		u->lost[dir] = false;
	}
	return u->def->is_frames ? user_frames_parse(u, dir, b, s) : user_lines_parse(u, dir, b, s);
}

static ssize_t user_gap(void *state, enum proto_dir dir, uint64_t n, const struct proto_bytes *tail, struct proto_sink *s)
{
	struct user_state *u = state;
	const struct user_protocol *p = u->def;

	u->lost[dir] = true;
	u->m[dir].open = u->m[dir].body_lines = false;
	/* ids tell which answer is whose; where there are none only what is asked from now on can be paired */
	if (dir == FROM_SERVER && !(p->is_frames ? p->frames.id.size : p->lines.request_id))
		s->resync(s, false);
	return 0;
}

int user_add(const struct user_protocol *p)
{
	if (proto_by_name(p->name) || !strcmp(p->name, proto_name(PROTO_UNKNOWN)))
		return -EEXIST;
	if (n_rows == USER_PROTOCOLS_MAX)
		return -ENOSPC;
	rows[n_rows] = (struct proto_ops){
		.id = (enum proto_id)(PROTO_USER + (int)n_rows),
		.name = p->name,
		.ports = p->ports,
		.state_size = sizeof(struct user_state),
		.whole = true,
		.user = p,
		.init = user_init,
		.done = user_done,
		.parse = user_parse,
		.gap = user_gap,
	};
	proto_user_table[n_rows] = &rows[n_rows];
	proto_user_table[++n_rows] = NULL;
	return 0;
}

void user_reset(void)
{
	n_rows = 0;
	proto_user_table[0] = NULL;
}
