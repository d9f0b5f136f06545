/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that SQLite takes for whole and that nevertheless say what cannot be: refused in one line, by every reader. */
#include "fixture.h"

TestSuite(corrupt, .init = dir_make, .fini = dir_remove);

static void sql_into(const char *path, const char *sql)
{
	sqlite3 *db;

	cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK, "%s", path);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static int load_after(const char *sql, struct store_error *err)
{
	struct window *w = window_new();
	struct store *s;
	int rc;

	record(path_, 6);
	sql_into(path_, sql);
	s = reader(path_);
	rc = store_load(s, 0, INT64_MAX, LOAD_ALL, w, err);
	store_close(s);
	window_free(w);
	unlink(path_);
	return rc;
}

Test(corrupt, references_to_nothing)
{
	static const char *const sql[] = {
		"UPDATE requests SET edge = 777", "UPDATE requests SET op = 777", "UPDATE tcp SET edge = 777", "UPDATE tls SET edge = 777",
		"UPDATE point SET series = series + 777", "UPDATE event SET service = 777", "UPDATE process SET service = 777",
		"UPDATE edge SET dst = 99999", "UPDATE edge SET src = 99999", "UPDATE series SET service = 99999",
		"UPDATE requests SET edge = -1", "DELETE FROM service WHERE name = 'postgres'",
	};

	for (size_t i = 0; i < sizeof(sql) / sizeof(*sql); i++) {
		struct store_error err = {0};
		int rc = load_after(sql[i], &err);

		cr_expect_eq(rc, -ENODATA, "%s: %d", sql[i], rc);
		cr_expect(strstr(err.text, "is corrupt") && strstr(err.text, "which is not there"), "%s: %s", sql[i], err.text);
		cr_expect_null(strchr(err.text, '\n'));
	}
}

Test(corrupt, numbers_that_no_row_can_have, .timeout = 10)
{
	struct store_error err = {0};

	cr_assert_eq(load_after("INSERT INTO service(id, name) VALUES(-1, 'x')", &err), -ENODATA);
	cr_assert(strstr(err.text, "is corrupt"), "%s", err.text);
	cr_assert_eq(load_after("UPDATE tick SET dur_ns = -5 WHERE t_ns = (SELECT min(t_ns) + 2000000000 FROM tick)", &err), -ENODATA);
}

Test(corrupt, a_large_number_is_only_a_name, .timeout = 10)
{
	struct store_error err = {0};

	cr_assert_eq(load_after("INSERT INTO service(id, name) VALUES(3000000000, 'x'), (9000000000000000000, 'y')", &err), 0, "%s",
		     err.text);
}
