#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Protocols that the user describes: the two examples of rootle-protocols(5), each spoken by a server, counted = sent."""
import os
import re
import subprocess

from e2e import HERE, free_port, main, need_root, run
from harness import recorder

N = 10000

STOCK_SERVER = r"""
import socketserver, sys
class Stock(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            verb, kind, *rest = line.split()
            if verb == b"LOG":
                continue
            if verb == b"PUT":
                self.rfile.read(int(rest[1]) + 1)
            n = int(rest[0])
            if n % 10 == 7:
                self.wfile.write(b"ERR BUSY try later\n")
            elif n % 10 == 3:
                self.wfile.write(b"ERR NOTFOUND s3cr3t\n")
            elif verb == b"LIST":
                self.wfile.write(b"ITEMS\n1 red lamp\nERR is no error here\n.\n")
            else:
                self.wfile.write(b"OK s3cr3t\n")
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Stock).serve_forever()
"""

STOCK_CLIENT = r"""
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
    f = s.makefile("rb")
    for i in range(int(sys.argv[2])):
        if i % 3 == 0:
            s.sendall(b"GET item %d s3cr3t\n" % i)
        elif i % 3 == 1:
            s.sendall(b"PUT item %d 18\nGET item 1 s3cr3t\n\n" % i)
        else:
            s.sendall(b"LOG shop s3cr3t\nLIST all %d\n" % i)
        line = f.readline()
        while line.startswith(b"ITEMS") and f.readline() != b".\n":
            pass
"""

BILLING_SERVER = r"""
import socketserver, struct, sys
class Billing(socketserver.StreamRequestHandler):
    def handle(self):
        late = []
        while len(head := self.rfile.read(16)) == 16:
            op, n = struct.unpack_from(">H", head, 2)[0], struct.unpack_from(">I", head, 12)[0]
            number = struct.unpack_from("<Q", head, 4)[0]
            self.rfile.read(n)
            if op == 3:
                continue
            status = 402 if number % 10 == 1 else 500 if number % 10 == 2 else 0
            late.append(b"\xb1\x12" + struct.pack(">H", status) + head[4:12] + struct.pack(">I", 20) + b"s3cr3t".ljust(20))
            if len(late) == 4:                  # the last is answered first
                self.wfile.write(b"".join(reversed(late)))
                late = []
socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Billing).serve_forever()
"""

BILLING_CLIENT = r"""
import socket, struct, sys
def frame(op, number, body):
    return b"\xb1\x11" + struct.pack(">H", op) + struct.pack("<Q", number) + struct.pack(">I", len(body)) + body
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
    f = s.makefile("rb")
    for i in range(0, int(sys.argv[2]), 4):
        audit = frame(3, 2**64 - 1, b"s3cr3t") if i % 400 == 0 else b""
        s.sendall(b"".join(frame(1 + k % 2, k, b"s3cr3t" * (k % 7)) for k in range(i, i + 4)) + audit)
        f.read(4 * 36)
"""


def example(name, port=None):
    """The text of an example of the manual."""
    with open(os.path.join(HERE, "../../man/rootle-protocols.5")) as f:
        text = re.search(rf'^\.\\" example: {re.escape(name)}\n\.Bd [^\n]*\n(.*?)^\.Ed', f.read(), re.M | re.S).group(1)
    return text.replace("[7100]", f"[{port}]")


def record(bench, name, server, client, n):
    need_root()
    port = free_port()
    paths = {}
    for kind, text in (("server", server), ("client", client), ("yaml", example(f"{name}.yaml", port))):
        paths[kind] = os.path.join(bench.folder, f"{name}.{kind}")
        with open(paths[kind], "w") as f:
            f.write(text)
    bench.start(name, ["/usr/bin/python3", paths["server"], port], port)
    rec = bench.record("--protocols", paths["yaml"])
    run(["/usr/bin/python3", paths["client"], port, n], timeout=60)
    rec.stop()
    bench.equal(recorder.query("requests", bench.db, "--last", "1h")[-1]["coverage"]["lost_events"], 0, "events lost")
    rows = [r for r in bench.rows("requests") if r["port"] == port]
    bench.equal({r["protocol"] for r in rows}, {name}, "protocol")
    with open(bench.db, "rb") as f:
        bench.check(b"s3cr3t" not in f.read(), "no value is in the recording")
    return {r["op"]: (r["count"], r["errors"]) for r in rows}


def case_lines(bench):
    seen = record(bench, "stock", STOCK_SERVER, STOCK_CLIENT, N)
    bench.equal(sum(c for op, (c, _) in seen.items() if op != "LOG shop"), N, "requests counted")
    for k, op in enumerate(("GET item", "PUT item", "LIST all")):
        mine = [i for i in range(N) if i % 3 == k]
        busy = sum(i % 10 == 7 for i in mine)
        wrong = sum(i % 10 == 3 for i in mine)
        count, errors = seen.get(op, (0, 0))
        bench.equal(count, len(mine), f"counted {op}")
        bench.equal(errors, busy + wrong, f"errors of {op}")
    bench.equal(seen.get("LOG shop", (0, 0))[0], N // 3, "counted LOG shop, which nobody answers")


def case_frames(bench):
    seen = record(bench, "billing", BILLING_SERVER, BILLING_CLIENT, N)
    for op, wrong in (("Charge", N // 10), ("Refund", N // 10)):
        bench.equal(seen.get(op, (0, 0)), (N // 2, wrong), f"count and errors of {op}")
    bench.equal(seen.get("Audit", (0, 0))[0], N // 400, "counted Audit, which nobody answers")


def case_mistakes(bench):
    """Each mistake is refused with its line."""
    for text, line, says in (("protocols:\n  - name: x1\n    port: [1]\n", 3, "did you mean 'ports'"),
                             ("protocols:\n  - name: x1\n    lines: {}\n", 2, "'ports' or a 'magic'"),
                             ("protocols:\n  - name: redis\n    ports: 1\n    lines: {}\n", 2, "already"),
                             ("protocols:\n  - name: x1\n    ports: 1\n    frames:\n      header: 4\n", 5, "length"),
                             ("protocols:\n  - name: x1\n    ports: 99999\n", 3, "number from 0 to 65535"),
                             ("protocols:\n  - name: x1\n    ports: 1\n    frames:\n      header: 2\n      length: {at: 0, size: 4}\n", 5,
                              "behind the header"),
                             ("- 1\n", 1, "one key 'protocols'")):
        path = os.path.join(bench.folder, "bad.yaml")
        with open(path, "w") as f:
            f.write(text)
        done = subprocess.run([recorder.binary(), "record", "--for", "1s", "--db", bench.db, "--protocols", path],
                              stderr=subprocess.PIPE, text=True, check=False)
        bench.check(done.returncode == 2 and f"bad.yaml:{line}: " in done.stderr and says in done.stderr,
                    f"{says}: {done.stderr.strip()}")


main(globals())
