/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * role: the programs of the demo's system that are ours.  Each runs from a copy of the rootle binary under its own name, as
 * `NAME demo-part NAME ARGUMENTS`, so that it is a program of its own on the machine.
 */
#ifndef ROOTLE_DEMO_ROLE_H
#define ROOTLE_DEMO_ROLE_H

struct role {
	const char *name;
	const char *args;
	int min_args;
	int (*run)(char **args);    /* an exit code */
};

extern const struct role role_table[];     /* ends with a row without a name */

/* argv: NAME ARGUMENTS. Runs that role to its end; returns its exit code, 2 for an unknown one. */
int role_run(int argc, char **argv);

int role_shop(char **args);         /* shop.c: PORT DATABASE_PORT RELEASE */
int role_stock_db(char **args);     /* stock_db.c: PORT */
int role_clients(char **args);      /* clients.c: PORT REQUESTS_PER_S */
int role_report_job(char **args);   /* report_job.c: THREADS */

#endif
