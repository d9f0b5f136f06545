/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/udp_counts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/clock.h"

#define PACKET_LOAD(ctx, offset, to, n) (-1)    /* only its structs are of use here */
#include "bpf/udp.h"

#define EVERY_NS NS_PER_S
#define SILENT_NS (30 * NS_PER_S)
#define SILENT_FULL_NS (2 * NS_PER_S)           /* where the table is nearly full */
#define BATCH 1024u
#define EPHEMERAL 32768u                        /* net.ipv4.ip_local_port_range begins there */
#define SLACK_NS (10 * NS_PER_MS)               /* a datagram is stamped a little before it can be read */

struct batch {
	struct udp_key key[BATCH];
	struct udp_count count[BATCH];
	struct udp_key silent[UDP_COUNTS_MAX];
	uint32_t n_silent;
};

void udp_counts_init(struct udp_counts *u, int map_fd)
{
	*u = (struct udp_counts){ .map_fd = map_fd };
}

uint8_t udp_role(uint16_t lport, uint16_t rport, uint8_t first)
{
	bool local = lport < EPHEMERAL, remote = rport < EPHEMERAL;

	if (local != remote)
		return local ? ROLE_SERVER : ROLE_CLIENT;
	return first == DIR_OUT ? ROLE_CLIENT : ROLE_SERVER;
}

static bool is_mapped(const uint8_t ip[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(ip, prefix, sizeof(prefix));
}

static void emit(const struct udp_key *k, const struct udp_count *c, uint8_t what, uint64_t now_ns, source_fn *fn, void *arg)
{
	struct ev_conn e = {
		.h = { .ts_ns = now_ns, .size = sizeof(e), .type = EV_CONN },
		.cookie = k->cookie, .netns = c->netns, .tgid = c->tgid, .lport = k->lport, .rport = k->rport, .what = what,
		.role = udp_role(k->lport, k->rport, c->first), .family = is_mapped(k->raddr) ? 4 : 6, .l4 = L4_UDP, .quic = c->quic,
		.bytes_out = c->bytes[DIR_OUT], .bytes_in = c->bytes[DIR_IN],
	};

	memcpy(e.laddr, k->laddr, 16);
	memcpy(e.raddr, k->raddr, 16);
	fn(arg, &e.h);
}

/* One pass. Entries of the table that come or go meanwhile may be seen twice or in the next one. Count of records or -errno. */
static int table_read(struct udp_counts *u, struct batch *b, uint64_t now_ns, uint32_t *entries, source_fn *fn, void *arg)
{
	uint64_t since = u->told_ns > SLACK_NS ? u->told_ns - SLACK_NS : 0;
	uint32_t at, n = BATCH;
	int err, count = 0;
	bool first = true;

	do {
		n = BATCH;
		err = bpf_map_lookup_batch(u->map_fd, first ? NULL : &at, &at, b->key, b->count, &n, NULL);
		first = false;
		if (err && err != -ENOENT)
			return err;
		for (uint32_t i = 0; i < n; i++) {
			if (b->count[i].last_ns >= since) {
				emit(&b->key[i], &b->count[i], CONN_OWNER, now_ns, fn, arg);
				count++;
			}
			if (b->count[i].last_ns + SILENT_FULL_NS < now_ns && b->n_silent < UDP_COUNTS_MAX)
				b->silent[b->n_silent++] = b->key[i];
		}
		*entries += n;
	} while (!err);
	return count;
}

/* Its last totals are read as it goes: a datagram may have come since. */
static void silent_drop(struct udp_counts *u, const struct batch *b, uint64_t after_ns, uint64_t now_ns, source_fn *fn, void *arg)
{
	for (uint32_t i = 0; i < b->n_silent; i++) {
		struct udp_count c;

		if (bpf_map_lookup_elem(u->map_fd, &b->silent[i], &c) || c.last_ns + after_ns >= now_ns)
			continue;
		bpf_map_delete_elem(u->map_fd, &b->silent[i]);
		emit(&b->silent[i], &c, CONN_CLOSE, now_ns, fn, arg);
	}
}

int udp_counts_read(struct udp_counts *u, uint64_t now_ns, source_fn *fn, void *arg)
{
	uint32_t entries = 0;
	struct batch *b;
	int n;

	if (now_ns < u->read_ns + EVERY_NS)
		return 0;
	u->read_ns = now_ns;
	b = malloc(sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->n_silent = 0;
	n = table_read(u, b, now_ns, &entries, fn, arg);
	if (n >= 0) {
		u->told_ns = now_ns;
		silent_drop(u, b, entries > UDP_COUNTS_MAX / 4 * 3 ? SILENT_FULL_NS : SILENT_NS, now_ns, fn, arg);
	}
	free(b);
	return n;
}
