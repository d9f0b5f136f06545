/* SPDX-License-Identifier: BSD-2-Clause */
/* Spends CPU for test_profile.py: seven tenths in one function, three tenths in another one. */
#include <stdint.h>

int spend_most(int n);
int spend_less(int n);
int serve(void);

static volatile uint64_t sink;

__attribute__((noinline)) int spend_most(int n)
{
	for (int i = 0; i < n; i++)
		sink += (uint64_t)i * 7;
	return (int)sink;
}

__attribute__((noinline)) int spend_less(int n)
{
	for (int i = 0; i < n; i++)
		sink += (uint64_t)i * 7;
	return (int)sink;
}

__attribute__((noinline)) int serve(void)
{
	return spend_most(70000) + spend_less(30000) + 1;
}

int main(void)
{
	while (serve() + 1 || sink)
		;
	return 0;
}
