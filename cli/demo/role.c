/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "role.h"

const struct role role_table[] = {
	{"shop", "PORT DATABASE_PORT RELEASE", 3, role_shop},
	{"stock-db", "PORT", 1, role_stock_db},
	{"clients", "PORT REQUESTS_PER_S", 2, role_clients},
	{"report-job", "THREADS", 1, role_report_job},
	{0},
};

int role_run(int argc, char **argv)
{
	for (const struct role *r = role_table; r->name && argc > 0; r++) {
		if (strcmp(r->name, argv[0]) != 0)
			continue;
		if (argc - 1 >= r->min_args)
			return r->run(argv + 1);
		fprintf(stderr, "rootle: demo: usage: demo-part %s %s\n", r->name, r->args);
		return 2;
	}
	fprintf(stderr, "rootle: demo: no such program of the demo: %s\n", argc > 0 ? argv[0] : "(none)");
	return 2;
}
