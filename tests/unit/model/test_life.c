/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <signal.h>

static size_t events_of(const struct tick *t, const char *kind)
{
	size_t i, n = 0;

	for (i = 0; i < t->event.n; i++)
		n += !strcmp(t->event.v[i].kind, kind);
	return n;
}

static void one_server(struct world *w, struct names *n)
{
	struct tick *t;

	memset(n, 0, sizeof(*n));
	world_init(w, 0, 0);
	process(w, 1, 0, "init", "");
	process(w, 100, 1, "server", "v1");
	listening(w, 1, 100, "0.0.0.0", 8080);
	t = tick(w);
	learn(n, t);
	cr_assert_eq(t->event.n, 0, "what was there before is not news");
	tick_free(t);
}

static void server_again(struct world *w, uint32_t pid, const char *version, int32_t code)
{
	proc_event(w, PROC_EXIT, 100, 0, code);
	unlisten(w, 1, 100, "0.0.0.0", 8080);
	w->now += 300 * MS;
	process(w, pid, 1, "server", version);
	proc_event(w, PROC_EXEC, pid, 0, 0);
	w->now += 50 * MS;
	listening(w, 2, pid, "0.0.0.0", 8080);
}

Test(life, a_killed_server_that_comes_back_is_an_exit_and_a_restart)
{
	const struct tick_event *e;
	struct names n;
	struct world w;
	struct tick *t;
	uint64_t began;

	one_server(&w, &n);
	began = w.now;
	server_again(&w, 101, "v1", SIGKILL);
	t = tick(&w);
	learn(&n, t);
	e = event_of(t, "exit");
	cr_assert_not_null(e);
	cr_assert_str_eq(n.service[e->service], "server");
	cr_assert_eq(e->pid, 100);
	cr_assert(strstr(e->detail, "killed by signal 9 (SIGKILL)"), "%s", e->detail);
	cr_assert_eq(e->unix_ns, wall(began), "the time of the record, not of the tick");
	e = event_of(t, "restart");
	cr_assert_not_null(e);
	cr_assert_eq(e->pid, 101);
	cr_assert_eq(e->unix_ns, wall(began + 300 * MS));
	cr_assert_null(e->version_before);
	cr_assert_eq(events_of(t, "start") + events_of(t, "deploy"), 0);
	cr_assert_eq(events_of(t, "listen"), 1);
	cr_assert_eq(events_of(t, "unlisten"), 1);
	cr_assert_eq(t->services.n ? t->services.v[0].id : 1, 1, "the same service");
	tick_free(t);
	model_free(w.m);
}

Test(life, a_restart_of_a_changed_executable_is_a_deploy)
{
	const struct tick_event *e;
	struct names n;
	struct world w;
	struct tick *t;

	one_server(&w, &n);
	server_again(&w, 101, "v2", 0);
	t = tick(&w);
	e = event_of(t, "deploy");
	cr_assert_not_null(e);
	cr_assert_str_eq(e->version_before, "v1");
	cr_assert_str_eq(e->version_after, "v2");
	cr_assert_eq(events_of(t, "restart"), 0);
	e = event_of(t, "exit");
	cr_assert(strstr(e->detail, "exit status 0"), "%s", e->detail);
	tick_free(t);
	/* and back: the rollback is one too, from v2 */
	proc_event(&w, PROC_EXIT, 101, 0, 0);
	unlisten(&w, 2, 101, "0.0.0.0", 8080);
	process(&w, 102, 1, "server", "v1");
	proc_event(&w, PROC_EXEC, 102, 0, 0);
	listening(&w, 3, 102, "0.0.0.0", 8080);
	t = tick(&w);
	e = event_of(t, "deploy");
	cr_assert_not_null(e);
	cr_assert_str_eq(e->version_before, "v2");
	tick_free(t);
	model_free(w.m);
}

Test(life, helpers_and_workers_are_not_worth_a_word)
{
	struct names n;
	struct world w;
	struct tick *t;
	uint32_t i;

	one_server(&w, &n);
	for (i = 0; i < 20; i++) {
		process(&w, 500 + i, 1, "sed", "");
		proc_event(&w, PROC_EXEC, 500 + i, 0, 0);
		proc_event(&w, PROC_EXIT, 500 + i, 0, 1 << 8);
	}
	process(&w, 110, 100, "server", "v1");          /* forked by the running leader */
	proc_event(&w, PROC_EXEC, 110, 0, 0);
	process(&w, 600, 1, "sleep", "");
	proc_event(&w, PROC_EXEC, 600, 0, 0);
	for (i = 0; i < 15; i++) {
		t = tick(&w);
		learn(&n, t);
		cr_assert_eq(t->event.n, 0, "%s %s", t->event.v[0].kind, t->event.v[0].detail);
		tick_free(t);
	}
	for (i = 0; i < 256; i++)
		cr_assert(strcmp(n.service[i], "sed") && strcmp(n.service[i], "sleep"));
	model_free(w.m);
}

