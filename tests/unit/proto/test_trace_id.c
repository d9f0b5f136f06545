/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/trace_id.h"
#include "talk.h"

#define W3C "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
/* The lower 64 bits of the trace above, and its span, in decimal. */
#define TRACE_DECIMAL "9532127138774266268"
#define SPAN_DECIMAL "13235353014750950193"

static struct trace_ids of(const char *name, const char *value)
{
	struct trace_ids ids = {0};
	size_t n = strlen(name), m = strlen(value);
	char *a = malloc(n ? n : 1), *b = malloc(m ? m : 1);    /* exact: reading past them shows */

	memcpy(a, name, n);
	memcpy(b, value, m);
	trace_ids_field(&ids, a, n, b, m);
	free(a);
	free(b);
	return ids;
}

static struct trace_ids of_sql(const char *sql)
{
	struct trace_ids ids = {0};
	char *copy = malloc(strlen(sql) + 1);

	memcpy(copy, sql, strlen(sql));
	copy = realloc(copy, strlen(sql) ? strlen(sql) : 1);
	trace_ids_sql(&ids, copy, strlen(sql));
	free(copy);
	return ids;
}

static bool none(struct trace_ids v)
{
	return !(v.trace | v.span | v.parent | v.request);
}

Test(trace_id, one_trace_however_it_is_written)
{
	static const struct { const char *name, *value; bool span; } same[] = {
		{"Traceparent", W3C, true},
		{"elastic-apm-traceparent", W3C, true},
		{"b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1", true},
		{"b3", "8448eb211c80319c-b7ad6b7169203331", true},
		{"X-B3-TraceId", "0AF7651916CD43DD8448EB211C80319C", false},
		{"x-b3-traceid", "8448eb211c80319c", false},
		{"x-datadog-trace-id", TRACE_DECIMAL, false},
		{"uber-trace-id", "af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1", true},
		{"uber-trace-id", "8448eb211c80319c%3Ab7ad6b7169203331%3a0%3A1", true},
		{"X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3f8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1", true},
		{"X-Amzn-Trace-Id", "Self=1-67891234-12456789abcdef012345678;Root=1-5759e988-bd862e3f8448eb211c80319c", false},
		{"X-Cloud-Trace-Context", "0af7651916cd43dd8448eb211c80319c/" SPAN_DECIMAL ";o=1", true},
	};
	struct trace_ids first = of(same[0].name, same[0].value);

	cr_assert(first.trace && first.span && !first.parent && !first.request);
	for (size_t i = 1; i < sizeof(same) / sizeof(*same); i++) {
		struct trace_ids v = of(same[i].name, same[i].value);

		cr_expect_eq(v.trace, first.trace, "%s: %s", same[i].name, same[i].value);
		cr_expect_eq(v.span, same[i].span ? first.span : 0, "%s: %s", same[i].name, same[i].value);
	}
	cr_expect_eq(of("x-b3-spanid", "b7ad6b7169203331").span, first.span);
	cr_expect_eq(of("x-b3-parentspanid", "b7ad6b7169203331").parent, first.span);
	cr_expect_eq(of("x-datadog-parent-id", SPAN_DECIMAL).span, first.span);
	cr_expect_eq(of("b3", "1-2-1-b7ad6b7169203331").parent, first.span);
	cr_expect_eq(of("b3", "1-2-d-b7ad6b7169203331").parent, first.span);
	cr_expect_eq(of("uber-trace-id", "1:2:b7ad6b7169203331:1").parent, first.span);
}

Test(trace_id, skywalking)
{
	struct trace_ids a = of("sw8", "1-VFJBQ0VJRA==-U0VHTUVOVA==-3-U0VSVklDRQ==-SU5T-L2FwaQ==-ZXhhbXBsZQ==");
	struct trace_ids b = of("sw8", "1-VFJBQ0VJRA==-T1RIRVI=-0-U0VSVklDRQ==-SU5T-L2FwaQ==-ZXhhbXBsZQ==");

	cr_expect(a.trace && a.span && a.trace == b.trace && a.span != b.span);
}

Test(trace_id, requests)
{
	static const char *const names[] = {"X-Request-ID", "x_request_id", "Request-Id", "X-Correlation-ID", "correlation-id",
		"X-Trace-Id", "trace_id", "X-Transaction-ID"};
	uint64_t first = of(names[0], "  7b1f-33 \r\n").request;

	cr_assert(first);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		cr_expect_eq(of(names[i], "7b1f-33").request, first, "%s", names[i]);
	cr_expect_neq(of(names[0], "7b1f-34").request, first);
}

Test(trace_id, what_says_nothing)
{
	static const struct { const char *name, *value; } nothing[] = {
		{"", W3C}, {"traceparents", W3C}, {"raceparent", W3C}, {"Host", W3C}, {"x", "1"}, {"traceparent", ""},
		{"traceparent", "00"}, {"traceparent", "00-"}, {"traceparent", "00-00000000000000000000000000000000-0000000000000000-00"},
		{"b3", "0"}, {"b3", "1"}, {"b3", "d"}, {"b3", ""}, {"x-b3-traceid", "xyz"}, {"x-request-id", " "},
		{"uber-trace-id", ""}, {"x-amzn-trace-id", "Root"}, {"x-amzn-trace-id", "Root=1-2"}, {"sw8", "1"}, {"sw8", "1-abc"},
		{"x-datadog-trace-id", "0"}, {"x-cloud-trace-context", "/"},
	};

	for (size_t i = 0; i < sizeof(nothing) / sizeof(*nothing); i++)
		cr_expect(none(of(nothing[i].name, nothing[i].value)), "%s: %s", nothing[i].name, nothing[i].value);
}

