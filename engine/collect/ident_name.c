/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules by which a process gets the name of its service: pure functions of its facts. */
#include "collect/ident_rule.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static bool one_of(const char *const *list, const char *s)
{
	for (; *list; list++)
		if (!strcmp(*list, s))
			return true;
	return false;
}

/* --- arguments -------------------------------------------------------------------------------------------------- */

/* The argument behind `arg` (NULL: the first); NULL at the end. The caller's buffer ends in NUL. */
static const char *arg_next(const struct ident_facts *f, const char *arg)
{
	const char *p = arg ? arg + strlen(arg) + 1 : f->argv;

	return p && f->alen && p < f->argv + f->alen ? p : NULL;
}

static const char *arg_skip(const struct ident_facts *f, int n)
{
	const char *a = arg_next(f, NULL);

	while (a && n-- > 0)
		a = arg_next(f, a);
	return a;
}

/* The last part of a path, or of an argument that a program has rewritten ("nginx: worker process"). */
static void base_copy(char *buf, size_t cap, const char *path)
{
	snprintf(buf, cap, "%s", text_basename(path));
	char *deleted = strstr(buf, " (deleted)");
	if (deleted)
		*deleted = '\0';
}

static void title_copy(char *buf, size_t cap, const char *argv0)
{
	size_t n = strcspn(argv0, " :");
	char word[NAME_CAP];

	snprintf(word, sizeof(word), "%.*s", (int)(n < NAME_CAP ? n : NAME_CAP - 1), argv0 + (*argv0 == '-'));
	word[strcspn(word, " :")] = '\0';
	snprintf(buf, cap, "%s", text_basename(word));
}

/* --- well-known servers ------------------------------------------------------------------------------------------- */

struct server { const char *program, *name, *kind, *argument; };   /* argument: must be in the command line; NULL any */

static const struct server servers[] = {
	{ "nginx", "nginx", "proxy", NULL },
	{ "haproxy", "haproxy", "proxy", NULL },
	{ "envoy", "envoy", "proxy", NULL },
	{ "traefik", "traefik", "proxy", NULL },
	{ "caddy", "caddy", "proxy", NULL },
	{ "varnishd", "varnish", "proxy", NULL },
	{ "squid", "squid", "proxy", NULL },
	{ "apache2", "apache", "proxy", NULL },
	{ "httpd", "apache", "proxy", NULL },
	{ "pgbouncer", "pgbouncer", "proxy", NULL },
	{ "postgres", "postgres", "db", NULL },
	{ "postmaster", "postgres", "db", NULL },
	{ "mysqld", "mysql", "db", NULL },
	{ "mariadbd", "mysql", "db", NULL },
	{ "mongod", "mongodb", "db", NULL },
	{ "mongos", "mongodb", "db", NULL },
	{ "clickhouse-server", "clickhouse", "db", NULL },
	{ "clickhouse", "clickhouse", "db", "server" },
	{ "influxd", "influxdb", "db", NULL },
	{ "etcd", "etcd", "db", NULL },
	{ "redis-server", "redis", "cache", NULL },
	{ "valkey-server", "redis", "cache", NULL },
	{ "redis-check-rdb", "redis", "cache", "redis-server" },
	{ "keydb-server", "redis", "cache", NULL },
	{ "memcached", "memcached", "cache", NULL },
	{ "beam.smp", "rabbitmq", "queue", "rabbit" },
	{ "nats-server", "nats", "queue", NULL },
	{ "mosquitto", "mosquitto", "queue", NULL },
	{ "nsqd", "nsq", "queue", NULL },
	{ "named", "named", "dns", NULL },
	{ "unbound", "unbound", "dns", NULL },
	{ "dnsmasq", "dnsmasq", "dns", NULL },
	{ "coredns", "coredns", "dns", NULL },
	{ "systemd-resolve", "systemd-resolved", "dns", NULL },
	{ "systemd-resolved", "systemd-resolved", "dns", NULL },
};

