#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""asyncio: one thread, tasks.  usage: aio.py PORT WEB CACHE mixed|pooled|own|gather

mixed: connections of a pool; its calls side by side, or a timer between them.  pooled: one call after the other.  own: likewise, a
connection for each call.  gather: both calls at once, connections of a pool.
"""
import asyncio
import sys

from common import number, request, response


class Streams:
    """Connections to one port: the last given back is taken first."""

    def __init__(self, port):
        self.port, self.free = port, []

    async def call(self, asked, end):
        reader, writer = self.free.pop() if self.free else await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(asked)
        await reader.readuntil(end)
        if MODE == "own":
            writer.close()
        else:
            self.free.append((reader, writer))


MODE = sys.argv[4]
web, cache = Streams(int(sys.argv[2])), Streams(int(sys.argv[3]))


async def work(n, ids):
    first, second = web.call(request(n, ids), b"\r\n\r\n%d\n" % n), cache.call(b"get k%d\r\n" % n, b"END\r\n")
    if MODE == "gather" or (MODE == "mixed" and n % 2):
        await asyncio.gather(first, second)
    elif MODE != "mixed":
        await first
        await second
    else:
        await second
        await asyncio.sleep(0.001 * (n % 5))
        await first


async def serve(reader, writer):
    try:
        while True:
            n, ids = number(await reader.readuntil(b"\r\n\r\n"))
            await work(n, ids)
            writer.write(response(n))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=256)
    await server.serve_forever()

asyncio.run(main())
