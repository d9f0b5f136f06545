#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""ClickHouse's native protocol: the real client and its benchmark against a real server, with compressed blocks and without."""
import os

from e2e import free_port, main, need, need_root, run

N = 10000
CONFIG = """<yandex><logger><level>warning</level><log>{0}/log</log><errorlog>{0}/err</errorlog></logger>
<tcp_port>{1}</tcp_port><listen_host>127.0.0.1</listen_host><path>{0}/data/</path>
<tmp_path>{0}/tmp/</tmp_path><users_config>{0}/users.xml</users_config><mark_cache_size>5368709120</mark_cache_size>
<default_profile>default</default_profile><default_database>default</default_database></yandex>"""
USERS = """<yandex><profiles><default></default></profiles><users><default><password></password><networks><ip>::/0</ip></networks>
<profile>default</profile><quota>default</quota></default></users><quotas><default></default></quotas></yandex>"""


def server(bench):
    need_root()
    need("clickhouse-server", "clickhouse-client", "clickhouse-benchmark")
    folder, port = os.path.join(bench.folder, "clickhouse"), free_port()
    os.makedirs(f"{folder}/data")
    for name, text in (("config.xml", CONFIG.format(folder, port)), ("users.xml", USERS)):
        with open(f"{folder}/{name}", "w") as f:
            f.write(text)
    bench.start("clickhouse", ["clickhouse-server", f"--config-file={folder}/config.xml"], port, cwd=folder)
    return port


def client(port, *arguments, check=True):
    return run(["clickhouse-client", "--port", port, *arguments], check=check, timeout=60)


def case_ten_thousand_queries(bench):
    port = server(bench)
    rec = bench.record()
    client(port, "--query", "CREATE TABLE t (a Int32, s String, n Nullable(Int8), l Array(String)) ENGINE = Memory")
    client(port, "--query", "INSERT INTO t (a, s) VALUES (1, 's3cr3t'), (2, 'b')")
    queries = os.path.join(bench.folder, "queries")
    with open(queries, "w") as f:
        f.write("SELECT * FROM t WHERE a > 0 AND s != 's3cr3t2'\n")
    run(["sh", "-c", f"exec clickhouse-benchmark --port {port} -c 4 -i {N} -d 0 < {queries}"], timeout=120)
    for i in range(5):
        client(port, "--compression", 0, "--max_threads", 3, "--max_memory_usage", 10**9, "--query", f"SELECT a, s, n, l FROM t WHERE a < {i + 3}")
    client(port, "--query", "SELECT x FROM absent", check=False)
    rec.stop()
    rows = [r for r in bench.rows("requests") if r["port"] == port and r["op"] != "PING"]
    bench.equal({r["protocol"] for r in rows}, {"clickhouse"}, "protocol")
    seen = {}
    for r in rows:
        seen[r["op"]] = tuple(a + b for a, b in zip(seen.get(r["op"], (0, 0, 0)), (r["count"], r["errors"], r["rows"])))
    bench.equal(seen,
                {"SELECT * FROM t WHERE a > ? AND s != ?": (N, 0, 2 * N), "SELECT a, s, n, l FROM t WHERE a < ?": (5, 0, 10),
                 "CREATE TABLE t (a Int32, s String, n Nullable(Int8), l ARRAY (String)) ENGINE = Memory": (1, 0, 0),
                 "INSERT INTO t (a, s) VALUES": (1, 0, 0), "SELECT x FROM absent": (1, 1, 0)}, "count, errors and rows by query")
    outcomes = {(o["detail"], o["error"]) for r in rows for o in r.get("outcomes") or []}
    bench.equal(outcomes, {("UNKNOWN_TABLE", "client_error")}, "how they ended")
    with open(bench.db, "rb") as f:
        bench.check(b"s3cr3t" not in f.read(), "no value is in the recording")


main(globals())
