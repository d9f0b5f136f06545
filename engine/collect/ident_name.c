/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules by which a process gets the name of its service, in their order. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "collect/ident_rule.h"

/* The last part of a path, or of an argument that a program has rewritten ("nginx: worker process"). */
static void base_copy(char *buf, size_t cap, const char *path)
{
	snprintf(buf, cap, "%s", text_basename(path));
	char *deleted = strstr(buf, " (deleted)");
	if (deleted)
		*deleted = '\0';
}

static bool is_multi_call(const char *program)
{
	static const char *const list[] = { "busybox", "toybox", "coreutils", "rootle", NULL };

	return one_of(list, program);
}

/* What is executed: the file's name, or the name by which a file of many programs was called. */
static void program_find(const struct ident_facts *f, char *buf, size_t cap)
{
	const char *argv0 = arg_next(f, NULL), *argv1 = arg_skip(f, 1);
	char called[NAME_CAP] = "";

	if (argv0)
		title_copy(called, sizeof(called), argv0);
	if (f->exe && *f->exe) {
		base_copy(buf, cap, f->exe);
		if (text_starts(buf, "memfd:"))
			memmove(buf, buf + 6, strlen(buf + 6) + 1);
	} else {
		snprintf(buf, cap, "%s", called[0] ? called : f->comm ? f->comm : "");
	}
	if (is_multi_call(buf) && called[0] && strcmp(called, buf))
		snprintf(buf, cap, "%s", called);
	else if (!strcmp(buf, "busybox") && argv1 && isalpha((unsigned char)*argv1))
		snprintf(buf, cap, "%s", argv1);
	else if (text_starts(buf, "ld-linux") && argv1 && *argv1 != '-')
		snprintf(buf, cap, "%s", text_basename(argv1));
	else if (!strcmp(buf, "redis-check-rdb") && !strcmp(called, "redis-server"))
		snprintf(buf, cap, "redis-server");     /* Debian's redis-server is a link to it */
}

static bool rule_program(const struct ident_facts *f, const char *program, struct ident_verdict *v)
{
	v->tool = true;
	verdict_name(v, program[0] ? program : "unknown", f->exe && *f->exe ? "executable" : "command name");
	return true;
}

/* The first that matches gives the name. To add a kind of program is one row. */
static ident_rule_fn *const program_rules[] = {
	rule_server, rule_script, rule_java, rule_dotnet, rule_erlang, rule_uwsgi, rule_pool, rule_program,
};

/* A unit that just runs a well-known server under its own name (postgresql@15-main, mariadb, redis-server, apache2): people
 * use the server's. */
static bool unit_is_the_server(const char *unit, const char *program, const struct ident_verdict *p)
{
	static const char *const same[][2] = { { "mariadb", "mysql" }, { "valkey", "redis" }, { "httpd", "apache" },
					       { "mongod", "mongodb" }, { "bind9", "named" } };

	if (p->titled && text_starts(unit, "php") && text_ends(unit, "-fpm"))
		return true;             /* php8.2-fpm: its pools have names */
	if (!p->server)
		return false;
	if (text_starts(unit, p->name) || text_starts(unit, program))
		return true;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (text_starts(unit, same[i][0]) && !strcmp(same[i][1], p->name))
			return true;
	return false;
}

/* What they start has names of its own. */
static bool is_launcher(const char *name)
{
	static const char *const list[] = { "sshd", "supervisord", "systemd", "init", "cron", "tmux", "tmux: server", "screen", "dockerd",
					    "containerd", "kubelet", "nomad", "inetd", "xinetd", "pm2", "jenkins.war", "gitlab-runner", NULL };

	return one_of(list, name);
}

void ident_decide(const struct ident_facts *f, struct ident_verdict *ret)
{
	struct ident_verdict place = { 0 };
	char program[NAME_CAP];
	bool unit;
	size_t i = 0;

	*ret = (struct ident_verdict){ 0 };
	program_find(f, program, sizeof(program));
	while (!program_rules[i](f, program, ret))
		i++;
	ret->launcher = is_launcher(ret->name);
	if (!rule_place(f, &place, &unit) || (unit && unit_is_the_server(place.name, program, ret)))
		return;
	memcpy(ret->name, place.name, sizeof(ret->name));
	ret->why = place.why;
	ret->placed = true;
	ret->weak = ret->tool = false;
}

void ident_name(const struct ident_facts *f, char *name, size_t cap, const char **kind, const char **why)
{
	struct ident_verdict v;

	ident_decide(f, &v);
	snprintf(name, cap, "%s", v.name);
	*kind = v.kind;
	*why = v.why;
}
