#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Time inside the node: a server spends 20 ms a request in a known way (timed.c), and that is the part it shows in.

Each case asks for one kind, sums what the server measured itself, and looks for at least 90 % of it in the part of the requests and in
the metric of the service that it belongs to, and for no more than a tenth of it in any other.
"""
import os
import socket
import sqlite3
import subprocess
import time

from e2e import Bench, Failed, Skip, free_port, main, need, need_root, recorder, run

PARTS = ("there", "queue", "cpu", "runq", "quota", "io", "mem", "lock", "net", "poll", "sleep", "down", "back", "client", "remote")
# What the threads of the service wait for, by the part of a request; whatever it is on the CPU or asleep is in no such metric.
METRICS = {"runq": "runq_wait_s", "quota": "quota_wait_s", "io": "io_wait_s", "mem": "mem_wait_s", "lock": "futex_wait_s",
           "net": "net_wait_s", "cpu": "cpu_cores"}
REQUESTS, MS = 25, 20
# How much of the time spent may be in a part beside it: pages are copied, and what a hypervisor takes looks like work; before it
# reads, the server has to accept and to make a thread, on a machine where others run too.
ROOM = {"cpu": 0.25, "queue": 0.5, "runq": 0.25}
FIRST = -20                 # nice: what else runs on this machine must not be what is measured
V1 = "/sys/fs/cgroup/cpu"


def first(process):
    """Where sessions are scheduled as groups, a niceness counts only within one: the group has its own."""
    try:
        with open(f"/proc/{process.pid}/autogroup", "w") as f:
            f.write(str(FIRST))
    except OSError:
        pass


def server(bench: Bench, folder=None, **kw):
    need_root()
    timed = os.path.join(os.path.dirname(recorder.binary()), "tests/e2e/timed")
    if not os.access(timed, os.X_OK):
        raise Skip(f"{timed} is not built")
    port = free_port()
    first(bench.start("timed", [timed, port, folder or bench.folder], port, nice=FIRST, **kw))
    return port


def ask(port, path):
    """The server's own figure, in ns."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        said = b""
        while got := s.recv(4096):
            said += got
    if b"200 OK" not in said:
        raise Failed(f"{path}: {said!r}")
    return int(said.rsplit(b"\r\n\r\n", 1)[1])


def ask_all(bench, port, kind, ms=MS, requests=REQUESTS):
    rec = bench.record()
    time.sleep(1.2)                 # a reading before it, for the service's metrics
    spent = sum(ask(port, f"/{kind}/{ms}") for _ in range(requests))
    rec.stop()
    return spent


def request_row(bench, port, kind=""):
    rows = [r for r in bench.rows("requests") if r["port"] == port and f"/{kind}" in r["op"]]
    if len(rows) != 1:
        raise Failed(f"{len(rows)} operations: {[r['op'] for r in rows]}")
    return rows[0]


def service_seconds(bench, metric):
    with sqlite3.connect(f"file:{bench.db}?mode=ro", uri=True) as db:
        return db.execute("SELECT ifnull(sum(value * dur_s), 0) FROM v_resources WHERE service = 'timed' AND metric = ?",
                          (metric,)).fetchone()[0]


def check_sum(bench, row):
    """What is in the parts and what is not known make the latencies, to the nanosecond."""
    bench.equal(sum(row[f"{p}_ns"] for p in PARTS) + row["unknown_ns"] - row["timed_ns"], 0, "ns by which the parts miss the whole")
    bench.at_most(row["unknown_ns"] / row["timed_ns"], 0.05, "share that no part explains")


def check_parts(bench, row, wanted, spent, requests=REQUESTS):
    bench.equal(row["timed"], requests, f"{wanted}: requests timed")
    if row["timed"]:
        check_sum(bench, row)
        bench.at_least(row[f"{wanted}_ns"] / spent, 0.9, f"{wanted} of what the server measured")
        bench.at_most(row[f"{wanted}_ns"] / spent, 1.1, f"{wanted} of what the server measured")
        for part in PARTS:
            if part != wanted:
                bench.at_most(row[f"{part}_ns"] / spent, ROOM.get(part, 0.1), f"{part} beside it")


