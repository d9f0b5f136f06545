#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Redis and Memcached under real clients: each request counts once, whatever way it is sent, and what waits is not slow."""
import threading

from e2e import Skip, finish, free_port, main, need, need_root


def case_redis_every_way(bench):
    need_root()
    need("redis-server")
    try:
        import redis
    except ImportError as e:
        raise Skip("python3-redis is not installed") from e
    port = bench.redis()
    rec = bench.record()
    r = redis.Redis(port=port)
    with r.pipeline(transaction=False) as p:
        for i in range(5):
            p.getset(f"five:{i}", i)
        p.execute()
    with r.pipeline(transaction=False) as p:             # the client runs ten thousand ahead
        for i in range(10000):
            p.set(f"k{i}", i)
        p.execute()
    with r.pipeline() as p:                              # MULTI, three commands, EXEC
        p.incr("n"), p.lpush("list", *range(2000)), p.hset("h", mapping={"a": 1, "b": 2})
        p.execute()
    r.set("big", b"x" * 5_000_000)
    assert len(r.get("big")) == 5_000_000
    for _ in range(20):
        assert len(r.lrange("list", 0, -1)) == 2000
    assert r.hgetall("h") and r.mget("k1", "nothing", "k2")
    try:
        r.lpush("big", 1)
    except redis.ResponseError:
        pass
    sub = r.pubsub()
    sub.subscribe("a", "b", "c")
    while sub.get_message(timeout=1)["data"] != 3:
        pass
    for _ in range(50):
        r.publish("a", "hello")
    heard = 0
    while heard < 50:
        heard += (sub.get_message(timeout=1) or {"type": "none"})["type"] == "message"
    threading.Timer(1.5, lambda: redis.Redis(port=port).rpush("queue", 1)).start()
    assert r.blpop("queue", 10)
    r.eval("return 1", 0)
    finish(bench, rec)
    count, errors, rows = bench.sums(port), bench.sums(port, "errors"), bench.sums(port, "rows")
    for op, wanted in {"GETSET": 5, "SET": 10001, "MULTI": 1, "INCRBY": 1, "EXEC": 1, "HSET": 1, "GET": 1, "LRANGE": 20, "HGETALL": 1,
                       "MGET": 1, "LPUSH": 2, "SUBSCRIBE": 1, "PUBLISH": 50, "BLPOP": 1, "EVAL": 1}.items():
        bench.equal(count.get(op), wanted, f"counted {op}")
    bench.equal(errors.get("LPUSH"), 1, "LPUSH that failed")
    bench.equal(rows.get("HGETALL"), 4, "rows of HGETALL")
    bench.equal(rows.get("MGET"), 2, "rows of MGET, one of three is not there")
    slow = [x["op"] for x in bench.rows("requests") if x["port"] == port and (x.get("p99_ms") or 0) > 1000]
    bench.equal(slow, [], "what is slow, though a BLPOP has waited 1.5 s")


def memcached(bench, *args):
    need("memcached")
    port = free_port()
    bench.start("memcached", ["memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", port, "-U", "0", *args], port)
    return port


def server_stats(port):
    import socket
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"stats\r\n")
        text = b""
        while not text.endswith(b"END\r\n"):
            text += s.recv(65536)
    return {w[1].decode(): w[2].decode() for w in (line.split() for line in text.splitlines()) if len(w) == 3}


def case_memcached_text(bench):
    need_root()
    try:
        from pymemcache.client.base import Client
        from pymemcache.exceptions import MemcacheClientError
    except ImportError as e:
        raise Skip("python3-pymemcache is not installed") from e
    port = memcached(bench)
    rec = bench.record()
    c = Client(("127.0.0.1", port), default_noreply=False, no_delay=True)
    for i in range(5000):
        c.set(f"k{i}", "v" * (2048 if i % 2 else 10))
        c.get(f"k{i}")
    found = len(c.get_many([f"k{i}" for i in range(0, 6000, 100)]))
    for i in range(100):
        c.set(f"n{i}", "x", noreply=True)
    assert c.get("nothing") is None and c.delete("nothing") is False and c.add("k1", "v") is False
    c.set("number", "7")
    c.incr("number", 1), c.touch("number", 10), c.gets("number"), c.version(), c.stats()
    try:
        c.incr("k1", 1)
    except MemcacheClientError:
        pass
    c.set("big", "x" * 900_000)
    assert len(c.get("big")) == 900_000
    finish(bench, rec)
    stats = server_stats(port)
    count, errors, rows = bench.sums(port), bench.sums(port, "errors"), bench.sums(port, "rows")
    bench.equal(count.get("set"), 5102, "counted set, each second one of 2 KB, a hundred of them without reply")
    bench.equal(int(stats["cmd_set"]), 5103, "sets that memcached counted, the add that did not store among them")
    for op, wanted in {"get": 5003, "delete": 1, "add": 1, "incr": 2, "touch": 1, "gets": 1, "version": 1, "stats": 1}.items():
        bench.equal(count.get(op), wanted, f"counted {op}")
    bench.equal(rows.get("get"), 5000 + found + 1, "rows of get")
    bench.equal(int(stats["get_hits"]), 5000 + found + 2, "hits that memcached counted, that of gets among them")
    bench.equal(errors.get("incr"), 1, "incr that failed")
    bench.equal(sum(errors.values()), 1, "errors in all")


def case_memcached_binary(bench):
    need_root()
    try:
        import pylibmc
    except ImportError as e:
        raise Skip("python3-pylibmc is not installed") from e
    port = memcached(bench)
    rec = bench.record()
    c = pylibmc.Client([f"127.0.0.1:{port}"], binary=True, behaviors={"tcp_nodelay": True})
    for i in range(5000):
        c.set(f"k{i}", "v" * (2048 if i % 2 else 10))
        assert c.get(f"k{i}")
    found = len(c.get_multi([f"k{i}" for i in range(4900, 5100)]))
    c.get("nothing"), c.delete("nothing"), c.set("number", 7), c.incr("number", 1)
    finish(bench, rec)
    stats = server_stats(port)
    count, rows = bench.sums(port), bench.sums(port, "rows")
    bench.equal(count.get("set"), 5001, "counted set")
    bench.equal(int(stats["cmd_set"]), 5001, "sets that memcached counted")
    bench.equal(count.get("get"), int(stats["cmd_get"]), "counted get: as memcached counted, quiet ones among them")
    bench.equal(count.get("get"), 5201, "counted get")
    bench.equal(rows.get("get"), 5000 + found, "rows of get")
    bench.equal(count.get("incr"), 1, "counted incr")


main(globals())
