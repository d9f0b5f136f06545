/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/coverage.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/handle.h"

#define GAP_NS (2 * NS_PER_S)     /* between two ticks: less is a busy machine */
#define LOSS_NOTES 3
#define PROBE_NOTES 2
#define LACKS_TOLD 3              /* of what is not known for one reason */

static int note_add(struct window *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int note_add(struct window *w, const char *fmt, ...)
{
	char text[512];
	const char **at;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < w->coverage.notes.n; i++)
		if (strcmp(w->coverage.notes.v[i], text) == 0)
			return 0;
	at = vec_push(&w->coverage.notes);
	if (!at)
		return -ENOMEM;
	*at = arena_strdup(&w->arena, text);
	if (!*at)
		w->coverage.notes.n--;
	return *at ? 0 : -ENOMEM;
}

/* time -------------------------------------------------------------------------------------------------------------- */

struct gaps { int64_t end_ns, longest_ns, from_ns, total_ns; unsigned n; };

static void gaps_take(struct gaps *g, int64_t begin_ns, int64_t end_ns)
{
	int64_t gap = begin_ns - g->end_ns;

	if (g->end_ns && gap > GAP_NS) {
		g->n++;
		g->total_ns += gap;
		if (gap > g->longest_ns) {
			g->longest_ns = gap;
			g->from_ns = g->end_ns;
		}
	}
	if (end_ns > g->end_ns)
		g->end_ns = end_ns;
}

static int note_gaps(struct window *w, const struct gaps *g)
{
	char from[32], to[32];

	if (!g->n)
		return 0;
	time_rfc3339(from, sizeof(from), g->from_ns);
	time_rfc3339(to, sizeof(to), g->from_ns + g->longest_ns);
	if (g->n == 1)
		return note_add(w, "no recording from %s to %s", from, to);
	return note_add(w, "no recording from %s to %s, the longest of %u gaps: %.0f s in all", from, to, g->n,
			(double)g->total_ns / NS_PER_S);
}

/* Imported ticks may be as sparse as they like. */
static int find_gaps(struct store *s, int64_t since_ns, int64_t until_ns, struct gaps *g)
{
	sqlite3_stmt *q = sql_get(s, "SELECT t_ns, t_ns + dur_ns FROM tick WHERE source < 2 AND t_ns < ?2 AND t_ns + dur_ns > ?1 "
				     "ORDER BY t_ns");
	int rc;

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, since_ns);
	sqlite3_bind_int64(q, 2, until_ns);
	while ((rc = sql_step(s, q)) > 0)
		gaps_take(g, sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1));
	return rc;
}

/* loss -------------------------------------------------------------------------------------------------------------- */

/* What weighs most comes first.  A NULL text is told by another row, or is no loss of what anybody asks for; the first row
 * whose stage and beginning of the reason are those of the loss is its. */
static const struct { const char *stage, *reason, *text; } loss_table[] = {
	{"kernel", "ring_", "the kernel lost %s records because the ring buffer was full"},
	{"store", "ticks", "%s ticks were given up: the disk was full or too slow"},
	{"flow", "lost_requests", "%s requests were lost in holes of their connections' bytes"},
	{"model", "unknown_socket", "%s records were of connections that are not known"},
	{"model", "connections_full", "%s connections were not kept: too many at a time"},
	{"kernel", "storage", "%s connections were not watched: the kernel had no memory for it"},
	{"kernel", "datagrams_full", "%s datagrams were not counted: too many peers at a time"},
	{"kernel", "load", "the payload of %s packets could not be read"},
	{"flow", "broken", "%s messages made no sense: left out, with what had come behind them"},
	{"flow", "given_up", "%s connections were given up: what they speak could not be read"},
	{"model", "events_full", "%s events of the timeline were not kept: too many in a second"},
	{"model", "rows_full", "%s requests were counted without their operation: too many rows in a second"},
	{"model", "services_full", "%s services were not kept: too many"},
	{"model", "edges_full", "%s edges were not kept: too many"},
	{"model", "ops_full", "%s requests were counted without their operation: too many different ones"},
	{"model", "processes_full", "%s processes were not kept: too many at a time"},
	{"kernel", "samples", "%s samples of the CPUs were lost because their ring buffer was full"},
	{"model", "stacks_full", "%s samples of the CPUs were not kept: too many different stacks in a second"},
	{"profile", "no_room", "%s samples of the CPUs are not told apart: too many different stacks in a second"},
	{"profile", "paused_ms", "for %s ms the CPUs were not sampled, to keep the CPU budget"},
	{"model", "listeners_full", "%s listeners were not kept: too many"},
	{"model", "flows_no_memory", "%s connections were not read: there was no memory for it"},
	{"model", "bad_records", "%s records of the probes could not be understood"},
	{"model", "devices_full", "%s readings of disks and interfaces were not kept: too many of them"},
	{"model", "cgroups_full", "%s readings of cgroups were not kept: too many of them"},
	{"model", "times_full", "of %s requests it is not known when the caller read the response: too many at once"},
	{"model", "calls_full", "%s calls are in no sum of what requests waited for: too many of one request, or too many different ones"},
	{"model", "names_full", "%s TLS handshakes were counted without their name: too many different ones"},
	{"trace", "hops_full", "of %s requests the cause was not looked for: too many at a time"},
	{"trace", "acts_full", "of %s requests the cause was not looked for: too many reads and writes at a time"},
	{"trace", "actors_full", "%s times a process or thread that served was forgotten: too many of them"},
	{"trace", "ambiguous", "%s requests of services were left without the one that caused them: several may have"},
	{"trace", "below_floor", "%s requests of services were left without the one that caused them: the evidence was weak"},
	{"trace", "ids_full", "%s ids of requests were not kept: too many at a time"},
	{"trace", "spans_full", "%s requests of traces were not kept: too many in a second"},
	{"flow", "unpaired", "%s answers came without a request that was seen"},
	{"conntrack", "overruns", "the kernel had more news of translated addresses than were read %s times: short connections may show as strangers"},
	{"conntrack", "cut", "lists of translated addresses were longer than is read %s times: connections may show as strangers"},
	{"conntrack", "namespaces", "translated addresses of %s network namespaces were not read"},
	{"model", "remotes_full", "%s addresses elsewhere were not given the names seen for them: too many"},
	{"model", "translations_full", "%s translated addresses were not remembered: too many at a time"},
	{"capture", "cut_segments", "%s segments were not captured whole: requests in them may be missing"},
	{"capture", "forgotten", "%s connections of the capture were not followed to their end: too many at a time"},
	{"capture", "fragments", "%s fragmented datagrams were not captured whole"},
	{"capture", "broken_packets", "%s packets were cut short within their headers"},
	{"flow", "lost_", NULL},
	{"profile", "gone", NULL},
	{"profile", "files_", NULL},
	{"kernel", "bytes", NULL},
	{"kernel", "no_sock", NULL},
	{"kernel", "plain_socket", "%s pieces of TLS plaintext could not be told to which connection they belong"},
	{"kernel", "task_slot", NULL},
	{"model", "clients_folded", NULL},      /* counted, under external:others */
	{"model", "texts_full", NULL},
	{"model", "addresses_full", NULL},
};

