/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/rows.h"

#include <errno.h>
#include <math.h>

#include "store/fold.h"
#include "store/handle.h"

void quantiles_ns(const struct hist *h, double p_ns[QUANTILES])
{
	static const double q[QUANTILES] = {0.50, 0.90, 0.95, 0.99};

	for (int i = 0; i < QUANTILES; i++)
		p_ns[i] = h->count ? hist_quantile(h, q[i]) : NAN;
}

/* A whole number is bound as one, which is shorter in the file and exact beyond 2^53 nowhere in use. */
static void bind_number(sqlite3_stmt *q, int i, double v)
{
	if (!isfinite(v))
		return;
	if (v == floor(v) && fabs(v) < 9e15)
		sqlite3_bind_int64(q, i, (int64_t)v);
	else
		sqlite3_bind_double(q, i, v);
}

static void bind_ns(sqlite3_stmt *q, int i, double v)
{
	if (isfinite(v) && fabs(v) < 9e18)
		sqlite3_bind_int64(q, i, llround(v));
}

static int insert(struct store *s, sqlite3_stmt *q)
{
	int rc = sql_run(s, q);

	return rc < 0 && (sqlite3_errcode(s->db) & 0xff) == SQLITE_CONSTRAINT ? -EEXIST : rc;
}

static int bind_hist(struct store *s, sqlite3_stmt *q, int i, const struct hist *h)
{
	size_t n;

	if (!h || !h->count)
		return 0;
	while ((n = hist_encode(h, s->blob.v, s->blob.cap)) > s->blob.cap) {
		s->blob.n = s->blob.cap;
		if (!vec_push(&s->blob))
			return -ENOMEM;
	}
	sqlite3_bind_blob(q, i, s->blob.v, (int)n, SQLITE_STATIC);
	return 0;
}

int row_requests(struct store *s, const struct requests_row *r)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO requests(tick, edge, op, count, errors, sum_ns, p50_ns, p90_ns, p95_ns, p99_ns, "
				     "bytes_request, bytes_response, rows, hist, waits, begun, first_ns, " TIMED_COLUMNS ") "
				     "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " PART_VALUES ")");
	int rc;

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, r->tick);
	sqlite3_bind_int64(q, 2, r->edge);
	sqlite3_bind_int64(q, 3, r->op);
	bind_number(q, 4, r->count);
	bind_number(q, 5, r->errors);
	bind_ns(q, 6, r->sum_ns);
	for (int i = 0; i < QUANTILES; i++)
		bind_ns(q, 7 + i, r->p_ns[i]);
	bind_number(q, 11, r->bytes_request);
	bind_number(q, 12, r->bytes_response);
	bind_number(q, 13, r->rows);
	if (r->waits > 0)
		bind_number(q, 15, r->waits);
	if (r->begun > 0) {
		bind_number(q, 16, r->begun);
		bind_ns(q, 17, r->first_ns);
	}
	bind_number(q, 18, r->timed[0]);
	for (int i = 1; i < TIMED_NUMBERS && r->timed[0] > 0; i++)
		bind_ns(q, 18 + i, r->timed[i]);
	rc = bind_hist(s, q, 14, r->hist);
	return rc < 0 ? rc : insert(s, q);
}

int row_outcome(struct store *s, const struct outcome_row *r)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO outcome VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, r->tick);
	sqlite3_bind_int64(q, 2, r->edge);
	sqlite3_bind_int64(q, 3, r->op);
	sqlite3_bind_int64(q, 4, r->status);
	sqlite3_bind_text(q, 5, r->detail, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 6, r->error, -1, SQLITE_STATIC);
	bind_number(q, 7, r->count);
	return insert(s, q);
}

/* The row of a tick and of `of` in it: n numbers from the third column on, and what was bound already. */
static int insert_numbers(struct store *s, sqlite3_stmt *q, int64_t tick, int64_t of, const double *v, int n)
{
	sqlite3_bind_int64(q, 1, tick);
	sqlite3_bind_int64(q, 2, of);
	for (int i = 0; i < n; i++)
		bind_number(q, 3 + i, v[i]);
	return insert(s, q);
}

int row_downstream(struct store *s, const struct downstream_row *r)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO downstream VALUES(?1, ?2, ?3, ?4, ?5, ?6)");

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, r->tick);
	sqlite3_bind_int64(q, 2, r->edge);
	sqlite3_bind_int64(q, 3, r->op);
	sqlite3_bind_int64(q, 4, r->callee);
	bind_number(q, 5, r->count);
	bind_number(q, 6, r->ns);
	return insert(s, q);
}

int row_tcp(struct store *s, const struct tcp_row *r)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO tcp VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
				     "?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28)");

	return q ? insert_numbers(s, q, r->tick, r->edge, r->v, TCP_NUMBERS) : -EIO;
}

