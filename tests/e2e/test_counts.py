#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Counted = sent, to the request, at twenty thousand a second: nginx, PostgreSQL and Redis under their own load generators."""
import re
import time

from e2e import finish, lines_of, main, need, need_root, run

AT_LEAST_PER_S = 20000


def ab(bench, keep_alive, n):
    need_root()
    need("ab")
    port, log = bench.nginx()
    rec = bench.record()
    argv = ["ab", "-q", "-n", n, "-c", 8] + (["-k"] if keep_alive else []) + [f"http://127.0.0.1:{port}/hello.html"]
    said = run(argv, timeout=120).stdout
    rate = float(re.search(r"Requests per second:\s+([\d.]+)", said).group(1))
    finish(bench, rec)
    logged = lines_of(log, n)
    bench.equal(logged, n, "nginx's access log")
    bench.equal(bench.count(port, "^GET /hello.html"), logged, "counted GET /hello.html")
    bench.equal(sum(r["errors"] for r in bench.rows("requests") if r["port"] == port), 0, "errors counted")
    if keep_alive:
        bench.at_least(rate, AT_LEAST_PER_S, "requests a second")
    else:
        print(f"       {rate:.0f} requests a second, each on a connection of its own")


def case_http_keep_alive(bench):
    ab(bench, True, 150000)


def case_http_connection_a_request(bench):
    ab(bench, False, 40000)


def pgbench(bench, mode, script, transactions, clients=8):
    port = bench.postgres()
    rec = bench.record()
    said = run(["pgbench", "-h", "127.0.0.1", "-p", port, "-U", "bench", "-n", "-M", mode, *script, "-t", transactions,
                "-c", clients, "-j", 2, "bench"], timeout=120).stdout
    done = int(re.search(r"actually processed: (\d+)", said).group(1))
    rate = float(re.search(r"tps = ([\d.]+)", said).group(1))
    bench.equal(done, transactions * clients, "transactions that pgbench did")
    finish(bench, rec)
    return port, done, rate


def select_only(bench, mode):
    need_root()
    port, done, rate = pgbench(bench, mode, ["-S"], 10000)
    # The one statement of -S; a prepare without execution is an operation of its own.
    bench.equal(bench.count(port, r"^SELECT .*pgbench_accounts"), done, f"counted SELECTs, -M {mode}")
    print(f"       {rate:.0f} statements a second")


def case_postgres_simple(bench):
    select_only(bench, "simple")


def case_postgres_extended(bench):
    select_only(bench, "extended")


def case_postgres_prepared(bench):
    select_only(bench, "prepared")


def case_postgres_transactions(bench):
    need_root()
    port, done, _ = pgbench(bench, "prepared", [], 500, 4)
    for statement in (r"^UPDATE pgbench_accounts", r"^SELECT .*pgbench_accounts", r"^UPDATE pgbench_tellers",
                      r"^UPDATE pgbench_branches", r"^INSERT INTO pgbench_history", r"^BEGIN", r"^END"):
        bench.equal(bench.count(port, statement), done, f"counted {statement}")


def redis_calls(port, command):
    stats = run(["redis-cli", "-p", port, "INFO", "commandstats"]).stdout
    found = re.search(rf"cmdstat_{command}:calls=(\d+)", stats)
    return int(found.group(1)) if found else 0


def redis_benchmark(bench, pipeline, n):
    need_root()
    need("redis-benchmark", "redis-cli")
    port = bench.redis()
    rec = bench.record()
    began = time.monotonic()
    run(["redis-benchmark", "-p", port, "-t", "set,get", "-n", n, "-c", 8, "-P", pipeline, "-q"], timeout=120)
    rate = 2 * n / (time.monotonic() - began)
    finish(bench, rec)
    for command in ("set", "get"):
        # The server's own count is the truth: the generator may round up to whole pipelines.
        bench.equal(bench.count(port, rf"^{command}\b"), redis_calls(port, command), f"counted {command.upper()}")
    bench.at_least(redis_calls(port, "set"), n, "SETs that Redis counted")
    bench.at_least(rate, AT_LEAST_PER_S, "commands a second")


def case_redis_one_by_one(bench):
    redis_benchmark(bench, 1, 100000)


def case_redis_pipelines_of_16(bench):
    redis_benchmark(bench, 16, 320000)


main(globals())
