/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain/explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "explain/cause.h"
#include "explain/say.h"
#include "explain/setting.h"

#define CAUSES_MAX 5
#define SUSPECT_MIN 0.03      /* share of the symptom below which a service is not looked at */
#define CONFIDENCE_MIN 0.10
#define PASSER_BY 0.35        /* of the first cause's share; with less, a vague kind is not worth a place */

/* Named, so that functions can take them. */
struct findings { struct finding *v; size_t n, cap; };


const char *symptom_name(enum symptom_kind k)
{
	static const char *const name[] = {"any", "latency", "errors", "unavailable", "resource"};

	return (unsigned)k < sizeof(name) / sizeof(*name) ? name[k] : "any";
}

/* How much what we know is to be trusted: no baseline, lost events, few requests. */
static double quality(const struct study *s)
{
	double q = 1, lost = s->w->coverage.lost_events, events = s->w->coverage.events;

	if (s->blind)
		q *= 0.65;
	if (lost > 0 && events > 0)
		q *= fmax(0.5, 1 - lost / (events + lost));
	if (s->symptom->requests < 30 && s->symptom->kind != SYMPTOM_UNAVAILABLE)
		q *= 0.8;
	return q;
}

/*
 * For ranking: how well the kind fits, and how much of the symptom the suspect accounts for.  A kind with evidence of its own
 * (a quota, a disk, an exit) stands before a vague one with a larger share: callers queue in front of what gave out, and
 * where their wait cannot be seen it looks like time of their own.
 */
static double finding_value(const struct finding *f)
{
	return f->strength * (0.35 + 0.65 * fmin(1, f->score));
}

static double confidence(const struct study *s, const struct finding *f)
{
	return fmin(0.99, finding_value(f) * quality(s));
}

static int finding_order(const void *pa, const void *pb)
{
	const struct finding *a = pa, *b = pb;
	double va = finding_value(a), vb = finding_value(b);

	if (va != vb)
		return va > vb ? -1 : 1;
	if (a->strength != b->strength)
		return a->strength > b->strength ? -1 : 1;
	return a->service != b->service ? (a->service < b->service ? -1 : 1) : strcmp(a->kind, b->kind);
}

/* One who did it to several is one finding that explains all of them. */
static struct finding *same_finding(struct findings *all, const struct finding *f)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (all->v[i].service == f->service && !strcmp(all->v[i].kind, f->kind))
			return &all->v[i];
	return NULL;
}

static void keep_finding(struct study *s, struct findings *all, struct finding *f)
{
	struct finding *same = same_finding(all, f), *slot;

	if (same) {
		same->score = fmin(1, same->score + f->score);
		same->strength = fmax(same->strength, f->strength);
		vec_done(&f->evidence);
		return;
	}
	slot = vec_push(all);
	if (slot) {
		*slot = *f;
		return;
	}
	s->failed = true;
	vec_done(&f->evidence);
}

/* Who runs elsewhere does not wait for the CPU, the disk or the memory of this node. */
static bool kind_is_local(const char *kind)
{
	return !strncmp(kind, "cpu.", 4) || !strncmp(kind, "disk.", 5) || !strncmp(kind, "mem.", 4);
}

static void look_with_all(struct study *s, struct findings *all, uint32_t suspect)
{
	size_t i;

	for (i = 0; i < cause_table_n; i++) {
		struct finding f = {.suspect = suspect, .service = suspect, .score = s->node[suspect].score,
				    .kind = cause_table[i].kind, .weak = cause_table[i].weak};

		if (study_outside(s, suspect) && kind_is_local(f.kind))
			continue;
		f.strength = cause_table[i].look(s, suspect, &f);
		if (f.strength > 0 && f.evidence.n)
			keep_finding(s, all, &f);
		else
			vec_done(&f.evidence);
	}
}

static int suspect_order(const void *pa, const void *pb, void *arg)
{
	const struct study *s = arg;
	const struct node *a = &s->node[*(const uint32_t *)pa], *b = &s->node[*(const uint32_t *)pb];

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	if (a->depth != b->depth)
		return a->depth > b->depth ? -1 : 1;
	return *(const uint32_t *)pa < *(const uint32_t *)pb ? -1 : 1;
}

static void find_causes(struct study *s, struct findings *all)
{
	uint32_t *suspect = calloc(s->w->services.n + 1, sizeof(*suspect));
	size_t n = 0, i;

	if (!suspect) {
		s->failed = true;
		return;
	}
	for (i = 0; i < s->w->services.n; i++)
		if (s->node[i].score >= SUSPECT_MIN)
			suspect[n++] = (uint32_t)i;
	qsort_r(suspect, n, sizeof(*suspect), suspect_order, s);
	for (i = 0; i < n && i < 10; i++)
		look_with_all(s, all, suspect[i]);
	if (all->n > 1)
		qsort(all->v, all->n, sizeof(*all->v), finding_order);
	free(suspect);
}