def check_service(bench, spent):
    """spent: seconds by part; the metrics of parts that are not in it have nearly none."""
    for part, metric in METRICS.items():
        seconds = service_seconds(bench, metric)
        if part in spent:
            bench.at_least(seconds / spent[part], 0.9, f"{metric} of the service")
            bench.at_most(seconds / spent[part], 1.25 if part == "cpu" else 1.1, f"{metric} of the service")
        elif part != "runq":
            bench.at_most(seconds / sum(spent.values()), 0.25 if part == "cpu" else 0.1, f"{metric} of the service beside it")


def case_cpu_lock_peer_sleep(bench):
    port = server(bench)
    rec = bench.record()
    time.sleep(1.2)
    spent = {kind: sum(ask(port, f"/{kind}/{MS}") for _ in range(REQUESTS)) for kind in ("cpu", "lock", "net", "sleep")}
    rec.stop()
    for kind, ns in spent.items():
        check_parts(bench, request_row(bench, port, kind), kind, ns)
    check_service(bench, {kind: ns / 1e9 for kind, ns in spent.items() if kind != "sleep"})


def slow_disk(bench, bytes_per_s):
    """A file system on a loop device that reads that fast, with a file for each kind; its directory."""
    need_root()
    need("mkfs.ext4", "losetup", "mount", "umount")
    throttle = "/sys/fs/cgroup/blkio/blkio.throttle.read_bps_device"
    if not os.access(throttle, os.W_OK):
        raise Skip("no blkio throttle on cgroup v1")
    image, path = f"{bench.folder}/disk.img", f"{bench.folder}/disk"
    with open(image, "wb") as f:
        f.truncate(128 << 20)
    run(["mkfs.ext4", "-q", "-F", image])
    device = run(["losetup", "-f", "--show", image]).stdout.strip()
    bench.undo.append(lambda: run(["losetup", "-d", device], check=False))
    os.mkdir(path)
    run(["mount", device, path])
    bench.undo.append(lambda: run(["umount", path], check=False))
    for name in ("io", "mem"):
        with open(f"{path}/{name}", "wb") as f:
            f.write(os.urandom(1 << 20) * MS)
            os.fsync(f.fileno())
    rdev = os.stat(device).st_rdev
    number = f"{os.major(rdev)}:{os.minor(rdev)}"

    def limit(value):
        with open(throttle, "w") as f:
            f.write(f"{number} {value}")
    limit(bytes_per_s)
    bench.undo.append(lambda: limit(0))
    return path


def on_slow_disk(bench, kind):
    port = server(bench, slow_disk(bench, 400 << 20))
    spent = ask_all(bench, port, kind, ms=MS, requests=10)
    check_parts(bench, request_row(bench, port), kind, spent, requests=10)
    check_service(bench, {kind: spent / 1e9})


def case_block_io(bench):
    on_slow_disk(bench, "io")


def case_page_faults(bench):
    on_slow_disk(bench, "mem")


def case_run_queue(bench):
    """A hog on the same core: half of the time that the request takes it waits for it."""
    need("taskset")
    port = server(bench)
    run(["taskset", "-a", "-p", "-c", "0", bench.processes[0].pid])
    first(bench.start("hog", ["taskset", "-c", "0", "sh", "-c", "while :; do :; done"], nice=FIRST))
    spent = ask_all(bench, port, "cpu", ms=50, requests=15)
    row = request_row(bench, port)
    bench.equal(row["timed"], 15, "requests timed")
    check_sum(bench, row)
    bench.at_least(row["cpu_ns"] / spent, 0.95, "CPU of what the server measured")
    bench.at_most(row["cpu_ns"] / spent, 1.1, "CPU of what the server measured")
    waited = row["timed_ns"] - spent
    bench.at_least(waited / spent, 0.3, "wall-clock time beyond the CPU's, of the CPU's")
    bench.at_least(row["runq_ns"] / waited, 0.9, "run queue of it")
    bench.at_least(service_seconds(bench, "runq_wait_s") / (waited / 1e9), 0.9, "runq_wait_s of the service")
    for part in set(PARTS) - {"cpu", "runq"}:
        bench.at_most(row[f"{part}_ns"] / waited, 0.1, f"{part} beside it")