Test(life, processes_that_are_gone_at_once_are_counted_all_the_same)
{
	struct names n;
	struct world w;
	struct tick *t;
	uint32_t i;

	one_server(&w, &n);
	for (i = 0; i < 50; i++) {
		struct ev_proc e = {.h = {.ts_ns = w.now, .size = sizeof(e), .type = EV_PROC}, .what = PROC_FORK,
				    .tgid = 500 + i, .ptgid = i < 40 ? 100 : 1};

		model_event(w.m, &e.h);
	}
	t = tick(&w);
	learn(&n, t);
	cr_assert_not_null(point_of(&n, t, "testnode", M_FORKS));
	cr_expect_float_eq(point_of(&n, t, "testnode", M_FORKS)->value, 50, 1e-9);
	cr_assert_not_null(point_of(&n, t, "server", M_FORKS));
	cr_expect_float_eq(point_of(&n, t, "server", M_FORKS)->value, 40, 1e-9);
	tick_free(t);
	t = tick(&w);
	cr_expect_eq(point_of(&n, t, "server", M_FORKS)->value, 0, "and no more");
	tick_free(t);
	model_free(w.m);
}

Test(life, a_health_check_that_connects_and_is_gone_is_a_helper)
{
	struct names n;
	struct world w;
	struct tick *t;
	uint32_t i;

	one_server(&w, &n);
	for (i = 0; i < 5; i++) {
		struct sock s = {.cookie = 50 + i, .pid = 700 + i, .laddr = "127.0.0.1", .lport = (uint16_t)(30000 + i),
				 .raddr = "127.0.0.1", .rport = 8080, .role = ROLE_CLIENT};

		process(&w, 700 + i, 1, "curl", "");
		proc_event(&w, PROC_EXEC, 700 + i, 0, 0);
		conn(&w, &s, CONN_CONNECT);
		conn(&w, &s, CONN_ESTABLISHED);
		data(&w, 50 + i, DIR_OUT, 1, "QA");
		data(&w, 50 + i, DIR_IN, 1, "R");
		conn(&w, &s, CONN_CLOSE);
		proc_event(&w, PROC_EXIT, 700 + i, 0, 0);
		t = tick(&w);
		learn(&n, t);
		cr_assert_eq(t->event.n, 0, "%s %s", t->event.v[0].kind, t->event.v[0].detail);
		cr_assert_eq(t->requests.n, 1, "but its requests count");
		cr_assert_str_eq(edge_text(&n, t->requests.v[0].edge), "curl -> server :8080");
		tick_free(t);
	}
	model_free(w.m);
}

Test(life, a_crash_loop_is_told_each_time)
{
	size_t restarts = 0, exits = 0;
	struct names n;
	struct world w;
	struct tick *t;
	uint32_t i;

	one_server(&w, &n);
	proc_event(&w, PROC_EXIT, 100, 0, 1 << 8);
	unlisten(&w, 1, 100, "0.0.0.0", 8080);
	for (i = 0; i < 3; i++) {
		process(&w, 101 + i, 1, "server", "v1");
		proc_event(&w, PROC_EXEC, 101 + i, 0, 0);
		w.now += 200 * MS;
		proc_event(&w, PROC_EXIT, 101 + i, 0, 1 << 8);
		t = tick(&w);
		restarts += events_of(t, "restart");
		exits += events_of(t, "exit");
		tick_free(t);
	}
	cr_assert_eq(restarts, 3);
	cr_assert_eq(exits, 4);
	model_free(w.m);
}

Test(life, a_worker_that_crashes_is_worth_a_word)
{
	struct names n;
	struct world w;
	struct tick *t;

	one_server(&w, &n);
	process(&w, 110, 100, "server", "v1");
	proc_event(&w, PROC_EXEC, 110, 0, 0);
	pass(&w);
	proc_event(&w, PROC_EXIT, 110, 0, SIGSEGV);
	t = tick(&w);
	cr_assert_eq(events_of(t, "exit"), 1);
	cr_assert(strstr(event_of(t, "exit")->detail, "SIGSEGV"));
	tick_free(t);
	model_free(w.m);
}

