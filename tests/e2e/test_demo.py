#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""rootle demo: it explains what it broke, and leaves nothing behind."""
import glob
import json
import os
import re
import signal
import time

from e2e import main, need_root, run
from harness import recorder
from harness.process import Process


def folders():
    return set(glob.glob("/tmp/rootle-demo.*"))


def alive_in(folder):
    """Processes that run a program in that folder, or with it on their command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if folder.encode() in f.read() or os.readlink(f"/proc/{pid}/exe").startswith(folder):
                    found.append(pid)
        except OSError:
            pass
    return found


def case_list(bench):
    r = run([recorder.binary(), "demo", "--list", "--json"])
    names = [row["scenario"] for row in recorder.rows(r.stdout)]
    bench.equal(names[:1], ["slow-query"], "the first scenario")
    bench.at_least(len(names), 4, "scenarios")


def case_slow_query(bench):
    need_root()
    before = folders()
    r = run([recorder.binary(), "demo", "--json", "--healthy", "20s", "--fault", "15s"], check=False, timeout=120)
    bench.equal(r.returncode, 0, f"exit status ({r.stderr.strip().splitlines()[-1:]})")
    incidents = json.loads(r.stdout)["incidents"]
    first = incidents[0]["causes"][0] if incidents and incidents[0]["causes"] else {"service": None, "kind": None}
    bench.check(first["service"] in ("postgres", "stock-db"), f"service of the first cause: {first['service']}")
    bench.equal(first["kind"], "db.slow_query", "kind of the first cause")
    bench.equal(folders() - before, set(), "folders left")


def case_interrupted(bench):
    need_root()
    before = folders()
    p = Process("demo", [recorder.binary(), "demo"], log=f"{bench.folder}/demo.log")
    until = time.monotonic() + 30
    while "recording" not in p.last_words(20) and time.monotonic() < until:
        time.sleep(0.2)
    made = folders() - before
    bench.equal(len(made), 1, "folders while it runs")
    p.send(signal.SIGINT)
    bench.equal(p.wait(15), 130, "exit status")
    bench.equal(folders() - before, set(), "folders left")
    for folder in made:
        bench.equal(alive_in(folder), [], "processes left")


def case_keep_running_and_stop(bench):
    need_root()
    before = folders()
    r = run([recorder.binary(), "demo", "--keep-running", "--healthy", "6s", "--fault", "4s"], check=False, timeout=60)
    made = folders() - before
    bench.equal(r.returncode, 0, "exit status")
    bench.equal(len(made), 1, "folders kept")
    for folder in made:
        bench.undo.append(lambda folder=folder: run([recorder.binary(), "demo", "--stop", folder], check=False))
        bench.check(re.search(rf"demo --stop {folder}", r.stderr) is not None, "it says how to stop it")
        bench.equal(recorder.query("status", f"{folder}/demo.db")["recording"], True, "still recording")
        bench.equal(run([recorder.binary(), "demo", "--stop", folder], check=False).returncode, 0, "demo --stop")
        bench.equal(alive_in(folder), [], "processes left")
    bench.equal(folders() - before, set(), "folders left")


main(globals())
