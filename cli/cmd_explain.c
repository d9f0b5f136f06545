/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"
#include "diagnose.h"
#include "out.h"

static int verdict(const struct report *r)
{
	if (!r->incidents.n)
		return EXIT_OK;
	for (size_t i = 0; i < r->incidents.n; i++)
		if (r->incidents.v[i].causes.n)
			return EXIT_CAUSE_FOUND;
	return EXIT_UNDETERMINED;
}

int cmd_explain(const struct command *c, struct options *o, int argc, char **argv)
{
	struct diagnosis d;
	struct json j;
	int ret = diagnosis_open(&d, o);

	if (ret)
		return ret;
	bool answer = diagnosis_has_data(&d) || d.report->incidents.n;

	if (o->json) {
		json_init(&j, out_terminal());
		report_json(&j, &d);
		out_json(&j);
		json_done(&j);
	} else if (answer) {
		report_text(&d);
	}
	if (!answer)
		ret = EXIT_NO_DATA;
	else if (o->exit_code)
		ret = verdict(d.report);
	diagnosis_close(&d);
	return out_finish(ret);
}
