/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * health: how well a call or a service does, in three degrees, and how that is shown: by colour, and by a sign for
 * those who see none.  Pure functions of the summary's rows.
 */
#ifndef ROOTLE_TUI_HEALTH_H
#define ROOTLE_TUI_HEALTH_H

#include "model/summary.h"
#include "tui/grid.h"

enum health { HEALTH_OK = 0, HEALTH_WARN, HEALTH_BAD };

/* BAD: >= 1 % errors, refused or unanswered connects, or requests that wait for over 5 s; WARN: any error or reset. */
enum health edge_health(const struct sum_edge *e);
/* Of its own means, whatever its callers see. WARN: connections that the accept queue had no room for, a tenth of the
 * time throttled, memory at 95 % of the limit, or started again. */
enum health service_health(const struct sum_service *s);

/* "ok", or what is the matter: "refused", "timeout", "hangs", "errors", "resets". Static. */
const char *edge_health_word(const struct sum_edge *e);
enum style health_style(enum health h);
/* ' ', '~', '!' */
char health_sign(enum health h);

#endif
