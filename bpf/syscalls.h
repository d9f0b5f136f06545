/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * syscalls: what a thread waits for that sleeps in a system call, by the call's number.  Pure: the kernel side and the host
 * tests compile the same text.  An entry is the kind of an interruptible sleep (WAIT_OTHER where none is named), and
 * CALL_FILE where an uninterruptible one is the file system's: a journal commit, an inode's lock, a page under write-back.
 *
 * read() and write() sleep interruptibly on sockets, pipes and terminals, never on a file of a disk.
 */
#ifndef ROOTLE_BPF_SYSCALLS_H
#define ROOTLE_BPF_SYSCALLS_H

#include "event.h"

#define CALLS 512u              /* a power of two above the largest number */
#define CALL_FILE 0x80u
#define CALL_FILE_NET (CALL_FILE | WAIT_NET)

/* arch/x86/entry/syscalls/syscall_64.tbl */
static const __u8 calls_x86_64[CALLS] __attribute__((unused)) = {
	/* read write readv writev, p*64, p*v, p*v2 */
	[0] = CALL_FILE_NET, [1] = CALL_FILE_NET, [19] = CALL_FILE_NET, [20] = CALL_FILE_NET,
	[17] = CALL_FILE, [18] = CALL_FILE, [295] = CALL_FILE, [296] = CALL_FILE, [327] = CALL_FILE, [328] = CALL_FILE,
	/* recvfrom recvmsg recvmmsg connect, sendto sendmsg sendmmsg */
	[45] = WAIT_NET, [47] = WAIT_NET, [299] = WAIT_NET, [42] = WAIT_NET,
	[44] = WAIT_NET, [46] = WAIT_NET, [307] = WAIT_NET,
	/* sendfile splice copy_file_range */
	[40] = CALL_FILE_NET, [275] = CALL_FILE_NET, [326] = CALL_FILE,
	/* poll select pselect6 ppoll epoll_wait epoll_pwait epoll_pwait2 accept accept4 io_uring_enter io_getevents, signals */
	[7] = WAIT_POLL, [23] = WAIT_POLL, [270] = WAIT_POLL, [271] = WAIT_POLL, [232] = WAIT_POLL, [281] = WAIT_POLL,
	[441] = WAIT_POLL, [43] = WAIT_POLL, [288] = WAIT_POLL, [426] = CALL_FILE | WAIT_POLL, [208] = CALL_FILE | WAIT_POLL,
	[34] = WAIT_POLL, [128] = WAIT_POLL, [130] = WAIT_POLL,
	/* futex futex_waitv futex_wait */
	[202] = WAIT_FUTEX, [449] = WAIT_FUTEX, [455] = WAIT_FUTEX,
	/* nanosleep clock_nanosleep */
	[35] = WAIT_SLEEP, [230] = WAIT_SLEEP,
	/* fsync fdatasync sync syncfs msync sync_file_range */
	[74] = CALL_FILE | WAIT_IO, [75] = CALL_FILE | WAIT_IO, [162] = CALL_FILE | WAIT_IO, [306] = CALL_FILE | WAIT_IO,
	[26] = CALL_FILE | WAIT_IO, [277] = CALL_FILE | WAIT_IO,
	/* open stat fstat lstat close openat openat2 newfstatat statx, getdents*, unlink* rename* mkdir* rmdir link*, *truncate
	 * fallocate */
	[2] = CALL_FILE, [3] = CALL_FILE, [4] = CALL_FILE, [5] = CALL_FILE, [6] = CALL_FILE, [257] = CALL_FILE, [437] = CALL_FILE,
	[262] = CALL_FILE, [332] = CALL_FILE, [78] = CALL_FILE, [217] = CALL_FILE, [87] = CALL_FILE, [263] = CALL_FILE,
	[82] = CALL_FILE, [264] = CALL_FILE, [316] = CALL_FILE, [83] = CALL_FILE, [258] = CALL_FILE, [84] = CALL_FILE,
	[86] = CALL_FILE, [265] = CALL_FILE, [76] = CALL_FILE, [77] = CALL_FILE, [285] = CALL_FILE,
};

/* include/uapi/asm-generic/unistd.h, in the order above */
static const __u8 calls_arm64[CALLS] __attribute__((unused)) = {
	[63] = CALL_FILE_NET, [64] = CALL_FILE_NET, [65] = CALL_FILE_NET, [66] = CALL_FILE_NET,
	[67] = CALL_FILE, [68] = CALL_FILE, [69] = CALL_FILE, [70] = CALL_FILE, [286] = CALL_FILE, [287] = CALL_FILE,
	[207] = WAIT_NET, [212] = WAIT_NET, [243] = WAIT_NET, [203] = WAIT_NET,
	[206] = WAIT_NET, [211] = WAIT_NET, [269] = WAIT_NET,
	[71] = CALL_FILE_NET, [76] = CALL_FILE_NET, [285] = CALL_FILE,
	[72] = WAIT_POLL, [73] = WAIT_POLL, [22] = WAIT_POLL, [441] = WAIT_POLL, [202] = WAIT_POLL, [242] = WAIT_POLL,
	[426] = CALL_FILE | WAIT_POLL, [4] = CALL_FILE | WAIT_POLL, [137] = WAIT_POLL, [133] = WAIT_POLL,
	[98] = WAIT_FUTEX, [449] = WAIT_FUTEX, [455] = WAIT_FUTEX,
	[101] = WAIT_SLEEP, [115] = WAIT_SLEEP,
	[82] = CALL_FILE | WAIT_IO, [83] = CALL_FILE | WAIT_IO, [81] = CALL_FILE | WAIT_IO, [267] = CALL_FILE | WAIT_IO,
	[227] = CALL_FILE | WAIT_IO, [84] = CALL_FILE | WAIT_IO,
	[56] = CALL_FILE, [57] = CALL_FILE, [437] = CALL_FILE, [79] = CALL_FILE, [80] = CALL_FILE, [291] = CALL_FILE,
	[61] = CALL_FILE, [35] = CALL_FILE, [38] = CALL_FILE, [276] = CALL_FILE, [34] = CALL_FILE, [37] = CALL_FILE,
	[45] = CALL_FILE, [46] = CALL_FILE, [47] = CALL_FILE,
};

#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)
#define CALL_KINDS calls_arm64
#else
#define CALL_KINDS calls_x86_64
#endif

#endif
