#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""FastCGI between nginx and PHP-FPM, over TCP with connections that stay and over a UNIX socket: counted = sent."""
import glob
import os

from e2e import Skip, free_port, main, need, need_root, run
from harness import recorder

N = 10000
SCRIPTS = {"ok.php": "<?php echo str_repeat('x', 200);", "big.php": "<?php echo str_repeat('x', 100000);", "fail.php": "<?php http_response_code(503); echo 'no';",
           "log.php": "<?php file_put_contents('php://stderr', 's3cr3t'); error_log('s3cr3t'); echo 'ok';"}


def fpm(bench, listen):
    found = sorted(glob.glob("/usr/sbin/php-fpm*"))
    if not found:
        raise Skip("php-fpm is not installed")
    folder = bench.folder
    os.makedirs(f"{folder}/www", exist_ok=True)
    for name, text in SCRIPTS.items():
        with open(f"{folder}/www/{name}", "w") as f:
            f.write(text)
    with open(f"{folder}/fpm.conf", "w") as f:
        f.write(f"[global]\nerror_log = {folder}/fpm.log\ndaemonize = no\n[www]\nuser = root\ngroup = root\nlisten = {listen}\n"
                f"listen.mode = 0666\npm = static\npm.max_children = 4\npm.max_requests = 0\n")
    bench.start("php-fpm", [found[-1], "-F", "-R", "-n", "-y", f"{folder}/fpm.conf"], listen if isinstance(listen, int) else None)


def nginx(bench, upstream, keep):
    need("nginx")
    port, root = free_port(), f"{bench.folder}/nginx"
    os.makedirs(root)
    temps = "".join(f"{t}_temp_path {root}/{t}; " for t in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    params = "".join(f"fastcgi_param {k} {v};" for k, v in (
        ("SCRIPT_FILENAME", f"{bench.folder}/www$fastcgi_script_name"), ("QUERY_STRING", "$query_string"),
        ("REQUEST_METHOD", "$request_method"), ("CONTENT_TYPE", "$content_type"), ("CONTENT_LENGTH", "$content_length"),
        ("SCRIPT_NAME", "$fastcgi_script_name"), ("REQUEST_URI", "$request_uri"), ("DOCUMENT_URI", "$document_uri")))
    with open(f"{root}/nginx.conf", "w") as f:
        f.write(f"user root; daemon off; pid {root}/pid; events {{ worker_connections 512; }}\nhttp {{ {temps} access_log off;\n"
                f"upstream php {{ server {upstream}; {'keepalive 4;' if keep else ''} }}\nserver {{ listen 127.0.0.1:{port};\n"
                f"location / {{ {params} fastcgi_pass php; {'fastcgi_keep_conn on;' if keep else ''} }} }} }}\n")
    bench.start("nginx", ["nginx", "-p", root, "-c", f"{root}/nginx.conf", "-e", f"{root}/error.log"], port)
    return port


def load(bench, web):
    need("ab", "curl")
    run(["ab", "-q", "-n", N, "-c", 4, f"http://127.0.0.1:{web}/ok.php?token=s3cr3t"], timeout=60)
    for i in range(23):
        for path, extra in ((f"fail.php/{1000 + i}", ()), ("missing.php", ()), ("big.php", ()), ("log.php", ("-d", "s3cr3t" * 4000))):
            run(["curl", "-s", "-o", "/dev/null", *extra, f"http://127.0.0.1:{web}/{path}"])


def judge(bench, rows):
    bench.equal({r["protocol"] for r in rows}, {"fastcgi"}, "protocol")
    seen = {}
    for r in rows:
        was = seen.get(r["op"].split()[0] + " " + r["op"].split()[1], (0, 0))
        seen[r["op"].split()[0] + " " + r["op"].split()[1]] = (was[0] + r["count"], was[1] + r["errors"])
    bench.equal(seen, {"GET /ok.php": (N, 0), "GET /fail.php/{id}": (23, 23), "GET /missing.php": (23, 0), "GET /big.php": (23, 0), "POST /log.php": (23, 0)},
                "count and errors by operation")
    with open(bench.db, "rb") as f:
        bench.check(b"s3cr3t" not in f.read(), "no value is in the recording")


def finish(bench, rec):
    rec.stop()
    coverage = recorder.query("requests", bench.db, "--last", "1h")[-1]["coverage"]
    bench.check(coverage["lost_events"] == 0, f"events lost: {coverage['lost_events']}" + (f", {coverage}" if coverage["lost_events"] else ""))
    return [r for r in bench.rows("requests") if r["to"] and "php" in r["to"]]


def case_tcp_that_stays(bench):
    need_root()
    port = free_port()
    fpm(bench, port)
    web = nginx(bench, f"127.0.0.1:{port}", True)
    rec = bench.record()
    load(bench, web)
    rows = finish(bench, rec)
    bench.equal({r["port"] for r in rows}, {port}, "port")
    judge(bench, rows)


def case_unix(bench):
    need_root()
    path = f"{bench.folder}/fpm.sock"
    fpm(bench, path)
    web = nginx(bench, f"unix:{path}", False)
    rec = bench.record()
    load(bench, web)
    judge(bench, finish(bench, rec))


main(globals())
