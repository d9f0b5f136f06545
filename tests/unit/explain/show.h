/* SPDX-License-Identifier: BSD-2-Clause */
/* show: a report as text, so that a failing test says what was found instead. */
#ifndef TEST_EXPLAIN_SHOW_H
#define TEST_EXPLAIN_SHOW_H

#include <stdio.h>

#include "explain/explain.h"

static inline void show_cause(FILE *f, const struct cause *c)
{
	size_t i;

	fprintf(f, "  %.2f %s %s share %.2f: %s\n    path", c->confidence, c->service, c->kind, c->share, c->summary);
	for (i = 0; i < c->path.n; i++)
		fprintf(f, "%s %s", i ? " ->" : "", c->path.v[i]);
	fprintf(f, "\n");
	for (i = 0; i < c->evidence.n; i++)
		fprintf(f, "    | %s\n", c->evidence.v[i].sentence);
	fprintf(f, "    advice %s\n    refute %s\n", c->advice, c->refute);
}

static inline void show_report(FILE *f, const struct report *r)
{
	size_t i, k;

	fprintf(f, "%zu incidents\n", r->incidents.n);
	for (i = 0; i < r->incidents.n; i++) {
		const struct incident *in = &r->incidents.v[i];

		fprintf(f, "%s %s: %s\n", in->id, in->open ? "open" : "resolved", in->sentence);
		for (k = 0; k < in->causes.n; k++)
			show_cause(f, &in->causes.v[k]);
		for (k = 0; k < in->affected.n; k++)
			fprintf(f, "  affected %s\n", in->affected.v[k]);
		for (k = 0; k < in->ruled_out.n; k++)
			fprintf(f, "  ruled out %s\n", in->ruled_out.v[k]);
		for (k = 0; k < in->observations.n; k++)
			fprintf(f, "  observed %s\n", in->observations.v[k]);
	}
	for (i = 0; i < r->notes.n; i++)
		fprintf(f, "note %s\n", r->notes.v[i]);
}

#endif
