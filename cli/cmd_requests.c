/* SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>

#include "base/clock.h"
#include "command.h"
#include "out.h"
#include "rows.h"
#include "say.h"
#include "table.h"

#define FOLLOW_WAIT_MS 500      /* then the pipe and the signals are looked at */
#define REQUESTS_LOAD (LOAD_REQUESTS | LOAD_HISTS)

static const struct table_column columns[] = {
	{"FROM", false, true}, {"TO", false, true}, {"OPERATION", false, true}, {"COUNT", true}, {"ERR", true}, {"p50", true},
	{"p95", true}, {"p99", true},
};

static const char *op_text(const struct window *w, uint32_t op)
{
	return op < w->ops.n ? w->ops.v[op] : NULL;
}

static bool wanted(const struct options *o, const struct window *w, const struct sum_op *p)
{
	return service_wanted(o, w, w->edges.v[p->edge].from, w->edges.v[p->edge].to);
}

static size_t text(const struct summary *s, const struct options *o)
{
	const struct window *w = s->window;
	struct table t;
	size_t n = 0;

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < s->ops.n; i++) {
		const struct sum_op *p = &s->ops.v[i];

		if (!wanted(o, w, p))
			continue;
		table_text(&t, service_text(w, w->edges.v[p->edge].from));
		table_text(&t, service_text(w, w->edges.v[p->edge].to));
		table_text(&t, op_text(w, p->op) ? op_text(w, p->op) : w->edges.v[p->edge].protocol);
		table_printf(&t, "%.0f", p->l.count);
		table_percent(&t, p->l.error_ratio);
		table_ms(&t, p->l.p50_ms);
		table_ms(&t, p->l.p95_ms);
		table_ms(&t, p->l.p99_ms);
		n++;
	}
	if (n)
		table_print(&t);
	table_done(&t);
	return n;
}

static void json_row(struct json *j, const struct summary *s, const struct sum_op *p, bool tick)
{
	const struct window *w = s->window;
	const struct win_edge *e = &w->edges.v[p->edge];

	row_begin(j, "requests");
	if (tick) {
		json_time(j, "t", s->since_ns);
		json_number(j, "dur_s", (double)(s->until_ns - s->since_ns) / 1e9);
	} else {
		json_time(j, "since", s->since_ns);
		json_time(j, "until", s->until_ns);
	}
	json_string(j, "from", service_name(w, e->from));
	json_string(j, "to", service_name(w, e->to));
	json_string(j, "protocol", e->protocol);
	if (e->port)
		json_uint(j, "port", e->port);
	else
		json_null(j, "port");
	json_string(j, "op", op_text(w, p->op));
	json_latency(j, &p->l);
	json_number(j, "rows", p->l.rows);
	row_end(j);
}

static size_t json_rows(const struct summary *s, const struct options *o, struct json *j, bool tick)
{
	size_t n = 0;

	for (size_t i = 0; i < s->ops.n && !out_closed(); i++)
		if (wanted(o, s->window, &s->ops.v[i])) {
			json_row(j, s, &s->ops.v[i], tick);
			n++;
		}
	return n;
}

static size_t json(const struct summary *s, const struct options *o, struct json *j)
{
	return json_rows(s, o, j, false);
}

static void text_tick(const struct summary *s, const struct options *o)
{
	const struct window *w = s->window;
	char at[16];

	time_clock(at, sizeof(at), s->since_ns);
	for (size_t i = 0; i < s->ops.n && !out_closed(); i++) {
		const struct sum_op *p = &s->ops.v[i];
		const struct win_edge *e = &w->edges.v[p->edge];
		struct table t;
		static const struct table_column follow[] = {
			{"", false}, {"", false, true}, {"", false, true}, {"", true}, {"", true}, {"", true},
		};

		if (!wanted(o, w, p))
			continue;
		table_init(&t, follow, sizeof(follow) / sizeof(follow[0]));
		table_text(&t, at);
		table_printf(&t, "%s -> %s", service_text(w, e->from), service_text(w, e->to));
		table_text(&t, op_text(w, p->op) ? op_text(w, p->op) : e->protocol);
		table_printf(&t, "%.0f", p->l.count);
		table_percent(&t, p->l.error_ratio);
		table_ms(&t, p->l.p95_ms);
		table_print_rows(&t);
		table_done(&t);
	}
}

static volatile sig_atomic_t interrupted;

static void on_signal(int signo)
{
	interrupted = signo;
}

static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal};     /* no SA_RESTART: waiting ends */

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

/* The rows of the ticks in [since, until), each tick by itself. */
static size_t print_tick(struct reading *r, const struct options *o, int64_t since, int64_t until)
{
	struct window *w = reading_load(r, since, until, REQUESTS_LOAD);
	struct summary *s = w ? summary_new(w, since, until) : NULL;
	size_t n = 0;
	struct json j;

	if (s && o->json) {
		json_init(&j, false);
		n = json_rows(s, o, &j, true);
		json_done(&j);
	} else if (s) {
		text_tick(s, o);
		n = s->ops.n;
	}
	summary_free(s);
	window_free(w);
	return n;
}

static bool over(const struct options *o, const struct reading *r, int64_t last_ns)
{
	return interrupted || out_probe() || (o->until_ns != TIME_UNSET && last_ns >= o->until_ns) ||
	       (!r->live && last_ns >= r->last_ns);
}

static int follow(const struct options *o)
{
	struct reading r;
	struct store_error err;
	size_t n = 0;
	int ret = reading_open(&r, o);

	if (ret)
		return ret;
	if (r.stores.n != 1) {
		reading_close(&r);
		return say_error(EXIT_USAGE, "requests: --follow follows one recording, but there are %zu", o->db.n);
	}
	catch_signals();
	int64_t last = r.range.explicit_ ? r.range.since_ns : r.last_ns;
	struct range seen = {.since_ns = last};

	while (!over(o, &r, last)) {
		int64_t newest = last;
		int got = store_wait(r.stores.v[0], &newest, FOLLOW_WAIT_MS, &err);

		if (got < 0 && !interrupted) {
			ret = store_failed(&err);
			break;
		}
		for (; got > 0 && last < newest && !out_closed(); last += NS_PER_S)
			n += print_tick(&r, o, last, last + NS_PER_S < newest ? last + NS_PER_S : newest);
		last = last > newest ? newest : last;
	}
	seen.until_ns = last;
	struct window *w = reading_load(&r, seen.since_ns, seen.until_ns, 0);

	if (w && o->json)
		rows_summary("requests/1", w, &seen, n);
	window_free(w);
	reading_close(&r);
	return out_finish(ret);
}

int cmd_requests(const struct command *c, struct options *o, int argc, char **argv)
{
	static const struct rows rows = {"requests/1", "no requests", REQUESTS_LOAD, false, text, json};

	return o->follow ? follow(o) : rows_command(&rows, o);
}
