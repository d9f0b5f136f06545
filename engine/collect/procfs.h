/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * procfs: the texts of /proc and cgroup files, parsed without allocating, and files that are read again and again through a kept
 * descriptor.  Knows formats, not meaning.  Every parser accepts truncated and foreign text: it then says so or leaves
 * the missing number as it was asked to.
 */
#ifndef ROOTLE_COLLECT_PROCFS_H
#define ROOTLE_COLLECT_PROCFS_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* /proc/PID/stat (proc(5)); comm may hold spaces and parentheses. */
struct proc_stat {
	uint32_t pid, ppid, session, threads;
	uint64_t flags;                       /* PF_… */
	uint64_t major_faults;                /* of all threads, the exited ones too */
	uint64_t utime_ticks, stime_ticks;    /* of all threads, the exited ones too */
	uint64_t start_ticks;                 /* since boot */
	uint64_t vsize_bytes, rss_pages;
	uint64_t start_stack;                 /* where the kernel put it at exec: tells what is executed; 0: may not be known */
	uint64_t blkio_ticks;                 /* of the leader only where delay accounting is on, else 0 */
	char state;
	char comm[65];                        /* kworkers have longer ones than TASK_COMM_LEN */
};

#define PROC_PF_KTHREAD 0x00200000u

/* 0, or -EINVAL for a text that is cut before the field `rss`. */
int proc_stat_parse(const char *text, struct proc_stat *ret);

/* Skips blanks and reads a decimal; *s is then behind it. false, and *s unchanged, where no digit follows. */
bool scan_u64(const char **s, uint64_t *ret);
/* Behind n blank-separated words of this line; at its end where it has fewer. */
const char *scan_skip(const char *s, int n);
/* Behind the next '\n', or at the final NUL. */
const char *scan_line(const char *s);
/* The number behind `key` where a line begins with exactly that word ("MemTotal:", "nr_throttled"); `missing` without. */
uint64_t scan_key(const char *text, const char *key, uint64_t missing);

/* A file that is opened once and read from its beginning each time. Zero-initialise with fd -1. */
struct kept_file { int fd; };

/* Whole content, NUL-terminated, cut at cap - 1. Bytes, or -errno; a descriptor gone stale (ENODEV: its cgroup was removed,
 * ESRCH) is closed and the path opened anew, once. */
ssize_t kept_read(struct kept_file *f, int dirfd, const char *path, char *buf, size_t cap);
void kept_close(struct kept_file *f);

/* Opens, reads whole, closes: file_read() of an open directory with a path made of a pid and a name ("stat"). */
ssize_t pid_file_read(int procfd, uint32_t pid, const char *name, char *buf, size_t cap);
/* The directory of a procfs, to be read by readdir(); the caller's to closedir(). NULL and *err -errno. */
DIR *procfs_list(int procfd, int *err);
/* A directory entry's name as a pid; 0 where it is none. */
uint32_t pid_parse(const char *name);

/* Is this mount of procfs the one of our own pid namespace, so that pids in it are those of our system calls? */
bool procfs_is_ours(int procfd);
/* Is it the mount of the first pid namespace, so that pids in it are those that the kernel tells in events? True where that
 * cannot be found out. */
bool procfs_is_initial(int procfd);
/* Are we ourselves in that namespace? True where that cannot be found out. */
bool procfs_self_is_initial(int procfd);

#endif
