/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * untrusted: JSON from a recording that somebody else may have written, before it goes into our own output.
 */
#ifndef ROOTLE_CLI_UNTRUSTED_H
#define ROOTLE_CLI_UNTRUSTED_H

/* text as one line of valid ASCII JSON where it is an array, else NULL (text NULL too). The caller frees it. */
char *untrusted_array(const char *text);

#endif
