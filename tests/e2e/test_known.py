#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""23 connects, 23 accepts and 23 requests show as exactly 23, and ss and nstat agree, on every rung of this machine's kernel, as vm/
does on others.

With RESULTS=FOLDER what the passes of vm/ found here goes into the tables of vm/table.py.
"""
import json
import os
import platform
import re
import signal

from e2e import Failed, Process, Skip, main, need, need_root, run, wait_listening
from harness import known, recorder

PORT, DNS, BRIEF, CLOSED = 8023, 53, 8024, 8099         # in a network namespace of our own
VMLINUX = "/sys/kernel/btf/vmlinux"
TRACEPOINTS = ",".join(f"{source}=tracepoint" for source in known.TRACEPOINTS)


def namespace(bench):
    need_root()
    need("ip", "ss", "nstat")
    name = f"rootle-known-{os.getpid()}"
    run(["ip", "netns", "add", name])
    bench.undo.append(lambda: run(["ip", "netns", "del", name], check=False))
    run(["ip", "-n", name, "link", "set", "lo", "up"])
    return name


def role(bench, what):
    """The program under the name that rootle is to show it by."""
    program = os.environ.get("KNOWN", "build/release/tests/vm/known")
    if not os.access(program, os.X_OK):
        raise Failed(f"no {program}: say where it is with KNOWN=")
    path = os.path.join(bench.folder, f"known-{what}")
    if not os.path.exists(path):
        run(["cp", program, path])
    return path


def server(bench, ns, what, *args):
    p = Process(f"known-{what}", [role(bench, what), what, *args], netns=ns)
    bench.processes.append(p)
    wait_listening(p, args[0])
    return p


def workload(bench, ns, whole):
    """As vm/init does it; what the client says it did. whole: with a program that lives for some seconds."""
    path = os.path.join(bench.folder, "known.sock")
    serving = server(bench, ns, "server", PORT, DNS, path)
    brief = server(bench, ns, "brief", BRIEF, known.BRIEF_MS, known.BRIEF_STATUS) if whole else None
    said = run(["ip", "netns", "exec", ns, role(bench, "client"), "client", PORT, DNS, path, CLOSED]).stdout
    if brief:
        brief.wait(10)
    serving.send(signal.SIGTERM)
    serving.wait(10)
    return known.did(said)


def closed_connections(ns):
    """By ss: whichever end closed first keeps each for a minute."""
    listed = run(["ip", "netns", "exec", ns, "ss", "-Htan", "state", "time-wait", f"( sport = :{PORT} or dport = :{PORT} )"])
    return len(listed.stdout.splitlines())


def counters(ns):
    """Not PassiveOpens, which has one too many where an ACK was seen twice."""
    listed = run(["ip", "netns", "exec", ns, "nstat", "-asz", "TcpActiveOpens", "TcpAttemptFails"])
    return {k: int(v) for k, v in re.findall(r"^Tcp(\w+)\s+(\d+)", listed.stdout, re.M)}


def agree(bench, ns):
    """What does not depend on rootle."""
    bench.equal(closed_connections(ns), known.ACCEPTS, "connections that ss shows in TIME-WAIT")
    bench.equal(counters(ns), {"ActiveOpens": known.CONNECTS + known.REFUSED, "AttemptFails": known.REFUSED}, "nstat")


def record(bench, *options, whole=True):
    """The recorder, with what it recorded in the bench's file."""
    ns = namespace(bench)
    rec = bench.record(*options)
    bench.equal(workload(bench, ns, whole), known.DID, "the client did")
    agree(bench, ns)
    rec.settle()
    bench.equal(rec.stop(), 0, "the recorder ended with")
    return rec


def shown(bench, named=True):
    """No row at all is an answer, too: exit 3."""
    edges, requests = (recorder.query(table, bench.db, "--last", "1h", ok=(0, 3)) for table in ("edges", "requests"))
    return known.shown(edges, requests, PORT, DNS, CLOSED, named)


def keep(name, rec, counts, check):
    if "RESULTS" not in os.environ:
        return
    found["passes"].append({"name": name, "attach_ms": round(rec.ready_s * 1000), "rootle": counts, "rungs": known.rungs(check)})
    with open(os.path.join(os.environ["RESULTS"], "here.json"), "w") as f:
        json.dump(found, f, indent=1)


