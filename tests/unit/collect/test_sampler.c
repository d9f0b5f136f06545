/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/sampler.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "collect/processes.h"
#include "collect/procfs.h"

static char dir[] = "/tmp/rootle-sampler-XXXXXX";

static void run(const char *fmt, ...)
{
	char cmd[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	cr_assert_eq(system(cmd), 0, "%s", cmd);
}

/* A file of the tree, its directories made. */
static void put(const char *path, const char *text)
{
	char full[300];

	snprintf(full, sizeof(full), "%s/%s", dir, path);
	run("mkdir -p $(dirname %s)", full);
	FILE *f = fopen(full, "w");
	cr_assert_not_null(f, "%s: %m", full);
	fputs(text, f);
	fclose(f);
}

static void tree_make(void)
{
	cr_assert(mkdtemp(dir), "%m");
	put("proc/stat", "cpu  100 20 30 400 50 6 7 8 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\n"
			 "intr 5 1 2\nprocs_running 3\n");
	put("proc/meminfo", "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  400 kB\nSwapTotal: 100 kB\nSwapFree: 90 kB\n");
	put("proc/vmstat", "pgfault 9\npgmajfault 77\n");
	put("proc/diskstats", "   8       0 sda 10 1 200 30 40 1 600 70 0 80 90 0 0 0 0 0 0\n   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n");
	put("proc/net/dev", "Inter-|   Receive\n face |bytes\n  eth0: 1000 2 3 4 0 0 0 0 5000 6 7 8 0 0 0 0\n");
	put("proc/net/netstat", "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 22 33\nIpExt: A\nIpExt: 1\n");
	put("proc/net/snmp", "Ip: A\nIp: 1\nTcp: RtoMin OutSegs RetransSegs\nTcp: 200 4000 55\n");
	put("proc/42/stat", "42 (a b) c) S 1 42 42 0 -1 4194304 1 0 9 0 150 50 0 0 20 0 3 0 1234 1000000 256 1 1 1 1 1 1 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n");
	put("proc/42/io", "read_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 4096\n");
	put("proc/42/limits", "Limit  Soft Hard Units\nMax open files            1024                 4096                 files\n");
	put("proc/42/task/42/schedstat", "1 700 3\n");
	put("proc/42/task/43/schedstat", "1 300 3\n");
	run("mkdir -p %s/proc/42/fd %s/sys && touch %s/proc/42/fd/0 %s/proc/42/fd/1 %s/proc/42/fd/2", dir, dir, dir, dir, dir);
}

static void tree_remove(void)
{
	run("rm -rf %s", dir);
}

TestSuite(sampler, .init = tree_make, .fini = tree_remove);

static struct sampler *tree_open(void)
{
	static char proc[100], sys[100];
	struct sampler_options o = { .proc = proc, .sys = sys };

	snprintf(proc, sizeof(proc), "%s/proc", dir);
	snprintf(sys, sizeof(sys), "%s/sys", dir);
	struct sampler *s = sampler_new(&o);
	cr_assert_not_null(s, "%m");
	return s;
}

static bool reported(struct sampler *s, const char *probe, const char *rung)
{
	struct probe_report r = { 0 };
	bool found = false;

	sampler_report(s, &r);
	for (size_t i = 0; i < r.lines.n; i++)
		found |= !strcmp(r.lines.v[i].probe, probe) && !strcmp(r.lines.v[i].rung, rung);
	vec_done(&r.lines);
	return found;
}

Test(sampler, node_without_psi)
{
	struct sampler *s = tree_open();
	struct sample m;
	uint64_t tick = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);

	sample_init(&m);
	cr_assert_eq(sampler_read(s, &m), 0);
	cr_expect_eq(m.node.cpus, 2);
	cr_expect_eq(m.node.cpu_user_ns, 120 * tick);
	cr_expect_eq(m.node.cpu_system_ns, 36 * tick);
	cr_expect_eq(m.node.cpu_softirq_ns, 7 * tick);
	cr_expect_eq(m.node.cpu_steal_ns, 8 * tick);
	cr_expect_eq(m.node.running, 3);
	cr_expect_eq(m.node.mem_available_bytes, 400 * 1024);
	cr_expect_eq(m.node.swap_used_bytes, 10 * 1024);
	cr_expect_eq(m.node.major_faults, 77);
	cr_expect_eq(m.node.psi_cpu.some_us, UNKNOWN);
	cr_expect_eq(m.node.tcp_listen_overflows, 22);
	cr_expect_eq(m.node.tcp_listen_drops, 33);
	cr_expect_eq(m.node.tcp_retrans_segs, 55);
	cr_expect_eq(m.node.tcp_out_segs, 4000);
	cr_assert_eq(m.devices.n, 1, "%zu devices: one without I/O is left out", m.devices.n);
	cr_expect_str_eq(m.devices.v[0].name, "sda");
	cr_expect_eq(m.devices.v[0].read_bytes, 200 * 512);
	cr_expect_eq(m.devices.v[0].write_ms, 70);
	cr_expect_eq(m.devices.v[0].weighted_ms, 90);
	cr_assert_eq(m.interfaces.n, 1);
	cr_expect_eq(m.interfaces.v[0].tx_bytes, 5000);
	cr_expect_eq(m.interfaces.v[0].errors, 10);
	cr_expect(reported(s, "pressure", "absent"), "no word of the missing pressure");
	cr_expect(reported(s, "cgroups", "absent"), "no word of the missing cgroups");
	put("proc/pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=45\n");
	cr_assert_eq(sampler_read(s, &m), 0);
	cr_expect_eq(m.node.psi_io.some_us, 123);
	cr_expect_eq(m.node.psi_io.full_us, 45);
	sample_done(&m);
	sampler_free(s);
}