/* Along the calls, to the one that suffers: who took its CPU or disk is not called by anybody. */
static void add_path(struct study *s, struct cause *c, const struct finding *f)
{
	uint32_t chain[32], n = 0, v = f->suspect;

	while (v != WIN_NONE && n < 30) {
		chain[n++] = v;
		v = v == s->symptom->service ? WIN_NONE : s->node[v].parent;
	}
	while (n-- > 0)
		setting_push(s, &c->path, study_name(s, chain[n]));
}

/* A change of how it runs, just before the onset. */
static const struct win_event *settings_changed(const struct study *s, const struct finding *f)
{
	static const char *const kinds[] = {"config_change", "limit_change", "flag_change", "mark", NULL};
	const struct win_event *e = event_near(s, f->service, kinds, 120, study_bin_s(s));

	return e || f->service == f->suspect ? e : event_near(s, f->suspect, kinds, 120, study_bin_s(s));
}

static void add_cause(struct study *s, struct incident *in, struct finding *f)
{
	struct cause *c = vec_push(&in->causes);

	if (!c) {
		s->failed = true;
		return;
	}
	if (!f->trigger)
		f->trigger = settings_changed(s, f);
	*c = (struct cause){
		.service = study_name(s, f->service), .kind = f->kind, .confidence = confidence(s, f),
		.share = s->node[f->suspect].d[CUR_SECONDS] + s->node[f->suspect].d[CUR_FAILURES] > 0 ? fmin(1, f->score) : NAN,
		.summary = f->summary, .trigger = f->trigger, .advice = f->advice, .refute = f->refute,
	};
	c->evidence.v = f->evidence.v;
	c->evidence.n = f->evidence.n;
	c->evidence.cap = f->evidence.cap;
	memset(&f->evidence, 0, sizeof(f->evidence));
	add_path(s, c, f);
}

/* Two kinds for one service at most, and nothing vague beside something else: a list of all that might be is no answer. */
static bool crowded(const struct study *s, const struct incident *in, const struct finding *f)
{
	size_t i, n = 0;

	for (i = 0; i < in->causes.n; i++)
		n += !strcmp(in->causes.v[i].service, study_name(s, f->service));
	return n >= 2 || (n && !strncmp(f->kind, "app.", 4));
}

/* Is `up` a caller, or a caller's caller, of `v` on the way from the symptom? */
static bool in_front_of(const struct study *s, uint32_t up, uint32_t v)
{
	uint32_t n = 0;

	while (v != WIN_NONE && v != up && n++ < 30)
		v = v == s->symptom->service ? WIN_NONE : s->node[v].parent;
	return v == up;
}

/* What a better finding explains as well: the same service more vaguely, its callers that queue, mere passers-by. */
static bool is_echo(const struct study *s, const struct finding *first, const struct finding *f)
{
	if (f == first || first->strength < 0.6)
		return false;
	if (!strcmp(f->kind, first->kind) && f->score < first->score && in_front_of(s, f->suspect, first->suspect))
		return true;
	if (!f->weak)
		return false;
	if (f->suspect == first->suspect || f->score < PASSER_BY * first->score)
		return true;
	return strncmp(f->kind, "app.", 4) == 0 && f->score < 0.7 * first->score && in_front_of(s, f->suspect, first->suspect);
}

static void add_causes(struct study *s, struct incident *in, struct findings *all)
{
	size_t i;

	for (i = 0; i < all->n; i++) {
		struct finding *f = &all->v[i];

		if (in->causes.n < CAUSES_MAX && confidence(s, f) >= CONFIDENCE_MIN && !is_echo(s, &all->v[0], f) &&
		    !crowded(s, in, f))
			add_cause(s, in, f);
		vec_done(&f->evidence);
	}
	vec_done(all);
}

static void fill_symptom(struct study *s, struct incident *in)
{
	const struct symptom *y = s->symptom;
	const char *name = study_name(s, y->service);
	uint64_t id = hash_bytes(name, strlen(name)) ^ (uint64_t)y->kind;
	char since[32];

	in->service = name;
	in->kind = y->kind;
	in->open = y->open;
	in->since_ns = y->since_ns;
	in->until_ns = y->open ? 0 : y->until_ns;
	in->before = y->before;
	in->after = y->after;
	in->unit = y->unit;
	in->requests_affected = y->affected > 0 ? round(y->affected) : NAN;
	in->severity = y->severity;
	in->id = study_text(s, "%s-%s-%08x", symptom_name(y->kind), time_rfc3339(since, sizeof(since), y->since_ns),
			    (unsigned)(id ^ id >> 32));
	if (isnan(y->after)) {
		in->sentence = study_text(s, "%s: %s, as asked; no requests to it are recorded", name, symptom_name(y->kind));
		return;
	}
	in->sentence = study_text(s, "%s: %s %s since %s%s", name, y->what,
				  say_change(s, say_value(s, y->before, y->unit), say_value(s, y->after, y->unit), !isnan(y->before)),
				  say_time(s, y->since_ns), y->open ? "" : study_text(s, " until %s", say_time(s, y->until_ns)));
}

