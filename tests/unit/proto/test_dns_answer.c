/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "proto/dns_answer.h"

/* WWW.shop.test: a CNAME of 30 s to a.shop.test, which has 192.0.2.1 and 192.0.2.2 for 60 s. */
static const char chain[] = "\0\7\x81\x80\0\1\0\3\0\0\0\0\3WWW\4shop\4test\0\0\1\0\1"
			    "\xc0\x0c\0\5\0\1\0\0\0\x1e\0\4\1a\xc0\x10"
			    "\xc0\x2b\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
			    "\1a\xc0\x10\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\2";

Test(dns_answer, a_chain_of_names_is_the_one_that_was_asked_for)
{
	struct dns_answer a;

	cr_assert(dns_answer_read((const uint8_t *)chain, sizeof(chain) - 1, &a));
	cr_assert_str_eq(a.name, "www.shop.test");
	cr_assert_eq(a.n, 2);
	cr_assert_eq(a.ttl_s, 30);
	cr_assert_eq(a.ip[0][15], 1);
	cr_assert_eq(a.ip[1][15], 2);
	cr_assert_eq(a.ip[1][11], 0xff);
}

Test(dns_answer, every_prefix_and_every_changed_byte_stays_within_its_bounds)
{
	size_t n = sizeof(chain) - 1;
	struct dns_answer a;

	for (size_t cut = 0; cut <= n; cut++) {
		uint8_t *p = malloc(cut ? cut : 1);

		memcpy(p, chain, cut);
		dns_answer_read(p, cut, &a);
		free(p);
	}
	for (size_t i = 0; i < n; i++)
		for (unsigned v = 0; v < 256; v++) {
			uint8_t *p = malloc(n);

			memcpy(p, chain, n);
			p[i] = (uint8_t)v;
			if (dns_answer_read(p, n, &a))
				for (const char *c = a.name; *c; c++)
					cr_assert(strchr("abcdefghijklmnopqrstuvwxyz0123456789-_.", *c));
			free(p);
		}
}

Test(dns_answer, questions_failures_and_other_records_are_none)
{
	static const char question[] = "\0\7\1\0\0\1\0\0\0\0\0\0\4shop\4test\0\0\1\0\1", text[] =
		"\0\7\x81\x80\0\1\0\1\0\0\0\0\4shop\4test\0\0\x10\0\1\xc0\x0c\0\x10\0\1\0\0\0\x3c\0\3\2hi";
	char failed[sizeof(chain)];
	struct dns_answer a;

	cr_assert_not(dns_answer_read((const uint8_t *)question, sizeof(question) - 1, &a));
	cr_assert_not(dns_answer_read((const uint8_t *)text, sizeof(text) - 1, &a));
	memcpy(failed, chain, sizeof(chain));
	failed[3] = (char)0x83;
	cr_assert_not(dns_answer_read((const uint8_t *)failed, sizeof(chain) - 1, &a));
}
