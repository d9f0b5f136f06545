/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "scenario.h"

static int drop_index(struct system *s)
{
	return system_sql(s, "DROP INDEX orders_customer_idx");
}

static int kill_database(struct system *s)
{
	process_end(&s->database);
	return 0;
}

static int stop_shop(struct system *s)
{
	return kill(s->shop.pid, SIGSTOP) ? -errno : 0;
}

/* Four threads a CPU, so that everybody else queues. */
static int take_cpu(struct system *s)
{
	return system_start_neighbour(s, 4 * (int)sysconf(_SC_NPROCESSORS_ONLN));
}

static int cut_quota(struct system *s)
{
	return system_limit_shop(s, 0.03);
}

static int deploy_shop(struct system *s)
{
	return system_start_shop(s, 2);
}

const struct scenario scenario_table[] = {
	{"slow-query", "the index under the shop's query is dropped", "postgres", "db.slow_query", drop_index},
	{"dependency-down", "the database is shut down; connects are refused", "postgres", "dependency.down", kill_database},
	{"dependency-hung", "the shop is stopped (SIGSTOP): it accepts and never answers", "shop", "dependency.hung",
	 stop_shop},
	{"cpu-neighbour", "a batch job takes every CPU", "report-job", "cpu.neighbour", take_cpu},
	{"cpu-quota", "the shop's CPU quota is cut to 3 % of a core", "shop", "cpu.throttled", cut_quota},
	{"deploy", "a new release of the shop queries in a loop", "shop", "deploy.regression", deploy_shop},
	{0},
};

const struct scenario *scenario_find(const char *name)
{
	if (!name)
		return scenario_table;
	for (const struct scenario *s = scenario_table; s->name; s++)
		if (strcmp(s->name, name) == 0)
			return s;
	return NULL;
}
