/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that are none of ours stay untouched; one writer; odd names; read-only places. */
#include "fixture.h"


TestSuite(open, .init = dir_make, .fini = dir_remove);

static char *slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "r");
	char *buf = malloc(1 << 20);

	*n = f ? fread(buf, 1, 1 << 20, f) : 0;
	if (f)
		fclose(f);
	return buf;
}

/* Neither kind of open takes it, and neither leaves a trace. */
static void refused(const char *path, int code)
{
	struct store_error err = {0};
	struct stat before, after;
	size_t n, m;
	char *was = slurp(path, &n), *is;
	unsigned files = files_in_dir();

	stat(path, &before);
	for (int write = 0; write < 2; write++) {
		struct store_limits limits = {0};

		if (write && code == -ENODATA && before.st_size == 0)
			continue;       /* an empty file is the writer's to fill */
		cr_assert_null(write ? store_open_writer(path, &limits, &err) : store_open_reader(path, &err));
		cr_assert_eq(err.code, code, "%s: %d, not %d: %s", path, err.code, code, err.text);
		cr_assert(err.text[0] && !strchr(err.text, '\n'), "one line: %s", err.text);
	}
	stat(path, &after);
	is = slurp(path, &m);
	cr_assert(n == m && memcmp(was, is, n) == 0, "%s was written to", path);
	cr_assert_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec, "%s was touched", path);
	cr_assert_eq(files_in_dir(), files, "litter beside %s", path);
	free(was);
	free(is);
}

static void patch(const char *path, off_t at, const void *bytes, size_t n)
{
	int fd = open(path, O_WRONLY);

	cr_assert_eq(pwrite(fd, bytes, n, at), (ssize_t)n);
	close(fd);
}

Test(open, missing)
{
	struct store_error err;

	cr_assert_null(store_open_reader(path_, &err));
	cr_assert_eq(err.code, -ENOENT);
	cr_assert_eq(files_in_dir(), 0);
}

Test(open, no_directory)
{
	struct store_limits limits = {0};
	struct store_error err;

	cr_assert_null(store_open_writer("/nonexistent-dir/x.db", &limits, &err));
	cr_assert_eq(err.code, -ENOENT, "%s", err.text);
}

Test(open, empty)
{
	file_write(path_, "", 0);
	refused(path_, -ENODATA);
}

Test(open, text)
{
	char text[4096];

	memset(text, 'x', sizeof(text));
	file_write(path_, text, sizeof(text));
	refused(path_, -EMEDIUMTYPE);
	file_write(path_, "short", 5);
	refused(path_, -EMEDIUMTYPE);
}

Test(open, directory)
{
	struct store_error err;

	cr_assert_null(store_open_reader(dir_, &err));
	cr_assert_eq(err.code, -EISDIR);
}

Test(open, another_programs_database)
{
	sqlite3 *db;

	sqlite3_open(path_, &db);
	sqlite3_exec(db, "CREATE TABLE tick(id); INSERT INTO tick VALUES(1)", NULL, NULL, NULL);
	sqlite3_close(db);
	refused(path_, -EMEDIUMTYPE);
}

Test(open, another_programs_wal_database)
{
	sqlite3 *db;

	sqlite3_open(path_, &db);
	sqlite3_exec(db, "PRAGMA journal_mode = WAL; CREATE TABLE t(x)", NULL, NULL, NULL);
	refused(path_, -EMEDIUMTYPE);
	sqlite3_close(db);
}

Test(open, another_schema)
{
	record(path_, 1);
	patch(path_, 63, "\x07", 1);
	refused(path_, -EPROTO);
}

Test(open, truncated_to_a_page_and_a_half)
{
	record(path_, 5);
	cr_assert_eq(truncate(path_, 6144), 0);
	refused(path_, -ENODATA);
}

Test(open, truncated_to_whole_pages)
{
	struct store_error err;
	unsigned files;

	record(path_, 5);
	cr_assert_eq(truncate(path_, 8192), 0);
	files = files_in_dir();
	cr_assert_null(store_open_reader(path_, &err));
	cr_assert_eq(err.code, -ENODATA, "%s", err.text);
	cr_assert_eq(files_in_dir(), files);
}

Test(open, garbage_behind_a_good_header)
{
	struct store_error err;
	char junk[4096];

	record(path_, 5);
	memset(junk, 0xa5, sizeof(junk));
	patch(path_, 100, junk, sizeof(junk) - 100);
	cr_assert_null(store_open_reader(path_, &err));
	cr_assert_eq(err.code, -ENODATA, "%s", err.text);
}

