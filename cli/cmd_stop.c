/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "command.h"
#include "reading.h"
#include "say.h"

#define STOP_POLL_MS 100
#define STOP_WAIT_MS 15000      /* a recorder flushes up to 5 s on a slow disk */

/* Where the kernel has no pidfd (before 5.3): the writer's lock is let go of shortly before the end. */
static bool wait_unlocked(struct store *s, uint32_t pid)
{
	struct store_error err;
	struct store_span span;

	for (int waited = 0; waited < STOP_WAIT_MS; waited += STOP_POLL_MS) {
		if (kill((pid_t)pid, 0) && errno == ESRCH)
			return true;
		if (store_span(s, &span, &err) == 0 && span.writer_pid != pid)
			return true;
		nanosleep(&(struct timespec){.tv_nsec = STOP_POLL_MS * NS_PER_MS}, NULL);
	}
	return false;
}

/* Readable when the process is gone or a zombie that nobody has waited for. */
static bool wait_gone(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};
	int n;

	do
		n = poll(&p, 1, STOP_WAIT_MS);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* The descriptor comes before the signal: the number cannot be another's by the time it is waited for. */
static int end_writer(struct store *s, uint32_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	bool gone;

	if (kill((pid_t)pid, SIGTERM)) {
		int err = errno;

		if (pidfd >= 0)
			close(pidfd);
		return say_error(EXIT_FAILED, "cannot stop the recorder, pid %u: %s", pid, strerror(err));
	}
	gone = pidfd >= 0 ? wait_gone(pidfd) : wait_unlocked(s, pid);
	if (pidfd >= 0)
		close(pidfd);
	return gone ? 0 : say_error(EXIT_FAILED, "the recorder, pid %u, has not ended within %d s", pid, STOP_WAIT_MS / 1000);
}

int cmd_stop(const struct command *c, struct options *o, int argc, char **argv)
{
	const char *path = recording_path(o, c->name);
	struct store_span span;
	struct store *s;

	if (!path)
		return EXIT_USAGE;
	int ret = recording_open(path, &s, &span);

	if (ret)
		return ret;
	if (!span.writer_pid)
		ret = say_error(EXIT_NO_DATA, "nobody is recording %s", path);
	else if ((ret = end_writer(s, span.writer_pid)) == 0)
		say_note("stopped: %s, pid %u", path, span.writer_pid);
	store_close(s);
	return ret;
}
