/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/view.h"

#include <stddef.h>

const struct view *const view_table[] = {&view_map, &view_services, &view_causes, &view_traces, NULL};
