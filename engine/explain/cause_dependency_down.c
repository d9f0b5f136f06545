/* SPDX-License-Identifier: BSD-2-Clause */
/* dependency.down: nobody listens any more, or the process is gone: refused connects, an exit. */
#include <math.h>

#include "explain/cause.h"
#include "explain/say.h"

#define GAP_SHARE 0.02
#define ANSWERS_AGAIN 0.7

static const char *const ends[] = {"exit", "signal", "unlisten", "crash", NULL};
static const char *const kills[] = {"oom_kill", NULL};
static const char *const begins[] = {"start", "listen", NULL};

double cause_dependency_down(struct study *s, uint32_t v, struct finding *f)
{
	struct calls b = study_calls(s, v, false), a = study_calls(s, v, true);
	const struct win_event *gone = event_near(s, v, ends, 30, 15);
	const char *name = study_name(s, v);
	double span_s = (double)(s->sick.until_ns - s->sick.since_ns) / 1e9;
	bool refused = a.refused > 3 * b.refused && a.refused * span_s >= 3;
	bool silent = s->node[v].measured && a.per_s < 0.2 * b.per_s;

	/* A few refused while it was replaced, and it answers again: that is a restart, not an outage. */
	if (refused && a.refused * span_s < GAP_SHARE * a.requests && !(a.per_s < ANSWERS_AGAIN * b.per_s))
		refused = false;
	/* A worker's exit is nothing as long as the service answers. */
	if (!refused && !(gone && silent))
		return 0;
	if (refused)
		finding_say(s, f, b.refused, a.refused, "per_s", say_query(s, "edges", v),
			    "%.0f connects to %s refused (%s)", a.refused * span_s, name,
			    say_change(s, say_value(s, b.refused, "per_s"), say_value(s, a.refused, "per_s"), !s->blind));
	if (gone)
		finding_say(s, f, NAN, NAN, NULL, say_query(s, "events", v), "%s %s: %s%s%s", say_time(s, gone->t_ns), gone->kind,
			    gone->detail ? gone->detail : name, gone->actor ? ", by " : "", gone->actor ? gone->actor : "");
	if (!s->blind)
		finding_say(s, f, b.per_s, a.per_s, "per_s", say_query(s, "requests", v), "answers of %s: %s", name,
			    say_change(s, say_value(s, b.per_s, "per_s"), say_value(s, a.per_s, "per_s"), true));
	f->trigger = gone;
	f->summary = study_text(s, "%s is down: %s%s", name, refused ? "connects to it are refused" : "it answers nothing",
				gone ? study_text(s, " since its %s at %s", gone->kind, say_time(s, gone->t_ns)) : "");
	f->advice = study_text(s, "start %s again and read its last log lines%s", name,
			       event_near(s, v, begins, -1, 3600) ? " (a process of it was started since)" : "");
	f->refute = study_text(s, "refused connects must end once %s listens: %s", name, say_check(s, "edges", v));
	if (event_near(s, v, kills, 30, 15))
		return 0.7;      /* it is down, but why it is has a name of its own */
	return refused && gone ? 0.95 : refused ? 0.9 : 0.85;
}
