#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `rootle record` adds to real servers: Redis one command at a time and in pipelines of 16, nginx with files of 100 KB.

usage: servers.py [--pairs N] [--seconds S] [redis-1|redis-16|nginx-100k …]

Without and with a recorder in turns: medians of the CPU time a request (server, client and kernel) and of the throughput.
"""
import argparse
import os
import re
import resource
import shutil
import statistics
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import recorder                                                    # noqa: E402
from harness.process import Failed, Process, run, terminate_on_signals, wait_listening   # noqa: E402

REDIS_PORT, NGINX_PORT = 18451, 18452


def redis(folder):
    server = Process("redis", ["redis-server", "--bind", "127.0.0.1", "--port", REDIS_PORT, "--save", "", "--dir", folder])
    wait_listening(server, REDIS_PORT)
    return server


def nginx(folder):
    os.makedirs(f"{folder}/www")
    os.chmod(folder, 0o755)
    with open(f"{folder}/www/file", "wb") as f:
        f.write(b"0123456789abcdef" * 6400)
    temps = "".join(f"{t}_temp_path {folder}/{t}; " for t in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    with open(f"{folder}/nginx.conf", "w") as f:
        f.write(f"daemon off; pid {folder}/pid; events {{ worker_connections 512; }}\nhttp {{ {temps} access_log off; "
                f"sendfile on; keepalive_requests 100000000; server {{ listen 127.0.0.1:{NGINX_PORT}; root {folder}/www; }} }}\n")
    server = Process("nginx", ["nginx", "-p", folder, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"])
    wait_listening(server, NGINX_PORT)
    return server


def redis_load(pipeline, n):
    return ["redis-benchmark", "-p", REDIS_PORT, "-t", "get", "-n", n, "-c", 8, "-P", pipeline, "-q"], \
        r"([\d.]+) requests per second", n


def nginx_load(n):
    return ["ab", "-q", "-k", "-n", n, "-c", 4, f"http://127.0.0.1:{NGINX_PORT}/file"], r"Requests per second:\s+([\d.]+)", n


LOADS = {
    "redis-1": (redis, lambda s: redis_load(1, 60_000 * s)),
    "redis-16": (redis, lambda s: redis_load(16, 400_000 * s)),
    "nginx-100k": (nginx, lambda s: nginx_load(12_000 * s)),
}


def family_cpu(pid):
    """CPU time of a process and its children, s."""
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return recorder.cpu_seconds(pid) + sum(family_cpu(int(child)) for child in f.read().split())


def measure(server, load):
    argv, pattern, n = load
    before, used = family_cpu(server.pid), resource.getrusage(resource.RUSAGE_CHILDREN)
    said = run(argv, timeout=120).stdout
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    client = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return (family_cpu(server.pid) - before + client) / n * 1e6, float(re.findall(pattern, said.replace("\r", "\n"))[-1])


def compare(name, args):
    start, load = LOADS[name]
    rounds = []
    with tempfile.TemporaryDirectory(prefix="rootle-bench.") as folder:
        server = start(folder)
        try:
            measure(server, load(1))
            for i in range(args.pairs):
                bare = measure(server, load(args.seconds))
                with recorder.Recorder(os.path.join(folder, f"{i}.db"), "--cpu-budget", "off"):
                    rounds.append((bare, measure(server, load(args.seconds))))
        finally:
            server.stop()
    bare = statistics.median(b[0] for b, _ in rounds)
    added = statistics.median(r[0] - b[0] for b, r in rounds)
    ratio = statistics.median(r[1] / b[1] for b, r in rounds)
    print(f"{name:<11} {bare:7.2f} us a request   {added:+6.2f} us recorded   throughput {ratio * 100:5.1f} %", flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--pairs", type=int, default=5)
    p.add_argument("--seconds", type=int, default=3)
    p.add_argument("load", nargs="*", choices=[[], *LOADS])
    args = p.parse_args()
    if os.geteuid() != 0:
        print("SKIP: needs root to attach")
        return 77
    terminate_on_signals()
    for name in args.load or LOADS:
        need = ("redis-server", "redis-benchmark") if name.startswith("redis") else ("nginx", "ab")
        if all(shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin") for program in need):
            compare(name, args)
        else:
            print(f"SKIP {name}: needs {' and '.join(need)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as e:
        sys.exit(f"servers: {e}")
