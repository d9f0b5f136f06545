# SPDX-License-Identifier: BSD-2-Clause
"""The frame of an end-to-end test file: cases that are run one after the other, checks that say what they found.

A file defines functions named case_*, each given a Bench (a folder, servers on free ports, a way to record), and ends with
main().  A check that fails is printed and counted, and the case goes on; a Failed ends its case.  Exit 0, 1, or 77: skipped.
"""
import os
import random
import re
import shutil
import socket
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(HERE))

from harness import recorder                                                    # noqa: E402
from harness.process import Failed, Process, run, terminate_on_signals, wait_listening   # noqa: E402,F401


class Skip(Exception):
    """This machine cannot run the case; the text says why."""


_given = set()


def free_port():
    """A port that nobody has, never the same twice, and below those that the kernel gives to clients meanwhile."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        clients = int(f.read().split()[0])
    while True:
        port = random.randrange(10000, clients) if clients > 12000 else 0
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            port = s.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def finish(bench, rec):
    """Ends the recording: everything is in the file, and nothing is known to be lost."""
    rec.stop()
    nothing_lost(bench, recorder.query("edges", bench.db, "--last", "1h")[-1]["coverage"])


def nothing_lost(bench, coverage):
    """What was, where and why, is in the log of a run that nobody was there to see."""
    bench.check(coverage["lost_events"] == 0, f"events lost: {coverage['lost_events'] and coverage['loss']}")


def lines_of(log, wanted):
    """Lines of a server's log once it has written those that are wanted: it may keep the last ones for half a second."""
    until = time.monotonic() + 3
    while True:
        with open(log) as f:
            n = sum(1 for _ in f)
        if n >= wanted or time.monotonic() > until:
            return n
        time.sleep(0.1)


def need(*programs):
    for program in programs:
        if not shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"):
            raise Skip(f"{program} is not installed")


def need_root():
    if os.geteuid() != 0:
        raise Skip("needs root")


