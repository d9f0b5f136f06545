/* SPDX-License-Identifier: BSD-2-Clause */
/* protocols: the rows of proto_table[], each defined by the file of its name. */
#ifndef ROOTLE_PROTO_PROTOCOLS_H
#define ROOTLE_PROTO_PROTOCOLS_H

#include "proto/proto.h"

extern const struct proto_ops proto_tls;
extern const struct proto_ops proto_http;
extern const struct proto_ops proto_http2;
extern const struct proto_ops proto_postgres;
extern const struct proto_ops proto_mysql;
extern const struct proto_ops proto_tds;
extern const struct proto_ops proto_clickhouse;
extern const struct proto_ops proto_redis;
extern const struct proto_ops proto_memcached;
extern const struct proto_ops proto_mongodb;
extern const struct proto_ops proto_cassandra;
extern const struct proto_ops proto_dns;
extern const struct proto_ops proto_fastcgi;
extern const struct proto_ops proto_smtp;
extern const struct proto_ops proto_ldap;
extern const struct proto_ops proto_dubbo2;
extern const struct proto_ops proto_foundationdb;
extern const struct proto_ops proto_amqp;
extern const struct proto_ops proto_amqp1;
extern const struct proto_ops proto_zookeeper;
extern const struct proto_ops proto_kafka;
extern const struct proto_ops proto_nats;
extern const struct proto_ops proto_mqtt;

#endif
