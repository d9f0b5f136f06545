/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/hosts.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "collect/below.h"
#include "collect/host.h"
#include "collect/procfs.h"

#define ANSWERS_MAX 4096
#define FRESH_NS (30 * NS_PER_S)
#define TEXT_CAP (64 << 10)
#define NAME_CAP 112             /* longer ones are not shown */

struct question { uint8_t ip[16]; uint32_t pid; };
struct answer { uint64_t at_ns; char name[NAME_CAP]; };

struct hosts {
	char proc[HOST_PATH_MAX];
	struct map answers;
	char *text;
};

static bool word_is(const char *word, size_t n, const uint8_t ip[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN];
	uint8_t got[16];

	if (!n || n >= sizeof(text))
		return false;
	memcpy(text, word, n);
	text[n] = '\0';
	memcpy(got, mapped, sizeof(mapped));
	return (inet_pton(AF_INET, text, got + 12) == 1 || inet_pton(AF_INET6, text, got) == 1) && !memcmp(got, ip, 16);
}

bool hosts_find(const char *text, const uint8_t ip[16], char *name, size_t cap)
{
	for (const char *l = text; *l; l = scan_line(l)) {
		const char *word = l + strspn(l, " \t");
		size_t n = strcspn(word, " \t\r\n#"), len;
		const char *first = word + n + strspn(word + n, " \t");

		len = strcspn(first, " \t\r\n#");
		if (!len || !word_is(word, n, ip))
			continue;
		if (len >= cap)
			return false;
		memcpy(name, first, len);
		name[len] = '\0';
		return true;
	}
	return false;
}

/* The file is one that a process may choose. Lines that are not whole are left out. False where there is none. */
static bool text_read(struct hosts *h, uint32_t pid)
{
	char root[HOST_PATH_MAX + 32];
	ssize_t n;
	int fd;

	snprintf(root, sizeof(root), "%s/%u/root", h->proc, pid);
	fd = below_open(root, "etc/hosts");
	if (fd < 0)
		return false;
	n = read(fd, h->text, TEXT_CAP);
	close(fd);
	if (n == TEXT_CAP)
		while (n && h->text[n - 1] != '\n')
			n--;
	h->text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static void look(struct hosts *h, const struct question *q, struct answer *a)
{
	a->at_ns = clock_ts_ns();
	if (!text_read(h, q->pid) || !hosts_find(h->text, q->ip, a->name, sizeof(a->name)))
		a->name[0] = '\0';
}

static bool find(void *arg, uint32_t pid, const uint8_t ip[16], char *name, size_t cap)
{
	struct question q = { .pid = pid };
	struct hosts *h = arg;
	struct answer *a;

	memcpy(q.ip, ip, 16);
	a = map_put(&h->answers, &q, NULL);
	if (!a) {               /* full: what is still of use is asked again */
		map_reset(&h->answers);
		a = map_put(&h->answers, &q, NULL);
	}
	if (!a)
		return false;
	if (!a->at_ns || a->at_ns + FRESH_NS < clock_ts_ns())
		look(h, &q, a);
	if (!*a->name || strlen(a->name) >= cap)
		return false;
	snprintf(name, cap, "%s", a->name);
	return true;
}

struct hosts_resolver hosts_resolver(struct hosts *h)
{
	return (struct hosts_resolver){ .find = h ? find : NULL, .arg = h };
}

void hosts_free(struct hosts *h)
{
	if (!h)
		return;
	map_done(&h->answers);
	free(h->text);
	free(h);
}

struct hosts *hosts_new(const char *proc)
{
	struct hosts *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	snprintf(h->proc, sizeof(h->proc), "%s", proc);
	h->text = malloc(TEXT_CAP + 1);
	map_init(&h->answers, sizeof(struct question), sizeof(struct answer), ANSWERS_MAX);
	if (h->text)
		return h;
	hosts_free(h);
	return NULL;
}
