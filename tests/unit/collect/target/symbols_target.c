/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program whose functions test_symbols looks for: says where they are, then waits until its input is closed.  Built in several
 * ways: position independent and not, stripped with a dynamic symbol table.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int known_inner(int n);
int known_outer(int n);

__attribute__((noinline)) int known_inner(int n)
{
	__asm__ volatile("" ::: "memory");
	return n * 7 + 1;
}

__attribute__((noinline)) static int known_hidden(int n)
{
	__asm__ volatile("" ::: "memory");
	return known_inner(n) * 3 + 2;
}

__attribute__((noinline)) int known_outer(int n)
{
	__asm__ volatile("" ::: "memory");
	return known_hidden(n) - 5;
}

int main(void)
{
	void *jit = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char byte;

	printf("%p %p %p %p %d\n", (void *)known_inner, (void *)known_hidden, (void *)known_outer, jit, known_outer(1));
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