Test(life, signals_and_oom_kills_name_who_and_whom)
{
	const struct tick_event *e;
	struct names n;
	struct world w;
	struct tick *t;
	struct ev_proc oom;

	one_server(&w, &n);
	process(&w, 812, 1, "bash", "");
	process(&w, 110, 100, "server", "v1");
	proc_event(&w, PROC_SIGNAL, 100, 812, SIGSTOP);
	proc_event(&w, PROC_SIGNAL, 100, 812, SIGCONT);
	proc_event(&w, PROC_SIGNAL, 100, 812, SIGTERM);
	proc_event(&w, PROC_SIGNAL, 110, 100, SIGTERM); /* by its own leader: routine */
	proc_event(&w, PROC_SIGNAL, 812, 1, SIGHUP);    /* to a shell: nobody cares */
	oom = (struct ev_proc){.h = {w.now, sizeof(oom), EV_PROC, 0, 0}, .tgid = 100, .rss_kb = 512 * 1024, .what = PROC_OOM,
			       .comm = "server"};
	model_event(w.m, &oom.h);
	t = tick(&w);
	cr_assert_eq(t->event.n, 4);
	e = event_of(t, "stop");
	cr_assert_str_eq(n.service[e->service], "server");
	cr_assert_str_eq(e->actor, "bash[812]");
	cr_assert_str_eq(e->detail, "SIGSTOP to pid 100");
	cr_assert_not_null(event_of(t, "cont"));
	cr_assert_str_eq(event_of(t, "signal")->detail, "SIGTERM to pid 100");
	e = event_of(t, "oom_kill");
	cr_assert_str_eq(n.service[e->service], "server");
	cr_assert(strstr(e->detail, "512"), "%s", e->detail);
	tick_free(t);
	model_free(w.m);
}

Test(life, a_flood_is_cut_and_counted)
{
	struct names n;
	struct world w;
	struct tick *t;
	uint32_t i;

	one_server(&w, &n);
	process(&w, 812, 1, "bash", "");
	for (i = 0; i < 100; i++)
		proc_event(&w, PROC_SIGNAL, 100, 812, SIGHUP);
	t = tick(&w);
	cr_assert_eq(t->event.n, 32);
	cr_assert_eq(loss_of(t, "events_full"), 68);
	tick_free(t);
	proc_event(&w, PROC_SIGNAL, 100, 812, SIGHUP);
	t = tick(&w);
	cr_assert_eq(t->event.n, 1, "the next tick has room again");
	cr_assert_eq(loss_of(t, "events_full"), 0, "told once");
	tick_free(t);
	model_free(w.m);
}

Test(life, instances_of_the_first_second_are_called_by_their_ports)
{
	struct names n = {0};
	struct world w;
	struct tick *t;
	char all[512] = "";
	uint32_t i;

	world_init(&w, 0, 0);
	process(&w, 10, 1, "redis", "");
	process(&w, 20, 1, "redis", "");
	process(&w, 30, 1, "nginx", "");
	process(&w, 31, 30, "nginx", "");
	listening(&w, 1, 10, "127.0.0.1", 6379);
	listening(&w, 2, 20, "127.0.0.1", 6380);
	listening(&w, 3, 30, "0.0.0.0", 80);
	listening(&w, 4, 31, "0.0.0.0", 443);           /* same tree */
	t = tick(&w);
	learn(&n, t);
	for (i = 1; i < 4; i++) {
		strcat(all, n.service[i]);
		strcat(all, " ");
	}
	cr_assert_str_eq(all, "nginx redis:6379 redis:6380 ");
	cr_assert_eq(t->services.n, 4);
	tick_free(t);
	model_free(w.m);
}

