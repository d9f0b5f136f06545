/* SPDX-License-Identifier: BSD-2-Clause */
/* clickhouse_names: what ClickHouse calls its errors (src/Common/ErrorCodes.cpp). */
#ifndef ROOTLE_PROTO_CLICKHOUSE_NAMES_H
#define ROOTLE_PROTO_CLICKHOUSE_NAMES_H

/* "UNKNOWN_TABLE"…; NULL for one that is not in the table. */
const char *clickhouse_error_name(int code);

#endif
