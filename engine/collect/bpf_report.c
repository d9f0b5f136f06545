/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/bpf_private.h"

#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* A copy that goes with the report; NULL for an empty text. */
static const char *text_keep(struct probe_report *r, const char *text)
{
	char **slot = *text ? vec_push(&r->texts) : NULL;

	if (!slot)
		return NULL;
	*slot = strdup(text);
	return *slot;
}

/* Instructions that the verifier walked through when the program was loaded (5.16); 0 unknown. */
static uint32_t verified(const struct bpf_source *b, const char *program)
{
	struct bpf_program *p = bpf_object__find_program_by_name(b->skel->obj, program);
	struct bpf_prog_info info = {0};
	uint32_t len = sizeof(info);

	return p && !bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len) ? info.verified_insns : 0;
}

/* The rows of a table that nothing came of. */
static void report_none(struct probe_report *r, const char *why)
{
	for (size_t i = 0; i < probe_table_n; i++) {
		const struct probe_row *best = &probe_table[i], *last = best;
		struct probe_line *l;

		while (i + 1 < probe_table_n && !strcmp(probe_table[i + 1].source, best->source) &&
		       !strcmp(probe_table[i + 1].part, best->part))
			last = &probe_table[++i];
		if (best->group & PROBE_COOKIES)
			continue;
		l = vec_push(&r->lines);
		if (!l)
			return;
		*l = (struct probe_line){
			.probe = best->source, .part = best->part, .rung = last->rung, .program = best->program,
			.hook = best->hook, .type = best->type, .lacks = last->lacks, .why = why,
			.state = strcmp(last->rung, "absent") ? PROBE_INSTEAD : PROBE_ABSENT,
		};
	}
}

/* What is told of a part that has no program is its best. */
static void report_part(struct probe_report *r, const struct bpf_source *b, size_t part)
{
	const struct ladder_part *p = &b->ladder.parts[part];
	const struct probe_row *at = ladder_row(&b->ladder, part), *row = at->program ? at : &b->ladder.rows[p->first];
	struct probe_line *l = vec_push(&r->lines);

	if (!l)
		return;
	*l = (struct probe_line){
		.probe = row->source, .part = row->part, .rung = at->rung, .lacks = at->lacks,
		.program = row->program, .hook = row->hook, .type = row->type,
		.why = text_keep(r, p->why), .insns = at->program ? verified(b, at->program) : 0,
		.state = at->program ? PROBE_ON : strcmp(at->rung, "absent") ? PROBE_INSTEAD : PROBE_ABSENT,
	};
}

void bpf_report(struct probe_report *r, const struct bpf_source *b, const char *why_all)
{
	if (why_all) {
		report_none(r, why_all);
		return;
	}
	for (size_t i = 0; i < b->ladder.n; i++)
		if (!b->ladder.parts[i].idle)
			report_part(r, b, i);
}

void probe_report_done(struct probe_report *r)
{
	for (size_t i = 0; i < r->texts.n; i++)
		free(r->texts.v[i]);
	vec_done(&r->texts);
	vec_done(&r->lines);
	r->missing_capability = NULL;
}

bool probe_report_is_on(const struct probe_report *r, const char *probe, const char *part)
{
	for (size_t i = 0; i < r->lines.n; i++) {
		const struct probe_line *l = &r->lines.v[i];

		if (l->state == PROBE_ON && l->part && !strcmp(l->probe, probe) && !strcmp(l->part, part))
			return true;
	}
	return false;
}
