/* SPDX-License-Identifier: BSD-2-Clause */
/* From MySQL's "Server Error Message Reference" and MariaDB's "Error Codes": those that operators meet. */
#include "proto/mysql_names.h"

#include <stdlib.h>
#include <string.h>

struct command {
	const char *name;
	enum mysql_answer answer;
};

static const struct command commands[] = {
	[0x00] = {"SLEEP", ANSWER_RESULT}, [COM_QUIT] = {"QUIT", ANSWER_NONE},
	[COM_INIT_DB] = {"USE", ANSWER_RESULT}, [COM_QUERY] = {"QUERY", ANSWER_RESULT},
	[0x04] = {"FIELD LIST", ANSWER_FIELDS}, [0x05] = {"CREATE DATABASE", ANSWER_RESULT},
	[0x06] = {"DROP DATABASE", ANSWER_RESULT}, [0x07] = {"REFRESH", ANSWER_RESULT},
	[0x08] = {"SHUTDOWN", ANSWER_RESULT}, [0x09] = {"STATISTICS", ANSWER_TEXT},
	[0x0a] = {"PROCESS INFO", ANSWER_RESULT}, [0x0b] = {"CONNECT", ANSWER_RESULT},
	[0x0c] = {"KILL", ANSWER_RESULT}, [0x0d] = {"DEBUG", ANSWER_RESULT}, [0x0e] = {"PING", ANSWER_RESULT},
	[0x0f] = {"TIME", ANSWER_RESULT}, [0x10] = {"DELAYED INSERT", ANSWER_RESULT},
	[COM_CHANGE_USER] = {"CHANGE USER", ANSWER_LOGIN}, [COM_BINLOG_DUMP] = {"BINLOG DUMP", ANSWER_NONE},
	[COM_TABLE_DUMP] = {"TABLE DUMP", ANSWER_NONE}, [0x14] = {"CONNECT OUT", ANSWER_RESULT},
	[0x15] = {"REGISTER REPLICA", ANSWER_RESULT}, [COM_STMT_PREPARE] = {"PREPARE", ANSWER_PREPARED},
	[COM_STMT_EXECUTE] = {"EXECUTE", ANSWER_RESULT}, [COM_STMT_SEND_LONG_DATA] = {"LONG DATA", ANSWER_NONE},
	[COM_STMT_CLOSE] = {"CLOSE", ANSWER_NONE}, [0x1a] = {"RESET STATEMENT", ANSWER_RESULT},
	[0x1b] = {"SET OPTION", ANSWER_RESULT}, [COM_STMT_FETCH] = {"FETCH", ANSWER_ROWS},
	[0x1d] = {"DAEMON", ANSWER_RESULT}, [COM_BINLOG_DUMP_GTID] = {"BINLOG DUMP", ANSWER_NONE},
	[COM_RESET_CONNECTION] = {"RESET CONNECTION", ANSWER_RESULT},
};

const char *mysql_command(uint8_t command, enum mysql_answer *answer)
{
	*answer = ANSWER_RESULT;
	if (command == COM_STMT_BULK_EXECUTE)
		return "EXECUTE";
	if (command >= sizeof(commands) / sizeof(*commands))
		return NULL;
	*answer = commands[command].answer;
	return commands[command].name;
}

struct error {
	unsigned short number;
	bool server;            /* it failed or refused for its own reasons */
	const char *name;
};

