# SPDX-License-Identifier: BSD-2-Clause
"""clients: people in front of the shop.  usage: clients.py HOST:PORT RATE SECONDS REPORT [SEED]

Open loop: requests leave when they are due, whether or not earlier ones were answered.  Poisson arrivals around a rate
that wanders by a tenth; connections are kept for a few requests, like a browser's.  At most 300 requests are under way;
what would be more is counted as shed.  At the end, or on SIGTERM, REPORT gets one JSON object.
"""
import asyncio
import json
import math
import random
import signal
import sys
import time

HOST, PORT = sys.argv[1].split(":")
RATE, SECONDS, REPORT = float(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
RANDOM = random.Random(int(sys.argv[5]) if len(sys.argv) > 5 else 1)
MOST, TIMEOUT_S, PER_CONNECTION = 300, 10.0, 20

PAGES = [                       # share, method, path
    (0.40, "GET", lambda r: f"/category/{r.randrange(3000)}"),
    (0.25, "GET", lambda r: f"/basket/{r.randrange(2000)}"),
    (0.15, "POST", lambda r: f"/basket/{r.randrange(2000)}/{r.randrange(100)}"),
    (0.20, "POST", lambda r: f"/review/{r.randrange(100000)}"),
]
idle, latencies_ms = [], []
counts = {"sent": 0, "ok": 0, "failed": 0, "shed": 0}


def choose():
    x = RANDOM.random()
    for share, method, path in PAGES:
        x -= share
        if x < 0:
            break
    return method, path(RANDOM)


async def exchange(reader, writer, method, path):
    length = "Content-Length: 0\r\n" if method == "POST" else ""
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: browser\r\n{length}\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    size = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0])
    await reader.readexactly(size)
    return int(head.split(" ", 2)[1]), "connection: close" not in head


async def visit():
    began = time.monotonic()
    reader, writer, used = idle.pop() if idle else (None, None, 0)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            if writer is None:
                reader, writer = await asyncio.open_connection(HOST, int(PORT))
            status, stays = await exchange(reader, writer, *choose())
        counts["ok" if status < 400 else "failed"] += 1
        if stays and used + 1 < PER_CONNECTION:
            idle.append((reader, writer, used + 1))
            writer = None
    except (OSError, asyncio.IncompleteReadError, TimeoutError, IndexError, ValueError):
        counts["failed"] += 1
    finally:
        if writer:
            writer.close()
    latencies_ms.append((time.monotonic() - began) * 1000)


async def main():
    loop, stop, under_way = asyncio.get_running_loop(), asyncio.Event(), set()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    began = due = loop.time()
    while not stop.is_set() and loop.time() - began < SECONDS:
        due += RANDOM.expovariate(RATE * (1 + 0.1 * math.sin((due - began) / 7)))
        await asyncio.sleep(max(0.0, due - loop.time()))
        if len(under_way) >= MOST:
            counts["shed"] += 1
            continue
        counts["sent"] += 1
        task = asyncio.create_task(visit())
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    if under_way:
        await asyncio.wait(under_way, timeout=TIMEOUT_S)
    ordered = sorted(latencies_ms) or [0.0]
    quantile = lambda q: round(ordered[min(len(ordered) - 1, int(q * len(ordered)))], 2)
    with open(REPORT, "w") as f:
        json.dump({**counts, "p50_ms": quantile(.5), "p95_ms": quantile(.95), "p99_ms": quantile(.99)}, f)


asyncio.run(main())
