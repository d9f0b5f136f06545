#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The recorder's life: one a file, nothing left behind, a file that is whole whatever happened, degrading with words."""
import json
import os
import signal
import sqlite3
import subprocess
import time

from e2e import main, need, need_root, run
from harness import recorder


def rootle(*args, timeout=30, **kw):
    return run([recorder.binary(), *args], check=False, timeout=timeout, **kw)


def whole(path):
    """SQLite's own word about the file."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute("PRAGMA integrity_check").fetchone()[0]


def end_in(bench, signo, expected):
    need_root()
    need("bpftool")
    before = recorder.programs()
    rec = bench.record()
    during = recorder.programs()
    bench.at_least(len(set(during["prog"]) - set(before["prog"])), 1, "BPF programs while recording")
    rec.settle()
    rec.process.send(signo)
    code = rec.process.wait(10)
    bench.equal(code, expected, f"exit status after {signo.name}")
    bench.equal(recorder.left_behind(before), [], "BPF objects left")
    bench.equal(whole(bench.db), "ok", "integrity of the file")
    bench.at_least(recorder.query("status", bench.db, ok=(0, 3))["ticks"], 1, "ticks in the file")


def case_ends_on_sigint(bench):
    end_in(bench, signal.SIGINT, 0)


def case_ends_on_sigterm(bench):
    end_in(bench, signal.SIGTERM, 0)


def case_ends_on_sigkill(bench):
    end_in(bench, signal.SIGKILL, -signal.SIGKILL)


def case_ends_when_the_time_is_up(bench):
    need_root()
    need("bpftool")
    before, began = recorder.programs(), time.monotonic()
    bench.equal(rootle("record", "--db", bench.db, "--for", "3s").returncode, 0, "exit status")
    bench.at_most(time.monotonic() - began, 6, "it took", "s")
    bench.equal(recorder.left_behind(before), [], "BPF objects left")


def case_second_recorder_is_refused(bench):
    need_root()
    rec = bench.record()
    r = rootle("record", "--db", bench.db, "--for", "2s")
    bench.equal(r.returncode, 1, "exit status of the second")
    bench.check(str(rec.pid) in r.stderr, f"it names the first's pid {rec.pid}: {r.stderr.strip()!r}")
    bench.check(rec.process.alive(), "the first goes on")


def has_ended(pid):
    """Gone, or a zombie that init has not waited for yet."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def case_detach_status_stop(bench):
    need_root()
    need("bpftool")
    before = recorder.programs()
    r = rootle("record", "--db", bench.db, "--detach")
    bench.equal(r.returncode, 0, "exit status of record --detach")
    bench.undo.append(lambda: rootle("stop", "--db", bench.db))
    status = recorder.query("status", bench.db)
    bench.equal(status["recording"], True, "status: recording")
    bench.check(os.path.exists(f"/proc/{status['pid']}"), f"status names a living pid {status['pid']}")
    bench.equal(rootle("stop", "--db", bench.db).returncode, 0, "exit status of stop")
    bench.check(has_ended(status["pid"]), "it has ended when stop returns")
    bench.equal(rootle("status", "--db", bench.db).returncode, 3, "exit status of status afterwards")
    bench.equal(recorder.left_behind(before), [], "BPF objects left")


def case_readable_while_written(bench):
    need_root()
    port, _ = bench.nginx()
    rec = bench.record()
    for _ in range(3):
        run(["ab", "-q", "-n", 500, "-c", 2, f"http://127.0.0.1:{port}/hello.html"])
        for command in ("requests", "services", "edges", "map", "events"):
            recorder.query(command, bench.db, ok=(0, 3))
    rec.settle()
    bench.equal(bench.count(port, "^GET "), 1500, "requests seen by a reader beside the writer")
    bench.check(rec.process.alive(), "the recorder goes on")


