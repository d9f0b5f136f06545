/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/normalise.h"
#include "proto/user_private.h"

#include <stdio.h>
#include <string.h>

static uint64_t field_read(const struct user_field *f, const uint8_t *b)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < f->size; i++)
		v = v << 8 | b[f->little ? f->at + f->size - 1u - i : f->at + i];
	return v;
}

static const char *name_of(const struct user_name *t, uint64_t value)
{
	for (; t && t->text; t++)
		if (t->value == value)
			return t->text;
	return NULL;
}

static bool has_number(const struct user_numbers *l, uint64_t value)
{
	for (unsigned i = 0; i < l->n; i++)
		if (l->v[i] == value)
			return true;
	return false;
}

/* The length of the message at b; 0: more bytes are needed; PROTO_BAD. */
static ssize_t frame_length(const struct user_protocol *p, enum proto_dir dir, const uint8_t *b, size_t n)
{
	const struct user_frames *d = &p->frames;
	size_t magic = p->magic[dir].n;
	uint64_t v, before;

	if (magic && memcmp(b, p->magic[dir].p, n < magic ? n : magic))
		return PROTO_BAD;
	if (n < d->header)
		return 0;
	v = field_read(&d->length, b);
	before = d->counts == COUNTS_ALL ? 0 : d->counts == COUNTS_REST ? d->length.at + d->length.size : d->header;
	if (v > d->length_max || v + before > d->length_max || v + before < d->header)
		return PROTO_BAD;
	return (ssize_t)(v + before);
}

int user_frames_plausible(const struct user_protocol *p, enum proto_dir dir, const uint8_t *b, size_t n)
{
	const struct user_frames *d = &p->frames;
	ssize_t len = frame_length(p, dir, b, n);

	if (len <= 0)
		return len ? 0 : -1;
	/* what has names must have this one */
	return dir == FROM_SERVER || !d->ops || name_of(d->ops, field_read(&d->op, b));
}

static size_t op_text(const struct user_frames *d, const uint8_t *b, char *op, size_t cap, bool raw)
{
	const char *text = (const char *)b + d->op.at;
	size_t n = d->op.size;

	while (n && (text[n - 1] == ' ' || text[n - 1] == '\0'))
		n--;
	return normalise_name(op, cap, text, n, raw);
}

static void request_read(const struct user_frames *d, struct user_message *m, const uint8_t *b, const struct proto_sink *s)
{
	uint64_t number = d->op_is_text ? 0 : field_read(&d->op, b);
	const char *name = d->op.size ? name_of(d->ops, number) : "request";

	m->oneway = has_number(&d->oneway, number);
	if (d->op_is_text)
		m->op_len = (uint16_t)op_text(d, b, m->op, sizeof(m->op), s->raw);
	else if (name)
		m->op_len = (uint16_t)snprintf(m->op, sizeof(m->op), "%s", name);
	else
		m->op_len = (uint16_t)snprintf(m->op, sizeof(m->op), "op %lu", (unsigned long)number);
	if (m->op_len >= sizeof(m->op))
		m->op_len = sizeof(m->op) - 1;
}

static void response_read(const struct user_frames *d, struct user_message *m, const uint8_t *b)
{
	uint64_t status = d->status.size ? field_read(&d->status, b) : 0;
	bool good = !d->status.size || (d->good.n ? has_number(&d->good, status) : !status);

	m->status = status <= INT32_MAX ? (int)status : 0;
	m->error = good ? REQ_OK : has_number(&d->client_errors, status) ? REQ_CLIENT_ERROR : REQ_SERVER_ERROR;
	m->detail = good ? NULL : name_of(d->statuses, status);
}

ssize_t user_frames_parse(struct user_state *u, enum proto_dir dir, const struct proto_bytes *b, struct proto_sink *s)
{
	const struct user_frames *d = &u->def->frames;
	struct user_message *m = &u->m[dir];
	ssize_t len;

	if (m->open) {
		user_report(u, dir, proto_end_ns(b, 0), s);
		return PROTO_AGAIN;
	}
	len = frame_length(u->def, dir, b->p, b->n);
	if (len <= 0)
		return len;
	*m = (struct user_message){.open = true, .begin_ns = proto_begin_ns(b), .bytes = (uint64_t)len};
	if (d->id.size)
		m->id = field_read(&d->id, b->p) + 1 ? field_read(&d->id, b->p) + 1 : 1;
	if (dir == FROM_CLIENT)
		request_read(d, m, b->p, s);
	else
		response_read(d, m, b->p);
	return len;
}
