#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""TLS: what handshakes tell to somebody who only sees packets, and what the libraries tell of what is inside."""
import calendar
import json
import os
import re
import socket
import ssl
import sys
import time

from e2e import Skip, free_port, lines_of, main, need, need_root, run

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
    root = f"{f}/nginx{port}"
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
    rec.settle()                        # for the certificates' files to be read
    rec.stop()
    bench.equal((good, bad, plain), (12, 0, 0), "curl succeeded with good certificates, expired ones, without TLS")
    bench.equal(handshakes(bench, port), {
        ("1.2", "shop.test", "ok", None): 7, ("1.3", "shop.test", "ok", None): 5,
        ("1.2", "old.test", "certificate_expired", "client"): 3, ("1.3", "old.test", "certificate_expired", "client"): 2,
        ("1.3", "shop.test", "cut_short", None): 4}, "handshakes")
    bench.equal(sum(r["count"] for r in bench.rows("requests") if r["port"] == port and r["protocol"] == "tls"), 0,
                "requests in what is encrypted")
    subjects = {r["subject"] for e in bench.rows("edges") if e["port"] == port for r in (e["tls"] or {"results": []})["results"]}
    bench.equal(subjects, {"shop.test", "old.test"}, "subjects of certificates (1.3 hides them: from files)")
    events = [(e["kind"], e["detail"]) for e in bench.rows("events") if e["kind"].startswith("tls_")]
    for kind, words in (("tls_failure", "certificate_expired from the client; TLS 1.2, for old.test"),
                        ("tls_failure", "cut_short"), ("tls_expired", "certificate of old.test expired")):
        bench.check(any(k == kind and words in d for k, d in events), f"event {kind}: {words}")
    bench.check(len(events) <= 8, f"{len(events)} events: what goes on failing is told once a minute")


