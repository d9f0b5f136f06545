/* SPDX-License-Identifier: BSD-2-Clause */
/* A snapshot is one whole private file without secrets. */
#include "fixture.h"

#include "store/scrub.h"

TestSuite(snapshot, .init = dir_make, .fini = dir_remove);

Test(snapshot, is_one_redacted_file)
{
	struct store_error err = {0};
	struct store *s;
	struct window *w;
	struct stat st;
	char cmd[400];

	record(path_, 20);
	s = reader(path_);
	cr_assert_eq(store_snapshot(s, in_dir("s.db"), T0 + 5 * NS_PER_S, T0 + 10 * NS_PER_S, &err), 0, "%s", err.text);
	cr_assert_eq(files_in_dir(), 2);
	cr_assert_eq(store_snapshot(s, in_dir("s.db"), 0, INT64_MAX, &err), -EEXIST);
	store_close(s);
	stat(in_dir("s.db"), &st);
	cr_assert_eq(st.st_mode & 07777, 0600);
	snprintf(cmd, sizeof(cmd), "grep -q hunter2 '%s'", path_);
	cr_assert_eq(system(cmd), 0, "the test's secret is in the recording");
	snprintf(cmd, sizeof(cmd), "grep -q hunter2 '%s'", in_dir("s.db"));
	cr_assert_neq(system(cmd), 0, "the secret is in the snapshot");
	w = load(in_dir("s.db"));
	cr_assert_eq(w->requests.n, 10);
	cr_assert_eq(w->spans.n, 10);
	cr_assert_str_eq(w->processes.v[0].cmdline, "postgres …");
	window_free(w);
	cr_assert(is_whole(in_dir("s.db")));
}

Test(snapshot, scrubbing)
{
	static const char *const text[][2] = {
		{"deployed v1.2.3 of /srv/app/server.py", "deployed v1.2.3 of /srv/app/server.py"},
		{"password=hunter2 x", "password=*** x"},
		{"DB_PASSWORD=hunter2", "DB_PASSWORD=***"},
		{"--token abc", "--token ***"},
		{"Authorization: Bearer abc.def", "Authorization: Bearer ***"},
		{"postgres://bob:pw@db/x", "postgres://bob:***@db/x"},
		{"key AKIAIOSFODNN7EXAMPLE", "key ***"},
		{"sha 0123456789abcdef0123456789abcdef", "sha ***"},
	};
	static const char *const cmd[][2] = {
		{"nginx", "nginx"},
		{"python3 -u /srv/pricing.py --key s3cret", "python3 /srv/pricing.py …"},
		{"mysql -psecret", "mysql …"},
		{"java -Dx=y -jar shop.jar", "java shop.jar"},
	};
	char buf[128];

	for (size_t i = 0; i < sizeof(text) / sizeof(*text); i++)
		cr_expect_str_eq(scrub_text(buf, sizeof(buf), text[i][0]), text[i][1], "%s: %s", text[i][0], buf);
	for (size_t i = 0; i < sizeof(cmd) / sizeof(*cmd); i++)
		cr_expect_str_eq(scrub_cmdline(buf, sizeof(buf), cmd[i][0]), cmd[i][1], "%s: %s", cmd[i][0], buf);
	cr_expect_str_eq(scrub_text(buf, 5, "password=x"), "pass");
}
