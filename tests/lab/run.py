#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The lab: a real little shop that breaks on command, recorded and explained by a rootle that is told nothing.

usage: run.py [--only ID[,ID…]] [--runs N] [--out FOLDER] [--fresh] [--quick] [--list] [--load-only SECONDS]

Each scenario: healthy load, one fault, more load, `rootle explain --json`, compared with the truth; then it is healed.
Results are appended to FOLDER/results.ndjson as they come (default build/lab); a run that was cut short goes on where it
stopped, for the same binary (ROOTLE=, default build/release/rootle).  Recordings of failed runs are kept there.
--quick shortens healthy and fault time to a third.  --load-only starts the shop and the load without any rootle, and
prints what the clients saw.  Needs root; takes everything away on any exit, and what a killed run left at the next start.
Exit 0: all passed, 1: some failed, 77: this machine cannot run it.
"""
import argparse
import hashlib
import json
import os
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]

from harness import recorder                                    # noqa: E402
from harness.process import Failed, terminate_on_signals         # noqa: E402
from host import Ledger                                          # noqa: E402
from scenarios import SCENARIOS                                  # noqa: E402
from shop import Shop                                            # noqa: E402


def judge(scenario, report):
    """(passed, what was answered) for an explain document."""
    incidents = report["incidents"]
    if not incidents:
        return not scenario.services, "no incident"
    causes = incidents[0]["causes"]
    if not causes:
        return False, f"{incidents[0]['symptom']['service']} {incidents[0]['symptom']['kind']}, no cause"
    first = causes[0]
    answer = f"{first['service']} {first['kind']} ({first['confidence']:.2f})"
    # With another instance of it on the node (somebody's own PostgreSQL) a service is called name:port.
    name = first["service"].rpartition(":")[0] or first["service"]
    right = first["service"] in scenario.services or name in scenario.services
    return right and first["kind"] in scenario.kinds, answer


def sleep_watching(shop, seconds):
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        shop.check()
        time.sleep(min(1.0, left))


def run_scenario(shop, scenario, run, out, scale, keep):
    """One recording, one fault, one answer; the row for the results."""
    db = os.path.join(out, f"{scenario.id}-{run}.db")
    for suffix in ("", "-wal", "-shm", ".lock", ".log"):
        if os.path.exists(db + suffix):
            os.unlink(db + suffix)
    shop.load(600, seed=run * 100)
    broken = False
    try:
        time.sleep(3)                   # connections and caches, before the recorder looks
        with recorder.Recorder(db) as rec:
            sleep_watching(shop, scenario.healthy_s * scale)
            broken = True
            scenario.do_break(shop)
            sleep_watching(shop, scenario.fault_s * scale)
            began = time.monotonic()
            report = recorder.query("explain", db)
            took = time.monotonic() - began
            scenario.do_heal(shop)
            broken = False
            resolved = wait_resolved(db, report) if scenario.services and scale == 1 else None
            if rec.stop():
                raise Failed(f"the recorder ended badly: {rec.stderr()[-300:]}")
    finally:
        if broken:
            scenario.do_heal(shop)
        clients = shop.stop_load()
    passed, answer = judge(scenario, report)
    if passed and not keep:
        for suffix in ("", "-wal", "-shm", ".lock", ".log"):
            if os.path.exists(db + suffix):
                os.unlink(db + suffix)
    return {"scenario": scenario.id, "run": run, "passed": passed, "answer": answer, "explain_s": round(took, 3),
            "resolved": resolved, "clients": clients, "report": report}


def wait_resolved(db, report):
    """Whether the incident that was reported is over within 40 s of the healing; null when there was none."""
    if not report["incidents"]:
        return None
    until = time.monotonic() + 40
    while time.monotonic() < until:
        time.sleep(5)
        now = recorder.query("explain", db)["incidents"]
        if all(i["state"] == "resolved" for i in now):
            return True
    return False


def fingerprint():
    with open(recorder.binary(), "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()[:16]


def load_results(path, build):
    if not os.path.exists(path):
        return []
    with open(path) as f:
        return [row for row in map(json.loads, f) if row["build"] == build]


def print_row(row):
    c = row["clients"]
    load = f"{c.get('ok', 0)} ok {c.get('failed', 0)} failed p95 {c.get('p95_ms', 0):.0f} ms" if c else ""
    state = {True: "resolved", False: "still open", None: ""}[row.get("resolved")]
    print(f"{'pass' if row['passed'] else 'FAIL'}  {row['scenario']:<12} run {row['run']}  {row['answer']:<44} {load} {state}",
          flush=True)


def run_all(args, chosen):
    os.makedirs(args.out, exist_ok=True)
    path, build = os.path.join(args.out, "results.ndjson"), fingerprint() + ("q" if args.quick else "")
    if args.fresh and os.path.exists(path):
        os.unlink(path)
    known = {(r["scenario"], r["run"]): r for r in load_results(path, build)}
    wanted = [(s, run) for run in range(1, args.runs + 1) for s in chosen]
    todo = [w for w in wanted if (w[0].id, w[1]) not in known]
    for scenario, run in wanted:
        if (scenario.id, run) in known:
            print_row(known[(scenario.id, run)])
    ledger = Ledger()
    try:
        ledger.recover()
        shop = Shop(ledger) if todo else None
        for scenario, run in todo:
            row = {"build": build, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
            row.update(run_scenario(shop, scenario, run, args.out, 1 / 3 if args.quick else 1, args.keep))
            with open(path, "a") as f:
                f.write(json.dumps(row) + "\n")
            known[(scenario.id, run)] = row
            print_row(row)
            time.sleep(5)
    finally:
        ledger.undo_all()
    rows = [known[(s.id, run)] for s, run in wanted]
    failed = sum(not r["passed"] for r in rows)
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


def load_only(seconds, chosen):
    """The shop by itself: healthy, and in each of the chosen scenarios."""
    ledger = Ledger()
    try:
        left = ledger.recover()
        if left:
            print(f"took away {left} things that an earlier run left")
        began = time.monotonic()
        shop = Shop(ledger)
        print(f"the shop was up after {time.monotonic() - began:.1f} s")
        for scenario in chosen:
            scenario.do_break(shop)
            shop.load(seconds, seed=1)
            sleep_watching(shop, seconds)
            print(f"{scenario.id:<12}", json.dumps(shop.stop_load()), flush=True)
            scenario.do_heal(shop)
            time.sleep(3)
    finally:
        ledger.undo_all()
    return 0


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default="")
    p.add_argument("--runs", type=int, default=1)
    p.add_argument("--out", default="build/lab")
    p.add_argument("--fresh", action="store_true")
    p.add_argument("--quick", action="store_true")
    p.add_argument("--keep", action="store_true", help="keep the recordings of runs that passed, too")
    p.add_argument("--list", action="store_true")
    p.add_argument("--load-only", type=float, metavar="SECONDS")
    args = p.parse_args()
    only = [word for word in args.only.split(",") if word]
    unknown = set(only) - {s.id for s in SCENARIOS}
    if unknown:
        p.error(f"no scenario {', '.join(sorted(unknown))}; --list shows them")
    chosen = [s for s in SCENARIOS if not only or s.id in only]
    if args.list:
        for s in chosen:
            print(f"{s.id:<12} {s.what:<64} {' '.join(s.services[:1] + s.kinds[:1]) or 'no incident'}")
        return 0
    if os.geteuid() != 0:
        print("SKIP: the lab needs root: it makes namespaces, cgroups and a loop device")
        return 77
    terminate_on_signals()
    try:
        return load_only(args.load_only, chosen) if args.load_only else run_all(args, chosen)
    except Failed as e:
        print(f"lab: {e}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
