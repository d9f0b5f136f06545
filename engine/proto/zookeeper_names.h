/* SPDX-License-Identifier: BSD-2-Clause */
/* zookeeper_names: operations, error codes and events of ZooKeeper up to 3.9 (ZooDefs.OpCode, KeeperException.Code, Watcher.Event). */
#ifndef ROOTLE_PROTO_ZOOKEEPER_NAMES_H
#define ROOTLE_PROTO_ZOOKEEPER_NAMES_H

#include "proto/proto.h"

enum {
	ZK_EXISTS = 3, ZK_GET_CHILDREN = 8, ZK_PING = 11, ZK_GET_CHILDREN2 = 12, ZK_MULTI = 14, ZK_MULTI_READ = 22,
	ZK_GET_EPHEMERALS = 103, ZK_CLOSE = -11,
};

struct zookeeper_op {
	int32_t type;
	const char *name;
	bool path;                 /* the body begins with one */
};

/* NULL: there is none. */
const struct zookeeper_op *zookeeper_op(int32_t type);
/* Of an error code, which is negative; NULL: not known. */
const char *zookeeper_error_name(int32_t code);
enum req_error zookeeper_error_class(int32_t code);
/* What a watch says; NULL: not known. */
const char *zookeeper_event_name(int32_t type);

#endif
