#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""HTTP/1 to the letter, and what is spoken by means of it: pipelines, interim responses, WebSocket, ClickHouse, Elasticsearch."""
import importlib.util
import json
import os
import socket
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from e2e import Skip, free_port, main, need, need_root, run


def by_op(bench, port, protocol=None):
    """{op: [count, errors]} of a port."""
    found = {}
    for r in bench.rows("requests"):
        if r["port"] == port and protocol in (None, r["protocol"]):
            of = found.setdefault(r["op"], [0, 0])
            of[0] += r["count"]
            of[1] += r["errors"]
    return found


def read_until(sock, end):
    got = b""
    while not got.endswith(end):
        piece = sock.recv(65536)
        if not piece:
            break
        got += piece
    return got


def served(handle):
    """Port of a server that answers each connection with `handle`, on a thread of this program."""
    listener = socket.create_server(("127.0.0.1", 0))

    def loop():
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with sock:
                handle(sock)

    threading.Thread(target=loop, daemon=True).start()
    return listener


def case_pipeline_of_three(bench):
    need_root()
    port, _ = bench.nginx()
    rec = bench.record()
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"GET /hello.html HTTP/1.1\r\nHost: a\r\n\r\nGET /missing HTTP/1.1\r\nHost: a\r\n\r\n"
                  b"GET /hello.html HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        got = read_until(s, b"\0")
    bench.equal(got.count(b"HTTP/1.1 "), 3, "responses")
    rec.stop()
    bench.equal(by_op(bench, port), {"GET /hello.html": [2, 0], "GET /missing": [1, 0]}, "requests")


def case_continue_and_then_200(bench):
    need_root()

    def handle(sock):
        read_until(sock, b"\r\n\r\n")
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        read_until(sock, b"end")
        sock.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        sock.recv(1)

    with served(handle) as listener:
        port = listener.getsockname()[1]
        rec = bench.record()
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(b"PUT /file HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n")
            read_until(s, b"\r\n\r\n")
            s.sendall(b"to end")
            read_until(s, b"ok")
        rec.stop()
    bench.equal(by_op(bench, port, "http"), {"PUT /file": [1, 0]}, "one request")


def case_zeros_are_nothing(bench):
    need_root()

    def handle(sock):
        sock.recv(64, socket.MSG_WAITALL)
        sock.sendall(bytes(64))
        sock.recv(1)

    with served(handle) as listener:
        port = listener.getsockname()[1]
        rec = bench.record()
        for _ in range(4):
            with socket.create_connection(("127.0.0.1", port)) as s:
                s.sendall(bytes(64))
                s.recv(64, socket.MSG_WAITALL)
        rec.stop()
    bench.equal(by_op(bench, port), {}, "requests in 64 zero bytes each way")


SOCKETS = """
import asyncio, sys, websockets

async def echo(ws, path=None):
    async for message in ws:
        await ws.send(message)

async def serve(port):
    async with websockets.serve(echo, "127.0.0.1", port):
        await asyncio.Future()

async def talk(port, n):
    for _ in range(n):
        async with websockets.connect(f"ws://127.0.0.1:{port}/chat?token=x") as ws:
            for i in range(20):
                await ws.send("GET /not-a-request HTTP/1.1\\r\\n\\r\\n")
                await ws.recv()

asyncio.run(serve(int(sys.argv[2])) if sys.argv[1] == "serve" else talk(int(sys.argv[2]), int(sys.argv[3])))
"""


def case_websocket(bench):
    need_root()
    if not importlib.util.find_spec("websockets"):
        raise Skip("python3-websockets is not installed")
    port = free_port()
    bench.start("websocket", [sys.executable, "-c", SOCKETS, "serve", port], port)
    rec = bench.record()
    run([sys.executable, "-c", SOCKETS, "talk", port, 50])
    rec.stop()
    bench.equal(by_op(bench, port, "http"), {"GET /chat": [50, 0]}, "upgrades, and nothing of what the frames hold")


