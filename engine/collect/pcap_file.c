/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/pcap_file.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "collect/capture_packet.h"

#define SECONDS_MAX (1ll << 33)         /* the year 2242: later is no time */

struct pcap_file {
	pcap_t *pcap;
	int link;
	bool waiting;                   /* next was read and not handed out */
	struct pcap_record next;
	char *broken;
};

struct pcap_files {
	size_t n;
	struct pcap_file v[];
};

static int file_open(struct pcap_file *f, const char *path, char *why, size_t cap)
{
	char text[PCAP_ERRBUF_SIZE] = "";

	errno = 0;
	f->pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!f->pcap) {
		int err = errno ? errno : EBADMSG;

		/* libpcap names the file where it could not be opened, and only there */
		if (strncmp(text, path, strlen(path)) == 0)
			snprintf(why, cap, "%s", text);
		else
			snprintf(why, cap, "%s: not a capture: %s", path, text);
		return -err;
	}
	f->link = pcap_datalink(f->pcap);
	if (capture_link_known(f->link))
		return 0;
	const char *name = pcap_datalink_val_to_description_or_dlt(f->link);

	snprintf(why, cap, "%s: packets of this link type cannot be decoded: %s", path, name);
	return -EPROTONOSUPPORT;
}

int pcap_files_open(const char *const *paths, size_t n, struct pcap_files **ret, char *why, size_t cap)
{
	struct pcap_files *f = calloc(1, sizeof(*f) + n * sizeof(f->v[0]));
	int err = 0;

	if (!f) {
		snprintf(why, cap, "out of memory");
		return -ENOMEM;
	}
	f->n = n;
	for (size_t i = 0; i < n && !err; i++)
		err = file_open(&f->v[i], paths[i], why, cap);
	if (err) {
		pcap_files_close(f);
		return err;
	}
	*ret = f;
	return 0;
}

void pcap_files_close(struct pcap_files *f)
{
	for (size_t i = 0; f && i < f->n; i++) {
		if (f->v[i].pcap)
			pcap_close(f->v[i].pcap);
		free(f->v[i].broken);
	}
	free(f);
}

/* With nanosecond precision tv_usec has nanoseconds. Any number may stand in a file: what is no time is 0. */
static uint64_t time_of(const struct timeval *t)
{
	if (t->tv_sec < 0 || t->tv_sec > SECONDS_MAX || t->tv_usec < 0 || t->tv_usec >= NS_PER_S)
		return 0;
	return (uint64_t)t->tv_sec * NS_PER_S + (uint64_t)t->tv_usec;
}

static bool file_fill(struct pcap_file *f)
{
	struct pcap_pkthdr *h;
	const u_char *p;
	int got;

	if (f->waiting || !f->pcap)
		return f->waiting;
	got = pcap_next_ex(f->pcap, &h, &p);
	if (got == 1) {
		f->next = (struct pcap_record){time_of(&h->ts), p, h->caplen, h->len < h->caplen ? h->caplen : h->len, f->link};
		f->waiting = true;
		return true;
	}
	if (got == PCAP_ERROR)
		f->broken = strdup(pcap_geterr(f->pcap));
	pcap_close(f->pcap);
	f->pcap = NULL;
	return false;
}

int pcap_files_next(struct pcap_files *f, struct pcap_record *ret)
{
	struct pcap_file *first = NULL;

	for (size_t i = 0; i < f->n; i++)
		if (file_fill(&f->v[i]) && (!first || f->v[i].next.unix_ns < first->next.unix_ns))
			first = &f->v[i];
	if (!first)
		return 0;
	*ret = first->next;
	first->waiting = false;
	return 1;
}

const char *pcap_files_broken(const struct pcap_files *f, size_t i)
{
	return f->v[i].broken;
}
