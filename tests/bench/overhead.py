#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `rootle record` adds to a request: pingpong on loopback, without and with a recorder, in alternating pairs.

usage: overhead.py [--pairs N] [--seconds S] [--connections N] [--mode http|redis|raw] [--control] [--rung LIST]... [--pingpong FILE]

Prints each round, then the medians: CPU time a request (client, server and kernel), what the recorder added, and the
throughput against bare.  --control adds a round with a recorder that attaches nothing (--no-bpf), which tells the noise
from the probes; each --rung a round on these lower rungs (as record's option).  ROOTLE= names the binary.  Exit 1 where
more than +2.5 us or less than 85 % of the throughput is measured.
"""
import argparse
import os
import re
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import recorder                                    # noqa: E402
from harness.process import Failed, run, terminate_on_signals    # noqa: E402

MOST_ADDED_US, LEAST_RATIO = 2.5, 0.85
PORT = 18431


def measure(args):
    said = run([args.pingpong, args.connections, args.seconds, args.mode, PORT], timeout=args.seconds + 30).stdout
    return (float(re.search(r"cpu_us_per_req=([\d.]+)", said).group(1)), float(re.search(r"rps=(\d+)", said).group(1)))


def measure_recorded(args, folder, *extra):
    db = os.path.join(folder, "bench.db")
    for suffix in ("", "-wal", "-shm"):
        if os.path.exists(db + suffix):
            os.unlink(db + suffix)
    with recorder.Recorder(db, "--cpu-budget", "off", *extra):
        return measure(args)


def summary(rounds, name):
    """Median CPU time and throughput of a kind of round, and the medians of its differences to bare in the same pair."""
    cpu = [r[name][0] for r in rounds]
    added = statistics.median(r[name][0] - r["bare"][0] for r in rounds)
    ratio = statistics.median(r[name][1] / r["bare"][1] for r in rounds)
    print(f"{name:<8} {statistics.median(cpu):6.2f} us a request   {added:+6.2f} us   throughput {ratio * 100:5.1f} %")
    return added, ratio


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pairs", type=int, default=9)
    p.add_argument("--seconds", type=int, default=5)
    p.add_argument("--connections", type=int, default=2)
    p.add_argument("--mode", default="http")
    p.add_argument("--control", action="store_true")
    p.add_argument("--rung", action="append", default=[])
    p.add_argument("--pingpong", default=None)
    args = p.parse_args()
    args.pingpong = args.pingpong or os.path.join(os.path.dirname(recorder.binary()), "tests/bench/pingpong")
    if os.geteuid() != 0:
        print("SKIP: needs root to attach")
        return 77
    terminate_on_signals()
    rounds = []
    with tempfile.TemporaryDirectory(prefix="rootle-bench.") as folder:
        for i in range(args.pairs):
            ways = [("bare", lambda: measure(args)), ("record", lambda: measure_recorded(args, folder))]
            if args.control:
                ways.append(("control", lambda: measure_recorded(args, folder, "--no-bpf")))
            ways += [(rung, lambda rung=rung: measure_recorded(args, folder, "--rung", rung)) for rung in args.rung]
            rounds.append({name: way() for name, way in (ways if i % 2 == 0 else reversed(ways))})
            print(f"pair {i + 1}: " + "  ".join(f"{k} {rounds[-1][k][0]:.2f} us {rounds[-1][k][1]:.0f}/s" for k, _ in ways),
                  flush=True)
    summary(rounds, "bare")
    if args.control:
        summary(rounds, "control")
    for rung in args.rung:
        summary(rounds, rung)
    added, ratio = summary(rounds, "record")
    good = added <= MOST_ADDED_US and ratio >= LEAST_RATIO
    print(f"{'within' if good else 'NOT within'} +{MOST_ADDED_US} us and {LEAST_RATIO * 100:.0f} % of the throughput")
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as e:
        sys.exit(f"overhead: {e}")
