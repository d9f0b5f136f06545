/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/trace_actor.h"

#define CROWD_NS (60ull * 1000000000)

_Static_assert(ACTORS <= UINT16_MAX + 1u && THREADS <= UINT16_MAX + 1u, "struct reader");

static struct who *set_of(struct who *table, uint32_t places, uint32_t ways, uint32_t id)
{
	uint32_t set = (uint32_t)((uint64_t)(id * 0x9e3779b1u) * (places / ways) >> 32);

	return table + set * ways;
}

/* Who may go first. */
static uint64_t spare(const struct who *w, uint32_t now)
{
	if (!w->id)
		return UINT64_MAX;
	return (uint64_t)!w->open << 32 | (now - w->used);
}

/* Its place; *taken: it was another one's, or nobody's. */
static struct who *place_of(struct actors *x, struct who *set, uint32_t ways, uint32_t id, uint32_t now, bool *taken)
{
	struct who *best = set;

	*taken = false;
	for (struct who *w = set; w < set + ways; w++) {
		if (w->id == id) {
			w->used = now;
			return w;
		}
		if (spare(w, now) > spare(best, now))
			best = w;
	}
	*taken = true;
	x->lost += best->open != 0;
	*best = (struct who){.id = id, .used = now, .life = ++x->lives};
	return best;
}

static uint32_t process_of(struct actors *x, uint32_t pid, uint32_t now)
{
	bool taken;
	struct who *w = place_of(x, set_of(x->process, ACTORS, ACTOR_WAYS, pid), ACTOR_WAYS, pid, now, &taken);
	uint32_t at = (uint32_t)(w - x->process);

	if (taken)
		x->actor[at] = (struct actor){0};
	return at;
}

static uint32_t thread_of(struct actors *x, uint32_t tid, uint32_t now)
{
	bool taken;
	struct who *w = place_of(x, set_of(x->thread, THREADS, THREAD_WAYS, tid), THREAD_WAYS, tid, now, &taken);
	uint32_t at = (uint32_t)(w - x->thread);

	if (taken)
		x->last[at] = 0;
	return at;
}

struct actor *actor_of(struct actors *x, uint32_t pid, uint32_t now)
{
	return &x->actor[process_of(x, pid, now)];
}

bool actor_is_known(const struct actors *x, uint32_t pid)
{
	const struct who *set = set_of((struct who *)x->process, ACTORS, ACTOR_WAYS, pid);

	for (uint32_t i = 0; i < ACTOR_WAYS; i++)
		if (set[i].id == pid)
			return true;
	return false;
}

uint32_t *actor_last(struct actors *x, uint32_t tid, uint32_t now)
{
	return &x->last[thread_of(x, tid, now)];
}

void actor_crowd(struct actors *x, uint32_t pid, uint32_t now, uint64_t ts_ns)
{
	x->actor[process_of(x, pid, now)].crowded_ns = ts_ns + CROWD_NS;
}

struct serving actor_serves(struct actors *x, uint32_t pid, uint32_t now, uint64_t ts_ns)
{
	uint32_t at = process_of(x, pid, now);
	struct serving s = {.open = x->process[at].open, .crowded = x->actor[at].crowded_ns > ts_ns};

	s.only = s.open == 1 && !s.crowded ? x->actor[at].open_reads : 0;
	return s;
}

bool reader_begins(struct actors *x, struct reader *r, uint32_t pid, uint32_t tid, uint32_t act)
{
	uint32_t p = process_of(x, pid, act), t = thread_of(x, tid, act);

	*r = (struct reader){.act = act, .tid = tid, .process = (uint16_t)p, .process_life = x->process[p].life,
			     .thread = (uint16_t)t, .thread_life = x->thread[t].life};
	x->process[p].open++;
	x->actor[p].open_reads ^= act;
	return x->thread[t].open++ == 0;
}

void reader_ends(struct actors *x, struct reader *r)
{
	if (!r->act)
		return;
	if (x->process[r->process].life == r->process_life) {
		x->process[r->process].open--;
		x->actor[r->process].open_reads ^= r->act;
	}
	if (x->thread[r->thread].life == r->thread_life)
		x->thread[r->thread].open--;
	*r = (struct reader){0};
}

void reader_is_left(struct actors *x, struct reader *r, uint64_t ts_ns)
{
	if (r->act && x->process[r->process].life == r->process_life)
		x->actor[r->process].crowded_ns = ts_ns + CROWD_NS;
	reader_ends(x, r);
}
