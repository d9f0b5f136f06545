/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf_watch.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#define SMALL 3000

/* as bpf/copy.h has them */
enum { HEAD = 4096, HEAD_SMALL = 1024, TAIL = 64, CREDIT = 256 << 10, SLOTS = 65536 };

/* Reads a socket until its end, so that large writes get through. */
static void *swallow(void *arg)
{
	char buf[65536];

	while (read(*(int *)arg, buf, sizeof(buf)) > 0)
		;
	return NULL;
}

static int pattern_file(size_t n)
{
	int fd = memfd_create("pattern", MFD_CLOEXEC);
	uint8_t *text = pattern_make(n);

	cr_assert_eq(write(fd, text, n), (ssize_t)n);
	lseek(fd, 0, SEEK_SET);
	free(text);
	return fd;
}

static void by_sendfile(int fd)
{
	int file = pattern_file(SMALL);

	cr_assert_eq(sendfile(fd, file, NULL, SMALL), SMALL);
	close(file);
}

static void by_splice(int fd)
{
	int file = pattern_file(SMALL), p[2];

	cr_assert_eq(pipe2(p, O_CLOEXEC), 0);
	cr_assert_eq(splice(file, NULL, p[1], NULL, SMALL, 0), SMALL);
	cr_assert_eq(splice(p[0], NULL, fd, NULL, SMALL, 0), SMALL);
	close(p[0]);
	close(p[1]);
	close(file);
}

static void by_writev(int fd)
{
	uint8_t *text = pattern_make(SMALL);
	struct iovec v[3] = {{text, 1}, {text + 1, 1000}, {text + 1001, SMALL - 1001}};

	cr_assert_eq(writev(fd, v, 3), SMALL);
	free(text);
}

static void by_sendmsg(int fd)
{
	uint8_t *text = pattern_make(SMALL);
	struct iovec v[2] = {{text, 17}, {text + 17, SMALL - 17}};
	struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};

	cr_assert_eq(sendmsg(fd, &m, 0), SMALL);
	free(text);
}

static void by_sendmmsg(int fd)
{
	uint8_t *text = pattern_make(SMALL);
	struct iovec v[2] = {{text, 100}, {text + 100, SMALL - 100}};
	struct mmsghdr m[2] = {{{.msg_iov = v, .msg_iovlen = 1}, 0}, {{.msg_iov = v + 1, .msg_iovlen = 1}, 0}};

	cr_assert_eq(sendmmsg(fd, m, 2, 0), 2);
	free(text);
}

static void by_bytes(int fd)
{
	uint8_t *text = pattern_make(SMALL);

	for (int i = 0; i < 100; i++)
		cr_assert_eq(write(fd, text + i, 1), 1);
	cr_assert_eq(send(fd, text + 100, SMALL - 100, MSG_MORE), SMALL - 100);
	free(text);
}

Test(bpf_data, is_seen_whichever_way_it_is_sent)
{
	static const struct { const char *name; void (*send)(int fd); } ways[] = {
		{"sendfile", by_sendfile}, {"splice", by_splice}, {"writev", by_writev}, {"sendmsg", by_sendmsg},
		{"sendmmsg", by_sendmmsg}, {"bytes", by_bytes},
	};
	struct watch w;

	watch_open(&w, NULL);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct pair p = pair_make(i % 2 ? AF_INET : AF_INET6);
		const struct ev_data *last = NULL;
		struct stream s;
		char sink[SMALL];

		ways[i].send(p.near);
		shutdown(p.near, SHUT_WR);
		read_all(p.far, sink, SMALL);
		pair_close(&p);
		watch_drain(&w);
		s = stream_check(&w, p.near_cookie);
		cr_expect_eq(s.len, SMALL, "%s: %zu bytes", ways[i].name, s.len);
		cr_expect_eq(s.copied, SMALL, "%s: %zu bytes copied", ways[i].name, s.copied);
		cr_assert(data_find(&w, p.near_cookie, DIR_OUT, &last));
		cr_expect(last->flags & DATA_LOOPBACK, "%s", ways[i].name);
		cr_expect_eq(data_find(&w, p.far_cookie, DIR_IN, NULL), 0, "%s: told of twice", ways[i].name);
	}
	watch_close(&w);
}

/* Writes n bytes of the pattern at once with a wish; what was copied of them. */
static struct stream large(struct watch *w, size_t n, int wish)
{
	struct pair p = pair_make(AF_INET);
	uint8_t *text = pattern_make(n);
	pthread_t reader;

	if (wish != WISH_AUTO)
		bpf_source_wish(w->source, p.near_cookie, wish);
	cr_assert_eq(pthread_create(&reader, NULL, swallow, &p.far), 0);
	for (size_t done = 0; done < n;) {
		ssize_t got = write(p.near, text + done, n - done);

		cr_assert_gt(got, 0);
		done += got;
	}
	shutdown(p.near, SHUT_WR);
	pthread_join(reader, NULL);
	pair_close(&p);
	free(text);
	watch_drain(w);
	return stream_check(w, p.near_cookie);
}

