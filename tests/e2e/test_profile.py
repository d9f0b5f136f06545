#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Where the CPU time goes: programs that spend it in a known way, and what rootle profile says of them."""
import os
import re
import sys
import time
import xml.dom.minidom

from e2e import Bench, Failed, Skip, main, need, need_root, recorder, run

POINTS = 5


def spender(name):
    path = os.path.join(os.path.dirname(recorder.binary()), "tests/e2e", name)
    if not os.access(path, os.X_OK):
        raise Skip(f"{path} is not built")
    return path


def record(bench, seconds, *args):
    need_root()
    rec = bench.record(*args)
    if not any(p["probe"] == "profile" and p["state"] == "on" for p in recorder.check()["probes"]):
        raise Skip("this kernel does not let CPUs be sampled")
    time.sleep(seconds)
    rec.stop()


def stacks(bench, service):
    rows = bench.rows("profile", "--service", service)
    if not rows:
        raise Failed(f"no samples of {service}")
    return rows


def share(rows, wanted):
    """Of the samples, in percent: those with a frame that matches."""
    hit = sum(r["samples"] for r in rows if any(re.search(wanted, f) for f in r["frames"]))
    return 100 * hit / sum(r["samples"] for r in rows)


def text(bench, *args, ok=0):
    r = run([recorder.binary(), "profile", "--db", bench.db, *args], check=False)
    if r.returncode != ok:
        raise Failed(f"rootle profile {' '.join(args)} exited {r.returncode}: {r.stderr.strip()[:200]}")
    return r.stdout


def case_named_functions(bench: Bench):
    bench.start("spend", [spender("spend")])
    record(bench, 4, "--profile-hz", "499")
    rows = stacks(bench, "spend")
    bench.at_least(sum(r["samples"] for r in rows), 300, "samples")
    bench.at_most(abs(share(rows, "^spend_most$") - 70), POINTS, "spend_most is off 70 % by", "points")
    bench.at_most(abs(share(rows, "^spend_less$") - 30), POINTS, "spend_less is off 30 % by", "points")
    bench.at_least(share(rows, "^main$"), 95, "below main", "%")
    tree = text(bench, "--service", "spend")
    bench.check(re.search(r"^ *\d+ % +\d+ % +spend_most$", tree, re.M), "the tree has spend_most with its share of its own")
    bench.check(max(map(len, tree.splitlines())) <= 80, "no line is longer than 80 columns")
    folded = text(bench, "--service", "spend", "--folded")
    bench.check(all(re.fullmatch(r"spend(;[^;]+)+ \d+", line) for line in folded.splitlines()), "folded stacks")
    svg = os.path.join(bench.folder, "flame.svg")
    text(bench, "--svg", svg)
    bench.check("spend_most" in xml.dom.minidom.parse(svg).documentElement.toxml(), "the flame graph is XML and names it")


def case_stripped(bench: Bench):
    """No names: the file and where in it, one place a function."""
    bench.start("spend_stripped", [spender("spend_stripped")])
    record(bench, 4, "--profile-hz", "499")
    rows = stacks(bench, "spend_stripped")
    own = r"^\[spend_stripped\+0x[0-9a-f]+\]$"
    bench.at_least(share(rows, own), 95, "in the stripped file", "%")
    bench.at_most(share(rows, "spend_most"), 0, "with a name that it does not have", "%")
    leaves = {}
    for r in rows:
        if re.search(own, r["frames"][-1]):
            leaves[r["frames"][-1]] = leaves.get(r["frames"][-1], 0) + r["samples"]
    most = 100 * max(leaves.values()) / sum(leaves.values())
    bench.at_most(abs(most - 70), POINTS, "the hottest function is off 70 % by", "points")


def case_kernel(bench: Bench):
    bench.start("dd", ["dd", "if=/dev/zero", "of=/dev/null", "bs=64k"])
    record(bench, 3)
    rows = stacks(bench, "dd")
    bench.at_least(share(rows, r"_\[k\]$"), 80, "in the kernel", "%")
    bench.at_least(share(rows, r"^(vfs_)?read(_iter)?_zero_\[k\]$|^(__x64_|__arm64_)?sys_read_\[k\]$|^ksys_read_\[k\]$"), 50,
                   "reading zeroes", "%")


def case_node(bench: Bench):
    """What a runtime compiles, by the names that it writes down."""
    need("node")
    script = os.path.join(bench.folder, "hot.js")
    with open(script, "w") as f:
        f.write("function hotLoop(n) { let s = 0; for (let i = 0; i < n; i++) s = (s * 31 + i) % 1000003; return s; }\n"
                "function serve() { return hotLoop(2000000); }\nfor (;;) serve();\n")
    p = bench.start("node", ["node", "--perf-basic-prof", script], cwd=bench.folder)
    bench.undo.append(lambda: os.path.exists(f"/tmp/perf-{p.pid}.map") and os.unlink(f"/tmp/perf-{p.pid}.map"))
    time.sleep(1)
    record(bench, 3)
    rows = stacks(bench, "hot.js")
    bench.at_least(share(rows, r"\bhotLoop\b"), 80, "in hotLoop", "%")


def case_of_one_process(bench: Bench):
    first, second = (bench.start(f"spend{i}", [spender("spend")]) for i in (1, 2))
    record(bench, 2)
    both = sum(r["samples"] for r in bench.rows("profile", "--service", "spend"))
    one = sum(r["samples"] for r in bench.rows("profile", "--pid", str(first.pid)))
    other = sum(r["samples"] for r in bench.rows("profile", "--pid", str(second.pid)))
    bench.equal(one + other, both, "samples of the two processes together")
    bench.check(one and other, f"{one} and {other} samples")


def case_short_processes(bench: Bench):
    """Whose mappings could not be read in time are counted, and their samples stay."""
    loop = "i=0; while [ $i -lt 3000 ]; do /bin/true; i=$((i+1)); done"
    bench.start("shell", ["sh", "-c", loop])
    record(bench, 3)
    rows = bench.rows("profile")
    with_true = [r for r in rows if r["service"] in ("true", "sh")]
    bench.at_least(sum(r["samples"] for r in with_true), 5, "samples of processes of a millisecond")


def case_cpu_that_was_away(bench: Bench):
    """The kernel keeps the event of a CPU that goes offline, but it never fires again."""
    need_root()
    online = "/sys/devices/system/cpu/cpu1/online"
    if not os.access(online, os.W_OK) or os.cpu_count() < 2 or open(online).read().strip() != "1":
        raise Skip("no CPU 1 that may be taken offline")

    def switch(to):
        with open(online, "w") as f:
            f.write(to)
    rec = bench.record("--cpu-budget", "off")
    bench.undo.append(lambda: switch("1"))
    switch("0")
    time.sleep(1.5)                     # it is looked for once a second
    switch("1")
    time.sleep(1.5)
    burner = bench.start("burner", ["taskset", "-c", "1", sys.executable, "-c", "import time\nwhile time.process_time() < 1: pass"])
    burner.wait(20)
    rec.stop()
    burnt = sum(r["samples"] for r in bench.rows("profile", "--pid", str(burner.pid)))
    bench.at_least(burnt, 40, "samples of a second on that CPU")


def case_left_out(bench: Bench):
    bench.start("spend", [spender("spend")])
    record(bench, 2, "--no-profile")
    bench.equal(text(bench, ok=3), "", "nothing on stdout, exit code 3")


if __name__ == "__main__":
    main(globals())