/* Main classes that are servers of their own. */
static const struct server java_servers[] = {
	{ "kafka.Kafka", "kafka", "queue", NULL },
	{ "org.apache.zookeeper.server.quorum.QuorumPeerMain", "zookeeper", "db", NULL },
	{ "org.apache.zookeeper.server.ZooKeeperServerMain", "zookeeper", "db", NULL },
	{ "org.elasticsearch.bootstrap.Elasticsearch", "elasticsearch", "db", NULL },
	{ "org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch", "elasticsearch", "db", NULL },
	{ "org.opensearch.bootstrap.OpenSearch", "opensearch", "db", NULL },
	{ "org.apache.cassandra.service.CassandraDaemon", "cassandra", "db", NULL },
	{ "org.apache.catalina.startup.Bootstrap", "tomcat", "app", NULL },
	{ "org.apache.activemq.artemis.boot.Artemis", "activemq", "queue", NULL },
};

static bool argument_has(const struct ident_facts *f, const char *part)
{
	for (const char *a = arg_next(f, NULL); a; a = arg_next(f, a))
		if (strstr(a, part))
			return true;
	return false;
}

static bool server_find(const struct ident_facts *f, const char *program, struct ident_verdict *v)
{
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		if (strcmp(servers[i].program, program) ||
		    (servers[i].argument && !argument_has(f, servers[i].argument)))
			continue;
		snprintf(v->name, sizeof(v->name), "%s", servers[i].name);
		v->kind = servers[i].kind;
		v->server = true;
		return true;
	}
	return false;
}

static bool rule_server(const struct ident_facts *f, const char *program, struct ident_verdict *v)
{
	return server_find(f, program, v);
}

/* --- interpreters --------------------------------------------------------------------------------------------------- */

struct interpreter {
	const char *program;      /* a version may follow: python3.11, php8.2 */
	const char *takes;        /* options whose value is the next argument, blank-separated */
	const char *code;         /* options after which there is no script */
	const char *module;       /* option whose value is the name */
	const char *verb;         /* a word before the script: "run" */
	const char *why;
};

static const struct interpreter interpreters[] = {
	{ "python", "-W -X --check-hash-based-pycs", "-c", "-m", NULL, "script of python" },
	{ "pypy", "-W -X", "-c", "-m", NULL, "script of pypy" },
	{ "node", "-r --require --import --loader -C --conditions", "-e --eval -p --print -i", NULL, NULL, "script of node" },
	{ "nodejs", "-r --require --import --loader", "-e --eval -p --print -i", NULL, NULL, "script of node" },
	{ "deno", "-c --config --import-map", NULL, NULL, "run", "script of deno" },
	{ "bun", "-r --preload", "-e --eval", NULL, "run", "script of bun" },
	{ "ruby", "-I -r -C -E", "-e", NULL, NULL, "script of ruby" },
	{ "perl", "-I", "-e -E", NULL, NULL, "script of perl" },
	{ "php", "-d -c -t -z", "-r -B -S", "-f", NULL, "script of php" },
	{ "lua", "-l", "-e", NULL, NULL, "script of lua" },
	{ "Rscript", NULL, "-e", NULL, NULL, "script of R" },
	{ "tclsh", NULL, NULL, NULL, NULL, "script of tcl" },
	{ "bash", "-o +o -O +O --rcfile --init-file", "-c -s", NULL, NULL, "script of bash" },
	{ "dash", "-o +o", "-c -s", NULL, NULL, "script of sh" },
	{ "ash", "-o +o", "-c -s", NULL, NULL, "script of sh" },
	{ "zsh", "-o +o", "-c -s", NULL, NULL, "script of zsh" },
	{ "ksh", "-o +o", "-c -s", NULL, NULL, "script of ksh" },
	{ "fish", "-C --init-command", "-c --command", NULL, NULL, "script of fish" },
	{ "sh", "-o +o", "-c -s", NULL, NULL, "script of sh" },
};

/* "python3.11" is "python"; "pythonista" is not. */
static bool is_version_of(const char *program, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(program, name, n) && program[n + strspn(program + n, "0123456789.-")] == '\0';
}

static const struct interpreter *interpreter_find(const char *program)
{
	for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++)
		if (is_version_of(program, interpreters[i].program))
			return &interpreters[i];
	return NULL;
}

static bool in_words(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = n ? list : NULL; p && (p = strstr(p, word)); p++)
		if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

