#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `rootle record` adds to system calls that have nothing to do with sockets: read and write of a device, getppid.

usage: syscalls.py [--times N] [--syscalls FILE]

Without and with a recorder in turns; the best of each is compared.  Exit 1 where more than 20 ns are added to a call.
"""
import argparse
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import recorder                                    # noqa: E402
from harness.process import Failed, run, terminate_on_signals    # noqa: E402

MOST_ADDED_NS = 20


def measure(program):
    said = run([program, 3], timeout=60).stdout
    return {name: float(ns) for name, ns in re.findall(r"(\w+)=([\d.]+)", said)}


def least(best, now):
    return {name: min(ns, best.get(name, ns)) for name, ns in now.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--times", type=int, default=7)
    p.add_argument("--syscalls", default=os.path.join(os.path.dirname(recorder.binary()), "tests/bench/syscalls"))
    args = p.parse_args()
    if os.geteuid() != 0:
        print("SKIP: needs root to attach")
        return 77
    terminate_on_signals()
    bare, recorded = {}, {}
    with tempfile.TemporaryDirectory(prefix="rootle-bench.") as folder:
        for i in range(args.times):
            bare = least(bare, measure(args.syscalls))
            with recorder.Recorder(os.path.join(folder, f"{i}.db"), "--cpu-budget", "off"):
                recorded = least(recorded, measure(args.syscalls))
    bad = 0
    for name, ns in bare.items():
        added = recorded[name] - ns
        bad += added > MOST_ADDED_NS
        print(f"{name:<8} {ns:7.1f} ns bare   {recorded[name]:7.1f} ns recorded   {added:+6.1f} ns")
    print(f"{'within' if not bad else 'NOT within'} {MOST_ADDED_NS} ns")
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as e:
        sys.exit(f"syscalls: {e}")
