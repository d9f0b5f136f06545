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
	{"select true, null, DATE '2020-01-01', interval '1 day'", "SELECT ?, ?, DATE ?, INTERVAL ?"},
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
		cr_expect_eq(normalise_sql(out, sizeof(out), SQL_POSTGRES, exact, n, false), strlen(sql[i][1]), "%s", sql[i][0]);
		cr_expect_str_eq(out, sql[i][1], "%s\n  got  %s\n  want %s", sql[i][0], out, sql[i][1]);
		free(exact);
	}
}

Test(normalise, sql_of_itself_is_itself)
{
	char once[512], twice[512];

	for (size_t i = 0; i < sizeof(sql) / sizeof(*sql); i++) {
		size_t n = normalise_sql(once, sizeof(once), SQL_POSTGRES, sql[i][0], strlen(sql[i][0]), false);

		normalise_sql(twice, sizeof(twice), SQL_POSTGRES, once, n, false);
		cr_expect_str_eq(once, twice, "%s\n then %s", once, twice);
	}
}

static void none_survives(enum sql_dialect dialect, const char *around, const char *shape)
{
	char text[256], out[256];
	size_t n = (size_t)snprintf(text, sizeof(text), around, shape, shape);

	for (size_t cut = 0; cut <= n; cut++) {
		normalise_sql(out, sizeof(out), dialect, text, cut, false);
		cr_assert_null(strstr(out, "s3"), "%.*s gives %s", (int)cut, text, out);
	}
}

/* A literal that stands anywhere in any statement, cut anywhere, never comes out. */
Test(normalise, no_secret_survives)
{
	static const char *const shapes[] = {"'s3cr3t'", "E's3cr3t\\''", "$$s3cr3t$$", "$q$s3cr3t$q$", "-- s3cr3t\n",
					     "/* s3cr3t */", "'a''s3cr3t'", "N's3cr3t'", "u&'s3cr3t'", "'it\\'s3cr3t'", "'a\\''s3cr3t'",
					     "'a\\\\\\'s3cr3t'"};
	static const char *const mysql[] = {"'s3cr3t'", "\"s3cr3t\"", "'a\\'s3cr3t'", "\"a\\\"s3cr3t\"", "# s3cr3t\n", "-- s3cr3t\n",
					    "/* s3cr3t */", "_utf8's3cr3t'", "\"'s3cr3t'\"", "'a\"s3cr3t'"};
	static const char *const tds[] = {"'s3cr3t'", "N's3cr3t'", "'a''s3cr3t'", "'\\''s3cr3t'", "-- s3cr3t\n", "/* s3cr3t */"};
	static const char *const clickhouse[] = {"'s3cr3t'", "'a\\'s3cr3t'", "{s3cr3t:String}", "# s3cr3t\n", "-- s3cr3t\n"};
	static const struct { enum sql_dialect dialect; const char *const *shapes; size_t n; } all[] = {
		{SQL_POSTGRES, shapes, sizeof(shapes) / sizeof(*shapes)}, {SQL_MYSQL, mysql, sizeof(mysql) / sizeof(*mysql)},
		{SQL_TDS, tds, sizeof(tds) / sizeof(*tds)}, {SQL_CLICKHOUSE, clickhouse, sizeof(clickhouse) / sizeof(*clickhouse)},
	};
	static const char *const around[] = {"SELECT %s", "INSERT INTO t VALUES (1, %s, 2), (%s)", "x=%s AND y IN (%s)",
					     "f(%s)::text", "a-%s-b", "SET x = %s", "SET x.y TO %s, %s",
					     "ALTER USER u PASSWORD %s", "%s%s", "CASE WHEN %s THEN 1 END"};
	for (size_t d = 0; d < sizeof(all) / sizeof(*all); d++)
		for (size_t a = 0; a < sizeof(around) / sizeof(*around); a++)
			for (size_t i = 0; i < all[d].n; i++)
				none_survives(all[d].dialect, around[a], all[d].shapes[i]);
}

Test(normalise, cut_at_a_character)
{
	char out[16];
	size_t n;

	for (size_t cap = 1; cap < sizeof(out); cap++) {
		n = normalise_sql(out, cap, SQL_POSTGRES, "SELECT \xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9 FROM x", 26, false);
		cr_assert_lt(n, cap);
		cr_assert_eq(out[n], '\0');
		if (cap > 4)
			cr_assert_str_eq(out + n - 3, "\xe2\x80\xa6");
	}
}

