/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring as the kernel lays it out (Documentation/bpf/ringbuf.rst), in memory of our own: positions that only grow, the data
 * area mapped twice in a row so that a record never ends in the middle.
 */
#include "collect/ring.h"

#include <criterion/criterion.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE 65536u
#define HEAD BPF_RINGBUF_HDR_SZ

struct bench {
	struct ring ring;
	unsigned long producer;
	uint8_t *data;
	uint32_t next, got, out_of_order;
	unsigned long produce_while_reading;
};

static void setup(struct bench *b)
{
	static unsigned long consumer;
	int fd = memfd_create("ring", MFD_CLOEXEC);

	*b = (struct bench){0};
	consumer = 0;
	cr_assert_eq(ftruncate(fd, SIZE), 0);
	b->data = mmap(NULL, 2 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 2; i++)
		cr_assert_neq(mmap(b->data + i * SIZE, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0), MAP_FAILED);
	close(fd);
	b->ring = (struct ring){.consumer = &consumer, .producer = &b->producer, .data = b->data, .size = SIZE,
	                        .page = 4096};
}

static unsigned long room(const struct bench *b)
{
	return SIZE - (b->producer - *b->ring.consumer);
}

/* A record with a number in it and `more` bytes; flags are those of its length word. Its length word. */
static uint32_t *produce(struct bench *b, uint32_t more, uint32_t flags)
{
	uint8_t *rec = b->data + (b->producer & (SIZE - 1));
	struct ev_io *io = (struct ev_io *)(rec + HEAD);
	uint32_t len = sizeof(*io) + more;

	cr_assert_leq(len + HEAD, room(b), "the test overfills the ring");
	*io = (struct ev_io){.h = {.size = len, .type = EV_IO}, .seq = b->next};
	memset(rec + HEAD + sizeof(*io), (int)b->next, more);
	*(uint32_t *)rec = len | flags;
	b->next += !(flags & BPF_RINGBUF_DISCARD_BIT);
	b->producer += (len + HEAD + 7) & ~7ul;
	return (uint32_t *)rec;
}

static void on_record(void *arg, const struct ev_hdr *ev)
{
	struct bench *b = arg;
	const struct ev_io *io = (const void *)ev;
	const uint8_t *more = (const uint8_t *)(io + 1);

	b->out_of_order += io->seq != b->got++;
	for (uint32_t i = sizeof(*io); i < ev->size; i++)
		cr_assert_eq(more[i - sizeof(*io)], (uint8_t)io->seq, "record %u is damaged", io->seq);
	if (b->produce_while_reading && room(b) > 1000) {
		b->produce_while_reading--;
		produce(b, 100, 0);
	}
}

static int drain(struct bench *b)
{
	uint64_t seen[SEEN_MAX] = {0};
	int n = ring_drain(&b->ring, on_record, b, seen);

	cr_expect_eq(seen[SEEN_RECORDS], (uint64_t)n);
	cr_expect_eq(b->out_of_order, 0);
	return n;
}

Test(ring, is_empty_at_first)
{
	struct bench b;

	setup(&b);
	cr_expect_eq(drain(&b), 0);
}

/* Every place of the end of the ring inside a record, many times round. */
Test(ring, wraps_around)
{
	struct bench b;
	uint32_t wanted = 0;

	setup(&b);
	for (int round = 0; round < 3000; round++) {
		for (int i = 0; i < 7; i++, wanted++)
			produce(&b, (round * 37 + i * 911) % 5000, 0);
		cr_assert_eq(drain(&b), 7);
		cr_assert_eq(room(&b), SIZE, "all room is given back");
	}
	cr_expect_eq(b.got, wanted);
	cr_expect_gt(b.producer / SIZE, 100);
}

Test(ring, can_be_full_to_the_byte)
{
	struct bench b;

	setup(&b);
	produce(&b, SIZE - HEAD - sizeof(struct ev_io), 0);
	cr_expect_eq(room(&b), 0);
	cr_expect_eq(drain(&b), 1);
	cr_expect_eq(room(&b), SIZE);
}

Test(ring, skips_what_was_discarded)
{
	struct bench b;

	setup(&b);
	for (int i = 0; i < 300; i++)
		produce(&b, i, i % 3 ? 0 : BPF_RINGBUF_DISCARD_BIT);
	cr_expect_eq(drain(&b), 200);
	cr_expect_eq(room(&b), SIZE, "room of discarded records as well");
	produce(&b, 10, BPF_RINGBUF_DISCARD_BIT);
	cr_expect_eq(drain(&b), 0);
	cr_expect_eq(room(&b), SIZE);
}

/* A record still being written holds back those behind it, and is not lost. */
Test(ring, stops_at_a_busy_record)
{
	struct bench b;
	uint32_t *busy;

	setup(&b);
	produce(&b, 0, 0);
	busy = produce(&b, 50, BPF_RINGBUF_BUSY_BIT);
	produce(&b, 0, 0);
	cr_expect_eq(drain(&b), 1);
	cr_expect_eq(drain(&b), 0);
	*busy &= ~BPF_RINGBUF_BUSY_BIT;
	cr_expect_eq(drain(&b), 2);
	cr_expect_eq(room(&b), SIZE);
}

/* One drain ends where the producers stood when it began. */
Test(ring, is_not_held_by_a_busy_producer)
{
	struct bench b;

	setup(&b);
	for (int i = 0; i < 10; i++)
		produce(&b, 0, 0);
	b.produce_while_reading = 1000;
	cr_expect_eq(drain(&b), 10);
	cr_expect_eq(drain(&b), 10);
	b.produce_while_reading = 0;
	cr_expect_eq(drain(&b), 10);
	cr_expect_eq(drain(&b), 0);
}
