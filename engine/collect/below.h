/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * below: files below the root of another process, whose links lead nowhere else.  A container may choose what its paths lead
 * to: a symlink must not take us to a device of the node, whose opening alone may do something.
 */
#ifndef ROOTLE_COLLECT_BELOW_H
#define ROOTLE_COLLECT_BELOW_H

/* A descriptor to read the regular file at `path` (links are followed as if `root` were /), or -errno; -ENOEXEC: no regular
 * file, or one that the kernel makes (/proc). openat2(2), Linux 5.6. */
int below_open(const char *root, const char *path);
/* The same of a directory, to list what is in it; -ENOTDIR. */
int below_open_dir(const char *root, const char *path);

#endif
