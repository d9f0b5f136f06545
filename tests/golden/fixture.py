#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes shop.ndjson: a small shop, three minutes in ticks of five seconds, in which PostgreSQL gets slow after two.

usage: fixture.py > shop.ndjson
"""
import json

START, TICK, TICKS, ONSET = 1767225600, 5, 36, 24     # 2026-01-01T00:00:00Z


def line(**row):
    print(json.dumps(row))


def wobble(i, k):
    """The same noise each time: up to 6 % around 1."""
    return 1 + ((i * 7919 + k * 104729) % 121 - 60) / 1000


SERVICES = [("client", "external", None), ("nginx", "proxy", "/usr/sbin/nginx"), ("shop.py", "app", "/usr/bin/python3.11"),
            ("postgres", "db", "/usr/lib/postgresql/15/bin/postgres"), ("redis", "cache", "/usr/bin/redis-server")]
WHY = {"nginx": {"why": "well-known server"}, "shop.py": {"why": "script of python"},
       "redis": {"why": "rule of /etc/rootle/rootle.yaml:4", "image": "docker.io/library/valkey:8"}}
# from, to, protocol, port, op, requests a second, healthy ms, ms added by the fault
EDGES = [("client", "nginx", "http", 80, "GET /items/{id}", 40, 9, 180),
         ("client", "nginx", "http", 80, "GET /cart", 20, 3, 0),
         ("nginx", "shop.py", "http", 8080, "GET /items/{id}", 40, 8, 180),
         ("nginx", "shop.py", "http", 8080, "GET /cart", 20, 2.4, 0),
         ("shop.py", "postgres", "postgres", 5432, "SELECT * FROM items WHERE sku = $1", 40, 4, 180),
         ("shop.py", "redis", "redis", 6379, "GET", 20, 0.3, 0)]
CPU = {"nginx": (0.05, 0.05), "shop.py": (0.3, 0.28), "postgres": (0.12, 0.95), "redis": (0.02, 0.02)}

# service, stack, share of its CPU before and after
STACKS = [("nginx", "main;ngx_worker_process_cycle;ngx_epoll_process_events;ngx_http_process_request", .7, .7),
          ("nginx", "main;ngx_worker_process_cycle;ngx_epoll_process_events;entry_SYSCALL_64_[k];do_syscall_64_[k];ep_poll_[k]",
           .3, .3),
          ("shop.py", "Py_RunMain;_PyEval_EvalFrameDefault;[_json.cpython-311.so+0x1c40]", .5, .5),
          ("shop.py", "Py_RunMain;_PyEval_EvalFrameDefault;serialise", .5, .5),
          ("postgres", "PostmasterMain;PostgresMain;exec_simple_query;ExecIndexScan;_bt_search", .8, .05),
          ("postgres", "PostmasterMain;PostgresMain;exec_simple_query;ExecSeqScan;heapgettup", .1, .85),
          ("postgres", "PostmasterMain;PostgresMain;exec_simple_query;(other)", .1, .1)]
HZ = 49

line(type="meta", schema="ndjson/1", node="web-3", source="fixture", interval_s=TICK)
for name, kind, exe in SERVICES:
    line(type="service", service=name, kind=kind, **({"exe": exe} if exe else {}), **WHY.get(name, {}))
for source, target, protocol, port in sorted({e[:4] for e in EDGES}):
    line(**{"type": "edge", "from": source, "to": target, "protocol": protocol, "port": port})
line(type="fact", key="profile_hz", value=str(HZ))
for i in range(TICKS):
    t, slow = START + i * TICK, i >= ONSET
    for k, (source, target, protocol, _, op, rate, ms, added) in enumerate(EDGES):
        avg = (ms + (added if slow else 0)) * wobble(i, k)
        count = round(rate * TICK * wobble(i, k + 50) * (0.9 if slow and added else 1))
        line(**{"type": "requests", "t": t, "dur_s": TICK, "from": source, "to": target, "protocol": protocol, "op": op,
                "count": count, "errors": 1 if slow and target == "nginx" and added and i % 3 == 0 else 0,
                "avg_ms": round(avg, 3), "p50_ms": round(avg * 0.9, 3), "p90_ms": round(avg * 1.3, 3),
                "p95_ms": round(avg * 1.5, 3), "p99_ms": round(avg * 2, 3)})
    for k, (name, (before, after)) in enumerate(CPU.items()):
        line(type="resource", t=t, dur_s=TICK, service=name, metric="cpu_cores",
             value=round((after if slow else before) * wobble(i, k + 90), 4))
        line(type="resource", t=t, dur_s=TICK, service=name, metric="mem_bytes", value=(40 + 30 * k) << 20)
    for k, (name, stack, before, after) in enumerate(STACKS):
        cores = CPU[name][slow] * wobble(i, k + 130) * (after if slow else before)
        line(type="profile", t=t, dur_s=TICK, service=name, pid=800 + k if name != "postgres" else None,
             samples=max(1, round(cores * HZ * TICK)), stack=stack)
# Traces: a request for an item with what it caused, every ten seconds; the last one failed.
for i in range(0, TICKS, 2):
    t, slow = START + i * TICK, i >= ONSET
    ms = [(m + (a if slow else 0)) * wobble(i, 7) for _, _, _, _, o, _, m, a in EDGES if o not in ("GET /cart", "GET")]
    failed = i == TICKS - 2
    for k, (source, target, protocol, port, op, _, _, _) in enumerate([EDGES[0], EDGES[2], EDGES[4]]):
        line(**{"type": "span", "trace": f"{0xa100000000000000 + i:016x}", "span": f"{i * 16 + k + 1:016x}",
                "parent": f"{i * 16 + k:016x}" if k else None, "from": source, "service": target, "protocol": protocol, "port": port,
                "op": op, "t": t + k * 0.0004, "dur_ms": round(ms[k], 3),
                "status": ["502", "500", None][k] if failed else ["200", "200", None][k],
                "error": "server_error" if failed else "ok", "detail": "57014" if failed and k == 2 else None,
                "method": [None, "id", "thread"][k], "confidence": [None, 1, 0.95][k],
                **({"queue_ns": 41000, "cpu_ns": 900000, "runq_ns": 30000, "net_ns": round(ms[2] * 1e6)} if k == 1 else {})})
# another tracer's: a trace whose root is not there, and two spans that are each other's parent
line(type="span", trace="4bf92f3577b34da6", span="b7ad6b7169203331", parent="00f067aa0ba902b7", service="shop.py", op="render",
     t=START + 33, dur_ms=4.25, status="OK")
for a, b in (("x", "y"), ("y", "x")):
    line(type="span", trace="loop", span=a, parent=b, service="shop.py", t=START + 34, dur_ms=1)
line(type="event", t=START + 20, service="redis", kind="restart", detail="redis-server[812] started again", actor="systemd[1]")
line(type="event", t=START + ONSET * TICK - 1, service="postgres", kind="config_change", detail="index items_sku dropped",
     actor="psql[4711]")
