#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Which request caused which: what rootle says, against services that carry a number end to end (tests/oracle).

usage: links.py [--concurrent 1,8,50] [--requests N] [--ids] [--why N] [--keep FILE] [KIND …]

A recording for each kind of service and number of requests in flight; precision and recall of its links.  Without --ids the services carry no
id that rootle knows, and it is told to look for none.  Exit 1 where a figure is not kept.
"""
import argparse
import os
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "oracle"))

import oracle                                                            # noqa: E402
from e2e import Bench, Failed, Skip                                      # noqa: E402
from harness.process import terminate_on_signals                         # noqa: E402

# Of servers with a thread or process for each request, of all others, of all kinds together.
FIRST = oracle.NUMBERS.start
EXCLUSIVE_PRECISION, EXCLUSIVE_RECALL, PRECISION, RECALL, WRONG = 0.995, 0.95, 0.97, 0.70, 0.01
ROW = "{:<12} {:>10} {:>7} {:>7} {:>7} {:>6} {:>8} {:>9} {:>7} {:>7}  {}"


def measure(args, kind, concurrent):
    bench = Bench()
    try:
        service = oracle.Service(bench, kind)
        service.drive(FIRST + args.requests, 2 * concurrent, concurrent)    # connections are there, as in a service that runs
        rec = bench.record("--raw", *oracle.RECORD, *[] if args.ids else ["--no-trace-ids"],
                           "--port", ",".join(map(str, service.ports)))
        service.drive(FIRST + args.requests, 2 * concurrent, concurrent)    # and it is known what they speak
        answered = service.drive(FIRST, args.requests, concurrent, ids=args.ids)
        rec.settle()
        rec.settle()
        rec.stop()
        if args.keep:
            shutil.copy(bench.db, f"{args.keep}-{kind.name}-{concurrent}.db")
        return oracle.judge(oracle.hops(bench.db), service, FIRST, answered)
    finally:
        bench.close()


def text(hop):
    return f":{hop.port} {hop.n} +{hop.t_ns / 1e6 % 100_000:.3f} ms {hop.dur_ns / 1e6:.3f} ms" if hop else "-"


def show(name, concurrent, v, why):
    print(ROW.format(name, concurrent, v.asked, v.seen, v.right, v.wrong, v.asked - v.right - v.wrong, f"{v.precision:.4f}",
                     f"{v.recall:.4f}", f"{v.wrong_share:.4f}", " ".join(f"{k}:{n}" for k, n in v.methods.most_common())), flush=True)
    for what, hop, parent in v.examples[:why]:
        print(f"    {what}: {text(hop)} {hop.method or ''} {hop.confidence or ''} of {text(parent)}")


def kept(kind, v):
    precision, recall = (EXCLUSIVE_PRECISION, EXCLUSIVE_RECALL) if kind.exclusive else (PRECISION, 0)
    return v.precision >= precision and v.recall >= recall and v.wrong_share <= WRONG


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    parser.add_argument("--concurrent", default="1,8,50")
    parser.add_argument("--requests", type=int, default=800)
    parser.add_argument("--ids", action="store_true")
    parser.add_argument("--why", type=int, default=0)
    parser.add_argument("--keep")
    parser.add_argument("kinds", nargs="*")
    args = parser.parse_args()
    terminate_on_signals()
    total, bad = oracle.Verdict(), []
    print(ROW.format("service", "concurrent", "links", "seen", "right", "wrong", "missing", "precision", "recall", "wrong/1", "methods"))
    for kind in (k for k in oracle.KINDS if not args.kinds or k.name in args.kinds):
        for concurrent in map(int, args.concurrent.split(",")):
            try:
                v = measure(args, kind, concurrent)
            except Skip as e:
                print(f"{kind.name:<12} SKIP {e}")
                break
            show(kind.name, concurrent, v, args.why)
            total.add(v)
            if not kept(kind, v):
                bad.append(f"{kind.name} with {concurrent}")
    show("all", "", total, 0)
    if total.recall < RECALL:
        bad.append("recall of all")
    if bad:
        sys.exit(f"not kept: {', '.join(bad)}")


if __name__ == "__main__":
    try:
        main()
    except Failed as e:
        sys.exit(f"error: {e}")
