/* SPDX-License-Identifier: BSD-2-Clause */
#include "pcap_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "collect/capture_writer.h"
#include "exit.h"
#include "say.h"

#define BUFFER (256u << 10)
#define SET_NS (100 * NS_PER_MS)        /* the wall clock was set */

struct pcap_output {
	const char *path;
	const struct model *model;
	struct capture_writer *writer;
	int fd;
	bool stopped;                   /* full, or the disk is */
	bool timed;                     /* offset_ns is known */
	int64_t offset_ns;              /* from the monotonic clock to the one on the wall */
	int64_t max_bytes, bytes;       /* bytes: with what waits in the buffer */
	uint64_t packets;
	size_t n;
	uint8_t buffer[BUFFER];
};

static void stop(struct pcap_output *p)
{
	p->stopped = true;
	p->n = 0;
}

/* What was written in part is taken back: the file ends with a whole block. */
static void flush(struct pcap_output *p)
{
	off_t begin = lseek(p->fd, 0, SEEK_CUR);
	size_t done = 0;

	while (done < p->n) {
		ssize_t n = write(p->fd, p->buffer + done, p->n - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			say_note("rootle: %s: %s: nothing more is written to it", p->path, strerror(errno));
			p->bytes -= (int64_t)p->n;
			stop(p);
			if (ftruncate(p->fd, begin))
				say_detail("%s: ends in the middle of a packet", p->path);
			return;
		}
		done += (size_t)n;
	}
	p->n = 0;
}

static void put(void *arg, const uint8_t *block, size_t n)
{
	struct pcap_output *p = arg;
	char size[32];

	if (p->stopped)
		return;
	if (p->bytes + (int64_t)n > p->max_bytes) {
		flush(p);
		say_note("%s: has its %s (--max-size): nothing more is written to it", p->path,
			 size_format(size, sizeof(size), (double)p->max_bytes));
		stop(p);
		return;
	}
	if (p->n + n > BUFFER)
		flush(p);
	memcpy(p->buffer + p->n, block, n);
	p->n += n;
	p->bytes += (int64_t)n;
	p->packets++;
}

static const char *service(void *arg, uint32_t pid)
{
	const struct pcap_output *p = arg;

	return model_service(p->model, pid);
}

int pcap_output_open(struct pcap_output **ret, const char *path, int64_t max_bytes, const struct model *m)
{
	struct pcap_output *p = calloc(1, sizeof(*p));

	if (!p)
		return say_error(EXIT_FAILED, "out of memory");
	p->path = path;
	p->model = m;
	p->max_bytes = max_bytes;
	p->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (p->fd < 0) {
		int err = errno;

		free(p);
		return say_error(EXIT_FAILED, "--write-pcap %s: %s", path, err == EEXIST ? "is there already" : strerror(err));
	}
	p->writer = capture_writer_new(&(struct capture_writer_options){.put = put, .service = service, .arg = p});
	if (!p->writer) {
		close(p->fd);
		unlink(path);
		free(p);
		return say_error(EXIT_FAILED, "out of memory");
	}
	p->packets = 0;
	flush(p);
	*ret = p;
	return 0;
}

/* The two clocks are read one after the other, so their distance differs by what happens in between: with one of its own for each
 * packet an answer may come before its request. */
static int64_t wall_of(struct pcap_output *p, uint64_t ts_ns)
{
	int64_t offset = clock_wall(ts_ns) - (int64_t)ts_ns;

	if (!p->timed || llabs(offset - p->offset_ns) > SET_NS)
		p->offset_ns = offset;
	p->timed = true;
	return (int64_t)ts_ns + p->offset_ns;
}

void pcap_output_take(struct pcap_output *p, const struct ev_hdr *ev)
{
	int64_t at;

	if (!p || p->stopped)
		return;
	at = wall_of(p, ev->ts_ns);
	capture_writer_take(p->writer, ev, at > 0 ? (uint64_t)at : 0);
}

void pcap_output_tick(struct pcap_output *p)
{
	if (p && !p->stopped)
		flush(p);
}

void pcap_output_close(struct pcap_output *p)
{
	char size[32];

	if (!p)
		return;
	if (!p->stopped)
		flush(p);
	if (fsync(p->fd) || close(p->fd))
		say_note("rootle: %s: %s", p->path, strerror(errno));
	say_note("capture: %s, %llu packets, %s", p->path, (unsigned long long)p->packets,
		 size_format(size, sizeof(size), (double)p->bytes));
	if (capture_writer_lost(p->writer))
		say_note("capture: %llu segments are not in it: the addresses of their connections are not known",
			 (unsigned long long)capture_writer_lost(p->writer));
	capture_writer_free(p->writer);
	free(p);
}