/* As clients send it: drivers, ORMs, migrations, people. */
static const struct { enum sql_dialect dialect; const char *sql, *want; } dialects[] = {
	{SQL_MYSQL, "SELECT `id`, `a``b` FROM `shop`.`orders` WHERE `id` = 42", "SELECT `id`, `a``b` FROM `shop`.`orders` WHERE `id` = ?"},
	{SQL_MYSQL, "SELECT * FROM t WHERE name = \"o'neil\" # who\nAND x = 1", "SELECT * FROM t WHERE name = ? AND x = ?"},
	{SQL_MYSQL, "SELECT 5--3, a -- b\n FROM t", "SELECT ? - ?, a FROM t"},
	{SQL_MYSQL, "SELECT 'it\\'s', \"say \\\"x\\\"\", b FROM t", "SELECT ?, ?, b FROM t"},
	{SQL_MYSQL, "/*!40101 SET NAMES utf8 */", ""},
	{SQL_MYSQL, "SELECT /*+ MAX_EXECUTION_TIME(1000) */ a FROM t", "SELECT a FROM t"},
	{SQL_MYSQL, "/* a /* b */ SELECT 1", "SELECT ?"},
	{SQL_MYSQL, "SET NAMES utf8mb4", "SET NAMES utf8mb4"},
	{SQL_MYSQL, "SET @@session.sql_mode = 'ANSI', @x := 5", "SET @@session.sql_mode = ?"},
	{SQL_MYSQL, "SET autocommit=0", "SET autocommit = ?"},
	{SQL_MYSQL, "SELECT @@version_comment LIMIT 1", "SELECT @@version_comment LIMIT ?"},
	{SQL_MYSQL, "INSERT IGNORE INTO t (a,b) VALUES (1,NULL),(2,'x') ON DUPLICATE KEY UPDATE b = VALUES(b)",
	 "INSERT IGNORE INTO t (a, b) VALUES (?) ON DUPLICATE KEY UPDATE b = VALUES (b)"},
	{SQL_MYSQL, "select * from orders_2024_01 limit 10, 20", "SELECT * FROM orders_2024_01 LIMIT ?, ?"},
	{SQL_MYSQL, "SELECT x'ff', 0xff, b'01', _utf8'a', N'b'", "SELECT ?, ?, ?, _utf8 ?, ?"},
	{SQL_MYSQL, "CALL place_order(17, 'x', @out)", "CALL place_order(?, ?, @out)"},
	{SQL_MYSQL, "KILL QUERY 4711", "KILL QUERY ?"},
	{SQL_MYSQL, "SELECT a FROM t WHERE d > '2024-01-01' - INTERVAL 7 DAY", "SELECT a FROM t WHERE d > ? - INTERVAL ? DAY"},
	{SQL_MYSQL, "SELECT a FROM t WHERE id IN (1,2,3,4,5,6,7,8,9)", "SELECT a FROM t WHERE id IN (?)"},
	{SQL_MYSQL, "SELECT a FROM t WHERE id IN (?, ?, ?)", "SELECT a FROM t WHERE id IN (?)"},
	{SQL_MYSQL, "SELECT a FROM t WHERE (a, b) IN ((1,2),(3,4))", "SELECT a FROM t WHERE (a, b) IN ((?, ?), (?, ?))"},
	{SQL_MYSQL, "SHOW TABLES LIKE 'wp\\_%'", "SHOW TABLES LIKE ?"},
	{SQL_MYSQL, "SELECT option_value FROM wp_options WHERE option_name = '_transient_doing_cron' LIMIT 1",
	 "SELECT option_value FROM wp_options WHERE option_name = ? LIMIT ?"},
	{SQL_MYSQL, "SELECT \"unterminated secret", "SELECT ?"},
	{SQL_MYSQL, "SELECT `unterminated secret", "SELECT ?"},
	{SQL_MYSQL, "ALTER USER 'u'@'%' IDENTIFIED BY 'hunter2'", "ALTER USER ? @ ? IDENTIFIED BY ?"},
	{SQL_MYSQL, "SELECT JSON_EXTRACT(doc, '$.a.b'), doc->'$.c', doc->>\"$.d\" FROM t", "SELECT JSON_EXTRACT(doc, ?), doc -> ?, doc ->> ? FROM t"},
	{SQL_MYSQL, "UPDATE t SET a = NULL, b = 'x' WHERE c IS NULL AND d IS NOT NULL", "UPDATE t SET a = ?, b = ? WHERE c IS NULL AND d IS NOT NULL"},
	{SQL_MYSQL, "LOAD DATA LOCAL INFILE '/tmp/x' INTO TABLE t", "LOAD DATA LOCAL INFILE ? INTO TABLE t"},
	{SQL_TDS, "SELECT TOP 10 [Id], [Order Date] FROM [dbo].[Orders] WHERE [Id] = 5", "SELECT TOP ? [Id], [Order Date] FROM [dbo].[Orders] WHERE [Id] = ?"},
	{SQL_TDS, "SELECT [a]]b] FROM t WHERE n = N'O''Neil'", "SELECT [a]]b] FROM t WHERE n = ?"},
	{SQL_TDS, "SELECT * FROM [t] AS [x] WHERE [x].[Id] IN (@p0, @p1, @__ids_2)", "SELECT * FROM [t] AS [x] WHERE [x].[Id] IN (?)"},
	{SQL_TDS, "SELECT @@VERSION", "SELECT @@VERSION"},
	{SQL_TDS, "SET NOCOUNT ON; INSERT INTO [t] ([a]) OUTPUT INSERTED.[Id] VALUES (@p0)", "SET NOCOUNT ON; INSERT INTO [t] ([a]) OUTPUT INSERTED.[Id] VALUES (?)"},
	{SQL_TDS, "EXEC sp_executesql N'SELECT 1', N'@id int', @id = 7", "EXEC sp_executesql ?, ?, @id = ?"},
	{SQL_TDS, "SELECT * INTO #tmp FROM ##shared WHERE \"Name\" = 'x'", "SELECT * INTO #tmp FROM ##shared WHERE \"Name\" = ?"},
	{SQL_TDS, "SELECT a FROM t ORDER BY (SELECT NULL) OFFSET 20 ROWS FETCH NEXT 10 ROWS ONLY",
	 "SELECT a FROM t ORDER BY (SELECT NULL) OFFSET ? ROWS FETCH NEXT ? ROWS ONLY"},
	{SQL_TDS, "SELECT a FROM t WITH (NOLOCK) WHERE b = 0x0A1B", "SELECT a FROM t WITH (NOLOCK) WHERE b = ?"},
	{SQL_TDS, "SELECT 'C:\\', b", "SELECT ?, b"},
	{SQL_TDS, "DECLARE @id INT = 5; SELECT @id", "DECLARE @id INT = ?; SELECT @id"},
	{SQL_TDS, "SELECT [unterminated secret", "SELECT ?"},
	{SQL_CLICKHOUSE, "INSERT INTO t (a, b) FORMAT JSONEachRow {\"a\": 1, \"b\": \"secret\"}", "INSERT INTO t (a, b) FORMAT JSONEachRow"},
	{SQL_CLICKHOUSE, "INSERT INTO t FORMAT TabSeparated\n1\tsecret;secret\n", "INSERT INTO t FORMAT TabSeparated"},
	{SQL_CLICKHOUSE, "SELECT count() FROM t WHERE x IN [1, 2, 3] FORMAT JSON", "SELECT count() FROM t WHERE x IN [?] FORMAT JSON"},
	{SQL_CLICKHOUSE, "SELECT {id:UInt64}, arr[1], [1,2,3], `a b`, \"c\" FROM t", "SELECT ?, arr[?], [?], `a b`, \"c\" FROM t"},
	{SQL_CLICKHOUSE, "SELECT toDate('2024-01-01'), 'a\\'b' FROM db.t SAMPLE 1/10", "SELECT toDate(?), ? FROM db.t SAMPLE ? / ?"},
	{SQL_CLICKHOUSE, "SELECT a FROM t SETTINGS max_threads = 4", "SELECT a FROM t SETTINGS max_threads = ?"},
	{SQL_POSTGRES, "SAVEPOINT \"s139853_x12\"", "SAVEPOINT ?"},
	{SQL_POSTGRES, "RELEASE SAVEPOINT \"s139853_x12\"", "RELEASE SAVEPOINT ?"},
	{SQL_POSTGRES, "ROLLBACK TO SAVEPOINT sp1", "ROLLBACK TO SAVEPOINT ?"},
	{SQL_POSTGRES, "SAVEPOINT before_payment", "SAVEPOINT before_payment"},
	{SQL_POSTGRES, "DEALLOCATE pdo_stmt_00000012", "DEALLOCATE ?"},
	{SQL_POSTGRES, "DECLARE \"_django_curs_140_1\" NO SCROLL CURSOR WITH HOLD FOR SELECT a1 FROM t2 WHERE b = 3",
	 "DECLARE ? NO SCROLL CURSOR WITH HOLD FOR SELECT a1 FROM t2 WHERE b = ?"},
	{SQL_POSTGRES, "FETCH FORWARD 2000 FROM \"_django_curs_140_1\"", "FETCH FORWARD ? FROM ?"},
	{SQL_POSTGRES, "CLOSE \"_django_curs_140_1\"", "CLOSE ?"},
	{SQL_POSTGRES, "SELECT a #> '{b}', c #>> '{d}', e # 3 FROM t", "SELECT a #> ?, c #>> ?, e # ? FROM t"},
	{SQL_POSTGRES, "SELECT * FROM t WHERE id = '550e8400-e29b-41d4-a716-446655440000'::uuid", "SELECT * FROM t WHERE id = ?"},
	{SQL_POSTGRES, "SELECT * FROM t /*traceparent='00-4bf92f-00f0-01'*/", "SELECT * FROM t"},
	{SQL_POSTGRES, "COPY t (a, b) FROM STDIN WITH (FORMAT csv)", "COPY t (a, b) FROM STDIN WITH (FORMAT csv)"},
	{SQL_POSTGRES, "NOTIFY channel, 'payload'", "NOTIFY channel, ?"},
	{SQL_POSTGRES, "INSERT INTO t (a, b) VALUES (1, NULL), (NULL, 2)", "INSERT INTO t (a, b) VALUES (?)"},
	{SQL_POSTGRES, "INSERT INTO t VALUES (DEFAULT, 1, now())", "INSERT INTO t VALUES (DEFAULT, ?, now())"},
	{SQL_POSTGRES, "ALTER TABLE t ALTER c DROP NOT NULL, ALTER d SET DEFAULT 5", "ALTER TABLE t ALTER c DROP NOT NULL, ALTER d SET DEFAULT ?"},
	{SQL_POSTGRES, "FOREIGN KEY (a) REFERENCES b ON DELETE SET NULL", "FOREIGN KEY (a) REFERENCES b ON DELETE SET NULL"},
	{SQL_POSTGRES, "select pg_sleep(0.25), nextval('seq')", "SELECT pg_sleep(?), nextval(?)"},
	{SQL_POSTGRES, "SELECT * FROM generate_series(1, 1e6) g WHERE g % 2 = 0", "SELECT * FROM generate_series(?, ?) g WHERE g % ? = ?"},
	{SQL_POSTGRES, "SELECT * FROM t WHERE a LIKE '%x%' OR b ~* '^y' OR c ILIKE $1", "SELECT * FROM t WHERE a LIKE ? OR b ~* ? OR c ILIKE ?"},
	{SQL_POSTGRES, "WITH x AS (SELECT 1) SELECT * FROM x", "WITH x AS (SELECT ?) SELECT * FROM x"},
	{SQL_POSTGRES, "SELECT a FROM t WHERE b = ANY('{1,2,3}'::int[])", "SELECT a FROM t WHERE b = ANY (?)"},
	{SQL_POSTGRES, "SELECT a FROM events_p2024_06 WHERE ts >= TIMESTAMP '2024-06-01'", "SELECT a FROM events_p2024_06 WHERE ts >= TIMESTAMP ?"},
	{SQL_POSTGRES, "SELECT \"User\".\"id\" FROM \"User\" WHERE \"User\".\"email\" = 'a@b.example'", "SELECT \"User\".\"id\" FROM \"User\" WHERE \"User\".\"email\" = ?"},
};

