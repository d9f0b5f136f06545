#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Which request caused which: services that carry a number end to end (tests/oracle), 20 requests in flight, and what rootle says.

Recall is asked for with room, because it falls where others load the machine; what is said must be right.  All kinds, with 1, 8 and 50
requests in flight: tests/bench/links.py.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "oracle"))

import oracle                                           # noqa: E402
from e2e import Bench, Skip, main, need_root            # noqa: E402

REQUESTS, CONCURRENT = 200, 20
EACH = 1000             # numbers of each service
# precision and recall at least, by kind
WANTED = {"thread": (0.995, 0.90), "nginx": (0.97, 0.85), "pool": (0.97, 0.80), "node": (0.97, 0.50),
          "asyncio": (0.97, 0.80), "asyncio-own": (0.97, 0.80)}
WRONG = 0.01


def services(bench: Bench, names):
    """Those that this machine can run; what is missing is said."""
    found, backends = [], oracle.Backends(bench)
    for kind in (k for k in oracle.KINDS if k.name in names):
        try:
            found.append(oracle.Service(bench, kind, backends))
        except Skip as e:
            print(f"  SKIP {kind.name}: {e}")
    if not found:
        raise Skip("none of the services can be run here")
    return found


def recorded(bench: Bench, found, *args, ids=False):
    """[(service, its first number, how many it has answered)] and all hops."""
    first = {s: oracle.NUMBERS.start + i * EACH for i, s in enumerate(found)}
    rec = bench.record("--raw", *oracle.RECORD, *args, "--port", ",".join({str(p): 1 for s in found for p in s.ports}))
    for service in found:               # so that it is known what their connections speak
        service.drive(first[service] + REQUESTS, 2 * CONCURRENT, CONCURRENT)
    answered = [(s, first[s], s.drive(first[s], REQUESTS, CONCURRENT, ids=ids)) for s in found]
    rec.settle()
    rec.stop()
    return answered, oracle.hops(bench.db)


def case_without_ids(bench: Bench):
    need_root()
    found = services(bench, WANTED)
    answered, hops = recorded(bench, found, "--no-trace-ids")
    for service, first, count in answered:
        name = service.kind.name
        v = oracle.judge(hops, service, first, count)
        precision, recall = WANTED[name]
        bench.equal(count, REQUESTS, f"{name}: answered")
        bench.at_least(v.precision, precision, f"{name}: precision ({dict(v.methods)})")
        bench.at_least(v.recall, recall, f"{name}: recall")
        bench.at_most(v.wrong_share, WRONG, f"{name}: joined to another request")


def case_by_ids(bench: Bench):
    """traceparent and X-Request-ID, passed on with one of two calls: that one is joined by them."""
    need_root()
    found = services(bench, ("asyncio",))
    [(service, first, count)], hops = recorded(bench, found, ids=True)
    v = oracle.judge(hops, service, first, count)
    bench.at_least(v.methods["id"] / count, 0.9, "calls with an id joined by it")
    bench.equal(v.methods["id!"], 0, "joined to another request by their id")


main(globals())
