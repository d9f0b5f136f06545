/* SPDX-License-Identifier: BSD-2-Clause */
/* Which rows the filter options leave, and in which order. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/exit.h"
#include "cli/filter.h"
#include "cli/sort.h"

#define S 1000000000ll

static void add(struct window *w, const char *from, const char *to, const char *protocol, const char *op, double count, double errors,
		double ms)
{
	uint32_t caller = window_service(w, from), callee = window_service(w, to), edge = window_edge(w, caller, callee, protocol, 80);

	*vec_push(&w->requests) = (struct win_requests){
		.t_ns = 0, .dur_ns = S, .edge = edge, .op = window_op(w, op), .count = count, .errors = errors,
		.avg_ms = ms, .p50_ms = ms, .p90_ms = ms, .p95_ms = ms, .p99_ms = ms, .bytes_request = NAN, .bytes_response = NAN, .rows = NAN,
	};
}

static void end(struct window *w, const char *to, int status, const char *error, const char *detail)
{
	for (uint32_t i = 0; i < w->requests.n; i++)
		if (strcmp(w->services.v[w->edges.v[w->requests.v[i].edge].to].name, to) == 0)
			*vec_push(&w->outcomes) = (struct win_outcome){.t_ns = 0, .dur_ns = S, .edge = w->requests.v[i].edge,
				.op = w->requests.v[i].op, .status = status, .error = error, .detail = detail, .count = 1};
}

/* client → web → db, web → cache, and a connection of which nothing is understood */
static struct window *shop(void)
{
	struct window *w = window_new();

	add(w, "client", "web", "http", "GET /items/{id}", 100, 1, 50);
	add(w, "client", "web", "http", "GET /cart", 40, 0, 5);
	add(w, "web", "db", "postgres", "SELECT * FROM items", 100, 2, 40);
	add(w, "web", "cache", "redis", "GET", 10, 0, 0.5);
	end(w, "web", 404, "client_error", "");
	end(w, "db", 0, "client_error", "42P01");
	*vec_push(&w->tcp) = (struct win_tcp){.t_ns = 0, .dur_ns = S, .opened = 1, .srtt_us = NAN,
					      .edge = window_edge(w, window_service(w, "web"), window_service(w, "far"), "tcp", 9)};
	return w;
}

/* The rows left, separated by blanks: callees of edges, operations' counts, services. */
static const char *rows(const struct options *o, enum filter_rows kind)
{
	static char text[256];
	struct window *w = shop();
	struct summary *s;
	struct filter f;

	text[0] = '\0';
	cr_assert_eq(filter_init(&f, o, w, kind), 0);
	s = summary_of(w, 0, S, filter_only(&f));
	cr_assert_geq(filter_summary(&f, s), 0);
	for (size_t i = 0; kind == FILTER_OPS && i < s->ops.n; i++)
		sprintf(text + strlen(text), " %s", w->ops.v[s->ops.v[i].op]);
	for (size_t i = 0; (kind == FILTER_EDGES || kind == FILTER_MAP) && i < s->edges.n; i++)
		sprintf(text + strlen(text), " %s:%.0f", w->services.v[w->edges.v[s->edges.v[i].edge].to].name, s->edges.v[i].l.count);
	if (kind == FILTER_MAP)
		strcat(text, " |");
	for (size_t i = 0; (kind == FILTER_SERVICES || kind == FILTER_MAP) && i < s->services.n; i++)
		sprintf(text + strlen(text), " %s", w->services.v[s->services.v[i].service].name);
	summary_free(s);
	filter_done(&f);
	window_free(w);
	return text + (*text == ' ');
}

Test(filter, without_options_all_stays)
{
	const struct options o = {0};

	cr_assert_str_eq(rows(&o, FILTER_OPS), "GET /items/{id} SELECT * FROM items GET /cart GET");
	cr_assert_str_eq(rows(&o, FILTER_EDGES), "web:140 db:100 cache:10 far:0");
	cr_assert_str_eq(rows(&o, FILTER_SERVICES), "client web db cache far");
	cr_assert_str_eq(rows(&o, FILTER_MAP), "web:140 db:100 cache:10 far:0 | client web db cache far");
}

Test(filter, an_operation_chooses_requests)
{
	const struct options o = {.op = "items"};

	cr_assert_str_eq(rows(&o, FILTER_OPS), "GET /items/{id} SELECT * FROM items");
	cr_assert_str_eq(rows(&o, FILTER_EDGES), "web:100 db:100", "the numbers are of these alone");
	cr_assert_str_eq(rows(&o, FILTER_SERVICES), "client web db");
	cr_assert_str_eq(rows(&o, FILTER_MAP), "web:100 db:100 | client web db");
}

Test(filter, a_protocol_chooses_edges)
{
	const struct options o = {.protocol = "REDIS,tcp"};

	cr_assert_str_eq(rows(&o, FILTER_OPS), "GET");
	cr_assert_str_eq(rows(&o, FILTER_EDGES), "cache:10 far:0");
	cr_assert_str_eq(rows(&o, FILTER_SERVICES), "web cache far");
}

Test(filter, a_service)
{
	const struct options o = {.service = "db"};

	cr_assert_str_eq(rows(&o, FILTER_EDGES), "db:100");
	cr_assert_str_eq(rows(&o, FILTER_SERVICES), "db");
	cr_assert_str_eq(rows(&o, FILTER_MAP), "web:140 db:100 cache:10 far:0 | client web db cache far", "the drawing sees to it");
}

