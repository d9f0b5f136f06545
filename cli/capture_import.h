/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture_import: capture files → a recording, by the same model as a recorder's.  The times are those of the packets; a tick is a
 * second of them, and a longer silence is one tick.
 */
#ifndef ROOTLE_CLI_CAPTURE_IMPORT_H
#define ROOTLE_CLI_CAPTURE_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

/* Reads all of the files into a new recording at db; raw: operations keep their values. Says on stderr what there was and what could not be read. 0, or an exit code
 * after one line: EXIT_FAILED where a file cannot be read, EXIT_NO_DATA where there is no packet in any, EXIT_FAILED too after a
 * signal that the caller has blocked. */
int capture_import(const char *const *paths, size_t n, const char *db, bool raw);

#endif
