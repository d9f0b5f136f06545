/* SPDX-License-Identifier: BSD-2-Clause */
/* mysql_names: the commands of MySQL's protocol and the errors of its servers, by number. */
#ifndef ROOTLE_PROTO_MYSQL_NAMES_H
#define ROOTLE_PROTO_MYSQL_NAMES_H

#include "proto/proto.h"

enum {
	COM_QUIT = 0x01, COM_INIT_DB = 0x02, COM_QUERY = 0x03, COM_CHANGE_USER = 0x11, COM_BINLOG_DUMP = 0x12, COM_TABLE_DUMP = 0x13,
	COM_STMT_PREPARE = 0x16, COM_STMT_EXECUTE = 0x17, COM_STMT_SEND_LONG_DATA = 0x18, COM_STMT_CLOSE = 0x19,
	COM_STMT_FETCH = 0x1c, COM_BINLOG_DUMP_GTID = 0x1e, COM_RESET_CONNECTION = 0x1f, COM_STMT_BULK_EXECUTE = 0xfa,
};

/* What answers a command. */
enum mysql_answer {
	ANSWER_RESULT = 0,      /* OK, an error, or result sets */
	ANSWER_PREPARED,        /* a statement's id, and what it takes and gives */
	ANSWER_ROWS,            /* rows up to their end: of a cursor */
	ANSWER_FIELDS,          /* definitions of columns up to their end */
	ANSWER_TEXT,            /* one packet of text */
	ANSWER_LOGIN,           /* an exchange that ends with OK or an error */
	ANSWER_NONE,
};

/* The operation that a command is, and what answers it; NULL: there is no such command. Of those whose operation depends on
 * their argument it is the name of the command alone. */
const char *mysql_command(uint8_t command, enum mysql_answer *answer);

/* The name of an error, NULL for one that is not in the table, and its class; sqlstate: 5 characters, or "" for none. */
const char *mysql_error(unsigned number, const char *sqlstate, enum req_error *class);

#endif