TLS_SERVER = """
import http.server, os, ssl, sys
port, cert, key, gone = int(sys.argv[1]), {cert}, {key}, len(sys.argv) > 4
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
if gone:
    os.rename(cert, cert + '.gone')
server = http.server.ThreadingHTTPServer(('127.0.0.1', port), http.server.SimpleHTTPRequestHandler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def made(bench, name, days, subject="shop.test"):
    """A certificate that ends in so many days."""
    f = bench.folder
    run(["openssl", "req", "-x509", "-key", f"{f}/key.pem", "-days", days, "-out", f"{f}/{name}.pem", "-subj", f"/CN={subject}",
         "-addext", f"subjectAltName=DNS:{subject}"])
    return f"{f}/{name}.pem"


def ends(bench, port, sni):
    """{(days until the certificate's end, where that is known from)} of the handshakes of 1.3."""
    found = set()
    for edge in bench.rows("edges"):
        for r in (edge["tls"] or {"results": []})["results"] if edge["port"] == port else []:
            if r["version"] == "1.3" and r["sni"] == sni:
                end = r["not_after"] and calendar.timegm(time.strptime(r["not_after"][:19], "%Y-%m-%dT%H:%M:%S"))
                found.add((end and round((end - time.time()) / 86400, 1), r["not_after_source"]))
    return found


def case_certificate_files(bench):
    """TLS 1.3 encrypts the certificate: its end comes from the file that the server names, or is not known."""
    need_root()
    need("curl")
    certificates(bench)
    f = bench.folder
    nginx, _ = tls_nginx(bench)
    want = {(nginx, "shop.test"): (30.0, f"file {f}/good.pem"), (nginx, "old.test"): (-1.0, f"file {f}/old.pem")}
    scripts = {"by_args": ("sys.argv[2]", "sys.argv[3]"), "by_script": (f"'{f}/quiet.pem'", f"'{f}/key.pem'")}
    for name, (cert, key) in scripts.items():
        with open(f"{f}/{name}.py", "w") as out:
            out.write(TLS_SERVER.format(cert=cert, key=key))
    for name, file, args, known in (
            ("by_args", made(bench, "soon", 5), ["{file}", f"{f}/key.pem"], True), ("by_script", made(bench, "quiet", 9), [], True),
            # read and gone; for a name that nobody asked for
            ("by_args", made(bench, "read", 5), ["{file}", f"{f}/key.pem", "gone"], False),
            ("by_args", made(bench, "foreign", 5, "foreign.test"), ["{file}", f"{f}/key.pem"], False)):
        port, days = free_port(), int(name == "by_args") * -4 + 9
        bench.start(name, ["python3", f"{f}/{name}.py", port, *(a.format(file=file) for a in args)], port)
        want[port, "shop.test"] = (float(days), f"file {file}") if known else (None, None)
    port = free_port()
    bench.start("s_server", ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-www", "-cert", f"{f}/good.pem", "-key",
                             f"{f}/key.pem"], port)
    want[port, "shop.test"] = (30.0, f"file {f}/good.pem")
    rec = bench.record()
    for port, name in want:
        curl(bench, port, name, "-k", times=2)
    time.sleep(3)
    rec.stop()
    for (port, name), one in want.items():
        bench.equal(ends(bench, port, name), {one}, f"days until the end, and its source: {name}:{port}")
    bench.equal(sum(n for (port, name) in want for n in handshakes(bench, port).values()) - 4, 2 * len(want), "handshakes, each once")
    said = [r["detail"] for r in bench.rows("events") if r["kind"] == "tls_expiring"]
    bench.equal(len(said), 1, "warnings of an end within a week")
    bench.check(said and f"the certificate of shop.test (file {f}/soon.pem) expires on 20" in said[0], f"and of which: {said}")
    bench.check(any("certificate of old.test" in r["detail"] for r in bench.rows("events") if r["kind"] == "tls_expired"), "old.test has expired")


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


def errors(bench, port):
    return sum(r["errors"] for r in bench.rows("requests") if r["port"] == port)


def finish(bench, rec):
    """All is in the file, and nothing is lost."""
    from harness import recorder
    rec.stop()
    lost = [loss for loss in recorder.query("requests", bench.db, "--last", "1h")[-1]["coverage"]["loss"]
            if loss["stage"] == "kernel" and (loss["reason"].startswith("ring_") or loss["reason"] == "plain_socket")]
    bench.equal(lost, [], "lost")


def case_both_ends(bench):
    """Two views of the same plaintext are one request; a connection each, then keep-alive."""
    need_root()
    need("ab", "bpftool")
    from harness import recorder
    before = recorder.programs()
    certificates(bench)
    port, log = tls_nginx(bench)
    rec = inside(bench, "--tls")
    done = ab(port, 300) + ab(port, 1700, "-k") + curl(bench, port, "shop.test", "--tls-max", "1.2", times=5)
    finish(bench, rec)
    bench.equal((bench.count(port, "^GET /hello.html$"), errors(bench, port)), (done, 0), "GET /hello.html of nginx, ab and curl; errors")
    bench.equal(lines_of(log, done), done, "nginx's access log")
    bench.equal({r["protocol"] for r in bench.rows("requests") if r["port"] == port}, {"http"}, "protocol")
    bench.check(re.search(r"TLS plaintext of nginx \(pid \d+, openssl\): about \d+ calls/s x [\d.]+ us = [\d.]+ % of a core",
                          rec.stderr()), "the cost is said before")
    bench.check(rec.stderr().find("TLS plaintext of nginx") < rec.stderr().find("recording: "), "and before it attaches")
    bench.equal([x for x in recorder.left_behind(before) if "tls_" in x], [], "left behind")
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
    done = ab(port, 500, "-k")
    finish(bench, rec)
    bench.equal((bench.count(port, "^GET /hello.html$"), errors(bench, port)), (done, 0), "GET /hello.html of nginx's workers; errors")
    os.unlink(bench.db)
    rec = bench.record("--tls-pid", str(nginx), "--tls-budget", "0.0001%")
    ab(port, 100)
    until = time.monotonic() + 10
    while hooks() and time.monotonic() < until:
        time.sleep(0.2)
    bench.equal(hooks(), 0, "probes left by the budget")
    rec.stop()
    bench.check(any("TLS plaintext ends: it took" in (r["detail"] or "") for r in bench.rows("events")), "and says so on the timeline")


def hooks():
    """Probes on TLS libraries that are attached now, anybody's."""
    programs = {p["id"] for p in json.loads(run(["bpftool", "-j", "prog", "show"]).stdout) if p.get("name", "").startswith("tls_")}
    return sum(link.get("prog_id") in programs for link in json.loads(run(["bpftool", "-j", "link", "show"]).stdout))


NODE = """
const fs = require('fs'), [port, key, cert] = process.argv.slice(2);
require('https').createServer({key: fs.readFileSync(key), cert: fs.readFileSync(cert)}, (q, r) => {
  r.setHeader('Content-Length', 2); r.end('ok'); }).listen(port, '127.0.0.1');
"""

GO = """package main
import ("fmt"; "net/http"; "os")
func main() {
	http.HandleFunc("/hello.html", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") })
	fmt.Fprintln(os.Stderr, http.ListenAndServeTLS(os.Args[1], os.Args[2], os.Args[3], nil))
}
"""


def node_server(bench):
    """Its own OpenSSL, in the program, which works on memory: the socket is not used within the call."""
    need("node")
    port, f = free_port(), bench.folder
    with open(f"{f}/server.js", "w") as out:
        out.write(NODE)
    return port, bench.start("node", ["node", f"{f}/server.js", port, f"{f}/key.pem", f"{f}/good.pem"], port)


def gnutls_server(bench):
    need("gnutls-serv")
    port, f = free_port(), bench.folder
    return port, bench.start("gnutls-serv", ["gnutls-serv", "--http", "--x509certfile", f"{f}/good.pem", "--x509keyfile",
                                             f"{f}/key.pem", "-p", port, "-q"], port)


def go_server(bench, *flags):
    need("go")
    f, port, program = bench.folder, free_port(), f"goserver{len(flags)}"
    with open(f"{f}/main.go", "w") as out:
        out.write(GO)
    cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "rootle", "go")
    run(["env", "GO111MODULE=off", f"GOCACHE={cache}", "go", "build", "-o", f"{f}/{program}", *flags,
         f"{f}/main.go"], timeout=300)
    return port, bench.start(program, [f"{f}/{program}", f"127.0.0.1:{port}", f"{f}/good.pem", f"{f}/key.pem"], port)


