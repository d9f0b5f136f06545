/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "explain/cause.h"
#include "explain/say.h"

#define WAITS_TOO 0.3   /* s/s of waiting for the disk from which on it is sure to be this one */

void finding_say(struct study *s, struct finding *f, double before, double after, const char *unit, const char *query,
		 const char *fmt, ...)
{
	struct evidence *e = vec_push(&f->evidence);
	char buf[1024];
	va_list ap;

	if (!e) {
		s->failed = true;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	*e = (struct evidence){
		.sentence = study_text(s, "%s", buf), .before = before, .after = after, .unit = unit, .query = query,
	};
}

static void say_latency(struct study *s, struct finding *f, const struct calls *b, const struct calls *a)
{
	const struct node *n = &s->node[f->suspect];
	bool tail = !(a->p50_ms > 1.3 * b->p50_ms) && a->p99_ms > b->p99_ms;
	double before = tail ? b->p99_ms : b->p50_ms, after = tail ? a->p99_ms : a->p50_ms;
	double own = n->self[CUR_SECONDS] / n->d[CUR_SECONDS];

	finding_say(s, f, before, after, "ms", say_query(s, "requests", f->suspect),
		    "%s latency of the calls to %s: %s; %s extra waited, %s", tail ? "p99" : "median",
		    study_name(s, f->suspect), say_change(s, say_ms(s, before), say_ms(s, after), !isnan(before)),
		    say_ms(s, n->d[CUR_SECONDS] * 1e3), own < 0.995 ? study_text(s, "%s of it its own", say_share(s, own)) :
		    "none of it in its callees");
}

void finding_say_calls(struct study *s, struct finding *f)
{
	struct calls b = study_calls(s, f->suspect, false), a = study_calls(s, f->suspect, true);
	const struct node *n = &s->node[f->suspect];

	if (n->d[CUR_SECONDS] > 0 && a.requests > 0)
		say_latency(s, f, &b, &a);
	if (study_extra_errors(s, f->suspect) >= 3)
		finding_say(s, f, b.errors_share, a.errors_share, "ratio", say_query(s, "requests", f->suspect),
			    "%s: share of failed requests %s (%.0f more than usual)", study_name(s, f->suspect),
			    say_change(s, say_share(s, b.errors_share), say_share(s, a.errors_share), b.requests > 0),
			    study_extra_errors(s, f->suspect));
}

double finding_say_series(struct study *s, struct finding *f, uint32_t series)
{
	const struct win_series *v;
	const struct metric_info *m;
	const struct shift *shift;
	bool burst;
	double before, after;

	if (series == WIN_NONE || !s->shift[series].n_after)
		return 0;
	v = &s->w->series.v[series];
	m = metric_by_name(v->metric);
	shift = &s->shift[series];
	burst = fabs(shift->p90_after - shift->p90_before) > 2 * fabs(shift->after - shift->before);
	before = burst ? shift->p90_before : shift->before;
	after = burst ? shift->p90_after : shift->after;
	finding_say(s, f, before, after, m ? m->unit : NULL, say_query(s, "services", v->service), "%s of %s%s%s%s: %s",
		    m ? m->what : v->metric, study_name(s, v->service), v->device ? " on " : "",
		    v->device ? v->device : "", burst ? " (p90)" : "",
		    say_change(s, say_value(s, before, m ? m->unit : NULL), say_value(s, after, m ? m->unit : NULL),
			       shift->n_before > 0));
	return shift->z;
}

static bool process_better(const struct study *s, const struct win_process *p, const struct win_process *than)
{
	bool lives = !p->end_ns || p->end_ns >= s->sick.until_ns, lived = !than->end_ns || than->end_ns >= s->sick.until_ns;

	return lives != lived ? lives : p->start_ns > than->start_ns;
}

const struct win_process *process_newest(const struct study *s, uint32_t service)
{
	const struct win_process *best = NULL;
	size_t i;

	for (i = 0; i < s->w->processes.n; i++) {
		const struct win_process *p = &s->w->processes.v[i];

		if (p->service == service && p->start_ns <= s->sick.until_ns && (!best || process_better(s, p, best)))
			best = p;
	}
	return best;
}

const struct win_process *process_guilty(const struct study *s, uint32_t service)
{
	int64_t until = s->sick.since_ns + s->traffic.grid.bin_ns, half = s->sick.since_ns / 2 + s->sick.until_ns / 2;
	const struct win_process *only = NULL;
	size_t i;

	for (i = 0; i < s->w->processes.n; i++) {
		const struct win_process *p = &s->w->processes.v[i];

		if (p->service != service || p->start_ns > until || (p->end_ns && p->end_ns < half))
			continue;
		if (!only || p->start_ns > only->start_ns)
			only = p;
	}
	return only;
}

void finding_say_process(struct study *s, struct finding *f, const struct win_process *p)
{
	if (!p)
		return;
	finding_say(s, f, NAN, NAN, NULL, say_query(s, "events", p->service), "%s is %s[%u]%s%.200s, started %s",
		    study_name(s, p->service), p->comm ? p->comm : "", p->pid, p->cmdline ? ": " : "",
		    p->cmdline ? p->cmdline : "", say_time(s, p->start_ns));
}

static double rise(const struct shift *h)
{
	if (!h->n_after)
		return 0;
	if (!h->n_before)
		return h->after;
	return fmax(h->after - h->before, h->p90_after - h->p90_before);
}

bool metric_rose(const struct study *s, uint32_t service, const char *metric, double least, double level, uint32_t *series)
{
	uint32_t id = service == WIN_NONE ? WIN_NONE : study_series(s, service, metric);
	const struct shift *h = id == WIN_NONE ? NULL : &s->shift[id];

	if (series)
		*series = id;
	if (!h || !h->n_after)
		return false;
	if (!h->n_before)
		return h->after >= level;
	return h->z >= Z_SURE && rise(h) >= least;
}

double metric_growth(const struct study *s, uint32_t service, const char *metric)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < s->w->series.n; i++)
		if (s->w->series.v[i].service == service && !strcmp(s->w->series.v[i].metric, metric))
			sum += rise(&s->shift[i]);
	return sum;
}

