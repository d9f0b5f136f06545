/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tunnel: carries packets between two network namespaces as bad networks do: every third is overtaken by the one behind it, every
 * seventh comes twice.
 *
 *   tunnel NETNS NETNS        makes a device `far` in each (files of /run/netns) and says "ready"
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PACKET_MAX 65536
#define HELD_MS 3               /* one with none behind it goes on after that */

struct lane {
	int to;
	unsigned seen;
	size_t held;            /* bytes; 0: none waits to be overtaken */
	char packet[PACKET_MAX];
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int device(const char *netns)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "far" };
	char path[128];
	int ns, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET))
		die(path);
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r))
		die("/dev/net/tun");
	return fd;
}

static void forward(struct lane *l, const char *packet, size_t n)
{
	/* a device that is not up yet refuses it, as a cable that is not plugged in */
	if (write(l->to, packet, n) < 0 && errno != EIO)
		die("write");
}

static void release(struct lane *l)
{
	if (l->held)
		forward(l, l->packet, l->held);
	l->held = 0;
}

static void carry(struct lane *l, const char *packet, size_t n)
{
	l->seen++;
	if (l->seen % 3 == 0 && !l->held) {
		memcpy(l->packet, packet, n);
		l->held = n;
		return;
	}
	forward(l, packet, n);
	if (l->seen % 7 == 0)
		forward(l, packet, n);
	release(l);
}

int main(int argc, char **argv)
{
	static struct lane lanes[2];
	static char packet[PACKET_MAX];
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };

	if (argc != 3)
		return 2;
	for (int i = 0; i < 2; i++)
		p[i].fd = lanes[!i].to = device(argv[1 + i]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int ready = poll(p, 2, lanes[0].held || lanes[1].held ? HELD_MS : -1);

		for (int i = 0; i < 2; i++) {
			ssize_t n = ready > 0 && p[i].revents & POLLIN ? read(p[i].fd, packet, sizeof(packet)) : 0;

			if (n > 0)
				carry(&lanes[i], packet, (size_t)n);
			else if (!ready)
				release(&lanes[i]);
		}
	}
}
