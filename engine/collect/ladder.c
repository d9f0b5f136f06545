/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/ladder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Most telling first: who has no capability learns that, not that the kernel refuses. */
static const struct { uint32_t bit; const char *why; } reasons[] = {
	{ CAN_BPF, "needs CAP_BPF and Linux 5.8" },
	{ CAN_TRACE, "needs CAP_PERFMON" },
	{ CAN_CGROUP, "needs CAP_NET_ADMIN" },
	{ CAN_RELOCATE, "no BTF of this kernel: give a file with --btf" },
	{ CAN_KERNEL_BTF, "no /sys/kernel/btf/vmlinux" },
	{ CAN_TP_BTF, "this kernel has no typed tracepoints" },
	{ CAN_FENTRY, "this kernel refuses them" },
	{ CAN_ITERATE, "this kernel has none" },
	{ CAN_KPROBE, "this kernel has none" },
	{ CAN_SOCK_STORAGE, "needs Linux 5.11" },
};

static void why_add(struct ladder_part *p, const char *rung, const char *why)
{
	size_t n = strlen(p->why);

	snprintf(p->why + n, sizeof(p->why) - n, "%s%s: %s", n ? "; " : "", rung, why);
}

static const char *reason_of(uint32_t missing)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (missing & reasons[i].bit)
			return reasons[i].why;
	return "not possible here";
}

/* Length of the rung that is wished for this source; 0: none. */
static size_t wish_find(const char *rungs, const char *source, const char **ret)
{
	size_t n = strlen(source);

	for (const char *p = rungs; p && *p; p += strcspn(p, ","), p += *p == ',')
		if (!strncmp(p, source, n) && p[n] == '=') {
			*ret = p + n + 1;
			return strcspn(*ret, ",");
		}
	return 0;
}

static bool is_named(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && !memcmp(name, text, len);
}

bool ladder_wishes(const char *rungs, const char *source, const char *rung)
{
	const char *text;
	size_t len = wish_find(rungs, source, &text);

	return len && is_named(rung, text, len);
}

/* The first row that the wish allows. */
static size_t wish_begin(const struct ladder *l, const struct ladder_part *p, const struct ladder_wish *w)
{
	const char *rung;
	size_t len = wish_find(w->rungs, l->rows[p->first].source, &rung);

	if (!len)
		return p->first;
	for (size_t i = p->first; i < p->first + p->n; i++)
		if (is_named(l->rows[i].rung, rung, len))
			return i;
	return is_named("absent", rung, len) ? p->first + p->n - 1 : p->first;
}

/* NULL: this rung may be tried. */
static const char *row_obstacle(const struct ladder *l, size_t i, const bool *known)
{
	const struct probe_row *r = &l->rows[i];

	if (r->needs & ~l->can)
		return reason_of(r->needs & ~l->can);
	return r->knows && !known[i] ? "this kernel does not have it" : NULL;
}

/* From row i on to the first that may be; the last one always may. */
static void part_settle(struct ladder *l, struct ladder_part *p, size_t i, const bool *known)
{
	for (p->at = i; p->at < p->first + p->n - 1; p->at++) {
		const char *why = row_obstacle(l, p->at, known);

		if (!why)
			return;
		why_add(p, l->rows[p->at].rung, why);
	}
}

/* NULL: this part may be stood on. */
static const char *part_obstacle(const struct probe_row *r, const struct ladder_wish *w)
{
	if (w->no_iterators && r->group & PROBE_ITERATES)
		return "in a pid namespace of its own, of which alone it tells";
	return (w->no_packets && r->group & PROBE_PACKETS) || (w->no_sched && r->group & PROBE_SCHED) ||
	       (w->no_profile && r->group & PROBE_CLOCK) ? "left out by option" : NULL;
}

static void part_choose(struct ladder *l, struct ladder_part *p, const bool *known, const struct ladder_wish *w)
{
	const char *obstacle = part_obstacle(&l->rows[p->first], w);
	size_t begin = wish_begin(l, p, w);

	if (obstacle) {
		p->at = p->first + p->n - 1;
		why_add(p, l->rows[p->first].rung, obstacle);
		return;
	}
	if (begin != p->first)
		why_add(p, l->rows[p->first].rung, "left out by --rung");
	part_settle(l, p, begin, known);
}

const struct probe_row *ladder_row(const struct ladder *l, size_t part)
{
	return &l->rows[l->parts[part].at];
}