Test(sampler, process_from_proc)
{
	struct sampler *s = tree_open();
	struct sample m;
	uint64_t tick = 1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK);

	sample_init(&m);
	cr_assert_eq(sampler_read(s, &m), 0);
	cr_assert_eq(m.processes.n, 1);
	const struct sample_process *p = &m.processes.v[0];
	cr_expect_eq(p->pid, 42);
	cr_expect_eq(p->start_ticks, 1234);
	cr_expect_eq(p->cpu_ns, 200 * tick);
	cr_expect_eq(p->runq_wait_ns, 1000, "%lu: both threads", p->runq_wait_ns);
	cr_expect_eq(p->disk_wait_ns, UNKNOWN, "no delay accounting: not zero but unknown");
	cr_expect_eq(p->major_faults, 9);
	cr_expect_eq(p->rss_bytes, 256 * (uint64_t)sysconf(_SC_PAGESIZE));
	cr_expect_eq(p->read_bytes, 4096);
	cr_expect_eq(p->write_bytes, 4096);
	cr_expect_eq(p->threads, 3);
	cr_expect_eq(p->fds, 3);
	cr_expect_eq(p->fd_limit, 1024);
	cr_expect_eq(p->state, 'S');
	cr_expect_null(p->cgroup);
	run("rm -r %s/proc/42/task/43", dir);
	put("proc/42/task/42/schedstat", "1 900 3\n");
	cr_assert_eq(sampler_read(s, &m), 0);
	cr_expect_eq(m.processes.v[0].runq_wait_ns, 1200, "%lu: a thread that ended took its wait along", m.processes.v[0].runq_wait_ns);
	run("rm -r %s/proc/42", dir);
	cr_assert_eq(sampler_read(s, &m), 0);
	cr_expect_eq(m.processes.n, 0);
	sample_done(&m);
	sampler_free(s);
}

Test(sampler, garbage_is_no_failure)
{
	static const char *const files[] = { "proc/stat", "proc/meminfo", "proc/vmstat", "proc/diskstats", "proc/net/dev", "proc/net/snmp",
					     "proc/net/netstat", "proc/42/stat", "proc/42/io", "proc/42/limits", "proc/42/cgroup",
					     "proc/self/mountinfo", "proc/pressure/cpu", "proc/42/task/42/schedstat" };
	static const char *const texts[] = { "", "\n", "cpu", "cpu \ncpu", "42 (", "42 (x) S", "TcpExt: A B ListenDrops\nTcpExt: 1\n",
					     ":::\n", "::\n0::\n", "some total=\n", "99999999999999999999999", " - cgroup", "a - b c d\n" };

	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		for (size_t f = 0; f < sizeof(files) / sizeof(files[0]); f++)
			put(files[f], texts[t]);
		struct sampler *s = tree_open();
		struct sample m;
		sample_init(&m);
		sampler_read(s, &m);
		sampler_read(s, &m);
		cr_expect(m.processes.n <= 1);
		sample_done(&m);
		sampler_free(s);
	}
}

