/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cert_files: which certificate a server's process shows, from the files that it names: its arguments, its configuration where
 * that is well known, else anything in its arguments, configuration, script, environment or open files that is a certificate
 * for the name in question.  Files are read below the process's own root.
 *
 * It rather knows nothing than guesses: what an option or a configuration calls the server's certificate is believed where it is the
 * only one for that port, or the one for that name; all else only where it is for that name.
 */
#ifndef ROOTLE_COLLECT_CERT_FILES_H
#define ROOTLE_COLLECT_CERT_FILES_H

#include "facts/certificate.h"

/* proc: where the node's /proc is. 1: *ret is it; 0: it cannot be said; -ESRCH: the process is gone, or another by that pid; -ENOMEM.
 * Blocks, as long as those file systems do. */
int cert_files_find(const char *proc, const struct certificate_question *q, struct certificate *ret);

#endif
