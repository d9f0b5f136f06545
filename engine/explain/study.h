/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * study: the working state of one explain(): the traffic on a grid, the call graph, and, for the incident in hand, what was
 * normal, what is not, and how much of it each service accounts for.  Private to engine/explain.
 *
 * Texts that get into the report live in the report's arena; all else is freed by study_done().  Memory that ran out is noted in
 * `failed` and checked once at the end, so that the rules read as rules.
 */
#ifndef ROOTLE_EXPLAIN_STUDY_H
#define ROOTLE_EXPLAIN_STUDY_H

#include "detect/gauge.h"
#include "detect/profile.h"
#include "detect/traffic.h"
#include "explain/explain.h"
#include "model/metric.h"

enum mark { MARK_BASE = 1, MARK_SUSPECT = 2, MARK_SICK = 4 };
/* What an incident is counted in: seconds waited, requests failed. */
enum currency { CUR_SECONDS, CUR_FAILURES, CUR_MAX };

#define Z_SURE 3.5      /* below it is noise */
#define Z_OPEN 5.0      /* from here on it opens an incident by itself */

struct node {
	uint32_t in, n_in, out, n_out;     /* ranges of study.link: edges to it, edges from it */
	bool measured;                     /* requests to it are known */
	bool resourced;                    /* some resource of it is known */
	/* of the incident in hand */
	bool reached;                      /* from the symptom, along the calls */
	uint32_t depth, parent;            /* WIN_NONE: the symptom itself */
	double d[CUR_MAX], self[CUR_MAX];  /* excess of calls to it, and the part its own callees do not explain */
	double weight;                     /* largest shift score of its resources */
	uint32_t odd;                      /* series of that shift, WIN_NONE */
	double score;                      /* 0..1, the share of the symptom that it accounts for by itself */
};

enum sick { SICK_HERE = 1, SICK_ELSE = 2 };   /* in this episode; in another one of the same service */

struct symptom {
	uint32_t service;
	enum symptom_kind kind;
	bool asserted, open;
	uint8_t *sick;                     /* by bin, of enum sick */
	uint32_t first, last;              /* bins, both included */
	int64_t since_ns, until_ns;        /* onset and end; of an open one the end of what there is */
	double before, after;
	const char *unit, *what;           /* "ms", "p90 of the latency" */
	double latency_z, extra_s, extra_failures, failure_share, requests, affected, severity;
};

struct study {
	const struct window *w;
	const struct question *q;
	struct question chosen;            /* q where it had to be changed */
	struct report *report;
	bool failed;

	struct traffic traffic;
	struct gauges gauges;
	uint32_t *link;
	struct node *node;                 /* by service */
	uint8_t *mark;                     /* by bin, bits of enum mark */
	double *scratch;                   /* by bin */
	VEC(struct symptom) symptoms;

	/* of the incident in hand */
	const struct symptom *symptom;
	bool blind;                        /* there is nothing before it to compare with */
	struct span base, sick;
	struct profile *before, *after;    /* by edge */
	struct excess *excess;             /* by edge, summed over the sick bins */
	struct shift *shift;               /* by series */
};

/* The suspect range is q's or the window's. 0, or -ENOMEM (nothing to free). */
int study_init(struct study *s, const struct window *w, const struct question *q, struct report *r);
void study_done(struct study *s);

/* Where there is user-facing trouble: fills s->symptoms, worst first. */
void study_symptoms(struct study *s);
/* Turns to one symptom: baseline, profiles, excess, shifts. */
void study_turn(struct study *s, const struct symptom *y);
/* Shares the symptom out over the call graph: fills d, self, weight and score of the nodes. */
void study_attribute(struct study *s);

/* printf into the report's arena; "" and s->failed where memory is out. */
const char *study_text(struct study *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *study_name(const struct study *s, uint32_t service);
double study_bin_s(const struct study *s);

/* The series of a service's metric, WIN_NONE: not measured. Of several devices the one that shifted most. */
uint32_t study_series(const struct study *s, uint32_t service, const char *metric);
/* The service of kind node, WIN_NONE. */
uint32_t study_host(const struct study *s);
bool study_is_node(const struct study *s, uint32_t service);
/* Is it one that no process here stands for: its insides cannot be seen? */
bool study_outside(const struct study *s, uint32_t service);
/* Sums of what is known about the calls to a service: before, and in the sick bins. */
struct calls {
	double per_s, errors_share, mean_ms, p50_ms, p90_ms, p99_ms;   /* NaN: not known */
	double refused, stuck, requests, inflight;
};
struct calls study_calls(const struct study *s, uint32_t service, bool after);
/* Requests answered with an error beyond the usual share; without a before all of them. */
double study_extra_errors(const struct study *s, uint32_t service);
#endif
