#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""As many requests a second as loopback gives, for a minute: is every one counted, or is it known which are missing?

usage: load.py [--seconds S] [--connections N] [--cpu-budget SHARE] [--pingpong FILE]

With --cpu-budget off (the default) what is counted and what is said to be lost must be what was sent, within 1 %.  With a share, what the
budget does is shown: its steps, the share of the node used, and how far the estimate is off.  Exit 1 where it does not hold.
"""
import argparse
import os
import re
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import recorder                                    # noqa: E402
from harness.process import Failed, run, terminate_on_signals    # noqa: E402

PORT = 18441
MOST_ANONYMOUS_MIB, MOST_OFF = 32, 0.01


def generate(args):
    said = run([args.pingpong, args.connections, args.seconds, "http", PORT], timeout=args.seconds + 60).stdout
    return int(re.search(r"req=(\d+)", said).group(1)), float(re.search(r"rps=(\d+)", said).group(1))


def counted(db):
    rows = recorder.query("requests", db, "--last", "1h")
    return sum(r["count"] for r in rows if r.get("port") == PORT), rows[-1]["coverage"]


def record(args, folder):
    db = os.path.join(folder, "load.db")
    with recorder.Recorder(db, "--cpu-budget", args.cpu_budget) as rec:
        sent, rate = generate(args)
        rec.settle()
        anonymous = recorder.anonymous_kb(rec.pid) / 1024
        rec.stop()
        for line in rec.stderr().splitlines():
            if "budget" in line or "recorded" in line:
                print(f"  {line}")
    return db, sent, rate, anonymous


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=int, default=60)
    p.add_argument("--connections", type=int, default=4)
    p.add_argument("--cpu-budget", default="off")
    p.add_argument("--pingpong", default=os.path.join(os.path.dirname(recorder.binary()), "tests/bench/pingpong"))
    args = p.parse_args()
    if os.geteuid() != 0:
        print("SKIP: needs root to attach")
        return 77
    terminate_on_signals()
    with tempfile.TemporaryDirectory(prefix="rootle-bench.") as folder:
        began = time.monotonic()
        db, sent, rate, anonymous = record(args, folder)
        got, coverage = counted(db)
        events = [e for e in recorder.query("events", db, "--last", "1h") if e.get("kind") == "budget"]
    off = abs(got - sent) / sent
    print(f"sent {sent} ({rate:.0f}/s), counted {got:.0f} ({(got - sent) / sent * 100:+.3f} %), weight {coverage['weight']}, "
          f"lost events {coverage['lost_events']}, anonymous {anonymous:.1f} MiB, {time.monotonic() - began:.0f} s")
    for loss in coverage["loss"]:
        print(f"  loss {loss['stage']}.{loss['reason']}: {loss['count']:.0f}")
    for e in events:
        print(f"  {e['detail']}")
    exact = args.cpu_budget != "off" or (off <= MOST_OFF and (off == 0 or coverage["lost_events"] > 0))
    good = exact and anonymous <= MOST_ANONYMOUS_MIB
    print("holds" if good else "does NOT hold")
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as e:
        sys.exit(f"load: {e}")
