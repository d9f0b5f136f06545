/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap_file: capture files (pcap, pcapng) as a row of packets in the order of time, through libpcap.  Several files are read side by
 * side, the oldest packet first, so that the parts of a ring of files, or captures of several nodes, are one.
 */
#ifndef ROOTLE_COLLECT_PCAP_FILE_H
#define ROOTLE_COLLECT_PCAP_FILE_H

#include <stddef.h>
#include <stdint.h>

struct pcap_files;

struct pcap_record {
	uint64_t unix_ns;
	const uint8_t *p;       /* valid until the next call */
	uint32_t cap, len;      /* bytes captured, and on the wire */
	int link;               /* LINKTYPE_* */
};

/* Opens all of them; "-" is standard input. 0, or -errno with why: one line that names the file. */
int pcap_files_open(const char *const *paths, size_t n, struct pcap_files **ret, char *why, size_t cap);
void pcap_files_close(struct pcap_files *f);

/* 1 and *ret; 0 at the end of all. A file that is broken somewhere ends there, for pcap_files_broken(). */
int pcap_files_next(struct pcap_files *f, struct pcap_record *ret);

/* Why the i-th file ended before its end, or NULL. */
const char *pcap_files_broken(const struct pcap_files *f, size_t i);

#endif
