/* SPDX-License-Identifier: BSD-2-Clause */
/* The properties of a message, as far as the ids in its headers (AMQP 0-9-1, 4.2.5.5 and 4.2.6.1, with RabbitMQ's types of fields). */
#include "proto/amqp.h"
#include "proto/wire.h"

#define HAS_TYPE 0x8000
#define HAS_ENCODING 0x4000
#define HAS_HEADERS 0x2000

struct part { const uint8_t *p; size_t n; };

/* The next n bytes; false past the end. */
static bool take(struct part *t, size_t n, struct part *ret)
{
	if (n > t->n)
		return false;
	*ret = (struct part){t->p, n};
	t->p += n;
	t->n -= n;
	return true;
}

/* With a length of one byte, or of four, before it. */
static bool take_short(struct part *t, struct part *ret)
{
	struct part head;

	return take(t, 1, &head) && take(t, head.p[0], ret);
}

static bool take_long(struct part *t, struct part *ret)
{
	struct part head;

	return take(t, 4, &head) && take(t, be32(head.p), ret);
}

/* The value of a field, by its type. */
static bool take_value(struct part *t, char *type, struct part *ret)
{
	static const char fixed[] = "tbBsuUIifldLTDV";
	static const uint8_t sizes[] = {1, 1, 1, 2, 2, 2, 4, 4, 4, 8, 8, 8, 8, 5, 0};
	struct part head;

	if (!take(t, 1, &head))
		return false;
	*type = (char)head.p[0];
	for (size_t i = 0; i < sizeof(sizes); i++)
		if (fixed[i] == *type)
			return take(t, sizes[i], ret);
	return (*type == 'S' || *type == 'x' || *type == 'A' || *type == 'F') && take_long(t, ret);
}

void amqp_headers_read(struct trace_ids *ids, const uint8_t *p, size_t n)
{
	struct part t = {p, n}, head, name, value;
	unsigned flags;
	char type;

	if (!take(&t, 2, &head))
		return;
	flags = be16(head.p);
	if ((flags & HAS_TYPE && !take_short(&t, &value)) || (flags & HAS_ENCODING && !take_short(&t, &value)) ||
	    !(flags & HAS_HEADERS) || !take(&t, 4, &head))
		return;
	if (be32(head.p) < t.n)
		t.n = be32(head.p);
	while (take_short(&t, &name) && take_value(&t, &type, &value))
		if (type == 'S' || type == 'x')
			trace_ids_field(ids, (const char *)name.p, name.n, (const char *)value.p, value.n);
}
