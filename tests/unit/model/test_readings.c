/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

static void sample_begin(struct world *w, struct sample *s)
{
	memset(s, 0, sizeof(*s));
	s->ts_ns = w->now;
	s->unix_ns = wall(w->now);
	s->node = (struct sample_node){
		.cpus = 2, .cpu_user_ns = w->now, .cpu_idle_ns = w->now, .running = 3, .mem_total_bytes = 1000,
		.mem_available_bytes = 400, .swap_used_bytes = UNKNOWN, .psi_cpu = {UNKNOWN, UNKNOWN},
		.psi_mem = {UNKNOWN, UNKNOWN}, .psi_io = {w->now / 10000, 0},
	};
}

static void sample_end(struct world *w, struct sample *s)
{
	model_sample(w->m, s);
	vec_done(&s->processes);
	vec_done(&s->cgroups);
	vec_done(&s->devices);
	vec_done(&s->interfaces);
}

static struct sample_process *reads(struct world *w, struct sample *s, uint32_t pid, uint64_t cpu_ns)
{
	struct sample_process *p = vec_push(&s->processes);

	*p = (struct sample_process){
		.pid = pid, .start_ticks = world_resolve(w, pid)->start_ticks, .cpu_ns = cpu_ns, .runq_wait_ns = cpu_ns / 10,
		.disk_wait_ns = UNKNOWN, .rss_bytes = 100u << 20, .threads = 4, .fds = 10, .fd_limit = 1024, .state = 'S',
		.cgroup = world_resolve(w, pid)->cgroup,
	};
	return p;
}

static struct sample_cgroup *reads_cgroup(struct sample *s, const char *path, double quota)
{
	struct sample_cgroup *g = vec_push(&s->cgroups);

	*g = (struct sample_cgroup){
		.path = path, .quota_cores = quota, .mem_limit_bytes = UNKNOWN, .psi_mem = {UNKNOWN, UNKNOWN}, .pids = 1,
	};
	return g;
}

static void begin(struct world *w, struct names *n)
{
	memset(n, 0, sizeof(*n));
	world_init(w, 0, 0);
	process(w, 100, 1, "server", "v1");
	process(w, 101, 100, "server", "v1");
	listening(w, 1, 100, "0.0.0.0", 8080);
}

static double value(const struct names *n, const struct tick *t, const char *service, enum metric_id metric)
{
	const struct tick_point *p = point_of(n, t, service, metric);

	return p ? p->value : NAN;
}

/* One reading with these CPU totals of the two processes of the server, then the tick. */
static struct tick *second(struct world *w, struct names *n, uint64_t a, uint64_t b)
{
	struct sample s;
	struct tick *t;

	sample_begin(w, &s);
	reads(w, &s, 100, a);
	reads(w, &s, 101, b)->fds = UINT32_MAX;
	sample_end(w, &s);
	t = tick(w);
	learn(n, t);
	return t;
}

Test(readings, rates_are_differences_and_the_first_reading_gives_none)
{
	struct names n;
	struct world w;
	struct tick *t;

	begin(&w, &n);
	t = second(&w, &n, 500 * S, 900 * S);
	cr_assert(isnan(value(&n, t, "server", M_CPU_CORES)), "no spike from the past");
	cr_assert_eq(value(&n, t, "server", M_MEM_BYTES), 200u << 20);
	cr_assert_eq(value(&n, t, "server", M_PROCESSES), 2);
	cr_assert_eq(value(&n, t, "server", M_FDS), 10);
	cr_assert_eq(point_of(&n, t, "server", M_FDS)->limit, 1024);
	cr_assert_eq(t->processes.n, 0);
	tick_free(t);
	t = second(&w, &n, 500 * S + 300 * MS, 900 * S + 200 * MS);
	cr_assert_float_eq(value(&n, t, "server", M_CPU_CORES), 0.5, 1e-9);
	cr_assert_float_eq(value(&n, t, "server", M_RUNQ_WAIT_S), 0.05, 1e-9);
	cr_assert(isnan(value(&n, t, "server", M_DISK_WAIT_S)), "nobody told");
	cr_assert_float_eq(value(&n, t, "testnode", M_CPU_CORES), 1.0, 1e-9);
	cr_assert_eq(point_of(&n, t, "testnode", M_CPU_CORES)->limit, 2);
	cr_assert_float_eq(value(&n, t, "testnode", M_PSI_IO_SOME_S), 0.1, 1e-6);
	cr_assert(isnan(value(&n, t, "testnode", M_PSI_CPU_SOME_S)));
	cr_assert_eq(value(&n, t, "testnode", M_MEM_BYTES), 600);
	cr_assert_eq(t->processes.n, 2);
	cr_assert_eq(t->processes.v[0].pid, 100, "the heaviest first");
	cr_assert_float_eq(t->processes.v[0].cpu_s, 0.3, 1e-9);
	tick_free(t);
	model_free(w.m);
}

