#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rootle looks on: what programs get from their sockets is the same with its probes and without, and whichever way it ends,
nothing of it is left in the kernel or on the disk."""
import os
import re
import signal
import subprocess
import sys
import time

from e2e import HERE, Skip, main, need, need_root, run
from harness import recorder
from harness.process import Process

CALLS = os.path.join(HERE, "calls.py")
TRACEFS = "/sys/kernel/tracing", "/sys/kernel/debug/tracing"


def calls():
    return run([sys.executable, CALLS], timeout=60).stdout.splitlines()


def case_calls_return_the_same(bench):
    need_root()
    bare = calls()
    bench.at_least(len(bare), 80, "results of calls")
    bench.equal([a for a, b in zip(bare, calls()) if a != b], [], "results that differ between two runs without probes")
    rec = bench.record()
    seen = [calls() for _ in range(3)]
    rec.settle()
    bench.check(rec.process.alive(), "recorded meanwhile")
    rec.stop()
    for i, attached in enumerate(seen):
        bench.equal([(a, b) for a, b in zip(bare, attached) if a != b], [], f"results that differ under probes, run {i + 1}")
        bench.equal(len(attached), len(bare), "results of calls under probes")
    bench.check(calls() == bare, "and the same after them")


def case_calls_return_the_same_under_a_short_budget(bench):
    """The levels of the budget switch programs while the calls run."""
    need_root()
    bare = calls()
    rec = recorder.Recorder(bench.db, "--cpu-budget", "0.01%")
    bench.processes.append(rec.process)
    seen = [calls() for _ in range(8)]
    rec.settle()
    rec.stop()
    bench.equal([a for a in seen if a != bare], [], "runs that differ")
    steps = [e for e in bench.rows("events") if e["kind"] == "budget"]
    bench.at_least(len(steps), 1, "steps of the budget meanwhile")


def tracefs(name):
    for root in TRACEFS:
        try:
            with open(os.path.join(root, name)) as f:
                return f.read()
        except OSError:
            pass
    return ""


def bpf_objects(pid):
    """(kind, id) of each BPF object that a process holds; others on this machine may have theirs."""
    held = set()
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{fd}") as f:
                held |= {(kind, int(n)) for kind, n in re.findall(r"^(prog|map|link)_id:\s+(\d+)", f.read(), re.M)}
        except OSError:
            pass
    return held


def still_there(objects):
    until = time.monotonic() + 5                # the kernel frees them after a grace period
    while True:
        now = recorder.programs()
        left = sorted((kind, n) for kind, n in objects if n in now[kind])
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.1)


def attached_to_cgroups():
    r = run(["bpftool", "-j", "cgroup", "tree"], check=False)
    return {int(n) for n in re.findall(r'"id":\s*(\d+)', r.stdout)}


def mounts():
    kinds = ("cgroup", "cgroup2", "bpf", "tracefs", "debugfs")
    with open("/proc/self/mountinfo") as f:
        return [line.split()[4] for line in f if line.partition(" - ")[2].split()[0] in kinds]


def leavings(bench):
    """What a recorder could leave besides BPF objects."""
    return {
        "probes in tracefs": tracefs("kprobe_events") + tracefs("uprobe_events"),
        "files in /tmp": sorted(f for f in os.listdir("/tmp") if "rootle" in f and not f.startswith("rootle-e2e.")),
        "pinned": sorted(os.listdir("/sys/fs/bpf")) if os.path.isdir("/sys/fs/bpf") else [],
        "mounts": mounts(),
        "statistics of programs": open("/proc/sys/kernel/bpf_stats_enabled").read(),
    }


def nothing_left(bench, before, objects):
    bench.equal(still_there(objects), [], f"left of {len(objects)} BPF programs, maps and links")
    bench.equal(attached_to_cgroups() & {n for kind, n in objects if kind == "prog"}, set(), "attached to cgroups")
    after = leavings(bench)
    for what, was in before.items():
        bench.check(after[what] == was, f"{what} as before")
    bench.equal(sorted(f for f in os.listdir(bench.folder) if not re.fullmatch(r"rec\.db(-wal|-shm|\.log|\.lock)?", f)),
                [], "files beside the recording")


def ends(bench, end):
    need_root()
    need("bpftool")
    before = leavings(bench)
    rec = bench.record(cwd=bench.folder)
    time.sleep(1.2)
    objects = bpf_objects(rec.pid)
    for kind in ("prog", "map", "link"):
        bench.at_least(sum(k == kind for k, _ in objects), 5, f"BPF objects while it records: {kind}s")
    status = end(rec)
    nothing_left(bench, before, objects)
    return status


def by_signal(signo):
    def end(rec):
        rec.process.send(signo)
        return rec.process.wait(10)
    return end


def case_nothing_left_after_sigkill(bench):
    bench.equal(ends(bench, by_signal(signal.SIGKILL)), -signal.SIGKILL, "its end")


def case_nothing_left_after_a_crash(bench):
    bench.equal(ends(bench, by_signal(signal.SIGSEGV)), -signal.SIGSEGV, "its end")


def case_nothing_left_after_abort(bench):
    bench.equal(ends(bench, by_signal(signal.SIGABRT)), -signal.SIGABRT, "its end")


def memory_cgroup(bench):
    """(folder, file of its processes, file of its limit) of a memory cgroup of the test's own."""
    name = f"rootle-test-{os.getpid()}"
    for root, limit in ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max"):
        if not os.path.exists(os.path.join(root, "cgroup.procs")):
            continue
        folder = os.path.join(root, name)
        os.mkdir(folder)
        bench.undo.append(lambda: os.rmdir(folder))
        if os.path.exists(os.path.join(folder, limit)):
            return os.path.join(folder, "cgroup.procs"), os.path.join(folder, limit)
    raise Skip("no memory controller to make a cgroup in")


def write(path, text):
    with open(path, "w") as f:
        f.write(str(text))


# Takes the cgroup's memory until the kernel has to choose, and asks not to be the one.
HOG = "import time; b = bytearray(400 << 20); time.sleep(60)"


def case_nothing_left_after_an_oom_kill(bench):
    procs, limit = None, None

    def end(rec):
        write(procs, rec.pid)
        write(f"/proc/{rec.pid}/oom_score_adj", 1000)
        write(limit, 256 << 20)
        hog = Process("hog", [sys.executable, "-c", "import sys; open('/proc/self/oom_score_adj','w').write('-1000');" + HOG],
                      tasks_files=[procs])
        bench.processes.append(hog)
        try:
            return rec.process.wait(20)
        finally:
            hog.stop(signal.SIGKILL)

    need_root()
    procs, limit = memory_cgroup(bench)
    bench.equal(ends(bench, end), -signal.SIGKILL, "its end")
    bench.equal(subprocess.run([recorder.binary(), "status", "--db", bench.db, "--json"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, check=False).returncode, 3, "status: nobody records")


main(globals())
