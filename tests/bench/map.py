#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How long the map takes: `rootle map` as a whole (start, read a minute of recording, lay out, draw) and, of that, what is left over `rootle services`,
which reads the same and draws nothing.

usage: ROOTLE=build/release/rootle map.py [--runs 21] [--milliseconds 50]
Exit 0, or 1: 50 services take longer than that, or do not fit 160x50, or 12 do not fit 80x24.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

ROOTLE = os.environ.get("ROOTLE", "build/release/rootle")
SYSTEM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../golden/system.py")
SIZES = [(5, 80, 24), (12, 80, 24), (50, 160, 50), (50, 80, 24), (200, 160, 50)]


def milliseconds(arguments, runs):
    """Medians of the wall clock and of the CPU time, and what was printed."""
    wall, cpu, out = [], [], ""
    for _ in range(runs):
        start, used = time.monotonic(), os.times()
        out = subprocess.run([ROOTLE, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
                             env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout.decode()
        wall.append(1000 * (time.monotonic() - start))
        now = os.times()
        cpu.append(1000 * (now.children_user + now.children_system - used.children_user - used.children_system))
    return statistics.median(wall), statistics.fmean(cpu), out.splitlines()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--runs", type=int, default=21)
    p.add_argument("--milliseconds", type=float, default=50)
    o = p.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for n in sorted({s[0] for s in SIZES}):
            with open(f"{folder}/{n}.ndjson", "w") as f:
                subprocess.run([sys.executable, SYSTEM, str(n)], stdout=f, check=True)
            subprocess.run([ROOTLE, "import", "--quiet", "--db", f"{folder}/{n}.db", f"{folder}/{n}.ndjson"], check=True)
        for n, cols, rows in SIZES:
            read = ["--quiet", "--db", f"{folder}/{n}.db"]
            wall, cpu, lines = milliseconds(["map", *read, "--width", str(cols), "--height", str(rows)], o.runs)
            other, _, _ = milliseconds(["services", *read], o.runs)
            fits = len(lines) <= rows and max(map(len, lines)) <= cols
            print(f"{n:4} services in {cols}x{rows}: {wall:6.1f} ms ({cpu:.1f} ms CPU), {wall - other:6.1f} ms more than the table; "
                  f"{max(map(len, lines))}x{len(lines)}{'' if fits else ', DOES NOT FIT'}")
            failed |= not fits or (n == 50 and wall > o.milliseconds)
    sys.exit(failed)


main()
