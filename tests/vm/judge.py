# SPDX-License-Identifier: BSD-2-Clause
"""What the guest's console says, taken apart and compared with what is known to have happened there."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import known                                           # noqa: E402

PORT, DNS, CLOSED = 8023, 53, 8099      # as in init


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


def _counters(text):
    """Of /proc/net/snmp, by name."""
    lines = [line.split()[1:] for line in (text or "").splitlines() if line.startswith("Tcp:")]
    return dict(zip(lines[0], map(int, lines[1]))) if len(lines) == 2 else {}


def _closed(text):
    """{connection to the server in TIME-WAIT: clock ticks that it has left}. Whichever end closed first keeps each for a minute; of
    /proc/net/tcp and tcp6, as ss reads them."""
    rows = re.findall(r"^ *\d+: (\S+):(\w{4}) (\S+):(\w{4}) 06 \S+ \w\w:(\w+) ", text or "", re.M)
    return {r[:4]: int(r[4], 16) for r in rows if PORT in (int(r[1], 16), int(r[3], 16))}


def _closed_since(before, after):
    """One with the ports of another, of a minute ago, has more time left than that had."""
    return sum(1 for c, left in after.items() if c not in before or left > before[c])


def _kernel_counts(sections, name):
    """What the kernel itself counted while the client ran. Not PassiveOpens, which has one too many where an ACK was seen twice."""
    before, after = sections.get(f"{name}/before"), sections.get(f"{name}/after")
    counts = {k: _counters(after).get(k, 0) - _counters(before).get(k, 0) for k in ("ActiveOpens", "AttemptFails")}
    return {**counts, "closed": _closed_since(_closed(before), _closed(after))}


def _lost(rows):
    return next((r["coverage"]["lost_events"] for r in rows if r["type"] == "summary"), None)


def _attach_ms(sections, name):
    found = re.match(r"(\d+)", sections.get(f"{name}/attach", ""))
    return int(found.group(1)) * 10 if found else None


def _judge_pass(kernel, sections, p, checks):
    """What one pass gave; each comparison goes into checks as (good, sentence)."""
    def rows(table):
        return _json_rows(sections.get(f"{p.name}/{table}"))
    got = {"name": p.name, "cgroup": p.cgroup, "options": p.options, "attach_ms": _attach_ms(sections, p.name),
           "client": known.did(sections.get(f"{p.name}/known")), "kernel": _kernel_counts(sections, p.name),
           "rootle": known.shown(rows("edges"), rows("requests"), PORT, DNS, CLOSED, p.sees == "everything"), "life": known.life(rows("events")),
           "lost": _lost(rows("edges")), "rungs": known.rungs(_document(sections.get(f"{p.name}/check")))}

    def same(what, value, wanted):
        checks.append((value == wanted, f"{p.name}: {what}: {value}" + ("" if value == wanted else f", wanted {wanted}")))
    if got["attach_ms"] is None:
        checks.append((False, f"{p.name}: the recorder did not begin: {sections.get(p.name + '/record', '').strip()[-300:]}"))
        return got
    same("the client did", got["client"], known.DID)
    same("the kernel counted", got["kernel"],
         {"ActiveOpens": known.CONNECTS + known.REFUSED, "AttemptFails": known.REFUSED, "closed": known.ACCEPTS})
    same("the recorder ended with", _status(sections.get(f"{p.name}/record")), 0)
    same("events lost", got["lost"], 0)
    if p.stands and p.stands[1] not in kernel.lacks:
        source, rung = p.stands
        same(f"{source} on {rung}", rung in got["rungs"].get(source, []), True)
    if p.sees != "starts":
        same("rootle shows", got["rootle"], known.wanted(unix="absent" not in got["rungs"].get("unix", ["absent"])))
    told = got["life"] if p.sees == "everything" else known.starts(got["life"])
    same("the timeline tells", told, {k: 1 for k in told})
    return got


def result(kernel, sections, chosen):
    checks = []
    release = re.search(r"^Linux \S+ (\S+)", sections.get("kernel", ""), re.M)
    got = {"kernel": kernel.name, "arch": kernel.arch, "release": release and release.group(1),
           "passes": [_judge_pass(kernel, sections, p, checks) for p in chosen if release]}
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
