/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain/cause.h"

/* Alphabetical: which one fits best is decided by strength, not by place. */
const struct cause_rule cause_table[] = {
	{"app.errors", cause_app_errors},
	{"app.slow", cause_app_slow},
	{"cpu.hot_code", cause_cpu_hot_code},
	{"cpu.neighbour", cause_cpu_neighbour},
	{"cpu.saturated", cause_cpu_saturated},
	{"cpu.throttled", cause_cpu_throttled},
	{"db.slow_query", cause_db_slow_query},
	{"dependency.down", cause_dependency_down},
	{"dependency.errors", cause_dependency_errors},
	{"dependency.hung", cause_dependency_hung},
	{"dependency.slow", cause_dependency_slow},
	{"deploy.regression", cause_deploy_regression},
	{"disk.neighbour", cause_disk_neighbour},
	{"disk.slow", cause_disk_slow},
	{"load.surge", cause_load_surge},
	{"mem.leak", cause_mem_leak},
	{"mem.oom_kill", cause_mem_oom_kill},
};
const size_t cause_table_n = sizeof(cause_table) / sizeof(*cause_table);
