#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes a recording of a system of so many services, the same in every run: clients, an edge, gateways, applications that call each other, each
with stores; a call that fails and one that is refused.  What the map is drawn from in tests and benchmarks.

usage: system.py SERVICES > system.ndjson
"""
import json
import random
import sys

START, TICK, TICKS = 1767225600, 5, 12     # 2026-01-01T00:00:00Z
WORDS = ["cart", "orders", "users", "search", "pricing", "stock", "mail", "auth", "billing", "reviews", "media", "ads", "geo", "tax",
         "ledger", "refunds", "wallet", "quotes", "promo", "profile", "feed", "chat", "files", "audit", "stats", "alerts", "jobs", "maps"]
ENDINGS = [".py", ".js", "-api", ".jar", ""]
STORES = [("postgres", "db", "postgres", 5432), ("redis", "cache", "redis", 6379), ("mysql", "db", "mysql", 3306),
          ("memcached", "cache", "memcached", 11211), ("kafka", "queue", "kafka", 9092), ("mongodb", "db", "mongodb", 27017)]


def line(**row):
    print(json.dumps(row))


def system(n):
    """(services: name → kind, edges: (from, to, protocol, port))"""
    rnd = random.Random(n)
    services = {f"external:203.0.113.{i + 1}": "external" for i in range(1 + n // 12)}
    clients = list(services)
    n_stores = max(1, (n - len(clients)) // 3)
    stores = []
    for i in range(n_stores):
        name, kind, protocol, port = STORES[i % len(STORES)]
        name += f":{port + i // len(STORES)}" if i >= len(STORES) else ""
        stores.append((name, protocol, port + i // len(STORES)))
        services[name] = kind
    services["nginx"] = "proxy"
    gateways = [f"gateway:{8000 + i}" for i in range(1 + n // 25)]
    services.update((g, "app") for g in gateways)
    apps = []
    while len(services) < n:
        i = len(apps)
        apps.append(WORDS[i % len(WORDS)] + ENDINGS[i % len(ENDINGS)] + (str(i // len(WORDS) + 1) if i >= len(WORDS) else ""))
        services[apps[-1]] = "app"
    edges = [(c, "nginx", "http", 443) for c in clients] + [("nginx", g, "http", int(g[8:])) for g in gateways]
    front = apps[:max(1, 2 * len(apps) // 5)]
    for i, a in enumerate(front):
        edges += [(g, a, "http", 9000 + i) for g in rnd.sample(gateways, 1 + (len(gateways) > 1 and i % 4 == 0))]
    for i, a in enumerate(apps[len(front):]):
        edges += [(f, a, "grpc" if i % 3 else "http", 9500 + i) for f in rnd.sample(front, min(len(front), 1 + i % 2))]
    for i, (name, protocol, port) in enumerate(stores):
        edges += [(a, name, protocol, port) for a in rnd.sample(apps, min(len(apps), 1 + i % 3))]
    for a in apps:                                                 # all of them keep something somewhere
        if not any(e[0] == a for e in edges):
            name, protocol, port = rnd.choice(stores)
            edges.append((a, name, protocol, port))
    if len(front) > 3:                                             # a circle
        edges.append((next(e[1] for e in edges if e[0] == front[0] and e[1] in apps), front[0], "http", 9000))
    return services, edges, apps, stores


def main():
    n = int(sys.argv[1])
    services, edges, apps, stores = system(n)
    rnd = random.Random(n + 1)
    line(type="meta", schema="ndjson/1", node="web-3", source="fixture", interval_s=TICK)
    for name, kind in services.items():
        line(type="service", service=name, kind=kind)
    for source, target, protocol, port in edges:
        line(**{"type": "edge", "from": source, "to": target, "protocol": protocol, "port": port})
    failing = next(i for i, e in enumerate(edges) if e[0] in apps and e[1] == stores[0][0])
    refused = next((i for i, e in enumerate(edges) if len(stores) > 3 and e[1] == stores[3][0]), -1)
    slow = [(rnd.choice([3, 20, 90, 400]), rnd.choice([0.3, 2, 11, 60])) for _ in edges]
    for k in range(TICKS):
        t = START + k * TICK
        for i, (source, target, protocol, port) in enumerate(edges):
            rate, ms = slow[i]
            if i == refused:
                line(**{"type": "tcp", "t": t, "dur_s": TICK, "from": source, "to": target, "protocol": protocol, "port": port,
                        "opened": 0, "refused": 4, "open": 0})
                continue
            line(**{"type": "requests", "t": t, "dur_s": TICK, "from": source, "to": target, "protocol": protocol, "port": port, "op": "GET /",
                    "count": rate * TICK, "errors": rate if i == failing else 0, "avg_ms": ms, "p50_ms": ms, "p90_ms": 1.5 * ms,
                    "p95_ms": 2 * ms, "p99_ms": 4 * ms})
        for i, name in enumerate(services):
            if not name.startswith("external:"):
                line(type="resource", t=t, dur_s=TICK, service=name, metric="cpu_cores", value=round(0.01 + 0.07 * (i % 13), 3))


main()
