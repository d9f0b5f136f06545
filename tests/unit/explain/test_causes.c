/* SPDX-License-Identifier: BSD-2-Clause */
/* One scenario for each kind of cause that shows it, and one that looks like it and is not. */
#include <criterion/criterion.h>

#include "explain/explain.h"
#include "scenario.h"
#include "show.h"

static struct report *ask(struct shop *p)
{
	static const struct question any;
	struct report *r = explain(shop_play(p), &any);

	cr_assert_not_null(r);
	return r;
}

static const struct cause *first(const struct report *r)
{
	return r->incidents.n && r->incidents.v[0].causes.n ? &r->incidents.v[0].causes.v[0] : NULL;
}

static void forget(struct shop *p, struct report *r)
{
	report_free(r);
	window_free(p->w);
}

/* Plays with five seeds; the first cause has to be of this service and kind in each. */
static void expect(void (*break_it)(struct shop *p), const char *service, const char *kind)
{
	uint64_t seed;

	for (seed = 1; seed <= 5; seed++) {
		const struct cause *c;
		struct report *r;
		struct shop p;

		shop_init(&p, seed);
		break_it(&p);
		r = ask(&p);
		c = first(r);
		if (!c || strcmp(c->service, service) != 0 || strcmp(c->kind, kind) != 0)
			show_report(stderr, r);
		cr_assert(c, "seed %d: no cause, wanted %s %s", (int)seed, service, kind);
		cr_assert_str_eq(c->service, service, "seed %d: %s, wanted %s", (int)seed, c->service, service);
		cr_assert_str_eq(c->kind, kind, "seed %d: %s, wanted %s", (int)seed, c->kind, kind);
		cr_assert(c->confidence > 0.3 && c->confidence < 1, "confidence %f", c->confidence);
		cr_assert_str_eq(r->incidents.v[0].service, "nginx");
		cr_assert(r->incidents.v[0].since_ns >= p.start_ns + (p.fault_s - 6) * SHOP_SECOND &&
			  r->incidents.v[0].since_ns <= p.start_ns + (p.fault_s + 6) * SHOP_SECOND,
			  "seed %d: onset at %.0f s, fault at %d s", (int)seed,
			  (double)(r->incidents.v[0].since_ns - p.start_ns) / SHOP_SECOND, p.fault_s);
		forget(&p, r);
	}
}

/* The kind must not come first, whatever else is said. */
static void expect_not(void (*break_it)(struct shop *p), const char *kind)
{
	uint64_t seed;

	for (seed = 1; seed <= 5; seed++) {
		const struct cause *c;
		struct report *r;
		struct shop p;

		shop_init(&p, seed);
		break_it(&p);
		r = ask(&p);
		c = first(r);
		if (c && !strcmp(c->kind, kind))
			show_report(stderr, r);
		cr_assert(!c || strcmp(c->kind, kind) != 0, "seed %d: %s of %s", (int)seed, kind, c->service);
		forget(&p, r);
	}
}

static void break_index(struct shop *p)
{
	p->op_factor[1][0] = 60;
	p->state[1][SHOP_POSTGRES].cpu = 1.2;
}

Test(causes, slow_query)
{
	expect(break_index, "postgres", "db.slow_query");
}

static void break_backup(struct shop *p)
{
	p->state[1][SHOP_POSTGRES].own_ms = 20;
	p->state[1][SHOP_POSTGRES].disk_wait = 1.5;
	p->state[1][SHOP_BATCH].disk_write = 4e7;
	p->state[1][SHOP_BATCH].disk_wait = 0.8;
	p->state[1][SHOP_NODE].psi_io = 0.5;
}

Test(causes, disk_neighbour)
{
	expect(break_backup, "backup.sh", "disk.neighbour");
}

/* A backup runs, but the disk copes: the index is what is missing. */
static void break_index_during_backup(struct shop *p)
{
	break_index(p);
	p->state[0][SHOP_BATCH].disk_write = p->state[1][SHOP_BATCH].disk_write = 4e7;
}

Test(causes, slow_query_beside_an_old_backup)
{
	expect(break_index_during_backup, "postgres", "db.slow_query");
}

