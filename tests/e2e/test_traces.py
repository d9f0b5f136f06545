#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Traces as people see them: a server that calls another, recorded with real probes, listed, filtered, followed and drawn."""
import json
import select
import subprocess
import time

from e2e import free_port, main, need, need_root, run
from harness import recorder

# Each thread of the front asks the back twice, one after the other, and answers 502 where one of them failed.
SERVER = """
import http.client, http.server, sys
port, back = int(sys.argv[1]), int(sys.argv[2])
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        code = 500 if not back and self.path.startswith("/bad") else 200
        for _ in range(2 if back else 0):
            c = http.client.HTTPConnection("127.0.0.1", back)
            c.request("GET", self.path)
            r = c.getresponse()
            code = 502 if r.status >= 500 else code
            r.read()
            c.close()
        self.send_response(code)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *a):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
if len(sys.argv) > 3:                   # its handshakes are in the thread that accepts
    import ssl
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def serve(bench, *certificate):
    back, front = free_port(), free_port()
    for name, port, other in (("back", back, 0), ("front", front, back)):
        with open(f"{bench.folder}/{name}.py", "w", encoding="utf-8") as out:
            out.write(SERVER)
        bench.start(name, ["/usr/bin/python3", f"{bench.folder}/{name}.py", port, other, *(certificate if other else ())], port=port)
    return front


def ask(port, path, times):
    for _ in range(times):
        run(["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{port}{path}"])


def traces(bench, *args):
    return [row for row in recorder.query("traces", bench.db, *args, ok=(0, 3)) if row["type"] == "trace"]


def case_traces(bench):
    need_root()
    port = serve(bench)
    rec = bench.record()
    follower = recorder.popen("traces", "--db", bench.db, "--follow", "--json", "--since", "5m", stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True)
    try:
        ask(port, "/items/7", 10)
        ask(port, "/bad/7", 5)
        deadline = time.monotonic() + 15                     # children end before parents: linked some ticks later
        while time.monotonic() < deadline and len([t for t in traces(bench, "--service", "front.py") if t["spans"] == 3]) < 6:
            time.sleep(0.3)
        ready = select.select([follower.stdout], [], [], 15)[0]
        told = json.loads(follower.stdout.readline()) if ready else {"type": "nothing"}
    finally:
        follower.terminate()
        rest = follower.stdout.read().splitlines()
        bench.equal(follower.wait(10), 0, "exit code of --follow, ended by SIGTERM")
    rec.settle()
    bench.equal(told["type"], "trace", "first line of --follow into a pipe")
    bench.equal(json.loads(rest[-1])["schema"], "traces/1", "last line of --follow")
    failed = traces(bench, "--service", "front.py", "--status", "502")
    bench.at_least(len(failed), 1, "traces in which the front answered 502")
    bench.equal({t["status"] for t in failed}, {"502"}, "status of their first hop")
    bench.equal({t["trace"] for t in traces(bench, "--op", "GET /bad/*", "--status", "error")} >= {t["trace"] for t in failed}, True,
                "by operation and error they are there too")
    took = [t["dur_ms"] for t in traces(bench)]
    bench.equal(took, sorted(took, reverse=True), "the slowest first")
    whole = next((t for t in failed if t["spans"] == 3), None)
    bench.check(whole, "one of them has its two calls")
    rows = recorder.query("traces", bench.db, whole["trace"][:12])
    spans = [row for row in rows if row["type"] == "span"]
    bench.equal([(s["service"], s["depth"], s["status"]) for s in spans],
                [("front.py", 0, "502"), ("back.py", 1, "500"), ("back.py", 1, "500")], "its hops")
    bench.equal({s["parent"] for s in spans[1:]}, {spans[0]["span"]}, "who caused them")
    bench.check(all(s["method"] and 0 < s["confidence"] <= 1 for s in spans[1:]), "how that was found, and how sure it is")
    bench.check(spans[0]["offset_ms"] <= spans[1]["offset_ms"] <= spans[2]["offset_ms"], "in the order of time")
    drawn = run([recorder.binary(), "traces", "--quiet", "--db", bench.db, whole["trace"]]).stdout
    bench.equal(sum("back.py" in line for line in drawn.splitlines()), 2, "calls in the drawing")


def case_behind_tls(bench):
    """What is read inside of TLS causes calls like any other request; the first of a process comes before it is known to call."""
    need_root()
    key, cert = bench.certificate("127.0.0.1")
    port = serve(bench, cert, key)
    rec = bench.record("--tls", "--tls-budget", "off", "--all-traces")
    for _ in range(20):
        run(["curl", "-sk", "-o", "/dev/null", f"https://127.0.0.1:{port}/buy"])
    rec.settle()
    rec.stop()
    whole = [t for t in traces(bench, "--service", "front.py", "--limit", "100") if t["spans"] == 3]
    bench.at_least(len(whole), 18, "of 20 requests: traces with both calls")


if __name__ == "__main__":
    main(globals())
