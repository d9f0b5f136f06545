/* SPDX-License-Identifier: BSD-2-Clause */
/* kill -9 at any moment, and disks that are full. */
#include "fixture.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

TestSuite(crash, .init = dir_make, .fini = dir_remove, .timeout = 60);

/* Writes for ever and says through the pipe which second is in the file. */
static pid_t start_writer(int *from)
{
	int fd[2];
	pid_t pid;

	cr_assert_eq(pipe(fd), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct store_limits limits = {.raw_ns = 20 * NS_PER_S, .keep_ns = 100 * NS_PER_S};
		struct store_error err = {0};
		struct store *s = store_open_writer(path_, &limits, &err);
		struct store_span span;
		int64_t i = 0;

		if (!s) {
			fprintf(stderr, "%s\n", err.text);
			_exit(2);
		}

		store_span(s, &span, &err);
		if (span.ticks)
			i = (span.last_ns - T0) / NS_PER_S;
		for (;; i++) {
			struct tick *t = tick_make(0);

			t->unix_ns = T0 + i * NS_PER_S;
			if (store_put_tick(s, t, &err) < 0)
				_exit(3);
			tick_free(t);
			if (write(fd[1], &i, sizeof(i)) < 0)
				_exit(4);
		}
	}
	close(fd[1]);
	*from = fd[0];
	return pid;
}

Test(crash, killed_at_any_moment_the_file_is_whole)
{
	int64_t last, told = -1;

	for (int round = 0; round < 15; round++) {
		int fd, status;
		pid_t pid = start_writer(&fd);
		struct window *w;

		usleep((useconds_t)(1000 + round * round * 1700));
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		cr_assert(WIFSIGNALED(status), "round %d: the writer ended by itself: %x", round, status);
		while (read(fd, &last, sizeof(last)) == sizeof(last))
			told = last;
		close(fd);
		if (told < 0)
			continue;
		w = load(path_);
		cr_assert_geq(w->last_ns, T0 + (told + 1) * NS_PER_S, "round %d: second %lld is lost", round, (long long)told);
		cr_assert_leq(w->last_ns, T0 + (told + 2) * NS_PER_S);
		window_free(w);
		cr_assert(is_whole(path_), "round %d", round);
		cr_assert_eq(query(path_, "SELECT count(*) FROM requests WHERE tick NOT IN (SELECT id FROM tick)"), 0);
	}
	cr_assert_gt(told, 0, "the writer never got to write");
}

Test(crash, a_file_size_limit_is_a_full_disk)
{
	struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY};
	struct store *s;
	unsigned failed = 0;
	int64_t i;

	signal(SIGXFSZ, SIG_IGN);
	s = writer(path_, (struct store_limits){0});
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (i = 0; i < 3000; i++)
		failed += put(s, i) == -ENOSPC;
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_FSIZE, &limit);
	cr_assert_lt(failed, 20, "%u of 3000 puts failed: pruning did not make room", failed);
	for (; i < 3010; i++)
		cr_assert_eq(put(s, i), 0);
	store_close(s);
	cr_assert(is_whole(path_));
	cr_assert_gt(query(path_, "SELECT count(*) FROM tick"), 100, "%g ticks are left", query(path_, "SELECT count(*) FROM tick"));
}

Test(crash, a_full_file_system)
{
	struct store_error err = {0};
	struct store_limits limits = {0};
	struct store *s;
	char path[160];
	unsigned failed = 0;

	if (mount("none", dir_, "tmpfs", 0, "size=600k") < 0)
		cr_skip_test("may not mount a tmpfs: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/r.db", dir_);
	s = store_open_writer(path, &limits, &err);
	cr_assert(s, "%s", err.text);
	for (int64_t i = 0; i < 1500; i++)
		failed += put(s, i) == -ENOSPC;
	cr_assert_lt(failed, 20, "%u of 1500 puts failed", failed);
	store_close(s);
	cr_assert(is_whole(path));
	unlink(path);
	umount2(dir_, MNT_DETACH);
}

/* Writes a file until the file system is full. */
static void fill(const char *path)
{
	static const char block[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

static double ticks(const char *path)
{
	return query(path, "SELECT count(*) FROM tick");
}

/* A recording of 200 s under the limits, on a file system of 8 MB that is full then. */
static struct store *record_until_full(struct store_limits limits)
{
	struct store *s;

	if (mount("none", dir_, "tmpfs", 0, "size=8m") < 0)
		cr_skip_test("may not mount a tmpfs: %s", strerror(errno));
	s = writer(path_, limits);
	for (int64_t i = 0; i < 200; i++)
		cr_assert_eq(put(s, i), 0);
	fill(in_dir("filler"));
	return s;
}

static void unmount(void)
{
	dir_remove();
	umount2(dir_, MNT_DETACH);
}

Test(crash, a_full_disk_costs_as_many_ticks_as_come)
{
	struct store *s = record_until_full((struct store_limits){0});
	double before = ticks(path_), during;
	bool tight = false;

	cr_assert_not(store_is_tight(s));
	for (int64_t i = 200; i < 500; i++) {
		cr_assert_eq(put(s, i), 0, "second %lld", (long long)i);
		tight |= store_is_tight(s);
	}
	during = ticks(path_);
	cr_assert(tight, "a full disk is not told");
	cr_assert_geq(during, before - 40, "%g of %g ticks are left", during, before);
	cr_assert_eq(query(path_, "SELECT (max(t_ns) - min(t_ns)) / 1000000000 + 1 - count(*) FROM tick"), 0, "not the oldest went");
	cr_assert_eq(query(path_, "SELECT max(t_ns) / 1000000000 FROM tick"), 1700000499);
	unlink(in_dir("filler"));
	for (int64_t i = 500; i < 600; i++)
		cr_assert_eq(put(s, i), 0);
	cr_assert_eq(ticks(path_), during + 100, "%g ticks, %g before there was space again", ticks(path_), during);
	cr_assert_not(store_is_tight(s));
	store_close(s);
	cr_assert(is_whole(path_));
	unmount();
}

Test(crash, after_a_full_disk_the_file_grows_to_its_limit)
{
	int64_t max = 2 << 20;
	struct store *s = record_until_full((struct store_limits){.max_bytes = max});
	double during, after;

	for (int64_t i = 200; i < 300; i++)
		cr_assert_eq(put(s, i), 0);
	during = ticks(path_);
	unlink(in_dir("filler"));
	for (int64_t i = 300; i < 3000; i++)
		cr_assert_eq(put(s, i), 0);
	after = ticks(path_);
	store_close(s);
	cr_assert_gt(after, 3 * during, "%g ticks, %g while the disk was full", after, during);
	cr_assert_eq(query(path_, "SELECT (max(t_ns) - min(t_ns)) / 1000000000 + 1 - count(*) FROM tick"), 0);
	cr_assert(is_whole(path_));
	unmount();
}
