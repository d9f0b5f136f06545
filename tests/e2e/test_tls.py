#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""TLS: what handshakes tell to somebody who only sees packets, and what the libraries tell of what is inside."""
import json
import os
import re
import shutil
import socket
import ssl
import time

from e2e import Bench, Failed, free_port, main, need, need_root, run     # noqa: F401

HELLO = "GET /hello.html"


def certificates(bench):
    """A key, a certificate for shop.test, an expired one for old.test, and a file that trusts both."""
    need("openssl")
    f = bench.folder
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
         "-keyout", f"{f}/key.pem", "-out", f"{f}/good.pem", "-subj", "/CN=shop.test",
         "-addext", "subjectAltName=DNS:shop.test,IP:127.0.0.1"])
    run(["openssl", "req", "-new", "-key", f"{f}/key.pem", "-subj", "/CN=old.test", "-out", f"{f}/old.csr"])
    run(["openssl", "x509", "-req", "-in", f"{f}/old.csr", "-signkey", f"{f}/key.pem", "-days", "-1", "-out", f"{f}/old.pem"])
    with open(f"{f}/trusted.pem", "w") as out:
        for name in ("good", "old"):
            with open(f"{f}/{name}.pem") as part:
                out.write(part.read())


def tls_nginx(bench, protocols="TLSv1.2 TLSv1.3", more=""):
    """(port, access log) of an nginx with a certificate by name; needs certificates()."""
    need("nginx")
    port, f = free_port(), bench.folder
    root = f"{f}/nginx"
    os.makedirs(f"{root}/www")
    with open(f"{root}/www/hello.html", "w") as out:
        out.write("hello\n" * 16)
    os.chmod(root, 0o755)
    temps = "".join(f"{t}_temp_path {root}/{t}; " for t in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    one = ("server {{ listen 127.0.0.1:{port} ssl{default}; server_name {name}; ssl_certificate {f}/{cert}.pem; "
           "ssl_certificate_key {f}/key.pem; ssl_protocols {protocols}; {more} root {root}/www; }}\n")
    with open(f"{root}/nginx.conf", "w") as out:
        out.write(f"daemon off; pid {root}/pid; worker_processes 2; events {{ worker_connections 2048; }}\n"
                  f"http {{ {temps} access_log {root}/access.log combined buffer=64k flush=500ms;\n"
                  "keepalive_requests 1000000;\n")
        for name, cert, default in (("shop.test", "good", " default_server"), ("old.test", "old", "")):
            out.write(one.format(**locals()))
        out.write("}\n")
    bench.start("nginx", ["nginx", "-p", root, "-c", f"{root}/nginx.conf", "-e", f"{root}/error.log"], port)
    return port, f"{root}/access.log"


def curl(bench, port, name, *args, times=1):
    """How many of so many connections succeeded."""
    good = 0
    for _ in range(times):
        good += run(["curl", "-s", "-o", "/dev/null", "--cacert", f"{bench.folder}/trusted.pem", "--resolve",
                     f"{name}:{port}:127.0.0.1", *args, f"https://{name}:{port}/hello.html"], check=False).returncode == 0
    return good


def cut_short(port, times):
    """A TLS 1.3 client that hangs up when the server has said its part."""
    for _ in range(times):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        said, heard = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(heard, said, server_hostname="shop.test")
        try:
            client.do_handshake()
        except ssl.SSLWantReadError:
            pass
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(said.read())
            s.recv(65536)


def handshakes(bench, port):
    """Rows of handshakes of the edges to a port: {(version, sni, result, sender): count}."""
    found = {}
    for edge in bench.rows("edges"):
        if edge["port"] != port or not edge["tls"]:
            continue
        for r in edge["tls"]["results"]:
            key = (r["version"], r["sni"], r["result"], r["sender"])
            found[key] = found.get(key, 0) + r["count"]
    return found


def case_handshakes_from_packets(bench):
    need_root()
    need("curl")
    certificates(bench)
    port, _ = tls_nginx(bench)
    rec = bench.record()
    good = curl(bench, port, "shop.test", "--tls-max", "1.2", times=7) + curl(bench, port, "shop.test", times=5)
    bad = curl(bench, port, "old.test", "--tls-max", "1.2", times=3) + curl(bench, port, "old.test", times=2)
    plain = run(["curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{port}/"], check=False).returncode
    cut_short(port, 4)
    rec.settle()
    rec.stop()
    bench.equal((good, bad, plain), (12, 0, 0), "curl succeeded with good certificates, expired ones, without TLS")
    bench.equal(handshakes(bench, port), {
        ("1.2", "shop.test", "ok", None): 7, ("1.3", "shop.test", "ok", None): 5,
        ("1.2", "old.test", "certificate_expired", "client"): 3, ("1.3", "old.test", "certificate_expired", "client"): 2,
        ("1.3", "shop.test", "cut_short", None): 4}, "handshakes")
    bench.equal(sum(r["count"] for r in bench.rows("requests") if r["port"] == port and r["protocol"] == "tls"), 0,
                "requests in what is encrypted")
    subjects = {r["subject"] for e in bench.rows("edges") if e["port"] == port for r in (e["tls"] or {"results": []})["results"]}
    bench.equal(subjects, {None, "shop.test", "old.test"}, "subjects of certificates (1.3 hides them)")
    events = [(e["kind"], e["detail"]) for e in bench.rows("events") if e["kind"].startswith("tls_")]
    for kind, words in (("tls_failure", "certificate_expired from the client; TLS 1.2, for old.test"),
                        ("tls_failure", "cut_short"), ("tls_expired", "certificate of old.test expired")):
        bench.check(any(k == kind and words in d for k, d in events), f"event {kind}: {words}")
    bench.check(len(events) <= 8, f"{len(events)} events: what goes on failing is told once a minute")


def case_refused_by_the_server(bench):
    """Versions that do not meet, a client without the certificate that is asked for, and a server that speaks no TLS."""
    need_root()
    need("curl")
    certificates(bench)
    port, _ = tls_nginx(bench, "TLSv1.3")
    os.mkdir(f"{bench.folder}/plain")
    picky, plain, f = free_port(), free_port(), bench.folder
    bench.start("s_server", ["openssl", "s_server", "-accept", f"127.0.0.1:{picky}", "-Verify", "1", "-www", "-cert",
                             f"{f}/good.pem", "-key", f"{f}/key.pem", "-CAfile", f"{f}/good.pem"], picky)
    bench.start("plain", ["python3", "-m", "http.server", "--bind", "127.0.0.1", plain, "--directory", f"{f}/plain"], plain)
    rec = bench.record()
    curl(bench, port, "shop.test", "--tls-max", "1.2", times=3)
    curl(bench, picky, "shop.test", times=3)
    curl(bench, picky, "shop.test", "--tls-max", "1.2", times=2)
    curl(bench, plain, "shop.test", times=2)
    rec.settle()
    rec.stop()
    bench.equal(handshakes(bench, port), {(None, "shop.test", "protocol_version", "server"): 3}, "versions that do not meet")
    bench.equal(handshakes(bench, picky), {
        ("1.3", "shop.test", "alert", "server"): 3, ("1.2", "shop.test", "handshake_failure", "server"): 2},
        "a client without certificate (the alert of 1.3 is encrypted)")
    bench.equal(handshakes(bench, plain), {(None, "shop.test", "not_tls", "server"): 2}, "a server without TLS")


def ab(port, n, *args):
    """Loads a port; returns how many requests ab says were answered."""
    said = run(["ab", "-q", "-n", n, "-c", 4, *args, f"https://127.0.0.1:{port}/hello.html"], timeout=60).stdout
    return int(re.search(r"Complete requests:\s+(\d+)", said).group(1)) - int(re.search(r"Non-2xx responses:\s+(\d+)|$", said).group(1) or 0)


def inside(bench, *args):
    """A recorder that sees inside of TLS."""
    return bench.record("--tls-budget", "off", *args)


def counted(bench, rec, port, wanted, what):
    """Exactly so many, none of them failed, and nothing lost."""
    from harness import recorder
    rec.settle()
    rec.stop()
    bench.equal(bench.count(port, "^GET /hello.html$"), wanted, what)
    bench.equal(sum(r["errors"] for r in bench.rows("requests") if r["port"] == port), 0, "errors")
    bench.equal(recorder.query("requests", bench.db, "--last", "1h")[-1]["coverage"]["lost_events"], 0, "events lost")


def case_both_ends(bench):
    """Two views of the same plaintext are one request; a connection each, then keep-alive."""
    need_root()
    need("ab", "bpftool")
    from harness import recorder
    before = recorder.programs()
    certificates(bench)
    port, log = tls_nginx(bench)
    rec = inside(bench, "--tls")
    done = ab(port, 1000) + ab(port, 1000, "-k") + curl(bench, port, "shop.test", "--tls-max", "1.2", times=5)
    counted(bench, rec, port, done, "GET /hello.html counted of nginx, ab and curl")
    with open(log) as f:
        bench.equal(sum(1 for _ in f), done, "nginx's access log")
    bench.equal({r["protocol"] for r in bench.rows("requests") if r["port"] == port}, {"http"}, "protocol")
    bench.check(re.search(r"TLS plaintext of nginx \(pid \d+, openssl\): about \d+ calls/s x [\d.]+ us = [\d.]+ % of a core",
                          rec.stderr()), "the cost is said before")
    bench.check(rec.stderr().find("TLS plaintext of nginx") < rec.stderr().find("recording: "), "and before it attaches")
    bench.equal(recorder.left_behind(before), [], "left behind")
    with open(bench.db, "rb") as f:
        bench.check(b"ApacheBench" not in f.read(), "no header is in the file")


def case_one_process_alone(bench):
    """A server whose client is not looked at, and what it starts; the budget ends it."""
    need_root()
    need("ab", "bpftool")
    certificates(bench)
    port, _ = tls_nginx(bench)
    nginx = bench.processes[-1].pid
    rec = inside(bench, "--tls-pid", str(nginx))
    bench.check(hooks() > 0, "probes are attached meanwhile")
    counted(bench, rec, port, ab(port, 500, "-k"), "GET /hello.html of nginx's workers")
    os.unlink(bench.db)
    rec = bench.record("--tls-pid", str(nginx), "--tls-budget", "0.0001%")
    ab(port, 500)
    until = time.monotonic() + 10
    while hooks() and time.monotonic() < until:
        time.sleep(0.2)
    bench.equal(hooks(), 0, "probes left by the budget")
    rec.settle()
    rec.stop()
    bench.check(any("TLS plaintext ends: it took" in (r["detail"] or "") for r in bench.rows("events")), "and says so on the timeline")


def hooks():
    """Probes on TLS libraries that are attached now, anybody's."""
    programs = {p["id"] for p in json.loads(run(["bpftool", "-j", "prog", "show"]).stdout) if p.get("name", "").startswith("tls_")}
    return sum(link.get("prog_id") in programs for link in json.loads(run(["bpftool", "-j", "link", "show"]).stdout))


NODE = """
const fs = require('fs'), [port, key, cert] = process.argv.slice(2);
require('https').createServer({key: fs.readFileSync(key), cert: fs.readFileSync(cert)}, (q, r) => {
  r.setHeader('Content-Length', 6); r.end('hello\\n'); }).listen(port, '127.0.0.1');
"""


def case_node(bench):
    """Its own OpenSSL, in the program, which works on memory: the socket is not used within the call."""
    need_root()
    need("node", "ab")
    certificates(bench)
    port, f = free_port(), bench.folder
    with open(f"{f}/server.js", "w") as out:
        out.write(NODE)
    node = bench.start("node", ["node", f"{f}/server.js", port, f"{f}/key.pem", f"{f}/good.pem"], port)
    rec = inside(bench, "--tls-pid", str(node.pid))
    counted(bench, rec, port, ab(port, 400) + ab(port, 600, "-k"), "GET /hello.html of node")


PYTHON = """
import ssl, sys, time, http.client
time.sleep(3)
context = ssl.create_default_context(cafile=sys.argv[2])
for n in (1, 50, 1, 30):
    c = http.client.HTTPSConnection('127.0.0.1', int(sys.argv[1]), context=context)
    for _ in range(n):
        c.request('GET', '/hello.html'); c.getresponse().read()
    c.close()
"""


def case_python_client(bench):
    need_root()
    certificates(bench)
    port, _ = tls_nginx(bench)
    with open(f"{bench.folder}/client.py", "w") as out:
        out.write(PYTHON)
    client = bench.start("client", ["python3", f"{bench.folder}/client.py", port, f"{bench.folder}/good.pem"])
    rec = inside(bench, "--tls-pid", str(client.pid))
    client.wait(20)
    counted(bench, rec, port, 82, "GET /hello.html of a Python client")


def case_gnutls(bench):
    need_root()
    need("gnutls-serv", "gnutls-cli", "curl")
    certificates(bench)
    port, f = free_port(), bench.folder
    server = bench.start("gnutls-serv", ["gnutls-serv", "--http", "--x509certfile", f"{f}/good.pem", "--x509keyfile", f"{f}/key.pem",
                                         "-p", port, "-q"], port)
    other, _ = tls_nginx(bench)
    rec = inside(bench, "--tls-pid", str(server.pid))
    good = curl(bench, port, "shop.test", times=10)
    counted(bench, rec, port, good, "GET /hello.html of gnutls-serv")
    bench.equal(good, 10, "curl succeeded")
    os.unlink(bench.db)
    nginx = next(p for p in bench.processes if p.name == "nginx")
    rec = inside(bench, "--tls", "--exclude-pid", str(nginx.pid), "--exclude-pid", ",".join(children(nginx.pid)))
    with open(f"{f}/request", "w") as out:
        out.write("GET /hello.html HTTP/1.0\r\n\r\n")
    for _ in range(3):
        with open(f"{f}/request") as request:
            # it must live until it is looked at
            run(["sh", "-c", f"(sleep 3; cat {f}/request; sleep 0.3) | gnutls-cli --x509cafile {f}/good.pem -p {other} 127.0.0.1"],
                check=False)
    counted(bench, rec, other, 3, "GET /hello.html of gnutls-cli")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return f.read().split()


GO = """package main
import ("fmt"; "net/http"; "os")
func main() {
	http.HandleFunc("/hello.html", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello\\n") })
	fmt.Fprintln(os.Stderr, http.ListenAndServeTLS(os.Args[1], os.Args[2], os.Args[3], nil))
}
"""


def go_server(bench, *flags):
    need_root()
    need("go", "ab")
    certificates(bench)
    f, port = bench.folder, free_port()
    with open(f"{f}/main.go", "w") as out:
        out.write(GO)
    run(["env", "GO111MODULE=off", f"GOCACHE=/var/tmp/rootle-e2e-gocache", "go", "build", "-o", f"{f}/goserver", *flags, f"{f}/main.go"],
        timeout=300)
    server = bench.start("goserver", [f"{f}/goserver", f"127.0.0.1:{port}", f"{f}/good.pem", f"{f}/key.pem"], port)
    rec = inside(bench, "--tls-pid", str(server.pid))
    counted(bench, rec, port, ab(port, 500) + ab(port, 1000, "-k"), "GET /hello.html of Go's crypto/tls")
    bench.check("go): about" in rec.stderr(), "known as Go")
    bench.check(server.alive(), "the server lives")


def case_go(bench):
    go_server(bench)


def case_go_stripped(bench):
    go_server(bench, "-ldflags", "-s -w")


if __name__ == "__main__":
    main(globals())
