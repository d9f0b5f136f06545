/* SPDX-License-Identifier: BSD-2-Clause */
/* What a Java virtual machine runs: never "java". */
#include "collect/ident_rule.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Main classes that are servers of their own. */
static const struct { const char *class, *name, *kind; } servers[] = {
	{ "kafka.Kafka", "kafka", "queue" },
	{ "org.apache.zookeeper.server.quorum.QuorumPeerMain", "zookeeper", "db" },
	{ "org.apache.zookeeper.server.ZooKeeperServerMain", "zookeeper", "db" },
	{ "org.elasticsearch.bootstrap.Elasticsearch", "elasticsearch", "db" },
	{ "org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch", "elasticsearch", "db" },
	{ "org.opensearch.bootstrap.OpenSearch", "opensearch", "db" },
	{ "org.apache.cassandra.service.CassandraDaemon", "cassandra", "db" },
	{ "org.apache.catalina.startup.Bootstrap", "tomcat", "app" },
	{ "org.apache.activemq.artemis.boot.Artemis", "activemq", "queue" },
	{ "org.apache.activemq.console.Main", "activemq", "queue" },
	{ "org.apache.pulsar.PulsarBrokerStarter", "pulsar", "queue" },
	{ "org.apache.solr.cli.SolrCLI", "solr", "db" },
	{ "org.neo4j.server.CommunityEntryPoint", "neo4j", "db" },
	{ "org.keycloak.quarkus._private.IDELauncher", "keycloak", "app" },
};

/* Classes that say nothing: the name that was given to the application goes first. */
static bool is_launcher(const char *class)
{
	static const char *const list[] = { "JarLauncher", "WarLauncher", "PropertiesLauncher", "Launcher", "Main", "App", "Application",
					    "Bootstrap", "Server", "Start", NULL };

	return one_of(list, class);
}

static const char *given_name(const struct ident_facts *f)
{
	static const char *const options[] = { "-Dspring.application.name", "-Dotel.service.name", "-Dservice.name", "-Dapp.name", NULL };

	for (const char *const *o = options; *o; o++) {
		const char *name = arg_value(f, *o);
		if (name && *name)
			return name;
	}
	return NULL;
}

static void class_take(const struct ident_facts *f, const char *class, struct ident_verdict *v)
{
	const char *slash = strrchr(class, '/'), *dot;

	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		if (strcmp(servers[i].class, class))
			continue;
		verdict_name(v, servers[i].name, "well-known server");
		v->kind = servers[i].kind;
		v->server = true;
		return;
	}
	class = slash ? slash + 1 : class;
	if (text_ends(class, ".java")) {
		v->script = class;
		verdict_name(v, class, "source file of java");
		return;
	}
	dot = strrchr(class, '.');
	class = dot && dot[1] ? dot + 1 : class;
	if (is_launcher(class) && given_name(f))
		verdict_name(v, given_name(f), "name of the application among the options");
	else
		verdict_name(v, class, "main class");
}

/* Behind the options: a jar, a module or a class; NULL none. *jar says which. */
static const char *target_find(const struct ident_facts *f, bool *jar)
{
	static const char takes[] = "-cp -classpath --class-path -p --module-path --add-modules --add-opens --add-exports "
				    "--add-reads --upgrade-module-path --source";

	for (const char *a = arg_skip(f, 1); a; a = arg_next(f, a)) {
		*jar = !strcmp(a, "-jar");
		if (*jar || !strcmp(a, "-m") || !strcmp(a, "--module"))
			return arg_next(f, a);
		if (in_words(takes, a)) {
			a = arg_next(f, a);
			if (!a)
				return NULL;
		} else if (a[0] && a[0] != '-' && a[0] != '@') {
			return a;
		}
	}
	return NULL;
}

bool rule_java(const struct ident_facts *f, const char *program, struct ident_verdict *v)
{
	bool jar;

	if (strcmp(program, "java") && strcmp(program, "jre"))
		return false;
	const char *target = target_find(f, &jar);
	if (target && *text_basename(target) && jar) {
		v->script = target;
		verdict_name(v, text_basename(target), "jar");
	} else if (target && *text_basename(target) && !jar) {
		class_take(f, target, v);
	} else {
		verdict_name(v, "jvm", "virtual machine without a class");
		v->weak = true;
	}
	return true;
}
