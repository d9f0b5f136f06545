/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * middle: which processes serve and call, for only of these it is asked which request in caused which request out.  A direct-mapped
 * table by process id.  Pure: the kernel side and the host tests compile the same text.
 *
 * Nothing is locked: threads of one process say the same again with each read, and two processes that meet in one slot take it
 * from each other, by which reads go untold and links are left out, never made up.
 */
#ifndef ROOTLE_BPF_MIDDLE_H
#define ROOTLE_BPF_MIDDLE_H

#include "event.h"

#define MIDDLE_SLOTS 8192u
#define MIDDLE_SLOT(tgid) ((__u32)(tgid) & (MIDDLE_SLOTS - 1))

struct middle_slot { __u32 tgid, roles; };      /* roles: 1 << ROLE_* of the sockets it uses */

#define MIDDLE_BOTH (1u << ROLE_CLIENT | 1u << ROLE_SERVER)

static inline __attribute__((always_inline)) int middle_is(const struct middle_slot *s, __u32 tgid)
{
	return s->tgid == tgid && s->roles == MIDDLE_BOTH;
}

/* The process uses a socket in this role; of one that is not known (the socket was there before us) it may be either. */
static inline __attribute__((always_inline)) void middle_note(struct middle_slot *s, __u32 tgid, __u8 role)
{
	__u32 roles = role == ROLE_UNKNOWN ? MIDDLE_BOTH : 1u << (role & 3);

	if (s->tgid != tgid) {
		s->tgid = tgid;
		s->roles = roles & MIDDLE_BOTH;
	} else if ((s->roles & roles) != roles) {
		s->roles |= roles & MIDDLE_BOTH;
	}
}

#endif
