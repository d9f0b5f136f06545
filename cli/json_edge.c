/* SPDX-License-Identifier: BSD-2-Clause */
#include "json_edge.h"

void json_edge(struct json *j, const struct window *w, const struct sum_edge *e)
{
	const struct win_edge *we = &w->edges.v[e->edge];

	row_begin(j, "edge");
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
	row_end(j);
}
