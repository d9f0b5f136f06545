/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/conntrack_read.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two ends of one direction: [0] the source, [1] the destination. */
struct tuple { uint8_t ip[2][16]; uint16_t port[2]; uint8_t protocol, have; };

static void address_v4(uint8_t to[16], const void *from)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memcpy(to, mapped, sizeof(mapped));
	memcpy(to + 12, from, 4);
}

/* Both directions, as two tuples, make a record: the answer's source is who is called behind the translation. */
static bool record_make(const struct tuple *there, const struct tuple *back, struct ev_nat *ret)
{
	*ret = (struct ev_nat){ .l4 = there->protocol == IPPROTO_UDP ? L4_UDP : L4_TCP };
	if (there->have != 3 || back->have != 3 || (there->protocol != IPPROTO_TCP && there->protocol != IPPROTO_UDP))
		return false;
	for (int i = 0; i < 2; i++) {
		memcpy(ret->seen[i], there->ip[i], 16);
		memcpy(ret->far[i], back->ip[!i], 16);
		ret->seen_port[i] = there->port[i];
		ret->far_port[i] = back->port[!i];
	}
	return memcmp(ret->seen, ret->far, sizeof(ret->seen)) || memcmp(ret->seen_port, ret->far_port, sizeof(ret->seen_port));
}

/* ---- netlink ---- */

static int on_ip(const struct nlattr *a, void *arg)
{
	struct tuple *t = arg;
	int i = mnl_attr_get_type(a) == CTA_IP_V4_DST || mnl_attr_get_type(a) == CTA_IP_V6_DST;

	switch (mnl_attr_get_type(a)) {
	case CTA_IP_V4_SRC:
	case CTA_IP_V4_DST:
		if (mnl_attr_validate2(a, MNL_TYPE_BINARY, 4) < 0)
			return MNL_CB_ERROR;
		address_v4(t->ip[i], mnl_attr_get_payload(a));
		break;
	case CTA_IP_V6_SRC:
	case CTA_IP_V6_DST:
		if (mnl_attr_validate2(a, MNL_TYPE_BINARY, 16) < 0)
			return MNL_CB_ERROR;
		memcpy(t->ip[i], mnl_attr_get_payload(a), 16);
		break;
	default:
		return MNL_CB_OK;
	}
	t->have |= (uint8_t)(1 << i);
	return MNL_CB_OK;
}

static int on_protocol(const struct nlattr *a, void *arg)
{
	struct tuple *t = arg;

	switch (mnl_attr_get_type(a)) {
	case CTA_PROTO_NUM:
		if (mnl_attr_validate(a, MNL_TYPE_U8) < 0)
			return MNL_CB_ERROR;
		t->protocol = mnl_attr_get_u8(a);
		break;
	case CTA_PROTO_SRC_PORT:
	case CTA_PROTO_DST_PORT:
		if (mnl_attr_validate(a, MNL_TYPE_U16) < 0)
			return MNL_CB_ERROR;
		t->port[mnl_attr_get_type(a) == CTA_PROTO_DST_PORT] = ntohs(mnl_attr_get_u16(a));
		break;
	}
	return MNL_CB_OK;
}

static int on_tuple(const struct nlattr *a, void *arg)
{
	switch (mnl_attr_get_type(a)) {
	case CTA_TUPLE_IP:
		return mnl_attr_parse_nested(a, on_ip, arg);
	case CTA_TUPLE_PROTO:
		return mnl_attr_parse_nested(a, on_protocol, arg);
	}
	return MNL_CB_OK;
}

static int on_attribute(const struct nlattr *a, void *arg)
{
	struct tuple *both = arg;

	switch (mnl_attr_get_type(a)) {
	case CTA_TUPLE_ORIG:
		return mnl_attr_parse_nested(a, on_tuple, &both[0]);
	case CTA_TUPLE_REPLY:
		return mnl_attr_parse_nested(a, on_tuple, &both[1]);
	}
	return MNL_CB_OK;
}

