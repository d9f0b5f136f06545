/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures of any bytes: packets → records → model.  No read outside of what was captured, every record is whole, and the model takes
 * them all.  Input: the link type, then packets: two bytes captured length, one how much longer it was on the wire, one how much
 * later it came, in units of 4 ms.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "collect/capture.h"
#include "collect/fragments.h"
#include "model/model.h"

#define PACKET_HEADER 4u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int good)
{
	if (!good)
		abort();
}

static void on_record(void *arg, const struct ev_hdr *ev)
{
	const struct ev_datagram *g = (const void *)ev;
	const struct ev_data *d = (const void *)ev;

	if (ev->type == EV_DATA)
		expect(ev->size == sizeof(*d) + d->head && d->head <= d->len && d->cookie && !d->tail);
	else if (ev->type == EV_DATAGRAM)
		expect(ev->size == sizeof(*g) + g->head && g->head <= g->len && g->cookie);
	else
		expect(ev->type == EV_CONN || ev->type == EV_HEALTH);
	model_event(arg, ev);
}

/* A packet at the end of a block of its own size. */
static void take(struct capture *c, struct fragments *f, int link, const uint8_t *p, uint32_t cap, uint32_t len, uint64_t ts_ns)
{
	uint8_t *copy = malloc(cap ? cap : 1);
	struct capture_packet packet;

	memcpy(copy, p, cap);
	if (capture_packet_parse(link, copy, cap, len, f, ts_ns, &packet) > 0) {
		expect(packet.cap <= packet.len);
		capture_take(c, ts_ns, &packet);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int links[] = {1, 101, 113, 276, 0, 9};
	struct model *m = model_new(&(struct model_options){.by_address = true, .max_connections = 64});
	struct capture *c = capture_new(on_record, m);
	struct fragments *f = fragments_new();
	uint64_t ts_ns = 1000000000;
	size_t i = 1;

	while (i + PACKET_HEADER <= size) {
		uint32_t cap = data[i] * 256u + data[i + 1], more = data[i + 2];

		ts_ns += data[i + 3] * 4000000ull;
		i += PACKET_HEADER;
		if (cap > size - i)
			cap = (uint32_t)(size - i);
		take(c, f, links[data[0] % 6], data + i, cap, cap + more * more, ts_ns);
		i += cap;
	}
	capture_tick(c, ts_ns + 1);
	model_end(m);
	tick_free(model_tick(m, ts_ns + 1, 1, 1000000000));
	capture_free(c);
	fragments_free(f);
	model_free(m);
	return 0;
}