/* "-c" as it stands, or among the letters of "-xec"; long options only whole. */
static bool means_code(const struct interpreter *in, const char *a)
{
	if (!in->code)
		return false;
	if (in_words(in->code, a))
		return true;
	bool shell = in_words(in->code, "-c") && in_words(in->code, "-s");
	return shell && a[0] == '-' && a[1] != '-' && strchr(a, 'c');
}

/* A script that came through a descriptor ("bash /dev/fd/63") has no name of its own. */
static bool is_descriptor(const char *script)
{
	return text_starts(script, "/dev/fd/") || text_starts(script, "/proc/self/fd/") || !strcmp(script, "/dev/stdin");
}

/* The script (or the module's name) among the arguments; NULL where there is none. */
static const char *script_find(const struct ident_facts *f, const struct interpreter *in)
{
	const char *a = arg_skip(f, 1);

	for (; a; a = arg_next(f, a)) {
		if (in->module && !strcmp(a, in->module))
			return arg_next(f, a);
		if (in->module && strlen(in->module) == 2 && !strncmp(a, in->module, 2) && a[2])
			return a + 2;
		if (!strcmp(a, "--"))
			return arg_next(f, a);
		if (means_code(in, a) || !strcmp(a, "-"))
			return NULL;
		if (in_words(in->takes, a)) {
			a = arg_next(f, a);
			if (!a)
				return NULL;
		} else if (a[0] && a[0] != '-' && a[0] != '+' && !(in->verb && !strcmp(a, in->verb))) {
			return a;
		}
	}
	return NULL;
}

static bool rule_script(const struct ident_facts *f, const char *program, struct ident_verdict *v)
{
	const struct interpreter *in = interpreter_find(program);
	const char *argv0 = arg_next(f, NULL), *script;
	char called[NAME_CAP];

	if (!in)
		return false;
	v->kind = "app";
	title_copy(called, sizeof(called), argv0 ? argv0 : program);
	script = script_find(f, in);
	if (script && *script && !is_descriptor(script)) {
		snprintf(v->name, sizeof(v->name), "%s", text_basename(script));
		v->script = in->module && !strchr(script, '/') && !strchr(script, '.') ? NULL : script;
		v->why = in->why;
		return v->name[0] != '\0';
	}
	/* No script: the interpreter itself, or the title that its program has set ("gunicorn: master [shop]"). */
	bool titled = called[0] && !interpreter_find(called) && argv0 && strpbrk(argv0, " :");
	snprintf(v->name, sizeof(v->name), "%s", titled || interpreter_find(called) ? called : program);
	v->why = titled ? "title of the process" : "interpreter without a script";
	v->weak = true;
	return true;
}

/* --- java ------------------------------------------------------------------------------------------------------------- */

static void java_class(const char *class, struct ident_verdict *v)
{
	const char *slash = strrchr(class, '/'), *dot;

	v->why = "main class";
	for (size_t i = 0; i < sizeof(java_servers) / sizeof(java_servers[0]); i++) {
		if (strcmp(java_servers[i].program, class))
			continue;
		snprintf(v->name, sizeof(v->name), "%s", java_servers[i].name);
		v->kind = java_servers[i].kind;
		v->server = true;
		v->why = "well-known server";
		return;
	}
	class = slash ? slash + 1 : class;
	dot = strrchr(class, '.');
	snprintf(v->name, sizeof(v->name), "%s", dot && dot[1] ? dot + 1 : class);
}

static bool rule_java(const struct ident_facts *f, const char *program, struct ident_verdict *v)
{
	static const char *const takes[] = { "-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules",
					     "--add-opens", "--add-exports", "--add-reads", "--upgrade-module-path", NULL };
	static const char *const module[] = { "-m", "--module", NULL };

	if (strcmp(program, "java") && strcmp(program, "jre"))
		return false;
	v->kind = "app";
	for (const char *a = arg_skip(f, 1); a; a = arg_next(f, a)) {
		if (!strcmp(a, "-jar") && arg_next(f, a)) {
			v->script = arg_next(f, a);
			v->why = "jar";
			snprintf(v->name, sizeof(v->name), "%s", text_basename(v->script));
			return true;
		}
		if (one_of(takes, a)) {
			a = arg_next(f, a);
			if (!a)
				break;
		} else if (one_of(module, a) || a[0] != '-') {
			const char *class = a[0] == '-' ? arg_next(f, a) : a;
			if (class && *class && *class != '@') {
				java_class(class, v);
				return true;
			}
		}
	}
	snprintf(v->name, sizeof(v->name), "jvm");
	v->why = "virtual machine without a class";
	v->weak = true;
	return true;
}

