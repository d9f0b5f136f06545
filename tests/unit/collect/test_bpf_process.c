/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf_watch.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

static int proc_find(const struct watch *w, uint8_t what, pid_t tgid, const struct ev_proc **last)
{
	const struct ev_proc *e;
	size_t at = 0;
	int n = 0;

	while ((e = watch_next(w, EV_PROC, &at))) {
		if (e->what != what || e->tgid != (uint32_t)tgid)
			continue;
		n++;
		if (last)
			*last = e;
	}
	return n;
}

Test(bpf_process, tells_of_fork_exec_and_exit)
{
	const struct ev_proc *e = NULL;
	struct watch w;
	pid_t pid;

	watch_open(&w, NULL);
	pid = fork();
	if (!pid) {
		execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	watch_drain(&w);
	cr_assert_eq(proc_find(&w, PROC_FORK, pid, &e), 1);
	cr_expect_eq(e->ptgid, getpid());
	cr_assert_eq(proc_find(&w, PROC_EXEC, pid, &e), 1);
	cr_expect_str_eq((const char *)e->path, "/bin/sh");
	cr_expect_str_eq((const char *)e->comm, "sh");
	cr_assert_eq(proc_find(&w, PROC_EXIT, pid, &e), 1);
	cr_expect(WIFEXITED(e->code) && WEXITSTATUS(e->code) == 7, "%x", e->code);
	cr_expect_eq(e->tid, pid);
	watch_close(&w);
}

Test(bpf_process, says_who_killed_whom)
{
	const struct ev_proc *e = NULL;
	struct watch w;
	pid_t pid;

	watch_open(&w, NULL);
	pid = fork();
	if (!pid) {
		for (;;)
			pause();
	}
	kill(pid, SIGWINCH);           /* of no interest */
	kill(pid, SIGSTOP);
	kill(pid, SIGCONT);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	watch_drain(&w);
	cr_assert_eq(proc_find(&w, PROC_SIGNAL, pid, &e), 3);
	cr_expect_eq(e->code, SIGKILL);
	cr_expect_eq(e->from, getpid());
	cr_assert_eq(proc_find(&w, PROC_EXIT, pid, &e), 1);
	cr_expect(WIFSIGNALED(e->code) && WTERMSIG(e->code) == SIGKILL, "%x", e->code);
	watch_close(&w);
}

static pthread_barrier_t together;

static void *end_at_once(void *arg)
{
	pthread_barrier_wait(&together);
	syscall(SYS_exit, 0);
	return NULL;
}

/* Eight threads that end in the same moment, the leader among them. */
static pid_t crowd(void)
{
	pid_t pid = fork();
	pthread_t t;

	if (pid)
		return pid;
	pthread_barrier_init(&together, NULL, 8);
	for (int i = 0; i < 7; i++)
		pthread_create(&t, NULL, end_at_once, NULL);
	pthread_barrier_wait(&together);
	syscall(SYS_exit, 0);
	return 0;
}

Test(bpf_process, ends_once_whatever_its_threads_do)
{
	struct watch w;

	watch_open(&w, NULL);
	for (int i = 0; i < 50; i++) {
		pid_t pid = crowd();

		waitpid(pid, NULL, 0);
		watch_drain(&w);
		cr_expect_eq(proc_find(&w, PROC_FORK, pid, NULL), 1, "threads are not processes");
		cr_expect_eq(proc_find(&w, PROC_EXIT, pid, NULL), 1);
		watch_forget(&w);
	}
	watch_close(&w);
}

struct census { struct ev_task me; uint32_t count, tid; };

static void census_take(void *arg, const struct ev_task *t)
{
	struct census *c = arg;

	c->count++;
	if (t->tid == c->tid)
		c->me = *t;
}

static uint64_t oncpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

Test(bpf_process, reads_every_thread)
{
	struct census c = {.tid = getpid()};
	uint64_t used = oncpu_ns();
	struct watch w;
	int n;

	watch_open(&w, NULL);
	n = bpf_source_tasks(w.source, census_take, &c);
	cr_expect_gt(n, 2);
	cr_expect_eq(c.count, (uint32_t)n);
	cr_assert_eq(c.me.tgid, (uint32_t)getpid());
	cr_expect_eq(c.me.ptgid, (uint32_t)getppid());
	cr_expect_eq(c.me.uid, getuid());
	cr_expect_eq(c.me.state, 'R');
	cr_expect_eq(c.me.kthread, 0);
	cr_expect_gt(c.me.rss_pages, 100);
	cr_expect(c.me.anon_pages > 50 && c.me.anon_pages < c.me.rss_pages, "%lu pages of %lu are its own",
		  (unsigned long)c.me.anon_pages, (unsigned long)c.me.rss_pages);
	/* the kernel adds up at ticks and switches: the last few milliseconds may lack */
	cr_expect(c.me.oncpu_ns + 20000000 >= used && c.me.oncpu_ns <= oncpu_ns(), "%lu of %lu ns",
	          (unsigned long)c.me.oncpu_ns, (unsigned long)used);
	watch_close(&w);
}
