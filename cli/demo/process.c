/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "process.h"

enum { GRACE_MS = 3000, STEP_MS = 20 };

/* State and start time, from behind the last ')' of the stat line: a comm may hold anything. */
static bool read_stat(pid_t pid, char *state, uint64_t *start)
{
	char path[32], buf[1024], *at;
	unsigned long long value;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read(AT_FDCWD, path, buf, sizeof(buf)) <= 0 || !(at = strrchr(buf, ')')))
		return false;
	if (sscanf(at + 2, "%c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", state, &value) != 2)
		return false;
	*start = value;
	return true;
}

static bool become(const char *user)
{
	struct passwd *p = getpwnam(user);

	return p && initgroups(user, p->pw_gid) == 0 && setgid(p->pw_gid) == 0 && setuid(p->pw_uid) == 0;
}

static void redirect(const struct process_spec *spec)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), log = null;

	if (spec->log)
		log = open(spec->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	dup2(null, STDIN_FILENO);
	if (spec->out_fd >= 0)
		dup2(spec->out_fd, STDOUT_FILENO);
	else if (spec->log)
		dup2(log, STDOUT_FILENO);
	if (spec->log)
		dup2(log, STDERR_FILENO);
}

static _Noreturn void child(const struct process_spec *spec, pid_t parent)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	setsid();
	redirect(spec);
	if ((spec->user && !become(spec->user)) || (spec->dir && chdir(spec->dir)))
		_exit(126);
	if (!spec->outlives) {          /* after setuid(), which clears it */
		prctl(PR_SET_PDEATHSIG, spec->end_signal);
		if (getppid() != parent)
			_exit(126);
	}
	execvp(spec->file ? spec->file : spec->argv[0], spec->argv);
	fprintf(stderr, "%s: %s\n", spec->file ? spec->file : spec->argv[0], strerror(errno));
	_exit(127);
}

int process_start(const struct process_spec *spec, struct process *ret)
{
	pid_t parent = getpid(), pid = fork();
	char state;

	if (pid < 0)
		return -errno;
	if (pid == 0)
		child(spec, parent);
	*ret = (struct process){.pid = pid, .end_signal = spec->end_signal};
	snprintf(ret->name, sizeof(ret->name), "%s", spec->name);
	return read_stat(pid, &state, &ret->start) ? 0 : -ESRCH;
}

void process_sleep(int ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000l}, NULL);
}

bool process_alive(const struct process *p)
{
	uint64_t start;
	char state;

	return p->pid > 0 && read_stat(p->pid, &state, &start) && start == p->start && state != 'Z' && state != 'X';
}

void process_end(const struct process *p)
{
	if (p->pid <= 0)
		return;
	if (process_alive(p)) {
		kill(p->pid, SIGCONT);
		kill(p->pid, p->end_signal);
	}
	for (int waited = 0; process_alive(p) && waited < GRACE_MS; waited += STEP_MS)
		process_sleep(STEP_MS);
	if (process_alive(p))
		kill(-p->pid, SIGKILL);
	while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int process_run(const struct process_spec *spec)
{
	struct process p;
	int status, err = process_start(spec, &p);

	if (err)
		return err;
	while (waitpid(p.pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
