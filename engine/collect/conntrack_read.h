/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conntrack_read: what the kernel says of translated connections → struct ev_nat.  Pure: messages of nfnetlink (linux/netfilter/
 * nfnetlink_conntrack.h), read with libmnl, and the text of /proc/net/nf_conntrack.
 */
#ifndef ROOTLE_COLLECT_CONNTRACK_READ_H
#define ROOTLE_COLLECT_CONNTRACK_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "bpf/event.h"

struct nlmsghdr;

/* One message IPCTNL_MSG_CT_NEW or _DELETE; h and netns are left 0. False where it is another message, no TCP or UDP, or nothing of
 * it is translated. */
bool conntrack_message(const struct nlmsghdr *h, struct ev_nat *ret);

/* One line; likewise. The text says what the tuples are, and so whether they differ. */
bool conntrack_line(const char *line, size_t len, struct ev_nat *ret);

#endif
