#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Datagrams: DNS to the question, everything else to the byte."""
import os
import socket
import threading
import time

from e2e import finish, free_port, main, need_root, run
from harness import recorder

N = 23


DNS_SERVER = r"""
import socket, sys, threading
def told(m, n):
    status = 3 if b"nosuch" in m else 2 if b"broken" in m else 0
    return m[:2] + bytes([0x81, 0x80 | status]) + m[4:]
def stream(s):
    while True:
        c, _ = s.accept()
        while (head := c.recv(2)):
            m = c.recv(int.from_bytes(head, "big"))
            a = told(m, 0)
            c.sendall(len(a).to_bytes(2, "big") + a)
        c.close()
port = int(sys.argv[1])
t = socket.socket(socket.AF_INET6)
t.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
t.bind(("::", port)); t.listen(8)
threading.Thread(target=stream, args=(t,), daemon=True).start()
u = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
u.bind(("::", port))
while True:
    m, peer = u.recvfrom(4096)
    if b"lost" not in m:
        u.sendto(told(m, 0), peer)
"""

DNS_CLIENT = r"""
import socket, struct, sys
def ask(number, name, kind=1):
    wire = b"".join(bytes([len(p)]) + p for p in name.encode().split(b".")) + b"\0"
    return struct.pack(">HHHHHH", number, 0x100, 1, 0, 0, 0) + wire + struct.pack(">HH", kind, 1)
port, n = int(sys.argv[1]), int(sys.argv[2])
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    for i in range(n):                  # both questions at once, as libc does, each pair from a socket of its own
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.settimeout(5); s.connect((host, port))
            s.send(ask(2 * i, "shop.example.com")); s.send(ask(2 * i + 1, "shop.example.com", 28))
            s.recv(999); s.recv(999)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    s.settimeout(5)
    for i, name in enumerate(("nosuch.example.com", "broken.example.com") * n):
        s.sendto(ask(i, name), ("127.0.0.1", port)); s.recv(999)
    s.sendto(ask(9999, "lost.example.com"), ("127.0.0.1", port))
with socket.create_connection(("127.0.0.1", port)) as s:
    for i in range(n):
        m = ask(i, "stream.example.com")
        s.sendall(len(m).to_bytes(2, "big") + m); s.recv(999)
"""


def script(bench, name, text):
    path = os.path.join(bench.folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def case_dns(bench):
    need_root()
    port = free_port()
    bench.start("resolver", ["/usr/bin/python3", script(bench, "resolver.py", DNS_SERVER), port], port)
    rec = bench.record()
    run(["/usr/bin/python3", script(bench, "curious.py", DNS_CLIENT), port, N])
    time.sleep(7)                       # what is not answered within 5 s is lost
    finish(bench, rec)
    rows = [r for r in bench.rows("requests") if r.get("port") == port]
    seen = {(r["protocol"], r["op"]): (r["count"], r["errors"]) for r in rows}
    bench.equal({(r["from"], r["to"]) for r in rows}, {("curious.py", "resolver.py")}, "who asks whom")
    for protocol, op, wanted in (("dns", "A shop.example.com", (2 * N, 0)), ("dns", "AAAA shop.example.com", (2 * N, 0)),
                                 ("dns", "A nosuch.example.com NXDOMAIN", (N, 0)), ("dns", "A broken.example.com", (N, N)),
                                 ("dns", "A lost.example.com", (1, 1)), ("dns-tcp", "A stream.example.com", (N, 0))):
        bench.equal(seen.get((protocol, op)), wanted, f"{protocol} {op}: count and errors")


def echo(sock):
    while True:
        m, peer = sock.recvfrom(4096)
        if not m:
            return
        if not m.startswith(b"silent"):
            sock.sendto(m + m, peer)


DATAGRAM_CLIENT = r"""
import socket, sys
for port, first, family, host in ((int(sys.argv[1]), b"plain", socket.AF_INET, "127.0.0.1"),
                                  (int(sys.argv[2]), b"\xc3\0\0\0\1", socket.AF_INET6, "::1")):
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        for i in range(23):
            s.sendto(first.ljust(100, b"x"), (host, port)); s.recv(999)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    for i in range(23):
        s.sendto(b"silent".ljust(100, b"x"), ("127.0.0.1", int(sys.argv[1])))
"""


def case_datagrams(bench):
    """Edges with their bytes, QUIC by its name; nothing else of them is looked at."""
    need_root()
    servers = [socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) for _ in range(2)]
    for s in servers:
        s.bind(("::", 0))
        threading.Thread(target=echo, args=(s,), daemon=True).start()
    plain, quic = (s.getsockname()[1] for s in servers)
    rec = bench.record()
    run(["/usr/bin/python3", script(bench, "talker.py", DATAGRAM_CLIENT), plain, quic])
    finish(bench, rec)
    for s in servers:
        s.close()
    exported = recorder.rows(run([recorder.binary(), "export", "--db", bench.db, "--last", "1h"]).stdout)
    rows = [r for r in exported if r.get("type") == "tcp"]
    for port, protocol, out, back in ((plain, "udp", 2 * N * 100, N * 200), (quic, "quic", N * 100, N * 200)):
        mine = [r for r in rows if r.get("port") == port]
        bench.equal({(r["from"], r["protocol"]) for r in mine if r["bytes_out"]}, {("talker.py", protocol)}, "who sends what")
        bench.equal((sum(r["bytes_out"] for r in mine), sum(r["bytes_in"] for r in mine)), (out, back), f"bytes of {protocol}")


FLOOD = r"""
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
    for i in range(3):
        for port in range(20000, 32000):
            s.sendto(b"x" * 100, ("127.0.0.1", port))
"""


def case_more_peers_than_there_is_room_for(bench):
    """What is not counted is counted as that."""
    need_root()
    rec = bench.record()
    run(["/usr/bin/python3", script(bench, "flood.py", FLOOD)])
    rec.stop()
    exported = recorder.rows(run([recorder.binary(), "export", "--db", bench.db, "--last", "1h"]).stdout)
    counted = sum(r["bytes_out"] for r in exported if r.get("type") == "tcp" and r["from"] == "flood.py") // 100
    loss = recorder.query("edges", bench.db, "--last", "1h")[-1]["coverage"]["loss"]
    missed = sum(x["count"] for x in loss if x["reason"] == "datagrams_full")
    bench.at_least(missed, 1, "datagrams to more peers than are kept")
    bench.equal(counted + missed, 36000, f"{counted} counted and {missed} known to be missing")


main(globals())
