# SPDX-License-Identifier: BSD-2-Clause
"""What the guest's console says, taken apart and compared with what is known to have happened there."""
import json
import re

WANTED = 23
PORT, CLOSED = 8023, 8099


def _json_rows(text):
    """The lines of a section that are JSON: notes of stderr are among them."""
    return [json.loads(line) for line in (text or "").splitlines() if line.startswith("{")]


def _document(text):
    """The one object of a section, None where there is none."""
    text = (text or "").rsplit("@status", 1)[0]
    begin = text.find("{")
    try:
        return json.loads(text[begin:]) if begin >= 0 else None
    except ValueError:
        return None


def _status(text):
    found = re.search(r"^@status (\d+)$", text or "", re.M)
    return int(found.group(1)) if found else None


def _tcp(text):
    """Counters of /proc/net/snmp by name."""
    lines = [line.split()[1:] for line in (text or "").splitlines() if line.startswith("Tcp:")]
    return dict(zip(lines[0], map(int, lines[1]))) if len(lines) == 2 else {}


def _kernel_counts(sections, name):
    """What the kernel itself counted while the client ran."""
    before, after = _tcp(sections.get(f"{name}/before")), _tcp(sections.get(f"{name}/after"))
    return {k: after.get(k, 0) - before.get(k, 0) for k in ("ActiveOpens", "PassiveOpens", "AttemptFails")}


def _client_counts(text):
    return {k: int(v) for k, v in re.findall(r"(connects|requests|refused) (\d+)", text or "")}


def _rootle_counts(sections, name):
    edges = [r for r in _json_rows(sections.get(f"{name}/edges")) if r["type"] == "edge"]
    to_server = [e for e in edges if e["port"] == PORT]
    requests = [r for r in _json_rows(sections.get(f"{name}/requests")) if r.get("port") == PORT]
    return {
        "connects": sum(e["opened"] for e in to_server if e["from"] == "known-client"),
        "accepts": sum(e["opened"] for e in to_server if e["to"] == "known-server"),
        "requests": sum(r["count"] for r in requests if r.get("op") == "GET /known"),
        "refused": sum(e["refused"] for e in edges if e["port"] == CLOSED),
    }


def _life(sections, name):
    """Starts, the signal and the ends of the two servers, as the timeline tells them."""
    events = [r for r in _json_rows(sections.get(f"{name}/events")) if r["type"] == "event"]

    def told(service, kind, detail):
        return sum(e["service"] == service and e["kind"] == kind and detail in e["detail"] for e in events)
    return {
        "start of known-server": told("known-server", "start", "started"),
        "start of known-brief": told("known-brief", "start", "started"),
        "SIGTERM": told("known-server", "signal", "SIGTERM"),
        "killed by SIGTERM": told("known-server", "exit", "killed by signal 15"),
        "exit status 7": told("known-brief", "exit", "exit status 7"),
    }


def _rungs(check):
    """Source: its rungs, best first as the report has them."""
    found = {}
    for line in (check or {}).get("probes", []):
        if line.get("hook") or line.get("program"):
            rungs = found.setdefault(line["probe"], [])
            if line["rung"] not in rungs:
                rungs.append(line["rung"])
    return found


def _lost(sections, name):
    for row in _json_rows(sections.get(f"{name}/edges")):
        if row["type"] == "summary":
            return row["coverage"]["lost_events"]
    return None


def _attach_ms(sections, name):
    found = re.match(r"(\d+)", sections.get(f"{name}/attach", ""))
    return int(found.group(1)) * 10 if found else None


def _judge_pass(sections, p, checks):
    """What one pass gave; each comparison goes into checks as (good, sentence)."""
    got = {"name": p.name, "cgroup": p.cgroup, "options": p.options, "attach_ms": _attach_ms(sections, p.name),
           "client": _client_counts(sections.get(f"{p.name}/known")), "kernel": _kernel_counts(sections, p.name),
           "rootle": _rootle_counts(sections, p.name), "life": _life(sections, p.name), "lost": _lost(sections, p.name),
           "rungs": _rungs(_document(sections.get(f"{p.name}/check")))}

    def same(what, value, wanted):
        checks.append((value == wanted, f"{p.name}: {what}: {value}" + ("" if value == wanted else f", wanted {wanted}")))
    if got["attach_ms"] is None:
        checks.append((False, f"{p.name}: the recorder did not begin: {sections.get(p.name + '/record', '').strip()[-300:]}"))
        return got
    same("the client did", got["client"], {"connects": WANTED, "requests": WANTED, "refused": 1})
    same("the kernel counted", got["kernel"], {"ActiveOpens": WANTED + 1, "PassiveOpens": WANTED, "AttemptFails": 1})
    same("the recorder ended with", _status(sections.get(f"{p.name}/record")), 0)
    same("events lost", got["lost"], 0)
    if p.sees:
        same("rootle shows", got["rootle"], {"connects": WANTED, "accepts": WANTED, "requests": WANTED, "refused": 1})
        same("the timeline tells", got["life"], {k: 1 for k in got["life"]})
    else:
        for what in ("start of known-server", "start of known-brief"):
            same(f"the timeline tells the {what}", got["life"][what], 1)
    return got


def result(kernel, sections, chosen):
    checks = []
    release = re.search(r"^Linux \S+ (\S+)", sections.get("kernel", ""), re.M)
    got = {"kernel": kernel.name, "arch": kernel.arch, "release": release and release.group(1),
           "passes": [_judge_pass(sections, p, checks) for p in chosen if release]}
    left = sections.get("left", "").replace("@status 0", "").strip()
    checks.append((not left, "nothing is left in tracefs" + (f", but {left}" if left else "")))
    checks.append(("finished" in sections, "the guest came to its end"))
    oops = re.findall(r"^.*(?:Oops|BUG:|WARNING:|Call Trace).*$", sections.get("dmesg", ""), re.M)
    checks.append((not oops, "the kernel complained of nothing" + "".join(f"; {line.strip()}" for line in oops[:3])))
    got["checks"] = checks
    return got


def fail(got, why):
    got["checks"].append((False, why))


def report(got):
    """Prints the checks; the exit status."""
    print(f"{got['kernel']} ({got['arch']}): {got['release'] or 'did not boot'}")
    for good, what in got["checks"]:
        print(f"  {'ok  ' if good else 'FAIL'} {what}")
    bad = sum(not good for good, _ in got["checks"])
    print(f"{len(got['checks']) - bad} passed, {bad} failed")
    return 1 if bad else 0
