/* SPDX-License-Identifier: BSD-2-Clause */
#include "budget.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "collect/bpf_source.h"

#define MEASURE_NS (100 * NS_PER_MS)
/* The kernel patches its own text and interrupts every CPU when measuring begins and ends, an eighth of what an idle recorder
 * costs.  Where recording costs less than this part of the node, one second in so many is measured. */
#define QUIET_RATIO 0.005
#define QUIET_EVERY 5

long cpus_online(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? n : 1;
}

double own_cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void measure_begin(struct budget *b, uint64_t now_ns)
{
	b->unmeasured = 0;
	b->measuring = b->bpf && bpf_source_measure(b->bpf, true) == 0;
	b->from_ts = now_ns;
	if (b->measuring)
		b->from_run_ns = bpf_source_run_ns(b->bpf);
}

static void measure_end(struct budget *b, uint64_t now_ns)
{
	uint64_t ran = bpf_source_run_ns(b->bpf);

	bpf_source_measure(b->bpf, false);
	b->measuring = false;
	if (now_ns > b->from_ts && ran >= b->from_run_ns)
		b->probes_cores = (double)(ran - b->from_run_ns) / (double)(now_ns - b->from_ts);
}

void budget_begin(struct budget *b, struct source *bpf, double budget_ratio, uint64_t now_ns)
{
	*b = (struct budget){.bpf = bpf, .last_ts = now_ns, .last_cpu_s = own_cpu_s()};
	governor_init(&b->governor, budget_ratio);
	measure_begin(b, now_ns);
}

void budget_poll(struct budget *b, uint64_t now_ns)
{
	if (b->measuring && now_ns - b->from_ts >= MEASURE_NS)
		measure_end(b, now_ns);
}

static void say_why(const struct budget *b, unsigned before, double used_ratio, char *why, size_t cap)
{
	const struct governor *g = &b->governor;

	snprintf(why, cap, "recording used %.1f %% of the node's CPU time, %.3g %% is its budget: %s from now on, %s", used_ratio * 100,
		 g->budget_ratio * 100, g->level > before ? "less" : "more", governor_table[g->level].text);
}

bool budget_tick(struct budget *b, uint64_t now_ns, char *why, size_t cap)
{
	double dur_s = (double)(now_ns - b->last_ts) / NS_PER_S, cpu_s = own_cpu_s(), used_ratio;
	unsigned before = b->governor.level;

	if (b->measuring)
		measure_end(b, now_ns);
	used_ratio = dur_s > 0 ? ((cpu_s - b->last_cpu_s) / dur_s + b->probes_cores) / (double)cpus_online() : 0;
	b->probes_s += b->probes_cores * dur_s;
	b->last_ts = now_ns;
	b->last_cpu_s = cpu_s;
	b->unmeasured = used_ratio < QUIET_RATIO ? b->unmeasured + 1 : QUIET_EVERY;
	if (b->unmeasured >= QUIET_EVERY)
		measure_begin(b, now_ns);
	if (!governor_read(&b->governor, dur_s, used_ratio))
		return false;
	say_why(b, before, used_ratio, why, cap);
	return true;
}