Test(readings, a_counter_that_goes_back_is_no_spike)
{
	struct names n;
	struct world w;
	struct tick *t;

	begin(&w, &n);
	tick_free(second(&w, &n, 500 * S, 900 * S));
	t = second(&w, &n, 1 * S, 900 * S);
	cr_assert_eq(value(&n, t, "server", M_CPU_CORES), 0);
	tick_free(t);
	t = second(&w, &n, 1 * S + 100 * MS, 900 * S);
	cr_assert_float_eq(value(&n, t, "server", M_CPU_CORES), 0.1, 1e-9);
	tick_free(t);
	model_free(w.m);
}

Test(readings, a_new_process_counts_from_zero_and_one_found_late_does_not)
{
	struct names n;
	struct world w;
	struct sample s;
	struct tick *t;
	struct process_ident *old;

	begin(&w, &n);
	tick_free(second(&w, &n, 0, 0));
	old = process(&w, 300, 1, "batch", "");
	old->start_unix_ns = wall(10 * S);              /* began long ago, was not read before */
	process(&w, 301, 1, "burner", "")->start_unix_ns = wall(w.now - 500 * MS);
	sample_begin(&w, &s);
	reads(&w, &s, 300, 777 * S);
	reads(&w, &s, 301, 400 * MS);
	reads(&w, &s, 100, 0);
	reads(&w, &s, 101, 0);
	sample_end(&w, &s);
	t = tick(&w);
	learn(&n, t);
	cr_assert_eq(value(&n, t, "batch", M_CPU_CORES), 0);
	cr_assert_float_eq(value(&n, t, "burner", M_CPU_CORES), 0.4, 1e-9);
	tick_free(t);
	model_free(w.m);
}

Test(readings, a_start_and_an_end_are_seen_without_probes)
{
	const struct tick_event *e = NULL;
	struct names n;
	struct world w;
	struct sample s;
	struct tick *t;
	int i;

	begin(&w, &n);
	tick_free(second(&w, &n, 0, 0));
	process(&w, 301, 1, "burner", "");
	for (i = 0; i < 3 && !e; i++) {
		sample_begin(&w, &s);
		reads(&w, &s, 100, 0);
		reads(&w, &s, 101, 0);
		reads(&w, &s, 301, 400 * MS * (unsigned)(i + 1));
		sample_end(&w, &s);
		t = tick(&w);
		learn(&n, t);
		e = event_of(t, "start");
		if (e)
			cr_assert_str_eq(n.service[e->service], "burner");
		tick_free(t);
	}
	cr_assert_not_null(e, "it worked for a tick");
	tick_free(second(&w, &n, 0, 0));
	t = second(&w, &n, 0, 0);
	e = event_of(t, "exit");
	cr_assert_not_null(e);
	cr_assert_eq(e->pid, 301);
	cr_assert_eq(t->event.n, 1);
	tick_free(t);
	model_free(w.m);
}

