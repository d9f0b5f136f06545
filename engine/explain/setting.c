/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain/setting.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "explain/cause.h"
#include "explain/say.h"

#define DEPLOYS_TOLD 3
#define MARKS_TOLD 5
#define MARK_NEAR_S 30

void setting_affect(struct study *s, struct incident *in, const char *service)
{
	size_t i;

	if (in->causes.n && !strcmp(in->causes.v[0].service, service))
		return;
	for (i = 0; i < in->affected.n; i++)
		if (!strcmp(in->affected.v[i], service))
			return;
	setting_push(s, &in->affected, service);
}

static bool kind_found(const struct incident *in, const char *prefix)
{
	size_t i;

	for (i = 0; i < in->causes.n; i++)
		if (!strncmp(in->causes.v[i].kind, prefix, strlen(prefix)))
			return true;
	return false;
}

static void affected(struct study *s, struct incident *in)
{
	const struct node *root = &s->node[s->symptom->service];
	size_t i;

	setting_affect(s, in, in->service);
	for (i = 0; i < s->w->services.n; i++) {
		const struct node *n = &s->node[i];
		bool sick = n->d[CUR_SECONDS] > 0.05 * root->d[CUR_SECONDS] || n->d[CUR_FAILURES] > 0.05 * root->d[CUR_FAILURES];

		if (n->reached && sick && n->d[CUR_SECONDS] + n->d[CUR_FAILURES] > 0)
			setting_affect(s, in, study_name(s, (uint32_t)i));
	}
}

static void rule_out_network(struct study *s, struct incident *in)
{
	double retrans[2] = {0, 0}, requests[2] = {0, 0}, srtt[2] = {0, 0};
	bool any = false;
	size_t i;

	for (i = 0; i < s->w->edges.n; i++) {
		const struct profile *p[2] = {&s->before[i], &s->after[i]};
		int k;

		if (!s->traffic.flow[i].tcp || !s->node[s->w->edges.v[i].to].reached)
			continue;
		any = true;
		for (k = 0; k < 2; k++) {
			retrans[k] += p[k]->retrans_share * p[k]->requests;
			requests[k] += p[k]->requests;
			if (p[k]->srtt_us > srtt[k])
				srtt[k] = p[k]->srtt_us;
		}
	}
	if (!any || kind_found(in, "net.") || retrans[1] > 0.01 * requests[1] + 3 || srtt[1] > 3 * srtt[0] + 2000)
		return;
	setting_push(s, &in->ruled_out, study_text(s, "network: %.0f retransmits in %.0f requests, largest round trip %s",
		     retrans[1], requests[1], say_change(s, say_ms(s, srtt[0] / 1e3), say_ms(s, srtt[1] / 1e3), !s->blind)));
}

static void rule_out_metric(struct study *s, struct incident *in, const char *what, const char *kind, const char *metric,
			    double quiet)
{
	uint32_t host = study_host(s), series = host == WIN_NONE ? WIN_NONE : study_series(s, host, metric);
	const struct shift *h = series == WIN_NONE ? NULL : &s->shift[series];
	const char *unit;

	if (!h || !h->n_after || kind_found(in, kind) || h->p90_after > quiet || h->z >= Z_SURE)
		return;
	unit = metric_by_name(metric)->unit;
	setting_push(s, &in->ruled_out, study_text(s, "%s: pressure of the node %s (p90)", what,
		     say_change(s, say_value(s, h->p90_before, unit), say_value(s, h->p90_after, unit), h->n_before > 0)));
}

static bool is_deploy(const struct win_event *e)
{
	return e->kind && (!strcmp(e->kind, "deploy") || !strcmp(e->kind, "restart"));
}

static bool is_trigger(const struct incident *in, const struct win_event *e)
{
	size_t i;

	for (i = 0; i < in->causes.n; i++)
		if (in->causes.v[i].trigger == e)
			return true;
	return false;
}

/* Can a change of this service matter: do the requests of the incident pass it, or has it excess of its own? */
static bool is_concerned(const struct study *s, uint32_t service)
{
	return service != WIN_NONE && !study_is_node(s, service) &&
	       (s->node[service].reached || s->node[service].measured || s->node[service].score > 0.02);
}

static const char *deploy_innocence(const struct win_event *e)
{
	if (event_changed(e))
		return "its service has no excess of its own";
	return e->version_before && e->version_after ? "the same version before and after" :
						       "no new version, and nothing changed in the service";
}

