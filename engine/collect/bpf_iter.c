/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/bpf_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/map.h"

#define EVENTS 0        /* records of bpf/event.h, each with its size */

/* Bytes of the record at the beginning of these; 0: it is not all there. */
static size_t record_size(const void *p, size_t have, size_t size)
{
	const struct ev_hdr *h = p;

	if (size == EVENTS)
		size = have < sizeof(*h) ? sizeof(*h) : h->size < sizeof(*h) ? have : h->size;
	return have < size ? 0 : size;
}

/* Reads an iterator to its end in whole records of `size`, or EVENTS; fn gets each. Count or -errno. */
static int iterate(struct bpf_link *link, size_t size, void (*fn)(void *arg, const void *rec), void *arg)
{
	uint64_t buf[2048];     /* aligned */
	size_t have = 0;
	ssize_t n;
	int fd, count = 0;

	if (!link)
		return -ENOSYS;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0)
		return fd;
	while ((n = read(fd, (char *)buf + have, sizeof(buf) - have)) != 0) {
		size_t used = 0, next;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0) {
			count = -errno;
			break;
		}
		for (have += n; have > used && (next = record_size((char *)buf + used, have - used, size)); used += next, count++)
			fn(arg, (char *)buf + used);
		have -= used;
		memmove(buf, (char *)buf + used, have);
	}
	close(fd);
	return count;
}

struct existing_call { source_fn *fn; void *arg; };

static void existing_each(void *arg, const void *rec)
{
	struct existing_call *c = arg;

	c->fn(c->arg, rec);
}

int bpf_source_existing(struct source *s, source_fn *fn, void *arg)
{
	struct existing_call c = { fn, arg };

	return iterate(bpf_link_of(bpf_source_of(s), "existing sockets", "sockets"), sizeof(struct ev_conn), existing_each, &c);
}

int bpf_source_health(struct source *s, source_fn *fn, void *arg)
{
	struct existing_call c = { fn, arg };

	return iterate(bpf_link_of(bpf_source_of(s), "tcp health", "sockets"), EVENTS, existing_each, &c);
}

typedef VEC(struct ev_task) task_vec;

static void task_keep(void *arg, const void *rec)
{
	struct ev_task *t = vec_push((task_vec *)arg);

	if (t)
		memcpy(t, rec, sizeof(*t));
}

/* The iterator gives each thread its own I/O; the contract is the process's total, on its leader. */
static int tasks_sum_io(task_vec *tasks)
{
	struct map leaders;
	size_t *at;

	map_init(&leaders, sizeof(uint32_t), sizeof(size_t), 0);
	for (size_t i = 0; i < tasks->n; i++) {
		if (tasks->v[i].tid != tasks->v[i].tgid)
			continue;
		at = map_put(&leaders, &tasks->v[i].tgid, NULL);
		if (!at) {
			map_done(&leaders);
			return -ENOMEM;
		}
		*at = i;
	}
	for (size_t i = 0; i < tasks->n; i++) {
		struct ev_task *t = &tasks->v[i];

		if (t->tid == t->tgid)
			continue;
		at = map_get(&leaders, &t->tgid);
		if (at) {
			tasks->v[*at].read_bytes += t->read_bytes;
			tasks->v[*at].write_bytes += t->write_bytes;
		}
		t->read_bytes = t->write_bytes = 0;
	}
	map_done(&leaders);
	return 0;
}

int bpf_source_tasks(struct source *s, task_fn *fn, void *arg)
{
	task_vec tasks = {0};
	int n = iterate(bpf_link_of(bpf_source_of(s), "tasks", "threads"), sizeof(struct ev_task), task_keep, &tasks);
	int err = n < 0 ? n : tasks_sum_io(&tasks);

	for (size_t i = 0; !err && i < tasks.n; i++)
		fn(arg, &tasks.v[i]);
	n = (int)tasks.n;
	vec_done(&tasks);
	return err ? err : n;
}