/* A second in which this process worked hard. */
static struct tick *worked(struct world *w, uint32_t pid, uint64_t cpu_ns)
{
	struct sample s;

	sample_begin(w, &s);
	reads(w, &s, 100, 0);
	reads(w, &s, 101, 0);
	if (pid)
		reads(w, &s, pid, cpu_ns);
	sample_end(w, &s);
	return tick(w);
}

/* The start of a process is known to 10 ms, and so is the node's: one that followed the reading may seem to be before it. */
Test(readings, a_start_right_behind_a_reading_is_seen)
{
	struct process_ident *i;
	struct names n;
	struct world w;
	struct tick *t;
	int seen = 0;

	begin(&w, &n);
	tick_free(second(&w, &n, 0, 0));
	i = process(&w, 301, 1, "burner", "");
	i->start_unix_ns = wall(w.now - 1 * S - 15 * MS);       /* 15 ms before the reading that it was not in */
	for (int k = 1; k <= 3; k++) {
		t = worked(&w, 301, 400 * MS * (unsigned)k);
		seen += event_of(t, "start") != NULL;
		tick_free(t);
	}
	cr_expect_eq(seen, 1);
	model_free(w.m);
}

/* The kernel adds a child's I/O to its parent's when that waits for it: counted once all the same. */
Test(readings, io_of_children_counts_once)
{
	static const uint64_t parent[] = {0, 0, 0, 50, 50, 53}, child[] = {0, 30, 48};   /* MB so far, a second each */
	double sum[2] = {0, 0};
	struct names n;
	struct world w;
	size_t i;

	begin(&w, &n);
	process(&w, 400, 1, "shell", "v1");
	process(&w, 401, 400, "build", "v1");
	for (i = 0; i < 6; i++) {
		struct sample s;
		struct tick *t;

		sample_begin(&w, &s);
		reads(&w, &s, 400, i * 100 * MS)->write_bytes = parent[i] << 20;
		if (i < 3)
			reads(&w, &s, 401, i * 100 * MS)->write_bytes = child[i] << 20;
		else if (i == 3)
			proc_event(&w, PROC_EXIT, 401, 0, 0);      /* it wrote 2 MB more; its parent has waited */
		sample_end(&w, &s);
		t = tick(&w);
		learn(&n, t);
		for (size_t k = 0; k < 2; k++) {
			const struct tick_point *p = point_of(&n, t, k ? "build" : "shell", M_DISK_WRITE_BYTES);

			sum[k] += p ? p->value : 0;
		}
		tick_free(t);
	}
	cr_assert_float_eq(sum[1] / 1048576, 48, 0.01, "the child's own: %g MB", sum[1] / 1048576);
	cr_assert_float_eq(sum[0] / 1048576, 5, 0.01, "its last 2 MB and the parent's own 3: %g MB", sum[0] / 1048576);
	model_free(w.m);
}

/* compilers, clients, jobs: the same name again and again, perhaps from another folder, is nobody's restart */
Test(readings, a_command_that_is_run_again_only_starts)
{
	unsigned starts = 0;
	struct names n;
	struct world w;
	uint32_t pid;

	begin(&w, &n);
	tick_free(worked(&w, 0, 0));
	for (pid = 300; pid < 304; pid++) {
		uint64_t cpu;

		process(&w, pid, 1, "job", pid % 2 ? "v1" : "v2");
		proc_event(&w, PROC_EXEC, pid, 0, 0);
		for (cpu = 1; cpu < 4; cpu++) {
			struct tick *t = worked(&w, pid, cpu * 500 * MS);
			const struct tick_event *e = event_of(t, "restart") ? event_of(t, "restart") : event_of(t, "deploy");

			cr_assert_null(e, "%s", e ? e->detail : "");
			starts += event_of(t, "start") != NULL;
			tick_free(t);
		}
		proc_event(&w, PROC_EXIT, pid, 0, 0);
		tick_free(worked(&w, 0, 0));
	}
	cr_assert_eq(starts, 4);
	model_free(w.m);
}

