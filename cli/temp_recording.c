/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit.h"
#include "say.h"
#include "temp_recording.h"

int temp_recording_make(struct temp_recording *t)
{
	const char *tmp = getenv("TMPDIR");

	if (!tmp || tmp[0] != '/' || strlen(tmp) > sizeof(t->dir) - sizeof("/rootle-XXXXXX"))
		tmp = "/tmp";
	snprintf(t->dir, sizeof(t->dir), "%s/rootle-XXXXXX", tmp);
	if (!mkdtemp(t->dir)) {
		int err = errno;
		int ret = say_error(EXIT_FAILED, "cannot make a directory in %s for a recording: %s", tmp, strerror(err));

		t->dir[0] = '\0';
		return ret;
	}
	snprintf(t->db, sizeof(t->db), "%s/rootle.db", t->dir);
	return 0;
}

void temp_recording_remove(struct temp_recording *t)
{
	static const char *const suffix[] = {"", "-wal", "-shm", ".lock"};
	char path[128];

	if (!t->dir[0])
		return;
	for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", t->db, suffix[i]);
		unlink(path);
	}
	rmdir(t->dir);
	t->dir[0] = '\0';
}
