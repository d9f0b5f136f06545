/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/ladder.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "collect/kernel_can.h"

#define ALL (~0u)

static const struct probe_row rows[] = {
	{ .source = "a", .part = "x", .rung = "tp_btf", .program = "x1", .needs = CAN_TRACE | CAN_TP_BTF, .knows = "type",
	  .group = PROBE_STATE },
	{ .source = "a", .part = "x", .rung = "kprobe", .program = "x2", .also = "x2b", .needs = CAN_TRACE | CAN_KPROBE,
	  .group = PROBE_STATE | PROBE_COPIES },
	{ .source = "a", .part = "x", .rung = "absent", .lacks = "x" },
	{ .source = "a", .part = "y", .rung = "tp_btf", .program = "y1", .needs = CAN_TP_BTF, .group = PROBE_SCHED },
	{ .source = "a", .part = "y", .rung = "/proc", .lacks = "y", .group = PROBE_SCHED },
	{ .source = "a", .part = "cookies", .rung = "cgroup", .program = "c1", .group = PROBE_COOKIES },
	{ .source = "a", .part = "cookies", .rung = "absent", .lacks = "c", .group = PROBE_COOKIES },
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]), X = 0, Y, COOKIES };

static bool known[ROWS];
static struct ladder l;

static void choose(uint32_t can, const char *rungs)
{
	const struct ladder_wish w = { .rungs = rungs };

	memset(known, 1, sizeof(known));
	cr_assert_eq(ladder_choose(&l, rows, ROWS, can, known, &w), 0);
}

static void expect_on(size_t part, const char *rung, const char *why)
{
	cr_expect_str_eq(ladder_row(&l, part)->rung, rung);
	cr_expect_str_eq(l.parts[part].why, why);
}

Test(ladder, takes_the_best)
{
	choose(ALL, NULL);
	cr_assert_eq(l.n, 3);
	expect_on(X, "tp_btf", "");
	expect_on(Y, "tp_btf", "");
	cr_expect(!l.state_in_hash);
	cr_expect(l.parts[COOKIES].idle, "nobody needs them");
}

Test(ladder, says_why_not_a_better_one)
{
	choose(ALL & ~CAN_TP_BTF, NULL);
	expect_on(X, "kprobe", "tp_btf: this kernel has no typed tracepoints");
	expect_on(Y, "/proc", "tp_btf: this kernel has no typed tracepoints");
	choose(CAN_TRACE, NULL);
	expect_on(X, "absent", "tp_btf: this kernel has no typed tracepoints; kprobe: this kernel has none");
	choose(ALL, NULL);
	known[0] = false;
	cr_assert_eq(ladder_choose(&l, rows, ROWS, ALL, known, &(struct ladder_wish){0}), 0);
	expect_on(X, "kprobe", "tp_btf: this kernel does not have it");
}

Test(ladder, one_that_copies_moves_all_states)
{
	choose(ALL & ~CAN_TP_BTF, NULL);
	cr_expect(l.state_in_hash);
	cr_expect(!l.parts[COOKIES].idle);
	choose(ALL & ~CAN_SOCK_STORAGE, NULL);
	cr_expect(l.state_in_hash, "tracing programs cannot reach it");
	cr_expect(l.parts[COOKIES].idle, "but make cookies themselves");
	choose(ALL & ~(CAN_SOCK_STORAGE | CAN_SOCK_COOKIE), NULL);
	cr_expect(!l.parts[COOKIES].idle);
	choose(CAN_TRACE | CAN_TP_BTF, "a=absent");
	cr_expect(!l.state_in_hash, "nobody keeps any");
}

Test(ladder, goes_no_higher_than_wished)
{
	choose(ALL, "b=kprobe,a=kprobe");
	expect_on(X, "kprobe", "tp_btf: left out by --rung");
	expect_on(Y, "tp_btf", "");
	choose(ALL, "a=absent");
	expect_on(X, "absent", "tp_btf: left out by --rung");
	expect_on(Y, "/proc", "tp_btf: left out by --rung");
	choose(ALL & ~CAN_KPROBE, "a=kprobe");
	expect_on(X, "absent", "tp_btf: left out by --rung; kprobe: this kernel has none");
}

Test(ladder, leaves_out_what_an_option_does)
{
	choose(ALL, NULL);
	cr_assert_eq(ladder_choose(&l, rows, ROWS, ALL, known, &(struct ladder_wish){ .no_sched = true }), 0);
	expect_on(X, "tp_btf", "");
	expect_on(Y, "/proc", "tp_btf: left out by option");
}

