/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pcap_output: the file of record --write-pcap.  It grows by whole blocks, at least once a second, so that it can be read at any time and
 * after any end; it never becomes larger than --max-size allows.
 */
#ifndef ROOTLE_CLI_PCAP_OUTPUT_H
#define ROOTLE_CLI_PCAP_OUTPUT_H

#include <stdint.h>

#include "bpf/event.h"
#include "model/model.h"

struct pcap_output;

/* A new file; one that is there is refused. 0, or an exit code after one line on stderr. m is asked for names; borrowed. */
int pcap_output_open(struct pcap_output **ret, const char *path, int64_t max_bytes, const struct model *m);
/* Nothing for NULL, here and below. */
void pcap_output_take(struct pcap_output *p, const struct ev_hdr *ev);
void pcap_output_tick(struct pcap_output *p);
/* Everything is in the file and on the disk; says how much that is. */
void pcap_output_close(struct pcap_output *p);

#endif
