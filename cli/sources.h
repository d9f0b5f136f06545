/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sources: everything a recorder observes with, opened together: the probes, else sock_diag; the sampler; who is who.
 */
#ifndef ROOTLE_CLI_SOURCES_H
#define ROOTLE_CLI_SOURCES_H

#include <stdbool.h>

#include "base/json.h"
#include "collect/bpf_source.h"
#include "collect/certificates.h"
#include "collect/conntrack.h"
#include "collect/host.h"
#include "collect/hosts.h"
#include "collect/ident.h"
#include "collect/sampler.h"
#include "options.h"

struct sources {
	struct source *bpf;             /* NULL: not available, or not wanted */
	struct source *sockets;         /* in its place, or in that of its states of sockets */
	struct source *nat;             /* translated connections (conntrack.h); NULL: no memory */
	struct host host;
	struct profile *profile;        /* samples of the CPUs; NULL: none */
	struct ident *ident;
	struct hosts *hosts;            /* names of addresses; NULL: likewise */
	struct certificates *certificates;      /* of servers' files; NULL: those of /proc are not the kernel's processes */
	struct sampler *sampler;
	struct sample sample;           /* the reading that sampler_read() fills */
	struct probe_report report;
	int bpf_error;                  /* why bpf is NULL: -errno; 0: not wanted */
	bool sampled;                   /* the node's numbers can be read */
};

/* Opens what can be opened. 0; or an exit code after one line on stderr: EXIT_NO_PERMISSION (the probes may not be
 * attached and no_bpf is false), EXIT_USAGE, EXIT_NOTHING_SEEN, EXIT_FAILED. o (may be NULL) narrows what is attached. */
int sources_open(struct sources *s, const struct options *o, bool no_bpf);
void sources_close(struct sources *s);

/* As sources_open(), but for `check`: nothing is refused but options that are wrong. 0, EXIT_NOTHING_SEEN, EXIT_USAGE; to be closed
 * in each case. */
int sources_look(struct sources *s, const struct options *o);

/* The connections that are there already, as records. 0 or -errno. */
int sources_existing(struct sources *s, source_fn *fn, void *arg);

/* "on", "instead", "absent" */
const char *probe_state_text(enum probe_state state);

/* The lines of the report as a JSON array under key. */
void probe_report_json(struct json *j, const char *key, const struct probe_report *r);

#endif
