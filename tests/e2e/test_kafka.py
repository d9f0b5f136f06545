#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Kafka: librdkafka as client, and its mock cluster as broker (Debian has no Apache Kafka): real bytes on real connections."""
import json

from e2e import Failed, Skip, main, need_root

try:
    import confluent_kafka
except ImportError:
    confluent_kafka = None

MESSAGES = 10000


class Cluster:
    """A mock cluster, which lives in a client of its own."""

    def __init__(self):
        if not confluent_kafka:
            raise Skip("python3-confluent-kafka is not installed")
        self.host = confluent_kafka.Producer({"bootstrap.servers": "x", "test.mock.num.brokers": 1, "log_level": 0})
        broker = next(iter(self.host.list_topics(timeout=10).brokers.values()))
        self.port, self.address = broker.port, f"127.0.0.1:{broker.port}"


class Client:
    """A producer of one message a request, which counts what it sends."""

    def __init__(self, cluster, **settings):
        self.sent, self.errors = {}, 0
        self.client = confluent_kafka.Producer({
            "bootstrap.servers": cluster.address, "linger.ms": 0, "batch.num.messages": 1, "log_level": 0,
            "max.in.flight.requests.per.connection": 5, "statistics.interval.ms": 200, "stats_cb": self.stats, **settings})

    def stats(self, text):
        total = {}
        for broker in json.loads(text)["brokers"].values():
            for name, n in broker["req"].items():
                total[name] = total.get(name, 0) + n
        self.sent = total

    def delivered(self, error, message):
        self.errors += error is not None

    def produce(self, topic, n):
        for i in range(n):
            while True:
                try:
                    self.client.produce(topic, f"message {i}".encode(), on_delivery=self.delivered)
                    break
                except BufferError:
                    self.client.poll(0.01)
            self.client.poll(0)
        if self.client.flush(30):
            raise Failed("messages were not delivered")
        # the statistics of a moment ago are of a moment ago
        self.client.poll(0.5)
        self.client.poll(0.5)


def rows_of(bench, port, op):
    return [r for r in bench.rows("requests") if r["port"] == port and r["op"] == op]


def case_every_message_is_a_request(bench):
    need_root()
    cluster = Cluster()
    rec = bench.record()
    client = Client(cluster)
    client.produce("orders", MESSAGES)
    rec.stop()
    bench.equal(client.errors, 0, "messages that the broker refused")
    produced = rows_of(bench, cluster.port, "Produce orders")
    bench.equal(sum(r["count"] for r in produced), client.sent["Produce"], "counted Produce orders, and the client's own count")
    bench.equal(sum(r["rows"] for r in produced), MESSAGES, "records")
    bench.equal({r["protocol"] for r in produced}, {"kafka"}, "protocol")
    bench.equal(sum(r["errors"] for r in produced), 0, "errors")
    # what began before the recorder or went to the bootstrap address is there as well
    for name in ("ApiVersion", "Metadata"):
        op = "ApiVersions" if name == "ApiVersion" else name
        bench.equal(bench.count(cluster.port, f"^{op}$"), client.sent[name], f"counted {op}, and the client's own count")


def case_nobody_answers_acks_0(bench):
    need_root()
    cluster = Cluster()
    rec = bench.record()
    client = Client(cluster, acks=0)
    client.produce("logs", 1000)
    rec.stop()
    produced = rows_of(bench, cluster.port, "Produce logs")
    bench.equal(sum(r["count"] for r in produced), 1000, "counted Produce logs")
    bench.equal(sum(r["waits"] for r in produced), 1000, "without a latency")


def case_what_is_fetched(bench):
    need_root()
    cluster = Cluster()
    Client(cluster).produce("orders", 1000)
    rec = bench.record()
    consumer = confluent_kafka.Consumer({"bootstrap.servers": cluster.address, "group.id": "readers", "log_level": 0,
                                         "auto.offset.reset": "earliest", "fetch.wait.max.ms": 100})
    consumer.subscribe(["orders"])
    got = 0
    while got < 1000:
        message = consumer.poll(10)
        if not message:
            raise Failed(f"only {got} messages came")
        got += message.error() is None
    consumer.close()
    rec.stop()
    fetched = rows_of(bench, cluster.port, "Fetch orders")
    bench.at_least(sum(r["count"] for r in fetched), 1, "counted Fetch orders")
    bench.equal([r["avg_ms"] for r in fetched], [None] * len(fetched), "latency of what waits for messages")
    for op in ("FindCoordinator", "JoinGroup", "SyncGroup", "OffsetFetch", "LeaveGroup"):
        bench.at_least(bench.count(cluster.port, f"^{op}$"), 1, f"counted {op}")


if __name__ == "__main__":
    main(globals())