static void investigate(struct study *s, const struct symptom *y)
{
	struct incident *in = vec_push(&s->report->incidents);
	struct findings all = {0};

	if (!in) {
		s->failed = true;
		return;
	}
	study_turn(s, y);
	study_attribute(s);
	fill_symptom(s, in);
	find_causes(s, &all);
	add_causes(s, in, &all);
	setting_fill(s, in);
	if (s->blind)
		setting_push(s, &in->observations, "no baseline: too little was recorded before this incident; its causes rest on "
			     "absolute levels, and confidence is lower");
	if (!s->blind && !s->report->baseline_until_ns) {
		s->report->baseline_since_ns = s->base.since_ns;
		s->report->baseline_until_ns = s->base.until_ns;
	}
}

/* Trouble at several fronts with one first cause, at the same time, is one incident. */
static bool fold(struct study *s, struct report *r)
{
	struct incident *last = &r->incidents.v[r->incidents.n - 1];
	size_t i;

	for (i = 0; i + 1 < r->incidents.n && last->causes.n; i++) {
		struct incident *in = &r->incidents.v[i];

		if (!in->causes.n || strcmp(in->causes.v[0].service, last->causes.v[0].service) != 0)
			continue;
		if ((in->until_ns && last->since_ns > in->until_ns) || (last->until_ns && in->since_ns > last->until_ns))
			continue;
		setting_affect(s, in, last->service);
		in->severity += last->severity;
		return true;
	}
	return false;
}

/* What hurts next to nobody and has no sure cause is left out beside real trouble. */
static bool negligible(const struct report *r)
{
	const struct incident *last = &r->incidents.v[r->incidents.n - 1];

	return r->incidents.n > 1 && last->severity < 0.01 * r->incidents.v[0].severity &&
	       (!last->causes.n || last->causes.v[0].confidence < 0.5);
}

/* Whoever says that there is a symptom gets an incident, also where nothing was recorded of it. */
static void assert_incident(struct study *s)
{
	const struct question *q = s->q;
	struct incident *in = vec_push(&s->report->incidents);
	char since[32];

	if (!in) {
		s->failed = true;
		return;
	}
	*in = (struct incident){
		.kind = q->symptom, .open = true, .before = NAN, .after = NAN, .requests_affected = NAN,
		.since_ns = q->since_ns ? q->since_ns : s->w->since_ns,
	};
	in->service = study_text(s, "%s", q->service);
	in->id = study_text(s, "%s-%s-%08x", symptom_name(q->symptom), time_rfc3339(since, sizeof(since), in->since_ns),
			    (unsigned)hash_bytes(q->service, strlen(q->service)));
	in->sentence = study_text(s, "%s: %s as asked; nothing of it is recorded in this range", q->service,
				  symptom_name(q->symptom));
	setting_push(s, &in->observations, study_text(s, "no requests to %s were seen in this range", q->service));
}

static void incident_done(struct incident *in)
{
	size_t i;

	for (i = 0; i < in->causes.n; i++) {
		vec_done(&in->causes.v[i].path);
		vec_done(&in->causes.v[i].evidence);
	}
	vec_done(&in->causes);
	vec_done(&in->affected);
	vec_done(&in->ruled_out);
	vec_done(&in->observations);
}

void report_free(struct report *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < r->incidents.n; i++)
		incident_done(&r->incidents.v[i]);
	vec_done(&r->incidents);
	vec_done(&r->notes);
	arena_done(&r->arena);
	free(r);
}

struct report *explain(const struct window *w, const struct question *q)
{
	struct report *r = calloc(1, sizeof(*r));
	struct study s;
	bool failed;
	size_t i;

	if (!r)
		return NULL;
	arena_init(&r->arena, 0);
	r->window = w;
	r->baseline_since_ns = q->baseline_since_ns;
	r->baseline_until_ns = q->baseline_until_ns;
	if (study_init(&s, w, q, r) < 0) {
		report_free(r);
		return NULL;
	}
	study_symptoms(&s);
	for (i = 0; i < s.symptoms.n && !s.failed; i++) {
		investigate(&s, &s.symptoms.v[i]);
		if (r->incidents.n && (fold(&s, r) || negligible(r)))
			incident_done(&r->incidents.v[--r->incidents.n]);
	}
	if (q->service && q->symptom != SYMPTOM_ANY && !r->incidents.n && !s.failed)
		assert_incident(&s);
	failed = s.failed;
	study_done(&s);
	if (failed) {
		report_free(r);
		return NULL;
	}
	return r;
}
