/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that stay beside a container: conmon (Podman, CRI-O) and containerd's shims say on their command lines whose they are. */
#include "collect/container_private.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct monitor_option { const char *option; size_t at, cap; };

#define FIELD(field) offsetof(struct container_monitor, field), sizeof(((struct container_monitor *)0)->field)

static const struct monitor_option conmon_options[] = {
	{ "-c", FIELD(id) }, { "--cid", FIELD(id) }, { "-n", FIELD(name) }, { "--name", FIELD(name) },
	{ "-b", FIELD(folder) }, { "--bundle", FIELD(folder) }, { NULL },
};

static const struct monitor_option shim_options[] = {
	{ "-id", FIELD(id) }, { "-namespace", FIELD(space) }, { "-address", FIELD(folder) }, { NULL },
};

/* program: all of the name, or its beginning */
static const struct { const char *program, *runtime; const struct monitor_option *options; } monitors[] = {
	{ "conmon", "conmon", conmon_options },
	{ "containerd-shim", "containerd", shim_options },
};

static void option_take(const struct monitor_option *o, const char *arg, const char *value, struct container_monitor *ret)
{
	for (; o->option; o++)
		if (!strcmp(o->option, arg))
			text_clean((char *)ret + o->at, o->cap, value, strlen(value), true);
}

bool container_monitor_parse(const char *program, const char *argv, size_t alen, struct container_monitor *ret)
{
	size_t i = 0, n = sizeof(monitors) / sizeof(monitors[0]);
	const char *end = argv + alen;

	*ret = (struct container_monitor){ 0 };
	while (i < n && !text_starts(program, monitors[i].program))
		i++;
	if (i == n || !alen)
		return false;
	ret->runtime = monitors[i].runtime;
	for (const char *a = argv, *next; a < end; a = next) {
		next = a + strnlen(a, (size_t)(end - a)) + 1;
		if (!strcmp(a, "--exit-command"))
			break;                   /* what follows is for another program */
		if (next < end)
			option_take(monitors[i].options, a, next, ret);
	}
	char *slash = !strcmp(ret->runtime, "containerd") ? strrchr(ret->folder, '/') : NULL;
	if (slash)
		*slash = '\0';                   /* of the socket's folder */
	return true;
}