/* Which of several ids counts must not depend on their order: proxies change it. */
Test(trace_id, the_order_of_fields_does_not_matter)
{
	static const char *const lines[] = {"traceparent: " W3C, "x-b3-traceid: 5", "X-B3-SpanId : 6", "x-datadog-trace-id: 7",
		"X-Correlation-Id: c", "X-Request-ID: r"};
	enum { LINES = sizeof(lines) / sizeof(*lines) };
	struct trace_ids there = {0}, back = {0}, merged = {0};

	for (int i = 0; i < LINES; i++) {
		trace_ids_line(&there, lines[i], strlen(lines[i]));
		trace_ids_line(&back, lines[LINES - 1 - i], strlen(lines[LINES - 1 - i]));
	}
	cr_expect_eq(there.trace, back.trace);
	cr_expect_eq(there.span, back.span);
	cr_expect_eq(there.request, back.request);
	cr_expect_eq(there.trace, of("traceparent", W3C).trace);
	cr_expect_eq(there.request, of("x-request-id", "r").request);
	trace_ids_line(&merged, lines[4], strlen(lines[4]));
	trace_ids_merge(&merged, &there);
	cr_expect_eq(merged.request, there.request);
	cr_expect_eq(merged.trace, there.trace);
	trace_ids_merge(&merged, &(struct trace_ids){0});
	cr_expect_eq(merged.trace, there.trace);
}

Test(trace_id, both_fields_of_b3)
{
	static const char *const lines[] = {"X-B3-TraceId: 463ac35c9f6413ad48485a3953bb6124", "X-B3-ParentSpanId: 0020000000000001",
		"X-B3-SpanId: a2fb4a1d1a96d312"};
	struct trace_ids ids = {0}, one = of("b3", "463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312-1-0020000000000001");

	for (size_t i = 0; i < 3; i++)
		trace_ids_line(&ids, lines[i], strlen(lines[i]));
	cr_expect_eq(ids.trace, one.trace);
	cr_expect_eq(ids.span, one.span);
	cr_expect_eq(ids.parent, one.parent);
}

Test(trace_id, comments_of_statements)
{
	uint64_t trace = of("traceparent", W3C).trace, request = of("x-request-id", "r-1").request;

	cr_expect_eq(of_sql("SELECT 1 /*action='run%20it',traceparent='" W3C "',framework='x'*/").trace, trace);
	cr_expect_eq(of_sql("/*traceparent='" W3C "'*/SELECT 1").trace, trace);
	cr_expect_eq(of_sql("SELECT 1 /* hint */ FROM t /*dddbs='a',traceparent='" W3C "'").trace, trace);
	cr_expect_eq(of_sql("SELECT 1 /*application:Shop,request_id:r-1,line:/app/x.rb*/").request, request);
	cr_expect_eq(of_sql("/* request_id: r-1 */ SELECT 1").request, request);
	cr_expect_eq(of_sql("/* {\"request_id\": \"r-1\"} */ SELECT 1").request, request);
	cr_expect(none(of_sql("SELECT 1 -- traceparent='" W3C "'")));
	cr_expect(none(of_sql("SELECT 'traceparent=" W3C "'")));
	cr_expect(none(of_sql("SELECT 1 /*")));
	cr_expect(none(of_sql("/**/ SELECT 1 /")));
	cr_expect(none(of_sql("/*=*/ SELECT /*:::*/ 1 /*traceparent*/ /*traceparent=")));
	cr_expect(none(of_sql("")));
}

Test(trace_id, every_beginning_of_a_value)
{
	static const struct { const char *name, *value; } whole[] = {
		{"traceparent", W3C}, {"b3", "80f198ee56343ba8-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90"}, {"uber-trace-id", "1%3A2%3a3:4"},
		{"x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8"}, {"sw8", "1-YQ==-Yg==-3-x"},
		{"x-cloud-trace-context", "105445aa7843bc8bf206b12000100000/1;o=1"}, {"x-datadog-trace-id", "123"},
	};
	char cut[128];

	for (size_t i = 0; i < sizeof(whole) / sizeof(*whole); i++)
		for (size_t n = 0; n <= strlen(whole[i].value); n++) {
			snprintf(cut, sizeof(cut), "%.*s", (int)n, whole[i].value);
			of(whole[i].name, cut);
		}
	for (size_t n = 0; n < sizeof(W3C) + 20; n++) {
		snprintf(cut, sizeof(cut), "%.*s", (int)n, "/*traceparent='" W3C "'*/ X");
		of_sql(cut);
	}
}

/* What a conversation's newest request carries. */
static struct trace_ids said(uint16_t port, const struct turn *v, size_t turns, bool no_ids)
{
	static struct talk t;

	talk_init(&t, port, false);
	t.pool.no_ids = no_ids;
	talk_play(&t, v, turns, 0, turns, 0);
	talk_end(&t);
	return t.ids;
}

#define SAID(port, v) said(port, v, sizeof(v) / sizeof(*(v)), false)

Test(trace_id, http)
{
	static const struct turn asked[] = {
		T(C, "GET / HTTP/1.1\r\nHost: a\r\ntraceparent: " W3C "\r\nX-Request-Id: r-1\r\n\r\n"),
		T(S, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
	};
	static const struct turn answered[] = {
		T(C, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		T(S, "HTTP/1.1 200 OK\r\nX-Request-ID: r-1\r\nContent-Length: 0\r\n\r\n"),
	};

	cr_expect_eq(SAID(80, asked).trace, of("traceparent", W3C).trace);
	cr_expect_eq(SAID(80, asked).request, of("x-request-id", "r-1").request);
	cr_expect_eq(SAID(80, answered).request, of("x-request-id", "r-1").request);
	cr_expect(none(said(80, asked, 2, true)));
}