Test(open, a_device)
{
	struct store_error err;

	cr_assert_null(store_open_reader("/dev/null", &err));
	cr_assert_eq(err.code, -EMEDIUMTYPE, "%s", err.text);
}

Test(open, unreadable)
{
	struct store_error err;
	int status;
	pid_t pid;

	record(path_, 1);
	chmod(path_, 0);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(2);
		_exit(store_open_reader(path_, &err) == NULL && err.code == -EACCES ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	cr_assert_eq(status, 0);
}

Test(open, an_empty_file_is_filled_by_a_writer)
{
	file_write(path_, "", 0);
	record(path_, 1);
	cr_assert_eq(query(path_, "SELECT count(*) FROM tick"), 1);
}

Test(open, second_writer_is_told_the_pid)
{
	struct store *s = writer(path_, (struct store_limits){0}), *r;
	struct store_limits limits = {0};
	struct store_span span;
	struct store_error err;
	char pid[32];

	put(s, 0);
	cr_assert_null(store_open_writer(path_, &limits, &err));
	cr_assert_eq(err.code, -EBUSY);
	snprintf(pid, sizeof(pid), "process %d ", (int)getpid());
	cr_assert(strstr(err.text, pid), "%s", err.text);
	r = reader(path_);
	cr_assert_eq(store_span(r, &span, &err), 0);
	cr_assert_eq(span.writer_pid, (uint32_t)getpid());
	cr_assert_eq(span.ticks, 1);
	store_close(s);
	cr_assert_eq(store_span(r, &span, &err), 0);
	cr_assert_eq(span.writer_pid, 0);
	store_close(r);
}

Test(open, a_stale_lock_file_means_nothing)
{
	file_write(in_dir("r.db.lock"), "4711\n", 5);
	record(path_, 1);
	cr_assert_eq(files_in_dir(), 1, "only the recording is left");
}

Test(open, odd_names)
{
	static const char *const name[] = {"a b.db", "100%25.db", "what?mode=memory.db", "x#y.db", "\xc3\xa4\xff.db", "file:x.db", "-x.db"};

	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
		char full[256];
		struct window *w;

		snprintf(full, sizeof(full), "%s/%s", dir_, name[i]);
		record(full, 2);
		cr_assert_eq(access(full, F_OK), 0, "%s", full);
		w = load(full);
		cr_assert_eq(w->requests.n, 4, "%s", full);
		window_free(w);
	}
	cr_assert_eq(files_in_dir(), sizeof(name) / sizeof(*name));
}

Test(open, mode_is_private_without_the_group)
{
	struct stat st;
	struct store *s;

	umask(0);
	s = writer(path_, (struct store_limits){0});
	put(s, 0);
	stat(path_, &st);
	cr_assert_eq(st.st_mode & 07137, 0, "mode %o", st.st_mode);
	stat(in_dir("r.db-wal"), &st);
	cr_assert_eq(st.st_mode & 07137, 0, "mode of -wal %o", st.st_mode);
	store_close(s);
}

/* As somebody who may read the file and nothing else; 0: it worked. */
static int read_as_nobody(size_t rows)
{
	struct store_error err = {0};
	struct window *w = window_new();
	struct store *s;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(2);
		s = store_open_reader(path_, &err);
		if (!s || store_load(s, 0, INT64_MAX, LOAD_ALL, w, &err) < 0)
			fprintf(stderr, "%s\n", err.text);
		_exit(!s || w->requests.n != rows);
	}
	window_free(w);
	waitpid(pid, &status, 0);
	return status;
}

Test(open, a_settled_file_in_a_read_only_directory)
{
	record(path_, 3);
	chmod(path_, 0444);
	chmod(dir_, 0555);
	cr_assert_eq(read_as_nobody(6), 0);
	chmod(dir_, 0755);
	cr_assert_eq(files_in_dir(), 1);
}

Test(open, a_file_being_written_in_a_read_only_directory)
{
	struct store *s = writer(path_, (struct store_limits){0});

	chmod(path_, 0644);
	put(s, 0);
	chmod(in_dir("r.db-wal"), 0644);
	chmod(in_dir("r.db-shm"), 0644);
	chmod(in_dir("r.db.lock"), 0644);
	chmod(dir_, 0555);
	put(s, 1);
	cr_assert_eq(read_as_nobody(4), 0);
	chmod(dir_, 0755);
	store_close(s);
}