Test(readings, a_process_that_was_moved_counts_where_it_is_now)
{
	struct names n;
	struct world w;
	struct sample s;
	struct tick *t = NULL;
	uint64_t i;

	begin(&w, &n);                  /* ident still says where it was at its exec */
	for (i = 0; i < 3; i++) {
		tick_free(t);
		sample_begin(&w, &s);
		reads(&w, &s, 100, 0)->cgroup = "/quota";
		reads_cgroup(&s, "/quota", 0.5)->throttled_ns = i * 200 * MS;
		sample_end(&w, &s);
		t = tick(&w);
		learn(&n, t);
	}
	cr_assert_float_eq(value(&n, t, "server", M_CPU_THROTTLED_S), 0.2, 1e-9);
	tick_free(t);
	model_free(w.m);
}

/* A second with a cgroup of this quota, 40 ms throttled a second. */
static struct tick *throttled(struct world *w, struct names *n, double quota, uint64_t throttled_ns)
{
	struct sample s;
	struct tick *t;

	sample_begin(w, &s);
	reads(w, &s, 100, w->now);
	reads(w, &s, 101, 0);
	reads_cgroup(&s, "/", NAN);
	reads_cgroup(&s, "/grp", quota)->throttled_ns = throttled_ns;
	sample_end(w, &s);
	t = tick(w);
	learn(n, t);
	return t;
}

Test(readings, a_quota_that_changes_is_an_event_and_throttling_is_the_services)
{
	const struct tick_event *e;
	struct names n;
	struct world w;
	struct tick *t;

	begin(&w, &n);
	tick_free(throttled(&w, &n, 2.0, 0));
	t = throttled(&w, &n, 2.0, 0);
	cr_assert_eq(t->event.n, 0);
	cr_assert_eq(value(&n, t, "server", M_CPU_THROTTLED_S), 0);
	cr_assert_eq(point_of(&n, t, "server", M_CPU_THROTTLED_S)->limit, 2.0);
	tick_free(t);
	t = throttled(&w, &n, 0.2, 640 * MS);
	cr_assert_float_eq(value(&n, t, "server", M_CPU_THROTTLED_S), 0.64, 1e-9);
	cr_assert_eq(point_of(&n, t, "server", M_CPU_THROTTLED_S)->limit, 0.2);
	cr_assert_eq(point_of(&n, t, "server", M_CPU_CORES)->limit, 0.2);
	e = event_of(t, "limit_change");
	cr_assert_not_null(e);
	cr_assert_str_eq(n.service[e->service], "server");
	cr_assert_str_eq(e->detail, "CPU quota 2 cores → 0.2 cores of /grp");
	cr_assert_eq(t->cgroups.n, 1);
	cr_assert_str_eq(t->cgroups.v[0].path, "/grp");
	cr_assert_str_eq(n.service[t->cgroups.v[0].service], "server");
	cr_assert_float_eq(t->cgroups.v[0].throttled_s, 0.64, 1e-9);
	tick_free(t);
	model_free(w.m);
}

/* The group was throttled in another life: what it stood still then is not of this second. */
Test(readings, a_quota_that_appears_begins_at_nothing)
{
	struct names n;
	struct world w;
	struct tick *t;

	begin(&w, &n);
	tick_free(throttled(&w, &n, NAN, 0));
	tick_free(throttled(&w, &n, NAN, 0));
	t = throttled(&w, &n, 0.2, 24000 * MS);
	cr_assert_eq(value(&n, t, "server", M_CPU_THROTTLED_S), 0);
	tick_free(t);
	t = throttled(&w, &n, 0.2, 24100 * MS);
	cr_assert_float_eq(value(&n, t, "server", M_CPU_THROTTLED_S), 0.1, 1e-9);
	tick_free(t);
	model_free(w.m);
}