/* Whether states are in a hash, and who makes the cookies then. */
static void states_settle(struct ladder *l)
{
	bool cookies_lack = false;

	l->state_in_hash = false;
	for (size_t i = 0; i < l->n; i++) {
		const struct probe_row *r = ladder_row(l, i);
		bool copies = r->group & PROBE_COPIES;

		/* those of a cgroup reach socket storage on all kernels */
		if (!r->program || (r->group & (PROBE_STATE | PROBE_PACKETS)) != PROBE_STATE || !(r->needs & CAN_TRACE))
			continue;
		l->state_in_hash |= copies || !(l->can & CAN_SOCK_STORAGE);
		cookies_lack |= copies || !(l->can & CAN_SOCK_COOKIE);
	}
	for (size_t i = 0; i < l->n; i++) {
		struct ladder_part *p = &l->parts[i];

		if (l->rows[p->first].group & PROBE_COOKIES)
			p->idle = !cookies_lack;
		if (!l->state_in_hash || !(l->rows[p->at].group & PROBE_STORAGE))
			continue;
		why_add(p, l->rows[p->at].rung, "states are not kept with the sockets");
		p->at = p->first + p->n - 1;
	}
}

int ladder_choose(struct ladder *l, const struct probe_row *rows, size_t n, uint32_t can, const bool *known,
                  const struct ladder_wish *w)
{
	*l = (struct ladder){ .rows = rows, .can = can };
	for (size_t i = 0; i < n; i++) {
		struct ladder_part *p = l->n ? &l->parts[l->n - 1] : NULL;

		if (p && !strcmp(rows[p->first].source, rows[i].source) && !strcmp(rows[p->first].part, rows[i].part)) {
			p->n++;
			continue;
		}
		if (l->n == LADDER_PARTS)
			return -E2BIG;
		l->parts[l->n++] = (struct ladder_part){ .first = i, .n = 1 };
	}
	for (size_t i = 0; i < l->n; i++)
		part_choose(l, &l->parts[i], known, w);
	states_settle(l);
	return 0;
}

bool ladder_step_down(struct ladder *l, const char *program, const bool *known, const char *why)
{
	for (size_t i = 0; i < l->n; i++) {
		struct ladder_part *p = &l->parts[i];
		const struct probe_row *r = &l->rows[p->at];

		if (p->idle || !r->program || (strcmp(r->program, program) && (!r->also || strcmp(r->also, program))))
			continue;
		why_add(p, r->rung, why);
		part_settle(l, p, p->at + 1, known);
		states_settle(l);
		return true;
	}
	return false;
}

static bool source_has_rung(const char *source, size_t source_len, const char *rung, size_t len)
{
	bool absent = is_named("absent", rung, len);

	for (size_t i = 0; i < probe_table_n; i++)
		if (is_named(probe_table[i].source, source, source_len) && (absent || is_named(probe_table[i].rung, rung, len)))
			return true;
	/* kernel BTF is no source, but what many rungs stand on */
	return absent && is_named("btf", source, source_len);
}

int ladder_wish_check(const char *rungs, const char **bad, size_t *len)
{
	for (const char *p = rungs; *p; p += *len, p += *p == ',') {
		size_t name = strcspn(p, "=,");

		*len = strcspn(p, ",");
		*bad = p;
		if (p[name] != '=' || !source_has_rung(p, name, p + name + 1, *len - name - 1))
			return -EINVAL;
	}
	return 0;
}

/* ", NAME", once. */
static void list_add(char *buf, size_t cap, const char *name)
{
	size_t n = strlen(buf), len = strlen(name);

	for (const char *p = buf; (p = strstr(p, name)); p += len)
		if ((p == buf || p[-1] == ' ') && (!p[len] || p[len] == ','))
			return;
	snprintf(buf + n, cap - n, "%s%s", n ? ", " : "", name);
}

const char *ladder_wish_choices(const char *bad, size_t len, bool *source, char *buf, size_t cap)
{
	size_t name = 0;

	while (name < len && bad[name] != '=')
		name++;
	*source = name < len && source_has_rung(bad, name, "absent", strlen("absent"));
	buf[0] = '\0';
	for (size_t i = 0; i < probe_table_n; i++) {
		if (!*source)
			list_add(buf, cap, probe_table[i].source);
		else if (is_named(probe_table[i].source, bad, name) && probe_table[i].program)
			list_add(buf, cap, probe_table[i].rung);
	}
	list_add(buf, cap, *source ? "absent" : "btf");
	return buf;
}
