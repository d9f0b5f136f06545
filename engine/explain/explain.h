/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain: from a window to findings: what is wrong, why, and how sure.  A pure function: no clock, no I/O, no globals;
 * the same window and the same question give the same report, byte for byte.
 *
 * Detection (engine/detect) turns series into state changes; attribution walks the call graph; each row of cause_table[]
 * (one file each in engine/explain/cause_*.c) turns evidence into a cause of one kind.
 */
#ifndef ROOTLE_EXPLAIN_EXPLAIN_H
#define ROOTLE_EXPLAIN_EXPLAIN_H

#include "model/window.h"

enum symptom_kind { SYMPTOM_ANY = 0, SYMPTOM_LATENCY, SYMPTOM_ERRORS, SYMPTOM_UNAVAILABLE, SYMPTOM_RESOURCE };

struct question {
	const char *service;       /* NULL: find the worst symptom */
	enum symptom_kind symptom; /* SYMPTOM_ANY: whichever is there; with service, an explicit kind asserts the symptom */
	int64_t baseline_since_ns, baseline_until_ns;   /* 0, 0: choose (before the onset, else the first part of the range) */
	int64_t since_ns, until_ns;                     /* the suspect range: the window's own where 0, 0 */
};

struct evidence {
	const char *sentence;
	double before, after;      /* NaN: not known */
	const char *unit;          /* NULL: none */
	const char *query;         /* a rootle command that shows the numbers again, NULL none */
};

struct cause {
	const char *service, *kind;
	double confidence;         /* 0..1 */
	double share;              /* of the symptom that this explains, NaN: not known */
	const char *summary;
	const struct win_event *trigger;   /* NULL: no change is implicated */
	VEC(const char *) path;    /* service names from the symptom's service to the cause */
	VEC(struct evidence) evidence;     /* at least one */
	const char *advice, *refute;
};

struct incident {
	const char *id;            /* stable for the same recording: derived from service, kind and onset */
	bool open;                 /* still so at the end of the window */
	const char *service;
	enum symptom_kind kind;
	int64_t since_ns, until_ns;        /* until 0: still open */
	double before, after;      /* NaN: not known */
	const char *unit;
	double requests_affected;  /* NaN: not known */
	const char *sentence;
	double severity;           /* for ordering, worst first */
	VEC(struct cause) causes;  /* best first; empty: nothing above the floor */
	VEC(const char *) affected, ruled_out, observations;
};

struct report {
	struct arena arena;        /* everything in it */
	const struct window *window;       /* borrowed: must outlive the report */
	int64_t baseline_since_ns, baseline_until_ns;   /* 0, 0: there was none */
	VEC(struct incident) incidents;    /* worst first */
	VEC(const char *) notes;   /* for coverage.notes: "no baseline: …" */
};

/* NULL: no memory. An empty window gives a report without incidents. */
struct report *explain(const struct window *w, const struct question *q);
void report_free(struct report *r);

const char *symptom_name(enum symptom_kind k);      /* "latency" "errors" "unavailable" "resource" */

#endif
