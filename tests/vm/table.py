#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Prints, as the two tables of the README, what the runs of this folder found: the rung of each source, the known workload on each.

usage: table.py [FOLDER]       of the results, default build/release/vm
"""
import glob
import json
import os
import sys


def results(folder):
    """One a kernel, as judge.result() made it; real machines last, else by architecture and age."""
    found = []
    for path in glob.glob(os.path.join(folder, "*.json")):
        with open(path) as f:
            found.append(json.load(f))
    return sorted(found, key=lambda r: (r["kernel"] == "here", r["arch"], version(r)))


def version(result):
    return [int(n) if n.isdigit() else 0 for n in (result["release"] or "0").split("-")[0].split("+")[0].split(".")]


def title(result):
    """"6.1.0-56-cloud-amd64" as "6.1 amd64"."""
    return f"{'.'.join(map(str, version(result)[:2]))} {result['arch']}" + (", this machine" if result["kernel"] == "here" else "")


def print_row(cells):
    print("| " + " | ".join(cells) + " |")


def print_table(head, rows):
    print_row(head)
    print("|" + "---|" * len(head))
    for row in rows:
        print_row(row)


def keys(results, of):
    """Every key, in the order of the first result that has it."""
    found = []
    for r in results:
        found += [k for k in of(r) if k not in found]
    return found


def best(result):
    return next((p for p in result["passes"] if p["name"] == "best"), {"rungs": {}, "attach_ms": None})


def rungs(results):
    rows = []
    for source in keys(results, lambda r: best(r)["rungs"]):
        rows.append([source] + [", ".join(best(r)["rungs"].get(source, ["–"])) for r in results])
    times = [best(r)["attach_ms"] for r in results]
    rows.append(["recording after"] + ["–" if t is None else f"{t / 1000:.1f} s" for t in times])
    return rows


def counted(result, name):
    """Connects, accepts, requests, questions of DNS, requests over UNIX sockets; a dash where nothing is to be seen."""
    p = next((p for p in result["passes"] if p["name"] == name), None)
    if not p:
        return "–"
    r = p["rootle"]
    if not any(r.values()):
        return "–"
    return " ".join(f"{r[k]:g}" if r[k] else "–" for k in ("connects", "accepts", "requests", "dns", "unix"))


def main():
    found = results(sys.argv[1] if len(sys.argv) > 1 else "build/release/vm")
    if not found:
        sys.exit("no results: tests/run --label vm makes them")
    titles = [title(r) for r in found]
    print_table(["source"] + titles, rungs(found))
    print()
    print_table(["23 connects, accepts, requests, DNS, UNIX"] + titles,
                [[name] + [counted(r, name) for r in found] for name in keys(found, lambda r: [p["name"] for p in r["passes"]])])


main()