def timeline(bench, life):
    bench.equal(life, {k: 1 for k in life}, "the timeline tells")


def stands(bench, *options, **wanted):
    """What check says of these options: each source's parts are on the rungs that are named."""
    checked = recorder.check(*options)
    on = {(line["probe"], line["part"]): line["rung"] for line in checked["probes"]}
    for place, rung in wanted.items():
        source, part = place.split("_")
        bench.equal(on.get((source, part)), rung, f"{source}: {part} by")
    return checked


def nothing_lost(bench, hashed):
    """On its way from the kernel. hashed: states are in a hash by cookie, which sockets of before us may not have."""
    reasons = ("load",) if hashed else ("load", "storage")
    loss = recorder.query("requests", bench.db, "--last", "1h")[-1]["coverage"]["loss"]
    bench.equal([x for x in loss if x["reason"].startswith("ring_") or x["reason"] in reasons], [], "lost")


def exact(bench, name, *options, types=True, **rungs):
    """A pass of vm/. types: without those of the kernel neither UNIX streams nor why processes ended are seen."""
    rec = record(bench, *options)
    counts, life = shown(bench, types), known.life(bench.rows("events"))
    bench.equal(counts, known.wanted(unix=types), "rootle shows")
    timeline(bench, life if types else known.starts(life))
    nothing_lost(bench, hashed=bool(options))
    keep(name, rec, counts, stands(bench, *options, **rungs))


def counted(bench, *options, unix=True, unseen=(), hashed=False, **rungs):
    """The same without the timeline; unseen: counts that cannot be had."""
    need_root()
    stands(bench, *options, **rungs)
    record(bench, *options, whole=False)
    counts, wanted = ({k: v for k, v in told.items() if k not in unseen} for told in (shown(bench), known.wanted(unix=unix)))
    bench.equal(counts, wanted, "rootle shows")
    nothing_lost(bench, hashed)


def case_best_rungs(bench):
    exact(bench, "best")


def case_copying_tracepoints(bench):
    exact(bench, "tracepoint", "--rung", TRACEPOINTS, sockets_states="tracepoint", owners_writes="tracepoint",
          owners_reads="tracepoint", processes_exits="tracepoint")


def case_without_types_of_the_kernel(bench):
    exact(bench, "no-btf", "--rung", "btf=absent", types=False, packets_sent="cgroup_skb-plain", sockets_states="sockops")


def case_without_bpf(bench):
    rec = record(bench, "--no-bpf")
    timeline(bench, known.starts(known.life(bench.rows("events"))))
    keep("no-bpf", rec, shown(bench), None)


def case_owners_by_tracepoint(bench):
    """One program that copies puts the state of all sockets into the hash."""
    counted(bench, "--rung", "owners=tracepoint", hashed=True, sockets_cookies="cgroup_sock")


def case_types_from_a_file(bench):
    if not os.path.exists(VMLINUX):
        raise Skip("no kernel BTF to give as a file")
    counted(bench, "--rung", "btf=absent", "--btf", VMLINUX, unix=False, hashed=True, packets_sent="cgroup_skb-plain",
            sockets_states="tracepoint")


def case_sockets_by_sockops(bench):
    counted(bench, "--rung", "sockets=sockops")


def case_sockops_and_one_that_copies(bench):
    """The states that sockops keeps are in the hash then, and no child of a listener has an owner before it is read from."""
    counted(bench, "--rung", "sockets=sockops,owners=tracepoint", hashed=True, unseen=("accepts",))


def case_sockets_once_a_second(bench):
    counted(bench, "--rung", "sockets=sock_diag", unseen=("connects", "accepts", "refused"))


def case_no_owners(bench):
    counted(bench, "--rung", "owners=absent")


def case_packets_without_types(bench):
    counted(bench, "--rung", "packets=cgroup_skb-plain")


found = {"kernel": "here", "arch": "amd64" if platform.machine() == "x86_64" else platform.machine(),
         "release": platform.release(), "passes": []}
main(globals())