Test(life, an_instance_that_comes_later_gets_its_port_and_names_stay)
{
	struct names n = {0};
	struct world w;
	struct tick *t;

	world_init(&w, 0, 0);
	process(&w, 10, 1, "redis", "");
	listening(&w, 1, 10, "127.0.0.1", 6379);
	t = tick(&w);
	learn(&n, t);
	tick_free(t);
	cr_assert_str_eq(n.service[1], "redis");
	process(&w, 20, 1, "redis", "");
	listening(&w, 2, 20, "127.0.0.1", 6380);
	t = tick(&w);
	learn(&n, t);
	cr_assert_str_eq(n.service[2], "redis:6380");
	cr_assert_str_eq(n.service[1], "redis");
	tick_free(t);
	/* it ends and another process takes its port: the same service */
	unlisten(&w, 2, 20, "127.0.0.1", 6380);
	proc_event(&w, PROC_EXIT, 20, 0, 0);
	process(&w, 21, 1, "redis", "");
	proc_event(&w, PROC_EXEC, 21, 0, 0);
	listening(&w, 3, 21, "127.0.0.1", 6380);
	t = tick(&w);
	learn(&n, t);
	cr_assert_not_null(event_of(t, "restart"));
	cr_assert_str_eq(n.service[event_of(t, "restart")->service], "redis:6380");
	tick_free(t);
	model_free(w.m);
}

Test(life, the_first_one_on_another_port_after_a_restart_keeps_the_name)
{
	struct names n = {0};
	struct world w;
	struct tick *t;

	world_init(&w, 0, 0);
	process(&w, 10, 1, "app", "");
	listening(&w, 1, 10, "127.0.0.1", 6379);
	pass(&w);
	unlisten(&w, 1, 10, "127.0.0.1", 6379);
	proc_event(&w, PROC_EXIT, 10, 0, 0);
	process(&w, 11, 1, "app", "");
	proc_event(&w, PROC_EXEC, 11, 0, 0);
	listening(&w, 2, 11, "127.0.0.1", 7000);
	t = tick(&w);
	learn(&n, t);
	cr_assert_not_null(event_of(t, "restart"));
	cr_assert_eq(event_of(t, "restart")->service, 1);
	cr_assert_eq(t->services.n && t->services.v[0].id != 1, 0, "no second service");
	tick_free(t);
	model_free(w.m);
}

Test(life, notes_are_copied_and_survive)
{
	struct world w;
	struct tick *t;
	char text[32] = "rolled back", kind[8] = "mark";

	world_init(&w, 0, 0);
	model_note(w.m, 42, kind, text);
	memset(text, 'x', sizeof(text) - 1);
	memset(kind, 'x', sizeof(kind) - 1);
	t = tick(&w);
	model_free(w.m);                /* a tick is self-contained */
	cr_assert_eq(t->event.n, 1);
	cr_assert_str_eq(t->event.v[0].kind, "mark");
	cr_assert_str_eq(t->event.v[0].detail, "rolled back");
	cr_assert_eq(t->event.v[0].unix_ns, 42);
	cr_assert_eq(t->event.v[0].service, ID_NONE);
	cr_assert_str_eq(t->services.v[0].name, "testnode");
	tick_free(t);
}

/* "bash -c 'exec server'": one pid, one start, and from the exec on another name, also of the sockets that it had before. */
Test(life, an_exec_within_the_same_process_changes_its_name)
{
	struct sock s = {.cookie = 10, .pid = 100, .laddr = "10.0.0.1", .lport = 40000, .raddr = "192.0.2.1", .rport = 443,
			 .role = ROLE_CLIENT};
	struct process_ident *p;
	struct names n = {0};
	struct world w;
	struct tick *t;

	world_init(&w, 0, 0);
	p = process(&w, 100, 1, "bash", "v1");
	pass(&w);
	proc_event(&w, PROC_FORK, 100, 0, 0);
	conn(&w, &s, CONN_ESTABLISHED);
	t = tick(&w);
	learn(&n, t);
	cr_assert_not_null(tcp_of(&n, t, "bash -> 192.0.2.1:443 :443"));
	tick_free(t);
	w.now += 10 * S;
	p->service = p->comm = "server";
	p->version = "v2";
	proc_event(&w, PROC_EXEC, 100, 0, 0);
	s.cookie = 11;
	s.lport = 40001;
	conn(&w, &s, CONN_ESTABLISHED);
	listening(&w, 1, 100, "0.0.0.0", 8080);
	data(&w, 10, DIR_OUT, 1, "QA");
	t = tick(&w);
	learn(&n, t);
	cr_assert_not_null(tcp_of(&n, t, "server -> 192.0.2.1:443 :443"));
	cr_expect_eq(tcp_of(&n, t, "server -> 192.0.2.1:443 :443")->open, 2, "the older one too");
	tick_free(t);
	model_free(w.m);
}
