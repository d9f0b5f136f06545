/* SPDX-License-Identifier: BSD-2-Clause */
/* io_uring(7) by its system calls: one entry goes in, one comes out. */
#include "way.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct ring {
	int fd;
	struct io_uring_params p;
	char *sq, *cq;
	size_t sq_size, cq_size, sqes_size;
	struct io_uring_sqe *sqes;
};

static int ring_open(struct ring *r)
{
	memset(r, 0, sizeof(*r));
	r->fd = (int)syscall(SYS_io_uring_setup, 4, &r->p);
	if (r->fd < 0)
		return -1;
	r->sq_size = r->p.sq_off.array + r->p.sq_entries * sizeof(unsigned);
	r->cq_size = r->p.cq_off.cqes + r->p.cq_entries * sizeof(struct io_uring_cqe);
	r->sqes_size = r->p.sq_entries * sizeof(struct io_uring_sqe);
	r->sq = mmap(NULL, r->sq_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
	r->cq = mmap(NULL, r->cq_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_CQ_RING);
	r->sqes = mmap(NULL, r->sqes_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQES);
	return r->sq == MAP_FAILED || r->cq == MAP_FAILED || r->sqes == MAP_FAILED ? -1 : 0;
}

static void ring_close(struct ring *r)
{
	if (r->fd < 0)
		return;
	munmap(r->sq, r->sq_size);
	munmap(r->cq, r->cq_size);
	munmap(r->sqes, r->sqes_size);
	close(r->fd);
}

static ssize_t ring_do(struct ring *r, const struct io_uring_sqe *sqe)
{
	unsigned *sq_tail = (unsigned *)(r->sq + r->p.sq_off.tail), *array = (unsigned *)(r->sq + r->p.sq_off.array);
	unsigned *cq_head = (unsigned *)(r->cq + r->p.cq_off.head), tail = *sq_tail;
	const unsigned *cq_tail = (unsigned *)(r->cq + r->p.cq_off.tail), *mask = (unsigned *)(r->cq + r->p.cq_off.ring_mask);
	const struct io_uring_cqe *cqes = (struct io_uring_cqe *)(r->cq + r->p.cq_off.cqes);
	ssize_t ret;

	r->sqes[0] = *sqe;
	array[tail & (r->p.sq_entries - 1)] = 0;
	__atomic_store_n(sq_tail, tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -1;
	if (__atomic_load_n(cq_tail, __ATOMIC_ACQUIRE) == *cq_head) {
		errno = EIO;
		return -1;
	}
	ret = cqes[*cq_head & *mask].res;
	__atomic_store_n(cq_head, *cq_head + 1, __ATOMIC_RELEASE);
	if (ret < 0) {
		errno = (int)-ret;
		return -1;
	}
	return ret;
}

static ssize_t uring_do(int op, int fd, const void *p, size_t n, int flags, int async)
{
	const struct io_uring_sqe sqe = { .opcode = (unsigned char)op, .flags = async ? IOSQE_ASYNC : 0, .fd = fd,
					  .addr = (unsigned long)p, .len = (unsigned)n, .msg_flags = (unsigned)flags };
	struct ring r;
	ssize_t ret = ring_open(&r) ? -1 : ring_do(&r, &sqe);

	ring_close(&r);
	return ret;
}

int uring_put(int fd, const char *p, size_t n, int async)
{
	return uring_do(IORING_OP_SEND, fd, p, n, MSG_NOSIGNAL, async) == (ssize_t)n ? 0 : -1;
}

ssize_t uring_get(int fd, char *p, size_t n, int async)
{
	return uring_do(IORING_OP_RECV, fd, p, n, 0, async);
}
