#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Captures of real traffic, ours and foreign: exactly the requests of captures.py are found in each, and nothing beyond them; where tshark
counts something else the table says why.  Prints which kind of capture was taken for what.

usage: check_captures.py ROOTLE SOURCE_DIR WORK_DIR
Exit 0, 1, or 77: the captures are not there.
"""
import collections
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
from captures import CAPTURES                                       # noqa: E402

ROOTLE, SOURCE = sys.argv[1], sys.argv[2]
FOLDER = os.path.join(SOURCE, "..", "shared", "data", "pcap")
PLAIN = ("tcp", "udp")


def implemented():
    """Protocols that have a row in the table; others are not to be found, whatever the captures hold."""
    with open(os.path.join(SOURCE, "engine", "proto", "proto.c")) as f:
        return set(re.findall(r"&proto_(\w+),", f.read())) | {"quic", "dns-tcp", "grpc"}


def rows(command, path):
    p = subprocess.run([ROOTLE, command, "--json", "--pcap", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=50)
    if p.returncode not in (0, 3):
        return f"exit {p.returncode}: {p.stderr.strip()[-600:]}"
    return [r for r in map(json.loads, p.stdout.splitlines()) if r["type"] != "summary"]


def look(name):
    """(requests by protocol, protocols of edges) or what went wrong"""
    path = os.path.join(FOLDER, name)
    requests, edges = rows("requests", path), rows("edges", path)
    for result in requests, edges:
        if isinstance(result, str):
            return result
    found = collections.Counter()
    for r in requests:
        found[r["protocol"]] += r["count"]
    return dict(found), {r["protocol"] for r in edges} - set(PLAIN)


def tshark(name):
    """The packets that its filter finds; None: not asked."""
    display, _ = CAPTURES[name][3]
    if not display or not shutil.which("tshark"):
        return None
    out = subprocess.run(["tshark", "-r", os.path.join(FOLDER, name), "-Y", display, "-T", "fields", "-e", "frame.number"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=50).stdout
    return len(out.splitlines())


def judge(name, result, counted, known):
    kind, wanted, besides, (display, expected), why = CAPTURES[name]
    if isinstance(result, str):
        yield result
        return
    requests, edges = result
    wanted = {p: n for p, n in wanted.items() if p in known and n}
    if requests != wanted:
        yield f"requests {requests}, expected {wanted}"
    allowed = set(wanted) | {p for p in besides if p in known}
    if edges != allowed:
        yield f"recognised {sorted(edges)}, expected {sorted(allowed)}"
    if counted is not None and counted != expected:
        yield f"tshark counts {counted} of {display}, the table says {expected}"
    if display and sum(n for p, n in wanted.items() if p != "dns" or "dns" in display) != expected and not why:
        yield f"tshark counts {expected} of {display}, and the table does not say why"


def print_matrix(results):
    matrix, columns = collections.defaultdict(collections.Counter), set()
    for name, result in results.items():
        seen = {"failed"} if isinstance(result, str) else result[1] or {"nothing"}
        matrix[CAPTURES[name][0]].update(seen)
        matrix[CAPTURES[name][0]]["files"] += 1
        columns |= seen
    columns = ["files", *sorted(columns)]
    print(f"{'is, taken for':>14}" + "".join(f"{c:>{max(len(c), 3) + 2}}" for c in columns))
    for kind in sorted(matrix):
        print(f"{kind:>14}" + "".join(f"{matrix[kind][c] or '.':>{max(len(c), 3) + 2}}" for c in columns))


def main():
    if not os.path.isdir(FOLDER):
        print(f"SKIP: there are no captures in {FOLDER}")
        sys.exit(77)
    there = {n for n in os.listdir(FOLDER) if re.search(r"\.p?cap(ng)?$", n)}
    bad = [f"{n}: is in the folder, and not in the table" for n in sorted(there - set(CAPTURES))]
    names, known = sorted(there & set(CAPTURES)), implemented()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = dict(zip(names, pool.map(look, names)))
        counted = dict(zip(names, pool.map(tshark, names)))
    print_matrix(results)
    if not shutil.which("tshark"):
        print("SKIP: tshark is not installed, its counts are not compared")
    for name in names:
        bad += [f"{name}: {what}" for what in judge(name, results[name], counted[name], known)]
    print(*bad, f"{len(names)} captures, {len(bad)} differences", sep="\n")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
