#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""TCP health under real faults: each is made in network namespaces of its own (a client and a server, joined by a veth pair),
and what rootle says is compared with what the programs did, with the kernel's own counters, and with ss.
"""
import json
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import e2e                                                                      # noqa: E402
from e2e import Failed, Process, Skip, need, need_root, run                     # noqa: E402
from harness import recorder                                                    # noqa: E402

CLIENT_IP, SERVER_IP = "10.213.7.1", "10.213.7.2"
ROLE = "--role"


# what runs in the namespaces: this file in a role


def tell(**what):
    print(json.dumps(what), flush=True)


def role_echo(port, backlog):
    """Accepts one connection after the other, and sends back what comes until the end of file."""
    import socket
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("0.0.0.0", int(port)))
    s.listen(int(backlog))
    while True:
        c = s.accept()[0]
        total = 0
        try:
            while data := c.recv(65536):
                c.sendall(data)
                total += len(data)
        except OSError:
            pass
        c.close()


def role_deaf(port, backlog):
    """Listens and never accepts."""
    import socket
    import time
    s = socket.socket()
    s.bind(("0.0.0.0", int(port)))
    s.listen(int(backlog))
    time.sleep(3600)


def role_connect(ip, port, n, timeout):
    """n connects at once; how they ended."""
    import selectors
    import socket
    import time
    sel, ended, until = selectors.DefaultSelector(), {}, time.monotonic() + float(timeout)
    for _ in range(int(n)):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex((ip, int(port)))
        sel.register(s, selectors.EVENT_WRITE)
    while sel.get_map() and time.monotonic() < until:
        for key, _ in sel.select(0.1):
            code = key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            name = os.strerror(code) if code else "connected"
            ended[name] = ended.get(name, 0) + 1
            sel.unregister(key.fileobj)
    ended["waiting"] = len(sel.get_map())
    tell(**ended)


def role_send(ip, port, size, wait):
    """Sends size bytes and reads them back, if anybody does; then waits."""
    import socket
    import threading
    import time
    s = socket.create_connection((ip, int(port)))
    got = [0]

    def reader():
        while got[0] < int(size) and (data := s.recv(1 << 16)):
            got[0] += len(data)

    t = threading.Thread(target=reader, daemon=True)
    t.start()
    begun = time.monotonic()
    s.sendall(b"x" * int(size))
    t.join(float(wait))
    tell(sent=int(size), got=got[0], seconds=time.monotonic() - begun)
    sys.stdin.close()
    time.sleep(float(wait))


def role_fill(ip, port, seconds):
    """Writes as much as goes without blocking, and holds the connection."""
    import socket
    import time
    s = socket.create_connection((ip, int(port)))
    s.setblocking(False)
    n, until = 0, time.monotonic() + 1
    while time.monotonic() < until:
        try:
            n += s.send(b"x" * 65536)
        except BlockingIOError:
            time.sleep(0.05)
    tell(queued=n)
    time.sleep(float(seconds))


def role_abort(ip, port, n):
    """n connections that are reset instead of closed."""
    import socket
    import struct
    for _ in range(int(n)):
        s = socket.create_connection((ip, int(port)))
        s.sendall(b"x")
        s.recv(1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    tell(aborted=int(n))


# the namespaces


class Pair:
    """Two network namespaces, joined; gone with the bench."""

    def __init__(self, b):
        need_root()
        need("ip", "iptables")
        self.b, tag = b, f"rh{os.getpid() % 10000}"
        self.client, self.server = f"{tag}c", f"{tag}s"
        for ns in (self.client, self.server):
            run(["ip", "netns", "add", ns])
            b.undo.append(lambda ns=ns: run(["ip", "netns", "del", ns], check=False))
        run(["ip", "link", "add", "v0", "netns", self.client, "type", "veth", "peer", "name", "v0", "netns", self.server])
        for ns, ip in ((self.client, CLIENT_IP), (self.server, SERVER_IP)):
            run(["ip", "-n", ns, "addr", "add", f"{ip}/24", "dev", "v0"])
            for dev in ("lo", "v0"):
                run(["ip", "-n", ns, "link", "set", dev, "up"])

    def within(self, ns, argv, **kw):
        return run(["ip", "netns", "exec", ns, *argv], **kw)

    def role(self, ns, name, *args):
        out = os.path.join(self.b.folder, f"{name}.{len(self.b.processes)}.out")
        p = Process(name, [sys.executable, os.path.abspath(__file__), ROLE, name, *args], netns=ns, log=out)
        p.out = out
        self.b.processes.append(p)
        return p

    def serve(self, name, port, backlog=128):
        p = self.role(self.server, name, port, backlog)
        e2e.wait_listening(p, port)
        return p

    def iptables(self, ns, *rule):
        r = self.within(ns, ["iptables", "-w", "-A", *rule], check=False)
        if r.returncode:
            raise Skip(f"iptables cannot do this here: {r.stderr.strip()[:100]}")
        return lambda: self.within(ns, ["iptables", "-w", "-D", *rule])

    def counter(self, ns, file, prefix, name):
        """A number of /proc/net/snmp or netstat of the namespace."""
        lines = self.within(ns, ["cat", f"/proc/net/{file}"]).stdout.splitlines()
        names, values = [line.split() for line in lines if line.startswith(prefix + ":")]
        return int(values[names.index(name)])

    def retransmitted(self):
        """Of client and server."""
        return [self.counter(ns, "snmp", "Tcp", "RetransSegs") for ns in (self.client, self.server)]

    def steady(self):
        """The same, once both have nothing more to send again: a tail-loss probe follows the last byte."""
        last = self.retransmitted()
        for _ in range(20):
            time.sleep(0.25)
            now = self.retransmitted()
            if now == last:
                break
            last = now
        return last


def answer(p, timeout=20):
    """What a role told."""
    import time
    until = time.monotonic() + timeout
    while time.monotonic() < until:
        with open(p.out) as f:
            text = f.read()
        if text.endswith("\n"):
            return json.loads(text.splitlines()[-1])
        if not p.alive() and not text:
            raise Failed(f"{p.name} ended without a word")
        time.sleep(0.05)
    raise Failed(f"{p.name} said nothing within {timeout} s")


def edge(b, port):
    """The edge to a port, from the client's to the server's namespace."""
    rows = [r for r in b.rows("edges") if r.get("port") == port]
    if len(rows) != 1:
        raise Failed(f"{len(rows)} edges to port {port}: {[(r['from'], r['to']) for r in rows]}")
    return rows[0]


def watch(b, *ports):
    """A recorder that looks at nothing else: exact counts must not depend on what else goes on here."""
    return b.record(*(arg for port in ports for arg in ("--port", port)))


def pause(seconds):
    import time
    time.sleep(seconds)


def case_refused_and_reset_on_the_way(b):
    pair, port = Pair(b), 7001
    rec = watch(b, port, port + 1)
    told = answer(pair.role(pair.client, "connect", SERVER_IP, port, 5, 3))
    b.equal(told.get("Connection refused"), 5, "nobody listens: refused")
    pair.iptables(pair.server, "INPUT", "-p", "tcp", "--dport", port + 1, "-j", "REJECT", "--reject-with", "tcp-reset")
    answer(pair.role(pair.client, "connect", SERVER_IP, port + 1, 4, 3))
    rec.stop()
    b.equal(edge(b, port)["refused"], 5, "refused")
    b.equal(edge(b, port)["opened"], 0, "opened")
    b.equal(edge(b, port + 1)["refused"], 4, "refused by a firewall's reset")


def case_a_syn_without_an_answer(b):
    pair, port = Pair(b), 7011
    pair.iptables(pair.server, "INPUT", "-p", "tcp", "--dport", port, "-j", "DROP")
    rec = watch(b, port)
    role = pair.role(pair.client, "connect", SERVER_IP, port, 3, 5)
    pause(4.3)
    b.equal(edge(b, port)["connecting"], 3, "while they wait: connecting")
    b.equal(answer(role)["waiting"], 3, "the program gave up after 5 s")
    role.wait(5)
    rec.stop()
    row = edge(b, port)
    b.equal(row["timeouts"], 3, "timeouts")
    b.equal(row["connecting"], 0, "connecting")
    b.check(row["retrans_segments"] >= 3, f"SYNs sent again: {row['retrans_segments']}")
    b.equal(row["connect_max_us"], None, "none connected")


def case_a_late_syn_ack_is_connect_time(b):
    pair, port = Pair(b), 7021
    pair.serve("echo", port)
    pair.iptables(pair.server, "INPUT", "-p", "tcp", "--syn", "--dport", port, "-m", "statistic", "--mode", "nth", "--every",
                  "1000", "--packet", "0", "-j", "DROP")
    rec = watch(b, port)
    answer(pair.role(pair.client, "send", SERVER_IP, port, 100, 0.5))
    answer(pair.role(pair.client, "send", SERVER_IP, port, 100, 0.5))
    rec.stop()
    row = edge(b, port)
    b.equal(row["opened"], 2, "opened")
    b.check(1e6 <= row["connect_max_us"] < 1.3e6, f"the first SYN was lost: {row['connect_max_us'] / 1e6:.3f} s to connect")
    b.check(row["connect_p50_us"] > 0, f"median of the interval's medians: {row['connect_p50_us']:.0f} us")


def case_resets_by_sender(b):
    pair, port = Pair(b), 7031
    pair.serve("echo", port)
    rec = watch(b, port)
    answer(pair.role(pair.client, "abort", SERVER_IP, port, 6))
    rec.stop()
    row = edge(b, port)
    b.equal(row["opened"], 6, "opened")
    b.equal(row["resets"], 6, "resets (SO_LINGER 0 at the caller)")
    b.equal(row["callee_resets"], 0, "of them sent by the callee")


def case_bytes_and_loss(b):
    pair, port, size = Pair(b), 7041, 3 << 20
    pair.serve("echo", port)
    for ns in (pair.client, pair.server):
        pair.iptables(ns, "INPUT", "-p", "tcp", "-m", "length", "--length", "200:65535", "-m", "statistic", "--mode", "nth",
                      "--every", "12", "--packet", "5", "-j", "DROP")
    rec = watch(b, port)
    before = pair.retransmitted()
    role = pair.role(pair.client, "send", SERVER_IP, port, size, 20)
    told = answer(role, 30)
    b.equal(told["got"], size, "bytes that came back")
    after = pair.steady()
    said = pair.within(pair.client, ["ss", "-tiHn", "dport", "=", f":{port}"]).stdout
    rec.stop()
    row = edge(b, port)
    out = sum(r["bytes_out"] for r in export(b, "tcp") if r.get("port") == port)
    back = sum(r["bytes_in"] for r in export(b, "tcp") if r.get("port") == port)
    b.equal((out, back), (size, size), "bytes there and back")
    grown = [y - x for x, y in zip(before, after)]
    b.check(sum(grown) > 0, f"loss made the kernels send again: {grown}")
    b.equal(row["retrans_segments"], sum(grown), "retransmits, against RetransSegs")
    b.equal(row["callee_retrans_segments"], grown[1], "of these by the callee")
    minrtt, retrans = re.search(r"minrtt:([\d.]+)", said), re.search(r"retrans:\d+/(\d+)", said)
    b.check(minrtt and abs(float(minrtt.group(1)) * 1000 - row["min_rtt_us"]) <= float(minrtt.group(1)) * 1000,
            f"least round trip: {row['min_rtt_us']} us, ss: {minrtt and minrtt.group(1)} ms")
    b.equal(row["retrans_segments"] - row["callee_retrans_segments"], int(retrans.group(1)) if retrans else 0,
            "the caller's retransmits, against ss")


def export(b, kind):
    """Rows of one type of the exported recording."""
    text = run([recorder.binary(), "export", "--db", b.db]).stdout
    return [r for r in recorder.rows(text) if r["type"] == kind]


def case_a_reader_that_stopped(b):
    pair, port = Pair(b), 7051
    server = pair.serve("echo", port)
    rec = watch(b, port)
    server.send(signal.SIGSTOP)
    role = pair.role(pair.client, "fill", SERVER_IP, port, 30)
    queued = answer(role)["queued"]
    pause(3.5)
    said = pair.within(pair.client, ["ss", "-tHn", "dport", "=", f":{port}"]).stdout.split()
    there = pair.within(pair.server, ["ss", "-tHn", "sport", "=", f":{port}"]).stdout.split()
    row = edge(b, port)
    b.equal(row["callee_zero_windows"], 1, "the callee's window closed")
    b.equal(row["caller_zero_windows"], 0, "the caller's did not")
    b.check(row["callee_zero_window_us"] >= 2e6, f"for {row['callee_zero_window_us'] / 1e6:.2f} s")
    b.equal(row["callee_recv_queue_bytes"], int(there[1]), "unread at the callee, against ss")
    newest = [r for r in export(b, "tcp") if r.get("port") == port][-1]
    b.equal(newest["caller_send_queue_bytes"], int(said[2]), "unacknowledged at the caller, against ss")
    b.equal(newest["caller_send_queue_bytes"] + newest["callee_recv_queue_bytes"], queued, "together: what was written")
    text = run([recorder.binary(), "edges", "--db", b.db, "--health", "--last", "1h"],
               env={**os.environ, "COLUMNS": "200"}).stdout
    line = next(x for x in text.splitlines() if f":{port}" in x or "test_health" in x)
    b.check(re.search(r"B>\s+\S.*B>\s*$", line), f"edges --health: {line.strip()}")
    server.send(signal.SIGCONT)
    pause(2.5)
    row = edge(b, port)
    b.check(row["callee_zero_windows"] >= 1, f"times closed, at last: {row['callee_zero_windows']}")
    newest = [r for r in export(b, "tcp") if r.get("port") == port][-1]
    b.equal(newest["callee_recv_queue_bytes"], 0, "read again: nothing queued at the callee")
    role.stop()


def accept_points(b, metric, port):
    return [r for r in export(b, "resource") if r["metric"] == metric and (r.get("device") or "").endswith(f":{port}")]


def case_an_accept_queue_that_overflows(b):
    pair, port, backlog = Pair(b), 7061, 5
    pair.serve("deaf", port, backlog)
    rec = watch(b, port)
    before = pair.counter(pair.server, "netstat", "TcpExt", "ListenOverflows")
    role = pair.role(pair.client, "connect", SERVER_IP, port, 12, 3)
    told = answer(role)
    rec.stop()
    # the kernel lets one more in than was asked for
    b.equal(told.get("connected"), backlog + 1, "connected")
    depth = accept_points(b, "accept_queue", port)
    b.equal((max(r["value"] for r in depth), depth[-1].get("limit")), (backlog + 1, backlog), "accept queue and its limit")
    overflows = sum(r["value"] * r["dur_s"] for r in accept_points(b, "accept_overflows", port))
    grown = pair.counter(pair.server, "netstat", "TcpExt", "ListenOverflows") - before
    b.check(grown > 0, f"ListenOverflows grew by {grown}")
    b.equal(round(overflows), grown, "overflows of this listener")
    service = [r for r in b.rows("services") if (r["accept_queue"] or 0) > 0]
    b.equal([(r["accept_queue"], r["accept_queue_limit"], round(r["accept_overflows"])) for r in service],
            [(backlog + 1, backlog, grown)], "rootle services")


def case_loopback_has_both_ends(b):
    """On loopback only what leaves is looked at; each end speaks for itself."""
    need_root()
    port = e2e.free_port()
    server = Process("echo", [sys.executable, os.path.abspath(__file__), ROLE, "echo", port, 16])
    b.processes.append(server)
    e2e.wait_listening(server, port)
    rec = watch(b, port)
    server.send(signal.SIGSTOP)
    out = os.path.join(b.folder, "fill.out")
    role = Process("fill", [sys.executable, os.path.abspath(__file__), ROLE, "fill", "127.0.0.1", port, 30], log=out)
    role.out = out
    b.processes.append(role)
    queued = answer(role)["queued"]
    pause(2.5)
    newest = [r for r in export(b, "tcp") if r.get("port") == port][-1]
    b.equal(newest["caller_send_queue_bytes"] + newest["callee_recv_queue_bytes"], queued, "queued at both ends")
    row = edge(b, port)
    b.equal((row["callee_zero_windows"], row["caller_zero_windows"]), (1, 0), "closed windows")
    b.check(0 < row["min_rtt_us"] < 5000, f"least round trip: {row['min_rtt_us']} us")
    b.check(0 < row["connect_max_us"] < 50000, f"connect: {row['connect_max_us']} us")


if __name__ == "__main__":
    if sys.argv[1:2] == [ROLE]:
        globals()[f"role_{sys.argv[2]}"](*sys.argv[3:])
    else:
        sys.exit(e2e.main(globals()))
