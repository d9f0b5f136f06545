/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/below.h"

static char root[] = "/tmp/rootle-below-XXXXXX";

static const char *in_root(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

/* A folder as a container's root: a file, and links that lead to it, out of it and to a device. */
static void root_make(void)
{
	int fd;

	cr_assert_not_null(mkdtemp(root));
	fd = open(in_root("file"), O_WRONLY | O_CREAT, 0600);
	cr_assert_eq(write(fd, "mine", 4), 4);
	close(fd);
	cr_assert_eq(symlink("/file", in_root("link")), 0);
	cr_assert_eq(symlink("/dev/null", in_root("device")), 0);
	cr_assert_eq(symlink("../../etc/passwd", in_root("out")), 0);
	cr_assert_eq(mkfifo(in_root("pipe"), 0600), 0);
}

static void root_remove(void)
{
	static const char *const names[] = {"file", "link", "device", "out", "pipe"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_root(names[i]));
	rmdir(root);
}

TestSuite(below, .init = root_make, .fini = root_remove);

Test(below, a_link_leads_below_the_root)
{
	char text[5] = "";
	int fd = below_open(root, "/link");

	cr_assert_geq(fd, 0);
	cr_assert_eq(read(fd, text, 4), 4);
	cr_assert_str_eq(text, "mine");
	close(fd);
}

Test(below, what_the_kernel_makes_is_left_alone)
{
	cr_assert_eq(below_open("/", "/proc/version"), -ENOEXEC);
	cr_assert_eq(below_open("/", "/sys/kernel/mm/transparent_hugepage/enabled") >= 0, 0);
	cr_assert_eq(below_open_dir("/", "/proc"), -ENOTDIR);
}

Test(below, a_directory)
{
	int fd = below_open_dir(root, "/");

	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(below_open_dir(root, "/file"), -ENOTDIR);
	cr_assert_eq(below_open_dir(root, "/nothing"), -ENOENT);
}

Test(below, no_link_leads_out_of_it)
{
	cr_assert_eq(below_open(root, "/device"), -ENOENT);
	cr_assert_eq(below_open(root, "/out"), -ENOENT);
	cr_assert_eq(below_open(root, "/../../etc/passwd"), -ENOENT);
}

/* Opening it would wait for a writer. */
Test(below, what_is_no_file_is_not_opened)
{
	cr_assert_eq(below_open(root, "/pipe"), -ENOEXEC);
	cr_assert_eq(below_open("/", "/dev/null"), -ENOEXEC);
}
