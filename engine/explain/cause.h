/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cause: the rules that turn evidence about a suspect into a cause of one kind: one file each (cause_KIND.c), one row each
 * in cause_table[].  A rule looks at a service that has excess of its own; it says how well its kind fits (strength), not
 * how much of the symptom the service accounts for: that is the attribution's.
 */
#ifndef ROOTLE_EXPLAIN_CAUSE_H
#define ROOTLE_EXPLAIN_CAUSE_H

#include "explain/study.h"

struct finding {
	uint32_t suspect;          /* whose excess it explains */
	uint32_t service;          /* the one to look at: the suspect, or who did it to it */
	double strength;           /* 0..1 */
	bool weak;                 /* what is said where nothing better is: an echo beside a cause that explains it */
	double score;              /* of the symptom; the suspect's, unless the rule knows better */
	const char *kind;
	const char *summary, *advice, *refute;
	const struct win_event *trigger;
	VEC(struct evidence) evidence;
};

struct cause_rule {
	const char *kind;
	/* The strength, 0 where it is not this kind. Fills summary, advice, refute, and pushes evidence. */
	double (*look)(struct study *s, uint32_t suspect, struct finding *f);
	bool weak;
};
extern const struct cause_rule cause_table[];
extern const size_t cause_table_n;

double cause_app_errors(struct study *s, uint32_t v, struct finding *f);
double cause_app_slow(struct study *s, uint32_t v, struct finding *f);
double cause_cpu_hot_code(struct study *s, uint32_t v, struct finding *f);
double cause_cpu_neighbour(struct study *s, uint32_t v, struct finding *f);
double cause_cpu_saturated(struct study *s, uint32_t v, struct finding *f);
double cause_cpu_throttled(struct study *s, uint32_t v, struct finding *f);
double cause_db_slow_query(struct study *s, uint32_t v, struct finding *f);
double cause_dependency_down(struct study *s, uint32_t v, struct finding *f);
double cause_dependency_errors(struct study *s, uint32_t v, struct finding *f);
double cause_dependency_hung(struct study *s, uint32_t v, struct finding *f);
double cause_dependency_slow(struct study *s, uint32_t v, struct finding *f);
double cause_deploy_regression(struct study *s, uint32_t v, struct finding *f);
double cause_disk_neighbour(struct study *s, uint32_t v, struct finding *f);
double cause_disk_slow(struct study *s, uint32_t v, struct finding *f);
double cause_load_surge(struct study *s, uint32_t v, struct finding *f);
double cause_mem_leak(struct study *s, uint32_t v, struct finding *f);
double cause_mem_oom_kill(struct study *s, uint32_t v, struct finding *f);

/* Pushes one piece of evidence; the sentence is printf's. */
void finding_say(struct study *s, struct finding *f, double before, double after, const char *unit, const char *query,
		 const char *fmt, ...) __attribute__((format(printf, 7, 8)));
/* The sentence about the requests of the suspect: how its latency or errors changed, and its share of the symptom. */
void finding_say_calls(struct study *s, struct finding *f);
/* The part of a request's time in the suspect that grew most: "waiting for a lock for 0.1 ms -> 40 ms"; nothing where its requests
 * were not timed, or no part explains it. */
void finding_say_where(struct study *s, struct finding *f);
/* How most of its failed calls end: "412 of the 430 failed calls of postgres end with 53300"; nothing where they differ. */
void finding_say_ends(struct study *s, struct finding *f);
/* "CPU use of cart 0.2 → 0.9 cores", where the series is known and moved; its z, 0 otherwise. */
double finding_say_series(struct study *s, struct finding *f, uint32_t series);

/* The process of the service that began last, of those that live at the end of the incident if any does, NULL: not known;
 * and a sentence about it. */
const struct win_process *process_newest(const struct study *s, uint32_t service);
/* The newest process of the service that was there by the onset and through the first half of the incident: who took a
 * resource; NULL: none that could have. */
const struct win_process *process_guilty(const struct study *s, uint32_t service);
void finding_say_process(struct study *s, struct finding *f, const struct win_process *p);

/* A shift of a service's metric that is sure (z at least Z_SURE and risen by `least`); blind: a level of at least `level`.
 * *series may be NULL. */
bool metric_rose(const struct study *s, uint32_t service, const char *metric, double least, double level, uint32_t *series);
/* By how much the metric rose (median, or p90 where that rose more); the level where there is no before; 0 unknown. */
double metric_growth(const struct study *s, uint32_t service, const char *metric);

/* The mean over the incident, and by how much it lies above that of the baseline; all devices together, 0 where not known. */
double metric_level(const struct study *s, uint32_t service, const char *metric);
double metric_added(const struct study *s, uint32_t service, const char *metric);
/* Of a level that lasts: bursts in less than a tenth of the time do not count. */
double metric_level_lasting(const struct study *s, uint32_t service, const char *metric);
double metric_added_lasting(const struct study *s, uint32_t service, const char *metric);

/* What was added since the onset, in thread-seconds a second, so that they compare: a request that takes a second longer holds
 * a thread, or a place in its queue, for a second. */
struct added {
	double latency;            /* waited for the service by its callers, less what its own callees explain */
	double cpu, runq, disk;    /* spent by the threads of the service */
};
struct added added_time(const struct study *s, uint32_t service);
/* 0..1: how much of the added latency a wait of the threads explains, of what is known of them. */
double added_fit(const struct added *a, double wait);
#define FIT_MIN 0.25       /* below it the wait is there, but it is not the cause */
/* The same of the wait that `series` measures; what only the node as a whole tells explains half. */
double wait_fit(const struct study *s, uint32_t service, uint32_t series);
/* Does the service itself burn much more CPU a request than before?  Then a wait for the CPU is of its own making. */
bool burns_more(const struct study *s, uint32_t service);

/* The newest event of the service, of one of the kinds (a list ending in NULL), from `early_s` before the onset to `late_s` after. */
const struct win_event *event_near(const struct study *s, uint32_t service, const char *const *kinds, double early_s,
				   double late_s);
/* Did it replace one version with another one? Both have to be known. */
bool event_changed(const struct win_event *e);

/* The service, other than v and without a part in the requests (neither called for the symptom nor a client of old), whose
 * disk traffic grew most; WIN_NONE: none by
 * 1 MB/s, or by no more than twice of what v's grew. *grown: bytes/s. */
uint32_t disk_taker(const struct study *s, uint32_t v, double *grown);
bool disk_waits(const struct study *s, uint32_t v, uint32_t *series);
/* The same for the CPU, in cores. */
uint32_t cpu_taker(const struct study *s, uint32_t v, double *grown);
bool cpu_waits(const struct study *s, uint32_t v, uint32_t *series);

#endif