/* --- programs --------------------------------------------------------------------------------------------------------- */

static bool rule_pool(const struct ident_facts *f, const char *program, struct ident_verdict *v)
{
	if (!is_version_of(program, "php-fpm"))
		return false;
	snprintf(v->name, sizeof(v->name), "php-fpm");
	v->kind = "app";
	v->why = "executable";
	return true;
}

static bool rule_program(const struct ident_facts *f, const char *program, struct ident_verdict *v)
{
	snprintf(v->name, sizeof(v->name), "%s", program[0] ? program : "unknown");
	v->kind = "app";
	v->why = f->exe && *f->exe ? "executable" : "command name";
	return true;
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

/* In order: the first that matches gives the name. To add a kind of program is one row. */
static const struct { bool (*match)(const struct ident_facts *f, const char *program, struct ident_verdict *v); const char *why; }
program_rules[] = {
	{ rule_server, "well-known server" },
	{ rule_script, NULL },
	{ rule_java, NULL },
	{ rule_pool, NULL },
	{ rule_program, NULL },
};

/* --- where it runs ----------------------------------------------------------------------------------------------------- */

#define CONTAINER_ID_LEN 64
#define SHORT_ID_LEN 12

static bool is_container_id(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return n == CONTAINER_ID_LEN && (s[n] == '\0' || s[n] == '/' || s[n] == '.');
}

/* The prefixes of a cgroup's name or of its parents that say who made the container. */
static const struct { const char *part, *why; } runtimes[] = {
	{ "cri-containerd-", "cgroup containerd" }, { "crio-", "cgroup cri-o" }, { "libpod-", "cgroup podman" },
	{ "kubepods", "cgroup kubepods" }, { "docker", "cgroup docker" }, { "containerd", "cgroup containerd" },
};

static bool rule_container(const struct ident_facts *f, struct ident_verdict *v)
{
	const char *id = NULL;

	if (strstr(f->cgroup, "libpod-conmon-") || strstr(f->cgroup, "crio-conmon-"))
		return false;            /* the monitor beside the container */
	for (const char *p = f->cgroup; *p; p++)
		if ((p == f->cgroup || p[-1] == '/' || p[-1] == '-' || p[-1] == ':') && is_container_id(p))
			id = p;          /* the innermost */
	if (!id)
		return false;
	snprintf(v->name, sizeof(v->name), "%.*s", SHORT_ID_LEN, id);
	v->why = "cgroup of a container";
	for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++) {
		if (!strstr(f->cgroup, runtimes[i].part))
			continue;
		v->why = runtimes[i].why;
		break;
	}
	return true;
}

/* "/lxc/NAME", "/lxc.payload.NAME", "/machine.slice/machine-NAME.scope", "/ctr/NAME" */
static bool rule_lxc(const struct ident_facts *f, struct ident_verdict *v)
{
	static const struct { const char *prefix, *why; } places[] = {
		{ "/lxc.payload.", "cgroup lxc" }, { "/lxc.payload/", "cgroup lxc" }, { "/lxc/", "cgroup lxc" },
		{ "/machine.slice/machine-", "cgroup machine" },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *p = strstr(f->cgroup, places[i].prefix);
		if (!p)
			continue;
		p += strlen(places[i].prefix);
		size_t n = strcspn(p, "/");
		snprintf(v->name, sizeof(v->name), "%.*s", (int)(n < NAME_CAP ? n : NAME_CAP - 1), p);
		if (text_ends(v->name, ".scope"))
			v->name[strlen(v->name) - strlen(".scope")] = '\0';
		v->why = places[i].why;
		return v->name[0] != '\0';
	}
	return false;
}

