# SPDX-License-Identifier: BSD-2-Clause
"""The truth about who called whom for which request, and what a recording says of it.

A driver asks a service for /m/N, with many requests in flight; the service asks one backend for /b/N and a cache for the key kN.  So every
hop says in its operation (recorded with --raw) which request it belongs to, and nothing else in it does: rootle does not look at that when it
links.  Each request of the service is a parent of exactly its own calls.
"""
import collections
import dataclasses
import hashlib
import os
import re
import socket
import sqlite3
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))

from e2e import Failed, Skip, free_port, need, run, wait_listening       # noqa: E402

# Every link is judged, not only those of the traces that are kept as examples.
RECORD = ("--all-traces",)
NUMBERS = range(100_000, 110_000)     # requests that may be asked for
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "rootle")
NGINX = """daemon off; pid {folder}/pid; worker_processes 2; events {{ worker_connections 1024; }}
http {{ {temps} access_log off; keepalive_requests 1000000;
upstream web {{ server 127.0.0.1:{web}; keepalive 32; }}
server {{ listen 127.0.0.1:{port} backlog=256;
location /m/ {{ proxy_pass http://web/b/; proxy_http_version 1.1; proxy_set_header Connection ""; }} }} }}
"""


def _python(script, *args):
    def start(bench, port, web, cache):
        return ["/usr/bin/python3", os.path.join(HERE, script), port, web, cache, *args], {}
    return start


def _gunicorn(bench, port, web, cache):
    need("gunicorn")
    return ["gunicorn", "--workers", 8, "--worker-class", "sync", "--bind", f"127.0.0.1:{port}", "--backlog", 256, "--chdir", HERE,
            "--worker-tmp-dir", bench.folder, "wsgi:app"], {"WEB": str(web), "CACHE": str(cache)}


def _node(*args):
    def start(bench, port, web, cache):
        need("node")
        return ["node", os.path.join(HERE, "node.js"), port, web, cache, *args], {}
    return start


def _built(source, name, argv):
    """A program that is built once, as long as its source stays the same."""
    with open(os.path.join(HERE, source), "rb") as f:
        path = os.path.join(CACHE, f"{name}-{hashlib.sha256(f.read()).hexdigest()[:12]}")
    if not os.path.exists(path):
        os.makedirs(CACHE, exist_ok=True)
        run([*argv, "-o", f"{path}.{os.getpid()}", os.path.join(HERE, source)], timeout=120,
            env={**os.environ, "GO111MODULE": "off", "GOCACHE": os.path.join(CACHE, "go"), "GOFLAGS": ""})
        os.replace(f"{path}.{os.getpid()}", path)
    return path


def _go(*args):
    def start(bench, port, web, cache):
        need("go")
        return [_built("serve.go", "oracle-go", ["go", "build"]), port, web, cache, *args], {}
    return start


def _prefork(bench, port, web, cache):
    need("gcc")
    return [_built("prefork.c", "oracle-prefork", ["gcc", "-O1", "-D_GNU_SOURCE"]), port, web, cache], {}


