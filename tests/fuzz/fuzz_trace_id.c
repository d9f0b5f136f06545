/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a field, as a line, as a statement and as an AMQP message's properties: what is said twice is the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/amqp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"traceparent", "b3", "uber-trace-id", "x-amzn-trace-id", "x-cloud-trace-context", "sw8",
		"x-b3-parentspanid", "x-datadog-trace-id", "x-request-id"};
	struct trace_ids ids = {0}, again = {0}, any = {0};
	const char *text = (const char *)data;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		trace_ids_field(&ids, names[i], strlen(names[i]), text, size);
		trace_ids_field(&again, names[i], strlen(names[i]), text, size);
		trace_ids_field(&again, names[i], strlen(names[i]), text, size);
	}
	if (memcmp(&ids, &again, sizeof(ids)))
		abort();
	trace_ids_merge(&again, &ids);
	if (memcmp(&ids, &again, sizeof(ids)))
		abort();
	trace_ids_line(&any, text, size);
	trace_ids_sql(&any, text, size);
	amqp_headers_read(&any, data, size);
	return 0;
}
