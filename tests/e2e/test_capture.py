#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Capture files: what a recording writes reads as that recording, what dumpcap captures counts as what was sent, and files that are
none are refused in one line."""
import json
import os
import signal
import struct
import subprocess
import time

from e2e import Skip, main, need, need_root, run
from harness import recorder

ROOTLE = recorder.binary()
REQUESTS = 10000


def read(*args, code=0):
    p = subprocess.run([ROOTLE, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    return p.returncode, p.stdout, p.stderr


def counts(*args, port=None):
    """(requests, errors) by protocol and operation"""
    found = {}
    for row in map(json.loads, read("requests", "--json", *args)[1].splitlines()):
        if row["type"] == "requests" and port in (None, row["port"]):
            key = row["protocol"], row["op"]
            found[key] = [a + b for a, b in zip(found.get(key, (0, 0)), (row["count"], row["errors"]))]
    return found


def load(bench, port):
    run(["redis-benchmark", "-p", port, "-n", REQUESTS // 2, "-c", 8, "-q", "-t", "get,set"], timeout=60)
    run(["redis-benchmark", "-p", port, "-n", 300, "-c", 2, "-P", 10, "-q", "-t", "lpush"], timeout=60)
    run(["redis-cli", "-p", port, "lpush", "key:0", "x"])
    run(["redis-cli", "-p", port, "get", "mylist"])


def case_what_a_recording_writes_reads_as_that_recording(bench):
    need_root()
    need("redis-server", "nginx", "curl", "tshark")
    port, (web, _) = bench.redis(), bench.nginx()
    path = os.path.join(bench.folder, "heads.pcapng")
    with bench.record("--write-pcap", path) as rec:
        load(bench, port)
        for _ in range(20):
            run(["curl", "-s", f"http://127.0.0.1:{web}/hello.html", f"http://127.0.0.1:{web}/none"], check=False)
        rec.settle()
    for p in (port, web):
        live, again = counts("--db", bench.db, port=p), counts("--pcap", path, port=p)
        bench.check(sum(n for n, _ in live.values()) >= 40, f"port {p}: {sum(n for n, _ in live.values())} requests recorded")
        bench.equal(again, live, f"port {p}: the same operations, requests and errors in the capture")
    out = subprocess.run(["tshark", "-r", path, "-T", "fields", "-e", "frame.comment", "-e", "_ws.malformed"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    bench.equal(out.returncode, 0, "tshark reads it, exit code")
    bench.equal("alformed" in out.stdout, False, "tshark finds something malformed")
    bench.check("service=redis side=" in out.stdout, "packets say whose they are")


def case_it_can_be_read_up_to_the_last_block_after_sigkill(bench):
    need_root()
    need("redis-server")
    port = bench.redis()
    path = os.path.join(bench.folder, "heads.pcapng")
    rec = bench.record("--write-pcap", path)
    load(bench, port)
    time.sleep(2.2)
    os.kill(rec.process.pid, signal.SIGKILL)
    code, _, said = read("requests", "--pcap", path)
    bench.equal(code, 0, "exit code")
    total = sum(n for n, _ in counts("--pcap", path, port=port).values())
    bench.check(total >= REQUESTS, f"{total} requests in the capture of at least {REQUESTS}")


def case_it_keeps_its_bound(bench):
    need_root()
    need("redis-server")
    port = bench.redis()
    path = os.path.join(bench.folder, "heads.pcapng")
    with bench.record("--write-pcap", path, "--max-size", "4M") as rec:
        run(["redis-benchmark", "-p", port, "-n", 20000, "-c", 8, "-q", "-d", 400, "-t", "get,set"], timeout=60)
        rec.settle()
    bench.at_most(os.path.getsize(path), 4 << 20, "size of the capture", "bytes")
    bench.equal(read("requests", "--pcap", path)[0], 0, "it is read, exit code")
    bench.equal(read("record", "--db", bench.db + "2", "--write-pcap", path, "--for", "1s")[0], 1, "a file that is there is kept, exit code")


def case_what_dumpcap_captures_is_what_was_sent(bench):
    need_root()
    need("redis-server", "dumpcap")
    port = bench.redis()
    path = os.path.join(bench.folder, "wire.pcapng")
    dump = bench.start("dumpcap", ["dumpcap", "-q", "-i", "lo", "-f", f"tcp port {port}", "-w", path, "-B", "64"])
    for _ in range(100):
        if os.path.exists(path) and os.path.getsize(path):
            break
        time.sleep(0.05)
    else:
        raise Skip("dumpcap does not capture here")
    time.sleep(0.5)
    load(bench, port)
    time.sleep(1)
    os.kill(dump.pid, signal.SIGINT)
    time.sleep(0.5)
    got = {op: n for (_, op), (n, _) in counts("--pcap", path, port=port).items()}
    bench.equal((got.get("GET"), got.get("SET"), got.get("LPUSH")), (REQUESTS // 2 + 1, REQUESTS // 2, 301), "GET, SET, LPUSH")
    code, out, _ = read("explain", "--pcap", path, "--json")
    bench.equal(code, 0, "explain, exit code")


def put_pcap(path, link, packets, magic=0xa1b2c3d4):
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 65535, link))
        for p in packets:
            f.write(struct.pack("<IIII", 1_700_000_000, 0, len(p), len(p)) + p)


def datagram():
    return (struct.pack(">BBHHHBBH4s4s", 0x45, 0, 128, 1, 0, 64, 17, 0, bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))) +
            struct.pack(">HHHH", 4000, 9, 108, 0) + bytes(100))


def case_files_that_are_none(bench):
    path = os.path.join(bench.folder, "x.pcap")
    udp = datagram()

    def refused(code, word, *args):
        got, out, said = read("map", *args)
        lines = [line for line in said.splitlines() if line.startswith("rootle:")]
        bench.check(got == code and len(lines) == 1 and word in lines[0], f"{word}: exit {got}, {lines}")

    refused(1, "No such file", "--pcap", path)
    with open(path, "wb") as f:
        f.write(b"hello world, this is text and no capture\n")
    refused(1, "not a capture", "--pcap", path)
    put_pcap(path, 105, [udp])
    refused(1, "cannot be decoded", "--pcap", path)
    put_pcap(path, 101, [])
    refused(3, "no packet", "--pcap", path)
    put_pcap(path, 101, [udp])
    refused(2, "exclude each other", "--pcap", path, "--db", path)
    refused(2, "--since is not before", "--pcap", path, "--since", "10m", "--until", "20m")
    bench.equal(read("requests", "--pcap", path, "--follow")[0], 2, "--follow, exit code")
    bench.equal(read("record", "--pcap", path)[0], 2, "record, exit code")
    bench.equal(read("edges", "--pcap", path)[0], 0, "a datagram is an edge, exit code")
    put_pcap(path + "2", 101, [udp, udp])
    with open(path + "2", "r+b") as f:
        f.truncate(os.path.getsize(path + "2") - 5)
    code, _, said = read("edges", "--pcap", path + "2")
    bench.check(code == 0 and "ends in the middle" in said, f"cut short: exit {code}")
    with open(path + "2", "rb") as f:
        p = subprocess.run([ROOTLE, "edges", "--pcap", "-"], stdin=f, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    bench.equal(p.returncode, 0, "standard input, exit code")


def case_clock_times_are_those_of_the_capture(bench):
    path = os.path.join(bench.folder, "x.pcap")
    put_pcap(path, 101, [datagram()])
    at = time.strftime("%H:%M", time.localtime(1_700_000_000))
    bench.equal(read("edges", "--pcap", path, "--since", at)[0], 0, f"--since {at}, exit code")
    bench.equal(read("edges", "--pcap", path, "--last", "1h")[0], 0, "--last 1h, exit code")


main(globals())
