/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/governor.h"

#include <math.h>

#include "collect/probe.h"

#define RECENT 2                /* readings that say what this level costs; as many are waited for after each step */
#define AHEAD_S 3.0             /* the budget is to hold that far ahead if the load stays as it is */
#define CALM 0.5                /* of the budget: below it a step up may be tried, for one costs at most twice as much */
#define HOLD_S 10.0
#define HOLD_MAX_S 160.0
#define LASTED_S 20.0           /* a step up that was not taken back so long was right */

#define READS(n) "one connection of " #n " is read and counts for " #n

const struct governor_level governor_table[] = {
	{"everything is read", false, 0, 0},
	{"of large segments the first 1 KB is read", true, 0, 0},
	{READS(2), true, 1, 0},
	{READS(4), true, 2, 0},
	{READS(8), true, 3, 0},
	{READS(16), true, 4, 0},
	{READS(32), true, 5, 0},
	{READS(64), true, 6, 0},
	{READS(64) "; the CPUs are not sampled", true, 6, PROBE_CLOCK},
	{READS(64) "; the CPUs are not sampled, waits of threads not recorded", true, 6, PROBE_CLOCK | PROBE_SCHED},
	{"no requests are read over TCP, the CPUs not sampled, no waits of threads recorded", true, 6,
	 PROBE_CLOCK | PROBE_SCHED | PROBE_PACKETS},
};
const size_t governor_table_n = sizeof(governor_table) / sizeof(governor_table[0]);

void governor_init(struct governor *g, double budget_ratio)
{
	*g = (struct governor){.budget_ratio = budget_ratio, .hold_s = HOLD_S};
}

/* Of the newest n readings, or as many as there are: node-seconds used, and *dur_s that they lasted. */
static double used(const struct governor *g, size_t n, double *dur_s)
{
	double sum = 0;

	*dur_s = 0;
	for (size_t i = 1; i <= n && i <= g->n; i++) {
		size_t at = (g->at + GOVERNOR_READINGS - i) % GOVERNOR_READINGS;

		sum += g->used_s[at];
		*dur_s += g->dur_s[at];
	}
	return sum;
}

static double mean(const struct governor *g, size_t n)
{
	double dur_s, sum = used(g, n, &dur_s);

	return dur_s > 0 ? sum / dur_s : 0;
}

double governor_mean(const struct governor *g)
{
	return mean(g, GOVERNOR_READINGS);
}

/* The mean of ten seconds, AHEAD_S from now. Seconds before the first reading used nothing. */
static double foreseen(const struct governor *g, double now_ratio)
{
	double dur_s, sum = used(g, GOVERNOR_READINGS - (size_t)AHEAD_S, &dur_s);
	double whole_s = dur_s + AHEAD_S;

	return (sum + now_ratio * AHEAD_S) / (whole_s > GOVERNOR_READINGS ? whole_s : GOVERNOR_READINGS);
}

static void go(struct governor *g, unsigned level)
{
	bool up = level < g->level;

	if (!up && g->climbed && g->held_s < LASTED_S)
		g->hold_s = fmin(g->hold_s * 2, HOLD_MAX_S);
	else if (!up)
		g->hold_s = HOLD_S;
	g->climbed = up;
	g->level = level;
	g->since = 0;
	g->held_s = 0;
}

static bool step_down(struct governor *g, double now_ratio)
{
	unsigned last = (unsigned)governor_table_n - 1, steps;

	if (g->level == last || now_ratio <= g->budget_ratio || foreseen(g, now_ratio) <= g->budget_ratio)
		return false;
	steps = 1 + (unsigned)log2(now_ratio / g->budget_ratio);
	go(g, g->level + steps < last ? g->level + steps : last);
	return true;
}

static bool step_up(struct governor *g)
{
	if (!g->level || g->held_s < g->hold_s || governor_mean(g) >= g->budget_ratio * CALM)
		return false;
	go(g, g->level - 1);
	return true;
}

bool governor_read(struct governor *g, double dur_s, double used_ratio)
{
	if (!(dur_s > 0) || !(used_ratio >= 0))
		return false;
	g->dur_s[g->at] = dur_s;
	g->used_s[g->at] = used_ratio * dur_s;
	g->at = (g->at + 1) % GOVERNOR_READINGS;
	g->n += g->n < GOVERNOR_READINGS;
	g->since++;
	g->held_s += dur_s;
	if (isnan(g->budget_ratio) || g->since < RECENT)
		return false;
	return step_down(g, mean(g, RECENT)) || step_up(g);
}
