/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/fragments.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define DATAGRAMS 32
#define DATAGRAM_MAX 65536u
#define UNIT 8u                         /* fragments begin at multiples of that */
#define PATIENCE_NS (30ull * NS_PER_S)

struct datagram {
	uint8_t saddr[16], daddr[16];
	uint32_t id;
	uint8_t protocol;
	bool used;
	uint64_t begin_ns;
	uint32_t total;                 /* 0: the last one has not come */
	uint32_t units;                 /* that came */
	uint8_t have[DATAGRAM_MAX / UNIT / 8];
	uint8_t *bytes;                 /* DATAGRAM_MAX, kept for the next one */
};

struct fragments {
	struct datagram v[DATAGRAMS];
	uint64_t lost;
};

struct fragments *fragments_new(void)
{
	return calloc(1, sizeof(struct fragments));
}

void fragments_free(struct fragments *f)
{
	for (int i = 0; f && i < DATAGRAMS; i++)
		free(f->v[i].bytes);
	free(f);
}

uint64_t fragments_lost(const struct fragments *f)
{
	uint64_t lost = f->lost;

	for (int i = 0; i < DATAGRAMS; i++)
		lost += f->v[i].used;
	return lost;
}

static bool is_of(const struct datagram *d, const struct fragment *x)
{
	return d->used && d->id == x->id && d->protocol == x->protocol && !memcmp(d->saddr, x->saddr, 16) &&
	       !memcmp(d->daddr, x->daddr, 16);
}

static struct datagram *begin(struct fragments *f, struct datagram *d, const struct fragment *x, uint64_t ts_ns)
{
	f->lost += d->used;
	if (!d->bytes)
		d->bytes = malloc(DATAGRAM_MAX);
	if (!d->bytes)
		return NULL;
	memcpy(d->saddr, x->saddr, 16);
	memcpy(d->daddr, x->daddr, 16);
	memset(d->have, 0, sizeof(d->have));
	d->id = x->id;
	d->protocol = x->protocol;
	d->used = true;
	d->begin_ns = ts_ns;
	d->total = d->units = 0;
	return d;
}

static struct datagram *datagram_of(struct fragments *f, const struct fragment *x, uint64_t ts_ns)
{
	struct datagram *oldest = &f->v[0];

	for (int i = 0; i < DATAGRAMS; i++) {
		struct datagram *d = &f->v[i];

		if (is_of(d, x))
			return d->begin_ns + PATIENCE_NS < ts_ns ? begin(f, d, x, ts_ns) : d;
		if (!d->used ? oldest->used : oldest->used && d->begin_ns < oldest->begin_ns)
			oldest = d;
	}
	return begin(f, oldest, x, ts_ns);
}

static void mark(struct datagram *d, uint32_t from, uint32_t to)
{
	for (uint32_t u = from / UNIT; u < (to + UNIT - 1) / UNIT; u++) {
		d->units += !(d->have[u / 8] >> u % 8 & 1);
		d->have[u / 8] |= (uint8_t)(1 << u % 8);
	}
}

const uint8_t *fragments_put(struct fragments *f, const struct fragment *x, uint64_t ts_ns, uint32_t *n)
{
	struct datagram *d;

	if (x->offset + x->n > DATAGRAM_MAX - 1 || !x->n || (x->more && x->n % UNIT))
		return NULL;
	d = datagram_of(f, x, ts_ns);
	if (!d)
		return NULL;
	memcpy(d->bytes + x->offset, x->p, x->n);
	mark(d, x->offset, x->offset + x->n);
	if (!x->more)
		d->total = x->offset + x->n;
	if (!d->total || d->units != (d->total + UNIT - 1) / UNIT)
		return NULL;
	d->used = false;
	*n = d->total;
	return d->bytes;
}
