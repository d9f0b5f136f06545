/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/host.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Test(host, is_here_by_itself)
{
	struct host h;

	cr_assert_eq(host_find(&h, NULL), 0);
	if (h.moved)
		cr_skip_test("in a container, with the node's /proc at %s", h.proc);
	cr_expect_str_eq(h.proc, "/proc");
	cr_expect_str_eq(h.sys, "/sys");
	cr_expect_eq(h.self, (uint32_t)getpid());
}

Test(host, takes_the_folder_that_is_given)
{
	struct host h;

	cr_assert_eq(host_find(&h, "/"), 0);
	cr_expect_str_eq(h.proc, "/proc");
	cr_expect(!h.moved);
	cr_assert_eq(host_find(&h, "/proc/self/root/"), 0);
	cr_expect_str_eq(h.proc, "/proc/self/root/proc");
	cr_expect_str_eq(h.sys, "/proc/self/root/sys");
	cr_expect(h.moved);
	cr_expect_eq(h.self, (uint32_t)getpid());
}

Test(host, refuses_what_has_no_proc)
{
	char folder[] = "/tmp/rootle.host.XXXXXX", proc[64], longer[2000];
	struct host h;

	cr_assert(mkdtemp(folder));
	cr_expect_eq(host_find(&h, folder), -ENOENT);
	snprintf(proc, sizeof(proc), "%s/proc", folder);
	cr_assert_eq(mkdir(proc, 0700), 0);
	cr_expect_eq(host_find(&h, folder), -ENOENT, "a folder of that name is no procfs");
	rmdir(proc);
	rmdir(folder);
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	cr_expect_eq(host_find(&h, longer), -ENAMETOOLONG);
}
