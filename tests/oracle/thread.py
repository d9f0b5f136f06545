#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A thread for each connection, with connections of its own to what it asks.  usage: thread.py PORT WEB CACHE"""
import http.client
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from common import IDS, read_until

WEB, CACHE = int(sys.argv[2]), int(sys.argv[3])
own = threading.local()


def ask_web(n, ids):
    if not hasattr(own, "web"):
        own.web = http.client.HTTPConnection("127.0.0.1", WEB)
    own.web.request("GET", f"/b/{n}", headers=ids)
    own.web.getresponse().read()


def ask_cache(n, _):
    if not hasattr(own, "cache"):
        own.cache = socket.create_connection(("127.0.0.1", CACHE))
    own.cache.sendall(b"get k%d\r\n" % n)
    read_until(own.cache, b"END\r\n")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        n = int(self.path.rsplit("/", 1)[1])
        ids = {k: v for k, v in self.headers.items() if k.lower() in IDS}
        for ask in (ask_web, ask_cache) if n % 2 else (ask_cache, ask_web):
            ask(n, ids)
        body = b"%d\n" % n
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 256


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
