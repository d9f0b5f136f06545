/* SPDX-License-Identifier: BSD-2-Clause */
#include "sort.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/span_tree.h"
#include "model/summary.h"
#include "rows.h"

/* ---- the keys ---- */

#define VALUE(name, type, field)                                        \
	static double name(const void *row)                             \
	{                                                               \
		return (double)((const struct type *)row)->field;       \
	}

/* Those that all rows of requests have. */
#define LATENCY_VALUES(of, type, l)                                     \
	VALUE(of##_count, type, l.count)                                \
	VALUE(of##_rate, type, l.rate_per_s)                            \
	VALUE(of##_errors, type, l.errors)                              \
	VALUE(of##_error_ratio, type, l.error_ratio)                    \
	VALUE(of##_avg, type, l.avg_ms)                                 \
	VALUE(of##_p50, type, l.p50_ms)                                 \
	VALUE(of##_p95, type, l.p95_ms)                                 \
	VALUE(of##_p99, type, l.p99_ms)
#define LATENCY_KEYS(of)                                                \
	{"rate", of##_rate}, {"count", of##_count}, {"errors", of##_errors}, {"error-ratio", of##_error_ratio}, \
	{"latency", of##_p95}, {"avg", of##_avg}, {"p50", of##_p50}, {"p95", of##_p95}, {"p99", of##_p99}

LATENCY_VALUES(op, sum_op, l)
LATENCY_VALUES(edge, sum_edge, l)
LATENCY_VALUES(service, sum_service, in)
VALUE(edge_rtt, sum_edge, srtt_us)
VALUE(edge_retrans, sum_edge, retrans)
VALUE(edge_refused, sum_edge, refused)
VALUE(edge_open, sum_edge, open)
VALUE(service_cpu, sum_service, cpu_cores)
VALUE(service_memory, sum_service, mem_bytes)
VALUE(service_connections, sum_service, connections)
VALUE(service_restarts, sum_service, restarts)
VALUE(trace_latency, sum_trace, dur_ns)
VALUE(trace_errors, sum_trace, errors)
VALUE(trace_spans, sum_trace, n)
VALUE(trace_services, sum_trace, services)

static double trace_time(const void *row)
{
	return -(double)((const struct sum_trace *)row)->t_ns;     /* as they came */
}

static const char *from_of(const struct window *w, uint32_t edge)
{
	return service_text(w, w->edges.v[edge].from);
}

static const char *to_of(const struct window *w, uint32_t edge)
{
	return service_text(w, w->edges.v[edge].to);
}

static const char *op_from(const struct window *w, const void *row)
{
	return from_of(w, ((const struct sum_op *)row)->edge);
}

static const char *op_to(const struct window *w, const void *row)
{
	return to_of(w, ((const struct sum_op *)row)->edge);
}

static const char *op_name(const struct window *w, const void *row)
{
	uint32_t op = ((const struct sum_op *)row)->op;

	return op == WIN_NONE ? "" : w->ops.v[op];
}

static const char *edge_from(const struct window *w, const void *row)
{
	return from_of(w, ((const struct sum_edge *)row)->edge);
}

static const char *edge_to(const struct window *w, const void *row)
{
	return to_of(w, ((const struct sum_edge *)row)->edge);
}

static const char *service_of(const struct window *w, const void *row)
{
	return service_text(w, ((const struct sum_service *)row)->service);
}

const struct sort_key sort_requests[] = {
	LATENCY_KEYS(op), {"from", NULL, op_from}, {"to", NULL, op_to}, {"op", NULL, op_name}, {0},
};

const struct sort_key sort_edges[] = {
	LATENCY_KEYS(edge), {"rtt", edge_rtt}, {"retrans", edge_retrans}, {"refused", edge_refused}, {"open", edge_open},
	{"from", NULL, edge_from}, {"to", NULL, edge_to}, {0},
};

const struct sort_key sort_services[] = {
	LATENCY_KEYS(service), {"cpu", service_cpu}, {"memory", service_memory}, {"connections", service_connections},
	{"restarts", service_restarts}, {"service", NULL, service_of}, {0},
};

const struct sort_key sort_traces[] = {
	{"latency", trace_latency}, {"time", trace_time}, {"errors", trace_errors}, {"spans", trace_spans},
	{"services", trace_services}, {0},
};

const struct sort_key *sort_find(const struct sort_key *table, const char *name)
{
	while (table->name && strcmp(table->name, name) != 0)
		table++;
	return table->name ? table : NULL;
}

/* ---- the sorting ---- */

struct item { double value; const char *text; size_t at; };

static int by_key(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	int order = a->text && b->text ? strcmp(a->text, b->text) : 0;

	if (!order && isnan(a->value) != isnan(b->value))
		order = isnan(a->value) ? 1 : -1;
	if (!order && a->value != b->value && !isnan(a->value))
		order = a->value > b->value ? -1 : 1;
	return order ? order : a->at < b->at ? -1 : 1;
}

int sort_rows(const struct sort_key *key, const struct window *w, void *rows, size_t n, size_t size)
{
	struct item *items = key && n ? malloc(n * sizeof(*items)) : NULL;
	char *copy = key && n ? malloc(n * size) : NULL, *to = rows;
	int rc = key && n && (!items || !copy) ? -ENOMEM : 0;

	for (size_t i = 0; copy && items && i < n; i++) {
		const void *row = to + i * size;

		items[i] = (struct item){.value = key->value ? key->value(row) : 0, .text = key->text ? key->text(w, row) : NULL, .at = i};
	}
	if (copy && items) {
		memcpy(copy, rows, n * size);
		qsort(items, n, sizeof(*items), by_key);
		for (size_t i = 0; i < n; i++)
			memcpy(to + i * size, copy + items[i].at * size, size);
	}
	free(items);
	free(copy);
	return rc;
}
