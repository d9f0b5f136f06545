/* SPDX-License-Identifier: BSD-2-Clause */
/* deploy.regression: a new version made it worse.  It has to precede the onset, to be another version, and to have excess of
 * its own; a redeploy of the same is ruled out, however well it fits in time. */
#include <math.h>
#include <string.h>

#include "explain/cause.h"
#include "explain/say.h"

static const char *const deploys[] = {"deploy", "restart", "start", "exec", "flag_change", NULL};

/* The change of version nearest before the onset, among the events of the service. */
static const struct win_event *change(const struct study *s, uint32_t v)
{
	int64_t since = s->symptom->since_ns - 180 * (int64_t)1e9 - s->traffic.grid.bin_ns;
	int64_t until = s->symptom->since_ns + s->traffic.grid.bin_ns;
	const struct win_event *best = NULL;
	size_t i, k;

	for (i = 0; i < s->w->events.n; i++) {
		const struct win_event *e = &s->w->events.v[i];

		if (e->service != v || e->t_ns < since || e->t_ns > until || !e->kind || !event_changed(e))
			continue;
		for (k = 0; deploys[k]; k++)
			if (!strcmp(e->kind, deploys[k]))
				best = e;
	}
	return best;
}

static void say_cost(struct study *s, struct finding *f, uint32_t v)
{
	static const char *const metrics[] = {"cpu_cores", "mem_bytes"};
	size_t i;

	for (i = 0; i < 2; i++) {
		uint32_t series;

		if (metric_rose(s, v, metrics[i], 0, INFINITY, &series))
			finding_say_series(s, f, series);
	}
}

double cause_deploy_regression(struct study *s, uint32_t v, struct finding *f)
{
	const struct node *n = &s->node[v];
	const struct win_event *e = change(s, v);
	const char *name = study_name(s, v);

	if (!e || n->self[CUR_SECONDS] + n->self[CUR_FAILURES] + n->weight <= 0)
		return 0;
	finding_say(s, f, NAN, NAN, NULL, say_query(s, "events", v), "%s %s of %s: %s -> %s%s%s", say_time(s, e->t_ns), e->kind,
		    name, say_version(s, e->version_before), say_version(s, e->version_after), e->detail ? ", " : "",
		    e->detail ? e->detail : "");
	finding_say_calls(s, f);
	say_cost(s, f, v);
	f->trigger = e;
	f->summary = study_text(s, "%s got worse with the version started at %s (%s -> %s): %s of %s's excess", name,
				say_time(s, e->t_ns), say_version(s, e->version_before),
				say_version(s, e->version_after), say_share(s, n->score),
				study_name(s, s->symptom->service));
	f->advice = study_text(s, "roll %s back to %s", name, say_version(s, e->version_before));
	f->refute = study_text(s, "the same errors, latency and CPU a request before and after %s would clear it: %s",
			       say_time(s, e->t_ns), say_query(s, "requests", v));
	return 0.9;
}
