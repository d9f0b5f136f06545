#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bytes are seen whichever way they are sent and received: 23 requests show as exactly 23, between the right two services."""
import os
import shutil
import time

from e2e import Failed, Skip, finish, free_port, main, need, need_root, run

N = 23
WAYS = ["read-write", "readv-writev", "preadv-pwritev", "send-recv", "sendto-recvfrom", "sendmsg-recvmsg", "sendmmsg-recvmmsg",
        "sendfile", "splice", "peek", "zerocopy", "uring", "uring-worker"]
NOT_UNIX = {"zerocopy": "UNIX sockets have none",
            "splice": "a UNIX stream that is spliced away is copied by nobody: its payload is not seen"}


def program(bench, name, variable="CALLS"):
    """The program under the name that rootle is to show it by."""
    source = os.environ.get(variable, f"build/release/tests/e2e/{variable.lower()}")
    if not os.access(source, os.X_OK):
        raise Failed(f"no {source}: say where it is with {variable}=")
    path = os.path.join(bench.folder, name)
    if not os.path.exists(path):
        shutil.copy(source, path)
    return path


def server(bench, address, *ways, how="serve", netns=None, name="answerer"):
    log = os.path.join(bench.folder, f"{name}.log")
    p = bench.start(name, [program(bench, name), how, address, *ways], netns=netns)
    until = time.monotonic() + 5
    while "ready" not in open(log).read():
        if not p.alive() or time.monotonic() > until:
            raise Failed(f"the server at {address} is not ready: {p.last_words()}")
        time.sleep(0.02)
    return p


def ask(bench, address, way, *more, netns=None, timeout=20):
    argv = [program(bench, "asker"), "ask", address, way, *(more or (N,))]
    run(["ip", "netns", "exec", netns, *argv] if netns else argv, timeout=timeout)


def has_uring():
    try:
        with open("/proc/sys/kernel/io_uring_disabled") as f:
            return f.read().strip() == "0"
    except FileNotFoundError:           # before 6.6 there is no such switch
        return os.path.exists("/proc/kallsyms") and " __x64_sys_io_uring_setup" in open("/proc/kallsyms").read()


def possible(ways):
    if not has_uring():
        print("  SKIP io_uring: this kernel has it not, or switched off")
        return [w for w in ways if not w.startswith("uring")]
    return ways


def shown(bench, way, port, caller="asker", callee="answerer"):
    """Requests of this way at this port (None: a UNIX socket) between these two; (count, errors), and what others are said to have."""
    rows = [r for r in bench.rows("requests") if r["op"] == f"GET /{way}" and r["port"] == port]
    right = [r for r in rows if r["from"] == caller and r["to"] == callee]
    return (sum(r["count"] for r in right), sum(r["errors"] for r in right)), [r for r in rows if r not in right]


def expect(bench, way, port, n=N, what=None, **ends):
    counted, others = shown(bench, way, port, **ends)
    bench.equal(counted, (n, 0), f"requests and errors of {what or way}")
    if others:
        bench.check(False, f"{way} between others: " + ", ".join(f"{r['from']} > {r['to']}: {r['count']}" for r in others))


def case_every_way_over_ipv4(bench):
    need_root()
    port, ways = free_port(), possible(WAYS)
    server(bench, f"127.0.0.1:{port}", *ways)
    rec = bench.record()
    for way in ways:
        ask(bench, f"127.0.0.1:{port}", way)
    finish(bench, rec)
    for way in ways:
        expect(bench, way, port)


def case_every_way_over_unix_sockets(bench):
    need_root()
    for way, why in NOT_UNIX.items():
        print(f"  SKIP {way}: {why}")
    path, ways = os.path.join(bench.folder, "s"), possible([w for w in WAYS if w not in NOT_UNIX])
    server(bench, path, *ways)
    rec = bench.record()
    for way in ways:
        ask(bench, path, way)
    finish(bench, rec)
    for way in ways:
        expect(bench, way, None)


