/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conntrack_read: what the kernel says of translated connections → struct ev_nat.  Pure: messages of nfnetlink (linux/netfilter/
 * nfnetlink_conntrack.h), read with libmnl, and the text of /proc/net/nf_conntrack.
 */
#ifndef ROOTLE_COLLECT_CONNTRACK_READ_H
#define ROOTLE_COLLECT_CONNTRACK_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/vec.h"
#include "bpf/event.h"

struct nlmsghdr;

/* One message IPCTNL_MSG_CT_NEW or _DELETE; h and netns are left 0. False where it is another message, no TCP or UDP, or nothing of
 * it is translated. */
bool conntrack_message(const struct nlmsghdr *h, struct ev_nat *ret);

/* One line; likewise. The text says what the tuples are, and so whether they differ. */
bool conntrack_line(const char *line, size_t len, struct ev_nat *ret);

/* The rows of a text. Zero is none; vec_done() frees it. */
struct conntrack_rows { VEC(struct ev_nat) row; };

/* Puts the rows of whole lines there, in an order of its own. False: no memory, some are missing. */
bool conntrack_text(const char *text, struct conntrack_rows *ret);
/* From one reading to the next: what is gone as NAT_END, then what is new as NAT_BEGIN. */
typedef void conntrack_fn(void *arg, const struct ev_nat *e);
void conntrack_changes(const struct conntrack_rows *before, const struct conntrack_rows *after, conntrack_fn *fn, void *arg);

#endif
