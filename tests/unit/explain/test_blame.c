/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of a cause has to be possible: along the calls, before the onset, on this node, and no more than was seen. */
#include <criterion/criterion.h>

#include "explain/explain.h"
#include "scenario.h"
#include "show.h"

static const struct question any;

static const struct incident *told(struct report *r)
{
	cr_assert_not_null(r);
	show_report(stderr, r);
	cr_assert(r->incidents.n);
	return &r->incidents.v[0];
}

static bool observed(const struct incident *in, const char *what)
{
	size_t i;

	for (i = 0; i < in->observations.n; i++)
		if (strstr(in->observations.v[i], what))
			return true;
	return false;
}

static void process(struct shop *p, int who, uint32_t pid, int from, int until)
{
	struct win_process *x;

	if (!p->w)
		shop_names(p);
	x = vec_push(&p->w->processes);
	*x = (struct win_process){.pid = pid, .service = p->service[who], .comm = "tar", .exe = "/usr/bin/tar",
				  .start_ns = p->start_ns + from * SHOP_SECOND,
				  .end_ns = until ? p->start_ns + until * SHOP_SECOND : 0};
}

static void backup(struct shop *p)
{
	shop_init(p, 3);
	p->state[1][SHOP_POSTGRES].own_ms = 20;
	p->state[1][SHOP_POSTGRES].disk_wait = 1.5;
	p->state[1][SHOP_BATCH].disk_write = 2e8;
	p->state[1][SHOP_NODE].psi_io = 0.7;
}

Test(blame, path_ends_at_the_victim_of_a_neighbour)
{
	const struct incident *in;
	struct report *r;
	struct shop p;

	backup(&p);
	r = explain(shop_play(&p), &any);
	in = told(r);
	cr_assert_str_eq(in->causes.v[0].kind, "disk.neighbour");
	cr_assert_str_eq(in->causes.v[0].service, "backup.sh");
	cr_expect_str_eq(in->causes.v[0].path.v[in->causes.v[0].path.n - 1], "postgres", "nobody calls the backup");
	report_free(r);
	window_free(p.w);
}

Test(blame, process_that_came_later_is_not_named)
{
	const struct incident *in;
	struct report *r;
	struct shop p;

	backup(&p);
	process(&p, SHOP_BATCH, 77, 10, 40);     /* was over */
	process(&p, SHOP_BATCH, 78, 89, 0);      /* did it */
	process(&p, SHOP_BATCH, 79, 130, 0);     /* came later */
	r = explain(shop_play(&p), &any);
	in = told(r);
	cr_assert_str_eq(in->causes.v[0].kind, "disk.neighbour");
	cr_expect(strstr(in->causes.v[0].advice, "-p 78"), "%s", in->causes.v[0].advice);
	report_free(r);
	window_free(p.w);
}

Test(blame, no_process_that_could_have_none_is_named)
{
	const struct incident *in;
	struct report *r;
	struct shop p;

	backup(&p);
	process(&p, SHOP_BATCH, 79, 130, 0);
	r = explain(shop_play(&p), &any);
	in = told(r);
	cr_assert_str_eq(in->causes.v[0].kind, "disk.neighbour");
	cr_expect_null(strstr(in->causes.v[0].advice, "-p "), "%s", in->causes.v[0].advice);
	report_free(r);
	window_free(p.w);
}

/* The payments run elsewhere: that the node is out of CPU as well does not slow them. */
Test(blame, those_elsewhere_do_not_wait_for_our_cpu)
{
	const struct incident *in;
	struct report *r;
	struct shop p;
	size_t i, kept = 0;

	shop_init(&p, 4);
	p.state[1][SHOP_PAYMENTS].own_ms = 80;
	p.state[1][SHOP_BATCH].cpu = 1.9;
	p.state[1][SHOP_NODE].psi_cpu = 0.9;
	shop_names(&p);
	p.w->services.v[p.service[SHOP_PAYMENTS]].kind = "external";
	p.w->services.v[p.service[SHOP_PAYMENTS]].exe = NULL;
	shop_play(&p);
	for (i = 0; i < p.w->points.n; i++)
		if (p.w->series.v[p.w->points.v[i].series].service != p.service[SHOP_PAYMENTS])
			p.w->points.v[kept++] = p.w->points.v[i];
	p.w->points.n = kept;
	r = explain(p.w, &any);
	in = told(r);
	cr_assert(in->causes.n);
	cr_expect_str_eq(in->causes.v[0].kind, "dependency.slow");
	for (i = 0; i < in->causes.n; i++)
		cr_expect_neq(strcmp(in->causes.v[i].kind, "cpu.neighbour"), 0);
	report_free(r);
	window_free(p.w);
}

Test(blame, mark_near_the_onset_is_told)
{
	const struct incident *in;
	struct report *r;
	struct shop p;

	shop_init(&p, 5);
	p.op_factor[1][0] = 60;
	shop_event(&p, 80, SHOP_NODE, "mark", NULL, NULL)->detail = "delay added";
	shop_event(&p, 20, SHOP_NODE, "mark", NULL, NULL)->detail = "long before";
	r = explain(shop_play(&p), &any);
	in = told(r);
	cr_expect(observed(in, "mark: delay added"));
	cr_expect_not(observed(in, "long before"));
	report_free(r);
	window_free(p.w);
}

Test(blame, baseline_without_data_is_replaced_and_said)
{
	const struct incident *in;
	struct question q = {0};
	struct report *r;
	struct shop p;

	shop_init(&p, 6);
	p.op_factor[1][0] = 60;
	q.baseline_since_ns = p.start_ns - 7200 * SHOP_SECOND;
	q.baseline_until_ns = p.start_ns - 3600 * SHOP_SECOND;
	r = explain(shop_play(&p), &q);
	in = told(r);
	cr_expect_str_eq(in->causes.v[0].service, "postgres");
	cr_assert_eq(r->notes.n, 1);
	cr_expect(strstr(r->notes.v[0], "baseline"));
	cr_expect(r->baseline_since_ns >= p.start_ns, "the one that was chosen is reported");
	report_free(r);
	window_free(p.w);
}

/* Answers come as ever; only what the recorder missed seems to be open. */
static size_t seeming_open(double lost)
{
	struct report *r;
	struct shop p;
	size_t i, n;

	shop_init(&p, 7);
	p.fault_s = 1000;
	shop_play(&p);
	for (i = 0; i < p.w->tcp.n; i++)
		if (p.w->tcp.v[i].t_ns >= p.start_ns + 90 * SHOP_SECOND) {
			p.w->tcp.v[i].inflight = 12;
			p.w->tcp.v[i].oldest_ms = 9000;
		}
	p.w->coverage.events = 1e6;
	p.w->coverage.lost_events = lost;
	r = explain(p.w, &any);
	show_report(stderr, r);
	n = r->incidents.n;
	report_free(r);
	window_free(p.w);
	return n;
}

Test(blame, lost_answers_are_no_hanging)
{
	cr_expect_eq(seeming_open(6e4), 0, "6 %% lost");
	cr_expect_eq(seeming_open(0), 1, "nothing lost: it does hang");
}
