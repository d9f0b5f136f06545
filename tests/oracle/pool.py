#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""One thread reads all requests and hands them to workers, which ask over pooled connections and answer.  usage: pool.py PORT WEB CACHE"""
import queue
import selectors
import socket
import sys
import threading

from common import Pool, number, response, work

WORKERS = 16
web, cache, jobs = Pool(int(sys.argv[2])), Pool(int(sys.argv[3])), queue.Queue()


def worker():
    while True:
        sock, head = jobs.get()
        n, ids = number(head)
        work(web, cache, n, ids)
        sock.sendall(response(n))


def main():
    server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=256)
    ready = selectors.DefaultSelector()
    ready.register(server, selectors.EVENT_READ)
    for _ in range(WORKERS):
        threading.Thread(target=worker, daemon=True).start()
    while True:
        for key, _ in ready.select():
            if key.fileobj is server:
                sock = server.accept()[0]
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                ready.register(sock, selectors.EVENT_READ)
                continue
            head = key.fileobj.recv(65536)      # a driver that waits for its answer sends a head at a time
            if head:
                jobs.put((key.fileobj, head))
            else:
                ready.unregister(key.fileobj)
                key.fileobj.close()


main()