def _nginx(bench, port, web, cache):
    need("nginx")
    folder = os.path.join(bench.folder, f"nginx-{port}")
    os.makedirs(folder)
    temps = "".join(f"{t}_temp_path {folder}/{t}; " for t in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(f"{folder}/nginx.conf", "w") as f:
        f.write(NGINX.format(folder=folder, temps=temps, web=web, port=port))
    os.chmod(folder, 0o755)
    return ["nginx", "-p", folder, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"], {}


@dataclasses.dataclass
class Kind:
    name: str
    start: object
    calls: int = 2              # of each request
    exclusive: bool = False     # one request at a time in a thread or process of its own


KINDS = [
    Kind("thread", _python("thread.py"), exclusive=True),
    Kind("prefork", _prefork, exclusive=True),
    Kind("gunicorn", _gunicorn, exclusive=True),
    Kind("nginx", _nginx, calls=1),
    Kind("node", _node()),
    Kind("node-own", _node("own")),
    Kind("go", _go()),
    Kind("go-own", _go("own")),
    Kind("asyncio", _python("aio.py", "pooled")),
    Kind("asyncio-own", _python("aio.py", "own")),
    Kind("asyncio-both", _python("aio.py", "gather")),
    Kind("asyncio-mix", _python("aio.py", "mixed")),
    Kind("pool", _python("pool.py")),
]


class Backends:
    def __init__(self, bench):
        need("memcached")
        self.web, self.cache = free_port(), free_port()
        bench.start("backend", ["/usr/bin/python3", os.path.join(HERE, "backend.py"), self.web], self.web)
        bench.start("memcached", ["memcached", "-l", "127.0.0.1", "-p", self.cache, "-u", "nobody", "-t", 2], self.cache)
        with socket.create_connection(("127.0.0.1", self.cache)) as s:
            s.sendall(b"".join(b"set k%d 0 0 1 noreply\r\nx\r\n" % n for n in NUMBERS) + b"version\r\n")
            s.recv(64)


class Service:
    """One kind. Services that share backends are asked for numbers of their own, so that it is known whose hops they are."""

    def __init__(self, bench, kind, backends=None):
        self.kind, self.backends, self.port = kind, backends or Backends(bench), free_port()
        argv, env = kind.start(bench, self.port, self.backends.web, self.backends.cache)
        self.process = bench.start(kind.name, argv, env=env)
        wait_listening(self.process, self.port)
        self.ports = (self.port, self.backends.web, self.backends.cache)

    def drive(self, first, count, concurrent, seconds=10, ids=False):
        """How many requests from number `first` on were answered."""
        r = run(["/usr/bin/python3", os.path.join(HERE, "drive.py"), self.port, first, count, concurrent, seconds, *["ids"] * ids],
                check=False, timeout=seconds + 30)
        if r.returncode:
            raise Failed(f"{self.kind.name}: {r.stderr.strip()[-300:]}")
        return int(r.stdout)


@dataclasses.dataclass
class Hop:
    port: int
    n: int
    span: str
    parent: str
    method: str
    confidence: float
    t_ns: int
    dur_ns: int


def hops(db):
    """Of a recording that was made with --raw: every span that carries a number, by its id."""
    found = {}
    with sqlite3.connect(f"file:{db}?mode=ro", uri=True) as sql:
        for span, parent, method, confidence, t_ns, dur_ns, port, op in sql.execute(
                "SELECT p.span, p.parent, p.method, p.confidence, p.t_ns, p.dur_ns, e.port, o.text FROM span p "
                "JOIN edge e ON e.id = p.edge JOIN op o ON o.id = p.op"):
            if number := re.search(r"[/k](\d+)\s*$", op):
                found[span] = Hop(port, int(number.group(1)), span, parent, method, confidence, t_ns, dur_ns)
    return found


@dataclasses.dataclass
class Verdict:
    """Links of one service: asked for, seen, and joined as they should be or not."""
    asked: int = 0              # calls that the service has made
    seen: int = 0               # of them: hops in the recording
    right: int = 0
    wrong: int = 0              # joined to another request, or what has no parent to one
    methods: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    examples: list = dataclasses.field(default_factory=list)      # (what, hop, parent that it was given)

    @property
    def precision(self):
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self):
        return self.right / self.asked if self.asked else 0.0

    @property
    def wrong_share(self):
        return self.wrong / self.asked if self.asked else 0.0

    def add(self, other):
        for name in ("asked", "seen", "right", "wrong"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.methods.update(other.methods)


def judge(found, service, first, answered):
    """What the hops say of requests first … first + answered - 1 of a service."""
    v = Verdict(asked=answered * service.kind.calls)
    for hop in found.values():
        if hop.port not in service.ports or not first <= hop.n < first + answered:
            continue
        parent = found.get(hop.parent) if hop.parent else None
        v.seen += hop.port != service.port
        if not hop.parent:
            if hop.port != service.port:
                v.examples.append(("missing", hop, None))
            continue
        if hop.port != service.port and parent and parent.port == service.port and parent.n == hop.n:
            v.right += 1
            v.methods[hop.method] += 1
        else:
            v.wrong += 1
            v.methods[f"{hop.method}!"] += 1
            v.examples.append(("wrong", hop, parent))
    return v
