/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/kafka_body.h"

#include "proto/kafka_names.h"
#include "proto/wire.h"

/* A record batch (magic 2): the length stands behind the base offset and counts what follows itself. */
#define BATCH_LENGTH 8
#define BATCH_BEFORE 12
#define BATCH_MAGIC 16
#define BATCH_CODEC 22            /* the lower byte of the attributes */
#define BATCH_RECORDS 57
#define BATCH_HEAD 61
#define VARLONG_BYTES 10

static const uint8_t *take(struct kafka_reader *r, size_t n)
{
	const uint8_t *p = r->b.p;

	if (r->over || n > r->b.n) {
		r->over = true;
		return NULL;
	}
	r->b.p += n;
	r->b.n -= n;
	return p;
}

void kafka_skip(struct kafka_reader *r, size_t n)
{
	take(r, n);
}

int8_t kafka_i8(struct kafka_reader *r)
{
	const uint8_t *p = take(r, 1);

	return p ? (int8_t)p[0] : 0;
}

int16_t kafka_i16(struct kafka_reader *r)
{
	const uint8_t *p = take(r, 2);

	return p ? (int16_t)be16(p) : 0;
}

int32_t kafka_i32(struct kafka_reader *r)
{
	const uint8_t *p = take(r, 4);

	return p ? (int32_t)be32(p) : 0;
}

static uint32_t varint(struct kafka_reader *r)
{
	uint32_t v = 0;

	for (int i = 0; i < 5; i++) {
		uint8_t c = (uint8_t)kafka_i8(r);

		v |= (uint32_t)(c & 0x7f) << 7 * i;
		if (!(c & 0x80))
			return v;
	}
	r->over = true;
	return 0;
}

struct kafka_bytes kafka_string(struct kafka_reader *r)
{
	int64_t n = r->flexible ? (int64_t)varint(r) - 1 : kafka_i16(r);
	const uint8_t *p = n > 0 ? take(r, (size_t)n) : NULL;

	return (struct kafka_bytes){p, p ? (size_t)n : 0};
}

/* The same with a length of four bytes: records. Of what is cut off, only the length is known. */
static int64_t records_size(struct kafka_reader *r)
{
	int64_t n = r->flexible ? (int64_t)varint(r) - 1 : kafka_i32(r);

	return n > 0 ? n : 0;
}

int64_t kafka_array(struct kafka_reader *r)
{
	int64_t n = r->flexible ? (int64_t)varint(r) - 1 : kafka_i32(r);

	return n > 0 && !r->over ? n : 0;
}

void kafka_tags(struct kafka_reader *r)
{
	uint32_t n = r->flexible ? varint(r) : 0;

	while (n-- && !r->over) {
		varint(r);
		kafka_skip(r, varint(r));
	}
}

/* Records of the batches in the n bytes that follow; they are passed over. */
static uint64_t batches(struct kafka_reader *r, int64_t n)
{
	uint64_t records = 0;

	while (n >= BATCH_HEAD && !r->over && r->b.n >= BATCH_HEAD && r->b.p[BATCH_MAGIC] == 2) {
		int64_t size = (int64_t)be32(r->b.p + BATCH_LENGTH) + BATCH_BEFORE;

		records += be32(r->b.p + BATCH_RECORDS);
		/* the last one of a Fetch may be cut off by its limit: it is sent again */
		if (size < BATCH_HEAD || size > n)
			break;
		kafka_skip(r, (size_t)size);
		n -= size;
	}
	kafka_skip(r, (size_t)n);
	return records;
}

static void first_topic(struct kafka_reader *r, struct kafka_topics *t, bool by_id)
{
	t->n = kafka_array(r);
	if (!t->n)
		return;
	if (by_id)
		t->id = take(r, KAFKA_UUID);
	else
		t->name = kafka_string(r);
}

