/* SPDX-License-Identifier: BSD-2-Clause */
/* yaml_file: a small YAML file as a document. */
#ifndef ROOTLE_CLI_YAML_FILE_H
#define ROOTLE_CLI_YAML_FILE_H

#include <stdbool.h>
#include <yaml.h>

/* Gives the file's document to fn, whose result is the result. A file that is not there is an error where must_exist, else 0. EXIT_USAGE
 * after one line on stderr: it cannot be read, is no regular file of at most 64 KB, or no YAML. */
int yaml_file_read(const char *file, bool must_exist, int (*fn)(void *arg, const char *file, yaml_document_t *doc), void *arg);

#endif
