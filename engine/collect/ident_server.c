/* SPDX-License-Identifier: BSD-2-Clause */
/* Servers that everybody knows by a short name. To add one is a row. */
#include "collect/ident_rule.h"

#include <stdio.h>
#include <string.h>

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

bool rule_server(const struct ident_facts *f, const char *program, struct ident_verdict *v)
{
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		if (strcmp(servers[i].program, program) ||
		    (servers[i].argument && !arg_has_part(f, servers[i].argument)))
			continue;
		verdict_name(v, servers[i].name, "well-known server");
		v->kind = servers[i].kind;
		v->server = true;
		return true;
	}
	return false;
}
