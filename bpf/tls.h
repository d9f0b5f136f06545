/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tls: which connection the plaintext of a TLS library belongs to.  Pure: the kernel side and the host tests compile the same
 * text.
 *
 * A library is called with its own object (SSL *, gnutls_session_t, *tls.Conn), not with a socket.  The socket is the one that
 * is read or written within the call.  Where the library works on memory (Node.js, Python's asyncio) the call follows a read
 * of the socket in the same thread: that read is believed once, and only for an object that was never seen with a socket.
 */
#ifndef ROOTLE_BPF_TLS_H
#define ROOTLE_BPF_TLS_H

#include "copy.h"

enum { TLS_HANDSHAKE = 2 };             /* tls_call.dir, beside DIR_OUT and DIR_IN: a call that moves no plaintext */
enum { TLS_OF_C = 1, TLS_OF_GO = 2 };   /* tls_process.kinds: calls belong to threads, or to goroutines */

/* A process whose sockets are looked at. */
struct tls_process {
	__u64 ops;              /* reads and writes of its TCP sockets */
	__u32 kinds;
	__u32 pad;
};

/* A thread (or goroutine), and the call that it is in. */
struct tls_call {
	__u64 object, buf;
	__u64 done;             /* where the library writes how much was moved; 0: it is what the call returns */
	__u64 ts_ns;
	__u64 sp;               /* of C: the stack where it began; a call within it is deeper, one after it is not */
	__u64 cookie;           /* of the socket used within the call; 0: none yet */
	__u64 last_read;        /* of the socket read last, not believed yet; 0: none */
	__u8 dir;
	__u8 active;
	__u8 pad[6];
};

struct tls_object { __u64 object; __u32 tgid, pad; };

struct tls_conn {
	__u64 cookie;           /* 0: not known yet */
	__u64 rd_ts_ns;         /* last plaintext taken, by rd_tid */
	struct copy_credit credit[2];
	__u32 seq[2];           /* plaintext bytes so far, by direction */
	__u32 rd_tid;
	__u8 sure;              /* a socket was seen within a call */
	__u8 pad[3];
};

/* At the end of a call: the connection of its object. An object that turns out to be another connection's (its memory was
 * given back and taken anew) begins at byte 0. */
static inline __attribute__((always_inline)) void tls_bind(struct tls_conn *c, struct tls_call *call)
{
	__u64 cookie = call->cookie;

	if (cookie)
		c->sure = 1;
	else if (!c->sure)
		cookie = call->last_read;
	call->last_read = 0;
	if (!cookie || cookie == c->cookie)
		return;
	if (c->cookie) {
		c->seq[0] = c->seq[1] = 0;
		c->rd_tid = 0;
		c->rd_ts_ns = 0;
	}
	c->cookie = cookie;
}

#endif
