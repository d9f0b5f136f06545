#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Conversations full of secrets, one of each protocol, over real sockets: their requests are in the recording, the secrets are not.
With --raw they are, and in a snapshot of that they are not."""
import os
import socket
import struct
import subprocess
import threading

from e2e import free_port, main, need_root
from harness import recorder

SECRET = b"s3cr3t"
C, S = 0, 1


def record(n, kind, body):
    """Of FastCGI."""
    return struct.pack(">BBHHBB", 1, kind, n, len(body), 0, 0) + body


def pairs(**v):
    return b"".join(bytes([len(k), len(x)]) + k.encode() + x for k, x in v.items())


def ber(tag, *parts):
    body = b"".join(parts)
    return bytes([tag, len(body)]) + body


def pg(kind, body):
    return kind + struct.pack(">I", len(body) + 4) + body


def my(n, body):
    return struct.pack("<I", len(body))[:3] + bytes([n]) + body


def dubbo(flags, status, body):
    return b"\xda\xbb" + bytes([flags, status]) + struct.pack(">QI", 1, len(body)) + body


def text(s):
    return bytes([len(s)]) + s


def bson(**v):
    """Strings, numbers and documents."""
    body = b""
    for k, x in v.items():
        name = k.encode() + b"\0"
        if isinstance(x, bytes):
            body += b"\2" + name + struct.pack("<I", len(x) + 1) + x + b"\0"
        else:
            body += b"\1" + name + struct.pack("<d", x) if isinstance(x, float) else b"\3" + name + bson(**x)
    return struct.pack("<I", len(body) + 5) + body + b"\0"


def mongo(number, answers, document):
    return struct.pack("<IIIIIB", 21 + len(document), number, answers, 2013, 0, 0) + document


def cql(version, opcode, body):
    return struct.pack(">BBHBI", version, 0, 1, opcode, len(body)) + body


LDAP_BIND = ber(0x30, b"\2\1\1", ber(0x60, b"\2\1\3", ber(4, b"cn=s3cr3t"), ber(0x80, b"s3cr3t")))
LDAP_SEARCH = ber(0x30, b"\2\1\2", ber(0x63, ber(4, b"uid=s3cr3t,dc=a"), b"\x0a\1\0\x0a\1\0\2\1\0\2\1\0\1\1\0", ber(0x87, b"s3cr3t"), ber(0x30)))
DNS = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + text(b"s3cr3t12345678") + text(b"test") + b"\0\0\1\0\1"

# protocol, an operation that must be there, whether --raw shows the secret, turns
TALKS = [
    ("http", "POST /users/{id}", True,
     [(C, b"POST /users/s3cr3t12345?t=s3cr3t HTTP/1.1\r\nHost: s3cr3t\r\nCookie: s3cr3t\r\nContent-Length: 6\r\n\r\ns3cr3t"),
      (S, b"HTTP/1.1 200 s3cr3t\r\nSet-Cookie: s3cr3t\r\nContent-Length: 6\r\n\r\ns3cr3t")]),
    ("postgres", "SELECT ?", True,
     [(C, struct.pack(">IHH", 24, 3, 0) + b"user\0s3cr3t\0\0\0\0\0"[:16]), (S, pg(b"R", b"\0\0\0\3")), (C, pg(b"p", b"s3cr3t\0")),
      (S, pg(b"R", b"\0\0\0\0") + pg(b"Z", b"I")), (C, pg(b"Q", b"select 's3cr3t'\0")),
      (S, pg(b"E", b"SERROR\0C42601\0Ms3cr3t\0\0") + pg(b"Z", b"I"))]),
    ("redis", "SET", False, [(C, b"*3\r\n$3\r\nSET\r\n$6\r\ns3cr3t\r\n$6\r\ns3cr3t\r\n"), (S, b"-ERR s3cr3t\r\n")]),
    ("mysql", "SELECT ?", True,
     [(S, my(0, b"\x0a8.0.30\0\1\0\0\0abcdefgh\0\xff\xf7\xff\2\0\xff\xc1\x15" + bytes(10) + b"abcdefghijkl\0mysql_native_password\0")),
      (C, my(1, struct.pack("<IIB", 0x000aa20d, 1 << 24, 33) + bytes(23) + b"s3cr3t\0\x14s3cr3ts3cr3ts3cr3t12mysql_native_password\0")),
      (S, my(2, b"\0\0\0\2\0\0\0")), (C, my(0, b"\3select \"s3cr3t\"")), (S, my(1, b"\xff\x28\x04#42000s3cr3t"))]),
    ("memcached", "get", False, [(C, b"get s3cr3t\r\n"), (S, b"VALUE s3cr3t 0 6\r\ns3cr3t\r\nEND\r\n")]),
    ("mongodb", "find", False,
     [(C, mongo(1, 0, bson(find=b"orders", filter={"k": SECRET}, comment=SECRET, **{"$db": b"shop"}))),
      (S, mongo(2, 1, bson(ok=0.0, errmsg=SECRET, codeName=b"Unauthorized", code=13.0)))]),
    ("cassandra", "SELECT", False,
     [(C, cql(4, 1, b"\0\1\0\x0bCQL_VERSION\0\0053.0.0")), (S, cql(0x84, 2, b"")),
      (C, cql(4, 7, b"\0\0\0\x25select a from t where k = 's3cr3t' --" + b"\0\1\0")),
      (S, cql(0x84, 0, b"\0\0\x20\0\0\6s3cr3t"))]),
    ("dns-tcp", "A {id}.test", True,
     [(C, struct.pack(">H", len(DNS)) + DNS), (S, struct.pack(">H", len(DNS)) + DNS[:2] + b"\x81\x80" + DNS[4:])]),
    ("fastcgi", "GET /x", True,
     [(C, record(1, 1, b"\0\1\0\0\0\0\0\0") + record(1, 4, pairs(REQUEST_METHOD=b"GET", REQUEST_URI=b"/x?s3cr3t", HTTP_COOKIE=SECRET)) +
       record(1, 4, b"") + record(1, 5, SECRET) + record(1, 5, b"")),
      (S, record(1, 7, SECRET) + record(1, 6, b"Status: 500 s3cr3t\r\n\r\ns3cr3t") + record(1, 3, bytes(8)))]),
    ("smtp", "MAIL", True,
     [(S, b"220 s3cr3t ESMTP\r\n"), (C, b"EHLO s3cr3t\r\n"), (S, b"250 s3cr3t\r\n"), (C, b"AUTH PLAIN s3cr3t\r\n"), (S, b"235 s3cr3t\r\n"),
      (C, b"MAIL FROM:<s3cr3t>\r\n"), (S, b"250 s3cr3t\r\n"), (C, b"DATA\r\n"), (S, b"354 s3cr3t\r\n"), (C, b"s3cr3t\r\n.\r\n"), (S, b"550 s3cr3t\r\n")]),
    ("ldap", "SEARCH base uid={id},dc=a", True,
     [(C, LDAP_BIND), (S, ber(0x30, b"\2\1\1", ber(0x61, b"\x0a\1\x31", ber(4, SECRET), ber(4, SECRET)))), (C, LDAP_SEARCH),
      (S, ber(0x30, b"\2\1\2", ber(0x64, ber(4, SECRET), ber(0x30))) + ber(0x30, b"\2\1\2", ber(0x65, b"\x0a\1\0\4\0\4\0")))]),
    ("dubbo2", "a.Shop/find", False,
     [(C, dubbo(0xc2, 0, text(b"2.0.2") + text(b"a.Shop") + text(b"1.0") + text(b"find") + text(b"Ljava/lang/String;") + text(SECRET))),
      (S, dubbo(2, 70, text(SECRET)))]),
    ("stock", "GET item", True, [(C, b"GET item s3cr3t\n"), (S, b"ERR s3cr3t\n")]),
]

STOCK = "protocols: [{name: stock, ports: [%d], lines: {request: {op: 2}, response: {server_error: 'ERR*', detail: 2, details: [BUSY]}}}]\n"


def answer(listener, turns):
    peer, _ = listener.accept()
    with peer:
        play(peer, turns, S)


def play(s, turns, me):
    s.settimeout(5)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for who, said in turns:
        if who == me:
            s.sendall(said)
            continue
        while said:
            said = said[len(s.recv(len(said))):]


def talk(listener, turns):
    thread = threading.Thread(target=answer, args=(listener, turns), daemon=True)
    thread.start()
    with socket.create_connection(listener.getsockname()) as s:
        play(s, turns, C)
    thread.join(5)


def record_all(bench, *args):
    need_root()
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in TALKS]
    described = os.path.join(bench.folder, "stock.yaml")
    with open(described, "w") as f:
        f.write(STOCK % listeners[-1].getsockname()[1])
    rec = bench.record("--protocols", described, *args)
    for listener, (_, _, _, turns) in zip(listeners, TALKS):
        talk(listener, turns)
    rec.settle()
    rec.stop()
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    rows = bench.rows("requests")
    return [[(r["protocol"], r["op"]) for r in rows if r["port"] == port] for port in ports]


def holds_secret(path):
    found = 0
    for suffix in ("", "-wal"):
        if os.path.exists(path + suffix):
            with open(path + suffix, "rb") as f:
                found += f.read().lower().count(SECRET)
    return found


def case_values_stay_out(bench):
    for (protocol, op, _, _), rows in zip(TALKS, record_all(bench)):
        bench.check(any(p == protocol and (o or "").startswith(op) for p, o in rows), f"{protocol} {op}: {rows}")
    bench.equal(holds_secret(bench.db), 0, "secrets in the recording")


def case_raw_and_its_snapshot(bench):
    for (protocol, _, shows, _), rows in zip(TALKS, record_all(bench, "--raw")):
        if shows:
            bench.check(any("s3cr3t" in (o or "") for _, o in rows), f"{protocol} with values: {rows}")
    bench.check(holds_secret(bench.db) > 0, "secrets are in the recording, as wanted")
    snapshot = os.path.join(bench.folder, "snapshot.db")
    subprocess.run([recorder.binary(), "snapshot", snapshot, "--db", bench.db, "--last", "1h", "--quiet"], check=True)
    bench.equal(holds_secret(snapshot), 0, "secrets in the snapshot")
    ops = {r["op"] for r in recorder.query("requests", snapshot, "--last", "1h") if r["type"] != "summary"}
    bench.check({"POST /users/{id}", "SELECT ?", "MAIL"} <= ops, f"what the snapshot has of them: {sorted(o or '' for o in ops)}")


main(globals())
