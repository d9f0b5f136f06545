/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insn: where the instructions of a function begin, as far as finding its returns takes.  Pure; reads code, never runs it.
 *
 * x86-64 in its 64-bit mode (Intel SDM vol. 2, 2.1 to 2.6 and appendix A): prefixes, the maps 0F, 0F38 and 0F3A, VEX and EVEX.
 * An opcode that is not known for certain ends the walk: a probe in the middle of an instruction would break the program.
 */
#ifndef ROOTLE_COLLECT_INSN_H
#define ROOTLE_COLLECT_INSN_H

#include <stddef.h>
#include <stdint.h>

#define INSN_RETURNS_MAX 64

/* Length of the instruction at p; 0: not known, or it does not end within n. */
size_t insn_length_x86(const uint8_t *p, size_t n);

/* Offsets of the return instructions of the n bytes of a function of this ELF machine (EM_X86_64, EM_AARCH64). How many, or
 * -EILSEQ: an instruction is not known, -E2BIG: more than INSN_RETURNS_MAX, -ENOTSUP: another machine. */
int insn_returns(uint16_t machine, const uint8_t *p, size_t n, uint32_t ret[INSN_RETURNS_MAX]);

#endif
