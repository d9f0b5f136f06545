#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Asks for /m/FIRST … over CONCURRENT connections until COUNT were answered, or SECONDS are over.  Prints how many were.
usage: drive.py PORT FIRST COUNT CONCURRENT SECONDS [ids]"""
import asyncio
import sys
import time

port, first, count, concurrent, seconds = map(int, sys.argv[1:6])
ids = len(sys.argv) > 6
until = time.monotonic() + seconds
numbers = iter(range(first, first + count))
answered = 0


def head(n):
    fields = f"traceparent: 00-{n * 0x9e3779b97f4a7c15 % (1 << 128):032x}-{n + 1:016x}-01\r\nX-Request-ID: r-{n}\r\n" if ids else ""
    return f"GET /m/{n} HTTP/1.1\r\nHost: m\r\n{fields}\r\n".encode()


async def ask(streams, n):
    """The connection for the next request; None where the server has closed it."""
    reader, writer = streams or await asyncio.open_connection("127.0.0.1", port)
    writer.write(head(n))
    answer = await reader.readuntil(b"\r\n\r\n")
    body = b""
    while not body.endswith(b"\n"):
        if not (more := await reader.read(4096)):
            break
        body += more
    if b" 200 " not in answer or b"%d\n" % n not in body:
        raise ValueError(f"{n}: {answer!r} {body!r}")
    if b"connection: close" in answer.lower():
        writer.close()
        return None
    return reader, writer


async def one():
    global answered
    streams = None
    for n in numbers:
        if time.monotonic() > until:
            break
        streams = await ask(streams, n)
        answered += 1


async def main():
    await asyncio.gather(*(one() for _ in range(concurrent)))

asyncio.run(main())
print(answered)
