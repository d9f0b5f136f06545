#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""ZooKeeper: a server of its own and kazoo."""
import os

from e2e import Skip, free_port, main, need, need_root
from harness.process import wait_listening

try:
    from kazoo.client import KazooClient
    from kazoo.exceptions import BadVersionError, NodeExistsError, NoNodeError
except ImportError:
    KazooClient = None

REQUESTS = 10000
START_S = 60
SERVER = "/usr/share/java/zookeeper.jar"      # it names its class path itself


def zookeeper(bench):
    need("java")
    if not os.path.exists(SERVER):
        raise Skip("zookeeper is not installed")
    if not KazooClient:
        raise Skip("python3-kazoo is not installed")
    port = free_port()
    conf = os.path.join(bench.folder, "zoo.cfg")
    with open(conf, "w") as f:
        f.write(f"tickTime=2000\ndataDir={bench.folder}/data\nclientPort={port}\nclientPortAddress=127.0.0.1\n"
                "admin.enableServer=false\nforceSync=no\n")
    argv = ["java", "-Xmx256m", "-cp", SERVER, "org.apache.zookeeper.server.quorum.QuorumPeerMain", conf]
    wait_listening(bench.start("zookeeper", argv, cwd=bench.folder), port, START_S)
    return port


def use(port):
    """Reads in a pipeline, and one of each thing that can go wrong. How many watches fired."""
    fired = []
    client = KazooClient(f"127.0.0.1:{port}", timeout=30)
    client.start(30)
    client.create("/config", b"1")
    for pending in [[client.get_async("/config") for _ in range(1000)] for _ in range(REQUESTS // 1000)]:
        for one in pending:
            one.get(30)
    for i in range(100):
        client.create(f"/config/job-{i:010}", b"x")
    client.get_children("/config")
    for error, call in ((NoNodeError, lambda: client.get("/missing")), (NodeExistsError, lambda: client.create("/config")),
                        (BadVersionError, lambda: client.set("/config", b"2", version=7))):
        try:
            call()
        except error:
            pass
    client.exists("/missing")
    client.get("/config", watch=fired.append)
    client.set("/config", b"3")
    transaction = client.transaction()
    transaction.check("/config", 99)
    transaction.delete("/config")
    transaction.commit()
    client.sync("/config")
    client.stop()
    client.close()
    return len(fired)


def counted(bench, port, op, key="count"):
    return sum(r[key] or 0 for r in bench.rows("requests") if r["port"] == port and r["op"] == op)


def details(bench, port, op):
    return {o["detail"] for r in bench.rows("requests") if r["port"] == port and r["op"] == op for o in r["outcomes"] if o["detail"]}


def case_every_request_is_counted(bench):
    need_root()
    port = zookeeper(bench)
    rec = bench.record()
    fired = use(port)
    rec.stop()
    bench.equal({r["protocol"] for r in bench.rows("requests") if r["port"] == port}, {"zookeeper"}, "protocol")
    bench.equal(counted(bench, port, "getData /config"), REQUESTS + 1, "counted getData")
    bench.equal(counted(bench, port, "create /config/job-{id}"), 100, "counted create")
    bench.equal(counted(bench, port, "getChildren /config", "rows"), 100, "children")
    bench.equal(details(bench, port, "getData /missing"), {"NO_NODE"}, "of what is not there")
    bench.equal(counted(bench, port, "exists /missing", "errors"), 0, "errors of a question whether it is there")
    bench.equal(details(bench, port, "create /config"), {"NODE_EXISTS"}, "of what is there")
    bench.equal(details(bench, port, "setData /config"), {"BAD_VERSION"}, "of what has changed")
    bench.equal(details(bench, port, "multi"), {"BAD_VERSION"}, "of a transaction")
    bench.equal(counted(bench, port, "NOTIFY /config"), fired, "watches that fired")
    for op in ("connect", "sync /config", "closeSession"):
        bench.equal(counted(bench, port, op), 1, f"counted {op}")


main(globals())
