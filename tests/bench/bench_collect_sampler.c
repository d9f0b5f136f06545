/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_collect_sampler [processes [readings]]: CPU that one reading of the node costs with that many more processes, a
 * tenth of which run a little between readings: from /proc, and from the task iterator where that can be had. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "collect/sampler.h"

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

static void child(int busy)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (busy)
			usleep(20000);
		else
			pause();
	}
}

static void measure(struct sampler *s, struct sample *m, int readings)
{
	uint64_t total = 0, worst = 0;

	for (int i = 0; i < readings; i++) {
		uint64_t t0 = cpu_ns();
		if (sampler_read(s, m))
			exit(1);
		uint64_t t = cpu_ns() - t0;
		total += t;
		worst = t > worst ? t : worst;
		usleep(50000);
	}
	printf("%zu processes, %zu cgroups, %.2f ms CPU a reading, worst %.2f ms\n", m->processes.n, m->cgroups.n,
	       (double)total / readings / 1e6, (double)worst / 1e6);
}

static void series(const struct sampler_options *o, int readings, const char *what)
{
	struct sampler *s = sampler_new(o);
	struct sample m;

	if (!s)
		exit(1);
	sample_init(&m);
	printf("%s, first: ", what);
	measure(s, &m, 1);
	printf("%s, later: ", what);
	measure(s, &m, readings);
	sample_done(&m);
	sampler_free(s);
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 200, readings = argc > 2 ? atoi(argv[2]) : 20;
	struct sampler_options o = { 0 };
	pid_t *pids = calloc((size_t)n + 1, sizeof(*pids));

	for (int i = 0; i < n; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			child(i % 10 == 0);
	}
	series(&o, readings, "/proc");
	struct probe_options probes = { .no_packets = true };
	struct probe_report report = { 0 };
	if (bpf_source_open(&probes, &o.bpf, &report) == 0) {
		series(&o, readings, "task iterator");
		o.bpf->ops->close(o.bpf);
	} else {
		printf("no BPF here\n");
	}
	probe_report_done(&report);
	for (int i = 0; i < n; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	free(pids);
	return 0;
}
