/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net: blocking TCP on 127.0.0.1 for the demo's services and clients.  Errors are -errno.
 */
#ifndef ROOTLE_DEMO_NET_H
#define ROOTLE_DEMO_NET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A listening socket, or -errno. */
int net_listen(uint16_t port);
/* A connected socket without Nagle's delay, whose reads and writes give up after timeout_ms; or -errno. */
int net_connect(uint16_t port, int timeout_ms);
/* A port that nobody listens on now; 0 where there is none. */
uint16_t net_free_port(void);
/* 0, or -errno; -ECONNRESET at an early end. */
int net_write(int fd, const void *buf, size_t n);
int net_read(int fd, void *buf, size_t n);

/* Accepts for ever; each connection gets a thread that runs serve(fd, arg) and closes fd. Returns -errno. */
int net_serve(uint16_t port, void (*serve)(int fd, void *arg), void *arg);

#endif
