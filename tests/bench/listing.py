#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How long it takes to list the traces of a window with 100,000 spans, and to draw one of them.

usage: ROOTLE=build/release/rootle listing.py [--spans 100000] [--seconds 0.5] [--runs 5]
Exit 0, or 1: the median of a listing took longer than that.
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

HOPS = [("web", None), ("api", 0), ("db", 1), ("cache", 1), ("auth", 0)]      # service, hop that calls it


def spans(n):
    chance = random.Random(1)
    for i in range(n // len(HOPS)):
        trace, ids = f"{chance.getrandbits(64):016x}", [f"{chance.getrandbits(64):016x}" for _ in HOPS]
        for k, (service, caller) in enumerate(HOPS):
            yield {"type": "span", "trace": trace, "span": ids[k], "parent": None if caller is None else ids[caller], "service": service,
                   "from": "client" if caller is None else HOPS[caller][0], "protocol": "http", "port": 80 + k, "op": f"GET /{i % 50}",
                   "t": round(1.7e9 + i * 0.03 + k * 0.001, 6), "dur_ms": round(1 + chance.random() * 50, 3), "status": "200", "error": "ok",
                   "method": "thread" if k else None, "confidence": 0.95 if k else None, "cpu_ns": 100000, "net_ns": 2000}


def took(*argv):
    begin = time.monotonic()
    subprocess.run([os.environ["ROOTLE"], *argv, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--spans", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--runs", type=int, default=5)
    o = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rootle-traces-") as folder:
        db = f"{folder}/spans.db"
        with open(f"{folder}/spans.ndjson", "w", encoding="utf-8") as out:
            for row in spans(o.spans):
                print(json.dumps(row), file=out)
                first = row["trace"]
        took("import", "--db", db, out.name)
        listing = statistics.median(took("traces", "--db", db) for _ in range(o.runs))
        one = statistics.median(took("traces", "--db", db, first) for _ in range(o.runs))
        failed = statistics.median(took("traces", "--db", db, "--json", "--service", "db", "--min-latency", "40ms") for _ in range(o.runs))
        print(f"{o.spans} spans, {os.path.getsize(db) / 2**20:.1f} MiB: list {listing:.3f} s, one {one:.3f} s, filtered JSON {failed:.3f} s "
              f"(median of {o.runs}; at most {o.seconds} s)")
    return listing > o.seconds


if __name__ == "__main__":
    sys.exit(main())
