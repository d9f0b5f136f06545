/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demo: a small real system on loopback that is recorded, broken and explained.
 *
 *	clients → nginx → shop → PostgreSQL
 *
 * nginx and PostgreSQL are the installed ones; where one is missing, the shop is asked directly, and a service of our own
 * (stock-db) speaks PostgreSQL's protocol.  The recording and the explanation are those of the rootle binary itself,
 * run as `rootle record` and `rootle explain`: nothing tells them what was broken.
 *
 * Needs root.  Everything lives in one folder under /tmp and ends with the demo, on Ctrl-C too; other servers on the
 * machine are not touched.  Notes go to stderr, the explanation to stdout.
 */
#ifndef ROOTLE_DEMO_DEMO_H
#define ROOTLE_DEMO_DEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "scenario.h"

struct demo_options {
	const struct scenario *scenario;
	int64_t healthy_ns, fault_ns;  /* 0: 25 s, 20 s */
	bool keep_running;             /* leave system and recorder; demo_stop() ends them */
	bool json;                     /* the explanation as JSON */
	bool quiet;                    /* no notes */
};

/* Returns an exit code: 0, 1 it failed, 77 not root, 130 interrupted. */
int demo_run(const struct demo_options *o);
/* Ends what --keep-running left in that folder. An exit code. */
int demo_stop(const char *dir);
/* One of the demo's own programs: argv[0] is its name (role.h). An exit code. */
int demo_part(int argc, char **argv);

#endif
