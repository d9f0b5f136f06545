/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf_watch.h"

#include <dirent.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mount.h>

/*
 * libbpf makes its system calls through libc's syscall(): this one stands before it, and refuses what a test wants refused.
 */
static const char *refused_program;
static int refused_command = -1, refused_hook = -1;
static long refused_call = -1;

static bool is_refused(long nr, long cmd, const union bpf_attr *attr)
{
	if (nr == refused_call)
		return true;
	if (nr != SYS_bpf)
		return false;
	if (cmd == refused_command || (cmd == BPF_LINK_CREATE && (int)attr->link_create.attach_type == refused_hook))
		return true;
	return cmd == BPF_PROG_LOAD && refused_program && !strncmp(attr->prog_name, refused_program, BPF_OBJ_NAME_LEN - 1);
}

long syscall(long nr, ...)
{
	long a[6], ret;
	va_list ap;

	va_start(ap, nr);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (is_refused(nr, a[0], (const union bpf_attr *)a[1])) {
		errno = EINVAL;
		return -1;
	}
#if defined(__x86_64__)
	register long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];

	__asm__ volatile("syscall" : "=a"(ret)
			 : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a[0], x1 __asm__("x1") = a[1], x2 __asm__("x2") = a[2];
	register long x3 __asm__("x3") = a[3], x4 __asm__("x4") = a[4], x5 __asm__("x5") = a[5];

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	ret = x0;
#else
#error "the system call of this machine"
#endif
	if (ret < 0 && ret > -4096) {
		errno = (int)-ret;
		return -1;
	}
	return ret;
}

static const struct probe_line *line_of(const struct watch *w, const char *program)
{
	for (size_t i = 0; i < w->report.lines.n; i++)
		if (!strcmp(w->report.lines.v[i].program, program))
			return &w->report.lines.v[i];
	cr_assert_fail("no line about %s", program);
	return NULL;
}

static const struct probe_line *line_of_part(const struct watch *w, const char *probe, const char *part)
{
	for (size_t i = 0; i < w->report.lines.n; i++)
		if (!strcmp(w->report.lines.v[i].probe, probe) && !strcmp(w->report.lines.v[i].part, part))
			return &w->report.lines.v[i];
	cr_assert_fail("no line about %s of %s", part, probe);
	return NULL;
}

static int lines_on(const struct watch *w)
{
	int n = 0;

	for (size_t i = 0; i < w->report.lines.n; i++)
		n += w->report.lines.v[i].state == PROBE_ON;
	return n;
}

static void expect_absent(const struct watch *w, const char *program)
{
	const struct probe_line *l = line_of(w, program);

	cr_expect_eq(l->state, PROBE_ABSENT);
	cr_expect_str_eq(l->rung, "absent");
	cr_expect(l->lacks && *l->lacks, "says what is not known without %s", program);
	cr_expect(l->why && *l->why, "says why %s is not there", program);
}

/* A connection with some bytes is told of, or not. */
static void expect_traffic(struct watch *w, int data)
{
	struct pair p = pair_make(AF_INET);

	cr_assert_eq(write(p.near, "hello", 5), 5);
	pair_close(&p);
	watch_drain(w);
	cr_expect_eq(data_find(w, p.near_cookie, DIR_OUT, NULL), data);
	cr_expect_eq(conn_count(w, (struct conn_want){.what = CONN_CLOSE, .cookie = p.near_cookie}), 1);
}

Test(bpf_life, everything_is_on_here)
{
	struct watch w;

	watch_open(&w, NULL);
	for (size_t i = 0; i < w.report.lines.n; i++) {
		const struct probe_line *l = &w.report.lines.v[i];

		cr_expect(l->state != PROBE_ON || (!l->lacks && !l->why), "%s: %s", l->program, l->why);
		cr_expect(l->state == PROBE_ON || (l->lacks && l->why), "%s", l->program);
	}
	watch_close(&w);
}