Test(filter, status_chooses_rows)
{
	cr_assert_str_eq(rows(&(struct options){.status = "404"}, FILTER_OPS), "GET /items/{id} GET /cart");
	cr_assert_str_eq(rows(&(struct options){.status = "4xx"}, FILTER_EDGES), "web:140");
	cr_assert_str_eq(rows(&(struct options){.status = "42p01"}, FILTER_EDGES), "db:100");
	cr_assert_str_eq(rows(&(struct options){.status = "error"}, FILTER_EDGES), "web:140 db:100");
	cr_assert_str_eq(rows(&(struct options){.status = "error"}, FILTER_OPS), "GET /items/{id} SELECT * FROM items", "a miss is none");
	cr_assert_str_eq(rows(&(struct options){.status = "client_error"}, FILTER_SERVICES), "web db");
	cr_assert_str_eq(rows(&(struct options){.status = "503,42P01"}, FILTER_MAP), "db:100 | web db");
	cr_assert_str_eq(rows(&(struct options){.status = "ok"}, FILTER_EDGES), "web:140 db:100 cache:10");
	cr_assert_str_eq(rows(&(struct options){.status = "5xx"}, FILTER_EDGES), "");
}

Test(filter, latency_chooses_rows)
{
	cr_assert_str_eq(rows(&(struct options){.min_latency_ns = 40000000}, FILTER_OPS), "GET /items/{id} SELECT * FROM items");
	cr_assert_str_eq(rows(&(struct options){.max_latency_ns = 1000000}, FILTER_EDGES), "cache:10", "not known is not short");
	cr_assert_str_eq(rows(&(struct options){.min_latency_ns = 1000000, .max_latency_ns = 6000000}, FILTER_OPS), "GET /cart");
}

Test(filter, sorted_and_cut)
{
	struct options o = {.sort_key = sort_find(sort_edges, "latency"), .limit = 2};

	cr_assert_str_eq(rows(&o, FILTER_EDGES), "db:100 web:140");
	o = (struct options){.sort_key = sort_find(sort_services, "service")};
	cr_assert_str_eq(rows(&o, FILTER_SERVICES), "cache client db far web");
	o = (struct options){.sort_key = sort_find(sort_requests, "op"), .limit = 3};
	cr_assert_str_eq(rows(&o, FILTER_OPS), "GET GET /cart GET /items/{id}");
	cr_assert_null(sort_find(sort_traces, "p95"));
}

Test(filter, an_unknown_protocol_is_a_mistake)
{
	struct window *w = shop();
	struct filter f;

	cr_assert_eq(filter_init(&f, &(struct options){.protocol = "http,htpt"}, w, FILTER_EDGES), EXIT_USAGE);
	window_edge(w, window_service(w, "web"), window_service(w, "db"), "htpt", 1);
	cr_assert_eq(filter_init(&f, &(struct options){.protocol = "http,htpt"}, w, FILTER_EDGES), 0, "unless the recording has it");
	filter_done(&f);
	window_free(w);
}

Test(filter, text)
{
	static const struct { const char *pattern, *text; bool match; } cases[] = {
		{"items", "GET /ITEMS/{id}", true}, {"items", "GET /item", false}, {"x", "", false}, {"*", "", true}, {"*", "any", true},
		{"get*", "GET /a", true}, {"get*", "a GET", false}, {"*/a", "GET /a", true}, {"*/a", "GET /a/b", false},
		{"*a*b*", "xxaxxbxx", true}, {"*a*b*", "xxbxxaxx", false}, {"a*a", "a", false}, {"a*a", "aa", true},
		{"SELECT * FROM x", "SELECT * FROM x", true}, {"SELECT * FROM x", "SELECT a FROM y", false}, {"**", "", true},
		{"= ?", "WHERE a = ?", true}, {"*aab", "aaab", true}, {"a*ab", "aab", true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_assert_eq(filter_text(cases[i].pattern, cases[i].text), cases[i].match, "'%s' in '%s'", cases[i].pattern, cases[i].text);
}

Test(filter, statuses)
{
	static const struct { const char *wanted; int status; const char *detail, *error; bool failed, match; } cases[] = {
		{NULL, 0, NULL, NULL, false, true}, {"404", 404, "", "client_error", false, true}, {"40x", 404, "", "ok", false, true},
		{"xxx", 404, "", "ok", false, false}, {"4xx", 40, "", "ok", false, false}, {"4xx", 4040, "", "ok", false, false},
		{"ok", 200, NULL, "ok", false, true}, {"ok", 503, NULL, "server_error", true, false}, {"error", 0, NULL, NULL, true, true},
		{"200,error", 500, NULL, "server_error", true, true}, {"aborted", 0, NULL, "aborted", true, true}, {",404", 404, "", "client_error", false, true}, {"0", 0, "", "ok", false, false},
		{",,", 200, NULL, "ok", false, false}, {"-1", -1, "", "ok", false, true},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_assert_eq(filter_status(&(struct options){.status = cases[i].wanted}, cases[i].status, cases[i].detail, cases[i].error,
					   cases[i].failed), cases[i].match, "case %zu", i);
}
