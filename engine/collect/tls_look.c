/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/tls_look.h"

#include "base/clock.h"

#define SEEN_MAX 65536                   /* processes; past it all are new again */
#define WAIT_MIN_NS (NS_PER_S / 2)       /* a pass is made each second */
#define WAIT_MAX_NS (4 * NS_PER_S)

struct seen {
	uint64_t start_ticks, start_stack;   /* with the pid: who it is, and since which exec */
	uint64_t vsize_bytes;
	uint64_t next_ns, wait_ns;
};

void tls_look_init(struct tls_look *l)
{
	map_init(&l->seen, sizeof(uint32_t), sizeof(struct seen), 0);
}

void tls_look_done(struct tls_look *l)
{
	map_done(&l->seen);
}

static bool is_same(const struct seen *s, const struct proc_stat *st)
{
	return s && s->start_ticks == st->start_ticks && s->start_stack == st->start_stack;
}

enum tls_due tls_look_due(const struct tls_look *l, const struct proc_stat *st, uint64_t now_ns)
{
	const struct seen *s = map_get(&l->seen, &st->pid);

	if (!is_same(s, st))
		return TLS_DUE_NEW;
	return s->vsize_bytes != st->vsize_bytes && now_ns >= s->next_ns ? TLS_DUE_MORE : TLS_DUE_NOT;
}

void tls_looked(struct tls_look *l, const struct proc_stat *st, uint64_t now_ns)
{
	struct seen *s;

	if (l->seen.n >= SEEN_MAX && !map_get(&l->seen, &st->pid))
		map_reset(&l->seen);
	s = map_put(&l->seen, &st->pid, NULL);
	if (!s)
		return;         /* no memory: it is new again */
	if (!is_same(s, st))
		*s = (struct seen){.start_ticks = st->start_ticks, .start_stack = st->start_stack, .wait_ns = WAIT_MIN_NS / 2};
	s->vsize_bytes = st->vsize_bytes;
	s->wait_ns = s->wait_ns * 2 < WAIT_MAX_NS ? s->wait_ns * 2 : WAIT_MAX_NS;
	s->next_ns = now_ns + s->wait_ns;
}
