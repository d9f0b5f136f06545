# SPDX-License-Identifier: BSD-2-Clause
"""What the services of the oracle that are written in Python share: GET /m/N asks for /b/N and for the key kN."""
import queue
import re
import socket

# Passed on where the driver sends them; rootle reads them where it is asked to.
IDS = ("traceparent", "x-request-id")


def number(head):
    """Of a request's head: N, and the fields to pass on."""
    found = re.match(rb"GET /m/(\d+) ", head)
    fields = dict(re.findall(rb"(?im)^([a-z-]+): *([^\r\n]*)", head))
    return int(found.group(1)), {k.decode(): v.decode() for k, v in fields.items() if k.decode().lower() in IDS}


def request(n, ids):
    fields = "".join(f"{k}: {v}\r\n" for k, v in ids.items())
    return f"GET /b/{n} HTTP/1.1\r\nHost: b\r\n{fields}\r\n".encode()


def response(n):
    body = f"{n}\n"
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def read_until(sock, end):
    got = b""
    while not got.endswith(end):
        more = sock.recv(4096)
        if not more:
            raise ConnectionError("closed")
        got += more
    return got


class Pool:
    """Connections to one port, taken and given back by whichever thread: the last given first."""

    def __init__(self, port):
        self.port, self.free = port, queue.LifoQueue()

    def call(self, asked, end):
        try:
            sock = self.free.get_nowait()
        except queue.Empty:
            sock = socket.create_connection(("127.0.0.1", self.port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(asked)
        got = read_until(sock, end)
        self.free.put(sock)
        return got


def work(web, cache, n, ids):
    """The two calls of a request, in an order that depends on it."""
    calls = [lambda: web.call(request(n, ids), b"\n"), lambda: cache.call(b"get k%d\r\n" % n, b"END\r\n")]
    for call in calls if n % 2 else reversed(calls):
        call()