/* A part of the key has no NULL. */
static void bind_key(sqlite3_stmt *q, int i, const char *text)
{
	sqlite3_bind_text(q, i, text ? text : "", -1, SQLITE_STATIC);
}

int row_tls(struct store *s, const struct tls_row *r)
{
	/* alerts and versions that have no name of their own share one */
	sqlite3_stmt *q = sql_get(s, "INSERT INTO tls VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
				     "ON CONFLICT DO UPDATE SET count = count + excluded.count");

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, r->tick);
	sqlite3_bind_int64(q, 2, r->edge);
	bind_key(q, 3, r->version);
	bind_key(q, 4, r->sni);
	bind_key(q, 5, r->result);
	bind_key(q, 6, r->sender);
	bind_number(q, 7, r->count);
	sqlite3_bind_text(q, 8, r->alpn, -1, SQLITE_STATIC);
	sqlite3_bind_text(q, 9, r->subject, -1, SQLITE_STATIC);
	if (r->not_after_s)
		sqlite3_bind_int64(q, 10, r->not_after_s);
	sqlite3_bind_text(q, 11, r->source, -1, SQLITE_STATIC);
	return insert(s, q);
}

int row_point(struct store *s, int64_t tick, int64_t series, double value, double limit)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO point VALUES(?1, ?2, ?3, ?4)");

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, tick);
	sqlite3_bind_int64(q, 2, series);
	bind_real(q, 3, value);
	bind_real(q, 4, limit);
	return insert(s, q);
}

int row_log(struct store *s, int64_t tick, int64_t pattern, double count, double baseline)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO log VALUES(?1, ?2, ?3, ?4)");

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, tick);
	sqlite3_bind_int64(q, 2, pattern);
	bind_number(q, 3, count);
	bind_real(q, 4, baseline);
	return insert(s, q);
}

int row_process_tick(struct store *s, const struct process_tick_row *r)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO process_tick VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");

	if (!q)
		return -EIO;
	if (r->state[0])
		bind_text(q, 12, r->state);
	return insert_numbers(s, q, r->tick, r->process, r->v, PROCESS_NUMBERS);
}

int row_cgroup_tick(struct store *s, const struct cgroup_tick_row *r)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO cgroup_tick VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");

	return q ? insert_numbers(s, q, r->tick, r->cgroup, r->v, CGROUP_NUMBERS) : -EIO;
}

int row_profile(struct store *s, int64_t tick, const struct profile_row *r)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO profile VALUES(?1, ?2, ?3, ?4, ?5) "
				     "ON CONFLICT DO UPDATE SET samples = samples + excluded.samples");

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, tick);
	sqlite3_bind_int64(q, 2, r->service);
	sqlite3_bind_int64(q, 3, r->pid);
	sqlite3_bind_int64(q, 4, r->stack);
	sqlite3_bind_int64(q, 5, r->samples);
	return insert(s, q);
}

int row_loss(struct store *s, int64_t tick, const char *stage, const char *reason, double count)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO loss VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET count = count + excluded.count");

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, tick);
	bind_text(q, 2, stage);
	bind_text(q, 3, reason);
	bind_number(q, 4, count);
	return insert(s, q);
}

int row_event(struct store *s, const struct event_row *r)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO event(t_ns, service, kind, detail, version_before, version_after, actor, pid, source) "
				     "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
	const char *const text[] = {r->kind, r->detail, r->version_before, r->version_after, r->actor};

	if (!q)
		return -EIO;
	sqlite3_bind_int64(q, 1, whole_us(r->t_ns));
	bind_id(q, 2, (uint32_t)r->service);
	for (int i = 0; i < 5; i++)
		bind_text(q, 3 + i, text[i]);
	bind_id(q, 8, r->pid);
	sqlite3_bind_int(q, 9, r->source);
	return insert(s, q);
}

int row_span(struct store *s, const struct span_row *r)
{
	sqlite3_stmt *q = sql_get(s, "INSERT INTO span(trace, span, parent, status, error, detail, method, service, edge, op, t_ns, dur_ns, "
				     "confidence, source, " PART_COLUMNS ") "
				     "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, " PART_VALUES ")");
	const char *const text[] = {r->trace, r->span, r->parent, r->status, r->error, r->detail, r->method};

	if (!q)
		return -EIO;
	for (int i = 0; i < 7; i++)
		bind_text(q, 1 + i, text[i]);
	sqlite3_bind_int64(q, 8, r->service);
	bind_id(q, 9, (uint32_t)r->edge);
	sqlite3_bind_int64(q, 10, r->op);
	sqlite3_bind_int64(q, 11, whole_us(r->t_ns));
	sqlite3_bind_int64(q, 12, r->dur_ns);
	bind_real(q, 13, r->confidence);
	sqlite3_bind_int(q, 14, r->source);
	for (int i = 0; i < TIME_PARTS; i++)
		bind_ns(q, 15 + i, r->part_ns[i]);
	return insert(s, q);
}