def case_quota(bench):
    """A quota of a fifth of a core: throttled for four fifths of the time."""
    need_root()
    if not os.path.isfile(f"{V1}/cpu.cfs_quota_us"):
        raise Skip("no cpu controller on cgroup v1")
    group = f"{V1}/rootle-time-{os.getpid()}"
    os.mkdir(group)

    def remove():
        subprocess.run(["rmdir", group], check=False)
    bench.undo.append(remove)
    with open(f"{group}/cpu.cfs_quota_us", "w") as f:
        f.write("20000")
    with open(f"{group}/cpu.shares", "w") as f:
        f.write("200000")
    port = server(bench, tasks_files=[f"{group}/cgroup.procs"])
    spent = ask_all(bench, port, "cpu", ms=40, requests=10)
    row = request_row(bench, port)
    check_sum(bench, row)
    waited = row["timed_ns"] - spent
    bench.at_least(waited / spent, 2, "wall-clock time beyond the CPU's, of the CPU's")
    # what others take of the CPU while the quota lasts is no throttling, and no niceness keeps all of it away
    bench.at_most(row["runq_ns"] / waited, 0.25, "run queue of it")
    bench.at_least(row["quota_ns"] / (waited - row["runq_ns"]), 0.9, "quota of the rest")
    seconds = {m: service_seconds(bench, m) for m in ("quota_wait_s", "runq_wait_s")}
    bench.at_least(seconds["quota_wait_s"] / (waited / 1e9 - seconds["runq_wait_s"]), 0.9, "quota_wait_s of the rest, of the service")
    for part in set(PARTS) - {"cpu", "quota", "runq"}:
        bench.at_most(row[f"{part}_ns"] / waited, 0.1, f"{part} beside it")


def case_handed_over(bench):
    """Where another thread writes the response nothing is claimed of what is between the read and the answer."""
    port = server(bench)
    ask_all(bench, port, "hand", requests=5)
    row = request_row(bench, port)
    bench.equal((row["count"], row["timed"], row["cpu_ns"], row["sleep_ns"]), (5, 5, 0, 0), "counted, timed, CPU, sleep")
    bench.at_least(row["unknown_ns"] / 5e6, MS, "ms that no part explains")


def case_reclaim(bench):
    """Within a memory limit full of cached pages every page that is taken has to be freed first: no work of the program's."""
    need_root()
    memory = "/sys/fs/cgroup/memory"
    if not os.path.isfile(f"{memory}/memory.limit_in_bytes"):
        raise Skip("no memory controller on cgroup v1")
    group = f"{memory}/rootle-time-{os.getpid()}"
    os.mkdir(group)
    bench.undo.append(lambda: subprocess.run(["rmdir", group], check=False))
    with open(f"{group}/memory.limit_in_bytes", "w") as f:
        f.write(str(96 << 20))
    with open(f"{bench.folder}/cache", "wb") as f:
        f.write(bytes(1 << 20) * 160)
        f.flush()
        os.fsync(f.fileno())
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)      # whoever reads it next is charged with it
    port = server(bench, tasks_files=[f"{group}/cgroup.procs"])
    spent = ask_all(bench, port, "reclaim", ms=40, requests=5)
    row = request_row(bench, port)
    bench.equal(row["timed"], 5, "requests timed")
    check_sum(bench, row)
    bench.at_least(row["mem_ns"] / spent, 0.02, "mem of the time that taking it took")
    bench.at_least(service_seconds(bench, "mem_wait_s") / (row["mem_ns"] / 1e9), 0.9, "mem_wait_s of the service, of that")


def case_lock_by_copying(bench):
    """The rung below: the registers of the sleeping thread are read off its stack."""
    port = server(bench)
    rec = bench.record("--rung", "waits=tracepoint")
    spent = sum(ask(port, f"/lock/{MS}") for _ in range(10))
    rec.stop()
    check_parts(bench, request_row(bench, port), "lock", spent, requests=10)


def case_without_the_scheduler(bench):
    """Without the probe of context switches it is not known what the server does, rather than all its time called CPU."""
    port = server(bench)
    rec = bench.record("--rung", "waits=absent")
    ask(port, "/sleep/20")
    rec.stop()
    row = request_row(bench, port)
    bench.equal((row["count"], row["timed"], row["cpu_ns"], row["sleep_ns"]), (1, 1, 0, 0), "counted, timed, CPU, sleep")
    bench.at_least(row["unknown_ns"] / 1e6, 20, "ms that no part explains")


if __name__ == "__main__":
    main(globals())