#define LOSSES (sizeof(loss_table) / sizeof(*loss_table))

static size_t loss_kind(const char *stage, const char *reason)
{
	size_t i = 0;

	while (i < LOSSES && (strcmp(loss_table[i].stage, stage) != 0 ||
			      strncmp(loss_table[i].reason, reason, strlen(loss_table[i].reason)) != 0))
		i++;
	return i;
}

/* "135,928" */
static const char *grouped(char *buf, size_t cap, double v)
{
	char digits[32];
	size_t n = (size_t)snprintf(digits, sizeof(digits), "%.0f", v), at = 0;

	for (size_t i = 0; i < n && at + 2 < cap; i++) {
		if (i && (n - i) % 3 == 0)
			buf[at++] = ',';
		buf[at++] = digits[i];
	}
	buf[at] = '\0';
	return buf;
}

/* The file's own loss: that of the window may be of several files. */
static sqlite3_stmt *losses_get(struct store *s, int64_t since_ns, int64_t until_ns)
{
	sqlite3_stmt *q = sql_get(s, "SELECT l.stage, l.reason, sum(l.count) FROM tick t JOIN loss l ON l.tick = t.id "
				     "WHERE t.t_ns < ?2 AND t.t_ns + t.dur_ns > ?1 GROUP BY 1, 2 ORDER BY 1, 2");

	if (q) {
		sqlite3_bind_int64(q, 1, since_ns);
		sqlite3_bind_int64(q, 2, until_ns);
	}
	return q;
}

static const char *column_text(sqlite3_stmt *q, int col)
{
	return (const char *)sqlite3_column_text(q, col);
}

static int known_losses(struct window *w, const double sum[LOSSES], unsigned *told)
{
	char count[48];
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < LOSSES && *told < LOSS_NOTES; i++) {
		if (sum[i] < 1 || !loss_table[i].text)
			continue;
		(*told)++;
		rc = note_add(w, loss_table[i].text, grouped(count, sizeof(count), sum[i]));
	}
	return rc;
}

static int note_losses(struct store *s, int64_t since_ns, int64_t until_ns, struct window *w)
{
	sqlite3_stmt *q = losses_get(s, since_ns, until_ns);
	double sum[LOSSES + 1] = {0};
	unsigned told = 0;
	char count[48];
	int rc = q ? 0 : -EIO;

	while (q && (rc = sql_step(s, q)) > 0)
		sum[loss_kind(column_text(q, 0), column_text(q, 1))] += sqlite3_column_double(q, 2);
	if (rc == 0)
		rc = known_losses(w, sum, &told);
	if (rc < 0 || sum[LOSSES] < 1)
		return rc;
	q = losses_get(s, since_ns, until_ns);
	while (told < LOSS_NOTES && (rc = sql_step(s, q)) > 0) {
		if (loss_kind(column_text(q, 0), column_text(q, 1)) < LOSSES)
			continue;
		told++;
		rc = note_add(w, "lost in %s: %s, %s times", column_text(q, 0), column_text(q, 1),
			      grouped(count, sizeof(count), sqlite3_column_double(q, 2)));
		if (rc < 0)
			break;
	}
	sqlite3_reset(q);
	return rc < 0 ? rc : 0;
}

