#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""gRPC: etcd under 10,000 calls, streams in both directions, and errors by their codes; clients and servers of grpcio."""
import importlib.util
import os
import sys

from e2e import Skip, finish, free_port, main, need, need_root, run     # noqa: F401

CALLS = 10000
SERVICE = "rootle.test.Shop"

SERVER = """
import sys, time, grpc
from concurrent import futures

def get(request, context):
    if request != b'0':
        context.abort(grpc.StatusCode(next(c.value for c in grpc.StatusCode if c.value[0] == int(request))), 'as asked')
    return b'item'

def upload(requests, context):
    return str(sum(1 for _ in requests)).encode()

def watch(request, context):
    for i in range(int(request)):
        yield b'x' * (i * 1000)

def chat(requests, context):
    for r in requests:
        yield r

def slow(request, context):
    time.sleep(1)
    return b''

def handlers():
    return grpc.method_handlers_generic_handler('%s', {
        'Get': grpc.unary_unary_rpc_method_handler(get), 'Upload': grpc.stream_unary_rpc_method_handler(upload),
        'Watch': grpc.unary_stream_rpc_method_handler(watch), 'Chat': grpc.stream_stream_rpc_method_handler(chat),
        'Slow': grpc.unary_unary_rpc_method_handler(slow)})

server = grpc.server(futures.ThreadPoolExecutor(8))
server.add_generic_rpc_handlers((handlers(),))
server.add_insecure_port('127.0.0.1:' + sys.argv[1])
server.start()
server.wait_for_termination()
""" % SERVICE

CLIENT = """
import sys, grpc
channel = grpc.insecure_channel('127.0.0.1:' + sys.argv[1])
path = '/%s/' %% '%s'
def failing(call, *args, **kw):
    try:
        call(*args, **kw)
    except grpc.RpcError:
        pass
get = channel.unary_unary(path + 'Get')
for i in range(20):
    get(b'0')
    for code in (3, 5, 13, 14, 16):
        failing(get, str(code).encode())
    assert channel.stream_unary(path + 'Upload')(iter([b'a' * 2000] * 7)) == b'7'
    assert sum(1 for _ in channel.unary_stream(path + 'Watch')(b'12')) == 12
    assert sum(1 for _ in channel.stream_stream(path + 'Chat')(iter([b'x'] * 5))) == 5
for i in range(3):
    failing(channel.unary_unary(path + 'Slow'), b'', timeout=0.05)
failing(channel.unary_unary(path + 'Missing'), b'')
channel.close()
""" % ("%s", SERVICE)

ETCD_CLIENT = """
import sys, grpc
channel = grpc.insecure_channel('127.0.0.1:' + sys.argv[1])
def bounded(call, requests):
    waiting = []
    for r in requests:
        waiting.append(call.future(r))
        if len(waiting) == 50:
            for w in waiting: w.result()
            waiting = []
    for w in waiting: w.result()
n = int(sys.argv[2])
# RangeRequest and PutRequest: field 1 the key, field 2 the value
bounded(channel.unary_unary('/etcdserverpb.KV/Range'), (b'\\n\\x05key%02d' % (i % 100) for i in range(n)))
bounded(channel.unary_unary('/etcdserverpb.KV/Put'), (b'\\n\\x05key%02d\\x12\\x01v' % (i % 100) for i in range(200)))
channel.close()
"""


def need_grpc():
    need_root()
    if not importlib.util.find_spec("grpc"):
        raise Skip("python3-grpcio is not installed")


def by_op(bench, port, protocol="grpc"):
    found = {}
    for r in bench.rows("requests"):
        if r["port"] == port and r["protocol"] == protocol:
            found[r["op"]] = [a + b for a, b in zip(found.get(r["op"], [0, 0, 0]), (r["count"], r["errors"], r["rows"]))]
    return found


def case_ten_thousand_calls_of_etcd(bench):
    need_grpc()
    need("etcd", "etcdctl")
    port, peers = free_port(), free_port()
    bench.start("etcd", ["etcd", "--data-dir", f"{bench.folder}/etcd", "--listen-client-urls", f"http://127.0.0.1:{port}",
                         "--advertise-client-urls", f"http://127.0.0.1:{port}", "--listen-peer-urls", f"http://127.0.0.1:{peers}",
                         "--initial-advertise-peer-urls", f"http://127.0.0.1:{peers}", "--initial-cluster",
                         f"default=http://127.0.0.1:{peers}", "--unsafe-no-fsync"], port)
    rec = bench.record()
    run([sys.executable, "-c", ETCD_CLIENT, port, CALLS], timeout=60)
    env = dict(os.environ, ETCDCTL_API="3")
    for args in (["put", "a", "b"], ["get", "a"], ["del", "a"], ["lease", "revoke", "1234"]):
        run(["etcdctl", f"--endpoints=http://127.0.0.1:{port}", *args], check=False, env=env)
    finish(bench, rec)
    got = by_op(bench, port)
    bench.equal(got.get("/etcdserverpb.KV/Range"), [CALLS + 1, 0, CALLS + 1], "ranges, errors, messages")
    bench.equal(got.get("/etcdserverpb.KV/Put"), [201, 0, 201], "puts")
    bench.equal(got.get("/etcdserverpb.KV/DeleteRange"), [1, 0, 1], "deletes")
    bench.equal(got.get("/etcdserverpb.Lease/LeaseRevoke"), [1, 1, 0], "a lease that is not there")


def case_streams_and_errors(bench):
    need_grpc()
    port = free_port()
    bench.start("shop", [sys.executable, "-c", SERVER, port], port)
    rec = bench.record()
    run([sys.executable, "-c", CLIENT, port], timeout=60)
    finish(bench, rec)
    bench.equal({k.replace(f"/{SERVICE}/", ""): v for k, v in by_op(bench, port).items()},
                {"Get": [120, 100, 20], "Upload": [20, 0, 20], "Watch": [20, 0, 240], "Chat": [20, 0, 100], "Slow": [3, 3, 0],
                 "Missing": [1, 1, 0]}, "calls, errors, messages")


main(globals())
