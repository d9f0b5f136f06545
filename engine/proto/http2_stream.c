/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/http2_stream.h"

#include <string.h>

#define STREAMS_MAX 8192u       /* above the requests that a flow lets wait, so that those are what is counted as lost */

/* Ids of one end are every second number, so that their halves lie side by side. */
static uint32_t slot_of(const struct h2_streams *t, uint32_t id)
{
	return id >> 1 & (t->cap - 1);
}

struct h2_stream *h2_stream_find(const struct h2_streams *t, uint32_t id)
{
	uint32_t i;

	if (!t->n || !id)
		return NULL;
	for (i = slot_of(t, id); t->slot[i].id; i = (i + 1) & (t->cap - 1))
		if (t->slot[i].id == id)
			return &t->slot[i];
	return NULL;
}

static struct h2_stream *slot_free(const struct h2_streams *t, uint32_t id)
{
	uint32_t i = slot_of(t, id);

	while (t->slot[i].id)
		i = (i + 1) & (t->cap - 1);
	return &t->slot[i];
}

static bool grow(struct h2_streams *t, struct proto_sink *s)
{
	struct h2_streams wide = {.n = t->n, .cap = t->cap ? t->cap * 2 : 8, .early = t->early};

	if (wide.cap > STREAMS_MAX * 2)
		return false;
	wide.slot = s->realloc(s, NULL, 0, wide.cap * sizeof(*wide.slot));
	if (!wide.slot)
		return false;
	memset(wide.slot, 0, wide.cap * sizeof(*wide.slot));
	for (uint32_t i = 0; i < t->cap; i++)
		if (t->slot[i].id)
			*slot_free(&wide, t->slot[i].id) = t->slot[i];
	h2_streams_clear(t, s);
	*t = wide;
	return true;
}

struct h2_stream *h2_stream_add(struct h2_streams *t, struct proto_sink *s, uint32_t id)
{
	struct h2_stream *st;

	if ((t->n + 1) * 2 > t->cap && !grow(t, s))
		return NULL;
	st = slot_free(t, id);
	*st = (struct h2_stream){.id = id, .grpc_status = -1};
	t->n++;
	return st;
}

/* What lies behind moves up, so that a search ends at the first free slot. */
void h2_stream_remove(struct h2_streams *t, struct h2_stream *st)
{
	uint32_t hole = (uint32_t)(st - t->slot), mask = t->cap - 1;

	for (uint32_t i = (hole + 1) & mask; t->slot[i].id; i = (i + 1) & mask) {
		if (((i - slot_of(t, t->slot[i].id)) & mask) < ((i - hole) & mask))
			continue;
		t->slot[hole] = t->slot[i];
		hole = i;
	}
	t->slot[hole].id = 0;
	t->n--;
}

void h2_streams_clear(struct h2_streams *t, struct proto_sink *s)
{
	if (t->slot)
		s->realloc(s, t->slot, t->cap * sizeof(*t->slot), 0);
	*t = (struct h2_streams){0};
}
