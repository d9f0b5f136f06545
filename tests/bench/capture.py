#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How long a large capture takes, and how much memory.

Conversations of HTTP, Redis and PostgreSQL are written over and over between other addresses and at other times, until the file
is large; then `rootle requests --pcap` reads it, and every request has to be counted.

usage: ROOTLE=build/release/rootle capture.py [--size 1024] [--folder /var/tmp] [--seconds 10] [--memory 200]
Exit 0, or 1: slower, larger or other than that.
"""
import argparse
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time

START_S = 1_700_000_000
PACKETS_S = 50_000               # of the capture's own clock
SYN, ACK, PSH, FIN = 2, 16, 8, 1


class Conversation:
    """The packets of one TCP connection: Ethernet frames, with the addresses still to be filled in."""

    def __init__(self, port):
        self.port, self.frames = port, []
        self.seq = [1000, 9000]
        self.send(0, b"", SYN)
        self.send(1, b"", SYN | ACK)
        self.send(0, b"", ACK)

    def send(self, server, payload, flags=ACK | PSH):
        for at in range(0, len(payload) or 1, 1448):
            self.segment(server, payload[at:at + 1448], flags)

    def segment(self, server, payload, flags):
        ports = (self.port, 40000) if server else (40000, self.port)
        tcp = struct.pack(">HHIIBBHHH", *ports, self.seq[server], self.seq[not server] if flags & ACK else 0, 5 << 4, flags, 500, 0, 0)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), len(self.frames) + 1, 0x4000, 64, 6, 0, bytes(4), bytes(4))
        self.frames.append((server, bytes(12) + b"\x08\x00" + ip + tcp + payload))
        self.seq[server] += len(payload) + bool(flags & (SYN | FIN))

    def ask(self, request, response):
        self.send(0, request)
        self.send(1, response)
        self.send(0, b"", ACK)

    def end(self):
        self.send(0, b"", FIN | ACK)
        self.send(1, b"", FIN | ACK)
        self.send(0, b"", ACK)
        return self.frames


def http():
    c = Conversation(80)
    for i in range(20):
        body = b'{"order": %d, "items": [%s]}' % (i, b", ".join(b'"item %d"' % n for n in range(i * 12)))
        c.ask(b"GET /orders/%d?page=%d HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: curl/7.88.1\r\nAccept: application/json\r\n"
              b"Cookie: session=5f2b8c0a1d3e4f60718293a4b5c6d7e8\r\n\r\n" % (i, i),
              b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
              b"Connection: keep-alive\r\n\r\n%s" % (len(body), body))
    return c.end(), 20


def redis():
    c = Conversation(6379)
    for i in range(50):
        key = b"cart:%d" % i
        c.ask(b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key), b"$200\r\n" + b"v" * 200 + b"\r\n")
    return c.end(), 50


def message(kind, body):
    return kind + struct.pack(">I", len(body) + 4) + body


def postgres():
    c = Conversation(5432)
    start = struct.pack(">I", 196608) + b"user\0shop\0database\0shop\0\0"
    c.ask(struct.pack(">I", len(start) + 4) + start,
          message(b"R", struct.pack(">I", 0)) + message(b"S", b"server_version\x0015.5\0") + message(b"Z", b"I"))
    row = message(b"D", struct.pack(">HI", 1, 100) + b"x" * 100)
    for i in range(20):
        sql = b"SELECT name, price FROM items WHERE id = $1 AND shop = %d\0" % i
        c.ask(message(b"P", b"\0" + sql + b"\0\0") + message(b"B", b"\0\0\0\0\0\1\0\0\0\3" + b"%03d" % i + b"\0\0") +
              message(b"E", b"\0\0\0\0\0") + message(b"S", b""),
              message(b"1", b"") + message(b"2", b"") + row * (i + 1) + message(b"C", b"SELECT %d\0" % (i + 1)) + message(b"Z", b"I"))
    return c.end(), 20


def template():
    """(bytes of a block of connections side by side, [(offset, server)] of its packets, requests by port)"""
    talks = [http(), redis(), postgres()] * 4
    block, at = bytearray(), []
    rows = [list(enumerate(frames)) for frames, _ in talks]
    for n in range(max(map(len, rows))):
        for i, row in enumerate(rows):
            if n >= len(row):
                continue
            server, frame = row[n][1]
            frame = bytearray(frame)
            client = 20000 + i
            struct.pack_into(">H", frame, 36 if server else 34, client)
            at.append((len(block), server))
            block += struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
    return block, at, sum(n for _, n in talks)


def write(path, size):
    block, at, requests = template()
    server = bytes((10, 1, 0, 1))
    blocks = size // len(block)
    ns, step = START_S * 10**9, 10**9 // PACKETS_S
    with open(path, "wb", buffering=1 << 20) as f:
        f.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))
        for i in range(blocks):
            client = bytes((10, 2 + (i >> 16 & 255), i >> 8 & 255, i & 255))
            for offset, from_server in at:
                struct.pack_into("<II", block, offset, ns // 10**9, ns % 10**9)
                block[offset + 42:offset + 50] = server + client if from_server else client + server
                ns += step
            f.write(block)
    return blocks * requests, blocks * len(at)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--size", type=int, default=1024, help="of the capture, MB")
    p.add_argument("--folder", default="/var/tmp")
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--memory", type=int, default=200, help="MB")
    a = p.parse_args()
    rootle = os.environ.get("ROOTLE", "build/release/rootle")
    with tempfile.TemporaryDirectory(prefix="rootle-capture.", dir=a.folder) as folder:
        path = os.path.join(folder, "large.pcap")
        requests, packets = write(path, a.size << 20)
        print(f"{os.path.getsize(path) / 2**20:.0f} MB, {packets} packets, {requests} requests", flush=True)
        begin = time.monotonic()
        out = subprocess.run([rootle, "requests", "--json", "--pcap", path], stdout=subprocess.PIPE, check=True,
                             env=dict(os.environ, TMPDIR=folder)).stdout
        took = time.monotonic() - begin
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    counted = sum(r["count"] for r in map(json.loads, out.splitlines()) if r["type"] == "requests")
    print(f"{took:.1f} s ({cpu.ru_utime:.1f} s user, {cpu.ru_stime:.1f} s system), {memory:.0f} MB, {counted} requests counted")
    sys.exit(took > a.seconds or memory > a.memory or counted != requests)


if __name__ == "__main__":
    main()