static void rule_out_others(struct study *s, struct incident *in, size_t others)
{
	if (others)
		setting_push(s, &in->ruled_out, study_text(s, "%zu other restart%s or deploy%s in the ten minutes "
			     "before, none that matters", others, others == 1 ? "" : "s", others == 1 ? "" : "s"));
}

/* Was a later one of the same service told already? */
static bool newer_told(const struct study *s, const struct incident *in, size_t event)
{
	const struct win_event *e = &s->w->events.v[event];
	char what[256];
	size_t i;

	snprintf(what, sizeof(what), "%s of %.200s at ", e->kind, study_name(s, e->service));
	for (i = 0; i < in->ruled_out.n; i++)
		if (!strncmp(in->ruled_out.v[i], what, strlen(what)))
			return true;
	return false;
}

static void rule_out_deploys(struct study *s, struct incident *in)
{
	size_t i, seen = 0, told = 0, others = 0;

	for (i = s->w->events.n; i-- > 0;) {
		const struct win_event *e = &s->w->events.v[i];

		if (!is_deploy(e) || e->t_ns > s->symptom->since_ns + s->traffic.grid.bin_ns ||
		    e->t_ns < s->symptom->since_ns - 600 * NS_PER_S)
			continue;
		seen++;
		if (is_trigger(in, e) || (e->service != WIN_NONE && event_changed(e) && s->node[e->service].score > 0.1))
			continue;
		if (!is_concerned(s, e->service) || told >= DEPLOYS_TOLD || newer_told(s, in, i)) {
			others++;
			continue;
		}
		setting_push(s, &in->ruled_out, study_text(s, "%s of %s at %s: %s", e->kind, study_name(s, e->service),
			     say_time(s, e->t_ns), deploy_innocence(e)));
		told++;
	}
	if (!seen)
		setting_push(s, &in->ruled_out, "deploys: none in the ten minutes before");
	rule_out_others(s, in, others);
}

static int shift_order(const void *pa, const void *pb, void *arg)
{
	const struct shift *shift = arg;
	uint32_t ia = *(const uint32_t *)pa, ib = *(const uint32_t *)pb;
	double a = shift_score(&shift[ia]), b = shift_score(&shift[ib]);

	if (a != b)
		return a > b ? -1 : 1;
	return ia < ib ? -1 : ia > ib;
}

static void observe(struct study *s, struct incident *in)
{
	uint32_t *order = calloc(s->w->series.n + 1, sizeof(*order));
	size_t n = 0, i;

	if (!order) {
		s->failed = true;
		return;
	}
	for (i = 0; i < s->w->series.n; i++)
		if (fabs(s->shift[i].z) >= Z_SURE)
			order[n++] = (uint32_t)i;
	qsort_r(order, n, sizeof(*order), shift_order, s->shift);
	for (i = 0; i < n && i < 5; i++) {
		const struct win_series *v = &s->w->series.v[order[i]];
		const struct metric_info *m = metric_by_name(v->metric);
		const char *unit = m ? m->unit : NULL;

		setting_push(s, &in->observations, study_text(s, "%s of %s: %s -> %s", m ? m->what : v->metric,
			     study_name(s, v->service), say_value(s, s->shift[order[i]].before, unit),
			     say_value(s, s->shift[order[i]].after, unit)));
	}
	free(order);
	if (!n)
		setting_push(s, &in->observations, "no resource of any service differs from before");
}

/* What somebody noted down around the onset: whoever made a change wants to see it here. */
static void tell_marks(struct study *s, struct incident *in)
{
	size_t i, told = 0;

	for (i = 0; i < s->w->events.n && told < MARKS_TOLD; i++) {
		const struct win_event *e = &s->w->events.v[i];

		if (!e->kind || strcmp(e->kind, "mark") || llabs(e->t_ns - s->symptom->since_ns) > MARK_NEAR_S * NS_PER_S)
			continue;
		setting_push(s, &in->observations, study_text(s, "%s mark: %s", say_time(s, e->t_ns), e->detail ? e->detail : ""));
		told++;
	}
}

void setting_fill(struct study *s, struct incident *in)
{
	affected(s, in);
	tell_marks(s, in);
	rule_out_network(s, in);
	rule_out_metric(s, in, "CPU", "cpu.", "psi_cpu_some_s", 0.2);
	rule_out_metric(s, in, "disk", "disk.", "psi_io_some_s", 0.1);
	rule_out_deploys(s, in);
	if (!in->causes.n)
		observe(s, in);
}