/* systemd writes '-' inside a name as "\x2d" where a '-' has a meaning. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++, to++) {
		unsigned v;
		if (s[0] == '\\' && s[1] == 'x' && sscanf(s + 2, "%2x", &v) == 1 && v >= 0x20 && v < 0x7f) {
			*to = (char)v;
			s += 3;
		} else {
			*to = *s;
		}
	}
	*to = '\0';
}

/* Units that people never named: sessions, transient ones, the manager itself. */
static bool unit_is_anonymous(const char *name)
{
	static const char *const prefixes[] = { "session-", "user@", "init.scope", "run-", "libpod-conmon-", "crio-conmon-", NULL };

	for (const char *const *p = prefixes; *p; p++)
		if (text_starts(name, *p))
			return true;
	return false;
}

static bool rule_unit(const struct ident_facts *f, struct ident_verdict *v)
{
	const char *end = f->cgroup + strlen(f->cgroup);

	if (strstr(f->cgroup, "/user.slice"))
		return false;
	while (end > f->cgroup) {
		const char *slash = memrchr(f->cgroup, '/', (size_t)(end - f->cgroup));
		const char *begin = slash ? slash + 1 : f->cgroup;
		char unit[256];
		snprintf(unit, sizeof(unit), "%.*s", (int)(end - begin), begin);
		end = slash ? slash : f->cgroup;
		size_t suffix = text_ends(unit, ".service") ? 8 : text_ends(unit, ".scope") ? 6 : 0;
		if (!suffix || unit_is_anonymous(unit))
			continue;
		unit[strlen(unit) - suffix] = '\0';
		unescape(unit);
		snprintf(v->name, sizeof(v->name), "%.*s", NAME_CAP - 1, unit);
		v->why = "systemd unit";
		return unit[0] != '\0';
	}
	return false;
}

static const struct { bool (*match)(const struct ident_facts *f, struct ident_verdict *v); bool unit; } place_rules[] = {
	{ rule_container, false },
	{ rule_lxc, false },
	{ rule_unit, true },
};

/* A unit that just runs a well-known server under its own name (postgresql@15-main, mariadb, redis-server, apache2): people
 * use the server's. */
static bool unit_is_the_server(const char *unit, const char *program, const struct ident_verdict *p)
{
	static const char *const same[][2] = { { "mariadb", "mysql" }, { "valkey", "redis" }, { "httpd", "apache" },
					       { "mongod", "mongodb" }, { "bind9", "named" } };

	if (!p->server)
		return false;
	if (text_starts(unit, p->name) || text_starts(unit, program))
		return true;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (text_starts(unit, same[i][0]) && !strcmp(same[i][1], p->name))
			return true;
	return false;
}

static void clean(struct ident_verdict *v)
{
	char raw[NAME_CAP];

	memcpy(raw, v->name, sizeof(raw));
	text_clean(v->name, sizeof(v->name), raw, strnlen(raw, sizeof(raw)), true);
}

void ident_decide(const struct ident_facts *f, struct ident_verdict *ret)
{
	struct ident_verdict place = { 0 };
	char program[NAME_CAP];

	*ret = (struct ident_verdict){ 0 };
	program_find(f, program, sizeof(program));
	for (size_t i = 0; i < sizeof(program_rules) / sizeof(program_rules[0]); i++) {
		if (!program_rules[i].match(f, program, ret))
			continue;
		if (program_rules[i].why)
			ret->why = program_rules[i].why;
		break;
	}
	for (size_t i = 0; f->cgroup && i < sizeof(place_rules) / sizeof(place_rules[0]); i++) {
		if (!place_rules[i].match(f, &place))
			continue;
		if (place_rules[i].unit && unit_is_the_server(place.name, program, ret))
			break;
		memcpy(ret->name, place.name, sizeof(ret->name));
		ret->why = place.why;
		ret->placed = true;
		ret->weak = false;
		break;
	}
	clean(ret);
}

void ident_name(const struct ident_facts *f, char *name, size_t cap, const char **kind, const char **why)
{
	struct ident_verdict v;

	ident_decide(f, &v);
	snprintf(name, cap, "%s", v.name);
	*kind = v.kind;
	*why = v.why;
}