Test(sampler, not_even_the_node)
{
	struct sampler *s = tree_open();
	struct sample m;

	run("rm %s/proc/stat %s/proc/meminfo", dir, dir);
	sample_init(&m);
	cr_expect_eq(sampler_read(s, &m), -ENOENT);
	sample_done(&m);
	sampler_free(s);
}

#define MOUNT(point, type, options) "31 23 0:28 / /sys/fs/cgroup" point " rw - " type " x " options "\n"

Test(sampler, cgroup_v1)
{
	struct sample m;

	put("proc/self/mountinfo", MOUNT("/cpu", "cgroup", "rw,cpu") MOUNT("/cpuacct", "cgroup", "rw,cpuacct")
	    MOUNT("/memory", "cgroup", "rw,memory") MOUNT("/blkio", "cgroup", "rw,blkio") MOUNT("/pids", "cgroup", "rw,pids")
	    MOUNT("/unified", "cgroup2", "rw"));
	put("proc/42/cgroup", "9:name=systemd:/\n8:pids:/shop/api\n7:blkio:/shop/api\n4:memory:/shop/api\n2:cpuacct:/shop/api\n1:cpu:/shop/api\n0::/\n");
	put("sys/fs/cgroup/cpu/shop/cpu.cfs_quota_us", "50000\n");
	put("sys/fs/cgroup/cpu/shop/cpu.cfs_period_us", "100000\n");
	put("sys/fs/cgroup/cpu/shop/cpu.stat", "nr_periods 10\nnr_throttled 4\nthrottled_time 5000\n");
	put("sys/fs/cgroup/cpu/shop/api/cpu.cfs_quota_us", "-1\n");
	put("sys/fs/cgroup/cpuacct/shop/api/cpuacct.usage", "777\n");
	put("sys/fs/cgroup/memory/shop/api/memory.usage_in_bytes", "1000\n");
	put("sys/fs/cgroup/memory/shop/api/memory.stat", "cache 1\ninactive_file 1\ntotal_inactive_file 300\n");
	put("sys/fs/cgroup/memory/shop/api/memory.limit_in_bytes", "9223372036854771712\n");
	put("sys/fs/cgroup/memory/shop/memory.limit_in_bytes", "4096\n");
	put("sys/fs/cgroup/blkio/shop/api/blkio.throttle.io_service_bytes_recursive", "8:0 Read 10\n8:0 Write 20\n8:0 Total 30\n8:16 Read 1\n8:16 Write 2\nTotal 33\n");
	put("sys/fs/cgroup/pids/shop/api/pids.current", "5\n");
	run("mkdir -p %s/sys/fs/cgroup/unified", dir);
	struct sampler *s = tree_open();
	sample_init(&m);
	cr_assert_eq(sampler_read(s, &m), 0);
	cr_assert_eq(m.cgroups.n, 1);
	const struct sample_cgroup *c = &m.cgroups.v[0];
	cr_expect_str_eq(c->path, "/shop/api");
	cr_expect_eq(m.processes.v[0].cgroup, c->path);
	cr_expect_eq(c->cpu_ns, 777);
	cr_expect_float_eq(c->quota_cores, 0.5, 1e-9, "an ancestor's quota is not seen: %g", c->quota_cores);
	cr_expect_eq(c->periods_throttled, 4);
	cr_expect_eq(c->throttled_ns, 5000);
	cr_expect_eq(c->mem_bytes, 700);
	cr_expect_eq(c->mem_limit_bytes, 4096);
	cr_expect_eq(c->read_bytes, 11);
	cr_expect_eq(c->write_bytes, 22);
	cr_expect_eq(c->pids, 5);
	cr_expect_eq(c->psi_cpu.some_us, UNKNOWN);
	cr_expect(reported(s, "cgroups", "hybrid"));
	sample_done(&m);
	sampler_free(s);
}

