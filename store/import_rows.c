/* SPDX-License-Identifier: BSD-2-Clause */
/* The types of lines of ndjson/1, and ours beyond it, which only our own export writes: fact tick tcp loss process … */
#include "store/import.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "store/fold.h"
#include "store/rows.h"

#define STACK_TEXT_MAX 16384

static int64_t service_of(struct import *im, const char *key, bool required)
{
	const char *name = import_text(im, key, required);

	return name && !im->problem[0] ? row_service(im->s, name) : 0;
}

static int64_t op_of(struct import *im)
{
	const char *op = import_text(im, "op", false);

	return op ? row_op(im->s, op) : 0;
}

/* 0: not known */
static uint32_t port_of(struct import *im, const char *key)
{
	double port = import_number(im, key, false);

	if (!isnan(port) && (port < 0 || port > 65535))
		import_refuse(im, "\"%s\" is no port number", key);
	return isnan(port) || im->problem[0] ? 0 : (uint32_t)port;
}

/* The edge of from, to, protocol and port. > 0, or negative. */
static int64_t edge_by(struct import *im, const char *from, bool from_required, const char *to, const char *protocol_key,
		       const char *port_key)
{
	int64_t src = service_of(im, from, from_required), dst = service_of(im, to, true);
	const char *protocol = import_text(im, protocol_key, false);
	uint32_t port = port_of(im, port_key);

	if (im->problem[0] || src < 0 || dst < 0)
		return src < 0 ? src : dst < 0 ? dst : -EINVAL;
	return row_edge(im->s, src, dst, protocol, (int)port);
}

static int64_t edge_of(struct import *im, bool from_required)
{
	return edge_by(im, "from", from_required, "to", "protocol", "port");
}

/* Puts a row into the interval of the line, or into another such interval where that one has the row already. */
#define INTO_TICK(im, row_tick, call)                                  \
	({                                                             \
		int rc_;                                               \
		(row_tick) = import_tick(im, false);                   \
		rc_ = (row_tick) < 0 ? (int)(row_tick) : (call);       \
		if (rc_ == -EEXIST) {                                  \
			(row_tick) = import_tick(im, true);            \
			rc_ = (row_tick) < 0 ? (int)(row_tick) : (call); \
		}                                                      \
		rc_;                                                   \
	})

static int meta_put(struct import *im, const char *key, const char *value)
{
	sqlite3_stmt *q = sql_get(im->s, "INSERT OR IGNORE INTO meta VALUES(?1, ?2)");

	if (!key || !value)
		return 0;
	bind_text(q, 1, key);
	bind_text(q, 2, value);
	return sql_run(im->s, q);
}

static int meta_row(struct import *im)
{
	const char *schema = import_text(im, "schema", true), *node = import_text(im, "node", false);
	const char *source = import_text(im, "source", false);
	int rc;

	import_number(im, "interval_s", false);
	if (schema && strcmp(schema, "ndjson/1") != 0)
		return import_refuse(im, "schema \"%.40s\" is not \"ndjson/1\"", schema);
	if (im->problem[0])
		return -EINVAL;
	rc = meta_put(im, "node", node);
	return rc < 0 ? rc : meta_put(im, "source", source);
}

static int fact_row(struct import *im)
{
	const char *key = import_text(im, "key", true), *value = import_text(im, "value", true);

	return im->problem[0] ? -EINVAL : meta_put(im, key, value);
}

static int service_row(struct import *im)
{
	int64_t row = service_of(im, "service", true);
	const char *kind = import_text(im, "kind", false), *exe = import_text(im, "exe", false);
	const char *why = import_text(im, "why", false), *image = import_text(im, "image", false);
	const char *node = import_text(im, "node", false);

	if (im->problem[0] || row < 0)
		return row < 0 ? (int)row : -EINVAL;
	return row_service_set(im->s, row, kind, exe, why, image, node);
}

static int edge_row(struct import *im)
{
	int64_t row = edge_of(im, true);

	return row < 0 ? (int)row : 0;
}

