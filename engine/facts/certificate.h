/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * certificate: which certificate a server shows, where the packets do not tell (TLS 1.3): the question of engine/model, and what
 * engine/collect finds among the files of the server's process.  Plain structs, no functions.
 */
#ifndef ROOTLE_FACTS_CERTIFICATE_H
#define ROOTLE_FACTS_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#define CERTIFICATE_PATH_LEN 512

/* Padding and what is behind the end of the name are zero: it is a key. */
struct certificate_question {
	uint64_t start_ticks;     /* with pid, who answered the handshake; 0: not known */
	uint32_t pid;
	uint16_t port, pad;       /* where */
	uint8_t ip[16];           /* IPv4 as ::ffff:a.b.c.d */
	char host[256];           /* that the client asked for, in lower case; "": none */
};

struct certificate {
	char path[CERTIFICATE_PATH_LEN];    /* as the server sees it */
	char subject[128];        /* as in struct x509_leaf */
	int64_t not_after_s;      /* Unix time */
	bool newer;               /* the file was written after the process began: what it shows may be what was there before */
};

/* 1: *ret is it; 0: it cannot be said which; -EAGAIN: it is being looked for, ask again in a second; -ESRCH: the process is gone.
 * Never blocks. ask may be NULL. */
struct certificate_resolver {
	int (*ask)(void *arg, const struct certificate_question *q, struct certificate *ret);
	void *arg;
};

#endif
