/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time of hops: what a request waited for in those that it caused.  A hop's own parts are told by whole.c, its calls by the
 * linker, in either order; when both have spoken they go into the sums of the tick.
 */
#include <stdlib.h>

#include "model/internal.h"

static int by_begin(const void *pa, const void *pb)
{
	const struct timing_call *a = pa, *b = pb;

	return a->begin_ns < b->begin_ns ? -1 : a->begin_ns > b->begin_ns;
}

/* As the caller saw it: until it had read the answer, where that is known. */
static struct timing_call call_of(const struct hop *h)
{
	return (struct timing_call){h->edge, h->begin_ns, h->timing.count ? h->begin_ns + h->timing.total_ns : h->end_ns};
}

static size_t calls_of(struct model *m, const struct hop *h, struct timing_call calls[DOWNSTREAM_CALLS_MAX])
{
	uint32_t child = h->child;
	struct hop *c;
	size_t n = 0;

	for (; (c = trace_hop_at(&m->trace, child)); child = c->next) {
		if (n < DOWNSTREAM_CALLS_MAX)
			calls[n++] = call_of(c);
		else
			m->lost_downs++;
	}
	if (n)
		qsort(calls, n, sizeof(*calls), by_begin);
	return n;
}

static void hop_sum(struct model *m, struct hop *h)
{
	const struct act *read = trace_act_at(&m->trace, h->read);
	struct timing_call calls[DOWNSTREAM_CALLS_MAX];
	uint64_t read_ns = read ? read->ts_ns : h->sent_ns;
	struct timing *sum;

	h->summed = true;
	if (!h->timing.count || h->edge == NONE)
		return;
	if (h->child)
		downstream_add(m, h->edge, h->op, &h->timing, read_ns, h->end_ns, calls, calls_of(m, h, calls));
	sum = request_timing_of(m, h->edge, h->op);
	if (sum)
		timing_merge(sum, &h->timing);
}

void trace_told(struct model *m, uint32_t hop, const struct timing *t)
{
	struct hop *h = trace_hop_at(&m->trace, hop);

	h->timing = *t;
	h->told = true;
	if (h->linked)
		hop_sum(m, h);
}

void trace_time_lost(struct model *m, struct hop *h)
{
	if (h->told && !h->summed)
		hop_sum(m, h);
}

void trace_times(struct model *m, uint64_t now_ns)
{
	struct trace *t = &m->trace;
	uint32_t serial;

	for (serial = t->called + 1; t->hop && (int32_t)(t->nhops - serial) >= 0; serial++) {
		struct hop *h = trace_hop_at(t, serial);

		if (h && !m->ending && h->end_ns + TRACE_LINKED_NS > now_ns)
			break;
		t->called = serial;
		if (!h)
			continue;
		h->linked = true;
		if (h->told && !h->summed)
			hop_sum(m, h);
	}
}