def case_followed_tables(bench):
    """Each row reaches a pipe with its tick; only what is asked for; an end by SIGTERM has its summary."""
    need_root()
    port, _ = bench.nginx()
    bench.record()
    wanted = {"requests": "requests", "services": "service", "edges": "edge", "map": "node"}
    followers = {command: recorder.popen(command, "--db", bench.db, "--follow", "--json", "--since", "5m", "--protocol", "http",
                                         "--op", "hello", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                 for command in wanted}
    try:
        for _ in range(3):
            run(["ab", "-q", "-n", 50, "-c", 1, f"http://127.0.0.1:{port}/hello.html"])
            time.sleep(0.5)
        for command, follower in followers.items():
            row = json.loads(follower.stdout.readline())
            bench.equal(row["type"], wanted[command], f"first row of {command} --follow into a pipe")
            bench.check(row["t"].endswith("Z") and row["dur_s"] > 0, f"the tick of {command}: {row['t']}, {row['dur_s']} s")
            follower.terminate()
            last = json.loads(follower.stdout.read().splitlines()[-1])
            bench.equal((last["type"], last["schema"], follower.wait(10)), ("summary", f"{command}/1", 0), f"the end of {command}")
    finally:
        for follower in followers.values():
            follower.kill()
            follower.wait()


def case_not_root(bench):
    need_root()
    need("setpriv")
    os.chmod(bench.folder, 0o777)
    unprivileged = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    copy = f"{bench.folder}/rootle"         # the build folder may be closed to others
    run(["install", "-m755", recorder.binary(), copy])
    r = run([*unprivileged, copy, "record", "--db", f"{bench.folder}/a.db", "--for", "2s"], check=False)
    bench.equal(r.returncode, 77, "exit status of record")
    bench.check("CAP_" in r.stderr, f"the missing capability is named: {r.stderr.strip()!r}")
    r = run([*unprivileged, copy, "record", "--no-bpf", "--db", f"{bench.folder}/b.db", "--for", "3s"], check=False)
    bench.equal(r.returncode, 0, "exit status of record --no-bpf")
    services = recorder.query("services", f"{bench.folder}/b.db", "--last", "1h")
    bench.at_least(len(services), 2, "services that /proc gave, and a summary")
    r = run([*unprivileged, copy, "demo"], check=False)
    bench.equal(r.returncode, 77, "exit status of demo")


def case_no_bpf(bench):
    need_root()
    port, _ = bench.nginx()
    need("bpftool")
    before = recorder.programs()
    with recorder.Recorder(bench.db, "--no-bpf") as rec:
        bench.equal(recorder.left_behind(before)[:1], [], "BPF objects with --no-bpf")
        run(["ab", "-q", "-n", 200, "-c", 2, f"http://127.0.0.1:{port}/hello.html"])
        rec.settle()
    names = [s["service"] for s in bench.rows("services")]
    bench.check("nginx" in names, f"nginx is among the services: {names[:8]}")


def case_disk_full(bench):
    need_root()
    small = f"{bench.folder}/small"
    os.mkdir(small)
    run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", small])
    bench.undo.append(lambda: run(["umount", "-l", small], check=False))
    bench.db = f"{small}/rec.db"
    rec = bench.record(log=f"{bench.folder}/rec.log")
    rec.settle()
    with open(f"{small}/filler", "wb", buffering=0) as f:
        try:
            while f.write(b"x" * 4096):
                pass
        except OSError:
            pass
    # Ticks of an idle node are small: some fit into what the file and its -wal had already.
    until = time.monotonic() + 60
    while "space" not in rec.stderr().lower() and time.monotonic() < until:
        time.sleep(1)
    bench.check(rec.process.alive(), "the recorder outlives a full disk")
    bench.check("space" in rec.stderr().lower(), f"it says so: {rec.stderr().strip().splitlines()[-1:]}")
    ticks = recorder.query("status", bench.db)["ticks"]
    os.unlink(f"{small}/filler")
    time.sleep(4)
    bench.at_least(recorder.query("status", bench.db)["ticks"], ticks + 1, "ticks once there is space again")
    rec.stop()
    bench.equal(whole(bench.db), "ok", "integrity of the file")


def case_max_size_is_kept(bench):
    need_root()
    port, _ = bench.nginx()
    rec = bench.record("--max-size", "1M")
    largest = 0
    for _ in range(6):
        run(["ab", "-q", "-n", 2000, "-c", 4, f"http://127.0.0.1:{port}/hello.html"])
        time.sleep(1)
        largest = max(largest, sum(os.path.getsize(bench.db + s) for s in ("", "-wal", "-shm")
                                   if os.path.exists(bench.db + s)))
    bench.at_most(largest, 1 << 20, "largest size of its files", "bytes")
    rec.stop()


main(globals())
