/* SPDX-License-Identifier: BSD-2-Clause */
/* The manual's examples run, and the manual knows every table, view and column. */
#include "fixture.h"

#define PAGE TEST_DIR "/../../../man/rootle-schema.5"

TestSuite(schema, .init = dir_make, .fini = dir_remove);

static char *page(void)
{
	FILE *f = fopen(PAGE, "r");
	char *text = calloc(1, 1 << 16);

	cr_assert(f, "%s", PAGE);
	cr_assert_gt(fread(text, 1, (1 << 16) - 1, f), 0);
	fclose(f);
	return text;
}

Test(schema, examples_of_the_manual_run)
{
	char *text = page(), *at = strstr(text, ".Sh EXAMPLES");
	unsigned n = 0;

	record(path_, 30);
	while (at && (at = strstr(at, ".Bd -literal\n"))) {
		char *end = strstr(at, ".Ed");

		*end = '\0';
		query(path_, at + strlen(".Bd -literal\n"));
		at = end + 1;
		n++;
	}
	cr_assert_eq(n, 5, "%u examples", n);
	free(text);
}

Test(schema, the_manual_names_every_table_and_column)
{
	char *text = page();
	sqlite3 *db;
	sqlite3_stmt *q;

	record(path_, 1);
	sqlite3_open(path_, &db);
	cr_assert_eq(sqlite3_prepare_v2(db, "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c "
					    "WHERE m.type IN ('table', 'view')", -1, &q, NULL), SQLITE_OK);
	while (sqlite3_step(q) == SQLITE_ROW)
		for (int i = 0; i < 2; i++)
			cr_expect(strstr(text, (const char *)sqlite3_column_text(q, i)), "%s.%s", sqlite3_column_text(q, 0),
				  sqlite3_column_text(q, 1));
	sqlite3_finalize(q);
	sqlite3_close(db);
	free(text);
}
