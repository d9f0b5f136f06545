#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The ladder around its rungs: wrong options, what it costs to load, the lower rungs under load."""
import os

from e2e import lines_of, main, need, need_root, run
from harness import recorder

TRACEPOINTS = ",".join(f"{source}=tracepoint" for source in ("sockets", "owners", "processes", "oom", "waits"))


def case_states_in_the_hash_under_load(bench):
    """Many more connections than it has room for, one after the other: each is forgotten when it closes."""
    need_root()
    need("ab")
    port, log = bench.nginx()
    rec = bench.record("--rung", TRACEPOINTS)
    run(["ab", "-q", "-n", 40000, "-c", 8, f"http://127.0.0.1:{port}/hello.html"], timeout=120)
    rec.stop()
    logged = lines_of(log, 40000)
    edges = [e for e in bench.rows("edges") if e["port"] == port]
    bench.equal(logged, 40000, "nginx's access log")
    bench.equal(sum(e["count"] for e in edges), logged, "requests")
    # ab may have opened the next ones already when it has all its answers
    bench.check(logged <= sum(e["opened"] for e in edges) <= logged + 8, f"connections: {sum(e['opened'] for e in edges)}")
    bench.equal({(e["from"], e["to"].split(":")[0]) for e in edges}, {("ab", "nginx")}, "between")


def case_btf_that_is_none(bench):
    """One line and exit code 2, from the command line and from the configuration alike."""
    need_root()
    text, config, empty, missing = (os.path.join(bench.folder, name) for name in ("text", "rootle.yaml", "empty", "missing"))
    for path, content in ((text, "no BTF"), (config, f"btf: {text}\n"), (empty, "")):
        with open(path, "w") as f:
            f.write(content)
    wrong = "this is no BTF file, or one for another kind of machine"
    for args, said in ((["--btf", text], f"--btf {text}: {wrong}"), (["--config", config], f"--btf {text}: {wrong}"),
                       (["--btf", empty], f"--btf {empty}: {wrong}"),
                       (["--btf", missing], f"--btf {missing}: No such file or directory")):
        for command in (["check"], ["record", "--db", bench.db, "--for", "1s"]):
            r = run([recorder.binary(), *command, *args], check=False)
            bench.equal((r.returncode, r.stdout, r.stderr.strip()), (2, "", f"rootle: {said}"), command[0])
    bench.equal(run([recorder.binary(), "check", "--rung", "owners=nothing"], check=False).returncode, 2, "a rung that is none")


def case_what_the_verifier_walks(bench):
    """Its limit is a million a program; a hundred thousand take some tenths of a second to load, and older ones walk further."""
    need_root()
    for args in ([], ["--rung", TRACEPOINTS], ["--rung", "btf=absent"]):
        walked = {p["program"]: p["verified_insns"] or 0 for p in recorder.check(*args)["probes"] if p["program"]}
        worst = max(walked, key=walked.get)
        bench.at_most(walked[worst], 100000, f"instructions of {worst}")
        bench.at_most(sum(walked.values()), 250000, "of all programs")


main(globals())