def case_servers_alone(bench):
    """Servers whose clients are not looked at: each by a library of its own, a connection a request and keep-alive."""
    need_root()
    need("ab")
    certificates(bench)
    found = {}
    for name, start in (("node", node_server), ("gnutls-serv", gnutls_server), ("go", go_server),
                        ("go, stripped", lambda b: go_server(b, "-ldflags", "-s -w"))):
        try:
            found[name] = start(bench)
        except Skip as e:
            print(f"  SKIP {name}: {e}")
    rec = inside(bench, "--tls-pid", ",".join(str(p.pid) for _, p in found.values()))
    done = {name: curl(bench, port, "shop.test", times=10) if name == "gnutls-serv" else ab(port, 200) + ab(port, 300, "-k")
            for name, (port, _) in found.items()}
    finish(bench, rec)
    for name, (port, process) in found.items():
        bench.equal((bench.count(port, "^GET /hello.html$"), process.alive()), (done[name], True), f"counted, and alive: {name}")
        bench.equal(errors(bench, port), 0, "errors")


def packages(suites, *names):
    """Debian packages of a release, unpacked in the cache."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "vm"))
    import registry
    folder = os.path.join(registry.cache_folder(), "-".join((suites[0], *names)))
    if os.path.exists(f"{folder}/complete"):
        return f"{folder}/usr"
    try:
        source = registry.Suites("amd64", suites)
        source.refresh()
        for name in names:
            registry.unpack(source.fetch(name), folder)
    except registry.Unavailable as e:
        raise Skip(f"no {' '.join(names)} of {suites[0]}: {e}") from e
    with open(f"{folder}/complete", "w"):
        pass
    return f"{folder}/usr"


# the include folders, what to link with, and where shared libraries are
def openssl_1_1():
    usr = packages(["bullseye", "bullseye-security"], "libssl-dev", "libssl1.1")
    return [f"-I{usr}/include", f"-I{usr}/include/x86_64-linux-gnu"], f"{usr}/lib/x86_64-linux-gnu"


def shared(name, flags, folder):
    return lambda f: (["-o", f"{f}/{name}", *flags, f"-L{folder}", "-lssl", "-lcrypto"], folder)


def static(name, flags, folder):
    return lambda f: (["-o", f"{f}/{name}", "-static", *flags, f"{folder}/libssl.a", f"{folder}/libcrypto.a", "-ldl"], "")


def boringssl():
    usr = packages(["bookworm"], "android-libboringssl-dev", "android-libboringssl")
    return [f"-I{usr}/include/android"], f"{usr}/lib/x86_64-linux-gnu/android"


LIBRARIES = {"openssl11": (shared, openssl_1_1), "openssl11static": (static, openssl_1_1), "boringssl": (shared, boringssl)}


def library_server(bench, name):
    """(port, process) of tests/e2e/tls_server.c with that library."""
    need("gcc")
    if os.uname().machine != "x86_64":
        raise Skip("the packages are for x86-64")
    how, find = LIBRARIES[name]
    f, port, here = bench.folder, free_port(), os.path.dirname(os.path.abspath(__file__))
    args, libraries = how(name, *find())(f)
    run(["gcc", f"{here}/tls_server.c", "-pthread", "-w", *args], timeout=120)
    return port, bench.start(name, ["env", f"LD_LIBRARY_PATH={libraries}", f"{f}/{name}", port, f"{f}/good.pem", f"{f}/key.pem"], port)


def case_libraries(bench):
    """Old and other libraries, shared and linked into the program with their symbols."""
    need_root()
    need("ab")
    certificates(bench)
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = library_server(bench, name)
        except Skip as e:
            print(f"  SKIP {name}: {e}")
    if not found:
        raise Skip("none of the libraries")
    rec = inside(bench, "--tls-pid", ",".join(str(p.pid) for _, p in found.values()))
    done = {name: ab(port, 200) + ab(port, 800, "-k") for name, (port, _) in found.items()}
    finish(bench, rec)
    for name, (port, process) in found.items():
        bench.equal((bench.count(port, "^GET /hello.html$"), errors(bench, port), process.alive()), (done[name], 0, True),
                    f"counted, errors, and alive: {name}")


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


LATE = """
import sys, time
time.sleep(3.5)
import ssl, http.client
time.sleep(5.5)
exec(open(sys.argv[3]).read())
"""


def case_late_libraries(bench):
    """A program that loads its library when it has run for a while, and one that becomes another; both are hooked within seconds."""
    need_root()
    certificates(bench)
    f, (one, _) = bench.folder, tls_nginx(bench)
    two, _ = tls_nginx(bench)
    for name, text in (("client", PYTHON.replace("time.sleep(3)", "")), ("waiting", PYTHON.replace("time.sleep(3)", "time.sleep(5)")), ("late", LATE)):
        with open(f"{f}/{name}.py", "w") as out:
            out.write(text)
    late = bench.start("late", ["python3", f"{f}/late.py", one, f"{f}/good.pem", f"{f}/client.py"])
    other = bench.start("other", ["sh", "-c", f"sleep 4; exec python3 {f}/waiting.py {two} {f}/good.pem"])
    rec = inside(bench, "--tls-pid", f"{late.pid},{other.pid}")
    late.wait(30)
    other.wait(30)
    finish(bench, rec)
    bench.equal(bench.count(one, "^GET /hello.html$"), 82, "of a program that loaded ssl late")
    bench.equal(bench.count(two, "^GET /hello.html$"), 82, "of a shell that became a client")
    from harness import recorder
    said = run([recorder.BINARY, "record", "--for", "1s", "--db", f"{f}/none.db", "--tls-pid", "4194303"], check=False)
    bench.equal(said.returncode, 2, "exit code where there is no such process")
    bench.check("--tls-pid 4194303: there is no such process" in said.stderr, "and it is said")


def case_clients_alone(bench):
    """Clients whose server is not looked at. What a chosen process starts is found within a second."""
    need_root()
    need("gnutls-cli")
    certificates(bench)
    f, (one, _) = bench.folder, tls_nginx(bench)
    two, _ = tls_nginx(bench)
    with open(f"{f}/client.py", "w") as out:
        out.write(PYTHON)
    with open(f"{f}/request", "w") as out:
        out.write("GET /hello.html HTTP/1.0\r\n\r\n")
    python = bench.start("python", ["python3", f"{f}/client.py", one, f"{f}/good.pem"])
    shell = bench.start("shell", ["sh", "-c", f"sleep 2; for i in 1 2 3; do (sleep 3; cat {f}/request; sleep 1) | "
                                              f"gnutls-cli --x509cafile {f}/good.pem -p {two} 127.0.0.1 & done; wait"])
    rec = inside(bench, "--tls-pid", f"{python.pid},{shell.pid}")
    python.wait(30)
    shell.wait(30)
    finish(bench, rec)
    bench.equal(bench.count(one, "^GET /hello.html$"), 82, "of a Python client")
    bench.equal(bench.count(two, "^GET /hello.html$"), 3, "of gnutls-cli")


if __name__ == "__main__":
    main(globals())
