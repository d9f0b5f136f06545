#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Many sockets and many processes: 10,000 open connections, then 1,000 short ones and 500 new processes a second beside them.

usage: scale.py [--open N] [--short N] [--spawn N] [--idle SECONDS] [--busy SECONDS]

Prints what the recorder needs while the connections are idle and while the load runs, and what it saw of what was done.
Both ends of every connection are on this node, so that twice as many sockets are looked at.  ROOTLE= names the binary.  Exit 1
where the idle connections cost more than 5 % of a core, or something is missing that no counter tells of.
"""
import argparse
import json
import os
import resource
import select
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import recorder                                                      # noqa: E402
from harness.process import Failed, Process, run, terminate_on_signals, wait_listening   # noqa: E402

MOST_IDLE = 0.05
HOLD_PORT, SHORT_PORT = 18441, 18442
EACH = 2500             # connections of one holding process
SPAWNED = "/bin/true"


def accept_all(port, keep):
    """A server: keeps what it accepts, or closes it as soon as the other side does."""
    listener, poll, held = socket.socket(), select.epoll(), {}
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(4096)
    poll.register(listener, select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd != listener.fileno():
                held.pop(fd).close()
                continue
            s = listener.accept()[0]
            held[s.fileno()] = s
            if not keep:
                poll.register(s, select.EPOLLIN)


def hold(port, n):
    """A client: opens n connections and sleeps on them."""
    held = []
    for _ in range(n):
        held.append(socket.create_connection(("127.0.0.1", port)))
    print(len(held), flush=True)
    while True:
        time.sleep(3600)


def paced(per_s, seconds, what):
    """Calls what() per_s times a second, each when it is due. How often it was called."""
    begin, n = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        due = int((time.monotonic() - begin) * per_s)
        while n < due:
            what()
            n += 1
        time.sleep(0.002)
    return n


def short(port, per_s, seconds):
    def one():
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.shutdown(socket.SHUT_WR)
            s.recv(1)
    print(paced(per_s, seconds, one), flush=True)


def spawn(per_s, seconds):
    def one():
        os.waitpid(os.posix_spawn(SPAWNED, [SPAWNED], {}), 0)
    print(paced(per_s, seconds, one), flush=True)


ROLES = {"serve": lambda a: accept_all(int(a[0]), a[1] == "keep"), "hold": lambda a: hold(int(a[0]), int(a[1])),
         "short": lambda a: short(int(a[0]), float(a[1]), float(a[2])), "spawn": lambda a: spawn(float(a[0]), float(a[1]))}


class Cast:
    """The processes of the load, each this file in a role."""

    def __init__(self):
        self.processes = []

    def start(self, role, *args, **kw):
        p = Process(role, [sys.executable, os.path.abspath(__file__), "--role", role, *args], **kw)
        self.processes.append(p)
        return p

    def number(self, process, timeout):
        """What a role prints when it is done, or ready."""
        ready, _, _ = select.select([process.popen.stdout], [], [], timeout)
        line = process.popen.stdout.readline() if ready else b""
        if not line.strip():
            raise Failed(f"{process.name} has not answered within {timeout} s")
        return int(line)

    def close(self):
        for p in reversed(self.processes):
            p.stop()


def open_connections(cast, n):
    wait_listening(cast.start("serve", HOLD_PORT, "keep"), HOLD_PORT)
    wait_listening(cast.start("serve", SHORT_PORT, "close"), SHORT_PORT)
    holders = [cast.start("hold", HOLD_PORT, min(EACH, n - i), stdout=subprocess.PIPE) for i in range(0, n, EACH)]
    return sum(cast.number(p, 60) for p in holders)


def cpu_over(pid, seconds):
    """Of one core: of the recorder, with what its iterators do in the kernel."""
    begin, cpu = time.monotonic(), recorder.cpu_seconds(pid)
    time.sleep(seconds)
    return (recorder.cpu_seconds(pid) - cpu) / (time.monotonic() - begin)


def seen(db):
    """Of the recording: connections opened and closed to the short port, open to the other, processes begun, what is lost."""
    edges = recorder.query("edges", db, "--last", "1h")
    short_rows = [r for r in edges if r.get("port") == SHORT_PORT]
    held = [r for r in edges if r.get("port") == HOLD_PORT]
    loss = {(x["stage"], x["reason"]): x["count"] for x in edges[-1]["coverage"]["loss"]}
    return sum(r["opened"] or 0 for r in short_rows), sum(r["closed"] or 0 for r in short_rows), \
        sum(r["open"] or 0 for r in held), forks(db), loss


def forks(db):
    """Processes started on the node, by anybody, over the whole recording."""
    total = 0
    for line in run([recorder.binary(), "export", "--db", db]).stdout.splitlines():
        if '"metric":"forks"' in line and (r := json.loads(line))["service"] == os.uname().nodename:
            total += r["value"] * r["dur_s"]
    return total


def judge(good, text):
    print(f"{'ok  ' if good else 'FAIL'} {text}", flush=True)
    return good


def measure(args, folder, cast):
    db, good = os.path.join(folder, "scale.db"), True
    opened = open_connections(cast, args.open)
    with recorder.Recorder(db, "--cpu-budget", "off", "--max-size", "1G") as rec:
        time.sleep(4)
        idle = cpu_over(rec.pid, args.idle)
        print(f"     idle: {idle * 100:.1f} % of a core, {recorder.anonymous_kb(rec.pid) / 1024:.1f} MB anonymous")
        begin, cpu = time.monotonic(), recorder.cpu_seconds(rec.pid)
        load = [cast.start("short", SHORT_PORT, args.short, args.busy, stdout=subprocess.PIPE),
                cast.start("spawn", args.spawn, args.busy, stdout=subprocess.PIPE)]
        made, spawned = (cast.number(p, args.busy + 30) for p in load)
        busy = (recorder.cpu_seconds(rec.pid) - cpu) / (time.monotonic() - begin)
        print(f"     busy: {busy * 100:.1f} % of a core for {made} connections and {spawned} processes in "
              f"{time.monotonic() - begin:.1f} s")
        rec.settle()
    was_opened, was_closed, held, begun, loss = seen(db)
    print(f"     lost: {loss or 'nothing'}")
    good &= judge(idle <= MOST_IDLE, f"{opened} idle connections: {idle * 100:.1f} % of a core (at most 5)")
    good &= judge(held == opened, f"open connections seen: {held:.0f} of {opened}")
    missing = made - was_opened
    counted = sum(n for (stage, reason), n in loss.items() if reason in ("ring_conn", "storage", "connections"))
    good &= judge(0 <= missing <= counted, f"short connections seen: {was_opened:.0f} of {made}, {counted:.0f} counted as lost")
    good &= judge(was_closed == was_opened, f"of them closed: {was_closed:.0f}")
    lost = loss.get(("kernel", "ring_proc"), 0)
    good &= judge(begun + lost >= spawned, f"processes seen: {begun:.0f}, {spawned} of them the load's, {lost:.0f} counted as lost")
    return good


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--open", type=int, default=10000)
    p.add_argument("--short", type=int, default=1000)
    p.add_argument("--spawn", type=int, default=500)
    p.add_argument("--idle", type=int, default=15)
    p.add_argument("--busy", type=int, default=15)
    p.add_argument("--role", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.role:
        return ROLES[args.role[0]](args.role[1:])
    if os.geteuid() != 0:
        print("SKIP: needs root to attach")
        return 77
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < args.open + 100:
        print("SKIP: needs more open files: ulimit -n")
        return 77
    terminate_on_signals()
    cast = Cast()
    with tempfile.TemporaryDirectory(prefix="rootle-scale.") as folder:
        try:
            good = measure(args, folder, cast)
        finally:
            cast.close()
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as e:
        sys.exit(f"scale: {e}")