static bool kind_among(const char *kind, const char *const *kinds)
{
	size_t i;

	for (i = 0; kind && kinds[i]; i++)
		if (!strcmp(kind, kinds[i]))
			return true;
	return false;
}

const struct win_event *event_near(const struct study *s, uint32_t service, const char *const *kinds, double early_s,
				   double late_s)
{
	int64_t since = s->symptom->since_ns - (int64_t)(early_s * 1e9), until = s->symptom->since_ns + (int64_t)(late_s * 1e9);
	size_t i;

	for (i = s->w->events.n; i-- > 0;) {
		const struct win_event *e = &s->w->events.v[i];

		if (e->service == service && e->t_ns >= since && e->t_ns <= until && kind_among(e->kind, kinds))
			return e;
	}
	return NULL;
}

bool event_changed(const struct win_event *e)
{
	return e->version_before && e->version_after && strcmp(e->version_before, e->version_after) != 0;
}

/* A wait that lasts is not the work of a burst, however many bytes it moved. */
static double disk_growth(const struct study *s, uint32_t service)
{
	return fmax(0, metric_added_lasting(s, service, "disk_read_bytes")) +
	       fmax(0, metric_added_lasting(s, service, "disk_write_bytes"));
}

/* Bytes are not told by device. Who moves them on the disk that the victim waits for mostly waits there himself; who does not is
 * on another one, or leaves the writing to the kernel. */
static double disk_taking(const struct study *s, uint32_t service)
{
	double waits = fmin(1, metric_level(s, service, "disk_wait_s") / WAITS_TOO);

	return disk_growth(s, service) * (0.3 + 0.7 * waits);
}

static double cpu_growth(const struct study *s, uint32_t service)
{
	return metric_added_lasting(s, service, "cpu_cores");
}

/* Who serves the symptom's requests, or has sent requests all along, is no neighbour, however much it takes. */
static bool takes_part(const struct study *s, uint32_t service)
{
	const struct node *n = &s->node[service];
	uint32_t i;

	if (n->reached || study_is_node(s, service))
		return true;
	for (i = 0; i < n->n_out; i++)
		if (s->before[s->link[n->out + i]].requests > 0)
			return true;
	return false;
}

typedef double growth_fn(const struct study *s, uint32_t service);

/* Whose `rank` is the highest, where it grew by `least` at least and by more than twice what the victim did. */
static uint32_t taker(const struct study *s, uint32_t v, growth_fn *growth, growth_fn *rank, double least, double *grown)
{
	uint32_t best = WIN_NONE;
	double most = 0;
	size_t i;

	for (i = 0; i < s->w->services.n; i++) {
		double g = i == v || takes_part(s, (uint32_t)i) ? 0 : rank(s, (uint32_t)i);

		if (g > most) {
			most = g;
			best = (uint32_t)i;
		}
	}
	*grown = best == WIN_NONE ? 0 : growth(s, best);
	return *grown >= least && *grown > 2 * growth(s, v) ? best : WIN_NONE;
}

uint32_t disk_taker(const struct study *s, uint32_t v, double *grown)
{
	uint32_t best = taker(s, v, disk_growth, disk_taking, 1e6, grown);
	double own = metric_level_lasting(s, v, "disk_read_bytes") + metric_level_lasting(s, v, "disk_write_bytes");

	/* Who moves less than the victim itself has always done does not take its disk away. */
	return *grown > own ? best : WIN_NONE;
}

bool disk_waits(const struct study *s, uint32_t v, uint32_t *series)
{
	return metric_rose(s, v, "disk_wait_s", 0.05, 0.3, series);
}

uint32_t cpu_taker(const struct study *s, uint32_t v, double *grown)
{
	return taker(s, v, cpu_growth, cpu_growth, 0.4, grown);
}

bool cpu_waits(const struct study *s, uint32_t v, uint32_t *series)
{
	uint32_t host = study_host(s);

	if (metric_rose(s, v, "runq_wait_s", 0.05, 0.5, series))
		return true;
	return (*series == WIN_NONE || !s->shift[*series].n_after) && host != WIN_NONE &&
	       metric_rose(s, host, "psi_cpu_some_s", 0.1, 0.5, series);
}
