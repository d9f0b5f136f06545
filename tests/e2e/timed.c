/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timed: an HTTP server, a thread a connection, whose requests spend a known time in a known way:
 *
 *	usage: timed PORT DIRECTORY
 *
 *	GET /KIND/MS    cpu: on the CPU.  lock: for a mutex that another thread holds.  io: in O_DIRECT reads of DIRECTORY/io.
 *	                mem: in page faults of DIRECTORY/mem.  net: for an answer of another thread over TCP.  sleep: in nanosleep.
 *	                hand: as sleep, but another thread writes the response.  reclaim: freeing memory before it gets any.
 *
 * io and mem read one MB a ms, reclaim takes one: how long that takes is the disk's affair.  The response's body is the time that it took by the
 * thread's own clock, in ns.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MB (1u << 20)

static const char *directory;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int kick, held;               /* eventfds: lock it; it is locked */
static unsigned held_ms;
static int peer;                     /* listening socket of the thread that answers after a while */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void sleep_ms(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000l}, NULL);
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 128))
		die("listen");
	return fd;
}

static void take(int event)
{
	uint64_t n;

	/* a poll first: waiting for something to do is no wait for a peer */
	poll(&(struct pollfd){.fd = event, .events = POLLIN}, 1, -1);
	if (read(event, &n, sizeof(n)) < 0)
		die("eventfd");
}

static void give(int event)
{
	uint64_t n = 1;

	if (write(event, &n, sizeof(n)) < 0)
		die("eventfd");
}

/* Holds the mutex for a while whenever it is kicked. */
static void *holder(void *arg)
{
	for (;;) {
		take(kick);
		pthread_mutex_lock(&mutex);
		give(held);
		sleep_ms(held_ms);
		pthread_mutex_unlock(&mutex);
	}
	return arg;
}

static void *slow_peer(void *arg)
{
	unsigned ms;

	for (;;) {
		int fd = accept(peer, NULL, NULL);

		while (read(fd, &ms, sizeof(ms)) == sizeof(ms)) {
			sleep_ms(ms);
			if (write(fd, &ms, sizeof(ms)) < 0)
				break;
		}
		close(fd);
	}
	return arg;
}

static uint64_t spend_cpu(unsigned ms)
{
	uint64_t begin = clock_ns(CLOCK_THREAD_CPUTIME_ID), now;

	while ((now = clock_ns(CLOCK_THREAD_CPUTIME_ID)) - begin < ms * 1000000ull)
		;
	return now - begin;
}

static uint64_t spend_lock(unsigned ms)
{
	uint64_t begin;

	held_ms = ms;
	give(kick);
	take(held);
	begin = clock_ns(CLOCK_MONOTONIC);
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	return clock_ns(CLOCK_MONOTONIC) - begin;
}

static int open_in(const char *name, int flags)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	if (fd < 0)
		die(path);
	return fd;
}

static uint64_t spend_io(unsigned ms)
{
	uint64_t begin;
	int fd = open_in("io", O_DIRECT);
	void *p;

	if (posix_memalign(&p, 4096, MB))
		die("memalign");
	begin = clock_ns(CLOCK_MONOTONIC);
	for (unsigned i = 0; i < ms; i++)
		if (pread(fd, p, MB, (off_t)(i * MB)) != MB)
			die("pread");
	close(fd);
	free(p);
	return clock_ns(CLOCK_MONOTONIC) - begin;
}

static uint64_t spend_mem(unsigned ms)
{
	size_t n = (size_t)ms * MB;
	volatile unsigned char sum = 0;
	const unsigned char *p;
	uint64_t begin;
	int fd = open_in("mem", 0);

	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	p = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		die("mmap");
	begin = clock_ns(CLOCK_MONOTONIC);
	for (size_t i = 0; i < n; i += 4096)
		sum = (unsigned char)(sum + p[i]);
	begin = clock_ns(CLOCK_MONOTONIC) - begin;
	munmap((void *)(uintptr_t)p, n);
	close(fd);
	return begin;
}

/* Takes ms MB more than its cgroup has room for but by throwing away the pages of DIRECTORY/cache. */
static uint64_t spend_reclaim(unsigned ms)
{
	size_t n = (size_t)ms * MB;
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), block[65536];
	int fd = open_in("cache", 0);
	uint64_t begin;

	while (read(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	begin = clock_ns(CLOCK_MONOTONIC);
	for (size_t i = 0; p != MAP_FAILED && i < n; i += 4096)
		p[i] = 1;
	begin = clock_ns(CLOCK_MONOTONIC) - begin;
	munmap(p, n);
	return begin;
}

static uint64_t spend_net(unsigned ms)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint64_t begin;

	getsockname(peer, (struct sockaddr *)&a, &len);
	if (connect(fd, (struct sockaddr *)&a, len))
		die("connect");
	begin = clock_ns(CLOCK_MONOTONIC);
	if (write(fd, &ms, sizeof(ms)) < 0 || recv(fd, &ms, sizeof(ms), 0) < 0)
		die("peer");
	begin = clock_ns(CLOCK_MONOTONIC) - begin;
	close(fd);
	return begin;
}

static uint64_t spend_sleep(unsigned ms)
{
	uint64_t begin = clock_ns(CLOCK_MONOTONIC);

	sleep_ms(ms);
	return clock_ns(CLOCK_MONOTONIC) - begin;
}

static const struct { const char *name; uint64_t (*spend)(unsigned ms); } kinds[] = {
	{"cpu", spend_cpu}, {"lock", spend_lock}, {"io", spend_io}, {"mem", spend_mem}, {"net", spend_net}, {"sleep", spend_sleep},
	{"hand", spend_sleep}, {"reclaim", spend_reclaim},
};

static void answer(int fd, uint64_t spent)
{
	char body[32], text[256];
	int n = snprintf(body, sizeof(body), "%lu\n", (unsigned long)spent);

	n = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", n, body);
	if (write(fd, text, (size_t)n) < 0)
		perror("write");
}

struct handed { int fd; uint64_t spent; };

static void *answer_handed(void *arg)
{
	const struct handed *h = arg;

	answer(h->fd, h->spent);
	return NULL;
}

static void hand_over(int fd, uint64_t spent)
{
	struct handed h = {fd, spent};
	pthread_t other;

	if (pthread_create(&other, NULL, answer_handed, &h))
		die("pthread_create");
	pthread_join(other, NULL);
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char text[4096], kind[16];
	unsigned ms = 0;
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, "GET /%15[a-z]/%u", kind, &ms) == 2)
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (!strcmp(kinds[i].name, kind))
				(!strcmp(kind, "hand") ? hand_over : answer)(fd, kinds[i].spend(ms));
	close(fd);
	return NULL;
}

static void start(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	if (pthread_create(&t, NULL, fn, arg))
		die("pthread_create");
	pthread_detach(t);
}

int main(int argc, char **argv)
{
	int fd;

	if (argc != 3)
		return 2;
	directory = argv[2];
	kick = eventfd(0, EFD_CLOEXEC);
	held = eventfd(0, EFD_CLOEXEC);
	peer = listen_on(0);
	start(holder, NULL);
	start(slow_peer, NULL);
	fd = listen_on((uint16_t)atoi(argv[1]));
	for (;;) {
		int c = accept(fd, NULL, NULL);

		if (c >= 0)
			start(serve, (void *)(intptr_t)c);
	}
}
