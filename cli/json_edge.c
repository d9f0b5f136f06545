/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "json_edge.h"
#include "time_view.h"

#include "base/clock.h"

static void json_side(struct json *j, const char *who, const struct sum_side *s)
{
	const struct { const char *key; double v; } rows[] = {
		{"send_queue_bytes", s->send_queue_bytes}, {"recv_queue_bytes", s->recv_queue_bytes},
		{"zero_windows", s->zero_windows}, {"zero_window_us", s->zero_window_us},
	};
	char key[48];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(key, sizeof(key), "%s_%s", who, rows[i].key);
		json_number(j, key, rows[i].v);
	}
}

static void json_text(struct json *j, const char *key, const char *text)
{
	json_string(j, key, text && text[0] ? text : NULL);
}

static void json_handshakes(struct json *j, const struct sum_tls *t)
{
	char end[32];

	json_object(j, NULL);
	json_text(j, "version", t->version);
	json_text(j, "sni", t->sni);
	json_string(j, "result", t->result);
	json_text(j, "sender", t->sender);
	json_number(j, "count", t->count);
	json_text(j, "alpn", t->alpn);
	json_text(j, "subject", t->subject);
	/* beyond the year 2262 the clock of nanoseconds ends, and the trust in a certificate should have */
	json_string(j, "not_after", t->not_after_s && t->not_after_s < INT64_MAX / 1000000000
					    ? time_rfc3339(end, sizeof(end), t->not_after_s * 1000000000) : NULL);
	json_string(j, "not_after_source", t->source);
	json_object_end(j);
}

/* null where no handshake of the edge was seen. */
static void json_tls(struct json *j, const struct summary *s, uint32_t edge)
{
	double all = 0, failed = 0;
	size_t first = 0, end;

	while (first < s->tls.n && s->tls.v[first].edge != edge)
		first++;
	for (end = first; end < s->tls.n && s->tls.v[end].edge == edge; end++) {
		all += s->tls.v[end].count;
		failed += sum_tls_failed(&s->tls.v[end]) ? s->tls.v[end].count : 0;
	}
	if (first == end) {
		json_null(j, "tls");
		return;
	}
	json_object(j, "tls");
	json_number(j, "handshakes", all);
	json_number(j, "failed", failed);
	json_array(j, "results");
	for (size_t i = first; i < end; i++)
		json_handshakes(j, &s->tls.v[i]);
	json_array_end(j);
	json_object_end(j);
}

void json_edge(struct json *j, const struct summary *s, const struct options *o, const struct sum_edge *e)
{
	const struct window *w = s->window;
	const struct win_edge *we = &w->edges.v[e->edge];

	row_begin(j, "edge");
	json_tick(j, s, o);
	json_string(j, "from", service_name(w, we->from));
	json_string(j, "to", service_name(w, we->to));
	if (we->port)
		json_uint(j, "port", we->port);
	else
		json_null(j, "port");
	json_string(j, "protocol", we->protocol);
	json_latency(j, &e->l);
	json_number(j, "opened", e->opened);
	json_number(j, "closed", e->closed);
	json_number(j, "open", e->open);
	json_number(j, "refused", e->refused);
	json_number(j, "timeouts", e->timeouts);
	json_number(j, "resets", e->resets);
	json_number(j, "retrans_segments", e->retrans);
	json_number(j, "inflight", e->inflight);
	json_number(j, "oldest_ms", e->oldest_ms);
	json_number(j, "srtt_us", e->srtt_us);
	json_number(j, "out_bytes_per_s", e->bytes_out_per_s);
	json_number(j, "in_bytes_per_s", e->bytes_in_per_s);
	json_number(j, "connect_p50_us", e->connect_p50_us);
	json_number(j, "connect_max_us", e->connect_max_us);
	json_number(j, "connecting", e->connecting);
	json_number(j, "min_rtt_us", e->min_rtt_us);
	json_number(j, "callee_resets", e->resets_callee);
	json_number(j, "callee_retrans_segments", e->retrans_callee);
	json_side(j, "caller", &e->caller);
	json_side(j, "callee", &e->callee);
	json_tls(j, s, e->edge);
	if (o->time) {
		struct sum_call calls[SUM_CALLS_MAX];

		json_time_parts(j, w, &e->l.timing, calls, summary_calls_of_edge(s, e->edge, calls));
	}
	row_end(j);
}
