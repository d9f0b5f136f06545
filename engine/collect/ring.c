/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#define GIVE_BACK (64u << 10)   /* bytes read before the room is given back */

int ring_open(struct ring *r, int map_fd, size_t size)
{
	void *p;

	*r = (struct ring){ .size = size, .page = sysconf(_SC_PAGESIZE) };
	p = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	r->consumer = p;
	p = mmap(NULL, r->page + 2 * size, PROT_READ, MAP_SHARED, map_fd, r->page);
	if (p == MAP_FAILED) {
		int err = -errno;

		ring_close(r);
		return err;
	}
	r->producer = p;
	r->data = (const uint8_t *)p + r->page;
	return 0;
}

void ring_close(struct ring *r)
{
	if (r->consumer)
		munmap(r->consumer, r->page);
	if (r->producer)
		munmap((void *)r->producer, r->page + 2 * r->size);
	*r = (struct ring){0};
}

static void seen_count(uint64_t *seen, const struct ev_hdr *h)
{
	const struct ev_data *d = (const struct ev_data *)h;

	seen[SEEN_RECORDS]++;
	if (h->type != EV_DATA)
		return;
	seen[SEEN_SEGMENTS]++;
	seen[SEEN_PAYLOAD_BYTES] += d->len;
	seen[SEEN_COPIED_BYTES] += d->head + d->tail;
	seen[SEEN_CUT_SEGMENTS] += !!(d->flags & DATA_CUT);
}

int ring_drain(struct ring *r, source_fn *fn, void *arg, uint64_t *seen)
{
	unsigned long pos = *r->consumer, given = pos;
	const unsigned long end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	int n = 0;

	while (pos < end) {
		const uint8_t *rec = r->data + (pos & (r->size - 1));
		uint32_t len = __atomic_load_n((const uint32_t *)rec, __ATOMIC_ACQUIRE);

		if (len & BPF_RINGBUF_BUSY_BIT)
			break;
		pos += ((len & ~BPF_RINGBUF_DISCARD_BIT) + BPF_RINGBUF_HDR_SZ + 7) & ~7ul;
		if (!(len & BPF_RINGBUF_DISCARD_BIT)) {
			const struct ev_hdr *h = (const void *)(rec + BPF_RINGBUF_HDR_SZ);

			if (seen)
				seen_count(seen, h);
			fn(arg, h);
			n++;
		}
		if (pos - given >= GIVE_BACK) {
			__atomic_store_n(r->consumer, pos, __ATOMIC_RELEASE);
			given = pos;
		}
	}
	if (pos != given)
		__atomic_store_n(r->consumer, pos, __ATOMIC_RELEASE);
	return n;
}