/* [[upper_us, count], …]; the whole bucket is taken to lie at its upper end, as it does in our own export. */
static int hist_of(struct import *im, struct hist *h)
{
	json_t *list = json_object_get(im->line, "hist"), *cell;
	size_t i;

	hist_reset(h);
	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list))
		return import_refuse(im, "\"hist\" is not an array");
	json_array_foreach(list, i, cell) {
		double us = json_number_value(json_array_get(cell, 0)), count = json_number_value(json_array_get(cell, 1));

		if (!json_is_number(json_array_get(cell, 0)) || !json_is_number(json_array_get(cell, 1)) || us < 0 || us > 9e15 ||
		    count < 0 || count > 9e15)
			return import_refuse(im, "\"hist\" is not a list of [upper_us, count]");
		if (count >= 0.5 && hist_add(h, (uint64_t)llround(us * 1e3), (uint64_t)llround(count)) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Amounts of the line by the words of a list, in its order. */
static void numbers_of(struct import *im, const char *const *key, double *v)
{
	for (; *key; key++)
		*v++ = import_amount(im, *key, false);
}

/* Of each part of a request's time its nanoseconds. */
static void parts_of(struct import *im, double part_ns[TIME_PARTS])
{
	char key[32];

	for (int i = 0; i < TIME_PARTS; i++) {
		snprintf(key, sizeof(key), "%s_ns", time_part_table[i].name);
		part_ns[i] = import_amount(im, key, false);
	}
}

static int requests_row(struct import *im)
{
	static const char *const p_key[QUANTILES] = {"p50_ms", "p90_ms", "p95_ms", "p99_ms"};
	struct requests_row r = {
		.count = import_count(im, "count", true), .errors = import_count(im, "errors", false),
		.waits = import_count(im, "waits", false), .begun = import_count(im, "begun", false),
		.first_ns = import_amount(im, "first_ns", false),
		.sum_ns = import_amount(im, "sum_ns", false), .bytes_request = import_amount(im, "bytes_request", false),
		.bytes_response = import_amount(im, "bytes_response", false), .rows = import_count(im, "rows", false),
		.hist = &im->hist,
	};
	double avg_ms = import_amount(im, "avg_ms", false);
	int rc = hist_of(im, &im->hist);

	r.timed[0] = import_amount(im, "timed", false);
	r.timed[1] = import_amount(im, "timed_ns", false);
	parts_of(im, r.timed + 2);
	r.edge = edge_of(im, false);
	r.op = op_of(im);
	if (rc < 0 || im->problem[0] || r.edge < 0 || r.op < 0)
		return rc < 0 ? rc : r.edge < 0 ? (int)r.edge : r.op < 0 ? (int)r.op : -EINVAL;
	if (isnan(r.sum_ns))
		r.sum_ns = avg_ms * 1e6 * (r.count - (isnan(r.waits) ? 0 : r.waits));
	quantiles_ns(&im->hist, r.p_ns);
	for (int i = 0; i < QUANTILES; i++) {
		double ms = import_amount(im, p_key[i], false);

		if (!isnan(ms))
			r.p_ns[i] = ms * 1e6;
	}
	return INTO_TICK(im, r.tick, row_requests(im->s, &r));
}

static int tcp_row(struct import *im)
{
	static const char *const key[TCP_NUMBERS + 1] = {"opened", "closed", "refused", "timeouts", "resets", "retrans", "open", "inflight",
							 "oldest_ns", "srtt_us", "bytes_out", "bytes_in", "connect_p50_us",
							 "connect_max_us", "min_rtt_us", "resets_callee", "retrans_callee", "connecting",
							 "caller_send_queue_bytes", "caller_recv_queue_bytes", "caller_zero_windows",
							 "caller_zero_window_us", "callee_send_queue_bytes", "callee_recv_queue_bytes",
							 "callee_zero_windows", "callee_zero_window_us"};
	struct tcp_row r = {.edge = edge_of(im, false)};

	numbers_of(im, key, r.v);
	if (r.edge < 0 || im->problem[0])
		return r.edge < 0 ? (int)r.edge : -EINVAL;
	return INTO_TICK(im, r.tick, row_tcp(im->s, &r));
}

static int outcome_row(struct import *im)
{
	struct outcome_row r = {.edge = edge_of(im, false), .op = op_of(im), .detail = import_text(im, "detail", false),
				.error = import_text(im, "error", true), .count = import_count(im, "count", true)};
	double status = import_amount(im, "status", false);

	if (r.edge < 0 || r.op < 0 || im->problem[0])
		return r.edge < 0 ? (int)r.edge : r.op < 0 ? (int)r.op : -EINVAL;
	if (req_error_by_name(r.error) == REQ_CLASSES)
		return import_refuse(im, "\"error\" is none of ok, client_error, server_error, aborted");
	if (status > INT32_MAX)
		return import_refuse(im, "\"status\" is too large");
	r.status = isnan(status) ? 0 : (int64_t)status;
	r.detail = r.detail ? r.detail : "";
	return INTO_TICK(im, r.tick, row_outcome(im->s, &r));
}

static int downstream_row(struct import *im)
{
	struct downstream_row r = {
		.edge = edge_of(im, false), .op = op_of(im), .callee = edge_by(im, "called_from", false, "called_to", "called_protocol",
									       "called_port"),
		.count = import_count(im, "count", true), .ns = import_count(im, "ns", true),
	};

	if (r.edge < 0 || r.op < 0 || r.callee < 0 || im->problem[0])
		return r.edge < 0 ? (int)r.edge : r.op < 0 ? (int)r.op : r.callee < 0 ? (int)r.callee : -EINVAL;
	return INTO_TICK(im, r.tick, row_downstream(im->s, &r));
}

static int tls_row(struct import *im)
{
	struct tls_row r = {.edge = edge_of(im, false), .version = import_text(im, "version", false), .sni = import_text(im, "sni", false),
			    .result = import_text(im, "result", true), .sender = import_text(im, "sender", false),
			    .count = import_count(im, "count", true), .alpn = import_text(im, "alpn", false),
			    .subject = import_text(im, "subject", false), .source = import_text(im, "cert_source", false)};
	double end = import_amount(im, "not_after_s", false);

	if (r.edge < 0 || im->problem[0])
		return r.edge < 0 ? (int)r.edge : -EINVAL;
	if (end > 1e15)
		return import_refuse(im, "\"not_after_s\" is too large");
	r.not_after_s = isnan(end) ? 0 : (int64_t)end;
	return INTO_TICK(im, r.tick, row_tls(im->s, &r));
}

static int resource_row(struct import *im)
{
	int64_t service = service_of(im, "service", true), series, tick;
	const char *metric = import_text(im, "metric", true), *device = import_text(im, "device", false);
	double value = import_number(im, "value", true), limit = import_number(im, "limit", false);

	if (service < 0 || im->problem[0])
		return service < 0 ? (int)service : -EINVAL;
	series = row_series(im->s, service, metric, device);
	if (series < 0)
		return (int)series;
	return INTO_TICK(im, tick, row_point(im->s, tick, series, value, limit));
}

static int log_row(struct import *im)
{
	int64_t service = service_of(im, "service", true), pattern, tick;
	const char *template = import_text(im, "template", true), *level = import_text(im, "level", false);
	const char *sample = import_text(im, "sample", false);
	double count = import_count(im, "count", true), baseline = import_count(im, "baseline_count", false);

	if (service < 0 || im->problem[0])
		return service < 0 ? (int)service : -EINVAL;
	pattern = row_pattern(im->s, service, template, level, sample);
	if (pattern < 0)
		return (int)pattern;
	return INTO_TICK(im, tick, row_log(im->s, tick, pattern, count, baseline));
}

static uint32_t pid_of(struct import *im, const char *key, bool required)
{
	double v = import_number(im, key, required);

	if (!isnan(v) && (v < 0 || v > INT32_MAX))
		import_refuse(im, "\"%s\" is no process id", key);
	return isnan(v) || im->problem[0] ? 0 : (uint32_t)v;
}

static int event_row_in(struct import *im)
{
	struct event_row r = {
		.t_ns = import_time(im, "t", true), .kind = import_text(im, "kind", true),
		.detail = import_text(im, "detail", false), .version_before = import_text(im, "version_before", false),
		.version_after = import_text(im, "version_after", false), .actor = import_text(im, "actor", false),
		.pid = pid_of(im, "pid", false), .source = SOURCE_IMPORTED,
	};

	/* null, which is not the same as missing: of the node */
	r.service = service_of(im, "service", !json_is_null(json_object_get(im->line, "service")));
	if (r.service < 0 || im->problem[0])
		return r.service < 0 ? (int)r.service : -EINVAL;
	return row_event(im->s, &r);
}

/* What its protocol, or another tracer, says of how it ended: a word or a number. */
static const char *status_of(struct import *im, char text[32])
{
	json_t *v = json_object_get(im->line, "status");

	if (!json_is_integer(v))
		return import_text(im, "status", false);
	snprintf(text, 32, "%lld", (long long)json_integer_value(v));
	return text;
}

/* The edge that it went over, where its line says more than who answered. 0: not known. */
static int64_t span_edge_of(struct import *im, int64_t service)
{
	int64_t src = service_of(im, "from", false);
	const char *protocol = import_text(im, "protocol", false);
	uint32_t port = port_of(im, "port");

	if (im->problem[0] || src < 0)
		return src < 0 ? src : -EINVAL;
	return src || protocol || port ? row_edge(im->s, src, service, protocol, (int)port) : 0;
}

static int span_row_in(struct import *im)
{
	char status[32];
	double dur_ms = import_amount(im, "dur_ms", true);
	struct span_row r = {
		.trace = import_text(im, "trace", true), .span = import_text(im, "span", true), .parent = import_text(im, "parent", false),
		.service = service_of(im, "service", true), .op = op_of(im), .t_ns = import_time(im, "t", true),
		.status = status_of(im, status), .error = import_text(im, "error", false), .detail = import_text(im, "detail", false),
		.method = import_text(im, "method", false), .confidence = import_number(im, "confidence", false), .source = SOURCE_IMPORTED,
	};

	parts_of(im, r.part_ns);
	if (r.service < 0 || r.op < 0 || im->problem[0])
		return r.service < 0 ? (int)r.service : r.op < 0 ? (int)r.op : -EINVAL;
	if (!import_time_fits((double)r.t_ns + dur_ms * 1e6))
		return import_refuse(im, "\"t\" + \"dur_ms\" is no time in Unix seconds");
	if (r.error && req_error_by_name(r.error) == REQ_CLASSES)
		return import_refuse(im, "\"error\" is none of ok, client_error, server_error, aborted");
	if (r.confidence < 0 || r.confidence > 1)
		return import_refuse(im, "\"confidence\" is not in 0..1");
	r.dur_ns = llround(dur_ms * 1e6);
	r.edge = span_edge_of(im, r.service);
	return r.edge < 0 ? (int)r.edge : row_span(im->s, &r);
}

static int tick_row(struct import *im)
{
	double events = import_count(im, "events", false), lost = import_count(im, "lost", false);
	double weight = import_count(im, "weight", false);
	int64_t tick = import_tick(im, false);
	sqlite3_stmt *q;

	if (tick < 0 || isnan(events))
		return tick < 0 ? (int)tick : 0;
	q = sql_get(im->s, "UPDATE tick SET events = ?2, lost = ?3, weight = ?4 WHERE id = ?1");
	sqlite3_bind_int64(q, 1, tick);
	sqlite3_bind_int64(q, 2, llround(events));
	sqlite3_bind_int64(q, 3, isnan(lost) ? 0 : llround(lost));
	if (!isnan(weight))
		sqlite3_bind_int64(q, 4, llround(weight));
	return sql_run(im->s, q);
}

static int loss_row(struct import *im)
{
	const char *stage = import_text(im, "stage", true), *reason = import_text(im, "reason", true);
	double count = import_count(im, "count", true);
	int64_t tick;

	if (im->problem[0])
		return -EINVAL;
	return INTO_TICK(im, tick, row_loss(im->s, tick, stage, reason, count));
}

static int profile_row_in(struct import *im)
{
	const char *stack = import_text(im, "stack", true);
	double samples = import_count(im, "samples", true);
	struct profile_row r = {.service = service_of(im, "service", false), .pid = pid_of(im, "pid", false)};
	int64_t tick;

	if (r.service < 0 || im->problem[0])
		return r.service < 0 ? (int)r.service : -EINVAL;
	if (strlen(stack) > STACK_TEXT_MAX)
		return import_refuse(im, "\"stack\" is longer than %d bytes", STACK_TEXT_MAX);
	r.samples = llround(samples);
	r.stack = dict_stack(im->s, stack);
	if (r.stack < 0)
		return (int)r.stack;
	tick = import_tick(im, false);
	return tick < 0 ? (int)tick : row_profile(im->s, tick, &r);
}

/* The row of a process by its identity; made where the file says of it only later. last_ns 0: not known. > 0, or
 * negative. */
static int64_t process_of(struct import *im, int64_t last_ns)
{
	uint32_t pid = pid_of(im, "pid", true);
	int64_t start_ns = import_time(im, "start", true), id;
	sqlite3_stmt *q;
	int rc;

	if (im->problem[0])
		return -EINVAL;
	q = sql_get(im->s, "INSERT INTO process(pid, start_ns, last_ns, source) VALUES(?1, ?2, ?3, 2) ON CONFLICT DO UPDATE "
			   "SET last_ns = max(last_ns, excluded.last_ns), source = 2 RETURNING id");
	sqlite3_bind_int64(q, 1, pid);
	sqlite3_bind_int64(q, 2, start_ns);
	sqlite3_bind_int64(q, 3, last_ns ? last_ns : start_ns);
	rc = sql_step(im->s, q);
	id = rc > 0 ? sqlite3_column_int64(q, 0) : rc < 0 ? rc : -EIO;
	sqlite3_reset(q);
	return id;
}

static int process_row(struct import *im)
{
	static const char *const key[] = {"comm", "exe", "cmdline", "cgroup"};
	int64_t last_ns = import_time(im, "last", false), end_ns = import_time(im, "end", false);
	int64_t row = process_of(im, last_ns), service = service_of(im, "service", false);
	uint32_t ppid = pid_of(im, "ppid", false);
	sqlite3_stmt *q;

	if (row < 0 || service < 0)
		return (int)(row < 0 ? row : service);
	q = sql_get(im->s, "UPDATE process SET ppid = ?2, service = ?3, comm = ?4, exe = ?5, cmdline = ?6, cgroup = ?7, end_ns = ?8 "
			   "WHERE id = ?1");
	sqlite3_bind_int64(q, 1, row);
	bind_id(q, 2, ppid);
	bind_id(q, 3, (uint32_t)service);
	for (int i = 0; i < 4; i++)
		bind_text(q, 4 + i, import_text(im, key[i], false));
	if (end_ns)
		sqlite3_bind_int64(q, 8, end_ns);
	return im->problem[0] ? -EINVAL : sql_run(im->s, q);
}

static int process_tick_row_in(struct import *im)
{
	static const char *const key[PROCESS_NUMBERS + 1] = {"cpu_s", "runq_wait_s", "disk_wait_s", "read_bytes", "write_bytes", "rss_bytes",
							     "threads", "fds", "connections"};
	struct process_tick_row r = {.process = process_of(im, 0)};
	const char *state = import_text(im, "state", false);

	numbers_of(im, key, r.v);
	if (r.process < 0 || im->problem[0])
		return r.process < 0 ? (int)r.process : -EINVAL;
	r.state[0] = state ? state[0] : '\0';
	return INTO_TICK(im, r.tick, row_process_tick(im->s, &r));
}

static int cgroup_tick_row_in(struct import *im)
{
	static const char *const key[CGROUP_NUMBERS + 1] = {"cpu_s", "throttled_s", "quota_cores", "mem_bytes", "mem_limit_bytes",
							    "read_bytes", "write_bytes", "periods_throttled", "pids"};
	const char *path = import_text(im, "path", true);
	int64_t service = service_of(im, "service", false);
	struct cgroup_tick_row r = {0};

	numbers_of(im, key, r.v);
	if (service < 0 || im->problem[0])
		return service < 0 ? (int)service : -EINVAL;
	r.cgroup = row_cgroup(im->s, path, service);
	if (r.cgroup < 0)
		return (int)r.cgroup;
	return INTO_TICK(im, r.tick, row_cgroup_tick(im->s, &r));
}

const struct import_type import_types[] = {
	{"meta", "schema node source interval_s", meta_row},
	{"service", "service kind node image exe why", service_row},
	{"edge", "from to protocol port", edge_row},
	{"requests", "t dur_s from to protocol port op count errors waits begun first_ns avg_ms p50_ms p90_ms p95_ms p99_ms "
		     "hist sum_ns bytes_request "
		     "bytes_response rows " TIMED_COLUMNS,
	 requests_row},
	{"resource", "t dur_s service metric device value limit", resource_row},
	{"log", "t dur_s service template level sample count baseline_count", log_row},
	{"event", "t service kind detail version_before version_after actor pid", event_row_in},
	{"span", "trace span parent service op t dur_ms status method confidence from protocol port error detail " PART_COLUMNS, span_row_in},
	{"fact", "key value", fact_row},
	{"tick", "t dur_s events lost weight", tick_row},
	{"tcp", "t dur_s from to protocol port opened closed refused timeouts resets retrans open inflight oldest_ns srtt_us bytes_out "
		"bytes_in connect_p50_us connect_max_us min_rtt_us resets_callee retrans_callee connecting caller_send_queue_bytes "
		"caller_recv_queue_bytes caller_zero_windows caller_zero_window_us callee_send_queue_bytes callee_recv_queue_bytes "
		"callee_zero_windows callee_zero_window_us", tcp_row},
	{"outcome", "t dur_s from to protocol port op status detail error count", outcome_row},
	{"downstream", "t dur_s from to protocol port op called_from called_to called_protocol called_port count ns", downstream_row},
	{"tls", "t dur_s from to protocol port version sni result sender count alpn subject not_after_s cert_source", tls_row},
	{"profile", "t dur_s service pid samples stack", profile_row_in},
	{"loss", "t dur_s stage reason count", loss_row},
	{"process", "pid start ppid service comm exe cmdline cgroup end last", process_row},
	{"process_tick", "t dur_s pid start cpu_s runq_wait_s disk_wait_s read_bytes write_bytes rss_bytes threads fds connections state",
	 process_tick_row_in},
	{"cgroup_tick", "t dur_s path service cpu_s throttled_s quota_cores mem_bytes mem_limit_bytes read_bytes write_bytes "
			"periods_throttled pids", cgroup_tick_row_in},
	{NULL, NULL, NULL},
};
