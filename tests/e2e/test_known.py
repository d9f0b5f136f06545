#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""23 connects, 23 accepts and 23 requests show as exactly 23, and ss and nstat agree; on this machine's kernel, as vm/ does on others.

With RESULTS=FOLDER what was found goes into the tables of vm/table.py.
"""
import json
import os
import platform
import re
import signal

from e2e import Failed, Process, main, need, need_root, run, wait_listening
from harness import known, recorder

PORT, DNS, BRIEF, CLOSED = 8023, 53, 8024, 8099         # in a network namespace of our own


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


def workload(bench, ns):
    """As vm/init does it; what the client says it did."""
    path = os.path.join(bench.folder, "known.sock")
    serving = server(bench, ns, "server", PORT, DNS, path)
    brief = server(bench, ns, "brief", BRIEF, known.BRIEF_MS, known.BRIEF_STATUS)
    said = run(["ip", "netns", "exec", ns, role(bench, "client"), "client", PORT, DNS, path, CLOSED]).stdout
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


def record(bench, *options):
    """The recorder, with what it recorded in the bench's file."""
    ns = namespace(bench)
    rec = bench.record(*options)
    bench.equal(workload(bench, ns), known.DID, "the client did")
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


def check(*options):
    return json.loads(run([recorder.binary(), "check", "--json", *options]).stdout)


def exact(bench, name, *options, types=True):
    """types: without those of the kernel neither UNIX streams nor why processes ended are seen."""
    rec = record(bench, *options)
    counts, life = shown(bench, types), known.life(bench.rows("events"))
    bench.equal(counts, known.wanted(unix=types), "rootle shows")
    timeline(bench, life if types else known.starts(life))
    keep(name, rec, counts, check(*options))


def case_best_rungs(bench):
    exact(bench, "best")


def case_copying_tracepoints(bench):
    exact(bench, "tracepoint", "--rung", ",".join(f"{s}=tracepoint" for s in known.TRACEPOINTS))


def case_without_types_of_the_kernel(bench):
    exact(bench, "no-btf", "--rung", "btf=absent", types=False)


def case_without_bpf(bench):
    rec = record(bench, "--no-bpf")
    timeline(bench, known.starts(known.life(bench.rows("events"))))
    keep("no-bpf", rec, shown(bench), None)


found = {"kernel": "here", "arch": "amd64" if platform.machine() == "x86_64" else platform.machine(),
         "release": platform.release(), "passes": []}
main(globals())
