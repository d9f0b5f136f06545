#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The map in every form: drawings fit the size that was asked for, Graphviz takes --dot, an XML parser takes --svg, and names that are
made to break either come out as names.

usage: check_map.py ROOTLE SOURCE_DIR WORK_DIR
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unicodedata
import xml.dom.minidom

ROOTLE, SOURCE, WORK = sys.argv[1:4]
NS = "http://www.w3.org/2000/svg"
HOSTILE = ['a"];x[label="y', "b\\", "c<script>&amp;</script>", "d\x1b[2J\x07", "e\nf", "g]]>\u202eh", "\u65e5\u672c", "-->"]
bad = []


def check(right, what):
    if not right:
        bad.append(what)


def run(*arguments, code=0, locale="C.UTF-8"):
    p = subprocess.run([ROOTLE, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                       env={**os.environ, "LC_ALL": locale})
    check(p.returncode == code, f"{arguments}: exit {p.returncode}: {p.stderr.decode()[-2000:]}")
    return p.stdout.decode()


def recording(folder, name, ndjson):
    path = os.path.join(folder, name)
    with open(path + ".ndjson", "w", encoding="utf-8") as f:
        f.write(ndjson)
    run("import", "--quiet", "--db", path + ".db", path + ".ndjson")
    return path + ".db"


def system(folder, n):
    made = subprocess.run([sys.executable, os.path.join(SOURCE, "tests/golden/system.py"), str(n)], stdout=subprocess.PIPE, text=True, check=True)
    return recording(folder, f"system{n}", made.stdout)


def hostile():
    rows = []
    for a, b in zip(HOSTILE, HOSTILE[1:] + HOSTILE[:1]):
        rows.append({"type": "requests", "t": 1767225600, "dur_s": 5, "from": a, "to": b, "protocol": 'p"\\<', "op": "GET /", "count": 50,
                     "errors": 1, "p95_ms": 3})
    rows.append({"type": "service", "service": HOSTILE[0], "kind": "\u754c" * 300})
    return "".join(json.dumps(r) + "\n" for r in rows)


def width(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def check_sizes(folder):
    sizes = {5: [(80, 24)], 12: [(80, 24), (120, 40)], 50: [(160, 50), (80, 24), (100, 30)], 200: [(160, 50), (200, 60)]}
    for n, wanted in sizes.items():
        db = system(folder, n)
        for cols, rows in wanted:
            for locale in "C.UTF-8", "C":
                text = run("map", "--quiet", "--db", db, "--width", str(cols), "--height", str(rows), locale=locale)
                lines = text.splitlines()
                check(lines and len(lines) <= rows, f"{n} services in {cols}x{rows}: {len(lines)} rows")
                check(max(map(width, lines)) <= cols, f"{n} services in {cols}x{rows}: {max(map(width, lines))} columns")
                check(locale != "C" or text.isascii(), f"{n} services: not ASCII")
                check("postgres" in text and "!" in text, f"{n} services in {cols}x{rows}: trouble is hidden")


def names_in_svg(path):
    doc = xml.dom.minidom.parse(path)
    check(doc.documentElement.namespaceURI == NS and doc.documentElement.tagName == "svg", "no svg element")
    check({e.tagName for e in doc.getElementsByTagName("*")} <= {"svg", "style", "rect", "path", "text", "title", "g"}, "other elements")
    return {e.firstChild.data for e in doc.getElementsByTagName("text") if e.getAttribute("class") == "name"}


def check_forms(folder, db, names):
    svg = os.path.join(folder, "map.svg")
    run("map", "--quiet", "--db", db, "--svg", svg)
    check(names_in_svg(svg) == names, f"names in the SVG: {names_in_svg(svg)}, expected {names}")
    dot = run("map", "--quiet", "--db", db, "--dot")
    check(not any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in dot), "control characters in DOT")
    if not shutil.which("dot"):
        print("SKIP: Graphviz is not installed, --dot is not parsed")
        return
    p = subprocess.run(["dot", "-Tplain"], input=dot.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    nodes = [line for line in p.stdout.decode().splitlines() if line.startswith("node ")]
    check(p.returncode == 0 and not p.stderr, f"dot: {p.stderr.decode()}")
    check(len(nodes) == len(names), f"{len(nodes)} nodes in DOT, expected {len(names)}")


def check_rates(folder):
    """Few requests in a long range are few a second, whichever command is asked."""
    rows = [{"type": "resource", "t": 1767225600 + s, "dur_s": 1, "service": "b", "metric": "cpu_cores", "value": 0.1} for s in range(100)]
    rows.append({"type": "requests", "t": 1767225640, "dur_s": 1, "from": "a", "to": "b", "protocol": "http", "op": "GET /", "count": 50, "p95_ms": 3})
    rows.append({"type": "tcp", "t": 1767225645, "dur_s": 1, "from": "a", "to": "b", "protocol": "http", "open": 1})
    db = recording(folder, "rates", "".join(json.dumps(r) + "\n" for r in rows))
    for command in "map", "edges", "requests":
        told = [json.loads(line) for line in run(command, "--quiet", "--db", db, "--json").splitlines()]
        rates = [r["rate_per_s"] for r in told if r.get("protocol") == "http"]
        check(rates == [0.5], f"{command}: rates {rates}, expected 0.5")


def check_text(folder):
    """Names that take fewer columns than characters stand where the others do, and JSON has nothing that a terminal acts on."""
    names = "cafe\u0301.py", "caf\u00e9-1.py", "\u0085\u009b31mred", "\u202edog"
    rows = [{"type": "requests", "t": 1767225600, "dur_s": 5, "from": "client", "to": n, "protocol": "http", "op": "GET /", "count": 50,
             "errors": 0, "p95_ms": 3} for n in names]
    db = recording(folder, "text", "".join(json.dumps(r) + "\n" for r in rows))
    lines = run("map", "--quiet", "--db", db, "--tree").splitlines()[2:]
    at = {width("".join(c for c in line.split(" http ")[0] if not unicodedata.combining(c))) for line in lines}
    check(len(lines) == 4 and len(at) == 1, f"columns of the numbers: {at}")
    text = run("services", "--quiet", "--db", db, "--json")
    check(not any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c != "\n" for c in text), "raw control characters in JSON")
    told = {r["service"] for r in map(json.loads, text.splitlines()) if r["type"] == "service"}
    check(told == {"client", *names}, f"names in JSON: {told}")


def check_many(folder):
    """More than can be drawn: said, as a tree, and no file."""
    for name, ends in ("chain", [(f"s{i}", f"s{i + 1}") for i in range(500)]), ("star", [("hub", f"s{i}") for i in range(500)]):
        rows = [{"type": "requests", "t": 1767225600, "dur_s": 5, "from": a, "to": b, "protocol": "http", "op": "GET /", "count": 50,
                 "errors": 25, "p95_ms": 3} for a, b in ends]
        db = recording(folder, name, "".join(json.dumps(r) + "\n" for r in rows))
        run("map", "--quiet", "--db", db, "--svg", os.path.join(folder, name + ".svg"), code=1)
        check(not os.path.exists(os.path.join(folder, name + ".svg")), "a file without a drawing")
        lines = run("map", "--quiet", "--db", db, "--width", "80").splitlines()
        check(len(lines) > 500, f"{name}: {len(lines)} lines of the tree")
        check(all("50.0%" in line and "10.0/s" in line for line in lines[2:]), f"{name}: numbers that cannot be read")


def main():
    os.makedirs(WORK, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        check_sizes(folder)
        check_many(folder)
        check_rates(folder)
        check_text(folder)
        shown = {"a\"];x[label=\"y", "b\\", "c<script>&amp;</script>", "d\ufffd[2J\ufffd", "e\ufffdf", "g]]>\ufffdh", "\u65e5\u672c", "-->"}
        db = recording(folder, "hostile", hostile())
        check_forms(folder, db, shown)
        for arguments in [], ["--tree"]:
            text = run("map", "--quiet", "--db", db, *arguments)
            check(not any(unicodedata.category(c) in ("Cc", "Cf") and c != "\n" for c in text), f"control characters in the map {arguments}")
        db = recording(folder, "shop", open(os.path.join(SOURCE, "tests/golden/shop.ndjson"), encoding="utf-8").read())
        check_forms(folder, db, {"client", "nginx", "shop.py", "postgres", "redis"})
        db = system(folder, 50)
        check("refused" in run("map", "--quiet", "--db", db, "--dot"), "a refused call is none in DOT")
        run("map", "--quiet", "--db", db, "--svg", "/nonexistent/map.svg", code=1)
    print(*bad, f"{len(bad)} wrong", sep="\n")
    sys.exit(bool(bad))


main()