Test(sampler, cgroup_v2)
{
	struct sample m;

	put("proc/self/mountinfo", MOUNT("", "cgroup2", "rw"));
	put("proc/42/cgroup", "0::/a.slice/b.service\n");
	put("sys/fs/cgroup/a.slice/b.service/cpu.stat", "usage_usec 3\nnr_throttled 2\nthrottled_usec 9\n");
	put("sys/fs/cgroup/a.slice/b.service/cpu.max", "150000 100000\n");
	put("sys/fs/cgroup/a.slice/cpu.max", "max 100000\n");
	put("sys/fs/cgroup/a.slice/b.service/memory.current", "5000\n");
	put("sys/fs/cgroup/a.slice/b.service/memory.stat", "anon 1\ninactive_file 1000\n");
	put("sys/fs/cgroup/a.slice/b.service/memory.max", "max\n");
	put("sys/fs/cgroup/a.slice/b.service/io.stat", "8:0 rbytes=10 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n8:16 rbytes=1 wbytes=2\n");
	put("sys/fs/cgroup/a.slice/b.service/cpu.pressure", "some avg10=0 avg60=0 avg300=0 total=8\n");
	put("sys/fs/cgroup/a.slice/b.service/pids.current", "6\n");
	struct sampler *s = tree_open();
	sample_init(&m);
	cr_assert_eq(sampler_read(s, &m), 0);
	cr_assert_eq(m.cgroups.n, 1);
	const struct sample_cgroup *c = &m.cgroups.v[0];
	cr_expect_str_eq(c->path, "/a.slice/b.service");
	cr_expect_eq(c->cpu_ns, 3000);
	cr_expect_float_eq(c->quota_cores, 1.5, 1e-9);
	cr_expect_eq(c->throttled_ns, 9000);
	cr_expect_eq(c->periods_throttled, 2);
	cr_expect_eq(c->mem_bytes, 4000);
	cr_expect_eq(c->mem_limit_bytes, UNKNOWN);
	cr_expect_eq(c->read_bytes, 11);
	cr_expect_eq(c->write_bytes, 22);
	cr_expect_eq(c->psi_cpu.some_us, 8);
	cr_expect_eq(c->psi_cpu.full_us, UNKNOWN);
	cr_expect_eq(c->pids, 6);
	cr_expect(reported(s, "cgroups", "v2"));
	sample_done(&m);
	sampler_free(s);
}

/* systemd without CPU accounting: the unit names the process, the slice's numbers are not its own. */
Test(sampler, cgroup_hybrid)
{
	struct sample m;

	put("proc/self/mountinfo", MOUNT("/cpu", "cgroup", "rw,cpu,cpuacct") MOUNT("/systemd", "cgroup", "rw,name=systemd"));
	put("proc/42/cgroup", "2:name=systemd:/system.slice/nginx.service\n1:cpu,cpuacct:/system.slice\n");
	put("sys/fs/cgroup/cpu/system.slice/cpuacct.usage", "999999\n");
	run("mkdir -p %s/sys/fs/cgroup/systemd/system.slice", dir);
	struct sampler *s = tree_open();
	sample_init(&m);
	cr_assert_eq(sampler_read(s, &m), 0);
	cr_assert_eq(m.cgroups.n, 1);
	cr_expect_str_eq(m.cgroups.v[0].path, "/system.slice/nginx.service");
	cr_expect_neq(m.cgroups.v[0].cpu_ns, 999999, "the slice's CPU time is given to one unit");
	cr_expect(isnan(m.cgroups.v[0].quota_cores));
	cr_expect_eq(m.cgroups.v[0].mem_bytes, UNKNOWN);
	sample_done(&m);
	sampler_free(s);
}

