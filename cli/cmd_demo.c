/* SPDX-License-Identifier: BSD-2-Clause */
#include "command.h"
#include "demo/demo.h"
#include "out.h"
#include "say.h"

static void list_json(const struct scenario *s)
{
	struct json j;

	json_init(&j, false);
	for (; s->name; s++) {
		json_object(&j, NULL);
		json_string(&j, "type", "scenario");
		json_string(&j, "scenario", s->name);
		json_string(&j, "what", s->what);
		json_string(&j, "service", s->service);
		json_string(&j, "kind", s->kind);
		json_object_end(&j);
		out_json(&j);
	}
	json_done(&j);
}

static int list(bool json)
{
	if (json)
		list_json(scenario_table);
	for (const struct scenario *s = scenario_table; !json && s->name; s++)
		out_line("%-16s %s", s->name, s->what);
	return out_finish(EXIT_OK);
}

int cmd_demo(const struct command *c, struct options *o, int argc, char **argv)
{
	struct demo_options demo = {.scenario = scenario_find(argc ? argv[0] : NULL), .healthy_ns = o->healthy_ns,
				    .fault_ns = o->fault_ns, .keep_running = o->keep_running, .json = o->json,
				    .quiet = o->quiet};

	if (o->list)
		return list(o->json);
	if (o->stop)
		return demo_stop(o->stop);
	if (!demo.scenario)
		return say_error(EXIT_USAGE, "demo: there is no scenario '%s', see rootle demo --list", argv[0]);
	return demo_run(&demo);
}

int cmd_demo_part(const struct command *c, struct options *o, int argc, char **argv)
{
	return demo_part(argc - 1, argv + 1);
}
