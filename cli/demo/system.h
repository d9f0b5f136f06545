/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system: the demo's servers: which there are, where they listen, how they start.
 *
 *	clients → nginx (where installed) → shop → PostgreSQL (where installed, else stock-db)
 *
 * All files are in `dir`; `dir`/processes lists what runs ("PID START SIGNAL NAME" a line), newest last, so that another
 * process can end it.
 */
#ifndef ROOTLE_DEMO_SYSTEM_H
#define ROOTLE_DEMO_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "process.h"

#define ARGV(...) ((char *const[]){__VA_ARGS__, NULL})

enum { SYSTEM_RATE = 40 };             /* requests a second */

struct system {
	char dir[32];
	char self[256];                /* the rootle binary */
	char nginx[64], postgres_bin[64];      /* "" where not installed */
	uint16_t edge_port, shop_port, database_port;
	bool outlives;                 /* --keep-running */
	int clients_fd;                /* what the clients say, a line a second */
	struct process database, shop, edge, clients, neighbour, recorder;
	char cgroup[128];              /* "" none */
};

/* Makes the folder and finds out what is installed. 0 or -errno. */
int system_init(struct system *s, bool outlives);
/* Starts database, shop, edge and clients, and waits for each. 0, or -errno after one line in why. */
int system_start(struct system *s, char *why, size_t cap);
/* Starts `rootle record` on dir/demo.db and waits for its word. 0, its exit code, or -errno. */
int system_record(struct system *s);
/* Ends everything and removes the folder. */
void system_done(struct system *s);
/* The same for a system of another process that was left running. 0, or -errno: no such folder; -EPERM where it, or its list, is
 * not ours alone. */
int system_end(const char *dir);

/* The parts of system_start(). 0 or -errno. */
int system_start_postgres(struct system *s);
int system_start_stock_db(struct system *s);
int system_start_nginx(struct system *s);
int system_start_clients(struct system *s);
/* Starts a process: fills in of spec what all have in common (log, folder, end), and writes it down. */
int system_launch(struct system *s, struct process *p, struct process_spec spec);
/* Until somebody listens on the port: 0; -ECHILD when the process ends first, -ETIMEDOUT. */
int system_await(const struct process *p, uint16_t port, int timeout_ms);

/* Steps that scenarios are made of. 0 or -errno. */
int system_start_shop(struct system *s, int release);
int system_start_neighbour(struct system *s, int threads);
int system_sql(struct system *s, const char *sql);
/* Limits the shop to a share of a core, in a cgroup (v1 or v2) of its own. */
int system_limit_shop(struct system *s, double cores);

#endif
