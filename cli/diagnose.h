/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * diagnose: the report of a recording, as `explain` and `incidents` ask for it: opens, loads what the diagnosis needs (with
 * history before the range, so that there is something to compare with), asks.
 */
#ifndef ROOTLE_CLI_DIAGNOSE_H
#define ROOTLE_CLI_DIAGNOSE_H

#include <stdbool.h>

#include "base/json.h"
#include "explain/explain.h"
#include "options.h"
#include "reading.h"

struct diagnosis {
	struct reading reading;
	struct window *window;
	struct report *report;
	struct question question;
	int64_t now_ns;            /* for "today" in texts */
	bool unknown_service;      /* nobody in the recording has the name of --service */
};

/* 0, or an exit code after one line on stderr; then nothing is held. The window may be empty. */
int diagnosis_open(struct diagnosis *d, struct options *o);
void diagnosis_close(struct diagnosis *d);
/* Are there any facts in the range? Says so where there are not, or where nobody has the name of --service. */
bool diagnosis_has_data(const struct diagnosis *d);

/* report_text.c: 80 columns, no colour needed. report_json.c: contract explain.schema.json, appended to j. */
void report_text(const struct diagnosis *d);
void report_json(struct json *j, const struct diagnosis *d);

#endif
