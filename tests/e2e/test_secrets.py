#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Conversations full of secrets, one of each protocol, over real sockets: their requests are in the recording, the secrets are not.
With --raw they are, and in a snapshot of that they are not."""
import os
import socket
import struct
import subprocess
import threading

from e2e import main, need_root
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


def described(code, *fields):
    """A performative, or another value of AMQP 1.0 that is a list."""
    body = b"".join(fields)
    return b"\0S" + bytes([code, 0xc0, len(body) + 1, len(fields)]) + body


def frame(kind, *parts):
    """Of AMQP 1.0."""
    return struct.pack(">IBBH", 8 + len(b"".join(parts)), 2, kind, 0) + b"".join(parts)


def amqp(kind, body):
    """Of AMQP 0-9-1, on channel 1; methods of the connection are on channel 0."""
    return struct.pack(">BHI", kind, body[:2] != b"\0\x0a", len(body)) + body + b"\xce"


def symbol(s):
    return b"\xa3" + text(s)


def string(s):
    return b"\xa1" + text(s)


def jute(*parts):
    """Of ZooKeeper; strings have their length."""
    body = b"".join(p if isinstance(p, bytes) else struct.pack(">i", len(p)) + p.encode() if isinstance(p, str) else struct.pack(">i", p)
                    for p in parts)
    return struct.pack(">I", len(body)) + body


def kafka(key, version, number, body):
    return struct.pack(">IHHIH", 10 + len(SECRET) + len(body), key, version, number, len(SECRET)) + SECRET + body


def tds(kind, body):
    return struct.pack(">BBHHBB", kind, 1, len(body) + 8, 0, 1, 0) + body


def h2(kind, flags, stream, body):
    return struct.pack(">I", len(body))[1:] + struct.pack(">BBI", kind, flags, stream) + body


def wide(s):
    return s.encode("utf-16-le")


LDAP_BIND = ber(0x30, b"\2\1\1", ber(0x60, b"\2\1\3", ber(4, b"cn=s3cr3t"), ber(0x80, b"s3cr3t")))
LDAP_SEARCH = ber(0x30, b"\2\1\2", ber(0x63, ber(4, b"uid=s3cr3t,dc=a"), b"\x0a\1\0\x0a\1\0\2\1\0\2\1\0\1\1\0", ber(0x87, b"s3cr3t"), ber(0x30)))
DNS = struct.pack(">HHHHHH", 7, 0x100, 1, 0, 0, 0) + text(b"s3cr3t12345678") + text(b"test") + b"\0\0\1\0\1"

AMQP_HELLO = (C, b"AMQP\0\0\x09\1"), (S, amqp(1, b"\0\x0a\0\x0a\0\x09" + bytes(4) + struct.pack(">I", 5) + b"PLAIN" + struct.pack(">I", 5) + b"en_US"))
AMQP1 = b"AMQP\0\1\0\0"
KAFKA_RECORDS = struct.pack(">IH6sIIi", 1, 6, b"orders", 1, 0, 30) + SECRET * 5
CLICKHOUSE = b"\x17\x08\xbc\xa9\3"       # a client's and a server's version: 23.8, revision 54460
CLICKHOUSE_QUERY = (b"\0\1\0\1\0\0" + text(b"[::]:0") + bytes(8) + b"\1" + text(SECRET) + text(SECRET) + text(b"ClickHouse client") + CLICKHOUSE +
                    b"\0\0\3\0\0\0\0" + b"\0\0\2\0" + text(b"SELECT 's3cr3t'") + b"\0\2\0\1\0\2\xff\xff\xff\xff\0\0\0")
TDS_HELLO = b"\0\0\x0b\0\6\1\0\x11\0\1\xff\x0f\0\7\xd0\0\0\2"
TDS_BATCH = b"\x16\0\0\0\x12\0\0\0\2" + bytes(8) + b"\0\1\0\0\0" + wide("SELECT 's3cr3t'")
H2_FIELDS = [(b"\x04", b"/users/s3cr3t12345?t=s3cr3t"), (b"\x01", b"s3cr3t"), (b"\x0f\x11", b"s3cr3t")]    # path, authority, cookie

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
    ("amqp", "PUBLISH orders", False,
     [*AMQP_HELLO, (C, amqp(1, b"\0\x0a\0\x0b\0\0\0\0" + text(b"PLAIN") + struct.pack(">I", 14) + b"\0s3cr3t\0s3cr3t" + text(b"en_US"))),
      (C, amqp(1, b"\0\x3c\0\x28\0\0\0" + text(b"orders") + b"\0") + amqp(2, b"\0\x3c\0\0" + struct.pack(">QH", 6, 0x400) + text(SECRET)) +
       amqp(3, SECRET)),
      (S, amqp(1, b"\0\x14\0\x28\1\x94" + text(SECRET) + b"\0\x3c\0\x28"))]),
    ("amqp1", "SEND /queue/{id}", True,
     [(C, b"AMQP\3\1\0\0"), (S, b"AMQP\3\1\0\0" + frame(1, described(0x40, symbol(b"PLAIN")))),
      (C, frame(1, described(0x41, symbol(b"PLAIN"), b"\xa0" + text(b"\0s3cr3t\0s3cr3t"), string(SECRET)))),
      (S, frame(1, described(0x44, b"\x50\0"))), (C, AMQP1 + frame(0, described(0x10, string(SECRET), string(SECRET)))),
      (S, AMQP1 + frame(0, described(0x10, string(SECRET)))),
      (C, frame(0, described(0x11, b"\x40", b"\x43", b"\x52\x64", b"\x52\x64")) +
       frame(0, described(0x12, string(SECRET), b"\x43", b"\x42", b"\x40", b"\x40", b"\x40", described(0x29, string(b"/queue/s3cr3t12345"))))),
      (C, frame(0, described(0x14, b"\x43", b"\x43", b"\xa0" + text(SECRET), b"\x43", b"\x42", b"\x42"),
                described(0x74, string(SECRET), string(SECRET)).replace(b"\xc0", b"\xc1"), b"\0Su\xa0" + text(SECRET))),
      (S, frame(0, described(0x11, b"\x60\0\0", b"\x43", b"\x52\x64", b"\x52\x64")) +
       frame(0, described(0x15, b"\x41", b"\x43", b"\x40", b"\x41", described(0x25, described(0x1d, symbol(b"x:s3cr3t"), string(SECRET))))))]),
    ("nats", "PUBLISH orders.{id}", True,
     [(S, b'INFO {"server_id":"s3cr3t","nonce":"s3cr3t"}\r\n'), (C, b'CONNECT {"verbose":false,"user":"s3cr3t","pass":"s3cr3t"}\r\n'),
      (C, b"PUB orders.s3cr3t12345 6\r\ns3cr3t\r\n"), (S, b"-ERR 's3cr3t'\r\n")]),
    ("mqtt", "PUBLISH orders/{id}", True,
     [(C, b"\x10\x22\0\4MQTT\4\xc2\0\x3c" + b"\0\6s3cr3t" * 3), (S, b"\x20\2\0\0"),
      (C, b"\x32\x22\0\x12orders/s3cr3t12345\0\1" + SECRET * 2), (S, b"\x40\2\0\1")]),
    ("kafka", "Produce orders", False,
     [(C, kafka(18, 0, 1, b"")), (S, struct.pack(">IIHI", 16, 1, 0, 1) + struct.pack(">HHH", 0, 0, 8)), (C, kafka(36, 0, 2, struct.pack(">I", 6) + SECRET)),
      (S, struct.pack(">IIHH", 20, 2, 58, 6) + SECRET + struct.pack(">I", 2) + b"\0\0"),
      (C, kafka(0, 2, 3, struct.pack(">hI", -1, 1000) + KAFKA_RECORDS)),
      (S, struct.pack(">IIIH6sIIHQQI", 50, 3, 1, 6, b"orders", 1, 0, 3, 0, 0, 0))]),
    ("zookeeper", "setData /config/{id}", True,
     [(C, jute(0, bytes(8), 30000, bytes(8), 16, SECRET * 2 + b"pppp")), (S, jute(0, 30000, bytes(8), 16, SECRET * 2 + b"pppp")),
      (C, jute(-4, 100, 0, "digest", "s3cr3t:s3cr3t")), (S, jute(-4, bytes(8), 0)),
      (C, jute(1, 5, "/config/s3cr3t12345", "s3cr3t", -1)), (S, jute(1, bytes(8), -101))]),
    ("clickhouse", "SELECT ?", True,
     [(C, b"\0" + text(b"ClickHouse client") + CLICKHOUSE + b"\0" + text(SECRET) + text(SECRET)),
      (S, b"\0" + text(b"ClickHouse") + CLICKHOUSE + text(b"UTC") + text(SECRET) + b"\3"), (C, CLICKHOUSE_QUERY),
      (S, b"\2" + struct.pack("<I", 60) + text(b"DB::Exception") + text(b"DB::Exception: s3cr3t") + text(SECRET) + b"\0")]),
    ("tds", "SELECT ?", True,
     [(C, tds(18, TDS_HELLO)), (S, tds(4, TDS_HELLO)), (C, tds(1, TDS_BATCH)),
      (S, tds(4, b"\xaa" + struct.pack("<HIBBH", 26, 208, 1, 16, 6) + wide("s3cr3t") + b"\0\0" + struct.pack("<I", 1) +
              b"\xfd\2\0\0\0" + bytes(8)))]),
    ("http2", "GET /users/{id}", True,
     [(C, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + h2(4, 0, 0, b"") + h2(1, 5, 1, b"\x82\x86" + b"".join(k + text(v) for k, v in H2_FIELDS))),
      (S, h2(4, 0, 0, b"") + h2(1, 4, 1, b"\x88\x0f\x28" + text(SECRET)) + h2(0, 1, 1, SECRET))]),
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