/* A build begins with the fault: it takes CPU and writes, and the database waits for the disk a little, as it then does. */
static void break_index_beside_a_build(struct shop *p)
{
	break_index(p);
	p->state[1][SHOP_POSTGRES].runq = 2.5;
	p->state[1][SHOP_POSTGRES].disk_wait = 0.2;
	p->state[1][SHOP_BATCH].cpu = 1.4;
	p->state[1][SHOP_BATCH].runq = 1.5;
	p->state[1][SHOP_BATCH].disk_write = 8e6;
	p->state[1][SHOP_NODE].psi_cpu = 0.9;
	p->state[1][SHOP_NODE].psi_io = 0.3;
}

Test(causes, slow_query_beside_a_build)
{
	expect(break_index_beside_a_build, "postgres", "db.slow_query");
}

/* A backup takes the disk while another job, on which nobody waits, burns CPU. */
static void break_backup_beside_a_job(struct shop *p)
{
	break_backup(p);
	p->state[1][SHOP_BATCH].cpu = 0.9;
	p->state[1][SHOP_POSTGRES].runq = 0.1;
	p->state[1][SHOP_NODE].psi_cpu = 0.4;
}

Test(causes, disk_neighbour_beside_a_job)
{
	expect(break_backup_beside_a_job, "backup.sh", "disk.neighbour");
}

/* The inventory is what is slow; the database waits for the disk no more than a build makes it. */
static void break_code_beside_a_build(struct shop *p)
{
	p->state[1][SHOP_POSTGRES].own_ms = 3;
	p->state[1][SHOP_POSTGRES].disk_wait = 0.09;
	p->state[1][SHOP_INVENTORY].own_ms = 60;
	p->state[1][SHOP_INVENTORY].cpu = 1.1;
	p->state[1][SHOP_BATCH].disk_write = 2e7;
}

Test(causes, build_that_is_no_disk_neighbour)
{
	expect_not(break_code_beside_a_build, "disk.neighbour");
}

/* The statement takes so long that the inventory gives up and answers with an error. */
static void break_index_until_timeouts(struct shop *p)
{
	p->state[1][SHOP_POSTGRES].cpu = 1.2;
	p->op_factor[1][0] = 3000;
	p->state[1][SHOP_INVENTORY].error_share = 0.5;
}

Test(causes, slow_query_with_timeouts)
{
	expect(break_index_until_timeouts, "postgres", "db.slow_query");
}

static void break_disk(struct shop *p)
{
	p->state[1][SHOP_POSTGRES].own_ms = 20;
	p->state[1][SHOP_POSTGRES].disk_wait = 1.5;
	p->state[1][SHOP_NODE].psi_io = 0.5;
}

Test(causes, disk_slow)
{
	expect(break_disk, "postgres", "disk.slow");
}

static void break_quota(struct shop *p)
{
	p->state[1][SHOP_INVENTORY].own_ms = 60;
	p->state[1][SHOP_INVENTORY].throttled = 0.6;
	p->state[1][SHOP_INVENTORY].cpu = 0.1;
}

/* The caller queues in front of it, 60 % of the wait, and nothing shows that but its own time. */
static void break_quota_with_a_queue(struct shop *p)
{
	break_quota(p);
	p->state[1][SHOP_CHECKOUT].own_ms += 1.6 * p->state[1][SHOP_INVENTORY].own_ms;
}

Test(causes, cpu_throttled_before_a_caller_that_queues)
{
	expect(break_quota_with_a_queue, "inventory.py", "cpu.throttled");
}

Test(causes, cpu_throttled)
{
	expect(break_quota, "inventory.py", "cpu.throttled");
}

Test(causes, change_of_a_limit_is_the_trigger)
{
	struct report *r;
	struct shop p;

	shop_init(&p, 4);
	break_quota(&p);
	shop_event(&p, p.fault_s - 3, SHOP_PAYMENTS, "limit_change", NULL, NULL);
	shop_event(&p, p.fault_s - 2, SHOP_INVENTORY, "limit_change", NULL, NULL);
	r = ask(&p);
	cr_assert(first(r));
	cr_assert_str_eq(first(r)->kind, "cpu.throttled");
	cr_assert(first(r)->trigger, "no trigger");
	cr_assert_eq(first(r)->trigger->service, p.service[SHOP_INVENTORY]);
	forget(&p, r);
}