class Elasticsearch(BaseHTTPRequestHandler):
    """Answers as Elasticsearch does, as far as the wire is concerned."""
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status = 404 if "absent" in self.path else 201 if "/_doc" in self.path else 200
        body = json.dumps({"took": 1, "errors": False}).encode()
        self.send_response(status)
        self.send_header("X-elastic-product", "Elasticsearch")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

    def log_message(self, *args):
        pass


def case_elasticsearch(bench):
    need_root()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elasticsearch)
    port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rec = bench.record()
    for day in (21, 22):
        for method, path, body in (("POST", f"/logs-2026.11.{day}/_search?q=secret", b"{}"),
                                   ("PUT", f"/items/_doc/{day}abc", b"{}"), ("POST", "/_bulk", b"{}\n"),
                                   ("GET", "/items/_count", None), ("GET", f"/absent-{day}0000/_doc/x", None)):
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=body, method=method)
            try:
                urllib.request.urlopen(request).read()
            except urllib.error.HTTPError as e:
                e.read()
    rec.stop()
    server.shutdown()
    bench.equal(by_op(bench, port, "http"),
                {"POST /logs-{date}/_search": [2, 0], "PUT /items/_doc/{id}": [2, 0], "POST /_bulk": [2, 0],
                 "GET /items/_count": [2, 0], "GET /absent-{n}/_doc/{id}": [2, 0]}, "index and action")


CLICKHOUSE = """<yandex><logger><level>warning</level><log>{0}/log</log><errorlog>{0}/err</errorlog></logger>
<http_port>{1}</http_port><tcp_port>{2}</tcp_port><listen_host>127.0.0.1</listen_host><path>{0}/data/</path>
<tmp_path>{0}/tmp/</tmp_path><users_config>{0}/users.xml</users_config><mark_cache_size>5368709120</mark_cache_size>
<default_profile>default</default_profile><default_database>default</default_database></yandex>"""
USERS = """<yandex><profiles><default></default></profiles><users><default><password></password><networks><ip>::/0</ip></networks>
<profile>default</profile><quota>default</quota></default></users><quotas><default></default></quotas></yandex>"""


def ask(port, sql, path="/", **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data=sql and sql.encode(), headers=headers)
    try:
        return urllib.request.urlopen(request).read()
    except urllib.error.HTTPError as e:
        return e.read()


def case_clickhouse_over_http(bench):
    need_root()
    need("clickhouse-server")
    folder, port = os.path.join(bench.folder, "clickhouse"), free_port()
    os.makedirs(f"{folder}/data")
    for name, text in (("config.xml", CLICKHOUSE.format(folder, port, free_port())), ("users.xml", USERS)):
        with open(f"{folder}/{name}", "w") as f:
            f.write(text)
    bench.start("clickhouse", ["clickhouse-server", f"--config-file={folder}/config.xml"], port, cwd=folder)
    rec = bench.record()
    ask(port, "CREATE TABLE t (a Int32) ENGINE = Memory")
    for i in range(20):
        ask(port, f"SELECT a FROM t WHERE a = {i}")
        ask(port, None, f"/?query=SELECT%20count()%20FROM%20t%20WHERE%20a%20%3E%20{i}")
        ask(port, '{"a": 1}\n{"a": 2}\n', "/?query=INSERT+INTO+t+FORMAT+JSONEachRow")
    ask(port, "SELECT nothing FROM absent")
    rec.stop()
    got = by_op(bench, port, "clickhouse")
    bench.equal({k: v for k, v in got.items() if "absent" not in k},
                {"CREATE TABLE t (a Int32) ENGINE = Memory": [1, 0], "SELECT a FROM t WHERE a = ?": [20, 0],
                 "SELECT count() FROM t WHERE a > ?": [20, 0], "INSERT INTO t FORMAT JSONEachRow": [20, 0]}, "statements")
    bench.equal([v for k, v in got.items() if "absent" in k], [[1, 1]], "the one that is wrong")


main(globals())
