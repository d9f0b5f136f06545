/* SPDX-License-Identifier: BSD-2-Clause */
/* redact: operations of a recording that was made with their values (--raw), without them. Pure. */
#ifndef ROOTLE_MODEL_REDACT_H
#define ROOTLE_MODEL_REDACT_H

#include <stddef.h>

/* Paths, SQL and names of DNS become what they would have been; of other protocols, and where it is not known (NULL), the first word
 * stays. Returns the length; as the normalisers of proto. */
size_t redact_op(char *out, size_t cap, const char *protocol, const char *op);

#endif
