/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/map_select.h"

#include <stdlib.h>
#include <string.h>

static bool is_idle(const struct sum_edge *e)
{
	return !(e->l.count > 0 || e->open > 0 || e->opened > 0 || e->refused > 0 || e->timeouts > 0);   /* NaN: not known */
}

bool map_edge_shown(const struct summary *s, const bool *wanted, const struct sum_edge *e)
{
	const struct win_edge *w = &s->window->edges.v[e->edge];

	return !is_idle(e) && wanted[w->to] && (w->from == WIN_NONE || wanted[w->from]);
}

/* Marks what can be reached from the marked services along (or against) the edges, until nothing changes. */
static void spread(const struct summary *s, bool *mark, bool against)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (size_t i = 0; i < s->edges.n; i++) {
			const struct win_edge *w = &s->window->edges.v[s->edges.v[i].edge];
			uint32_t from = against ? w->to : w->from, to = against ? w->from : w->to;

			if (is_idle(&s->edges.v[i]) || w->from == WIN_NONE || !mark[from] || mark[to])
				continue;
			mark[to] = changed = true;
		}
	}
}

bool *map_wanted(const struct summary *s, const char *service)
{
	size_t n = s->window->services.n, i;
	uint32_t id = service ? window_find_service(s->window, service) : WIN_NONE;
	bool *wanted = calloc(n + 1, 1), *callers = calloc(n + 1, 1);

	if (!wanted || !callers) {
		free(wanted);
		free(callers);
		return NULL;
	}
	if (!service)
		memset(wanted, 1, n);
	if (id != WIN_NONE) {
		wanted[id] = callers[id] = true;
		spread(s, wanted, false);
		spread(s, callers, true);
	}
	for (i = 0; i < n; i++)
		wanted[i] |= callers[i];
	free(callers);
	return wanted;
}