Test(normalise, sql_dialects)
{
	char out[512];

	for (size_t i = 0; i < sizeof(dialects) / sizeof(*dialects); i++) {
		normalise_sql(out, sizeof(out), dialects[i].dialect, dialects[i].sql, strlen(dialects[i].sql), false);
		cr_expect_str_eq(out, dialects[i].want, "%s\n  got  %s\n  want %s", dialects[i].sql, out, dialects[i].want);
	}
}

Test(normalise, raw_is_one_clean_line)
{
	static const char text[] = "select *\n\tfrom t  where a = 'x\x1b[31m'\r\n";
	char out[64];

	normalise_sql(out, sizeof(out), SQL_POSTGRES, text, sizeof(text) - 1, true);
	cr_assert_str_eq(out, "select * from t where a = 'x [31m'");
	normalise_http(out, sizeof(out), "GET", 3, "/a/7?q=x#y", 10, true);
	cr_assert_str_eq(out, "GET /a/7?q=x#y");
	normalise_dns(out, sizeof(out), "A", 1, (const uint8_t *)"\12" "1234567890\3com", 16, true);
	cr_assert_str_eq(out, "A 1234567890.com");
	normalise_name(out, sizeof(out), "reply.1234567890", 16, true);
	cr_assert_str_eq(out, "reply.1234567890");
}

