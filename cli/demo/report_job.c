/* SPDX-License-Identifier: BSD-2-Clause */
/* report-job: a batch job that takes the CPU: threads that count and never wait. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "role.h"

static void *count(void *arg)
{
	volatile uint64_t n = 0;

	for (;;)
		n++;
	return arg;
}

int role_report_job(char **args)
{
	pthread_t thread;

	for (int i = 1; i < atoi(args[0]); i++)
		if (pthread_create(&thread, NULL, count, NULL))
			return 1;
	count(NULL);
	return 0;
}
