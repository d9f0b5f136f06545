/* SPDX-License-Identifier: BSD-2-Clause */
/* dependency.hung: it accepts and never answers: requests stay open, and answers stop coming. */
#include <math.h>

#include "explain/cause.h"
#include "explain/say.h"

#define ANSWERS_MANY 10   /* without a before: so many requests answered for each one open are no silence */

static const char *const stops[] = {"stop", NULL};

static double oldest_ms(const struct study *s, uint32_t v)
{
	const struct node *n = &s->node[v];
	double most = 0;
	uint32_t i, k;

	for (k = 0; k < n->n_in; k++) {
		const struct flow *f = &s->traffic.flow[s->link[n->in + k]];

		for (i = 0; f->cell && i < s->traffic.grid.bins; i++)
			if (s->symptom->sick[i] & SICK_HERE)
				most = fmax(most, f->cell[i].oldest_ms);
	}
	return most;
}

/* Where callers give up, the model counts a failed request: that is no answer. */
static double answers(const struct calls *c)
{
	return c->requests > 0 ? c->per_s * (1 - c->errors_share) : 0;
}

/* The stop is sure where the onset is an estimate: a blip before it may have been taken for the beginning. */
static const struct win_event *stop_event(const struct study *s, uint32_t v)
{
	double lasted = (double)(s->symptom->until_ns - s->symptom->since_ns) / 1e9;

	return event_near(s, v, stops, 30, fmax(15, lasted / 2));
}

double cause_dependency_hung(struct study *s, uint32_t v, struct finding *f)
{
	struct calls b = study_calls(s, v, false), a = study_calls(s, v, true);
	const char *name = study_name(s, v);
	uint32_t series;
	bool stopped = metric_rose(s, v, "stopped", 1, 1, &series);
	const struct win_event *stop = stop_event(s, v);

	if (a.stuck <= 0 && !(stopped || stop))
		return 0;
	/* A slow service has open requests too, but it goes on answering. */
	if (!stopped && !stop && (s->blind ? a.requests > ANSWERS_MANY * a.stuck : answers(&a) > 0.3 * answers(&b)))
		return 0;
	if (a.stuck > 0)
		finding_say(s, f, b.inflight, b.inflight + a.stuck, "requests", say_query(s, "edges", v),
			    "requests to %s that wait for an answer: %.0f -> %.0f, the oldest for %s", name, b.inflight,
			    b.inflight + a.stuck, say_ms(s, oldest_ms(s, v)));
	if (stopped)
		finding_say_series(s, f, series);
	if (stop)
		finding_say(s, f, NAN, NAN, NULL, say_query(s, "events", v), "%s stop: %s%s%s", say_time(s, stop->t_ns),
			    stop->detail ? stop->detail : name, stop->actor ? ", by " : "", stop->actor ? stop->actor : "");
	if (!s->blind)
		finding_say(s, f, b.per_s, a.per_s, "per_s", say_query(s, "requests", v), "answers of %s: %s", name,
			    say_change(s, say_value(s, b.per_s, "per_s"), say_value(s, a.per_s, "per_s"), true));
	f->trigger = stop;
	f->summary = study_text(s, "%s hangs: it accepts requests and does not answer%s; everything in front of it waits", name,
				stopped || stop ? " (its process is stopped)" : "");
	f->advice = stopped || stop ? study_text(s, "continue it (kill -CONT) or restart %s", name) :
				      study_text(s, "take a stack of %s (gdb -p, or its own tool), then restart it", name);
	f->refute = study_text(s, "if %s still answers part of its requests, it is slow, not hung: %s", name,
			       say_check(s, "requests", v));
	return stopped || stop ? 0.95 : 0.8;
}
