/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/ident.h"
#include "collect/name_rules.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[] = "/tmp/rootle-ident-XXXXXX";

/* The kernel shows the new executable before the new arguments. */
static bool has_arguments(pid_t pid)
{
	char path[64], c;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool yes = fd >= 0 && read(fd, &c, 1) == 1;
	if (fd >= 0)
		close(fd);
	return yes;
}

/* Starts argv and waits until it has executed. */
static pid_t spawn(const char *file, const char *const argv[])
{
	char exe[300], want[300], link[64];
	pid_t pid = fork();

	if (pid == 0) {
		if (chdir(dir))
			_exit(126);
		execvp(file, (char *const *)argv);
		_exit(127);
	}
	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	ssize_t own = readlink("/proc/self/exe", want, sizeof(want) - 1);
	for (int i = 0; i < 2000; i++) {
		ssize_t n = readlink(link, exe, sizeof(exe) - 1);
		if (n > 0 && (n != own || memcmp(exe, want, (size_t)n)) && has_arguments(pid))
			break;
		usleep(1000);
	}
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void dir_make(void)
{
	cr_assert(mkdtemp(dir), "%m");
}

static void dir_remove(void)
{
	char cmd[100];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	cr_assert_eq(system(cmd), 0);
}

TestSuite(ident, .init = dir_make, .fini = dir_remove);

static void copy_file(const char *from, const char *to)
{
	char cmd[600];

	snprintf(cmd, sizeof(cmd), "cp %s %s.new && mv %s.new %s", from, to, to, to);
	cr_assert_eq(system(cmd), 0);
}

static struct ev_proc event(uint8_t what, pid_t pid, pid_t parent, const char *path)
{
	struct ev_proc e = { .h = { .type = EV_PROC, .size = sizeof(e) }, .what = what, .tgid = (uint32_t)pid, .ptgid = (uint32_t)parent };
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	e.h.ts_ns = (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
	snprintf((char *)e.path, sizeof(e.path), "%s", path);
	snprintf((char *)e.comm, sizeof(e.comm), "%s", strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	return e;
}

/* The first child of the process; 0: it has none. */
static uint32_t child_of(pid_t pid)
{
	char path[64];
	unsigned child = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *f = fopen(path, "r");
	if (f && fscanf(f, "%u", &child) != 1)
		child = 0;
	if (f)
		fclose(f);
	return child;
}

Test(ident, program_parent_start_and_namespace)
{
	struct ident *t = ident_new("/proc", NULL, 0);
	const char *const argv[] = { "sleep", "30", NULL };
	pid_t pid = spawn("sleep", argv);
	const struct process_ident *p = ident_get(t, (uint32_t)pid);
	struct stat st;

	cr_assert_not_null(p);
	cr_expect_str_eq(p->service, "sleep");
	cr_expect_str_eq(p->cmdline, "sleep 30");
	cr_expect_eq(p->ppid, (uint32_t)getpid());
	cr_expect_eq(strlen(p->version), 16, "version '%s'", p->version);
	cr_expect(p->start_ticks > 0 && time(NULL) - p->start_unix_ns / 1000000000 < 5, "start %ld", (long)p->start_unix_ns);
	cr_assert_eq(stat("/proc/self/ns/net", &st), 0);
	cr_expect_eq(p->netns, (uint32_t)st.st_ino);
	stop(pid);
	p = ident_get(t, (uint32_t)pid);
	cr_expect(p && !strcmp(p->service, "sleep"), "forgotten at its exit");
	ident_free(t);
}

Test(ident, nobody)
{
	struct ident *t = ident_new("/proc", NULL, 0);

	cr_expect_null(ident_get(t, 0));
	cr_expect_null(ident_get(t, 4194303));
	cr_expect_null(ident_new("/nonexistent", NULL, 0));
	ident_free(t);
}

Test(ident, script_and_its_version)
{
	struct ident *t = ident_new("/proc", NULL, 0);
	char path[100];
	const char *const argv[] = { "sh", "job.sh", NULL };
	char first[32];

	snprintf(path, sizeof(path), "%s/job.sh", dir);
	FILE *f = fopen(path, "w");
	fputs("sleep 30 & wait\n", f);
	fclose(f);
	pid_t a = spawn("sh", argv);
	const struct process_ident *p = ident_get(t, (uint32_t)a);
	cr_assert_not_null(p);
	cr_expect_str_eq(p->service, "job.sh");
	snprintf(first, sizeof(first), "%s", p->version);
	stop(a);
	pid_t b = spawn("sh", argv);
	cr_expect_str_eq(ident_get(t, (uint32_t)b)->version, first, "the same script has another version");
	stop(b);
	f = fopen(path, "a");
	fputs("# changed\n", f);
	fclose(f);
	pid_t c = spawn("sh", argv);
	cr_expect_str_neq(ident_get(t, (uint32_t)c)->version, first, "a changed script has the same version");
	stop(c);
	ident_free(t);
}

Test(ident, executable_replaced)
{
	struct ident *t = ident_new("/proc", NULL, 0);
	char path[100];
	const char *const argv[] = { "orders", "30", NULL };
	char first[32];

	snprintf(path, sizeof(path), "%s/orders", dir);
	copy_file("/bin/sleep", path);
	pid_t a = spawn(path, argv);
	const struct process_ident *p = ident_get(t, (uint32_t)a);
	cr_assert_not_null(p);
	snprintf(first, sizeof(first), "%s", p->version);
	copy_file("/bin/sleep", path);
	pid_t b = spawn(path, argv);
	const struct process_ident *q = ident_get(t, (uint32_t)b);
	cr_expect_str_eq(q->service, "orders");
	cr_expect_str_neq(q->version, first, "the version did not change with the file");
	stop(a);
	stop(b);
	ident_free(t);
}

Test(ident, python_script_and_worker)
{
	if (access("/usr/bin/python3", X_OK))
		cr_skip_test("no python3 here");
	struct ident *t = ident_new("/proc", NULL, 0);
	char path[100];
	const char *const argv[] = { "/usr/bin/python3", "-u", "app.py", "--password", "hunter2", NULL };

	snprintf(path, sizeof(path), "%s/app.py", dir);
	FILE *f = fopen(path, "w");
	fputs("import os, subprocess, sys, time\n"
	      "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(30)'])\n"
	      "open('child.tmp', 'w').write(str(p.pid)); os.rename('child.tmp', 'child')\ntime.sleep(30)\n", f);
	fclose(f);
	pid_t pid = spawn("/usr/bin/python3", argv);
	int child = 0;
	snprintf(path, sizeof(path), "%s/child", dir);
	for (int i = 0; i < 500 && !child; i++) {
		f = fopen(path, "r");
		if (f && fscanf(f, "%d", &child) != 1)
			child = 0;
		if (f)
			fclose(f);
		usleep(10000);
	}
	cr_assert(child > 0, "the script did not start");
	usleep(50000);
	const struct process_ident *p = ident_get(t, (uint32_t)pid);
	cr_assert_not_null(p);
	cr_expect_str_eq(p->service, "app.py");
	cr_expect_str_eq(p->cmdline, "/usr/bin/python3 -u app.py --password ***");
	p = ident_get(t, (uint32_t)child);
	cr_assert_not_null(p);
	cr_expect_str_eq(p->service, "app.py", "a worker without a script is %s", p->service);
	kill(child, SIGKILL);
	stop(pid);
	ident_free(t);
}

Test(ident, fork_is_its_parent_until_exec)
{
	struct ident *t = ident_new("/proc", NULL, 0);
	const char *const argv[] = { "sh", "-c", "sleep 30; true", NULL };
	pid_t pid = spawn("sh", argv);
	struct ev_proc e = event(PROC_FORK, 4194300, pid, "");

	ident_event(t, &e);
	const struct process_ident *p = ident_get(t, 4194300);
	cr_assert_not_null(p, "a forked child is not known");
	cr_expect_str_eq(p->service, "sh");
	cr_expect_eq(p->ppid, (uint32_t)pid);
	e = event(PROC_EXEC, 4194300, pid, "/opt/fast");
	ident_event(t, &e);
	e = event(PROC_EXIT, 4194300, pid, "");
	ident_event(t, &e);
	p = ident_get(t, 4194300);
	cr_assert_not_null(p, "a process that was gone at once has no name");
	cr_expect_str_eq(p->service, "fast");
	cr_expect_eq(p->gone, 1);
	ident_expire(t);
	cr_expect_not_null(ident_get(t, 4194300), "forgotten too early");
	ident_expire(t);
	cr_expect_null(ident_get(t, 4194300), "never forgotten");
	stop(pid);
	ident_free(t);
}

Test(ident, children_of_a_server_are_its_own)
{
	struct ident *t = ident_new("/proc", NULL, 0);
	char path[100];
	const char *const argv[] = { "haproxy", "30", NULL };

	snprintf(path, sizeof(path), "%s/haproxy", dir);
	copy_file("/bin/sleep", path);
	pid_t pid = spawn(path, argv);
	struct ev_proc e = event(PROC_FORK, 4194300, pid, "");
	cr_expect_str_eq(ident_get(t, (uint32_t)pid)->service, "haproxy");
	ident_event(t, &e);
	e = event(PROC_EXEC, 4194300, pid, "/bin/cp");
	ident_event(t, &e);
	const struct process_ident *p = ident_get(t, 4194300);
	cr_expect_str_eq(p->service, "haproxy");
	cr_expect_str_eq(p->kind, "proxy");
	stop(pid);
	ident_free(t);
}

Test(ident, pid_reused)
{
	struct ident *t = ident_new("/proc", NULL, 0);
	struct ev_proc e = event(PROC_EXEC, 4194300, 1, "/opt/one");

	ident_event(t, &e);
	const struct process_ident *old = ident_get(t, 4194300);
	cr_expect_str_eq(old->service, "one");
	e = event(PROC_EXIT, 4194300, 1, "");
	ident_event(t, &e);
	e = event(PROC_EXEC, 4194300, 1, "/opt/two");
	ident_event(t, &e);
	cr_expect_str_eq(ident_get(t, 4194300)->service, "two");
	cr_expect_str_eq(old->service, "one", "the old process's strings are gone before the expiry");
	ident_free(t);
}

/* A launcher that has become the server: without events that is found, and told once. */
Test(ident, exec_without_events)
{
	struct ident *t = ident_new("/proc", NULL, 0);
	int gate[2];

	cr_assert_eq(pipe(gate), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(gate[1]);
		(void)!read(gate[0], &gate[0], 1);
		execlp("sleep", "sleep", "30", NULL);
		_exit(127);
	}
	close(gate[0]);
	const struct process_ident *i = ident_get(t, (uint32_t)pid);
	cr_assert(i);
	cr_expect_str_neq(i->service, "sleep");
	cr_expect_not(ident_executed(t, (uint32_t)pid, 1));
	close(gate[1]);
	uint64_t cpu_ns = 2;
	while (!ident_executed(t, (uint32_t)pid, cpu_ns++) && cpu_ns < 5000)
		usleep(1000);
	cr_expect_str_eq(ident_get(t, (uint32_t)pid)->service, "sleep");
	cr_expect_not(ident_executed(t, (uint32_t)pid, UINT64_MAX), "it is told once");
	stop(pid);
	ident_free(t);
}

/* Ten thousand short-lived processes: bounded, and quick. */
Test(ident, spawn_storm_is_bounded)
{
	struct ident *t = ident_new("/proc", NULL, 1000);
	uint32_t known = 0;

	for (int i = 0; i < 10000; i++) {
		struct ev_proc e = event(PROC_EXEC, 4000000 + i, 1, "/opt/storm");
		ident_event(t, &e);
		e = event(PROC_EXIT, 4000000 + i, 1, "");
		ident_event(t, &e);
	}
	for (uint32_t i = 0; i < 10000; i++)
		known += ident_get(t, 4000000 + i) != NULL;
	cr_expect_eq(known, 1000, "%u known", known);
	ident_expire(t);
	ident_expire(t);
	cr_expect_null(ident_get(t, 4000000));
	ident_free(t);
}

Test(ident, kernel_threads)
{
	struct ident *t = ident_new("/proc", NULL, 0);
	const struct process_ident *p = ident_get(t, 2);

	if (!p || strcmp(p->comm, "kthreadd")) {
		ident_free(t);
		cr_skip_test("pid 2 is not kthreadd here");
	}
	cr_expect_str_eq(p->service, "kernel");
	cr_expect_str_eq(p->kind, "node");
	cr_expect_eq(p->kthread, 1);
	ident_free(t);
}

/* Recorders that follow each other write the same identity of a process that goes on. */
Test(ident, start_is_the_same_for_everyone)
{
	int64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK), first = 0;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (int i = 0; i < 20; i++) {
		struct ident *t = ident_new("/proc", NULL, 0);
		const struct process_ident *p = ident_get(t, (uint32_t)getpid());
		cr_assert_not_null(p);
		if (!i)
			first = p->start_unix_ns;
		cr_expect_eq(p->start_unix_ns, first, "%ld ns later", (long)(p->start_unix_ns - first));
		cr_expect_eq(p->start_unix_ns % tick_ns, 0);
		cr_expect_lt(llabs(p->start_unix_ns - (now.tv_sec * 1000000000 + now.tv_nsec)), 10000000000);
		ident_free(t);
		usleep(500);
	}
}

/* A program called conmon that has started another: its arguments say whose that is, whatever cgroup it is in. */
Test(ident, child_of_a_container_monitor)
{
	char monitor[300];
	uint32_t child = 0;

	snprintf(monitor, sizeof(monitor), "%s/conmon", dir);
	copy_file("/bin/dash", monitor);
	const char *const argv[] = { monitor, "-c", "sleep 30 & wait", "-n", "shop-mail", NULL };
	pid_t pid = spawn(monitor, argv);
	struct ident *t = ident_new("/proc", NULL, 0);
	for (int i = 0; i < 2000 && !child; i++, usleep(1000))
		child = child_of(pid);
	cr_assert(child && has_arguments((pid_t)child), "it has no child");
	for (int i = 0; i < 2000 && strcmp(ident_get(t, child)->comm, "sleep"); i++, usleep(1000))
		ident_event(t, &(struct ev_proc){ .h = { .type = EV_PROC, .ts_ns = 1 }, .what = PROC_EXEC, .tgid = child, .ptgid = (uint32_t)pid });
	const struct process_ident *p = ident_get(t, child);
	cr_expect_str_eq(p->service, "shop-mail");
	cr_expect_str_eq(p->why, "Podman container");
	cr_expect_str_eq(ident_get(t, (uint32_t)pid)->service, "conmon");
	kill((pid_t)child, SIGKILL);
	stop(pid);
	ident_free(t);
}

/* Rules see what is known of a process, and its workers have the name too. */
Test(ident, rules)
{
	struct name_rules *rules = name_rules_new();
	struct name_rule rule = { .pattern = { [NAME_IS] = "sleep", [NAME_CMDLINE] = "sleep 3*" }, .name = "nap", .group = true, .where = "F:2" };
	const char *const argv[] = { "sleep", "30", NULL }, *const other[] = { "sleep", "40", NULL };
	pid_t pid = spawn("sleep", argv), second = spawn("sleep", other);
	char why[64];

	cr_assert_eq(name_rules_add(rules, &rule, why, sizeof(why)), 0);
	struct ident *t = ident_new("/proc", rules, 0);
	const struct process_ident *p = ident_get(t, (uint32_t)pid);
	cr_expect_str_eq(p->service, "nap");
	cr_expect_str_eq(p->why, "rule of F:2");
	cr_expect_eq(p->whole, 1);
	cr_expect_str_eq(ident_get(t, (uint32_t)second)->service, "sleep");
	struct process_rename r;
	struct ident_resolver resolver = ident_resolver(t);
	cr_expect_not(resolver.rename(resolver.arg, (uint32_t)second, 80, &r));
	stop(pid);
	stop(second);
	ident_free(t);
	name_rules_free(rules);
}
