#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""TLS: what handshakes tell to somebody who only sees packets."""
import os
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


if __name__ == "__main__":
    main(globals())
