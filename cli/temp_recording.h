/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * temp_recording: a recording that goes with the command that made it.
 */
#ifndef ROOTLE_CLI_TEMP_RECORDING_H
#define ROOTLE_CLI_TEMP_RECORDING_H

struct temp_recording { char dir[64], db[96]; };     /* dir "": none */

/* A private directory (TMPDIR where that is set and short enough, else /tmp); the file is not made yet. 0 or EXIT_FAILED
 * after one line on stderr. */
int temp_recording_make(struct temp_recording *t);
/* Removes what is there; nothing for a zeroed struct. */
void temp_recording_remove(struct temp_recording *t);

#endif
