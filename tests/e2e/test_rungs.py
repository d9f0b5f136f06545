#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every rung that this machine has, with a workload of which each connection and request is known: 23 of each, one refused.

The kernel is the second witness: the workload runs in a network namespace of its own, whose TCP counters begin at zero.
"""
import json
import os
import socket
import subprocess
import sys
import time

N = 23
TRACEPOINTS = ",".join(f"{source}=tracepoint" for source in ("sockets", "owners", "processes", "oom", "waits"))
VMLINUX = "/sys/kernel/btf/vmlinux"


def serve(listener):
    for _ in range(N):
        conn, _ = listener.accept()
        conn.recv(4096)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        conn.recv(4096)
        conn.close()


def request(port, i):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(f"GET /rung/{i} HTTP/1.1\r\nHost: known\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"ok"):
            answer += s.recv(4096)


def tcp_counters():
    with open("/proc/net/snmp") as f:
        names, values = [line.split()[1:] for line in f if line.startswith("Tcp:")]
    return dict(zip(names, map(int, values)))


def workload():
    """In a network namespace of its own: says on stdout what the kernel counted."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    port = listener.getsockname()[1]
    pid = os.fork()
    if pid == 0:
        serve(listener)
        os._exit(0)
    for i in range(N):
        request(port, i)
    os.waitpid(pid, 0)
    listener.close()
    try:
        socket.create_connection(("127.0.0.1", port))
    except ConnectionRefusedError:
        pass
    time.sleep(0.2)
    print(json.dumps({"port": port, "server": pid, **tcp_counters()}))


if len(sys.argv) == 2 and sys.argv[1] == "workload":
    workload()
    sys.exit(0)

from e2e import Skip, main, need, need_root, run                   # noqa: E402
from harness import recorder                                       # noqa: E402


def known(bench, *args, connections=True):
    """Records the workload on these rungs; the parts that are said to be known must be exact."""
    need_root()
    need("unshare", "ip")
    rec = bench.record(*args)
    said = json.loads(run(["unshare", "-n", sys.executable, os.path.abspath(__file__), "workload"]).stdout)
    rec.settle()
    rec.stop()
    edges = [e for e in bench.rows("edges") if e["port"] == said["port"]]
    bench.equal((said["PassiveOpens"], said["ActiveOpens"], said["AttemptFails"]), (N, N + 1, 1),
                "passive and active opens, failures that the kernel counted")
    bench.equal(sum(e["count"] for e in edges), N, "requests")
    bench.equal(bench.count(said["port"], "^GET /rung/"), N, "of the operation")
    if connections:
        bench.equal(sum(e["opened"] for e in edges), N, "connections opened")
        bench.equal(sum(e["closed"] for e in edges), N, "connections closed")
        bench.equal(sum(e["refused"] for e in edges), 1, "connections refused")
        bench.equal({(e["from"], e["to"]) for e in edges if e["count"]}, {("test_rungs.py", "test_rungs.py")}, "between")
    loss = recorder.query("requests", bench.db, "--last", "1h")[-1]["coverage"]["loss"]
    # what others do on this machine may be lost to the model; that no record was lost on its way is ours
    bench.equal([x for x in loss if x["reason"].startswith("ring_") or x["reason"] in ("storage", "load")], [], "lost")
    return said


def rungs(*args):
    """{(source, part): rung} of check with these options."""
    found = recorder.check(*args)
    return {(line["probe"], line["part"]): line["rung"] for line in found["probes"]}


def case_best(bench):
    known(bench)


def case_owners_by_tracepoint(bench):
    """One program that copies puts the state of all sockets into the hash."""
    need_root()
    bench.equal(rungs("--rung", "owners=tracepoint").get(("sockets", "cookies")), "cgroup_sock", "cookies are made by")
    known(bench, "--rung", "owners=tracepoint")


def case_all_by_tracepoint(bench):
    need_root()
    on = rungs("--rung", TRACEPOINTS)
    for source, part in (("sockets", "states"), ("owners", "writes"), ("owners", "reads"), ("processes", "exits")):
        bench.equal(on[source, part], "tracepoint", f"{source}: {part}")
    known(bench, "--rung", TRACEPOINTS)


def case_btf_from_a_file(bench):
    need_root()
    if not os.path.exists(VMLINUX):
        raise Skip("no kernel BTF to give as a file")
    args = ("--rung", "btf=absent", "--btf", VMLINUX)
    on = rungs(*args)
    bench.equal(on["packets", "sent"], "cgroup_skb-plain", "packets by")
    bench.equal(on["sockets", "states"], "tracepoint", "sockets by")
    known(bench, *args)


def case_no_btf_at_all(bench):
    need_root()
    on = rungs("--rung", "btf=absent")
    bench.equal(on["packets", "sent"], "cgroup_skb-plain", "packets by")
    bench.equal(on["sockets", "states"], "sockops", "sockets by")
    known(bench, "--rung", "btf=absent")


def case_sockets_by_sockops(bench):
    known(bench, "--rung", "sockets=sockops")


def case_sockops_and_one_that_copies(bench):
    """The states that sockops keeps are in the hash then."""
    known(bench, "--rung", "sockets=sockops,owners=tracepoint")


def case_sockets_once_a_second(bench):
    known(bench, "--rung", "sockets=sock_diag", connections=False)


def case_no_owners(bench):
    known(bench, "--rung", "owners=absent")


def case_packets_without_types(bench):
    known(bench, "--rung", "packets=cgroup_skb-plain")


main(globals())
