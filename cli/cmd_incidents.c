/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/clock.h"
#include "command.h"
#include "diagnose.h"
#include "out.h"
#include "rows.h"
#include "say.h"
#include "table.h"

static const struct table_column columns[] = {
	{"SINCE"}, {"STATE"}, {"SERVICE", false, true}, {"SYMPTOM"}, {"CAUSE", false, true}, {"KIND"}, {"CONF", true},
	{"ID", false, true},
};

static void incidents_text(const struct report *r)
{
	struct table t;
	char at[16];

	table_init(&t, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < r->incidents.n; i++) {
		const struct incident *in = &r->incidents.v[i];
		const struct cause *best = in->causes.n ? &in->causes.v[0] : NULL;

		table_text(&t, time_clock(at, sizeof(at), in->since_ns));
		table_text(&t, in->open ? "open" : "resolved");
		table_text(&t, in->service);
		table_text(&t, symptom_name(in->kind));
		table_text(&t, best ? best->service : "?");
		table_text(&t, best ? best->kind : "?");
		if (best)
			table_printf(&t, "%.2f", best->confidence);
		else
			table_text(&t, "-");
		table_text(&t, in->id);
	}
	if (r->incidents.n)
		table_print(&t);
	table_done(&t);
}

static void incidents_json(const struct report *r, struct json *j)
{
	for (size_t i = 0; i < r->incidents.n && !out_closed(); i++) {
		const struct incident *in = &r->incidents.v[i];
		const struct cause *best = in->causes.n ? &in->causes.v[0] : NULL;

		row_begin(j, "incident");
		json_string(j, "id", in->id);
		json_string(j, "state", in->open ? "open" : "resolved");
		json_string(j, "service", in->service);
		json_string(j, "symptom", symptom_name(in->kind));
		json_time(j, "since", in->since_ns);
		json_time(j, "until", in->until_ns);
		json_number(j, "before", in->before);
		json_number(j, "after", in->after);
		json_string(j, "unit", in->unit);
		json_number(j, "requests_affected", in->requests_affected);
		json_string(j, "cause_service", best ? best->service : NULL);
		json_string(j, "cause_kind", best ? best->kind : NULL);
		if (best)
			json_number(j, "confidence", best->confidence);
		else
			json_null(j, "confidence");
		json_string(j, "summary", best ? best->summary : NULL);
		row_end(j);
	}
}

int cmd_incidents(const struct command *c, struct options *o, int argc, char **argv)
{
	struct diagnosis d;
	struct json j;
	int ret = diagnosis_open(&d, o);

	if (ret)
		return ret;
	size_t n = d.report->incidents.n;
	bool answer = diagnosis_has_data(&d) || n;

	if (o->json) {
		json_init(&j, false);
		incidents_json(d.report, &j);
		json_done(&j);
		rows_summary("incidents/1", d.window, &d.reading.range, n);
	} else {
		incidents_text(d.report);
		if (answer && n == 0)
			say_note("no incidents in this range");
	}
	ret = answer ? EXIT_OK : EXIT_NO_DATA;
	diagnosis_close(&d);
	return out_finish(ret);
}
