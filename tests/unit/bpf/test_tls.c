/* SPDX-License-Identifier: BSD-2-Clause */
/* Which connection a TLS library's object is taken for. */
#include <criterion/criterion.h>

#include <stdint.h>

#include "bpf/tls.h"

static void end_call(struct tls_conn *c, uint64_t used, uint64_t read_before)
{
	struct tls_call call = {.cookie = used, .last_read = read_before};

	tls_bind(c, &call);
	cr_assert_eq(call.last_read, 0, "a read is believed once");
}

Test(tls, a_socket_used_within_the_call_decides)
{
	struct tls_conn c = {0};

	end_call(&c, 7, 9);
	cr_assert_eq(c.cookie, 7);
	c.seq[0] = 100;
	end_call(&c, 0, 9);
	cr_assert_eq(c.cookie, 7, "buffered bytes of a connection that is known");
	cr_assert_eq(c.seq[0], 100);
	end_call(&c, 7, 0);
	cr_assert_eq(c.seq[0], 100);
}

Test(tls, another_socket_is_another_connection)
{
	struct tls_conn c = {0};

	end_call(&c, 7, 0);
	c.seq[0] = c.seq[1] = 100;
	c.rd_tid = 3;
	end_call(&c, 8, 0);
	cr_assert_eq(c.cookie, 8);
	cr_assert_eq(c.seq[0] + c.seq[1] + c.rd_tid, 0);
}

Test(tls, a_library_on_memory_follows_the_reads_of_its_thread)
{
	struct tls_conn c = {0};

	end_call(&c, 0, 0);
	cr_assert_eq(c.cookie, 0);
	end_call(&c, 0, 5);
	cr_assert_eq(c.cookie, 5);
	c.seq[1] = 10;
	end_call(&c, 0, 0);
	cr_assert_eq(c.cookie, 5);
	cr_assert_eq(c.seq[1], 10);
	end_call(&c, 0, 6);
	cr_assert_eq(c.cookie, 6);
	cr_assert_eq(c.seq[1], 0);
}
