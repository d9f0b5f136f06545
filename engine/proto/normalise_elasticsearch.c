/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Paths of Elasticsearch's REST interface, 5 to 9, and of OpenSearch: /INDEX/_action, /_action/…, /INDEX/TYPE/_action.  Names of
 * indices are few but for their dates and numbers; those go.
 */
#include "proto/normalise.h"
#include "proto/normalise_out.h"

#include <string.h>

#define NAME_MAX_BYTES 64       /* longer ones are tokens */

/* Is s[0..n) one of the words, which stand between blanks? */
static bool is_word(const char *words, const char *s, size_t n)
{
	const char *p = words;

	while ((p = memmem(p, strlen(p), s, n))) {
		if (p > words && p[-1] == ' ' && p[n] == ' ')
			return true;
		p++;
	}
	return false;
}

static bool is_action(const char *s, size_t n)
{
	static const char actions[] = " _search _msearch _count _doc _create _update _bulk _mget _source _refresh _flush _forcemerge "
		"_mapping _mappings _settings _stats _alias _aliases _delete_by_query _update_by_query _analyze _validate _explain "
		"_termvectors _mtermvectors _field_caps _open _close _rollover _shrink _split _clone _pit _async_search _eql _sql "
		"_rank_eval _search_shards _segments _recovery _cache _reindex _scripts _ingest _template _index_template "
		"_component_template _data_stream _cat _cluster _nodes _tasks _snapshot _ilm _resolve _knn_search _ml _watcher "
		"_license _xpack _security _plugins _query ";

	return n > 3 && *s == '_' && is_word(actions, s, n);
}

/* Is the segment behind this one the identity of a document? */
static bool names_document(const char *s, size_t n)
{
	return n > 3 && *s == '_' && is_word(" _doc _create _update _source _explain _termvectors ", s, n);
}

static size_t digits(const char *s, size_t n)
{
	size_t k = 0;

	while (k < n && s[k] >= '0' && s[k] <= '9')
		k++;
	return k;
}

/* "2026.11.22", "2026-11", "2026.w47", "20261122", "2026": its bytes, or 0. */
static size_t date_length(const char *s, size_t n)
{
	size_t k = digits(s, n), at = 4;

	if ((k != 4 && k != 8) || (memcmp(s, "20", 2) && memcmp(s, "19", 2)))
		return 0;
	if (k == 8)
		return 8;
	if (n >= 8 && s[5] == 'w' && digits(s + 6, n - 6) == 2)
		return 8;
	while (at < 13 && n >= at + 3 && (s[at] == '.' || s[at] == '-' || s[at] == '_') && digits(s + at + 1, n - at - 1) == 2)
		at += 3;
	return at;
}

/* No name of an index: capitals are not allowed in one, and hashes are none. */
static bool is_token(const char *s, size_t n)
{
	size_t hex = 0, numerals = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] >= 'A' && s[i] <= 'Z')
			return true;
		numerals += s[i] >= '0' && s[i] <= '9';
		hex += (s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f') || s[i] == '-';
	}
	return n > NAME_MAX_BYTES || (n == numerals && n) || (n >= 16 && hex == n) || memchr(s, '%', n);
}

/* A name without its dates and numbers; numbers of two digits are taken for a part of it. */
static void put_name(struct out *o, const char *s, size_t n)
{
	size_t i = 0, k;

	while (i < n) {
		k = digits(s + i, n - i);
		if (k && (k = date_length(s + i, n - i))) {
			out_text(o, "{date}", 6);
		} else if ((k = digits(s + i, n - i)) > 2) {
			out_text(o, "{n}", 3);
		} else {
			k = k ? k : 1;
			out_text(o, s + i, k);
		}
		i += k;
	}
}

/* "logs-2026.11.22,users": names, each without what is a value. */
static void put_segment(struct out *o, const char *s, size_t n)
{
	while (n) {
		const char *comma = memchr(s, ',', n);
		size_t k = comma ? (size_t)(comma - s) : n;

		if (is_token(s, k))
			out_text(o, "{id}", 4);
		else
			put_name(o, s, k);
		if (comma) {
			out_char(o, ',');
			k++;
		}
		s += k;
		n -= k;
	}
}

static size_t segment_length(const char *s, size_t n)
{
	const char *slash = memchr(s, '/', n);

	return slash ? (size_t)(slash - s) : n;
}

/* Is one of the first three segments an action? */
static bool has_action(const char *s, size_t n)
{
	for (int i = 0; i < 3 && n && *s == '/'; i++) {
		size_t k = segment_length(s + 1, n - 1);

		if (is_action(s + 1, k))
			return true;
		s += k + 1;
		n -= k + 1;
	}
	return false;
}

size_t normalise_elasticsearch(char *out, size_t cap, const char *method, size_t mn, const char *target, size_t tn)
{
	struct out o = {.p = out, .cap = cap};
	const char *query = tn ? memchr(target, '?', tn) : NULL;
	bool document = false;

	if (query)
		tn = (size_t)(query - target);
	if (!memmem(target, tn, "/_", 2) || !has_action(target, tn))
		return 0;
	out_text(&o, method, mn < 32 ? mn : 32);
	out_char(&o, ' ');
	while (tn && *target == '/') {
		size_t k = segment_length(target + 1, tn - 1);

		out_char(&o, '/');
		if (document && k)
			out_text(&o, "{id}", 4);
		else if (k && target[1] == '_' && k <= NAME_MAX_BYTES)
			out_text(&o, target + 1, k);
		else
			put_segment(&o, target + 1, k);
		document = names_document(target + 1, k);
		target += k + 1;
		tn -= k + 1;
	}
	return out_end(&o);
}