Test(readings, a_limit_of_an_ancestor_holds_and_counts_once)
{
	struct names n;
	struct world w;
	struct sample s;
	struct tick *t;
	uint64_t i;

	begin(&w, &n);
	w.process[0].cgroup = "/pod/a";
	w.process[1].cgroup = "/pod/b";
	for (i = 0; i < 2; i++) {
		sample_begin(&w, &s);
		reads(&w, &s, 100, 0);
		reads(&w, &s, 101, 0);
		reads_cgroup(&s, "/pod", 1.5)->throttled_ns = i * 300 * MS;
		reads_cgroup(&s, "/pod/a", NAN);
		reads_cgroup(&s, "/pod/b", NAN);
		sample_end(&w, &s);
		t = tick(&w);
		learn(&n, t);
		if (i == 1) {
			cr_assert_float_eq(value(&n, t, "server", M_CPU_THROTTLED_S), 0.3, 1e-9);
			cr_assert_eq(point_of(&n, t, "server", M_CPU_THROTTLED_S)->limit, 1.5);
		}
		tick_free(t);
	}
	model_free(w.m);
}

Test(readings, devices_give_what_an_io_took)
{
	struct names n;
	struct world w;
	struct sample s;
	struct tick *t = NULL;
	double await = NAN, busy = NAN;
	uint64_t i;
	size_t k;

	begin(&w, &n);
	for (i = 0; i < 2; i++) {
		struct sample_device *d;
		char name[8] = "sda";

		tick_free(t);
		sample_begin(&w, &s);
		d = vec_push(&s.devices);
		*d = (struct sample_device){.name = name, .reads = 100 + i * 10, .writes = 5, .read_ms = 1000 + i * 50,
					    .busy_ms = i * 1200, .weighted_ms = i * 500};
		sample_end(&w, &s);
		name[0] = 'x';          /* strings of a sample end with it */
		t = tick(&w);
	}
	for (k = 0; k < t->points.n; k++) {
		if (!t->points.v[k].device)
			continue;
		cr_assert_str_eq(t->points.v[k].device, "sda");
		if (t->points.v[k].metric == M_DEV_AWAIT_S)
			await = t->points.v[k].value;
		if (t->points.v[k].metric == M_DEV_BUSY_RATIO)
			busy = t->points.v[k].value;
	}
	cr_assert_float_eq(await, 0.005, 1e-9);
	cr_assert_eq(busy, 1, "never above one");
	tick_free(t);
	model_free(w.m);
}

Test(readings, what_never_changes_comes_every_ten_seconds_after_a_minute)
{
	struct names n;
	struct world w;
	int threads = 0, cpu = 0, i;

	begin(&w, &n);
	for (i = 0; i < 161; i++) {
		struct tick *t = second(&w, &n, 0, 0);

		if (i >= 61) {
			threads += point_of(&n, t, "server", M_THREADS) != NULL;
			cpu += point_of(&n, t, "server", M_CPU_CORES) != NULL;
		}
		tick_free(t);
	}
	cr_assert_eq(cpu, 100);
	cr_assert_geq(threads, 9);
	cr_assert_leq(threads, 11);
	model_free(w.m);
}

Test(readings, memory_that_processes_share_counts_once)
{
	struct sample_process *a, *b;
	struct sample s;
	struct names n;
	struct world w;
	struct tick *t;

	begin(&w, &n);
	sample_begin(&w, &s);
	a = reads(&w, &s, 100, 0);
	a->rss_bytes = 330u << 20;
	a->shared_bytes = 320u << 20;
	b = reads(&w, &s, 101, 0);
	b->rss_bytes = 305u << 20;
	b->shared_bytes = 300u << 20;
	sample_end(&w, &s);
	t = tick(&w);
	learn(&n, t);
	cr_expect_eq(value(&n, t, "server", M_MEM_BYTES), (10 + 5 + 320) << 20, "%g MB",
		     value(&n, t, "server", M_MEM_BYTES) / (1 << 20));
	tick_free(t);
	model_free(w.m);
}