bool conntrack_message(const struct nlmsghdr *h, struct ev_nat *ret)
{
	struct tuple both[2] = { 0 };
	unsigned type = h->nlmsg_type & 0xff;

	if (h->nlmsg_type >> 8 != NFNL_SUBSYS_CTNETLINK || (type != IPCTNL_MSG_CT_NEW && type != IPCTNL_MSG_CT_DELETE) ||
	    h->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(struct nfgenmsg))
		return false;
	if (mnl_attr_parse(h, sizeof(struct nfgenmsg), on_attribute, both) < MNL_CB_STOP || !record_make(&both[0], &both[1], ret))
		return false;
	ret->what = type == IPCTNL_MSG_CT_NEW ? NAT_BEGIN : NAT_END;
	return true;
}

/* ---- text ---- */

static void take_address(struct tuple *t, int i, const char *text)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1)
		address_v4(t->ip[i], &v4);
	else if (inet_pton(AF_INET6, text, t->ip[i]) != 1)
		return;
	t->have |= (uint8_t)(1 << i);
}

/* "src=…" and the like: the second of a kind is the answer's. */
static void take_word(struct tuple both[2], const char *word)
{
	static const char *const keys[] = { "src=", "dst=", "sport=", "dport=" };

	for (int k = 0; k < 4; k++) {
		size_t n = strlen(keys[k]);
		struct tuple *t;

		if (strncmp(word, keys[k], n))
			continue;
		/* addresses of the answer come behind the ports of what was sent */
		t = &both[k < 2 ? both[0].have == 3 : both[1].have == 3];
		if (k < 2)
			take_address(t, k, word + n);
		else
			t->port[k - 2] = (uint16_t)strtoul(word + n, NULL, 10);
	}
}

bool conntrack_line(const char *line, size_t len, struct ev_nat *ret)
{
	struct tuple both[2] = { 0 };
	char copy[512], *save, *word;

	snprintf(copy, sizeof(copy), "%.*s", (int)(len < sizeof(copy) ? len : sizeof(copy) - 1), line);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (!strcmp(word, "tcp"))
			both[0].protocol = IPPROTO_TCP;
		else if (!strcmp(word, "udp"))
			both[0].protocol = IPPROTO_UDP;
		else
			take_word(both, word);
	}
	if (!record_make(&both[0], &both[1], ret))
		return false;
	ret->what = NAT_BEGIN;
	return true;
}

static int row_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ev_nat));
}

bool conntrack_text(const char *text, struct conntrack_rows *ret)
{
	size_t n;
	bool all = true;

	for (const char *l = text; l[n = strcspn(l, "\n")]; l += n + 1) {
		struct ev_nat e, *slot;

		if (!conntrack_line(l, n, &e))
			continue;
		slot = vec_push(&ret->row);
		if (slot)
			*slot = e;
		all &= slot != NULL;
	}
	if (ret->row.n)
		qsort(ret->row.v, ret->row.n, sizeof(*ret->row.v), row_order);
	return all;
}

/* Those of `a` that are not in `b`. */
static void only_in(const struct conntrack_rows *a, const struct conntrack_rows *b, uint8_t what, conntrack_fn *fn, void *arg)
{
	size_t k = 0;

	for (size_t i = 0; i < a->row.n; i++) {
		struct ev_nat e = a->row.v[i];
		int order = -1;

		while (k < b->row.n && (order = row_order(&b->row.v[k], &e)) < 0)
			k++;
		if (k < b->row.n && !order)
			continue;
		e.what = what;
		fn(arg, &e);
	}
}

void conntrack_changes(const struct conntrack_rows *before, const struct conntrack_rows *after, conntrack_fn *fn, void *arg)
{
	only_in(before, after, NAT_END, fn, arg);
	only_in(after, before, NAT_BEGIN, fn, arg);
}
