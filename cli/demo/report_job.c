/* SPDX-License-Identifier: BSD-2-Clause */
/* report-job: a batch job that takes the CPU: threads that count and never wait, ahead of all others. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "role.h"

#define JOB_NICE (-15)

static void *count(void *arg)
{
	volatile uint64_t n = 0;

	for (;;)
		n++;
	return arg;
}

/* Fair shares the shop would hardly feel: it needs little.  Each session may be a group of its own to the scheduler, which
 * then has a nice value as well.  Where it is not allowed it is a weaker demo. */
static void go_first(void)
{
	FILE *f = fopen("/proc/self/autogroup", "w");

	setpriority(PRIO_PROCESS, 0, JOB_NICE);
	if (!f)
		return;
	fprintf(f, "%d", JOB_NICE);
	fclose(f);
}

int role_report_job(char **args)
{
	pthread_t thread;

	go_first();
	for (int i = 1; i < atoi(args[0]); i++)
		if (pthread_create(&thread, NULL, count, NULL))
			return 1;
	count(NULL);
	return 0;
}
