/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <sys/utsname.h>

#include "command.h"
#include "out.h"
#include "sources.h"
#include "table.h"

static const struct table_column rung_columns[] = {{"PROBE"}, {"STATE"}, {"RUNG", false, true}, {"WITHOUT IT", false, true}};
static const struct table_column program_columns[] = {
	{"PROGRAM", false, true}, {"HOOK", false, true}, {"TYPE", false, true}, {"STATE"},
};

/* A probe of several programs on the same rung is one line. */
static bool is_repeated(const struct probe_report *r, size_t i)
{
	const struct probe_line *l = &r->lines.v[i], *before = i ? &r->lines.v[i - 1] : NULL;

	return before && !strcmp(before->probe, l->probe) && before->state == l->state && !strcmp(before->rung, l->rung);
}

static void rungs_text(const struct probe_report *r)
{
	struct table t;

	table_init(&t, rung_columns, sizeof(rung_columns) / sizeof(rung_columns[0]));
	for (size_t i = 0; i < r->lines.n; i++) {
		const struct probe_line *l = &r->lines.v[i];

		if (is_repeated(r, i))
			continue;
		table_text(&t, l->probe);
		table_text(&t, probe_state_text(l->state));
		table_text(&t, l->rung);
		table_text(&t, l->lacks);
	}
	table_print(&t);
	table_done(&t);
	for (size_t i = 0; i < r->lines.n; i++)
		if (r->lines.v[i].why && !is_repeated(r, i))
			out_line("%s: %s", r->lines.v[i].probe, r->lines.v[i].why);
}

static void programs_text(const struct probe_report *r)
{
	struct table t;

	table_init(&t, program_columns, sizeof(program_columns) / sizeof(program_columns[0]));
	for (size_t i = 0; i < r->lines.n; i++) {
		const struct probe_line *l = &r->lines.v[i];

		if (!l->program)
			continue;
		table_text(&t, l->program);
		table_text(&t, l->hook);
		table_text(&t, l->type);
		table_text(&t, probe_state_text(l->state));
	}
	table_print(&t);
	table_done(&t);
}

static void check_json(const struct sources *s, bool any)
{
	struct utsname u;
	struct json j;

	uname(&u);
	json_init(&j, true);
	json_object(&j, NULL);
	json_string(&j, "schema", "check/1");
	json_string(&j, "kernel", u.release);
	json_string(&j, "machine", u.machine);
	json_bool(&j, "observable", any);
	json_bool(&j, "bpf", s->bpf != NULL);
	json_bool(&j, "sockets", s->bpf || s->sockets);
	json_bool(&j, "sampling", s->sampled);
	json_string(&j, "bpf_error", s->bpf_error ? strerror(-s->bpf_error) : NULL);
	json_string(&j, "missing_capability", s->report.missing_capability);
	probe_report_json(&j, "probes", &s->report);
	json_object_end(&j);
	out_json(&j);
	json_done(&j);
}

static void check_text(const struct sources *s, bool any)
{
	struct utsname u;

	uname(&u);
	out_line("kernel %s on %s", u.release, u.machine);
	rungs_text(&s->report);
	if (s->report.missing_capability)
		out_line("probes need %s: run as root", s->report.missing_capability);
	if (!s->bpf)
		out_line("without BPF: connections %s, no requests; resources %s", s->sockets ? "from sock_diag" : "are not seen",
			 s->sampled ? "from /proc" : "are not seen");
	if (!any)
		out_line("nothing at all can be observed here");
}

int cmd_check(const struct command *c, struct options *o, int argc, char **argv)
{
	struct sources s;
	bool any = sources_look(&s, false);

	if (o->json)
		check_json(&s, any);
	else if (o->probes)
		programs_text(&s.report);
	else
		check_text(&s, any);
	sources_close(&s);
	return out_finish(any ? EXIT_OK : EXIT_NOTHING_SEEN);
}
