/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/http_op.h"
#include "proto/normalise.h"
#include "proto/normalise_out.h"

#include <string.h>

#define GRPC_PATH_MAX 256

static bool is_name(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = p[i], l = (char)(c | 0x20);

		if (!(l >= 'a' && l <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '.')
			return false;
	}
	return n > 0;
}

size_t grpc_op(char *out, size_t cap, const char *path, size_t n, bool raw)
{
	struct out o = {.p = out, .cap = cap};
	const char *slash = n > 1 && *path == '/' ? memchr(path + 1, '/', n - 1) : NULL;

	if (!slash || n > GRPC_PATH_MAX || !is_name(path + 1, (size_t)(slash - path - 1)) ||
	    !is_name(slash + 1, (size_t)(path + n - slash - 1)))
		return normalise_http(out, cap, "POST", 4, path, n, raw);
	out_text(&o, path, n);
	return out_end(&o);
}

size_t http_op(char *out, size_t cap, const char *method, size_t mn, const char *target, size_t tn, bool raw)
{
	size_t n = raw ? 0 : normalise_elasticsearch(out, cap, method, mn, target, tn);

	return n ? n : normalise_http(out, cap, method, mn, target, tn, raw);
}

enum req_error http_error(int status)
{
	return status >= 500 ? REQ_SERVER_ERROR : status >= 400 ? REQ_CLIENT_ERROR : REQ_OK;
}
