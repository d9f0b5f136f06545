/* SPDX-License-Identifier: BSD-2-Clause */
#include "proto/redis_names.h"

#include <string.h>

/* Redis 7.2, Valkey 8 and Sentinel: COMMAND LIST, sorted by byte. */
static const struct command {
	const char *name;
	enum redis_kind kind;
} commands[] = {
	{"ACL", REDIS_CONTAINER}, {"APPEND"}, {"ASKING"}, {"AUTH"}, {"BGREWRITEAOF"}, {"BGSAVE"}, {"BITCOUNT"},
	{"BITFIELD"}, {"BITFIELD_RO"}, {"BITOP"}, {"BITPOS"}, {"BLMOVE", REDIS_WAITS}, {"BLMPOP", REDIS_WAITS},
	{"BLPOP", REDIS_WAITS}, {"BRPOP", REDIS_WAITS}, {"BRPOPLPUSH", REDIS_WAITS}, {"BZMPOP", REDIS_WAITS},
	{"BZPOPMAX", REDIS_WAITS}, {"BZPOPMIN", REDIS_WAITS}, {"CLIENT", REDIS_CONTAINER},
	{"CLUSTER", REDIS_CONTAINER}, {"COMMAND", REDIS_CONTAINER}, {"CONFIG", REDIS_CONTAINER}, {"COPY"},
	{"DBSIZE"}, {"DEBUG", REDIS_CONTAINER}, {"DECR"}, {"DECRBY"}, {"DEL"}, {"DELIFEQ"}, {"DISCARD"}, {"DUMP"},
	{"ECHO"}, {"EVAL"}, {"EVALSHA"}, {"EVALSHA_RO"}, {"EVAL_RO"}, {"EXEC"}, {"EXISTS"}, {"EXPIRE"}, {"EXPIREAT"},
	{"EXPIREMEMBER"}, {"EXPIRETIME"}, {"FAILOVER"}, {"FCALL"}, {"FCALL_RO"}, {"FLUSHALL"}, {"FLUSHDB"},
	{"FUNCTION", REDIS_CONTAINER}, {"GEOADD"}, {"GEODIST"}, {"GEOHASH"}, {"GEOPOS"}, {"GEORADIUS"},
	{"GEORADIUSBYMEMBER"}, {"GEORADIUSBYMEMBER_RO"}, {"GEORADIUS_RO"}, {"GEOSEARCH"}, {"GEOSEARCHSTORE"},
	{"GET"}, {"GETBIT"}, {"GETDEL"}, {"GETEX"}, {"GETRANGE"}, {"GETSET"}, {"HDEL"}, {"HELLO"}, {"HEXISTS"},
	{"HEXPIRE"}, {"HEXPIREAT"}, {"HEXPIRETIME"}, {"HGET"}, {"HGETALL"}, {"HGETDEL"}, {"HGETEX"}, {"HINCRBY"},
	{"HINCRBYFLOAT"}, {"HKEYS"}, {"HLEN"}, {"HMGET"}, {"HMSET"}, {"HPERSIST"}, {"HPEXPIRE"}, {"HPEXPIREAT"},
	{"HPEXPIRETIME"}, {"HPTTL"}, {"HRANDFIELD"}, {"HSCAN"}, {"HSET"}, {"HSETEX"}, {"HSETNX"}, {"HSTRLEN"},
	{"HTTL"}, {"HVALS"}, {"INCR"}, {"INCRBY"}, {"INCRBYFLOAT"}, {"INFO"}, {"KEYS"}, {"LASTSAVE"},
	{"LATENCY", REDIS_CONTAINER}, {"LCS"}, {"LINDEX"}, {"LINSERT"}, {"LLEN"}, {"LMOVE"}, {"LMPOP"}, {"LOLWUT"},
	{"LPOP"}, {"LPOS"}, {"LPUSH"}, {"LPUSHX"}, {"LRANGE"}, {"LREM"}, {"LSET"}, {"LTRIM"},
	{"MEMORY", REDIS_CONTAINER}, {"MGET"}, {"MIGRATE"}, {"MODULE", REDIS_CONTAINER}, {"MONITOR", REDIS_MONITOR},
	{"MOVE"}, {"MSET"}, {"MSETNX"}, {"MULTI"}, {"OBJECT", REDIS_CONTAINER}, {"PERSIST"}, {"PEXPIRE"},
	{"PEXPIREAT"}, {"PEXPIRETIME"}, {"PFADD"}, {"PFCOUNT"}, {"PFDEBUG"}, {"PFMERGE"}, {"PFSELFTEST"}, {"PING"},
	{"PSETEX"}, {"PSUBSCRIBE", REDIS_SUBSCRIBE}, {"PSYNC", REDIS_SYNC}, {"PTTL"}, {"PUBLISH"},
	{"PUBSUB", REDIS_CONTAINER}, {"PUNSUBSCRIBE", REDIS_UNSUBSCRIBE}, {"QUIT"}, {"RANDOMKEY"}, {"READONLY"},
	{"READWRITE"}, {"RENAME"}, {"RENAMENX"}, {"REPLCONF", REDIS_CONTAINER}, {"REPLICAOF"},
	{"RESET", REDIS_RESET}, {"RESTORE"}, {"RESTORE-ASKING"}, {"ROLE"}, {"RPOP"}, {"RPOPLPUSH"}, {"RPUSH"},
	{"RPUSHX"}, {"SADD"}, {"SAVE"}, {"SCAN"}, {"SCARD"}, {"SCRIPT", REDIS_CONTAINER}, {"SDIFF"}, {"SDIFFSTORE"},
	{"SELECT"}, {"SENTINEL", REDIS_CONTAINER}, {"SET"}, {"SETBIT"}, {"SETEX"}, {"SETNX"}, {"SETRANGE"},
	{"SHUTDOWN"}, {"SINTER"}, {"SINTERCARD"}, {"SINTERSTORE"}, {"SISMEMBER"}, {"SLAVEOF"},
	{"SLOWLOG", REDIS_CONTAINER}, {"SMEMBERS"}, {"SMISMEMBER"}, {"SMOVE"}, {"SORT"}, {"SORT_RO"}, {"SPOP"},
	{"SPUBLISH"}, {"SRANDMEMBER"}, {"SREM"}, {"SSCAN"}, {"SSUBSCRIBE", REDIS_SUBSCRIBE}, {"STRLEN"},
	{"SUBSCRIBE", REDIS_SUBSCRIBE}, {"SUBSTR"}, {"SUNION"}, {"SUNIONSTORE"}, {"SUNSUBSCRIBE", REDIS_UNSUBSCRIBE},
	{"SWAPDB"}, {"SYNC", REDIS_SYNC}, {"TIME"}, {"TOUCH"}, {"TTL"}, {"TYPE"}, {"UNLINK"},
	{"UNSUBSCRIBE", REDIS_UNSUBSCRIBE}, {"UNWATCH"}, {"WAIT"}, {"WAITAOF"}, {"WATCH"}, {"XACK"}, {"XADD"},
	{"XAUTOCLAIM"}, {"XCLAIM"}, {"XDEL"}, {"XGROUP", REDIS_CONTAINER}, {"XINFO", REDIS_CONTAINER}, {"XLEN"},
	{"XPENDING"}, {"XRANGE"}, {"XREAD", REDIS_MAY_WAIT}, {"XREADGROUP", REDIS_MAY_WAIT}, {"XREVRANGE"},
	{"XSETID"}, {"XTRIM"}, {"ZADD"}, {"ZCARD"}, {"ZCOUNT"}, {"ZDIFF"}, {"ZDIFFSTORE"}, {"ZINCRBY"}, {"ZINTER"},
	{"ZINTERCARD"}, {"ZINTERSTORE"}, {"ZLEXCOUNT"}, {"ZMPOP"}, {"ZMSCORE"}, {"ZPOPMAX"}, {"ZPOPMIN"},
	{"ZRANDMEMBER"}, {"ZRANGE"}, {"ZRANGEBYLEX"}, {"ZRANGEBYSCORE"}, {"ZRANGESTORE"}, {"ZRANK"}, {"ZREM"},
	{"ZREMRANGEBYLEX"}, {"ZREMRANGEBYRANK"}, {"ZREMRANGEBYSCORE"}, {"ZREVRANGE"}, {"ZREVRANGEBYLEX"},
	{"ZREVRANGEBYSCORE"}, {"ZREVRANK"}, {"ZSCAN"}, {"ZSCORE"}, {"ZUNION"}, {"ZUNIONSTORE"},
};

