/* SPDX-License-Identifier: BSD-2-Clause */
/* Spends CPU for test_profile.py: seven tenths in one function, three tenths in another one. */
#include <stdint.h>

int spend_most(int n);
int spend_less(int n);
int serve(void);

static volatile int sink;

/* A chain of multiplications, each of which waits for the one before: as fast wherever the linker puts it. */
static inline __attribute__((always_inline)) int chain(int n)
{
	uint64_t x = 1;

	for (int i = 0; i < n; i++) {
		x = x * 7 + 1;
		__asm__ volatile("" : "+r"(x));
	}
	return (int)x;
}

__attribute__((noinline)) int spend_most(int n)
{
	return chain(n);
}

__attribute__((noinline)) int spend_less(int n)
{
	return chain(n);
}

__attribute__((noinline)) int serve(void)
{
	sink = spend_most(70000) + spend_less(30000);
	return sink;
}

int main(void)
{
	for (;;)
		serve();
}