/* A program that the kernel refuses costs its own rung, and nothing else. */
Test(bpf_life, one_program_less)
{
	/* where the state moves to the hash cookies are made beforehand, and TCP health cannot find it there */
	static const struct { const char *program, *probe, *part, *then; int on, more, lacks; } less[] = {
		{"sock_read", "owners", "reads", "tracepoint", 1, 0, 0},
		{"packet_out", "packets", "sent", "cgroup_skb-plain", 1, 0, 1},
		{"sock_existing", "existing sockets", "sockets", "sock_diag", 0, -1, 1},
	};
	struct watch w;

	for (size_t i = 0; i < sizeof(less) / sizeof(less[0]); i++) {
		const struct probe_line *l;
		int on, all;

		watch_open(&w, NULL);
		all = lines_on(&w);
		watch_close(&w);
		refused_program = less[i].program;
		watch_open(&w, NULL);
		refused_program = NULL;
		l = line_of_part(&w, less[i].probe, less[i].part);
		cr_expect_str_eq(l->rung, less[i].then);
		on = lines_on(&w);
		cr_expect_eq(on, all + less[i].more, "%s alone is missing: %d of %d", less[i].program, on, all);
		cr_expect_eq(l->state == PROBE_ON, less[i].on, "%s", less[i].program);
		cr_expect_eq(!!l->lacks, less[i].lacks, "says what is not known without %s", less[i].program);
		cr_expect(l->why && strstr(l->why, less[i].program), "says why %s is not there: %s", less[i].program, l->why);
		expect_traffic(&w, 1);
		watch_close(&w);
	}
}

Test(bpf_life, one_hook_less)
{
	struct watch w;

	refused_hook = BPF_CGROUP_INET_EGRESS;
	watch_open(&w, NULL);
	refused_hook = -1;
	expect_absent(&w, "packet_out");
	cr_expect_eq(line_of(&w, "packet_in")->state, PROBE_ON);
	expect_traffic(&w, 0);
	watch_close(&w);
}

Test(bpf_life, nothing_can_be_loaded)
{
	struct probe_options o = {0};
	struct probe_report r = {0};
	struct source *s = NULL;

	if (geteuid() != 0)
		cr_skip_test("needs root to come as far as loading");
	refused_command = BPF_PROG_LOAD;
	cr_expect(bpf_source_open(&o, &s, &r) < 0);
	refused_command = -1;
	cr_expect_gt(r.lines.n, 0);
	for (size_t i = 0; i < r.lines.n; i++)
		cr_expect(r.lines.v[i].state != PROBE_ON && r.lines.v[i].why, "%s", r.lines.v[i].program);
	probe_report_done(&r);
}

Test(bpf_life, sets_left_out_on_demand)
{
	const struct probe_options o = {.no_packets = true, .no_sched = true};
	struct watch w;

	watch_open(&w, &o);
	expect_absent(&w, "packet_out");
	expect_absent(&w, "packet_in");
	expect_absent(&w, "task_switched");
	expect_traffic(&w, 0);
	watch_close(&w);
}

/* Runs fn in a child, which does not exit through the test runner; its status. */
static int in_child(int (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (!pid)
		_exit(fn());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "%x", status);
	return WEXITSTATUS(status);
}

static void capabilities_drop(uint64_t drop)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];

	syscall(SYS_capget, &h, d);
	for (int i = 0; i < 2; i++) {
		d[i].effective &= ~(uint32_t)(drop >> 32 * i);
		d[i].permitted &= ~(uint32_t)(drop >> 32 * i);
	}
	syscall(SYS_capset, &h, d);
}

static int without(uint64_t capabilities, const char *name)
{
	struct probe_options o = {0};
	struct probe_report r = {0};
	struct source *s = NULL;
	int bad = 0;

	capabilities_drop(capabilities);
	bad |= bpf_source_open(&o, &s, &r) != -EPERM;
	bad |= (!r.missing_capability || strcmp(r.missing_capability, name)) << 1;
	bad |= !r.lines.n << 2;
	for (size_t i = 0; i < r.lines.n; i++)
		bad |= (r.lines.v[i].state == PROBE_ON || !r.lines.v[i].why) << 3;
	probe_report_done(&r);
	return bad;
}

static int without_bpf(void)
{
	return without(1ull << CAP_BPF | 1ull << CAP_SYS_ADMIN, "CAP_BPF");
}

/* What is left is opened: without CAP_PERFMON there is nothing that would name a service. */
static int partly(uint64_t capabilities, const char *name, const char *lost, const char *kept)
{
	struct probe_options o = {0};
	struct probe_report r = {0};
	struct source *s = NULL;
	int bad = 0;

	capabilities_drop(capabilities | 1ull << CAP_SYS_ADMIN);
	bad |= bpf_source_open(&o, &s, &r) != 0;
	bad |= (!r.missing_capability || strcmp(r.missing_capability, name)) << 1;
	for (size_t i = 0; i < r.lines.n; i++) {
		const struct probe_line *l = &r.lines.v[i];

		bad |= (l->state == PROBE_ON && !strcmp(l->probe, lost)) << 2;
		bad |= (l->state != PROBE_ON && !strcmp(l->probe, kept)) << 3;
		bad |= (l->state != PROBE_ON && (!l->why || !strstr(l->why, "CAP_"))) << 4;
	}
	if (s)
		s->ops->close(s);
	probe_report_done(&r);
	return bad;
}

