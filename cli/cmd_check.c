/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/text.h"
#include "command.h"
#include "out.h"
#include "sources.h"
#include "table.h"

#define UPROBES "/sys/bus/event_source/devices/uprobe"     /* the kernel's perf source of them: 4.17 */

static const struct table_column rung_columns[] = {{"PROBE"}, {"STATE"}, {"RUNG", false, true}, {"LACKING", false, true}};
static const struct table_column program_columns[] = {
	{"PROGRAM", false, true}, {"HOOK", false, true}, {"TYPE", false, true}, {"STATE"},
	{"VERIFIED", true},
};

/* Parts of one source that stand on the same rung are one line. */
static bool is_repeated(const struct probe_report *r, size_t i)
{
	const struct probe_line *l = &r->lines.v[i], *before = i ? &r->lines.v[i - 1] : NULL;

	return before && !strcmp(before->probe, l->probe) && before->state == l->state && !strcmp(before->rung, l->rung) &&
	       !before->why == !l->why && !l->lacks;
}

/* Do all lines of this source say the same? */
static bool is_alone(const struct probe_report *r, size_t i)
{
	for (size_t k = 0; k < r->lines.n; k++)
		if (!strcmp(r->lines.v[k].probe, r->lines.v[i].probe) && k != i && !is_repeated(r, k))
			return false;
	return true;
}

/* Has a line before this one of the same source given the same reason? */
static bool is_said(const struct probe_report *r, size_t i)
{
	const struct probe_line *l = &r->lines.v[i];

	for (size_t k = 0; k < i; k++)
		if (r->lines.v[k].why && !strcmp(r->lines.v[k].probe, l->probe) && !strcmp(r->lines.v[k].why, l->why))
			return true;
	return false;
}

static const char *line_name(const struct probe_report *r, size_t i, char *buf, size_t cap)
{
	const struct probe_line *l = &r->lines.v[i];

	if (!l->part || is_alone(r, i))
		return l->probe;
	snprintf(buf, cap, "%s: %s", l->probe, l->part);
	return buf;
}

/* A lower rung that tells the same is a dearer one. */
static const char *line_costs(const struct probe_line *l)
{
	return l->lacks ? l->lacks : l->state == PROBE_ON && l->program && l->why ? "nothing; each event costs more" : NULL;
}

static void rungs_text(const struct probe_report *r)
{
	struct table t;
	char name[64];

	table_init(&t, rung_columns, sizeof(rung_columns) / sizeof(rung_columns[0]));
	for (size_t i = 0; i < r->lines.n; i++) {
		const struct probe_line *l = &r->lines.v[i];

		if (is_repeated(r, i))
			continue;
		table_text(&t, line_name(r, i, name, sizeof(name)));
		table_text(&t, probe_state_text(l->state));
		table_text(&t, l->rung);
		table_text(&t, line_costs(l));
	}
	table_print(&t);
	table_done(&t);
	for (size_t i = 0; i < r->lines.n; i++)
		if (r->lines.v[i].why && !is_said(r, i))
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
		table_text(&t, l->state == PROBE_ON ? "on" : "absent");
		if (l->insns)
			table_printf(&t, "%u", l->insns);
		else
			table_text(&t, NULL);
	}
	table_print(&t);
	table_done(&t);
}

/* The ring buffer, the table of wishes and, where it is used, that of states share the budget; the rest is small and fixed. */
static const char *const planned[] = {"ring", "states", "wishes"};

static void memory_json(struct json *j, const struct sources *s, const struct options *o)
{
	char key[32];

	if (!s->bpf) {
		json_null(j, "memory");
		return;
	}
	json_object(j, "memory");
	json_int(j, "budget_bytes", o->memory_bytes);
	json_uint(j, "maps_bytes", bpf_source_map_bytes(s->bpf, NULL));
	for (size_t i = 0; i < sizeof(planned) / sizeof(planned[0]); i++) {
		snprintf(key, sizeof(key), "%s_bytes", planned[i]);
		json_uint(j, key, bpf_source_map_bytes(s->bpf, planned[i]));
	}
	json_object_end(j);
}

static void memory_text(const struct sources *s, const struct options *o)
{
	char all[32], budget[32], ring[32];

	out_line("memory of the probes: %s of %s, %s of it the ring buffer (--memory-budget)",
		 size_format(all, sizeof(all), (double)bpf_source_map_bytes(s->bpf, NULL)),
		 size_format(budget, sizeof(budget), (double)o->memory_bytes),
		 size_format(ring, sizeof(ring), (double)bpf_source_map_bytes(s->bpf, "ring")));
}

/* NULL: what TLS libraries encrypt can be seen, on demand. */
static const char *tls_obstacle(const struct sources *s)
{
	if (!s->bpf)
		return "no BPF here";
	return access(UPROBES, F_OK) ? "this kernel has no uprobes" : NULL;
}

static void tls_json(struct json *j, const struct sources *s)
{
	const char *why = tls_obstacle(s);

	json_object(j, "tls_plaintext");
	json_string(j, "state", why ? "absent" : "on demand");
	json_string(j, "rung", why ? NULL : "uprobe");
	json_string(j, "why", why);
	json_object_end(j);
}

static void check_json(const struct sources *s, const struct options *o, bool any)
{
	struct utsname u;
	struct json j;

	uname(&u);
	json_init(&j, out_terminal());
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
	memory_json(&j, s, o);
	tls_json(&j, s);
	probe_report_json(&j, "probes", &s->report);
	json_object_end(&j);
	out_json(&j);
	json_done(&j);
}

static void check_text(const struct sources *s, const struct options *o, bool any)
{
	const char *why = tls_obstacle(s);
	struct utsname u;

	uname(&u);
	out_line("kernel %s on %s", u.release, u.machine);
	rungs_text(&s->report);
	if (s->report.missing_capability)
		out_line(s->bpf ? "without %s not every probe can be attached: run as root" : "probes need %s: run as root",
			 s->report.missing_capability);
	if (!s->bpf)
		out_line("without BPF: connections %s, no requests; resources %s", s->sockets ? "from sock_diag" : "are not seen",
			 s->sampled ? "from /proc" : "are not seen");
	if (s->bpf) {
		memory_text(s, o);
		out_line("inside of TLS: %s%s", why ? "absent, " : "on demand, by uprobes (record --tls)", why ? why : "");
	}
	if (!any)
		out_line("nothing at all can be observed here");
}

int cmd_check(const struct command *c, struct options *o, int argc, char **argv)
{
	struct sources s;
	int ret = sources_look(&s, o);
	bool any = ret == 0;

	if (ret != EXIT_USAGE) {
		if (o->json)
			check_json(&s, o, any);
		else if (o->probes)
			programs_text(&s.report);
		else
			check_text(&s, o, any);
		ret = out_finish(ret);
	}
	sources_close(&s);
	return ret;
}