/* The iterator's records: summed by process, monotonic when threads end, new when the pid is another process's. */
Test(sampler, tasks)
{
	char proc[100];
	struct processes p;
	struct sample m;

	snprintf(proc, sizeof(proc), "%s/proc", dir);
	int fd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(processes_init(&p, fd, 100), 0);
	struct cgroups *c = cgroups_new(fd, dir);
	struct ev_task a = { .tgid = 42, .tid = 42, .start_ns = 5000000000, .oncpu_ns = 100, .runq_ns = 10, .state = 'S', .rss_pages = 5,
			     .anon_pages = 2 };
	struct ev_task b = { .tgid = 42, .tid = 43, .start_ns = 6000000000, .oncpu_ns = 50, .runq_ns = 5, .majflt = 1 };
	sample_init(&m);
	for (int i = 0; i < 4; i++) {
		cgroups_begin(c);
		processes_begin(&p, true);
		vec_reset(&m.processes);
		if (i == 2)
			a.oncpu_ns = 110;
		if (i == 3)
			a.start_ns = 9000000000;
		processes_task(&p, &a);
		if (i < 2)
			processes_task(&p, &b);
		processes_read(&p, c, &m);
		cr_assert_eq(m.processes.n, 1);
		const struct sample_process *row = &m.processes.v[0];
		cr_expect_eq(row->cpu_ns, i < 2 ? 150 : i == 2 ? 160 : 110, "reading %d: %lu ns of CPU", i, row->cpu_ns);
		cr_expect_eq(row->runq_wait_ns, i < 3 ? 15 : 10, "reading %d: %lu ns waited", i, row->runq_wait_ns);
		cr_expect_eq(row->threads, i < 2 ? 2 : 1);
		cr_expect_eq(row->disk_wait_ns, UNKNOWN);
		cr_expect_eq(row->shared_bytes, 3 * (uint64_t)sysconf(_SC_PAGESIZE));
		cr_expect_eq(row->start_ticks, (i < 3 ? 5 : 9) * (uint64_t)sysconf(_SC_CLK_TCK));
	}
	sample_done(&m);
	processes_done(&p);
	cgroups_free(c);
	close(fd);
}

/* One process in one reading: of the leader and, where it has one, of a thread. */
static struct sample_process waits_read(struct processes *p, struct cgroups *c, struct sample *m, const struct ev_task *leader,
					const struct ev_task *thread)
{
	cgroups_begin(c);
	processes_begin(p, true);
	vec_reset(&m->processes);
	processes_task(p, leader);
	if (thread)
		processes_task(p, thread);
	processes_read(p, c, m);
	cr_assert_eq(m->processes.n, 1);
	return m->processes.v[0];
}

