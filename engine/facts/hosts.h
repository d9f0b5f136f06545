/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hosts: what a process's /etc/hosts calls an address: the question of engine/model, answered by engine/collect.
 */
#ifndef ROOTLE_FACTS_HOSTS_H
#define ROOTLE_FACTS_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ip: IPv4 as ::ffff:a.b.c.d. False: it has no name for it, or one that does not fit. find may be NULL. */
struct hosts_resolver {
	bool (*find)(void *arg, uint32_t pid, const uint8_t ip[16], char *name, size_t cap);
	void *arg;
};

#endif