/* Always throttled a bit, and that is not what changed. */
static void break_index_of_throttled(struct shop *p)
{
	break_index(p);
	p->state[0][SHOP_POSTGRES].throttled = p->state[1][SHOP_POSTGRES].throttled = 0.1;
}

Test(causes, throttled_as_ever)
{
	expect_not(break_index_of_throttled, "cpu.throttled");
}

static void break_hog(struct shop *p)
{
	static const int victim[] = {SHOP_NGINX, SHOP_CHECKOUT, SHOP_INVENTORY, SHOP_POSTGRES, SHOP_PAYMENTS};
	size_t i;

	for (i = 0; i < sizeof(victim) / sizeof(*victim); i++) {
		p->state[1][victim[i]].own_ms *= 5;
		p->state[1][victim[i]].runq = 0.5;
	}
	p->state[1][SHOP_BATCH].cpu = 1.6;
	p->state[1][SHOP_NODE].psi_cpu = 0.8;
}

Test(causes, cpu_neighbour)
{
	expect(break_hog, "backup.sh", "cpu.neighbour");
}

/* A job burns CPU that nobody misses. */
static void break_index_beside_a_job(struct shop *p)
{
	break_index(p);
	p->state[1][SHOP_BATCH].cpu = 0.9;
}

Test(causes, cpu_job_that_harms_nobody)
{
	expect_not(break_index_beside_a_job, "cpu.neighbour");
}

static void break_payments(struct shop *p)
{
	p->state[1][SHOP_PAYMENTS].refuses = true;
	shop_event(p, p->fault_s, SHOP_PAYMENTS, "exit", NULL, NULL);
}

Test(causes, dependency_down)
{
	expect(break_payments, "payments", "dependency.down");
}

/* A worker of payments comes and goes while the database is what is slow. */
static void break_index_worker_exits(struct shop *p)
{
	break_index(p);
	shop_event(p, p->fault_s - 1, SHOP_PAYMENTS, "exit", NULL, NULL);
	shop_event(p, p->fault_s - 1, SHOP_POSTGRES, "exit", NULL, NULL);
}

Test(causes, worker_that_exits)
{
	expect_not(break_index_worker_exits, "dependency.down");
}

static void break_stop(struct shop *p)
{
	p->state[1][SHOP_INVENTORY].hangs = true;
	p->state[1][SHOP_INVENTORY].stopped = 1;
}

Test(causes, dependency_hung)
{
	expect(break_stop, "inventory.py", "dependency.hung");
}

/* As above, but the caller has four connections: what else waits, waits in the caller and fails there. */
static void narrow_pool(struct shop *p)
{
	size_t i;

	for (i = 0; i < p->w->tcp.n; i++)
		if (p->w->tcp.v[i].edge == p->edge[SHOP_TO_INVENTORY] && p->w->tcp.v[i].inflight > 4)
			p->w->tcp.v[i].inflight = 4;
}

Test(causes, hung_behind_a_narrow_pool)
{
	uint64_t seed;

	for (seed = 1; seed <= 5; seed++) {
		static const struct question any;
		struct report *r;
		struct shop p;

		shop_init(&p, seed);
		break_stop(&p);
		shop_play(&p);
		narrow_pool(&p);
		r = explain(p.w, &any);
		if (!first(r) || strcmp(first(r)->service, "inventory.py") != 0)
			show_report(stderr, r);
		cr_assert(first(r));
		cr_assert_str_eq(first(r)->service, "inventory.py");
		cr_assert_str_eq(first(r)->kind, "dependency.hung");
		forget(&p, r);
	}
}

static void break_stop_unseen(struct shop *p)
{
	p->state[1][SHOP_POSTGRES].hangs = true;
}

Test(causes, dependency_hung_without_process_state)
{
	expect(break_stop_unseen, "postgres", "dependency.hung");
}

static void break_slowly(struct shop *p)
{
	p->state[1][SHOP_INVENTORY].own_ms = 400;
}

Test(causes, slow_is_not_hung)
{
	expect(break_slowly, "inventory.py", "app.slow");
}

