/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/amqp1_value.h"
#include "proto/wire.h"

#define NOTHING ((struct amqp1_value){.code = 0x40})
#define DESCRIBED 0x00
#define DEEPEST 4          /* descriptors of descriptors are allowed, and nobody has any */

/* How many bytes say the size of a constructor's data, and what they say; false where it is no constructor, or they are not there. */
static bool data_size(uint8_t code, const uint8_t *p, size_t n, uint64_t *head, uint64_t *size)
{
	static const uint8_t fixed[] = {0, 1, 2, 4, 8, 16};
	unsigned kind = code >> 4;

	if (kind < 4)
		return false;
	*head = kind < 10 ? 0 : kind % 2 ? 4 : 1;
	if (n < *head)
		return false;
	*size = kind < 10 ? fixed[kind - 4] : *head == 4 ? be32(p) : *p;
	return true;
}

static bool value_data(struct amqp1_cursor *c, struct amqp1_value *v)
{
	uint64_t head, size;

	if (!data_size(v->code, c->p, c->n, &head, &size))
		return false;
	v->p = c->p + head;
	v->n = c->n - head < size ? (size_t)(c->n - head) : (size_t)size;
	/* a number or a text of which the end is missing is none */
	if (v->n < size && v->code < 0xc0)
		return false;
	/* a compound value counts its elements, in a number as wide as its size */
	if (v->code >= 0xc0) {
		if (v->n < head)
			return false;
		v->count = head == 4 ? be32(v->p) : *v->p;
		v->p += head;
		v->n -= (size_t)head;
	}
	c->p += head + size < c->n ? head + size : c->n;
	c->n -= head + size < c->n ? (size_t)(head + size) : c->n;
	return true;
}

static bool value_read(struct amqp1_cursor *c, struct amqp1_value *v)
{
	*v = NOTHING;
	if (!c->n)
		return false;
	v->code = *c->p++;
	c->n--;
	if (v->code == DESCRIBED)
		return true;
	return value_data(c, v);
}

bool amqp1_next(struct amqp1_cursor *c, struct amqp1_value *v)
{
	struct amqp1_value type = NOTHING;
	bool described = false;
	unsigned depth = 0;

	*v = NOTHING;
	if (!c->left)
		return true;
	c->left--;
	while (value_read(c, v)) {
		if (v->code != DESCRIBED) {
			v->described = described;
			v->type = amqp1_number(&type, 0);
			return true;
		}
		described = true;
		if (++depth > DEEPEST || !value_read(c, &type) || type.code == DESCRIBED)
			break;
	}
	*v = NOTHING;
	c->left = 0;
	return false;
}

struct amqp1_cursor amqp1_elements(const struct amqp1_value *v)
{
	bool has = (v->code & 0xef) == 0xc0 || (v->code & 0xef) == 0xc1;

	return (struct amqp1_cursor){v->p, has ? v->n : 0, has ? v->count : 0};
}

struct amqp1_value amqp1_element(const struct amqp1_value *list, unsigned i)
{
	struct amqp1_cursor c = amqp1_elements(list);
	struct amqp1_value v;

	do {
		if (!amqp1_next(&c, &v))
			return NOTHING;
	} while (i--);
	return v;
}

uint64_t amqp1_number(const struct amqp1_value *v, uint64_t fallback)
{
	switch (v->code) {
	case 0x43: case 0x44: return 0;
	case 0x50: case 0x52: case 0x53: return v->p[0];
	case 0x60: return be16(v->p);
	case 0x70: return be32(v->p);
	case 0x80: return be64(v->p);
	}
	return fallback;
}

bool amqp1_bool(const struct amqp1_value *v)
{
	return v->code == 0x41 || (v->code == 0x56 && v->p[0]);
}

bool amqp1_is_text(const struct amqp1_value *v)
{
	return v->code == 0xa1 || v->code == 0xa3 || v->code == 0xb1 || v->code == 0xb3;
}
