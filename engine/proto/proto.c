/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/proto.h"
#include "proto/protocols.h"
#include "proto/user.h"

#include <string.h>

/* The surest first: an encrypted record must not be offered to a parser that guesses. */
const struct proto_ops *const proto_table[] = {
	&proto_tls,
	&proto_http,
	&proto_http2,
	&proto_postgres,
	&proto_mysql,
	&proto_tds,
	&proto_clickhouse,
	&proto_redis,
	&proto_memcached,
	&proto_mongodb,
	&proto_cassandra,
	&proto_dns,
	&proto_fastcgi,
	&proto_smtp,
	&proto_ldap,
	&proto_dubbo2,
	&proto_foundationdb,
	&proto_amqp,
	&proto_amqp1,
	&proto_zookeeper,
	&proto_kafka,
	&proto_nats,
	&proto_mqtt,
	NULL,
};

const struct proto_ops *proto_by_id(enum proto_id id)
{
	const struct proto_ops *const *o;

	for (o = id < PROTO_USER ? proto_table : proto_user_table; *o; o++)
		if ((*o)->id == id)
			return *o;
	return NULL;
}

static const struct proto_ops *named(const struct proto_ops *const *o, const char *name)
{
	while (*o && strcmp((*o)->name, name))
		o++;
	return *o;
}

const struct proto_ops *proto_by_name(const char *name)
{
	const struct proto_ops *o = named(proto_table, name);

	return o ? o : named(proto_user_table, name);
}

const char *proto_name(enum proto_id id)
{
	const struct proto_ops *o = proto_by_id(id);

	switch (id) {
	case PROTO_QUIC: return "quic";
	case PROTO_GRPC: return "grpc";
	default: return o ? o->name : "tcp";
	}
}

static const char *const error_names[REQ_CLASSES] = {"ok", "client_error", "server_error", "aborted"};

const char *req_error_name(enum req_error e)
{
	return error_names[e];
}

enum req_error req_error_by_name(const char *name)
{
	int e = 0;

	while (e < REQ_CLASSES && strcmp(error_names[e], name) != 0)
		e++;
	return (enum req_error)e;
}