static void break_deploy(struct shop *p)
{
	p->state[1][SHOP_CHECKOUT].error_share = 0.05;
	p->state[1][SHOP_CHECKOUT].mem = 1.2e8;
	shop_event(p, p->fault_s - 2, SHOP_CHECKOUT, "restart", "build 1f0c", "build 77aa");
}

Test(causes, deploy_regression)
{
	expect(break_deploy, "checkout.py", "deploy.regression");
}

/* The new version asks the database ten times as often for one request: no call is slower, the service is. */
static void break_deploy_fan_out(struct shop *p)
{
	p->calls_a_request[1] = 20;
	shop_event(p, p->fault_s - 2, SHOP_INVENTORY, "deploy", "v1", "v2");
}

Test(causes, deploy_that_calls_more)
{
	expect(break_deploy_fan_out, "inventory.py", "deploy.regression");
}

static void break_disk_after_decoy(struct shop *p)
{
	break_disk(p);
	shop_event(p, p->fault_s - 4, SHOP_CHECKOUT, "restart", "build 1f0c", "build 1f0c");
	shop_event(p, p->fault_s - 3, SHOP_PAYMENTS, "restart", "build 2", "build 3");
}

static bool ruled_out(const struct report *r, const char *text)
{
	size_t i;

	for (i = 0; i < r->incidents.v[0].ruled_out.n; i++)
		if (strstr(r->incidents.v[0].ruled_out.v[i], text))
			return true;
	return false;
}

/* A build starts and ends compilers by the dozen. */
Test(causes, comings_and_goings_are_summed_up)
{
	struct report *r;
	struct shop p;
	size_t i;

	shop_init(&p, 10);
	break_index(&p);
	for (i = 0; i < 40; i++)
		shop_event(&p, p.fault_s - 40 + (int)i, SHOP_BATCH, "restart", NULL, NULL);
	for (i = 0; i < 4; i++)
		shop_event(&p, p.fault_s - 9 + (int)i, SHOP_POSTGRES, "restart", NULL, NULL);
	r = ask(&p);
	cr_expect(ruled_out(r, "43 other restarts"), "the others are not summed up");
	cr_expect(!ruled_out(r, "restart of backup.sh"), "one that is not on the path is named");
	cr_expect(ruled_out(r, "restart of postgres"), "the one on the path is not named");
	forget(&p, r);
}

Test(causes, deploy_decoys)
{
	struct report *r;
	struct shop p;

	expect(break_disk_after_decoy, "postgres", "disk.slow");
	shop_init(&p, 9);
	break_disk_after_decoy(&p);
	r = ask(&p);
	cr_expect(ruled_out(r, "restart of checkout.py"), "the unchanged redeploy is not mentioned");
	cr_expect(ruled_out(r, "restart of payments"), "the changed, but innocent, redeploy is not mentioned");
	cr_expect(ruled_out(r, "network"), "the network is not ruled out");
	forget(&p, r);
}

static void break_oom(struct shop *p)
{
	p->state[1][SHOP_CHECKOUT].refuses = true;
	p->state[1][SHOP_CHECKOUT].mem = 2e8;
	shop_event(p, p->fault_s, SHOP_CHECKOUT, "oom_kill", NULL, NULL);
	shop_event(p, p->fault_s, SHOP_CHECKOUT, "exit", NULL, NULL);
}

Test(causes, oom_kill)
{
	expect(break_oom, "checkout.py", "mem.oom_kill");
}

/* The kernel killed a job that serves nobody. */
static void break_index_and_kill_job(struct shop *p)
{
	break_index(p);
	shop_event(p, p->fault_s, SHOP_BATCH, "oom_kill", NULL, NULL);
}

Test(causes, oom_kill_elsewhere)
{
	expect_not(break_index_and_kill_job, "mem.oom_kill");
}

static void break_code(struct shop *p)
{
	p->state[1][SHOP_CHECKOUT].own_ms = 40;
	p->state[1][SHOP_CHECKOUT].cpu = 0.9;
}

Test(causes, hot_code)
{
	expect(break_code, "checkout.py", "cpu.hot_code");
}