/* A thread that ends leaves what it waited to its leader: counted once, whatever the iterator sees first. */
Test(sampler, waits)
{
	char proc[100];
	struct processes p;
	struct sample m;
	struct sample_process row;

	snprintf(proc, sizeof(proc), "%s/proc", dir);
	int fd = open(proc, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(processes_init(&p, fd, 100), 0);
	struct cgroups *c = cgroups_new(fd, dir);
	struct ev_task a = { .tgid = 42, .tid = 42, .start_ns = 5000000000, .runq_ns = 10, .state = 'S' };
	struct ev_task b = { .tgid = 42, .tid = 43, .start_ns = 6000000000, .runq_ns = 30, .state = 'S' };

	sample_init(&m);
	row = waits_read(&p, c, &m, &a, NULL);
	cr_expect_eq(row.waited_ns[WAITED_FUTEX], UNKNOWN, "nobody has waited: there may be no probe");
	b.wait_ns[WAIT_FUTEX] = 100;
	b.wait_ns[WAIT_IO] = 7;
	b.wait_ns[WAIT_THROTTLED] = 20;
	row = waits_read(&p, c, &m, &a, &b);
	cr_expect_eq(row.waited_ns[WAITED_FUTEX], 100);
	cr_expect_eq(row.waited_ns[WAITED_IO], 7);
	cr_expect_eq(row.disk_wait_ns, 7);
	cr_expect_eq(row.waited_ns[WAITED_THROTTLED], 20);
	cr_expect_eq(row.runq_wait_ns, 20, "without what it was throttled");
	b.wait_ns[WAIT_FUTEX] = 95;
	row = waits_read(&p, c, &m, &a, &b);
	cr_expect_eq(row.waited_ns[WAITED_FUTEX], 100, "it was in the run queue already: %lu", row.waited_ns[WAITED_FUTEX]);
	/* the thread ended at 150, after the leader had been looked at */
	row = waits_read(&p, c, &m, &a, NULL);
	cr_expect_eq(row.waited_ns[WAITED_FUTEX], 100, "%lu", row.waited_ns[WAITED_FUTEX]);
	a.wait_ns[WAIT_FUTEX] = 150;
	a.wait_ns[WAIT_IO] = 7;
	a.wait_ns[WAIT_THROTTLED] = 20;
	a.runq_ns = 10 + 30;
	row = waits_read(&p, c, &m, &a, NULL);
	cr_expect_eq(row.waited_ns[WAITED_FUTEX], 150, "%lu", row.waited_ns[WAITED_FUTEX]);
	cr_expect_eq(row.waited_ns[WAITED_IO], 7, "%lu", row.waited_ns[WAITED_IO]);
	cr_expect_eq(row.runq_wait_ns, 20, "%lu", row.runq_wait_ns);
	/* another one that nobody saw live */
	a.wait_ns[WAIT_FUTEX] = 190;
	row = waits_read(&p, c, &m, &a, NULL);
	cr_expect_eq(row.waited_ns[WAITED_FUTEX], 190, "%lu", row.waited_ns[WAITED_FUTEX]);
	sample_done(&m);
	processes_done(&p);
	cgroups_free(c);
	close(fd);
}

static const struct sample_process *process_find(const struct sample *m, pid_t pid)
{
	for (size_t i = 0; i < m->processes.n; i++)
		if (m->processes.v[i].pid == (uint32_t)pid)
			return &m->processes.v[i];
	return NULL;
}

/* Against getrusage of this very process: CPU, threads, descriptors. */
Test(sampler, live)
{
	struct sampler_options o = { 0 };
	struct sampler *s = sampler_new(&o);
	struct timespec ts;
	struct sample m;
	int extra[10];

	sample_init(&m);
	cr_assert_eq(sampler_read(s, &m), 0);
	const struct sample_process *p = process_find(&m, getpid());
	cr_assert_not_null(p);
	uint32_t fds = p->fds;
	uint64_t before = p->cpu_ns;
	for (int i = 0; i < 10; i++)
		extra[i] = open("/dev/null", O_RDONLY);
	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	while ((uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec < before + 50000000);
	cr_assert_eq(sampler_read(s, &m), 0);
	p = process_find(&m, getpid());
	cr_expect(p->cpu_ns - before >= 49000000 && p->cpu_ns - before < 200000000, "%lu ns of 50 ms", p->cpu_ns - before);
	cr_expect(p->fds >= fds + 10 && p->fds < fds + 40, "%u, then %u descriptors", fds, p->fds);
	cr_expect_neq(p->fd_limit, 0);
	cr_expect(p->shared_bytes > 0 && p->shared_bytes < p->rss_bytes, "%lu of %lu bytes are shared", p->shared_bytes,
		  p->rss_bytes);
	cr_expect(m.node.mem_total_bytes > m.node.mem_available_bytes);
	cr_expect_eq(m.node.cpus, (uint32_t)sysconf(_SC_NPROCESSORS_ONLN));
	for (int i = 0; i < 10; i++)
		close(extra[i]);
	sample_done(&m);
	sampler_free(s);
}

/* In a pid namespace of its own, with its /proc: 0 where the report says so, 1 where not, 2 where none can be made. */
static int report_in_namespace(void)
{
	struct probe_report r = { 0 };
	int status = 0;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return 2;
	pid_t pid = fork();
	if (pid == 0) {
		if (mount("proc", "/proc", "proc", 0, NULL))
			_exit(2);
		struct sampler *s = sampler_new(&(struct sampler_options){ 0 });
		sampler_report(s, &r);
		_exit(r.lines.n && !strcmp(r.lines.v[0].probe, "pid namespace") ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

Test(sampler, tells_of_a_pid_namespace)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(report_in_namespace());
	waitpid(pid, &status, 0);
	cr_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		cr_skip_test("no namespaces can be made here");
	cr_expect_eq(WEXITSTATUS(status), 0, "nothing is said of the namespace");
}