Test(open, reading_leaves_no_trace)
{
	struct stat before, after;
	struct window *w;

	record(path_, 3);
	stat(path_, &before);
	w = load(path_);
	window_free(w);
	stat(path_, &after);
	cr_assert_eq(files_in_dir(), 1);
	cr_assert_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

Test(open, a_symbolic_link_of_another_user)
{
	struct store_limits limits = {0};
	struct store_error err = {0};

	if (geteuid() != 0)
		cr_skip_test("needs root to make a link of another user");
	cr_assert_eq(symlink("/tmp/rootle-elsewhere.db", path_), 0);
	cr_assert_eq(lchown(path_, 65534, 65534), 0);
	cr_assert_null(store_open_writer(path_, &limits, &err));
	cr_assert_eq(err.code, -ELOOP, "%s", err.text);
	cr_assert_neq(access("/tmp/rootle-elsewhere.db", F_OK), 0);
}

/* Two names of one file are one recording: SQLite would keep a -wal for each. */
Test(open, a_second_writer_by_another_name)
{
	struct store *s = writer(path_, (struct store_limits){0});
	char other[PATH_MAX];
	struct store_limits limits = {0};
	struct store_error err = {0};

	put(s, 0);
	snprintf(other, sizeof(other), "%s", in_dir("soft.db"));
	cr_assert_eq(symlink(path_, other), 0);
	cr_assert_null(store_open_writer(other, &limits, &err));
	cr_assert_eq(err.code, -EBUSY, "%s", err.text);
	unlink(other);
	snprintf(other, sizeof(other), "%s", in_dir("hard.db"));
	cr_assert_eq(link(path_, other), 0);
	cr_assert_null(store_open_writer(other, &limits, &err));
	cr_assert_eq(err.code, -EMLINK, "%s", err.text);
	unlink(other);
	store_close(s);
}

Test(open, a_name_is_a_name)
{
	static const char *const name[] = {"file:x", "file:y?mode=memory", ":memory:", "a%41#b"};
	char at[64], cwd[512];

	cr_assert(getcwd(cwd, sizeof(cwd)) && chdir(dir_) == 0);
	for (size_t i = 0; i < sizeof(name) / sizeof(*name); i++) {
		struct store_error err = {0};

		record(name[i], 2);
		cr_assert_eq(access(name[i], F_OK), 0, "%s was written elsewhere", name[i]);
		snprintf(at, sizeof(at), "%s.copy", name[i]);
		struct store *s = reader(name[i]);

		cr_assert_eq(store_snapshot(s, at, 0, INT64_MAX, &err), 0, "%s: %s", name[i], err.text);
		cr_assert_eq(access(at, F_OK), 0, "%s", at);
		store_close(s);
		cr_assert_eq(store_mark(name[i], T0, "x", &err), 0, "%s: %s", name[i], err.text);
	}
	cr_assert_eq(files_in_dir(), 8);
	cr_assert_eq(chdir(cwd), 0);
}

Test(open, a_mark_follows_no_link_of_another)
{
	struct store_error err = {0};

	if (geteuid() != 0)
		cr_skip_test("only root can make a link of another user");
	record(path_, 2);
	cr_assert_eq(symlink(path_, in_dir("link")), 0);
	cr_assert_eq(lchown(in_dir("link"), 65534, 65534), 0);
	cr_assert_eq(store_mark(in_dir("link"), T0, "x", &err), -ELOOP, "%s", err.text);
	cr_assert_eq(query(path_, "SELECT count(*) FROM event WHERE kind = 'mark'"), 0);
}

Test(open, the_writer_is_named_without_opening_the_database)
{
	struct store *s = writer(path_, (struct store_limits){0});

	cr_assert_eq(store_writer_pid(path_), (uint32_t)getpid());
	store_close(s);
	cr_assert_eq(store_writer_pid(path_), 0);
	cr_assert_eq(store_writer_pid(in_dir("nowhere")), 0);
}

/* rm, or mv of another file over it: what is written from then on nobody would ever find. */
Test(open, a_recording_removed_under_its_writer)
{
	struct store *s = writer(path_, (struct store_limits){0});
	struct tick *t = tick_new(NS_PER_S, NS_PER_S);
	struct store_error err = {0};

	put(s, 0);
	cr_assert_eq(unlink(path_), 0);
	cr_assert_eq(store_put_tick(s, t, &err), -ESTALE, "%s", err.text);
	tick_free(t);
	store_close(s);
	cr_assert_eq(files_in_dir(), 0, "no -wal or -shm is left");
}
