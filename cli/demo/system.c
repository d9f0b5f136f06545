/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "net.h"
#include "system.h"

/* The last of the paths that match and can be run or entered, "" where none does. */
static void find_program(const char *pattern, char *path, size_t cap)
{
	glob_t found;

	path[0] = '\0';
	if (glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			if (access(found.gl_pathv[i], X_OK) == 0)
				snprintf(path, cap, "%s", found.gl_pathv[i]);
	globfree(&found);
}

int system_init(struct system *s, bool outlives)
{
	ssize_t n;

	*s = (struct system){.dir = "/tmp/rootle-demo.XXXXXX", .outlives = outlives, .clients_fd = -1};
	n = readlink("/proc/self/exe", s->self, sizeof(s->self) - 1);
	if (n < 0)
		return -errno;
	find_program("/usr/lib/postgresql/*/bin", s->postgres_bin, sizeof(s->postgres_bin));
	find_program("/usr/sbin/nginx", s->nginx, sizeof(s->nginx));
	s->database_port = net_free_port();
	s->shop_port = net_free_port();
	s->edge_port = s->nginx[0] ? net_free_port() : s->shop_port;
	if (!mkdtemp(s->dir)) {
		s->dir[0] = '\0';
		return -errno;
	}
	return chmod(s->dir, 0755) ? -errno : 0;
}

static void note_process(const struct system *s, const struct process *p)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/processes", s->dir);
	f = fopen(path, "ae");
	if (!f)
		return;
	fprintf(f, "%d %llu %d %s\n", (int)p->pid, (unsigned long long)p->start, p->end_signal, p->name);
	fclose(f);
}

int system_launch(struct system *s, struct process *p, struct process_spec spec)
{
	char log[64];
	int err;

	snprintf(log, sizeof(log), "%s/%s.log", s->dir, spec.name);
	spec.log = log;
	spec.dir = spec.dir ? spec.dir : s->dir;
	spec.out_fd = spec.out_fd > 0 ? spec.out_fd : -1;
	spec.end_signal = spec.end_signal ? spec.end_signal : SIGTERM;
	spec.outlives = s->outlives;
	err = process_start(&spec, p);
	if (!err)
		note_process(s, p);
	return err;
}

int system_await(const struct process *p, uint16_t port, int timeout_ms)
{
	for (int waited = 0; waited < timeout_ms; waited += 20) {
		int fd = net_connect(port, 1000);

		if (fd >= 0) {
			close(fd);
			return 0;
		}
		if (!process_alive(p))
			return -ECHILD;
		process_sleep(20);
	}
	return -ETIMEDOUT;
}

/* err, with the end of the log in why: the folder will be gone when somebody wants to look. */
static int explain_failure(const struct system *s, int err, const char *name, char *why, size_t cap)
{
	char log[64], buf[8192];
	ssize_t n;

	if (!err)
		return 0;
	snprintf(log, sizeof(log), "%s/%s.log", s->dir, name);
	n = file_read(AT_FDCWD, log, buf, sizeof(buf));
	while (n > 0 && buf[n - 1] == '\n')
		buf[--n] = '\0';
	snprintf(why, cap, "%s did not start: %s%s%s", name, strerror(-err), n > 0 ? ": " : "",
		 n > 200 ? buf + n - 200 : n > 0 ? buf : "");
	return err;
}

int system_start(struct system *s, char *why, size_t cap)
{
	int err;

	if (s->postgres_bin[0])
		err = explain_failure(s, system_start_postgres(s), "postgres", why, cap);
	else
		err = explain_failure(s, system_start_stock_db(s), "stock-db", why, cap);
	if (!err)
		err = explain_failure(s, system_start_shop(s, 1), "shop", why, cap);
	if (!err && s->nginx[0])
		err = explain_failure(s, system_start_nginx(s), "nginx", why, cap);
	if (!err)
		err = explain_failure(s, system_start_clients(s), "clients", why, cap);
	return err;
}

/* The recorder says "recording: FILE" on stderr, which is its log here. */
static bool recorder_ready(const char *log)
{
	char buf[4096];

	return file_read(AT_FDCWD, log, buf, sizeof(buf)) > 0 && strstr(buf, "recording: ");
}

int system_record(struct system *s)
{
	char db[64], log[64], buf[4096];
	int err;

	snprintf(db, sizeof(db), "%s/demo.db", s->dir);
	snprintf(log, sizeof(log), "%s/recorder.log", s->dir);
	err = system_launch(s, &s->recorder, (struct process_spec){.name = "recorder", .file = s->self,
		.argv = ARGV((char *)"rootle", (char *)"record", (char *)"--db", db)});
	for (int waited = 0; !err && waited < 20000; waited += 20, process_sleep(20)) {
		if (recorder_ready(log))
			return 0;
		if (!process_alive(&s->recorder))
			err = -ECHILD;
	}
	if (file_read(AT_FDCWD, log, buf, sizeof(buf)) > 0)
		fputs(buf, stderr);
	return err ? err : -ETIMEDOUT;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

static void remove_all(const char *dir)
{
	char path[160];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/cpu/%s", text_basename(dir));
	rmdir(path);
	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", text_basename(dir));
	rmdir(path);
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void system_done(struct system *s)
{
	struct process *order[] = {&s->recorder, &s->clients, &s->neighbour, &s->edge, &s->shop, &s->database};

	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		process_end(order[i]);
	if (s->clients_fd >= 0)
		close(s->clients_fd);
	if (s->dir[0])
		remove_all(s->dir);
}

/* A list of pids to kill is taken from ourselves only: of our own folder, that nobody else could have written in. */
static bool is_ours(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH));
}

/* dir/processes, without following a link. NULL with errno. */
static FILE *open_list(const char *dir)
{
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), fd = -1;
	FILE *f = NULL;

	if (dirfd < 0)
		return NULL;
	if (is_ours(dirfd, S_IFDIR))
		fd = openat(dirfd, "processes", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	else
		errno = EPERM;
	if (fd >= 0 && !is_ours(fd, S_IFREG))
		errno = EPERM;
	else if (fd >= 0)
		f = fdopen(fd, "r");
	int err = errno;

	if (fd >= 0 && !f)
		close(fd);
	close(dirfd);
	errno = err;
	return f;
}

int system_end(const char *dir)
{
	struct process p[32];
	unsigned long long start_time;
	int n = 0;
	FILE *f;

	if (!text_starts(text_basename(dir), "rootle-demo."))
		return -EINVAL;
	f = open_list(dir);
	if (!f)
		return -errno;
	while (n < 32 && fscanf(f, "%d %llu %d %23s", &p[n].pid, &start_time, &p[n].end_signal, p[n].name) == 4)
		p[n++].start = start_time;
	fclose(f);
	while (n-- > 0)
		if (process_alive(&p[n]))
			process_end(&p[n]);
	remove_all(dir);
	return 0;
}
