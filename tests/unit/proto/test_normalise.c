/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/normalise.h"

static const char *const sql[][2] = {
	{"select * from t where id=1", "SELECT * FROM t WHERE id = ?"},
	{"SELECT abalance FROM pgbench_accounts WHERE aid = -83;", "SELECT abalance FROM pgbench_accounts WHERE aid = ?"},
	{"SELECT a-1, a - 1, -1, 2*-3 FROM t", "SELECT a - ?, a - ?, ?, ? * ? FROM t"},
	{"INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y') RETURNING id", "INSERT INTO t (a, b) VALUES (?) RETURNING id"},
	{"INSERT INTO t VALUES (1, now()), (2, now())", "INSERT INTO t VALUES (?, now())"},
	{"select 1 from t where a in ( 1 , 2,3 ) and b IN ($1, $2)", "SELECT ? FROM t WHERE a IN (?) AND b IN (?)"},
	{"select 'it''s', E'a\\'b', $$x$$, $tag$ a $$ b $tag$, B'01', x'ff', U&'d'", "SELECT ?, ?, ?, ?, ?, ?, ?"},
	{"SELECT '2020-01-01'::date, 1::numeric(3,2), '{1}'::int[], x::text", "SELECT ?, ?, ?, x::text"},
	{"SELECT /* secret /* nested */ 1 */ a -- secret\n, b", "SELECT a, b"},
	{"SELECT \"Mixed \"\"Name\" FROM \"S\".t1 AS x", "SELECT \"Mixed \"\"Name\" FROM \"S\".t1 AS x"},
	{"SELECT count(*), f(1, 2) FROM a.b", "SELECT count(*), f(?, ?) FROM a.b"},
	{"SELECT 1.5e-3, .5, 0xFF, 1_000", "SELECT ?, ?, ?, ?"},
	{"SELECT a = ANY(ARRAY[1,2,3])", "SELECT a = ANY (ARRAY[?])"},
	{"begin; ;", "BEGIN"},
	{"SET x TO 'y'; SELECT 2", "SET x TO ?; SELECT ?"},
	{"select a from t where b like 'x%' limit 10 offset 20", "SELECT a FROM t WHERE b LIKE ? LIMIT ? OFFSET ?"},
	{"select true, null, DATE '2020-01-01', interval '1 day'", "SELECT ?, NULL, DATE ?, INTERVAL ?"},
	{"select a->>'k', b @> '{}' from t", "SELECT a ->> ?, b @> ? FROM t"},
	{"SELECT 'unterminated secret", "SELECT ?"},
	{"SELECT $a$ unterminated secret", "SELECT ?"},
	{"SELECT \"unterminated secret", "SELECT ?"},
	{"select 'it\\'s secret', 'x'", "SELECT ?"},
	{"select 'a\\\\', b", "SELECT ?, b"},
	{"select a from t where b like 'c\\%' escape '\\' limit 1", "SELECT a FROM t WHERE b LIKE ? escape ? LIMIT ?"},
	{"SET app.token = s3cret; select 1", "SET app.token = ?; SELECT ?"},
	{"SET SESSION a.b TO x, 'y;', (z); select a", "SET SESSION a.b TO ?; SELECT a"},
	{"ALTER ROLE u SET p TO v", "ALTER ROLE u SET p TO ?"},
	{"UPDATE t SET a = b + 1, c = d", "UPDATE t SET a = b + ?, c = d"},
	{"INSERT INTO t VALUES (1) ON CONFLICT DO UPDATE SET a = excluded.a",
	 "INSERT INTO t VALUES (?) ON CONFLICT DO UPDATE SET a = excluded.a"},
	{"ALTER USER u PASSWORD hunter2-x;", "ALTER USER u PASSWORD ?"},
	{"ALTER USER u PASSWORD 2hunter-x", "ALTER USER u PASSWORD ?"},
	{"CREATE USER u IDENTIFIED BY hunter2", "CREATE USER u IDENTIFIED BY ?"},
	{"CREATE USER u IDENTIFIED BY PASSWORD hunter2", "CREATE USER u IDENTIFIED BY PASSWORD ?"},
	{"SELECT id, password FROM u WHERE password = $1", "SELECT id, password FROM u WHERE password = ?"},
	{"", ""},
};