class Bench:
    """What a case works with; everything is gone when it ends."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="rootle-e2e.")
        os.chmod(self.folder, 0o755)
        self.processes, self.failures, self.undo = [], 0, []
        self.db = os.path.join(self.folder, "rec.db")

    def check(self, good, what):
        print(f"  {'ok  ' if good else 'FAIL'} {what}", flush=True)
        self.failures += not good

    def equal(self, got, want, what):
        self.check(got == want, f"{what}: {got}" + ("" if got == want else f", wanted {want}"))

    def at_most(self, got, most, what, unit=""):
        self.check(got <= most, f"{what}: {got:.4g} {unit} (at most {most} {unit})")

    def at_least(self, got, least, what, unit=""):
        self.check(got >= least, f"{what}: {got:.4g} {unit} (at least {least} {unit})")

    def start(self, name, argv, port=None, **kw):
        p = Process(name, argv, log=os.path.join(self.folder, f"{name}.log"), **kw)
        self.processes.append(p)
        if port:
            wait_listening(p, port)
        return p

    def record(self, *args, **kw):
        """A recorder that attached; without any CPU budget, because exact counts are what is looked at."""
        rec = recorder.Recorder(self.db, "--cpu-budget", "off", *args, **kw)
        self.processes.append(rec.process)
        return rec

    def rows(self, command, *args):
        return [r for r in recorder.query(command, self.db, "--last", "1h", *args, ok=(0, 3)) if r["type"] != "summary"]

    def count(self, port, wanted):
        """Requests to a port whose operation matches the pattern, over the whole recording."""
        pattern = re.compile(wanted, re.I)
        return sum(r["count"] for r in self.rows("requests") if r["port"] == port and pattern.search(r["op"] or ""))

    def sums(self, port, key="count"):
        """{operation: sum of a column} of what was asked of a port."""
        found = {}
        for r in self.rows("requests"):
            if r["port"] == port:
                found[r["op"]] = found.get(r["op"], 0) + (r.get(key) or 0)
        return found

    def close(self):
        for p in reversed(self.processes):
            p.stop()
        for undo in reversed(self.undo):
            undo()
        shutil.rmtree(self.folder, ignore_errors=True)

    # servers

    def certificate(self, name):
        """(key, certificate) for this name, signed by itself."""
        need("openssl")
        key, cert = f"{self.folder}/{name}.key", f"{self.folder}/{name}.pem"
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-keyout", key, "-out", cert, "-subj", f"/CN={name}"])
        return key, cert

    def nginx(self, http2=False, tls=False):
        """(port, access log): one static page, /hello.html. http2: with prior knowledge, or chosen inside of TLS."""
        need("nginx")
        key, cert = self.certificate("127.0.0.1") if tls else (None, None)
        port, root = free_port(), os.path.join(self.folder, "nginx")
        os.makedirs(f"{root}/www")
        with open(f"{root}/www/hello.html", "w") as f:
            f.write("hello\n" * 16)
        listen = f"{' ssl' * tls}{' http2' * http2}; " + (f"ssl_certificate {cert}; ssl_certificate_key {key}; " if tls else "")
        os.chmod(root, 0o755)
        temps = "".join(f"{t}_temp_path {root}/{t}; " for t in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(f"{root}/nginx.conf", "w") as f:
            f.write(f"daemon off; pid {root}/pid; worker_processes 2; events {{ worker_connections 2048; }}\n"
                    f"http {{ {temps} access_log {root}/access.log combined buffer=64k flush=500ms;\n"
                    f"keepalive_requests 1000000; server {{ listen 127.0.0.1:{port}{listen} root {root}/www; }} }}\n")
        self.start("nginx", ["nginx", "-p", root, "-c", f"{root}/nginx.conf", "-e", f"{root}/error.log"], port)
        return port, f"{root}/access.log"

    def redis(self):
        need("redis-server")
        port = free_port()
        self.start("redis", ["redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", self.folder],
                   port)
        return port

    def postgres(self):
        """A cluster of its own, filled by pgbench -i, on a TCP port; user and database are "bench"."""
        found = sorted(os.listdir("/usr/lib/postgresql")) if os.path.isdir("/usr/lib/postgresql") else []
        if not found:
            raise Skip("PostgreSQL is not installed")
        need("pgbench", "runuser")
        programs, port, data = f"/usr/lib/postgresql/{found[-1]}/bin", free_port(), os.path.join(self.folder, "pg")
        os.mkdir(data, 0o700)
        shutil.chown(data, "postgres")
        run(["runuser", "-u", "postgres", "--", f"{programs}/initdb", "-D", data, "-U", "bench", "-A", "trust",
             "--no-sync"], cwd="/")
        self.start("postgres", [f"{programs}/postgres", "-D", data, "-c", f"port={port}", "-c", "fsync=off", "-c",
                                f"unix_socket_directories={data}", "-c", "listen_addresses=127.0.0.1"], port,
                   user="postgres", cwd=data)
        until = time.monotonic() + 10
        while run(["createdb", "-h", "127.0.0.1", "-p", port, "-U", "bench", "bench"], check=False).returncode:
            if time.monotonic() > until:
                raise Failed("PostgreSQL lets nobody in")
            time.sleep(0.2)
        run(["pgbench", "-h", "127.0.0.1", "-p", port, "-U", "bench", "-i", "-s", "1", "-q", "bench"])
        return port


def _run_case(case):
    """True passed, False failed, None skipped."""
    name, began, bench = case.__name__[5:].replace("_", " "), time.monotonic(), Bench()
    print(f"{name}:", flush=True)
    try:
        case(bench)
    except Skip as e:
        print(f"  SKIP {e}", flush=True)
        return None
    except Failed as e:
        bench.check(False, str(e))
    except Exception:                   # a broken test is a failed test, and the next case still runs
        bench.check(False, traceback.format_exc())
    finally:
        bench.close()
    print(f"  {time.monotonic() - began:.1f} s", flush=True)
    return bench.failures == 0


def main(names):
    """Runs the case_* functions of a module (its globals()), or those named on the command line."""
    terminate_on_signals()
    chosen = [v for k, v in names.items() if k.startswith("case_") and (len(sys.argv) < 2 or k[5:] in sys.argv[1:])]
    results = [_run_case(case) for case in chosen]
    passed, failed, skipped = (sum(r is x for r in results) for x in (True, False, None))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed or not results else 0 if passed else 77)
