#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The whole of a request's time: the parts make what the client measured itself, and 20 ms put into one of them show in it.

What a server does with its time is test_time.py's; here are the ways, the ends and the calls.  Operations keep their values
(--raw), so that each request has a row of its own.
"""
import contextlib
import ctypes
import os
import re
import select
import signal
import socket
import statistics
import time

from e2e import Failed, Skip, free_port, main, need, need_root, run
from test_time import FIRST, PARTS, server

MS = 20
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)

# A thread a connection; each request asks another server and says how long that took, in ns.
FRONT = """
import http.client, http.server, sys, time
class Front(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        began = time.monotonic_ns()
        c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]))
        c.request("GET", self.path)
        c.getresponse().read()
        c.close()
        body = str(time.monotonic_ns() - began).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Front).serve_forever()
"""


disturbed = set()           # requests whose client had to wait for a CPU: its own figure may have that outside of the request


def run_delay():
    with open("/proc/thread-self/schedstat") as f:
        return int(f.read().split()[1])


def exchange(port, path, between=None, address="127.0.0.1"):
    """(the client's own figure from before the request is written until the response is read, the server's), in ns."""
    with socket.create_connection((address, port), timeout=10) as s:
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        waited, began = run_delay(), time.monotonic_ns()
        s.sendall(request)
        if between:
            between(s)
        said = s.recv(4096)
        while b"\r\n\r\n" not in said or len(said.partition(b"\r\n\r\n")[2]) < int(re.search(rb"Length: (\d+)", said)[1]):
            said += s.recv(4096) or b"\r\n\r\n"
        took = time.monotonic_ns() - began
        if run_delay() - waited > took / 50:
            disturbed.add(path)
        while s.recv(4096):
            pass
    if b"200 OK" not in said:
        raise Failed(f"{path}: {said!r}")
    return took, int(said.rsplit(b"\r\n\r\n", 1)[1])


def record(bench, *ports):
    """What else this machine does would be many operations with their values."""
    disturbed.clear()
    return bench.record("--raw", "--port", ",".join(map(str, ports)))


def rows_of(bench, port):
    """{operation: its row}"""
    found = {}
    for r in bench.rows("requests", "--time"):
        if r["port"] == port:
            if r["op"] in found:
                raise Failed(f"two rows of {r['op']}")
            found[r["op"]] = r
    return found


def check_sums(bench, rows, took):
    """took: {path: ns}. Each request's parts, with what is not known, are its whole; and that is what the client saw."""
    missing = [p for p in took if f"GET {p}" not in rows or rows[f"GET {p}"]["timed"] != 1]
    bench.equal(missing, [], "requests without a time")
    off, unknown = [], []
    for path, ns in took.items():
        r = rows.get(f"GET {path}")
        if r and r["timed"] and path not in disturbed:
            bench.failures += sum(r[f"{p}_ns"] for p in PARTS) + r["unknown_ns"] != r["timed_ns"]
            off.append(abs(r["timed_ns"] - ns) / ns)
            unknown.append(r["unknown_ns"] / r["timed_ns"])
    bench.at_least(len(off) / len(took), 0.25, "requests whose client had a CPU")
    bench.at_most(statistics.median(off), 0.03, "sum of the parts off the client's figure, p50")
    bench.at_most(statistics.quantiles(off, n=20)[18], 0.05, "sum of the parts off the client's figure, p95")
    bench.at_most(statistics.median(unknown), 0.05, "share that no part explains, p50")


def share(rows, paths, *parts):
    return sum(rows[f"GET {p}"][f"{part}_ns"] for p in paths for part in parts)


def be_late(s):
    select.select([s], [], [])
    time.sleep(MS / 1000)


def case_ends_and_calls(bench):
    """The client's own figure; a server that is stopped while the request waits; a caller that is late; a call."""
    port, front = server(bench), free_port()
    script = f"{bench.folder}/front.py"
    with open(script, "w") as f:
        f.write(FRONT)
    bench.start("front", ["/usr/bin/python3", script, front, port], front, nice=-20)
    rec, pid, took = record(bench, port, front), bench.processes[0].pid, {}

    def stopped(_):
        time.sleep(MS / 1000)
        os.kill(pid, signal.SIGCONT)
    for i in range(40):
        path = f"/{'sleep' if i % 2 else 'cpu'}/{5 + i % 4 * 5}?n={i}"
        took[path] = exchange(port, path)[0]
    stop, late, call, spent = [f"/sleep/0?s={i}" for i in range(10)], [f"/sleep/0?l={i}" for i in range(10)], [], 0
    for path in stop:
        os.kill(pid, signal.SIGSTOP)
        try:
            took[path] = exchange(port, path, stopped)[0]
        finally:
            os.kill(pid, signal.SIGCONT)
    for path in late:
        took[path] = exchange(port, path, be_late)[0]
    exchange(front, "/sleep/0")             # that it calls others is known from its first call on
    for i in range(10):
        call.append(f"/sleep/{MS}?c={i}")
        spent += exchange(front, call[-1])[1]
    rec.stop()
    rows = rows_of(bench, port)
    check_sums(bench, rows, took)
    bench.at_least(share(rows, stop, "queue") / (10 * MS * 1e6), 0.9, "queue of the time that the server was stopped")
    bench.at_least(share(rows, late, "client") / (10 * MS * 1e6), 0.9, "caller of the time that it was late")
    check_calls(bench, rows_of(bench, front), call, spent, rows, port)


