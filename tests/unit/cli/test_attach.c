/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <unistd.h>

#include "base/vec.h"
#include "cli/attach.h"

static struct options o;
static struct probe_options po;

static void fill(struct number_list *l, uint32_t n)
{
	for (uint32_t i = 1; i <= n; i++)
		*(uint32_t *)vec_push(l) = i;
}

static void done(void)
{
	probe_options_done(&po);
	options_done(&o);
}

Test(attach, the_kernel_gets_what_it_can_hold, .fini = done)
{
	fill(&o.port, KERNEL_FILTER_MAX);
	fill(&o.pid, KERNEL_FILTER_MAX);
	fill(&o.exclude_pid, KERNEL_FILTER_MAX - 1);
	cr_assert_eq(probe_options_from(&po, &o, (uint32_t)getpid()), 0);
	cr_expect_eq(po.only_ports.n, KERNEL_FILTER_MAX);
	cr_expect_eq(po.only_pids.n, KERNEL_FILTER_MAX);
	cr_expect_eq(po.exclude_pids.n, KERNEL_FILTER_MAX);
}

Test(attach, longer_lists_are_left_to_user_space, .fini = done)
{
	fill(&o.port, KERNEL_FILTER_MAX + 1);
	fill(&o.pid, KERNEL_FILTER_MAX + 1);
	fill(&o.exclude_pid, KERNEL_FILTER_MAX);
	cr_assert_eq(probe_options_from(&po, &o, (uint32_t)getpid()), 0);
	cr_expect_eq(po.only_ports.n, 0, "a part of them would hide the rest");
	cr_expect_eq(po.only_pids.n, 0, "a part of them would hide the rest");
	cr_assert_eq(po.exclude_pids.n, KERNEL_FILTER_MAX, "a part of them helps");
	cr_expect_eq(po.exclude_pids.v[0], (uint32_t)getpid(), "the recorder itself always is");
}

static const struct process_ident *unknown(void *arg, uint32_t tgid)
{
	return NULL;
}

Test(attach, user_space_narrows_by_long_lists, .fini = done)
{
	struct ev_conn c = {.h = {.type = EV_CONN, .size = sizeof(c)}, .what = CONN_OWNER, .tgid = 99, .cookie = 5, .lport = 1};
	struct ev_proc p = {.h = {.type = EV_PROC, .size = sizeof(p)}};
	struct attach_filter f;

	fill(&o.pid, 40);
	attach_filter_init(&f, &o, (struct ident_resolver){.resolve = unknown});
	cr_expect_not(attach_wanted(&f, &c.h));
	c.tgid = 40;
	cr_expect(attach_wanted(&f, &c.h));
	cr_expect(attach_wanted(&f, &p.h), "names depend on the records of every process");
	attach_filter_done(&f);
}

/* A UDP socket is as many connections as it has peers: one that is not wanted hides none of the others. */
Test(attach, each_datagram_for_itself, .fini = done)
{
	struct ev_conn c = {.h = {.type = EV_CONN, .size = sizeof(c)}, .what = CONN_OWNER, .cookie = 5, .l4 = L4_UDP, .rport = 53};
	struct ev_datagram d = {.h = {.type = EV_DATAGRAM, .size = sizeof(d)}, .cookie = 5, .rport = 53};
	struct attach_filter f;

	fill(&o.port, 40);      /* 1 to 40 */
	attach_filter_init(&f, &o, (struct ident_resolver){.resolve = unknown});
	cr_expect_not(attach_wanted(&f, &c.h));
	cr_expect_not(attach_wanted(&f, &d.h));
	c.rport = d.rport = 40;
	cr_expect(attach_wanted(&f, &c.h));
	cr_expect(attach_wanted(&f, &d.h));
	attach_filter_done(&f);
}