def case_whoever_holds_the_socket(bench):
    """Another descriptor, a thread, a child, another process that was given it; and servers that fork."""
    need_root()
    port, forked, path = free_port(), free_port(), os.path.join(bench.folder, "s")
    holders = {"dup": "send-recv", "thread": "readv-writev", "child": "sendmsg-recvmsg", "passed": "sendto-recvfrom"}
    server(bench, f"127.0.0.1:{port}", *holders.values())
    server(bench, f"127.0.0.1:{forked}", "read-write", how="serve-fork", name="forker")
    server(bench, path, "read-write", how="serve-fork", name="local-forker")
    rec = bench.record()
    for holder, way in holders.items():
        ask(bench, f"127.0.0.1:{port}", way, N, holder)
    ask(bench, f"127.0.0.1:{forked}", "read-write")
    ask(bench, path, "read-write", N, "child")
    finish(bench, rec)
    for holder, way in holders.items():
        expect(bench, way, port, what=f"{way} by {holder}")
    expect(bench, "read-write", forked, what="a server that forks", callee="forker")
    expect(bench, "read-write", None, what="a UNIX server that forks", callee="local-forker")


def case_ipv6_and_mapped_addresses(bench):
    need_root()
    six, four = free_port(), free_port()
    server(bench, f"[::1]:{six}", "read-write")
    server(bench, f"[::]:{four}", "send-recv", name="dual")
    rec = bench.record()
    ask(bench, f"[::1]:{six}", "read-write")
    ask(bench, f"[::ffff:127.0.0.1]:{four}", "send-recv")
    ask(bench, f"127.0.0.1:{four}", "readv-writev")
    finish(bench, rec)
    expect(bench, "read-write", six, what="IPv6")
    expect(bench, "send-recv", four, what="mapped IPv4 from both ends", callee="dual")
    expect(bench, "readv-writev", four, what="IPv4 to a socket of IPv6", callee="dual")


def namespaces(bench, *names):
    need("ip")
    made = []
    for name in names:
        ns = f"rootle-{name}-{os.getpid()}"
        run(["ip", "netns", "add", ns])
        bench.undo.append(lambda ns=ns: run(["ip", "netns", "del", ns], check=False))
        run(["ip", "-n", ns, "link", "set", "lo", "up"])
        made.append(ns)
    return made


def cable(bench):
    """Two network namespaces with a veth pair between them: 10.77.1.1 and 10.77.1.2."""
    a, b = namespaces(bench, "a", "b")
    run(["ip", "-n", a, "link", "add", "far", "type", "veth", "peer", "name", "far", "netns", b])
    for ns, address in ((a, "10.77.1.1/24"), (b, "10.77.1.2/24")):
        run(["ip", "-n", ns, "address", "add", address, "dev", "far"])
        run(["ip", "-n", ns, "link", "set", "far", "up"])
    return a, b


def case_other_network_namespaces(bench):
    need_root()
    a, b = cable(bench)
    server(bench, "127.0.0.1:80", "read-write", netns=a, name="inner")
    server(bench, "10.77.1.2:80", "send-recv", netns=b)
    server(bench, "127.0.0.1:80", "readv-writev", netns=b, name="other-inner")
    rec = bench.record()
    ask(bench, "127.0.0.1:80", "read-write", netns=a)
    ask(bench, "10.77.1.2:80", "send-recv", netns=a)
    ask(bench, "127.0.0.1:80", "readv-writev", netns=b)
    finish(bench, rec)
    expect(bench, "read-write", 80, what="within one namespace", callee="inner")
    expect(bench, "send-recv", 80, what="between two, seen from both ends")
    expect(bench, "readv-writev", 80, what="the same address in another", callee="other-inner")