Test(ladder, steps_down)
{
	choose(ALL, NULL);
	cr_expect(ladder_step_down(&l, "x1", known, "refused"));
	expect_on(X, "kprobe", "tp_btf: refused");
	cr_expect(l.state_in_hash);
	cr_expect(ladder_step_down(&l, "x2b", known, "no such function"), "the second program of a rung");
	expect_on(X, "absent", "tp_btf: refused; kprobe: no such function");
	cr_expect(!ladder_step_down(&l, "x2", known, "again"), "it is not stood on");
	cr_expect(!ladder_step_down(&l, "nobody", known, "unknown"));
}

static void expect_wrong(const char *rungs, const char *part)
{
	const char *bad = NULL;
	size_t len = 0;

	cr_expect_eq(ladder_wish_check(rungs, &bad, &len), -EINVAL, "%s", rungs);
	cr_expect(strlen(part) == len && !strncmp(bad, part, len), "%s: not %.*s", rungs, (int)len, bad);
}

Test(ladder, checks_what_is_wished)
{
	const char *bad;
	size_t len;

	cr_expect_eq(ladder_wish_check("owners=kprobe,sockets=tracepoint,tcp health=absent,btf=absent", &bad, &len), 0);
	cr_expect_eq(ladder_wish_check("", &bad, &len), 0);
	expect_wrong("owners=kprobe,owners=iterator", "owners=iterator");
	expect_wrong("nobody=kprobe", "nobody=kprobe");
	expect_wrong("owners", "owners");
	expect_wrong("btf=file,owners=kprobe", "btf=file");
	expect_wrong("owners=", "owners=");
}

/* Each part of the table has rungs before its last row, which has no program; programs stand in one row only. */
Test(ladder, table_is_sound)
{
	bool all[256];

	memset(all, 1, sizeof(all));
	cr_assert_leq(probe_table_n, 256);
	cr_assert_eq(ladder_choose(&l, probe_table, probe_table_n, ALL, all, &(struct ladder_wish){0}), 0);
	for (size_t i = 0; i < l.n; i++) {
		const struct probe_row *r = &l.rows[l.parts[i].first], *last = r + l.parts[i].n - 1;

		cr_expect_gt(l.parts[i].n, 1, "%s: %s", r->source, r->part);
		cr_expect(!last->program && last->lacks, "%s: %s", r->source, r->part);
		cr_expect_null(r->lacks, "%s: %s: the best lacks nothing", r->source, r->part);
		for (; r < last; r++)
			cr_expect(r->program && r->hook && r->type && r->needs & CAN_BPF, "%s: %s", r->source, r->part);
		for (size_t k = 0; k < i; k++)
			cr_expect(strcmp(l.rows[l.parts[k].first].source, last->source) ||
				  strcmp(l.rows[l.parts[k].first].part, last->part), "rows of %s: %s are apart", last->source,
				  last->part);
	}
	for (size_t i = 0; i < probe_table_n; i++)
		for (size_t k = 0; k < i && probe_table[i].program; k++)
			cr_expect(!probe_table[k].program || strcmp(probe_table[i].program, probe_table[k].program), "%s",
				  probe_table[i].program);
}

Test(kernel_can, knows_an_old_release)
{
	static const struct { const char *release; bool old; } r[] = {
		{ "5.8.0", false }, { "5.8", false }, { "5.10.0-28-cloud-amd64", false }, { "6.1.0", false },
		{ "10.0.1", false }, { "5.7.19", true }, { "5.4.0-150-generic", true }, { "4.18.0-513.el8.x86_64", true },
		{ "4.19", true }, { "3.10.0", true }, { "", false }, { "linux", false }, { "5", false }, { "5.x", false },
	};

	for (size_t i = 0; i < sizeof(r) / sizeof(r[0]); i++)
		cr_expect_eq(kernel_release_is_old(r[i].release), r[i].old, "%s", r[i].release);
}

Test(ladder, what_may_be_wished_is_told)
{
	char list[512];
	bool source;

	cr_expect_str_eq(ladder_wish_choices("owners=bar,x", 10, &source, list, sizeof(list)),
			 "tp_btf, fentry, tracepoint, kprobe, absent");
	cr_expect(source);
	ladder_wish_choices("foo=tp_btf", 10, &source, list, sizeof(list));
	cr_expect_not(source);
	cr_expect_eq(strncmp(list, "packets, sockets, ", 18), 0, "%s", list);
	cr_expect(strstr(list, ", tcp health, ") && strstr(list, ", btf"), "%s", list);
	ladder_wish_choices("owners", 6, &source, list, sizeof(list));
	cr_expect_not(source, "a name alone is no wish");
}
