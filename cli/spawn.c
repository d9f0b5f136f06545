/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spawn: a recorder in a process of its own, for top and demo (ends with its parent) and for record --detach (does not).
 * The child tells through a pipe that it is ready: its pid; or ends, and the parent takes its exit code.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exit.h"
#include "recorder.h"
#include "say.h"
#include "temp_recording.h"

struct message { int32_t pid, code; };     /* pid 0: failed with code */

static bool send_message(int fd, int32_t pid, int32_t code)
{
	struct message m = {pid, code};

	return write(fd, &m, sizeof(m)) == (ssize_t)sizeof(m);
}

static void to_null(bool in_out, bool err)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (in_out) {
		dup2(fd, STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
	}
	if (err)
		dup2(fd, STDERR_FILENO);
	close(fd);
}

struct child { int fd; bool silent; };

/* Errors up to here went to the parent's stderr; what follows has no reader. */
static void child_ready(void *arg, const char *path)
{
	struct child *c = arg;

	send_message(c->fd, getpid(), 0);
	if (c->silent)
		to_null(true, true);
}

static void child_run(const struct recorder_options *o, int fd, bool silent)
{
	struct child c = {.fd = fd, .silent = silent};
	int code = recorder_run(o, child_ready, &c);

	send_message(fd, 0, code);       /* nobody listens any more when it had been ready */
	_exit(code);
}

static void reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
}

/* The child's word; it ended without one: EXIT_FAILED. */
static int wait_ready(int fd, pid_t *pid)
{
	struct message m;
	ssize_t n;

	do
		n = read(fd, &m, sizeof(m));
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(m))
		return say_error(EXIT_FAILED, "the recorder ended before it was ready");
	*pid = m.pid;
	return m.pid ? 0 : m.code;
}

/* fork() with a pipe from the child: *fd is the end of it that is for who asks. In the child *child is 0. An exit code. */
static int child_start(pid_t *child, int *fd)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		return say_error(EXIT_FAILED, "cannot make a pipe: %s", strerror(errno));
	*child = fork();
	if (*child < 0) {
		close(p[0]);
		close(p[1]);
		return say_error(EXIT_FAILED, "cannot start the recorder: %s", strerror(errno));
	}
	close(p[*child == 0 ? 0 : 1]);
	*fd = p[*child == 0 ? 1 : 0];
	return 0;
}

int recorder_spawn(const struct recorder_options *o, bool silent, pid_t *pid)
{
	pid_t parent = getpid(), child;
	int fd, ret = child_start(&child, &fd);

	if (ret)
		return ret;
	if (child == 0) {
		reset_signals();
		setpgid(0, 0);          /* Ctrl-C is the parent's to handle */
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() == parent)
			child_run(o, fd, silent);
		_exit(EXIT_FAILED);
	}
	ret = wait_ready(fd, pid);
	close(fd);
	*pid = child;
	if (ret)
		waitpid(child, NULL, 0);
	return ret;
}

int recorder_stop(pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILED;
}

int recorder_beside(const struct options *o, int (*use)(void *arg, const char *db), void *arg)
{
	struct temp_recording temp;
	struct recorder_options ro;
	pid_t recorder;
	int ret = temp_recording_make(&temp);

	if (ret)
		return ret;
	recorder_options_from(&ro, o, temp.db);
	ret = recorder_spawn(&ro, true, &recorder);
	if (ret == 0) {
		ret = use(arg, temp.db);
		recorder_stop(recorder);
	}
	temp_recording_remove(&temp);
	return ret;
}

/* Session leader's child: can never get a terminal again. */
static void detached_child(const struct recorder_options *o, int fd)
{
	reset_signals();
	if (setsid() < 0)
		_exit(EXIT_FAILED);
	pid_t again = fork();

	if (again)
		_exit(again < 0 ? EXIT_FAILED : EXIT_OK);
	if (o->path[0] == '/' && chdir("/"))      /* do not hold a mount; a relative path needs to stay */
		_exit(EXIT_FAILED);
	to_null(true, false);
	child_run(o, fd, true);
}

int recorder_detach(const struct recorder_options *o, pid_t *pid)
{
	pid_t child;
	int fd, ret = child_start(&child, &fd);

	if (ret)
		return ret;
	if (child == 0)
		detached_child(o, fd);
	ret = wait_ready(fd, pid);
	close(fd);
	waitpid(child, NULL, 0);
	return ret;
}
