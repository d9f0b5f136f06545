/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/zookeeper_names.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const struct zookeeper_op ops[] = {
	{1, "create", true}, {2, "delete", true}, {3, "exists", true}, {4, "getData", true}, {5, "setData", true},
	{6, "getACL", true}, {7, "setACL", true}, {8, "getChildren", true}, {9, "sync", true}, {11, "ping", false},
	{12, "getChildren", true}, {13, "check", true}, {14, "multi", false}, {15, "create", true}, {16, "reconfig", false},
	{17, "checkWatches", true}, {18, "removeWatches", true}, {19, "createContainer", true}, {20, "deleteContainer", true},
	{21, "createTTL", true}, {22, "multiRead", false}, {100, "auth", false}, {101, "setWatches", false}, {102, "sasl", false},
	{103, "getEphemerals", true}, {104, "getAllChildrenNumber", true}, {105, "setWatches", false}, {106, "addWatch", true},
	{107, "whoAmI", false}, {-11, "closeSession", false},
};

static const struct {
	int32_t code;
	const char *name;
	enum req_error error;
} errors[] = {
	{-1, "SYSTEM_ERROR", REQ_SERVER_ERROR},
	{-2, "RUNTIME_INCONSISTENCY", REQ_SERVER_ERROR},
	{-3, "DATA_INCONSISTENCY", REQ_SERVER_ERROR},
	{-4, "CONNECTION_LOSS", REQ_SERVER_ERROR},
	{-5, "MARSHALLING_ERROR", REQ_CLIENT_ERROR},
	{-6, "UNIMPLEMENTED", REQ_CLIENT_ERROR},
	{-7, "OPERATION_TIMEOUT", REQ_SERVER_ERROR},
	{-8, "BAD_ARGUMENTS", REQ_CLIENT_ERROR},
	{-12, "UNKNOWN_SESSION", REQ_SERVER_ERROR},
	{-13, "NEW_CONFIG_NO_QUORUM", REQ_SERVER_ERROR},
	{-14, "RECONFIG_IN_PROGRESS", REQ_SERVER_ERROR},
	{-100, "API_ERROR", REQ_CLIENT_ERROR},
	{-101, "NO_NODE", REQ_CLIENT_ERROR},
	{-102, "NO_AUTH", REQ_CLIENT_ERROR},
	{-103, "BAD_VERSION", REQ_CLIENT_ERROR},
	{-108, "NO_CHILDREN_FOR_EPHEMERALS", REQ_CLIENT_ERROR},
	{-110, "NODE_EXISTS", REQ_CLIENT_ERROR},
	{-111, "NOT_EMPTY", REQ_CLIENT_ERROR},
	{-112, "SESSION_EXPIRED", REQ_SERVER_ERROR},
	{-113, "INVALID_CALLBACK", REQ_CLIENT_ERROR},
	{-114, "INVALID_ACL", REQ_CLIENT_ERROR},
	{-115, "AUTH_FAILED", REQ_CLIENT_ERROR},
	{-118, "SESSION_MOVED", REQ_SERVER_ERROR},
	{-119, "NOT_READ_ONLY", REQ_SERVER_ERROR},
	{-120, "EPHEMERAL_ON_LOCAL_SESSION", REQ_CLIENT_ERROR},
	{-121, "NO_WATCHER", REQ_CLIENT_ERROR},
	{-122, "REQUEST_TIMEOUT", REQ_SERVER_ERROR},
	{-123, "RECONFIG_DISABLED", REQ_CLIENT_ERROR},
	{-124, "SESSION_CLOSED_REQUIRE_SASL_AUTH", REQ_CLIENT_ERROR},
	{-125, "QUOTA_EXCEEDED", REQ_CLIENT_ERROR},
	{-127, "THROTTLED_OP", REQ_SERVER_ERROR},
};

const struct zookeeper_op *zookeeper_op(int32_t type)
{
	for (size_t i = 0; i < COUNT(ops); i++)
		if (ops[i].type == type)
			return &ops[i];
	return NULL;
}

const char *zookeeper_error_name(int32_t code)
{
	for (size_t i = 0; i < COUNT(errors); i++)
		if (errors[i].code == code)
			return errors[i].name;
	return NULL;
}

enum req_error zookeeper_error_class(int32_t code)
{
	if (!code)
		return REQ_OK;
	for (size_t i = 0; i < COUNT(errors); i++)
		if (errors[i].code == code)
			return errors[i].error;
	return REQ_SERVER_ERROR;
}

const char *zookeeper_event_name(int32_t type)
{
	switch (type) {
	case -1: return "SESSION";
	case 1: return "NODE_CREATED";
	case 2: return "NODE_DELETED";
	case 3: return "NODE_DATA_CHANGED";
	case 4: return "NODE_CHILDREN_CHANGED";
	case 5: return "DATA_WATCH_REMOVED";
	case 6: return "CHILD_WATCH_REMOVED";
	case 7: return "PERSISTENT_WATCH_REMOVED";
	}
	return NULL;
}
