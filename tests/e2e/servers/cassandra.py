#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A server that speaks as much of Cassandra's native protocol, version 4, as a real driver needs.  Debian has none.

Any SELECT gives two rows of one column; one of "slow" ReadTimeout, of "broken" a syntax error.  Prints how many QUERY, PREPARE,
EXECUTE and BATCH it has answered, as JSON, when it is told to stop."""
import hashlib
import json
import signal
import socket
import socketserver
import struct
import sys
import threading

NAMES = {0x01: "STARTUP", 0x05: "OPTIONS", 0x07: "QUERY", 0x09: "PREPARE", 0x0a: "EXECUTE", 0x0b: "REGISTER", 0x0d: "BATCH"}
INET, UUID, VARCHAR, VARCHARS = b"\0\x10", b"\0\x0c", b"\0\x0d", b"\0\x22\0\x0d"
counts, lock, statements = {}, threading.Lock(), {}


def string(s):
    return struct.pack(">H", len(s.encode())) + s.encode()


def value(v):
    return struct.pack(">i", -1) if v is None else struct.pack(">i", len(v)) + v


def columns(table, names):
    return string("shop") + string(table) + b"".join(string(name) + kind for name, kind in names)


def rows(table, names, *values):
    return struct.pack(">iii", 2, 1, len(names)) + columns(table, names) + struct.pack(">i", len(values)) + \
        b"".join(value(v) for row in values for v in row)


LOCAL = [("key", VARCHAR, b"local"), ("cluster_name", VARCHAR, b"test"), ("data_center", VARCHAR, b"dc1"), ("rack", VARCHAR, b"r1"),
         ("release_version", VARCHAR, b"4.0.0"), ("partitioner", VARCHAR, b"org.apache.cassandra.dht.Murmur3Partitioner"),
         ("rpc_address", INET, socket.inet_aton("127.0.0.1")), ("host_id", UUID, bytes(range(16))),
         ("schema_version", UUID, bytes(range(16))), ("tokens", VARCHARS, struct.pack(">i", 1) + value(b"0"))]


def select(cql):
    """(opcode, content)"""
    if "system.local" in cql:
        return 0x08, rows("local", [c[:2] for c in LOCAL], [c[2] for c in LOCAL])
    if "system.peers" in cql:
        return (0x00, struct.pack(">i", 0x2200) + string("no such table")) if "peers_v2" in cql else \
            (0x08, rows("peers", [("peer", INET), ("schema_version", UUID)]))
    if "slow" in cql:
        return 0x00, struct.pack(">i", 0x1200) + string("timed out") + struct.pack(">HiiB", 1, 0, 1, 0)
    if "broken" in cql:
        return 0x00, struct.pack(">i", 0x2000) + string("line 1: no viable alternative")
    if cql.lstrip().upper().startswith("SELECT"):
        return 0x08, rows("items", [("name", VARCHAR)], [b"one"], [b"two"])
    return 0x08, struct.pack(">i", 1)


def answer(opcode, body):
    if opcode == 0x05:
        return 0x06, struct.pack(">H", 1) + string("CQL_VERSION") + struct.pack(">H", 1) + string("3.4.5")
    if opcode in (0x01, 0x0b):
        return 0x02, b""
    if opcode == 0x07:
        n = struct.unpack_from(">i", body)[0]
        return select(body[4:4 + n].decode())
    if opcode == 0x09:
        cql = body[4:4 + struct.unpack_from(">i", body)[0]].decode()
        number, binds = hashlib.md5(cql.encode()).digest(), cql.count("?")
        statements[number] = cql
        bound = struct.pack(">iii", 1, binds, 0) + columns("items", [(f"b{i}", VARCHAR) for i in range(binds)])
        return 0x08, struct.pack(">i", 4) + struct.pack(">H", 16) + number + bound + struct.pack(">ii", 4, 0)
    if opcode == 0x0a:
        return select(statements[body[2:18]])
    return 0x08, struct.pack(">i", 1)


class Connection(socketserver.BaseRequestHandler):
    def read(self, n):
        b = b""
        while len(b) < n:
            more = self.request.recv(n - len(b))
            if not more:
                raise ConnectionError
            b += more
        return b

    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while True:
                version, _, stream, opcode, length = struct.unpack(">BBhBi", self.read(9))
                body = self.read(length)
                if version != 4:
                    kind, content = 0x00, struct.pack(">i", 0x0a) + string("Invalid or unsupported protocol version; 4 is")
                else:
                    kind, content = answer(opcode, body)
                with lock:
                    counts[NAMES.get(opcode, "?")] = counts.get(NAMES.get(opcode, "?"), 0) + 1
                self.request.sendall(struct.pack(">BBhBi", 0x84, 0, stream, kind, len(content)) + content)
        except (ConnectionError, OSError):
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


def stop(*_):
    with lock:
        print(json.dumps(counts), flush=True)
    raise SystemExit(0)


signal.signal(signal.SIGTERM, stop)
Server(("127.0.0.1", int(sys.argv[1])), Connection).serve_forever()
