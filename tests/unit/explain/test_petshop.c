/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The recorded incidents of the PetShop data set (CC-BY-4.0, arXiv 2311.04806): is the true culprit among the first causes?
 * They lie beside the repository, in ../shared/data/petshop; without them the test says so and is skipped.
 */
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <unistd.h>

#include "explain/explain.h"
#include "ndjson.h"
#include "show.h"

#define DATA TEST_DIR "/../../../../shared/data/petshop/"

struct tally { int n, first, three; };

static char *read_whole(const char *path)
{
	static char buf[65536];
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		return NULL;
	n = fread(buf, 1, sizeof(buf) - 1, f);
	buf[n] = '\0';
	fclose(f);
	return buf;
}

/* Two numbers of a list behind a key. */
static void range_of(const char *text, const char *key, int64_t *since_ns, int64_t *until_ns)
{
	const char *at = strchr(ndjson_find(text, key), '[') + 1;
	char *end;

	*since_ns = (int64_t)(strtod(at, &end) * 1e9);
	*until_ns = (int64_t)(strtod(end + strspn(end, ", \n"), NULL) * 1e9);
}

/* Loads the files named between [ and ] behind "files". */
static void load_files(struct window *w, const char *text)
{
	const char *at = strchr(ndjson_find(text, "files"), '['), *end = strchr(at, ']');

	while ((at = strchr(at, '"')) && at < end) {
		char path[1024];
		int n = (int)strcspn(at + 1, "\"");

		snprintf(path, sizeof(path), DATA "%.*s", n, at + 1);
		cr_assert(ndjson_load(w, path), "cannot read %s", path);
		at += n + 2;
	}
}

static int place_of(const struct report *r, const char *service)
{
	const char *seen[8];
	size_t i, k, n = 0;

	for (i = 0; r->incidents.n && i < r->incidents.v[0].causes.n && n < 8; i++) {
		const char *name = r->incidents.v[0].causes.v[i].service;

		for (k = 0; k < n; k++)
			if (!strcmp(seen[k], name))
				break;
		if (k < n)
			continue;
		seen[n++] = name;
		if (!strcmp(name, service))
			return (int)n;
	}
	return 0;
}

static void run_case(const char *text, struct tally *t)
{
	char name[128], service[128], symptom[32], truth[128];
	struct window *w = window_new();
	struct question q = {0};
	struct report *r;
	int place;

	cr_assert(ndjson_string(text, "name", name, sizeof(name)));
	cr_assert(ndjson_string(text, "service", service, sizeof(service)));
	cr_assert(ndjson_string(text, "symptom", symptom, sizeof(symptom)));
	cr_assert(ndjson_string(ndjson_find(text, "truth"), "service", truth, sizeof(truth)));
	range_of(text, "baseline", &q.baseline_since_ns, &q.baseline_until_ns);
	range_of(text, "window", &q.since_ns, &q.until_ns);
	q.service = service;
	q.symptom = !strcmp(symptom, "errors") ? SYMPTOM_ERRORS : SYMPTOM_LATENCY;
	load_files(w, text);
	window_sort(w);
	r = explain(w, &q);
	cr_assert_not_null(r);
	if (getenv("SHOW_REPORT"))
		show_report(stderr, r);
	place = place_of(r, truth);
	t->n++;
	t->first += place == 1;
	t->three += place >= 1 && place <= 3;
	if (place != 1 && r->incidents.n && r->incidents.v[0].causes.n)
		cr_log_warn("%s: %s is at place %d, first is %s (%s)", name, truth, place,
			    r->incidents.v[0].causes.v[0].service, r->incidents.v[0].causes.v[0].summary);
	else if (place != 1)
		cr_log_warn("%s: no cause", name);
	report_free(r);
	window_free(w);
}

Test(petshop, culprit_first, .timeout = 110)
{
	char *text = read_whole(DATA "cases.json");
	struct tally t = {0};

	if (!text)
		cr_skip_test("the recorded cases are not here: " DATA "cases.json");
	while ((text = strstr(text, "\"name\""))) {
		run_case(text, &t);
		text++;
	}
	cr_log_info("n=%d AC@1=%.3f AC@3=%.3f", t.n, (double)t.first / t.n, (double)t.three / t.n);
	cr_assert(t.n > 0);
	cr_assert(t.first >= 0.94 * t.n, "culprit first in %d of %d", t.first, t.n);
	cr_assert(t.three >= 0.98 * t.n, "culprit among the first three in %d of %d", t.three, t.n);
}
