/* SPDX-License-Identifier: BSD-2-Clause */
/* A file of its own: jansson and base/json.h name some functions alike. */
#include <jansson.h>
#include <stdlib.h>

#include "untrusted.h"

char *untrusted_array(const char *text)
{
	json_t *v = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	char *ret = json_is_array(v) ? json_dumps(v, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

	json_decref(v);
	return ret;
}
