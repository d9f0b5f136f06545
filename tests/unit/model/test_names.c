/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose name a process goes by: its own, its server's, or the one that the user's rules give. */
#include "world.h"

/* A server, 10, leader of its session, that listens; what it starts next is in that session. */
static void server_make(struct world *w)
{
	world_init(w, 0, 0);
	process(w, 10, 1, "app.py", "")->session = 10;
	listening(w, 1, 10, "127.0.0.1", 80);
	pass(w);
}

static struct process_ident *started(struct world *w, uint32_t pid, uint32_t ppid, const char *name)
{
	struct process_ident *p = process(w, pid, ppid, name, "");

	p->session = 10;
	p->tool = 1;
	return p;
}

/* What a process that calls somebody goes by. */
static const char *named(struct world *w, uint32_t pid)
{
	struct sock s = {.cookie = 1000 + pid, .pid = pid, .laddr = "10.0.0.1", .lport = (uint16_t)(40000 + pid), .raddr = "10.0.0.9",
			 .rport = 443, .role = ROLE_CLIENT};

	proc_event(w, PROC_EXEC, pid, 0, 0);
	conn(w, &s, CONN_CONNECT);
	conn(w, &s, CONN_ESTABLISHED);
	pass(w);
	const char *name = model_service(w->m, pid);
	return name ? name : "none";
}

Test(names, what_a_server_starts_does_its_work)
{
	struct world w;

	server_make(&w);
	started(&w, 20, 10, "sh");
	cr_expect_str_eq(named(&w, 20), "app.py");
	started(&w, 21, 20, "curl");
	cr_expect_str_eq(named(&w, 21), "app.py", "the child of a child");
	model_free(w.m);
}

Test(names, what_has_a_name_keeps_it)
{
	struct world w;

	server_make(&w);
	started(&w, 20, 10, "worker.py")->tool = 0;
	cr_expect_str_eq(named(&w, 20), "worker.py");
	started(&w, 21, 10, "curl")->session = 21;
	cr_expect_str_eq(named(&w, 21), "curl", "in a session of its own");
	w.process[0].launcher = 1;
	started(&w, 22, 10, "curl");
	cr_expect_str_eq(named(&w, 22), "curl", "started for somebody else");
	model_free(w.m);
}

Test(names, nobody_who_does_not_serve_adopts)
{
	struct world w;

	world_init(&w, 0, 0);
	process(&w, 10, 1, "test.py", "")->session = 10;
	pass(&w);
	proc_event(&w, PROC_EXEC, 10, 0, 0);
	started(&w, 20, 10, "ab");
	cr_expect_str_eq(named(&w, 20), "ab");
	model_free(w.m);
}

Test(names, a_tool_that_serves_is_a_service)
{
	struct names n = {0};
	struct world w;
	struct tick *t;

	server_make(&w);
	started(&w, 20, 10, "redis");
	cr_expect_str_eq(named(&w, 20), "app.py");
	listening(&w, 2, 20, "127.0.0.1", 6379);
	t = tick(&w);
	learn(&n, t);
	tick_free(t);
	cr_expect_str_eq(model_service(w.m, 20), "redis");
	cr_expect_str_eq(model_service(w.m, 10), "app.py");
	model_free(w.m);
}

Test(names, a_process_that_is_someone_else_now)
{
	struct world w;

	server_make(&w);
	process(&w, 20, 1, "sleep", "");
	cr_expect_str_eq(named(&w, 20), "sleep");
	w.process[1].service = "orders";
	cr_expect_str_eq(model_service(w.m, 20), "sleep");
	model_process_changed(w.m, 20);
	pass(&w);
	cr_expect_str_eq(named(&w, 20), "orders");
	model_process_changed(w.m, 99);
	model_free(w.m);
}

Test(names, a_group_is_not_split_by_port)
{
	struct names n = {0};
	struct world w;

	world_init(&w, 0, 0);
	process(&w, 10, 1, "shard", "")->whole = 1;
	process(&w, 20, 1, "shard", "")->whole = 1;
	listening(&w, 1, 10, "127.0.0.1", 7001);
	listening(&w, 2, 20, "127.0.0.1", 7002);
	struct tick *t = tick(&w);
	learn(&n, t);
	cr_expect_str_eq(n.service[1], "shard");
	cr_expect_eq(t->services.n, 2, "the node and the group");
	tick_free(t);
	model_free(w.m);
}

static bool renamed(void *arg, uint32_t pid, uint16_t port, struct process_rename *ret)
{
	*ret = (struct process_rename){.why = "rule of FILE:3"};
	snprintf(ret->service, sizeof(ret->service), "admin");
	return port == 8443 || port == 9443;
}

Test(names, by_port)
{
	struct world w = {.now = 100 * S};
	struct model_options o = {.node = "testnode", .ident = {.resolve = world_resolve, .rename = renamed, .arg = &w}};
	struct names n = {0};
	struct tick *t;

	w.m = model_new(&o);
	process(&w, 10, 1, "appd", "");
	process(&w, 20, 1, "appd", "");
	process(&w, 30, 1, "appd", "");
	listening(&w, 1, 10, "127.0.0.1", 8443);
	listening(&w, 2, 20, "127.0.0.1", 80);
	listening(&w, 3, 30, "127.0.0.1", 9443);
	t = tick(&w);
	learn(&n, t);
	cr_expect_str_eq(model_service(w.m, 10), "admin");
	cr_expect_str_eq(model_service(w.m, 20), "appd:80");
	cr_expect_str_eq(model_service(w.m, 30), "admin:9443", "another instance of the new name");
	for (size_t i = 0; i < t->services.n; i++)
		if (!strcmp(t->services.v[i].name, "admin"))
			cr_expect_str_eq(t->services.v[i].why, "rule of FILE:3");
	tick_free(t);
	model_free(w.m);
}