Test(normalise, sql)
{
	char out[512];

	for (size_t i = 0; i < sizeof(sql) / sizeof(*sql); i++) {
		size_t n = strlen(sql[i][0]);
		char *exact = malloc(n ? n : 1);

		memcpy(exact, sql[i][0], n);
		cr_expect_eq(normalise_sql(out, sizeof(out), exact, n), strlen(sql[i][1]), "%s", sql[i][0]);
		cr_expect_str_eq(out, sql[i][1], "%s\n  got  %s\n  want %s", sql[i][0], out, sql[i][1]);
		free(exact);
	}
}

Test(normalise, sql_of_itself_is_itself)
{
	char once[512], twice[512];

	for (size_t i = 0; i < sizeof(sql) / sizeof(*sql); i++) {
		size_t n = normalise_sql(once, sizeof(once), sql[i][0], strlen(sql[i][0]));

		normalise_sql(twice, sizeof(twice), once, n);
		cr_expect_str_eq(once, twice, "%s\n then %s", once, twice);
	}
}

/* A literal that stands anywhere in any statement, cut anywhere, never comes out. */
Test(normalise, no_secret_survives)
{
	static const char *const shapes[] = {"'s3cr3t'", "E's3cr3t\\''", "$$s3cr3t$$", "$q$s3cr3t$q$", "-- s3cr3t\n",
					     "/* s3cr3t */", "'a''s3cr3t'", "N's3cr3t'", "u&'s3cr3t'", "'it\\'s3cr3t'", "'a\\''s3cr3t'",
					     "'a\\\\\\'s3cr3t'"};
	static const char *const around[] = {"SELECT %s", "INSERT INTO t VALUES (1, %s, 2), (%s)", "x=%s AND y IN (%s)",
					     "f(%s)::text", "a-%s-b", "SET x = %s", "SET x.y TO %s, %s",
					     "ALTER USER u PASSWORD %s", "%s%s", "CASE WHEN %s THEN 1 END"};
	char text[256], out[256];

	for (size_t a = 0; a < sizeof(around) / sizeof(*around); a++)
		for (size_t s = 0; s < sizeof(shapes) / sizeof(*shapes); s++) {
			size_t n = (size_t)snprintf(text, sizeof(text), around[a], shapes[s], shapes[s]);

			for (size_t cut = 0; cut <= n; cut++) {
				normalise_sql(out, sizeof(out), text, cut);
				cr_assert_null(strstr(out, "s3"), "%.*s gives %s", (int)cut, text, out);
			}
		}
}

Test(normalise, cut_at_a_character)
{
	char out[16];
	size_t n;

	for (size_t cap = 1; cap < sizeof(out); cap++) {
		n = normalise_sql(out, cap, "SELECT \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 FROM x", 26);
		cr_assert_lt(n, cap);
		cr_assert_eq(out[n], '\0');
		if (cap > 4)
			cr_assert_str_eq(out + n - 3, "\xe2\x80\xa6");
	}
}

Test(normalise, http)
{
	static const char *const v[][3] = {
		{"GET", "/", "GET /"},
		{"GET", "", "GET /"},
		{"GET", "/a/b?x=secret#y", "GET /a/b"},
		{"GET", "/users/123/orders/98", "GET /users/{id}/orders/{id}"},
		{"GET", "/x/550e8400-e29b-41d4-a716-446655440000", "GET /x/{id}"},
		{"GET", "/d/2024-01-31/v1", "GET /d/{id}/v1"},
		{"GET", "/c/deadbeef01/e", "GET /c/{id}/e"},
		{"GET", "/t/eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "GET /t/{id}"},
		{"GET", "/static/app.js", "GET /static/app.js"},
		{"GET", "/img/12345.png", "GET /img/{id}.png"},
		{"GET", "/api/v2/product-list", "GET /api/v2/product-list"},
		{"GET", "/u/a@b.example/x%20y", "GET /u/{id}/{id}"},
		{"GET", "/a;jsessionid=1234/b", "GET /a/b"},
		{"GET", "http://host:80/p/7", "GET /p/{id}"},
		{"OPTIONS", "*", "OPTIONS *"},
		{"CONNECT", "h:443", "CONNECT h:443"},
		{"GET", "/cat/caf\xc3\xa9/\x1b[31m", "GET /cat/{id}/{id}"},
	};
	char out[128];

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		normalise_http(out, sizeof(out), v[i][0], strlen(v[i][0]), v[i][1], strlen(v[i][1]));
		cr_expect_str_eq(out, v[i][2], "%s\n  got  %s\n  want %s", v[i][1], out, v[i][2]);
	}
}
