/* SPDX-License-Identifier: BSD-2-Clause */
/* Lengths of x86-64 instructions; a whole Go program and libc were compared with objdump's when the tables were written. */
#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/insn.h"

static const struct { const char *bytes; size_t n; } known[] = {
#define I(s) {s, sizeof(s) - 1}
	I("\xc3"), I("\x90"), I("\x55"), I("\x48\x89\xe5"), I("\x48\x8d\x05\1\2\3\4"), I("\x48\x83\xec\x20"),
	I("\x48\x81\xec\0\1\0\0"), I("\x49\xbb\1\2\3\4\5\6\7\x8"), I("\xb8\1\0\0\0"), I("\x66\xb8\1\0"), I("\xe8\0\0\0\0"),
	I("\x0f\x84\0\0\0\0"), I("\x74\x02"), I("\x48\xf7\x05\1\2\3\4\1\0\0\0"), I("\x48\xf7\xd8"), I("\xf6\x40\x08\x01"),
	I("\x44\x0f\x11\x7c\x24\x30"), I("\xf0\x48\x0f\xb1\x11"), I("\x64\x48\x8b\x04\x25\xf8\xff\xff\xff"),
	I("\x66\x0f\x3a\x0f\xc1\x08"), I("\xc5\xf8\x77"), I("\xc5\xfa\x6f\x06"), I("\xc4\xe2\x7d\x58\xc0"),
	I("\xc4\xe3\x7d\x39\xc1\x01"), I("\x62\xf1\xfe\x48\x6f\x06"), I("\x0f\x1f\x84\0\0\0\0\0"), I("\x66\x2e\x0f\x1f\x84\0\0\0\0\0"),
	I("\x0f\x0b"), I("\x0f\x05"), I("\x69\xc0\1\2\3\4"), I("\x6b\xc0\x10"), I("\xc7\x44\x24\x08\1\2\3\4"), I("\x66\xc7\x00\1\2"),
#undef I
};

Test(insn, lengths)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		const uint8_t *p = (const uint8_t *)known[i].bytes;

		cr_expect_eq(insn_length_x86(p, known[i].n), known[i].n, "%zu: %zu", i, insn_length_x86(p, known[i].n));
		for (size_t n = 0; n < known[i].n; n++) {
			uint8_t *exact = malloc(n ? n : 1);

			memcpy(exact, p, n);
			cr_expect_eq(insn_length_x86(exact, n), 0, "%zu cut to %zu", i, n);
			free(exact);
		}
	}
}

/* Not in 64-bit mode, or not known: never guessed. */
Test(insn, what_is_not_known)
{
	static const char *const bad[] = {"\x06", "\x60\x90\x90", "\x9a\0\0\0\0\0\0", "\xea\0\0\0\0\0\0", "\xd6", "\x82\xc0\1", "\x0f\x04",
					  "\x0f\xa6\xc0", "\x67\x8b\x01"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_expect_eq(insn_length_x86((const uint8_t *)bad[i], 8), 0, "%zu", i);
}

Test(insn, returns)
{
	/* mov $0xc3c3c3c3,%eax; ret; jmp; ret; filled up */
	static const uint8_t code[] = "\xb8\xc3\xc3\xc3\xc3\xc3\xeb\xf8\xc3\xcc\xcc\xc3";
	static const uint8_t arm[] = "\xfd\x7b\xbf\xa9\xc0\x03\x5f\xd6\x1f\x20\x03\xd5\xc0\x03\x5f\xd6";
	uint32_t at[INSN_RETURNS_MAX];

	cr_assert_eq(insn_returns(EM_X86_64, code, sizeof(code) - 1, at), 2);
	cr_assert_eq(at[0], 5);
	cr_assert_eq(at[1], 8);
	cr_assert_eq(insn_returns(EM_X86_64, (const uint8_t *)"\x90\x06\xc3", 3, at), -EILSEQ);
	cr_assert_eq(insn_returns(EM_AARCH64, arm, sizeof(arm) - 1, at), 2);
	cr_assert_eq(at[0], 4);
	cr_assert_eq(at[1], 12);
	cr_assert_eq(insn_returns(EM_S390, code, sizeof(code) - 1, at), -ENOTSUP);
}