/* Where checkout.py is found on a CPU, 49 times a second: render() is hot from the fault on. */
static void sample_checkout(struct shop *p)
{
	const uint32_t main_ = window_stack(p->w, WIN_NONE, "main"), serve = window_stack(p->w, main_, "serve");
	const uint32_t parse = window_stack(p->w, serve, "parse"), render = window_stack(p->w, serve, "render");

	p->w->profile_hz = 49;
	for (int i = 0; i < p->seconds; i++) {
		bool sick = i >= p->fault_s;
		const struct { uint32_t stack; double samples; } row[] = {{parse, 8}, {render, sick ? 33 : 4}};

		for (int k = 0; k < 2; k++)
			*vec_push(&p->w->profile) = (struct win_profile){.t_ns = p->start_ns + i * SHOP_SECOND, .dur_ns = SHOP_SECOND,
				.service = p->service[SHOP_CHECKOUT], .pid = 7, .stack = row[k].stack, .samples = row[k].samples};
	}
}

Test(causes, hot_code_by_its_function)
{
	static const struct question any;
	const struct cause *c;
	struct report *r;
	struct shop p;
	bool told = false;

	shop_init(&p, 1);
	break_code(&p);
	shop_play(&p);
	sample_checkout(&p);
	window_sort(p.w);
	r = explain(p.w, &any);
	c = first(r);
	cr_assert(c);
	cr_assert_str_eq(c->kind, "cpu.hot_code");
	cr_assert(strstr(c->summary, ", most of it in render"), "%s", c->summary);
	cr_assert(strstr(c->advice, "rootle profile --service checkout.py"), "%s", c->advice);
	for (size_t i = 0; i < c->evidence.n; i++) {
		const struct evidence *e = &c->evidence.v[i];

		if (!strstr(e->sentence, "main > serve > render"))
			continue;
		told = true;
		cr_assert_float_eq(e->before, 4 / 49.0, 0.02, "%f", e->before);
		cr_assert_float_eq(e->after, 33 / 49.0, 0.12, "%f", e->after);
	}
	cr_assert(told, "no evidence names the hottest stack");
	forget(&p, r);
}

static void break_errors(struct shop *p)
{
	p->state[1][SHOP_PAYMENTS].error_share = 0.3;
}

Test(causes, app_errors)
{
	expect(break_errors, "payments", "app.errors");
}

Test(causes, app_errors_say_how_the_calls_end)
{
	const struct cause *c;
	struct report *r;
	struct shop p;
	bool told = false;

	shop_init(&p, 1);
	break_errors(&p);
	r = ask(&p);
	c = first(r);
	cr_assert_not_null(c);
	for (size_t i = 0; i < c->evidence.n; i++) {
		const struct evidence *e = &c->evidence.v[i];

		if (!strstr(e->sentence, "failed calls of payments end with status 503"))
			continue;
		told = true;
		cr_assert_gt(e->after, 10 * e->before);
	}
	cr_assert(told, "no evidence says how the calls end");
	forget(&p, r);
}

static void break_surge(struct shop *p)
{
	p->rate[1] = 360;
	p->state[1][SHOP_CHECKOUT].own_ms = 50;
	p->state[1][SHOP_CHECKOUT].cpu = 1.2;
	p->state[1][SHOP_CHECKOUT].runq = 0.8;
}

Test(causes, load_surge)
{
	expect(break_surge, "external:10.0.0.9", "load.surge");
}

/* More load that is coped with is no incident. */
Test(causes, more_load_is_fine)
{
	struct report *r;
	struct shop p;

	shop_init(&p, 3);
	p.rate[1] = 85;
	r = ask(&p);
	cr_assert_eq(r->incidents.n, 0);
	forget(&p, r);
}

static void break_outside(struct shop *p)
{
	p->state[1][SHOP_PAYMENTS].own_ms = 300;
	shop_names(p);
	p->w->services.v[p->service[SHOP_PAYMENTS]].kind = "external";
}

Test(causes, dependency_slow)
{
	expect(break_outside, "payments", "dependency.slow");
}

static void break_outside_errors(struct shop *p)
{
	break_outside(p);
	p->state[1][SHOP_PAYMENTS] = p->state[0][SHOP_PAYMENTS];
	p->state[1][SHOP_PAYMENTS].error_share = 0.5;
}

Test(causes, dependency_errors)
{
	expect(break_outside_errors, "payments", "dependency.errors");
}
