#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The HTTP service that all others ask: GET /b/N is answered after 1 to 9 ms, by N.  usage: backend.py PORT"""
import asyncio
import sys

from common import response


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            n = int(head.split(b" ", 2)[1].rsplit(b"/", 1)[1])
            await asyncio.sleep((1 + n * 7919 % 8) / 1000)
            writer.write(response(n))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=512)
    await server.serve_forever()

asyncio.run(main())