def check_calls(bench, rows, paths, spent, called, callee):
    """spent: what the front measured of its calls, with the connects; called: their own rows."""
    calls = [c for p in paths for c in rows[f"GET {p}"]["time"]["downstream"]]
    bench.equal({c["port"] for c in calls}, {callee}, "callees")
    bench.equal(sum(c["count"] for c in calls), len(paths), "calls")
    down = share(rows, paths, "down")
    bench.equal(sum(c["ns"] for c in calls) - down, 0, "ns by which the callees miss what was waited for")
    bench.at_least(down / sum(called[f"GET {p}"]["timed_ns"] for p in paths), 0.9, "downstream of what the calls took")
    bench.at_most(down / spent, 1.0, "downstream of what the front measured")


@contextlib.contextmanager
def inside(netns):
    """Sockets made meanwhile are of that network namespace."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    other = os.open(f"/run/netns/{netns}", os.O_RDONLY)
    try:
        if libc.setns(other, CLONE_NEWNET):
            raise Failed(f"setns: {os.strerror(ctypes.get_errno())}")
        yield
    finally:
        libc.setns(own, CLONE_NEWNET)
        os.close(own)
        os.close(other)


def network_namespace(bench, n):
    need_root()
    need("ip", "tc")
    name = f"rootle-where{n}-{os.getpid()}"
    run(["ip", "netns", "add", name])
    bench.undo.append(lambda: run(["ip", "netns", "del", name], check=False))
    run(["ip", "-n", name, "link", "set", "lo", "up"])
    return name


# So few bytes a second that each segment of a request waits, and no credit to speak of.
SLOW = ["tbf", "rate", "64kbit", "burst", "1600", "latency", "2s"]


def slow_down(device, *netns):
    if run(["tc", *netns, "qdisc", "add", "dev", device, "root", *SLOW], check=False).returncode:
        raise Skip("no token bucket filter (sch_tbf)")


def on_slow_network(bench, netns, client_netns, address, slow):
    """What a request takes longer on a slow device is the way there and back."""
    port = server(bench, netns=netns)
    rec, took = record(bench, port), {}
    with inside(client_netns):
        fast = statistics.median(exchange(port, "/sleep/0", address=address)[0] for _ in range(20))
        for netns, device in slow:
            slow_down(device, "-n", netns)
        for i in range(15):
            exchange(port, "/sleep/0", address=address)      # the bucket's credit
        for i in range(20):
            path = f"/sleep/0?n={i}"
            took[path] = exchange(port, path, address=address)[0]
    rec.stop()
    rows = rows_of(bench, port)
    check_sums(bench, rows, took)
    injected = statistics.median(took.values()) - fast       # others run here too
    bench.at_least(injected / 1e6, MS, "ms that a request takes longer")
    bench.at_least(statistics.median(share(rows, [p], "there", "back") for p in took) / injected, 0.9, "network of that")


def case_slow_loopback(bench):
    netns = network_namespace(bench, 0)
    on_slow_network(bench, netns, netns, "127.0.0.1", [(netns, "lo")])


def case_slow_device(bench):
    """Between two network namespaces."""
    a, b = network_namespace(bench, 1), network_namespace(bench, 2)
    run(["ip", "-n", a, "link", "add", "rw0", "type", "veth", "peer", "name", "rw1", "netns", b])
    for netns, device, address in ((a, "rw0", "10.211.7.1/24"), (b, "rw1", "10.211.7.2/24")):
        run(["ip", "-n", netns, "addr", "add", address, "dev", device])
        run(["ip", "-n", netns, "link", "set", device, "up"])
    on_slow_network(bench, b, a, "10.211.7.2", [(a, "rw0"), (b, "rw1")])


if __name__ == "__main__":
    with contextlib.suppress(OSError):      # what else runs here must not be what is measured
        os.nice(FIRST)
        with open("/proc/self/autogroup", "w") as f:
            f.write(str(FIRST))
    main(globals())
