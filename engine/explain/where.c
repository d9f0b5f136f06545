/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the time goes: which part of a service's time a request has grown, of the requests that could be timed. */
#include <math.h>

#include "explain/cause.h"
#include "explain/say.h"

#define TIMED_MIN 5        /* requests that a sentence may be about */
#define SHARE_MIN 0.3      /* of what a request takes longer, that the part must explain */

/* Milliseconds a request; NaN: too few were timed. */
struct where { double ms, part_ms[TIME_PARTS]; };

static struct where where_in(const struct study *s, uint32_t service, struct span range)
{
	struct where r = {.ms = NAN};
	double n = 0, total_ns = 0;
	size_t i, k;

	for (i = 0; i < s->w->requests.n; i++) {
		const struct win_requests *q = &s->w->requests.v[i];

		if (s->w->edges.v[q->edge].to != service || q->t_ns < range.since_ns || q->t_ns >= range.until_ns)
			continue;
		n += q->timing.count;
		total_ns += q->timing.total_ns;
		for (k = 0; k < TIME_PARTS; k++)
			r.part_ms[k] += q->timing.part_ns[k];
	}
	for (k = 0; k < TIME_PARTS && n > 0; k++)
		r.part_ms[k] /= n * 1e6;
	if (n < TIMED_MIN)
		return (struct where){.ms = NAN};
	r.ms = total_ns / n / 1e6;
	return r;
}

void finding_say_where(struct study *s, struct finding *f)
{
	struct where a = where_in(s, f->suspect, s->sick), b = {.ms = NAN};
	size_t most = 0, k;

	if (!s->blind)
		b = where_in(s, f->suspect, s->base);
	if (isnan(a.ms))
		return;
	for (k = 0; k < TIME_REMOTE; k++)       /* that a callee elsewhere takes longer is what we look for the cause of */
		if (a.part_ms[k] - b.part_ms[k] > a.part_ms[most] - b.part_ms[most])
			most = k;
	if (a.part_ms[most] - b.part_ms[most] < SHARE_MIN * (a.ms - (isnan(b.ms) ? 0 : b.ms)))
		return;
	finding_say(s, f, isnan(b.ms) ? NAN : b.part_ms[most], a.part_ms[most], "ms", say_query(s, "requests", f->suspect),
		    "%s: a request is %s for %s", study_name(s, f->suspect), time_part_table[most].what,
		    say_change(s, say_ms(s, b.part_ms[most]), say_ms(s, a.part_ms[most]), !isnan(b.ms)));
}