Test(normalise, names)
{
	static const char *const v[][2] = {
		{"orders", "orders"}, {"orders.v2", "orders.v2"}, {"orders-retry-2", "orders-retry-2"}, {"shop.orders.created", "shop.orders.created"},
		{"amq.gen-JzTY20BRgKO-HjmUJj0wLg", "amq.gen-{id}"}, {"reply-550e8400-e29b-41d4-a716-446655440000", "reply-{id}"},
		{"tenant_12345_events", "tenant_{id}_events"}, {"logs-2024.01.31", "logs-{id}"}, {"/brokers/ids/0", "/brokers/ids/0"},
		{"/locks/_c_550e8400e29b41d4a716446655440000-lock-0000000012", "/locks/_c_{id}-lock-{id}"},
		{"/controller_epoch", "/controller_epoch"}, {"__consumer_offsets", "__consumer_offsets"}, {"user:1234:cart", "user:{id}:cart"},
		{"sensors/4711/temperature", "sensors/{id}/temperature"}, {"$SYS/broker/uptime", "$SYS/broker/uptime"}, {"events_p2024_06", "events_{id}"},
		{"celery@host-1", "{id}"}, {"", ""}, {"connect-offsets", "connect-offsets"}, {"CustomerOrderHistoryUpdatedEventV2", "CustomerOrderHistoryUpdatedEventV2"},
	};
	char out[128];

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		normalise_name(out, sizeof(out), v[i][0], strlen(v[i][0]), false);
		cr_expect_str_eq(out, v[i][1], "%s\n  got  %s\n  want %s", v[i][0], out, v[i][1]);
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
		{"GET", "/users/user123", "GET /users/user123"},
		{"GET", "/users/user12345", "GET /users/{id}"},
		{"GET", "/orders/order-7", "GET /orders/order-{id}"},
		{"GET", "/orders/ORD_2024_000017/lines", "GET /orders/ORD_{id}/lines"},
		{"GET", "/watch/dQw4w9WgXcQ", "GET /watch/{id}"},
		{"GET", "/v1/customers/cus_NffrFeUfNV2Hib", "GET /v1/customers/cus_{id}"},
		{"GET", "/v1/payment_intents/pi_3MtwBwLkdIwHu7ix28a3tqPa/capture", "GET /v1/payment_intents/pi_{id}/capture"},
		{"GET", "/s/V1StGXR8_Z5jdHi6B-myT", "GET /s/{id}"},
		{"GET", "/o/01ARZ3NDEKTSV4RRFFQ69G5FAV", "GET /o/{id}"},
		{"GET", "/docs/507f1f77bcf86cd799439011", "GET /docs/{id}"},
		{"GET", "/blobs/sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "GET /blobs/sha256:{id}"},
		{"GET", "/v2/library/nginx/manifests/1.25.3", "GET /v2/library/nginx/manifests/{id}"},
		{"GET", "/instances/i-0abcd1234ef567890", "GET /instances/i-{id}"},
		{"GET", "/blog/how-to-fix-a-leaking-tap-in-ten-minutes", "GET /blog/{id}"},
		{"GET", "/api/list-open-orders", "GET /api/list-open-orders"},
		{"GET", "/api/get_customer_order_history", "GET /api/get_customer_order_history"},
		{"POST", "/grpc.health.v1.Health/Check", "POST /grpc.health.v1.Health/Check"},
		{"POST", "/google.pubsub.v1.Publisher/ListTopicSubscriptions", "POST /google.pubsub.v1.Publisher/ListTopicSubscriptions"},
		{"POST", "/opentelemetry.proto.collector.trace.v1.TraceService/Export", "POST /opentelemetry.proto.collector.trace.v1.TraceService/Export"},
		{"POST", "/iam.v1.IAM/CreateServiceAccountKey", "POST /iam.v1.IAM/CreateServiceAccountKey"},
		{"GET", "/assets/app.3f2a9c1b.js", "GET /assets/app.{id}.js"},
		{"GET", "/assets/main.0a1b2c3d4e.chunk.css", "GET /assets/main.{id}.chunk.css"},
		{"GET", "/js/jquery-3.6.0.min.js", "GET /js/jquery-{id}.min.js"},
		{"GET", "/odata/Orders(17)/Lines", "GET /odata/Orders({id})/Lines"},
		{"GET", "/odata/Customers('ALFKI')", "GET /odata/Customers({id})"},
		{"GET", "/odata/Orders/$count", "GET /odata/Orders/$count"},
		{"POST", "/v1/operations/123:cancel", "POST /v1/operations/{id}:cancel"},
		{"GET", "/iam/arn:aws:iam::123456789012:role/x", "GET /iam/arn:aws:iam::{id}:role/x"},
		{"GET", "/geo/52.52,13.40", "GET /geo/{id}"},
		{"GET", "/ip/10.0.0.1", "GET /ip/{id}"},
		{"GET", "/en-US/oauth2/authorize", "GET /en-US/oauth2/authorize"},
		{"GET", "/k8s/s3/i18n/base64/web3/ipv4", "GET /k8s/s3/i18n/base64/web3/ipv4"},
		{"GET", "/api/v1beta1/getUserById", "GET /api/v1beta1/getUserById"},
		{"GET", "/getUserById2", "GET /getUserById2"},
		{"GET", "/OAuth2ClientV2/token", "GET /OAuth2ClientV2/token"},
		{"GET", "/soap/ListCustomerPaymentMethodsForAccount", "GET /soap/ListCustomerPaymentMethodsForAccount"},
		{"GET", "/report/2024/01/31", "GET /report/{id}/{id}/{id}"},
		{"GET", "/report/2024-W05", "GET /report/{id}-W05"},
		{"GET", "/t/20240131T120000Z", "GET /t/{id}"},
		{"GET", "/t/1706702400", "GET /t/{id}"},
		{"GET", "/reset/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.abc123def456ghi789", "GET /reset/{id}"},
		{"GET", "/b/aGVsbG8gd29ybGQgaGVsbG8_d29ybGQ", "GET /b/{id}"},
		{"GET", "/n/%E4%BD%A0%E5%A5%BD", "GET /n/{id}"},
		{"GET", "/~alice/public", "GET /{id}/public"},
		{"GET", "/wp-content/uploads/2024/01/IMG_20240131_101112.jpg", "GET /wp-content/uploads/{id}/{id}/IMG_{id}.jpg"},
		{"GET", "/wp-admin/admin-ajax.php", "GET /wp-admin/admin-ajax.php"},
		{"GET", "/favicon.ico", "GET /favicon.ico"},
		{"GET", "/.well-known/openid-configuration", "GET /.well-known/openid-configuration"},
		{"GET", "/_bulk", "GET /_bulk"},
		{"GET", "/logstash-2024.01.31/_search", "GET /logstash-{id}/_search"},
		{"GET", "//a///b/", "GET //a///b/"},
		{"GET", "/a/../b/./c", "GET /a/../b/./c"},
		{"GET", "/facade/decade/feed", "GET /facade/decade/feed"},
		{"GET", "/c/0xdeadbeefcafebabe", "GET /c/{id}"},
		{"GET", "/tags/c-sharp", "GET /tags/c-sharp"},
		{"GET", "/u/anna.schmidt/friends", "GET /u/anna.schmidt/friends"},
		{"GET", "/x/ABCDEF12-3456-7890-ABCD-EF1234567890.json", "GET /x/{id}.json"},
		{"GET", "/i/{550e8400-e29b-41d4-a716-446655440000}", "GET /i/{id}"},
		{"GET", "/cat/caf\xc3\xa9/\x1b[31m", "GET /cat/{id}/{id}"},
	};
	char out[256];

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		normalise_http(out, sizeof(out), v[i][0], strlen(v[i][0]), v[i][1], strlen(v[i][1]), false);
		cr_expect_str_eq(out, v[i][2], "%s\n  got  %s\n  want %s", v[i][1], out, v[i][2]);
	}
}
