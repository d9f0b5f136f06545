/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/insn.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define LENGTH_MAX 15
#define RET_ARM64 0xd65f03c0u
#define RET_X86 0xc3
#define INT3_X86 0xcc

/* What follows an opcode. A sum of: */
enum {
	M = 1,      /* ModRM */
	B = 2,      /* immediate of 1 byte */
	W = 4,      /* of 2 bytes */
	Z = 8,      /* of 2 or 4 bytes, by operand size */
	V = 16,     /* of 2, 4 or 8 bytes (MOV r, imm) */
	O = 32,     /* memory offset of 8 bytes */
	G = 64,     /* group 3: an immediate where ModRM.reg is 0 or 1 */
	X = 128,    /* not in 64-bit mode, a prefix, or not known */
};

static const uint8_t map_one[256] = {
	/* 00 */ M, M, M, M, B, Z, X, X, M, M, M, M, B, Z, X, X,
	/* 10 */ M, M, M, M, B, Z, X, X, M, M, M, M, B, Z, X, X,
	/* 20 */ M, M, M, M, B, Z, X, X, M, M, M, M, B, Z, X, X,
	/* 30 */ M, M, M, M, B, Z, X, X, M, M, M, M, B, Z, X, X,
	/* 40 */ X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
	/* 50 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	/* 60 */ X, X, X, M, X, X, X, X, Z, M | Z, B, M | B, 0, 0, 0, 0,
	/* 70 */ B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,
	/* 80 */ M | B, M | Z, X, M | B, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 90 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, X, 0, 0, 0, 0, 0,
	/* a0 */ O, O, O, O, 0, 0, 0, 0, B, Z, 0, 0, 0, 0, 0, 0,
	/* b0 */ B, B, B, B, B, B, B, B, V, V, V, V, V, V, V, V,
	/* c0 */ M | B, M | B, W, 0, X, X, M | B, M | Z, W | B, 0, W, 0, 0, B, X, 0,
	/* d0 */ M, M, M, M, X, X, X, 0, M, M, M, M, M, M, M, M,
	/* e0 */ B, B, B, B, B, B, B, B, Z, Z, X, B, 0, 0, 0, 0,
	/* f0 */ X, 0, X, X, 0, 0, M | G, M | G | Z, 0, 0, 0, 0, 0, 0, M, M,
};

/* Behind 0F. 38 and 3A lead on. */
static const uint8_t map_two[256] = {
	/* 00 */ M, M, M, M, X, 0, 0, 0, 0, 0, X, 0, X, M, 0, X,
	/* 10 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 20 */ M, M, M, M, X, X, X, X, M, M, M, M, M, M, M, M,
	/* 30 */ 0, 0, 0, 0, 0, 0, X, 0, X, X, X, X, X, X, X, X,
	/* 40 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 50 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 60 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* 70 */ M | B, M | B, M | B, M | B, M, M, M, 0, X, X, X, X, M, M, M, M,
	/* 80 */ Z, Z, Z, Z, Z, Z, Z, Z, Z, Z, Z, Z, Z, Z, Z, Z,
	/* 90 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* a0 */ 0, 0, 0, M, M | B, M, X, X, 0, 0, 0, M, M | B, M, M, M,
	/* b0 */ M, M, M, M, M, M, M, M, M, M, M | B, M, M, M, M, M,
	/* c0 */ M, M, M | B, M, M | B, M | B, M | B, M, 0, 0, 0, 0, 0, 0, 0, 0,
	/* d0 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* e0 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
	/* f0 */ M, M, M, M, M, M, M, M, M, M, M, M, M, M, M, M,
};

struct walk { const uint8_t *p; size_t n, at; bool bad; };

static uint8_t next(struct walk *w)
{
	if (w->at >= w->n || w->at >= LENGTH_MAX) {
		w->bad = true;
		return 0;
	}
	return w->p[w->at++];
}

static void skip(struct walk *w, size_t n)
{
	w->at += n;
	if (w->at > w->n || w->at > LENGTH_MAX)
		w->bad = true;
}

/* ModRM with what it asks for: SIB, displacement. Returns its reg field. */
static int modrm(struct walk *w)
{
	uint8_t m = next(w), mod = m >> 6, rm = m & 7, sib;

	if (mod == 3)
		return m >> 3 & 7;
	if (rm == 4) {
		sib = next(w);
		if (mod == 0 && (sib & 7) == 5)
			skip(w, 4);
	} else if (mod == 0 && rm == 5) {
		skip(w, 4);
	}
	if (mod)
		skip(w, mod == 1 ? 1 : 4);
	return m >> 3 & 7;
}

