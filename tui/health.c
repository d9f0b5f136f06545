/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/health.h"

#define BAD_ERROR_RATIO 0.01
#define BAD_WAIT_MS 5000
#define WARN_THROTTLED_RATIO 0.1
#define WARN_MEMORY_RATIO 0.95

static bool hangs(const struct sum_edge *e)
{
	return e->inflight > 0 && e->oldest_ms > BAD_WAIT_MS;
}

enum health edge_health(const struct sum_edge *e)
{
	if (e->refused > 0 || e->timeouts > 0 || e->l.error_ratio >= BAD_ERROR_RATIO || hangs(e))
		return HEALTH_BAD;
	if (e->l.errors > 0 || e->resets > 0)
		return HEALTH_WARN;
	return HEALTH_OK;
}

enum health service_health(const struct sum_service *s)
{
	bool full = s->mem_limit_bytes > 0 && s->mem_bytes >= WARN_MEMORY_RATIO * s->mem_limit_bytes;

	return s->accept_overflows > 0 || s->cpu_throttled_s >= WARN_THROTTLED_RATIO || full || s->restarts > 0 ? HEALTH_WARN
														: HEALTH_OK;
}

const char *edge_health_word(const struct sum_edge *e)
{
	if (e->refused > 0)
		return "refused";
	if (e->timeouts > 0)
		return "timeout";
	if (hangs(e))
		return "hangs";
	if (e->l.errors > 0)
		return "errors";
	return e->resets > 0 ? "resets" : "ok";
}

enum style health_style(enum health h)
{
	return h == HEALTH_BAD ? STYLE_BAD : h == HEALTH_WARN ? STYLE_WARN : STYLE_GOOD;
}

char health_sign(enum health h)
{
	return h == HEALTH_BAD ? '!' : h == HEALTH_WARN ? '~' : ' ';
}
