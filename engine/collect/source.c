/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/source.h"

const char *const ev_drop_names[DROP_MAX] = {
	[DROP_RING_CONN] = "ring_conn",
	[DROP_RING_DATA] = "ring_data",
	[DROP_RING_IO] = "ring_io",
	[DROP_RING_PROC] = "ring_proc",
	[DROP_BYTES] = "bytes",
	[DROP_NO_SOCK] = "no_sock",
	[DROP_STORAGE] = "storage",
	[DROP_LOAD] = "load",
	[DROP_TASK_SLOT] = "task_slot",
	[DROP_DATAGRAM] = "datagrams_full",
	[DROP_RING_STACK] = "samples",
	[DROP_PLAIN_SOCKET] = "plain_socket",
};
