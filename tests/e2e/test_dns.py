#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""DNS of a real resolver under a real load generator: counted = sent, over UDP and TCP, with what goes wrong by its name."""
import os
import re
import socket
import struct

from e2e import free_port, main, need, need_root, run
from harness import recorder

N = 10000
NAMES = ("www.shop.test A", "www.shop.test AAAA", "big.shop.test TXT", "nosuch.shop.test A", "secret.refused.test A")


def unbound(bench):
    need("unbound")
    port, folder = free_port(), bench.folder
    big = " ".join(f'"{"x" * 250}"' for _ in range(6))
    with open(f"{folder}/unbound.conf", "w") as f:
        f.write(f"""server:
  interface: 127.0.0.1@{port}
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  do-ip6: no
  incoming-num-tcp: 100
  tcp-idle-timeout: 60000
  local-zone: "shop.test." static
  local-data: "www.shop.test. A 192.0.2.1"
  local-data: "www.shop.test. AAAA 2001:db8::1"
  local-data: 'big.shop.test. TXT {big}'
  local-zone: "refused.test." always_refuse
remote-control:
  control-enable: no
""")
    bench.start("unbound", ["unbound", "-d", "-c", f"{folder}/unbound.conf"], port)
    return port


def dnsperf(bench, port, *args):
    """(queries sent, responses by code)"""
    need("dnsperf")
    path = os.path.join(bench.folder, "queries")
    with open(path, "w") as f:
        f.write("".join(f"{NAMES[i % len(NAMES)]}\n" for i in range(N)))
    said = run(["dnsperf", "-s", "127.0.0.1", "-p", port, "-d", path, "-n", "1", "-c", "4", "-q", "50", *args], timeout=60).stdout
    codes = dict(re.findall(r"(NOERROR|NXDOMAIN|REFUSED) (\d+)", said))
    return int(re.search(r"Queries sent:\s+(\d+)", said).group(1)), {k: int(v) for k, v in codes.items()}


def perf(bench, protocol, *args):
    need_root()
    port = unbound(bench)
    rec = bench.record()
    sent, codes = dnsperf(bench, port, *args)
    rec.stop()
    bench.equal(recorder.query("requests", bench.db, "--last", "1h")[-1]["coverage"]["lost_events"], 0, "events lost")
    rows = [r for r in bench.rows("requests") if r["port"] == port]
    bench.equal({r["protocol"] for r in rows}, {protocol}, "protocol")
    bench.equal((sum(r["count"] for r in rows), sent), (N, N), "queries counted and sent")
    bench.equal({k: codes.get(k, 0) for k in ("NXDOMAIN", "REFUSED")}, {"NXDOMAIN": N // 5, "REFUSED": N // 5}, "answers of unbound")
    seen = {r["op"]: (r["count"], r["errors"]) for r in rows}
    for op, errors in (("A www.shop.test", 0), ("AAAA www.shop.test", 0), ("A secret.refused.test", N // 5)):
        bench.equal(seen.get(op), (N // 5, errors), f"count and errors of {op}")
    big, nosuch = ([v for k, v in seen.items() if name in k] for name in ("big.shop.test", "nosuch.shop.test"))
    bench.equal((big, nosuch), ([(N // 5, 0)], [(N // 5, 0)]), "what is too big, and what is not there, is no error")


def case_udp(bench):
    perf(bench, "dns")


def case_udp_with_edns_and_dnssec(bench):
    perf(bench, "dns", "-e", "-D")


def case_tcp(bench):
    perf(bench, "dns-tcp", "-m", "tcp")


def ask(number, name, kind):
    wire = b"".join(bytes([len(p)]) + p for p in name.encode().split(b".")) + b"\0"
    return struct.pack(">HHHHHH", number, 0x100, 1, 0, 0, 0) + wire + struct.pack(">HH", kind, 1)


def case_truncated(bench):
    """Too big for a datagram: said so, and asked again over TCP."""
    need_root()
    port, n = unbound(bench), 23
    rec = bench.record()
    for i in range(n):
        question = ask(i, "big.shop.test", 16)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.sendto(question, ("127.0.0.1", port))
            short = s.recv(4096)
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(len(question).to_bytes(2, "big") + question)
            s.recv(4096)
    rec.stop()
    bench.check(short[2] & 2, "unbound cuts it")
    rows = [r for r in bench.rows("requests") if r["port"] == port]
    seen = {r["protocol"]: (r["count"], r["errors"]) for r in rows}
    bench.equal(seen, {"dns": (n, 0), "dns-tcp": (n, 0)}, "over UDP, and over TCP")
    bench.check(any("TRUNCATED" in str(r) for r in rows if r["protocol"] == "dns"), "the detail says TRUNCATED")


main(globals())