def case_connections_from_before(bench):
    need_root()
    port, path, go = free_port(), os.path.join(bench.folder, "s"), os.path.join(bench.folder, "go")
    server(bench, f"127.0.0.1:{port}", "read-write")
    server(bench, path, "send-recv", name="local")
    waiting = [bench.start(f"waiting-{i}", [program(bench, "asker"), "wait", address, way, N, go])
               for i, (address, way) in enumerate(((f"127.0.0.1:{port}", "read-write"), (path, "send-recv")))]
    time.sleep(0.3)
    rec = bench.record()
    time.sleep(0.5)
    open(go, "w").close()
    for p in waiting:
        bench.equal(p.wait(10), 0, "a client that had connected before")
    finish(bench, rec)
    expect(bench, "read-write", port, what="a TCP connection from before")
    expect(bench, "send-recv", None, what="a UNIX connection from before", callee="local")


def case_large_answers(bench):
    """More than a segment can have, written at once: cut by the network card, if at all."""
    need_root()
    port, path = free_port(), os.path.join(bench.folder, "s")
    sizes = {"read-write": 65000, "sendfile": 300000, "sendmsg-recvmsg": 1000000}
    server(bench, f"127.0.0.1:{port}", *sizes)
    server(bench, path, *sizes, name="local")
    rec = bench.record()
    for way, size in sizes.items():
        ask(bench, f"127.0.0.1:{port}", way, N, "self", size)
        ask(bench, path, way, N, "self", size)
    finish(bench, rec)
    for way, size in sizes.items():
        expect(bench, way, port, what=f"{size} bytes over TCP")
        expect(bench, way, None, what=f"{size} bytes over a UNIX socket", callee="local")


def retransmits(bench, port):
    return sum(e["retrans_segments"] for e in bench.rows("edges") if e["port"] == port)


def case_segments_lost(bench):
    """One in twenty, both ways: the requests are the same, and what was sent again is told."""
    need_root()
    need("iptables")
    a, b = cable(bench)
    for ns in (a, b):
        if run(["ip", "netns", "exec", ns, "iptables", "-A", "INPUT", "-i", "far", "-m", "statistic", "--mode", "random",
                "--probability", "0.05", "-j", "DROP"], check=False).returncode:
            raise Skip("iptables has no match `statistic` here")
    n = 120
    server(bench, "10.77.1.2:80", "send-recv", netns=b)
    rec = bench.record()
    ask(bench, "10.77.1.2:80", "send-recv", n, "self", 20000, netns=a, timeout=50)
    finish(bench, rec)
    expect(bench, "send-recv", 80, n, what="a network that loses")
    bench.at_least(retransmits(bench, 80), 1, "segments sent again")


def case_segments_reordered_and_repeated(bench):
    need_root()
    if not os.path.exists("/dev/net/tun"):
        raise Skip("no /dev/net/tun")
    a, b = namespaces(bench, "a", "b")
    log = os.path.join(bench.folder, "tunnel.log")
    p = bench.start("tunnel", [program(bench, "tunnel", "TUNNEL"), a, b])
    until = time.monotonic() + 5
    while "ready" not in open(log).read():
        if not p.alive() or time.monotonic() > until:
            raise Skip(f"no tunnel: {p.last_words()}")
        time.sleep(0.02)
    for ns, address, peer in ((a, "10.77.2.1", "10.77.2.2"), (b, "10.77.2.2", "10.77.2.1")):
        run(["ip", "-n", ns, "address", "add", address, "peer", peer, "dev", "far"])
        run(["ip", "-n", ns, "link", "set", "far", "up"])
    n = 200
    server(bench, "10.77.2.2:80", "send-recv", "read-write", netns=b)
    rec = bench.record()
    ask(bench, "10.77.2.2:80", "send-recv", n, "self", 20000, netns=a, timeout=30)
    ask(bench, "10.77.2.2:80", "read-write", n, "self", 5, netns=a, timeout=30)
    finish(bench, rec)
    expect(bench, "send-recv", 80, n, what="20 KB that come in another order, some twice")
    expect(bench, "read-write", 80, n, what="small ones")


main(globals())
