#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bad input: one line, the right exit code, the file untouched."""
import hashlib
import os
import sqlite3

from e2e import main, run
from harness import recorder

LINE = '{"type":"requests","t":1700000000,"dur_s":1,"from":"a","to":"b","count":10,"avg_ms":1}\n'


def rootle(*args, **kw):
    return run([recorder.binary(), *args], check=False, timeout=30, **kw)


def refused(bench, code, what, *args, **kw):
    r = rootle(*args, **kw)
    bench.equal(r.returncode, code, f"{what}: exit status")
    bench.equal(len(r.stderr.strip().splitlines()), 1, f"{what}: lines on stderr ({r.stderr.strip()[:90]!r})")


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def recording(bench):
    source = os.path.join(bench.folder, "one.ndjson")
    with open(source, "w") as f:
        f.write(LINE)
    rootle("import", "--db", bench.db, source)
    return bench.db


def case_usage(bench):
    refused(bench, 2, "unknown command", "explode")
    refused(bench, 2, "unknown flag", "services", "--colour")
    refused(bench, 2, "bad time", "services", "--db", recording(bench), "--since", "half past nine")
    refused(bench, 2, "bad duration", "record", "--for", "ten")
    refused(bench, 2, "unknown scenario", "demo", "no-such-scenario")
    refused(bench, 2, "empty mark", "mark", "--db", recording(bench), "")
    refused(bench, 2, "a date that does not exist", "services", "--db", recording(bench), "--since", "2023-02-30")
    refused(bench, 2, "a list without status", "services", "--db", recording(bench), "--status", ",,")
    refused(bench, 2, "latencies that nothing has", "traces", "--db", recording(bench), "--min-latency", "2s", "--max-latency", "1s")
    refused(bench, 2, "packets without probes", "record", "--for", "1s", "--no-bpf", "--write-pcap", "x.pcap")


def case_bad_configuration(bench):
    config = os.path.join(bench.folder, "rootle.yaml")
    with open(config, "w") as f:
        f.write("keep: [1h\n")
    refused(bench, 2, "broken YAML", "services", "--config", config, "--db", recording(bench))
    with open(config, "w") as f:
        f.write("[" * 200000)
    refused(bench, 2, "YAML nested without end", "services", "--config", config, "--db", recording(bench))


def case_hostile_protocols(bench):
    bomb = "protocols:\n- &a {name: a, ports: [1], lines: {}}\n" + "".join(
        f"- &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 8)}]\n" for i in range(20))
    files = {"aliases of aliases": bomb.encode(), "an alias of itself": b"protocols: &p [*p]\n", "bytes": bytes(range(256)) * 100,
             "nested without end": b"protocols: " + b"[" * 50000, "too much": b"#" * 3000000, "a number": b"protocols: 7\n",
             "a port that is none": b"protocols: [{name: ab, ports: [99999999999999], lines: {}}]\n"}
    path = os.path.join(bench.folder, "protocols.yaml")
    db = recording(bench)
    for what, content in files.items():
        with open(path, "wb") as f:
            f.write(content)
        refused(bench, 2, f"protocols that are {what}", "record", "--db", db, "--for", "1s", "--no-bpf", "--protocols", path)
    for what in ("/dev/zero", bench.folder, os.path.join(bench.folder, "none")):
        refused(bench, 2, f"protocols from {what}", "record", "--db", db, "--for", "1s", "--no-bpf", "--protocols", what)


def case_foreign_files(bench):
    text, other = os.path.join(bench.folder, "text.db"), os.path.join(bench.folder, "other.db")
    with open(text, "w") as f:
        f.write("this is not a database, but long enough to be looked at " * 40)
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()
    for path in (text, other):
        before = digest(path)
        refused(bench, 1, f"{os.path.basename(path)}, services", "services", "--db", path)
        refused(bench, 1, f"{os.path.basename(path)}, import", "import", "--db", path, "/dev/null")
        bench.equal(digest(path), before, f"{os.path.basename(path)} is untouched")
    refused(bench, 1, "no such file", "services", "--db", os.path.join(bench.folder, "none.db"))
    bench.check(not os.path.exists(os.path.join(bench.folder, "none.db")), "reading makes no file")


def case_truncated_file(bench):
    path = recording(bench)
    os.truncate(path, 3000)
    before = digest(path)
    refused(bench, 1, "truncated", "services", "--db", path)
    bench.equal(digest(path), before, "truncated: untouched")


def case_refused_import_changes_nothing(bench):
    path = recording(bench)
    bad = os.path.join(bench.folder, "bad.ndjson")
    with open(bad, "w") as f:
        f.write(LINE + LINE + '{"type":"requests","t":17000\n')
    before = rootle("export", "--db", path).stdout
    r = rootle("import", "--db", path, bad)
    bench.equal(r.returncode, 1, "exit status")
    bench.check("3" in r.stderr, f"the line number is named: {r.stderr.strip()!r}")
    bench.equal(rootle("export", "--db", path).stdout, before, "what is in the file")


def case_decades(bench):
    """Four windows before a window of 250 years are more than 64 bits of nanoseconds."""
    far = os.path.join(bench.folder, "far.ndjson")
    with open(far, "w") as f:
        f.write(LINE + LINE.replace("1700000000", "9000000000"))
    bench.equal(rootle("import", "--db", bench.db, far).returncode, 0, "exit status of import")
    said = rootle("explain", "--db", bench.db, "--since", "2023-01-01", "--json")
    bench.equal((said.returncode, "runtime error" in said.stderr), (0, False), "explain")


def case_round_trip(bench):
    path, again = recording(bench), os.path.join(bench.folder, "again.db")
    out = os.path.join(bench.folder, "out.ndjson")
    with open(out, "w") as f:
        f.write(rootle("export", "--db", path, "--format", "ndjson").stdout)
    bench.equal(rootle("import", "--db", again, out).returncode, 0, "exit status of import")
    bench.equal(sorted(rootle("export", "--db", again).stdout.splitlines()),
                sorted(rootle("export", "--db", path).stdout.splitlines()), "exported again")


main(globals())
