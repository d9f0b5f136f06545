# SPDX-License-Identifier: BSD-2-Clause
"""A rootle binary under test: its recorder as a child of ours, its reading commands as JSON."""
import json
import os
import re
import signal
import subprocess
import time

from .process import Failed, Process, run

BINARY = os.environ.get("ROOTLE", "build/release/rootle")


def binary():
    path = os.path.abspath(BINARY)
    if not os.access(path, os.X_OK):
        raise Failed(f"no rootle binary at {path}: build one, or say where it is with ROOTLE=")
    return path


def rows(text):
    """NDJSON as a list of objects."""
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def query(command, db, *args, ok=(0,), timeout=60):
    """`rootle COMMAND --db DB --json ARGS`: one object (explain, check, status) or a list of rows."""
    r = run([binary(), command, "--db", db, "--json", *args], check=False, timeout=timeout)
    if r.returncode not in ok:
        raise Failed(f"rootle {command} exited {r.returncode}: {r.stderr.strip()[:300]}")
    return json.loads(r.stdout) if command in ("explain", "check", "diff", "status") else rows(r.stdout)


def check(*args, ok=(0,)):
    """`rootle check --json ARGS` as an object."""
    r = run([binary(), "check", "--json", *args], check=False, timeout=60)
    if r.returncode not in ok:
        raise Failed(f"rootle check exited {r.returncode}: {r.stderr.strip()[:300]}")
    return json.loads(r.stdout)


def programs():
    """Ids of every BPF program, map and link that the kernel holds."""
    found = {}
    for kind in ("prog", "map", "link"):
        listing = run(["bpftool", "-j", kind, "show"]).stdout
        found[kind] = {item["id"]: item.get("name", "") for item in json.loads(listing or "[]")}
    return found


def left_behind(before):
    """What is there now and was not, waiting a little: the kernel frees BPF objects after a grace period."""
    until = time.monotonic() + 5
    while True:
        now = programs()
        extra = [f"{kind} {i} {name}" for kind in now for i, name in now[kind].items() if i not in before[kind]]
        if not extra or time.monotonic() > until:
            return extra
        time.sleep(0.1)


class Recorder:
    """`rootle record` in the foreground, as a child; ready when it says so."""

    def __init__(self, db, *args, log=None, timeout=20, **kw):
        self.db, self.log = db, log or f"{db}.log"
        self.started = time.monotonic()
        self.process = Process("rootle record", [binary(), "record", "--db", db, *args], log=self.log, **kw)
        try:
            self._wait_ready(timeout)
        except BaseException:
            self.process.stop(signal.SIGKILL)
            raise

    def _wait_ready(self, timeout):
        until = time.monotonic() + timeout
        while "recording: " not in self.stderr():
            if not self.process.alive():
                raise Failed(f"rootle record exited {self.process.popen.returncode}: {self.stderr().strip()[-300:]}")
            if time.monotonic() > until:
                raise Failed(f"rootle record is not ready after {timeout} s: {self.stderr().strip()[-300:]}")
            time.sleep(0.01)
        self.ready_s = time.monotonic() - self.started

    @property
    def pid(self):
        return self.process.pid

    def stderr(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def settle(self):
        """Long enough for what happened just now to be in the file."""
        time.sleep(2.2)

    def stop(self, signo=signal.SIGINT):
        return self.process.stop(signo, grace=10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def anonymous_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return int(re.search(r"^Anonymous:\s+(\d+)", f.read(), re.M).group(1))


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def popen(*argv, **kw):
    """A rootle command with pipes, for tests that read while it runs."""
    return subprocess.Popen([binary(), *map(str, argv)], stdin=subprocess.DEVNULL, **kw)