/* budget ------------------------------------------------------------------------------------------------------------ */

static sqlite3_stmt *weights_get(struct store *s, int64_t since_ns, int64_t until_ns)
{
	sqlite3_stmt *q = sql_get(s, "SELECT max(weight), sum(CASE WHEN weight > 1 THEN dur_ns ELSE 0 END) / 1e9, "
				     "sum(CASE weight WHEN 0 THEN dur_ns ELSE 0 END) / 1e9 FROM tick "
				     "WHERE t_ns < ?2 AND t_ns + dur_ns > ?1");

	if (q) {
		sqlite3_bind_int64(q, 1, since_ns);
		sqlite3_bind_int64(q, 2, until_ns);
	}
	return q;
}

static int note_weights(struct store *s, int64_t since_ns, int64_t until_ns, struct window *w)
{
	sqlite3_stmt *q = weights_get(s, since_ns, until_ns);
	double weight, estimated_s, blind_s;
	int rc = q ? sql_step(s, q) : -EIO;

	if (rc <= 0)
		return rc;
	weight = sqlite3_column_double(q, 0);
	estimated_s = sqlite3_column_double(q, 1);
	blind_s = sqlite3_column_double(q, 2);
	sqlite3_reset(q);
	rc = 0;
	if (estimated_s > 0)
		rc = note_add(w, "requests are estimates for %.0f s: to stay below --cpu-budget one connection of up to %.0f was read",
			      estimated_s, weight);
	if (rc == 0 && blind_s > 0)
		rc = note_add(w, "no requests were read for %.0f s, to stay below --cpu-budget", blind_s);
	return rc;
}

/* probes ------------------------------------------------------------------------------------------------------------ */

static const char *member(json_t *line, const char *key)
{
	const char *text = json_string_value(json_object_get(line, key));

	return text ? text : "";
}

static bool reads_connections(json_t *lines)
{
	json_t *line;
	size_t i;

	json_array_foreach(lines, i, line)
		if (strcmp(member(line, "probe"), "packets") == 0)
			return true;
	return false;
}

/* Was this reason told by a line before it? */
static bool why_told(json_t *lines, size_t before, const char *why)
{
	for (size_t i = 0; i < before; i++) {
		json_t *line = json_array_get(lines, i);

		if (*member(line, "lacks") && strcmp(member(line, "why"), why) == 0)
			return true;
	}
	return false;
}

/* What is lacking for one reason, from the first line that gives it. */
static int note_lacks(struct window *w, json_t *lines, size_t first)
{
	const char *why = member(json_array_get(lines, first), "why");
	unsigned told = 0, more = 0;
	char text[320];
	size_t n = 0;

	for (size_t i = first; i < json_array_size(lines); i++) {
		const char *lacks = member(json_array_get(lines, i), "lacks");

		if (!*lacks || strcmp(member(json_array_get(lines, i), "why"), why) != 0)
			continue;
		if (told == LACKS_TOLD || n + strlen(lacks) + 32 > sizeof(text)) {
			more++;
			continue;
		}
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", told++ ? "; " : "", lacks);
	}
	if (more)
		snprintf(text + n, sizeof(text) - n, "; %u more", more);
	return note_add(w, "not recorded: %s%s%.160s%s", text, *why ? " (" : "", why, *why ? ")" : "");
}

static int note_probes(struct window *w, json_t *lines)
{
	unsigned told = 0;
	json_t *line;
	size_t i;
	int rc = 0;

	if (!json_is_array(lines))
		return 0;
	if (!reads_connections(lines)) {
		told++;
		rc = note_add(w, "not recorded: requests (without BPF nothing is read from connections)");
	}
	json_array_foreach(lines, i, line) {
		if (rc == 0 && told < PROBE_NOTES && *member(line, "lacks") && !why_told(lines, i, member(line, "why"))) {
			told++;
			rc = note_lacks(w, lines, i);
		}
	}
	return rc;
}

_Static_assert(1 + LOSS_NOTES + 2 + PROBE_NOTES <= NOTES_MAX, "notes of a file");

int coverage_notes(struct store *s, int64_t since_ns, int64_t until_ns, struct window *w)
{
	struct gaps gaps = {0};
	int rc = find_gaps(s, since_ns, until_ns, &gaps);
	char *probes = store_meta(s, "probes");
	json_t *lines = probes ? json_loads(probes, 0, NULL) : NULL;

	if (rc == 0)
		rc = note_gaps(w, &gaps);
	if (rc == 0)
		rc = note_losses(s, since_ns, until_ns, w);
	if (rc == 0)
		rc = note_weights(s, since_ns, until_ns, w);
	if (rc == 0)
		rc = note_probes(w, lines);
	json_decref(lines);
	free(probes);
	return rc;
}