/* Ascending. */
static const struct error errors[] = {
	{1005, true, "ER_CANT_CREATE_TABLE"}, {1007, false, "ER_DB_CREATE_EXISTS"},
	{1008, false, "ER_DB_DROP_EXISTS"}, {1016, true, "ER_CANT_OPEN_FILE"}, {1020, true, "ER_CHECKREAD"},
	{1021, true, "ER_DISK_FULL"}, {1022, false, "ER_DUP_KEY"}, {1026, true, "ER_ERROR_ON_WRITE"},
	{1030, true, "ER_GET_ERRNO"}, {1036, true, "ER_OPEN_AS_READONLY"}, {1037, true, "ER_OUTOFMEMORY"},
	{1038, true, "ER_OUT_OF_SORTMEMORY"}, {1040, true, "ER_CON_COUNT_ERROR"},
	{1041, true, "ER_OUT_OF_RESOURCES"}, {1042, true, "ER_BAD_HOST_ERROR"}, {1043, true, "ER_HANDSHAKE_ERROR"},
	{1044, false, "ER_DBACCESS_DENIED_ERROR"}, {1045, false, "ER_ACCESS_DENIED_ERROR"},
	{1046, false, "ER_NO_DB_ERROR"}, {1047, true, "ER_UNKNOWN_COM_ERROR"}, {1048, false, "ER_BAD_NULL_ERROR"},
	{1049, false, "ER_BAD_DB_ERROR"}, {1050, false, "ER_TABLE_EXISTS_ERROR"},
	{1051, false, "ER_BAD_TABLE_ERROR"}, {1052, false, "ER_NON_UNIQ_ERROR"}, {1053, true, "ER_SERVER_SHUTDOWN"},
	{1054, false, "ER_BAD_FIELD_ERROR"}, {1055, false, "ER_WRONG_FIELD_WITH_GROUP"},
	{1058, false, "ER_WRONG_VALUE_COUNT"}, {1062, false, "ER_DUP_ENTRY"}, {1064, false, "ER_PARSE_ERROR"},
	{1065, false, "ER_EMPTY_QUERY"}, {1080, true, "ER_FORCING_CLOSE"}, {1094, false, "ER_NO_SUCH_THREAD"},
	{1096, false, "ER_NO_TABLES_USED"}, {1099, false, "ER_TABLE_NOT_LOCKED_FOR_WRITE"},
	{1100, false, "ER_TABLE_NOT_LOCKED"}, {1105, true, "ER_UNKNOWN_ERROR"}, {1114, true, "ER_RECORD_FILE_FULL"},
	{1129, true, "ER_HOST_IS_BLOCKED"}, {1130, false, "ER_HOST_NOT_PRIVILEGED"},
	{1135, true, "ER_CANT_CREATE_THREAD"}, {1136, false, "ER_WRONG_VALUE_COUNT_ON_ROW"},
	{1142, false, "ER_TABLEACCESS_DENIED_ERROR"}, {1143, false, "ER_COLUMNACCESS_DENIED_ERROR"},
	{1146, false, "ER_NO_SUCH_TABLE"}, {1153, true, "ER_NET_PACKET_TOO_LARGE"},
	{1156, true, "ER_NET_PACKETS_OUT_OF_ORDER"}, {1158, true, "ER_NET_READ_ERROR"},
	{1159, true, "ER_NET_READ_INTERRUPTED"}, {1160, true, "ER_NET_ERROR_ON_WRITE"},
	{1161, true, "ER_NET_WRITE_INTERRUPTED"}, {1180, true, "ER_ERROR_DURING_COMMIT"},
	{1194, true, "ER_CRASHED_ON_USAGE"}, {1203, true, "ER_TOO_MANY_USER_CONNECTIONS"},
	{1205, true, "ER_LOCK_WAIT_TIMEOUT"}, {1206, true, "ER_LOCK_TABLE_FULL"}, {1213, true, "ER_LOCK_DEADLOCK"},
	{1216, false, "ER_NO_REFERENCED_ROW"}, {1217, false, "ER_ROW_IS_REFERENCED"},
	{1223, true, "ER_CANT_UPDATE_WITH_READLOCK"}, {1226, true, "ER_USER_LIMIT_REACHED"},
	{1227, false, "ER_SPECIFIC_ACCESS_DENIED_ERROR"}, {1235, false, "ER_NOT_SUPPORTED_YET"},
	{1243, false, "ER_UNKNOWN_STMT_HANDLER"}, {1251, false, "ER_NOT_SUPPORTED_AUTH_MODE"},
	{1264, false, "ER_WARN_DATA_OUT_OF_RANGE"}, {1265, false, "WARN_DATA_TRUNCATED"},
	{1290, true, "ER_OPTION_PREVENTS_STATEMENT"}, {1292, false, "ER_TRUNCATED_WRONG_VALUE"},
	{1295, false, "ER_UNSUPPORTED_PS"}, {1305, false, "ER_SP_DOES_NOT_EXIST"},
	{1317, true, "ER_QUERY_INTERRUPTED"}, {1364, false, "ER_NO_DEFAULT_FOR_FIELD"},
	{1366, false, "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD"}, {1390, false, "ER_PS_MANY_PARAM"},
	{1396, false, "ER_CANNOT_USER"}, {1406, false, "ER_DATA_TOO_LONG"}, {1451, false, "ER_ROW_IS_REFERENCED_2"},
	{1452, false, "ER_NO_REFERENCED_ROW_2"}, {1461, true, "ER_MAX_PREPARED_STMT_COUNT_REACHED"},
	{1524, true, "ER_PLUGIN_IS_NOT_LOADED"}, {1568, false, "ER_CANT_CHANGE_TX_CHARACTERISTICS"},
	{1582, false, "ER_WRONG_PARAMCOUNT_TO_NATIVE_FCT"}, {1614, true, "ER_XA_RBDEADLOCK"},
	{1615, true, "ER_NEED_REPREPARE"}, {1637, true, "ER_TOO_MANY_CONCURRENT_TRXS"},
	{1644, false, "ER_SIGNAL_EXCEPTION"}, {1690, false, "ER_DATA_OUT_OF_RANGE"},
	{1698, false, "ER_ACCESS_DENIED_NO_PASSWORD_ERROR"},
	{1792, false, "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION"}, {1820, false, "ER_MUST_CHANGE_PASSWORD"},
	{1836, true, "ER_READ_ONLY_MODE"}, {1927, true, "ER_CONNECTION_KILLED"},
	{1969, true, "ER_STATEMENT_TIMEOUT"}, {2013, true, "CR_SERVER_LOST"}, {3024, true, "ER_QUERY_TIMEOUT"},
	{3101, true, "ER_TRANSACTION_ROLLBACK_DURING_COMMIT"}, {3118, false, "ER_ACCOUNT_HAS_BEEN_LOCKED"},
	{3159, false, "ER_SECURE_TRANSPORT_REQUIRED"}, {3572, true, "ER_LOCK_NOWAIT"},
	{3819, false, "ER_CHECK_CONSTRAINT_VIOLATED"},
	{3955, false, "ER_USER_ACCESS_DENIED_FOR_USER_ACCOUNT_BLOCKED_BY_PASSWORD_LOCK"},
	{4025, false, "ER_CONSTRAINT_FAILED"}, {4031, true, "ER_CLIENT_INTERACTION_TIMEOUT"},
	{4151, false, "ER_ACCOUNT_HAS_BEEN_LOCKED"},
};

static int error_compare(const void *key, const void *element)
{
	return (int)*(const unsigned *)key - (int)((const struct error *)element)->number;
}

/* By the class of the SQLSTATE; HY000 is what servers say when they have no other. */
static enum req_error sqlstate_class(const char *sqlstate)
{
	static const char server[][3] = {"08", "40", "53", "57", "58", "70", "HY", "XA"};

	for (size_t i = 0; i < sizeof(server) / sizeof(*server); i++)
		if (!strncmp(sqlstate, server[i], 2))
			return REQ_SERVER_ERROR;
	return REQ_CLIENT_ERROR;
}

const char *mysql_error(unsigned number, const char *sqlstate, enum req_error *class)
{
	const struct error *e = bsearch(&number, errors, sizeof(errors) / sizeof(*errors), sizeof(*errors), error_compare);

	*class = e ? (e->server ? REQ_SERVER_ERROR : REQ_CLIENT_ERROR) : sqlstate_class(sqlstate);
	return e ? e->name : NULL;
}
