#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Real servers over UNIX sockets: PostgreSQL, Redis, and nginx before an application that it reaches by one."""
import os
import re
import shutil
import time

from e2e import Failed, Skip, finish, free_port, main, need, need_root, run


def rows_of(bench, protocol, caller, callee):
    return [r for r in bench.rows("requests") if r["protocol"] == protocol and r["from"] == caller and r["to"] == callee
            and r["port"] is None]


def count(rows, pattern):
    return sum(r["count"] for r in rows if re.search(pattern, r["op"], re.I))


def wait_for(path, what, seconds=10):
    until = time.monotonic() + seconds
    while not os.path.exists(path):
        if time.monotonic() > until:
            raise Failed(f"{what} does not make {path}")
        time.sleep(0.05)


def pgbench(bench, mode):
    need_root()
    port = bench.postgres()
    rec = bench.record()
    said = run(["pgbench", "-h", os.path.join(bench.folder, "pg"), "-p", port, "-U", "bench", "-n", "-M", mode, "-S", "-t", 2000,
                "-c", 4, "-j", 2, "bench"], timeout=60).stdout
    done = int(re.search(r"actually processed: (\d+)", said).group(1))
    finish(bench, rec)
    bench.equal(count(rows_of(bench, "postgres", "pgbench", "postgres"), "^SELECT .*pgbench_accounts"), done,
                f"SELECTs over the socket in /, -M {mode}")


def case_postgres_simple(bench):
    pgbench(bench, "simple")


def case_postgres_prepared(bench):
    pgbench(bench, "prepared")


def case_postgres_large_results(bench):
    """8 KB at once, which the kernel keeps in pages."""
    need_root()
    need("psql")
    port, n = bench.postgres(), 23
    rec = bench.record()
    statement = "SELECT aid, filler FROM pgbench_accounts LIMIT 2000;"
    run(["psql", "-h", os.path.join(bench.folder, "pg"), "-p", port, "-U", "bench", "-qAt", "-o", "/dev/null",
         *[word for _ in range(n) for word in ("-c", statement)], "bench"], timeout=60)
    finish(bench, rec)
    rows = rows_of(bench, "postgres", "psql", "postgres")
    bench.equal(count(rows, "^SELECT aid"), n, "SELECTs of 200 KB each")
    bench.equal(sum(r["rows"] for r in rows if r["op"].startswith("SELECT aid")), n * 2000, "rows")


def case_redis(bench):
    need_root()
    need("redis-server", "redis-benchmark", "redis-cli")
    path = os.path.join(bench.folder, "redis.sock")
    bench.start("redis", ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", bench.folder])
    wait_for(path, "Redis")
    rec = bench.record()
    for pipeline in (1, 16):
        run(["redis-benchmark", "-s", path, "-t", "set,get", "-n", 20000, "-c", 4, "-P", pipeline, "-q"], timeout=60)
    stats = run(["redis-cli", "-s", path, "INFO", "commandstats"]).stdout
    finish(bench, rec)
    rows = rows_of(bench, "redis", "redis-benchmark", "redis")
    for command in ("set", "get"):
        wanted = int(re.search(rf"cmdstat_{command}:calls=(\d+)", stats).group(1))
        bench.equal(count(rows, rf"^{command}\b"), wanted, f"{command.upper()}s")


def case_nginx_before_an_application(bench):
    need_root()
    need("nginx", "ab")
    source = os.environ.get("CALLS", "build/release/tests/e2e/calls")
    if not os.access(source, os.X_OK):
        raise Failed(f"no {source}: say where it is with CALLS=")
    app, root, n = shutil.copy(source, os.path.join(bench.folder, "application")), os.path.join(bench.folder, "nginx"), 230
    path, port = os.path.join(bench.folder, "app.sock"), free_port()
    bench.start("application", [app, "serve-fork", path, "read-write"])
    wait_for(path, "the application")
    os.makedirs(root)
    os.chmod(root, 0o755)
    os.chmod(path, 0o777)
    temps = "".join(f"{t}_temp_path {root}/{t}; " for t in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(f"{root}/nginx.conf", "w") as f:
        f.write(f"daemon off; pid {root}/pid; events {{ }}\n"
                f"http {{ {temps} access_log off; upstream app {{ server unix:{path}; keepalive 4; }}\n"
                f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://app; proxy_http_version 1.1;\n"
                f"proxy_set_header Connection ''; }} }} }}\n")
    bench.start("nginx", ["nginx", "-p", root, "-c", f"{root}/nginx.conf", "-e", f"{root}/error.log"], port)
    rec = bench.record()
    said = run(["ab", "-q", "-n", n, "-c", 4, f"http://127.0.0.1:{port}/page"], timeout=30).stdout
    if "Non-2xx" in said:
        raise Skip("nginx does not reach the application")
    finish(bench, rec)
    bench.equal(count(rows_of(bench, "http", "nginx", "application"), "^GET /page"), n, "requests that nginx hands on")
    bench.equal(bench.count(port, "^GET /page"), n, "requests that it got")


main(globals())