static bool is_prefix(uint8_t c)
{
	return c == 0x66 || c == 0x67 || c == 0xf0 || c == 0xf2 || c == 0xf3 || c == 0x2e || c == 0x36 || c == 0x3e || c == 0x26 ||
	       c == 0x64 || c == 0x65;
}

/* The operands of an opcode. */
static void operands(struct walk *w, unsigned what, bool narrow, bool wide)
{
	int reg = what & M ? modrm(w) : 0;

	if (what & X) {
		w->bad = true;
		return;
	}
	if (what & G) {
		if (reg < 2)
			skip(w, what & Z ? (narrow ? 2 : 4) : 1);
		return;
	}
	if (what & B)
		skip(w, 1);
	if (what & W)
		skip(w, 2);
	if (what & Z)
		skip(w, narrow ? 2 : 4);
	if (what & V)
		skip(w, wide ? 8 : narrow ? 2 : 4);
	if (what & O)
		skip(w, 8);
}

/* VEX and EVEX: the map is in the prefix, the opcode behind it; no opcode of theirs has operands but ModRM and a byte. */
static void vector(struct walk *w, uint8_t first)
{
	uint8_t map = 1, op;

	if (first == 0xc4)
		map = next(w) & 0x1f;
	else if (first == 0x62)
		map = next(w) & 7;
	skip(w, first == 0x62 ? 2 : 1);
	op = next(w);
	if (map == 1 && op == 0x77)                    /* vzeroupper */
		return;
	if (map < 1 || map > 3) {
		w->bad = true;
		return;
	}
	modrm(w);
	if (map == 3 || (map == 1 && map_two[op] & B))
		skip(w, 1);
}

size_t insn_length_x86(const uint8_t *p, size_t n)
{
	struct walk w = {p, n, 0, false};
	bool narrow = false, wide = false;
	uint8_t c = next(&w);

	for (; !w.bad && is_prefix(c); c = next(&w)) {
		narrow |= c == 0x66;
		if (c == 0x67)                         /* shortens the offsets of A0..A3: nobody's code */
			w.bad = true;
	}
	if (c >= 0x40 && c <= 0x4f) {
		wide = c & 8;
		c = next(&w);
	}
	if (c == 0xc4 || c == 0xc5 || c == 0x62) {
		vector(&w, c);
	} else if (c == 0x0f) {
		c = next(&w);
		if (c == 0x38 || c == 0x3a) {
			next(&w);
			operands(&w, c == 0x38 ? M : M | B, narrow, wide);
		} else {
			operands(&w, map_two[c], narrow, wide);
		}
	} else {
		operands(&w, map_one[c], narrow && !wide, wide);
	}
	return w.bad ? 0 : w.at;
}

static int returns_x86(const uint8_t *p, size_t n, uint32_t *ret)
{
	int found = 0;

	for (size_t at = 0, len; at < n; at += len) {
		/* what is behind the last instruction is filled up with INT3 */
		if (p[at] == INT3_X86)
			break;
		len = insn_length_x86(p + at, n - at);
		if (!len)
			return -EILSEQ;
		if (p[at] != RET_X86)
			continue;
		if (found == INSN_RETURNS_MAX)
			return -E2BIG;
		ret[found++] = (uint32_t)at;
	}
	return found;
}

static int returns_arm64(const uint8_t *p, size_t n, uint32_t *ret)
{
	int found = 0;

	for (size_t at = 0; at + 4 <= n; at += 4) {
		uint32_t word = (uint32_t)p[at] | (uint32_t)p[at + 1] << 8 | (uint32_t)p[at + 2] << 16 | (uint32_t)p[at + 3] << 24;

		if (word != RET_ARM64)
			continue;
		if (found == INSN_RETURNS_MAX)
			return -E2BIG;
		ret[found++] = (uint32_t)at;
	}
	return found;
}

int insn_returns(uint16_t machine, const uint8_t *p, size_t n, uint32_t ret[INSN_RETURNS_MAX])
{
	if (machine == EM_X86_64)
		return returns_x86(p, n, ret);
	return machine == EM_AARCH64 ? returns_arm64(p, n, ret) : -ENOTSUP;
}
