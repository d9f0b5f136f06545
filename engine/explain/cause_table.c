/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain/cause.h"

/* Alphabetical: which one fits best is decided by strength, not by place. */
const struct cause_rule cause_table[] = {
	{"app.errors", cause_app_errors, true},
	{"app.slow", cause_app_slow, true},
	{"cpu.hot_code", cause_cpu_hot_code, true},
	{"cpu.neighbour", cause_cpu_neighbour, false},
	{"cpu.saturated", cause_cpu_saturated, true},
	{"cpu.throttled", cause_cpu_throttled, false},
	{"db.slow_query", cause_db_slow_query, false},
	{"dependency.down", cause_dependency_down, false},
	{"dependency.errors", cause_dependency_errors, false},
	{"dependency.hung", cause_dependency_hung, false},
	{"dependency.slow", cause_dependency_slow, false},
	{"deploy.regression", cause_deploy_regression, false},
	{"disk.neighbour", cause_disk_neighbour, false},
	{"disk.slow", cause_disk_slow, false},
	{"load.surge", cause_load_surge, false},
	{"mem.leak", cause_mem_leak, true},
	{"mem.oom_kill", cause_mem_oom_kill, false},
};
const size_t cause_table_n = sizeof(cause_table) / sizeof(*cause_table);