static int without_perfmon(void)
{
	return without(1ull << CAP_PERFMON | 1ull << CAP_SYS_ADMIN, "CAP_PERFMON");
}

static int without_net_admin(void)
{
	return partly(1ull << CAP_NET_ADMIN, "CAP_NET_ADMIN", "packets", "owners");
}

static int without_all(void)
{
	return without(~0ull, "CAP_BPF");
}

Test(bpf_life, names_the_capability_that_lacks)
{
	if (geteuid() != 0)
		cr_skip_test("needs root to drop one capability at a time");
	cr_expect_eq(in_child(without_bpf), 0);
	cr_expect_eq(in_child(without_perfmon), 0);
	cr_expect_eq(in_child(without_net_admin), 0);
	cr_expect_eq(in_child(without_all), 0);
}

/* With no cgroup v2 mounted anywhere, a mount of our own does. */
static int without_cgroup_mounts(void)
{
	struct watch w;
	char line[4096], point[1024];
	FILE *f;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return 77;
	f = fopen("/proc/self/mountinfo", "re");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %*s %1023s", point) == 1 && umount2(point, MNT_DETACH))
			return 77;
	fclose(f);
	f = fopen("/proc/self/mountinfo", "re");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, " - cgroup2 "))
			return 78;
	fclose(f);
	watch_open(&w, NULL);
	if (line_of(&w, "packet_out")->state != PROBE_ON || line_of(&w, "packet_in")->state != PROBE_ON)
		return 1;
	expect_traffic(&w, 1);
	watch_close(&w);
	return 0;
}

/* Where a mount that is mounted nowhere is refused too (or Linux before 5.2), a child mounts one for a moment. */
static int without_fsopen(void)
{
	refused_call = SYS_fsopen;
	return without_cgroup_mounts();
}

static void expect_cgroup_found(int (*fn)(void))
{
	struct watch w;
	int ret;

	watch_open(&w, NULL);   /* skips where there is nothing to see */
	watch_close(&w);
	ret = in_child(fn);
	if (ret == 77)
		cr_skip_test("cannot unmount cgroup v2 in a mount namespace of its own");
	cr_expect_eq(ret, 0, "%d", ret);
}

Test(bpf_life, finds_cgroup_v2_that_nobody_mounted)
{
	expect_cgroup_found(without_cgroup_mounts);
}

Test(bpf_life, finds_cgroup_v2_without_fsopen)
{
	expect_cgroup_found(without_fsopen);
}

struct ids { uint32_t v[64]; size_t n; };

/* Ids of the programs that a process holds, by program or link. */
static void programs_held(pid_t pid, struct ids *ret)
{
	char path[300], line[256];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	dir = opendir(path);
	cr_assert(dir);
	while ((d = readdir(dir))) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, d->d_name);
		f = fopen(path, "re");
		while (f && fgets(line, sizeof(line), f))
			if (sscanf(line, "prog_id: %u", &ret->v[ret->n]) == 1 && ret->n < 63)
				ret->n++;
		if (f)
			fclose(f);
	}
	closedir(dir);
}

static bool program_lives(uint32_t id)
{
	union bpf_attr attr = {.prog_id = id};
	int fd = syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* The kernel frees programs when it comes to it: after a grace period. */
static void expect_gone(const struct ids *held)
{
	size_t alive = held->n;

	cr_assert_gt(held->n, 10, "%zu programs", held->n);
	for (int i = 0; i < 200 && alive; i++) {
		alive = 0;
		for (size_t k = 0; k < held->n; k++)
			alive += program_lives(held->v[k]);
		if (alive)
			usleep(100000);
	}
	cr_expect_eq(alive, 0, "%zu programs are still there after 20 s", alive);
}

Test(bpf_life, leaves_nothing_when_closed)
{
	struct ids held = {0};
	struct watch w;

	watch_open(&w, NULL);
	programs_held(getpid(), &held);
	watch_close(&w);
	expect_gone(&held);
}

Test(bpf_life, leaves_nothing_when_killed)
{
	struct ids held = {0};
	struct watch w;
	int fds[2];
	pid_t pid;
	char byte;

	watch_open(&w, NULL);
	watch_close(&w);
	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	if (!pid) {
		watch_open(&w, NULL);
		if (write(fds[1], "o", 1) == 1)
			pause();
		_exit(1);
	}
	read_all(fds[0], &byte, 1);
	programs_held(pid, &held);
	for (size_t i = 0; i < held.n; i++)
		cr_expect(program_lives(held.v[i]));
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	expect_gone(&held);
	close(fds[0]);
	close(fds[1]);
}
