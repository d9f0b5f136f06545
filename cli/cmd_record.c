/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "reading.h"
#include "recorder.h"
#include "say.h"

static void ready(void *arg, const char *path)
{
	say_note("recording: %s", path);
}

/* Only for the default recording: the directory of another one is the caller's business. */
static int make_default_dir(const char *path)
{
	if (strcmp(path, DEFAULT_RECORDING) || mkdir("/var/lib/rootle", 0755) == 0 || errno == EEXIST)
		return 0;
	if (errno == EACCES || errno == EPERM)
		return say_error(EXIT_NO_PERMISSION, "may not write to /var/lib/rootle (CAP_DAC_OVERRIDE is missing): run as "
				 "root, or give --db FILE");
	return say_error(EXIT_FAILED, "cannot make /var/lib/rootle: %s", strerror(errno));
}

int cmd_record(const struct command *c, struct options *o, int argc, char **argv)
{
	const char *path = recording_path(o, c->name);
	struct recorder_options ro;
	pid_t pid;
	int ret;

	if (!path)
		return EXIT_USAGE;
	if (o->no_bpf && o->write_pcap)
		return say_error(EXIT_USAGE, "record: --write-pcap writes what the probes see, and --no-bpf attaches none");
	ret = make_default_dir(path);
	if (ret)
		return ret;
	recorder_options_from(&ro, o, path);
	if (!o->detach)
		return recorder_run(&ro, ready, NULL);
	ret = recorder_detach(&ro, &pid);
	if (ret == 0)
		say_note("recording: %s", path);
	return ret;
}