/* Lengths within a record; -1: null, or past the end. */
static int64_t record_length(struct kafka_reader *r)
{
	uint32_t v = varint(r);

	return r->over ? -1 : (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static struct kafka_bytes record_bytes(struct kafka_reader *r)
{
	int64_t n = record_length(r);
	const uint8_t *p = n > 0 ? take(r, (size_t)n) : NULL;

	return (struct kafka_bytes){p, p ? (size_t)n : 0};
}

/* The headers of a record: length, attributes, two differences, key, value, and then they. */
static void record_ids(struct kafka_reader *r, struct trace_ids *ids)
{
	int64_t headers;

	record_length(r);
	kafka_i8(r);
	for (int i = 0; i < VARLONG_BYTES && kafka_i8(r) < 0; i++)
		;
	record_length(r);
	record_bytes(r);
	record_bytes(r);
	for (headers = record_length(r); headers > 0 && !r->over; headers--) {
		struct kafka_bytes name = record_bytes(r), value = record_bytes(r);

		if (name.n && value.n)
			trace_ids_field(ids, (const char *)name.p, name.n, (const char *)value.p, value.n);
	}
}

/* The first batch of a Produce; its records may be cut off. */
static void batch_read(struct kafka_reader *r, struct kafka_topics *t)
{
	bool packed = r->b.p[BATCH_CODEC] & 7;

	t->records = be32(r->b.p + BATCH_RECORDS);
	kafka_skip(r, BATCH_HEAD);
	if (!packed)
		record_ids(r, &t->ids);
}

static void produce(struct kafka_reader *r, int version, struct kafka_topics *t)
{
	int64_t size;

	if (version >= 3)
		kafka_string(r);
	t->acks = kafka_i16(r);
	kafka_i32(r);
	first_topic(r, t, version >= 13);
	if (t->n != 1 || kafka_array(r) != 1)
		return;
	kafka_i32(r);
	size = records_size(r);
	if (size >= BATCH_HEAD && !r->over && r->b.n >= BATCH_HEAD && r->b.p[BATCH_MAGIC] == 2)
		batch_read(r, t);
}

static void fetch(struct kafka_reader *r, int version, struct kafka_topics *t)
{
	kafka_skip(r, version < 15 ? 12 : 8);
	kafka_skip(r, (version >= 3 ? 4 : 0) + (version >= 4 ? 1 : 0));
	if (version >= 7) {
		t->session = kafka_i32(r) != 0;
		kafka_i32(r);
	}
	first_topic(r, t, version >= 13);
}

struct kafka_topics kafka_request_body(struct kafka_reader *r, int key, int version)
{
	struct kafka_topics t = {.acks = 1};

	switch (key) {
	case 0:
		produce(r, version, &t);
		break;
	case 1:
		fetch(r, version, &t);
		break;
	case 2:
		kafka_skip(r, version >= 2 ? 5 : 4);
		first_topic(r, &t, false);
		break;
	case 19:
	case 20:
	case 37:
		if (key != 20 || version < 6)
			first_topic(r, &t, false);
		break;
	}
	if (t.n && !t.name.n && !t.id)
		t.n = 0;
	return t;
}

/* What of a partition stands behind its error; false: not known, so that nothing behind it can be read. */
static bool partition_rest(struct kafka_reader *r, int key, int version)
{
	if (key == KAFKA_PRODUCE) {
		kafka_skip(r, 8u + (version >= 2 ? 8 : 0) + (version >= 5 ? 8 : 0));
		if (version >= 8 && kafka_array(r))
			return false;
		if (version >= 8)
			kafka_string(r);
	} else if (key == 2) {
		if (!version)
			return false;
		kafka_skip(r, version >= 4 ? 20 : 16);
	}
	kafka_tags(r);
	return !r->over;
}

static int partitions_error(struct kafka_reader *r, int key, int version)
{
	int64_t topics = kafka_array(r);

	while (topics-- > 0 && !r->over) {
		int64_t n;

		if (key == KAFKA_PRODUCE && version >= 13)
			kafka_skip(r, KAFKA_UUID);
		else
			kafka_string(r);
		for (n = kafka_array(r); n > 0 && !r->over; n--) {
			int error;

			kafka_i32(r);
			error = kafka_i16(r);
			if (error || !partition_rest(r, key, version))
				return error;
		}
		kafka_tags(r);
	}
	return 0;
}

/* Of the first topic: what stands behind its error differs from version to version. */
static int topics_error(struct kafka_reader *r, int key, int version)
{
	if (!kafka_array(r))
		return 0;
	kafka_string(r);
	if ((key == 19 && version >= 7) || (key == 20 && version >= 6))
		kafka_skip(r, KAFKA_UUID);
	return kafka_i16(r);
}

static int fetched_partition(struct kafka_reader *r, int version, uint64_t *records)
{
	int error;
	int64_t aborted;

	kafka_i32(r);
	error = kafka_i16(r);
	kafka_skip(r, 8u + (version >= 4 ? 8 : 0) + (version >= 5 ? 8 : 0));
	for (aborted = version >= 4 ? kafka_array(r) : 0; aborted > 0 && !r->over; aborted--) {
		kafka_skip(r, 16);
		kafka_tags(r);
	}
	if (version >= 11)
		kafka_i32(r);
	*records += batches(r, records_size(r));
	kafka_tags(r);
	return error;
}

static struct kafka_result fetched(struct kafka_reader *r, int version)
{
	struct kafka_result x = {0};
	int64_t topics;

	if (version >= 7) {
		x.error = kafka_i16(r);
		kafka_i32(r);
	}
	for (topics = kafka_array(r); topics > 0 && !x.error && !r->over; topics--) {
		int64_t n;

		if (version >= 13)
			kafka_skip(r, KAFKA_UUID);
		else
			kafka_string(r);
		for (n = kafka_array(r); n > 0 && !x.error && !r->over; n--)
			x.error = fetched_partition(r, version, &x.records);
		kafka_tags(r);
	}
	if (r->over)
		x.records = 0;
	return x;
}

struct kafka_result kafka_response_body(struct kafka_reader *r, int key, int version)
{
	const struct kafka_api *api = kafka_api(key);

	if (version >= api->throttled)
		kafka_i32(r);
	if (key == KAFKA_FETCH)
		return fetched(r, version);
	switch (api->error_at) {
	case KAFKA_ERROR_TOP:
		return (struct kafka_result){.error = kafka_i16(r)};
	case KAFKA_ERROR_PARTITIONS:
		return (struct kafka_result){.error = partitions_error(r, key, version)};
	case KAFKA_ERROR_TOPICS:
		return (struct kafka_result){.error = topics_error(r, key, version)};
	}
	return (struct kafka_result){0};
}

/* Partitions: error, index, leader, leader epoch, replicas, in-sync and offline ones. */
static void metadata_partitions(struct kafka_reader *r)
{
	for (int64_t n = kafka_array(r); n > 0 && !r->over; n--) {
		kafka_skip(r, 2 + 4 + 4 + 4);
		for (int k = 0; k < 3; k++)
			kafka_skip(r, 4 * (size_t)kafka_array(r));
		kafka_tags(r);
	}
}

void kafka_metadata(struct kafka_reader *r, int version, void (*fn)(void *arg, const uint8_t *id, struct kafka_bytes name), void *arg)
{
	int64_t n;

	if (version < 10)
		return;
	kafka_i32(r);
	for (n = kafka_array(r); n > 0 && !r->over; n--) {
		kafka_i32(r);
		kafka_string(r);
		kafka_i32(r);
		kafka_string(r);
		kafka_tags(r);
	}
	kafka_string(r);
	kafka_i32(r);
	for (n = kafka_array(r); n > 0 && !r->over; n--) {
		struct kafka_bytes name;
		const uint8_t *id;

		kafka_i16(r);
		name = kafka_string(r);
		id = take(r, KAFKA_UUID);
		if (id && name.n)
			fn(arg, id, name);
		kafka_i8(r);
		metadata_partitions(r);
		kafka_i32(r);
		kafka_tags(r);
	}
}
