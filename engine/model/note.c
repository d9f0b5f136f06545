/* SPDX-License-Identifier: BSD-2-Clause */
/* What goes on the timeline of the next tick, and the accounting of loss. */
#include "model/internal.h"

#include <stdarg.h>
#include <stdio.h>

struct note *note_add(struct model *m, const char *kind, bool life)
{
	struct note *n = NULL;

	if (m->notes.n < EVENTS_MAX && (!life || m->life_events < LIFE_EVENTS_MAX))
		n = vec_push(&m->notes);
	if (!n) {
		m->lost_events++;
		return NULL;
	}
	m->life_events += life;
	n->kind = kind;
	n->service = NONE;
	return n;
}

const char *note_printf(struct model *m, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return arena_strdup(&m->note_text, text);
}

const char *note_actor(struct model *m, uint32_t pid)
{
	const struct process_ident *i = proc_ident(m, pid);

	return note_printf(m, "%s[%u]", i && i->comm ? i->comm : "", pid);
}

void model_note(struct model *m, int64_t unix_ns, const char *kind, const char *detail)
{
	struct note *n = note_add(m, "", false);

	if (!n)
		return;
	n->unix_ns = unix_ns;
	n->kind = note_printf(m, "%s", kind);
	n->detail = detail ? note_printf(m, "%s", detail) : NULL;
}

void loss_set(struct model *m, const char *stage, const char *reason, uint64_t total, bool events)
{
	struct loss *l;
	size_t i;

	for (i = 0; i < m->losses.n; i++) {
		l = &m->losses.v[i];
		if (!strcmp(l->stage, stage) && !strcmp(l->reason, reason))
			break;
	}
	if (i == m->losses.n) {
		l = total ? vec_push(&m->losses) : NULL;
		if (!l)
			return;
		*l = (struct loss){.stage = stage, .reason = reason, .events = events};
	}
	if (total > l->total)
		l->total = total;
}

void model_loss(struct model *m, const char *stage, const char *reason, uint64_t total)
{
	bool events = text_starts(reason, "ring_") || text_starts(reason, "lost_");

	if (text_ends(reason, "bytes"))
		events = false;
	if (events && total)
		m->kernel_loss = total;
	loss_set(m, stage, reason, total, events);
}

void loss_own(struct model *m)
{
	const struct flow_pool *p = &m->pool;

	loss_set(m, "flow", "lost_bytes", p->lost_bytes, false);
	loss_set(m, "flow", "lost_memory", p->lost_memory, false);
	loss_set(m, "flow", "lost_requests", p->lost_requests, true);
	loss_set(m, "flow", "unpaired", p->unpaired, false);
	loss_set(m, "flow", "broken", p->broken, false);
	loss_set(m, "flow", "given_up", p->given_up, false);
	loss_set(m, "model", "unknown_socket", m->lost_unknown_cookie, true);
	loss_set(m, "model", "connections_full", m->lost_conns, true);
	loss_set(m, "model", "listeners_full", m->lost_listeners, false);
	loss_set(m, "model", "processes_full", m->lost_processes, false);
	loss_set(m, "model", "services_full", m->lost_services, false);
	loss_set(m, "model", "edges_full", m->lost_edges, false);
	loss_set(m, "model", "ops_full", m->lost_ops, false);
	loss_set(m, "model", "names_full", m->lost_snis, false);
	loss_set(m, "model", "times_full", m->lost_wholes, false);
	loss_set(m, "model", "calls_full", m->lost_downs, false);
	loss_set(m, "model", "stacks_full", m->lost_stacks, false);
	loss_set(m, "model", "rows_full", m->lost_rows, false);
	loss_set(m, "model", "events_full", m->lost_events, false);
	loss_set(m, "model", "clients_folded", m->lost_clients, false);
	loss_set(m, "model", "devices_full", m->lost_devices, false);
	loss_set(m, "model", "cgroups_full", m->lost_cgroups, false);
	loss_set(m, "model", "texts_full", m->lost_texts, false);
	loss_set(m, "model", "addresses_full", m->lost_addresses, false);
	loss_set(m, "model", "remotes_full", m->lost_remotes, false);
	loss_set(m, "model", "translations_full", m->lost_nats, false);
	loss_set(m, "model", "flows_no_memory", m->lost_flows, true);
	loss_set(m, "trace", "ambiguous", m->trace.ambiguous, false);
	loss_set(m, "trace", "below_floor", m->trace.below_floor, false);
	loss_set(m, "trace", "hops_full", m->trace.hops_lost, false);
	loss_set(m, "trace", "acts_full", m->trace.acts_lost, false);
	loss_set(m, "trace", "actors_full", m->trace.actors.lost, false);
	loss_set(m, "trace", "ids_full", m->trace.carriers.lost, false);
	loss_set(m, "trace", "spans_full", m->trace.spans_full, false);
	loss_set(m, "model", "bad_records", m->bad_records, true);
}