Test(bpf_data, cuts_large_segments_only)
{
	struct watch w;
	struct stream s;

	watch_open(&w, NULL);
	s = large(&w, HEAD, WISH_AUTO);
	cr_expect_eq(s.copied, HEAD);
	s = large(&w, 60000, WISH_AUTO);
	cr_expect_eq(s.len, 60000);
	cr_expect_eq(s.copied, 60000, "the credit of a socket covers it: %zu", s.copied);
	/* the credit is full again after a second, which the write does not take */
	s = large(&w, 8 << 20, WISH_AUTO);
	cr_expect_eq(s.len, 8 << 20);
	cr_expect_gt(s.cut, 0);
	cr_expect_lt(s.copied, s.len / 2);
	cr_expect_geq(s.copied, (CREDIT * 3) / 4);
	watch_close(&w);
}

Test(bpf_data, copies_what_is_wished)
{
	struct watch w;
	struct stream s;

	watch_open(&w, NULL);
	s = large(&w, 2 << 20, WISH_WHOLE);
	cr_expect_eq(s.len, 2 << 20);
	cr_expect_eq(s.copied, 2 << 20);
	cr_expect_eq(s.cut, 0);
	s = large(&w, 60000, WISH_HEADS);
	cr_expect_eq(s.len, 60000);
	cr_expect_eq(s.cut, s.segments);
	cr_expect_eq(s.copied, s.segments * (HEAD_SMALL + TAIL));
	s = large(&w, 60000, WISH_NONE);
	cr_expect_eq(s.segments, 0);
	watch_close(&w);
}

/* The wish of one socket is not that of another in the same slot. */
Test(bpf_data, wishes_are_of_one_socket)
{
	struct watch w;
	struct pair p;

	watch_open(&w, NULL);
	p = pair_make(AF_INET);
	bpf_source_wish(w.source, p.near_cookie + SLOTS, WISH_NONE);
	cr_assert_eq(write(p.near, "a", 1), 1);
	bpf_source_wish(w.source, p.near_cookie, WISH_NONE);
	cr_assert_eq(write(p.near, "b", 1), 1);
	bpf_source_wish(w.source, p.near_cookie, WISH_AUTO);
	cr_assert_eq(write(p.near, "c", 1), 1);
	watch_drain(&w);
	cr_expect_eq(data_find(&w, p.near_cookie, DIR_OUT, NULL), 2);
	pair_close(&p);
	watch_close(&w);
}

struct worker { int fd; pid_t tid; };

static void *answer(void *arg)
{
	struct worker *me = arg;
	char byte;

	me->tid = syscall(SYS_gettid);
	read_all(me->fd, &byte, 1);
	cr_assert_eq(write(me->fd, "answer", 6), 6);
	return NULL;
}

/* Four threads, four connections: each answer is filed under the thread that read the request and wrote it. */
Test(bpf_data, knows_reader_and_writer)
{
	struct pair p[4];
	struct worker me[4];
	pthread_t thread[4];
	struct watch w;
	char buf[6];

	watch_open(&w, NULL);
	for (int i = 0; i < 4; i++) {
		p[i] = pair_make(AF_INET);
		me[i].fd = p[i].far;
		cr_assert_eq(pthread_create(&thread[i], NULL, answer, &me[i]), 0);
	}
	for (int i = 3; i >= 0; i--) {
		cr_assert_eq(write(p[i].near, "?", 1), 1);
		read_all(p[i].near, buf, sizeof(buf));
		pthread_join(thread[i], NULL);
	}
	watch_drain(&w);
	for (int i = 0; i < 4; i++) {
		const struct ev_data *d = NULL;

		cr_assert_eq(data_find(&w, p[i].far_cookie, DIR_OUT, &d), 1);
		cr_expect_eq(d->tid, me[i].tid);
		cr_expect_eq(d->rd_tid, me[i].tid);
		cr_expect_eq(d->tgid, getpid());
		pair_close(&p[i]);
	}
	watch_close(&w);
}

/* Held back by Nagle's algorithm or a full window, bytes leave when nobody writes: an EV_IO names their writer. */
Test(bpf_data, names_the_writer_of_late_segments)
{
	struct pair p;
	struct watch w;
	const struct ev_data *d = NULL;
	const struct ev_io *io;
	uint8_t *text = pattern_make(1 << 20);
	size_t at = 0;
	uint32_t last = 0;
	pthread_t reader;

	watch_open(&w, NULL);
	p = pair_make(AF_INET);
	fcntl(p.near, F_SETFL, O_NONBLOCK);
	while (write(p.near, text, 1 << 20) > 0)
		;
	cr_assert_eq(pthread_create(&reader, NULL, swallow, &p.far), 0);
	usleep(100000);
	shutdown(p.near, SHUT_WR);
	pthread_join(reader, NULL);
	watch_drain(&w);
	while ((io = watch_next(&w, EV_IO, &at))) {
		if (io->cookie != p.near_cookie || io->dir != DIR_OUT)
			continue;
		cr_expect_eq(io->tgid, getpid());
		cr_expect_eq(io->tid, getpid());
		last = io->seq;
	}
	cr_assert(data_find(&w, p.near_cookie, DIR_OUT, &d));
	cr_expect_eq(d->seq + d->len, last, "the last byte has a writer");
	pair_close(&p);
	watch_close(&w);
	free(text);
}
