/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cgroup_root: where programs of a cgroup are attached so that they see every socket of the node.
 */
#ifndef ROOTLE_COLLECT_CGROUP_ROOT_H
#define ROOTLE_COLLECT_CGROUP_ROOT_H

/* A descriptor of the root of the cgroup v2 hierarchy: of its mount, or of one that is mounted nowhere, made for us alone.
 * The caller closes it. -errno where there is no cgroup v2. */
int cgroup_root_open(void);

#endif
