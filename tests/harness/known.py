# SPDX-License-Identifier: BSD-2-Clause
"""The known workload (vm/known.c): what it did, and what rootle should show of it."""
import re

CONNECTS = ACCEPTS = REQUESTS = DNS = UNIX = 23
REFUSED = 1
DID = {"connects": CONNECTS, "requests": REQUESTS, "refused": REFUSED, "dns": DNS, "unix": UNIX}
# Sources that a tracepoint can serve by copying, without the kernel's types.
TRACEPOINTS = ("sockets", "owners", "processes", "oom", "waits", "reclaim")
BRIEF_MS, BRIEF_STATUS = 2500, 7


def did(text):
    """The client's own count, from what it prints, as DID has it."""
    return {k: int(v) for k, v in re.findall(r"(connects|requests|refused|dns|unix) (\d+)", text or "")}


def wanted(unix):
    """What shown() should give; unix: UNIX streams are seen on this rung of this kernel."""
    return {"connects": CONNECTS, "accepts": ACCEPTS, "requests": REQUESTS, "refused": REFUSED, "dns": DNS,
            "unix": UNIX if unix else 0}


def shown(edges, requests, port, dns, closed, named=True):
    """What rows of `rootle edges` and `rootle requests` say; named: the client, which is gone at once, is known by its name."""
    edges = [r for r in edges if r["type"] == "edge"]
    to_server = [e for e in edges if e["port"] == port]

    def answered(at, op):
        return sum(r["count"] for r in requests if r["type"] == "requests" and r["port"] == at and r["op"] == op)
    return {
        "connects": sum(e["opened"] for e in to_server if not named or e["from"] == "known-client"),
        "accepts": sum(e["opened"] for e in to_server if e["to"] == "known-server"),
        "requests": answered(port, "GET /known"),
        "refused": sum(e["refused"] for e in edges if e["port"] == closed),
        "dns": answered(dns, "A known.test"),
        "unix": answered(None, "GET /known"),
    }


def life(events):
    """How often `rootle events` tells of each start, the signal and both ends: once is right."""
    events = [r for r in events if r["type"] == "event"]

    def told(service, kind, detail):
        return sum(e["service"] == service and e["kind"] == kind and detail in e["detail"] for e in events)
    return {
        "start of known-server": told("known-server", "start", "started"),
        "start of known-brief": told("known-brief", "start", "started"),
        "SIGTERM": told("known-server", "signal", "SIGTERM"),
        "killed by SIGTERM": told("known-server", "exit", "killed by signal 15"),
        f"exit status {BRIEF_STATUS}": told("known-brief", "exit", f"exit status {BRIEF_STATUS}"),
    }


def starts(told):
    """Of what life() gives, what is seen without probes of processes."""
    return {k: v for k, v in told.items() if k.startswith("start")}


def rungs(check):
    """Of what `rootle check --json` says: each source, and the rungs that its parts stand on."""
    found = {}
    for line in (check or {}).get("probes", []):
        if line["hook"] or line["program"]:
            on = found.setdefault(line["probe"], [])
            if line["rung"] not in on:
                on.append(line["rung"])
    return found