/* Modules name their commands MODULE.COMMAND. */
static const char *const modules[] = {"BF.", "CF.", "CMS.", "FT.", "GRAPH.", "JSON.", "TDIGEST.", "TOPK.", "TS.", "VSIM."};

static bool is_module_command(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		size_t prefix = strlen(modules[i]);

		if (n > prefix && n <= prefix + 16 && !memcmp(name, modules[i], prefix))
			return true;
	}
	return false;
}

enum redis_kind redis_command_kind(const char *name, size_t n)
{
	size_t lo = 0, hi = sizeof(commands) / sizeof(*commands);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int order = strncmp(commands[mid].name, name, n);

		if (!order && commands[mid].name[n])
			order = 1;              /* the name is only the beginning of this one */
		if (!order)
			return commands[mid].kind;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return is_module_command(name, n) ? REDIS_PLAIN : REDIS_UNKNOWN;
}

/* The words that errors of Redis, Valkey, Sentinel and Cluster begin with. */
static const struct {
	const char *word;
	enum req_error error;
} errors[] = {
	{"MOVED", REQ_OK}, {"ASK", REQ_OK}, {"NOSCRIPT", REQ_OK},
	{"LOADING", REQ_SERVER_ERROR}, {"OOM", REQ_SERVER_ERROR}, {"MISCONF", REQ_SERVER_ERROR}, {"BUSY", REQ_SERVER_ERROR},
	{"CLUSTERDOWN", REQ_SERVER_ERROR}, {"MASTERDOWN", REQ_SERVER_ERROR}, {"READONLY", REQ_SERVER_ERROR},
	{"NOREPLICAS", REQ_SERVER_ERROR}, {"NOMASTERLINK", REQ_SERVER_ERROR}, {"TRYAGAIN", REQ_SERVER_ERROR},
	{"IOERR", REQ_SERVER_ERROR}, {"UNKILLABLE", REQ_SERVER_ERROR}, {"NOGOODSLAVE", REQ_SERVER_ERROR},
	{"NOQUORUM", REQ_SERVER_ERROR}, {"FAILOVER", REQ_SERVER_ERROR}, {"UNBLOCKED", REQ_SERVER_ERROR},
	{"WRONGTYPE", REQ_CLIENT_ERROR}, {"NOAUTH", REQ_CLIENT_ERROR}, {"WRONGPASS", REQ_CLIENT_ERROR},
	{"NOPERM", REQ_CLIENT_ERROR}, {"DENIED", REQ_CLIENT_ERROR}, {"EXECABORT", REQ_CLIENT_ERROR},
	{"CROSSSLOT", REQ_CLIENT_ERROR}, {"BUSYKEY", REQ_CLIENT_ERROR}, {"BUSYGROUP", REQ_CLIENT_ERROR},
	{"NOGROUP", REQ_CLIENT_ERROR}, {"NOPROTO", REQ_CLIENT_ERROR}, {"NOTBUSY", REQ_CLIENT_ERROR},
	{"NOTREADY", REQ_CLIENT_ERROR}, {"INPROG", REQ_CLIENT_ERROR}, {"INVALIDOBJ", REQ_CLIENT_ERROR},
	{"UNSTABLE", REQ_CLIENT_ERROR},
};

const char *redis_error_name(const char *text, size_t n, enum req_error *error)
{
	static const char full[] = "ERR max number of clients";
	const char *blank = memchr(text, ' ', n);
	size_t word = blank ? (size_t)(blank - text) : n;

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (strlen(errors[i].word) == word && !memcmp(errors[i].word, text, word)) {
			*error = errors[i].error;
			return errors[i].word;
		}
	if (n >= sizeof(full) - 1 && !memcmp(text, full, sizeof(full) - 1)) {
		*error = REQ_SERVER_ERROR;
		return "MAXCLIENTS";
	}
	*error = REQ_CLIENT_ERROR;
	return "ERR";
}
