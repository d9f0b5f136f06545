#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""AMQP 0-9-1: RabbitMQ and pika.  One broker for all, since it takes many seconds to start."""
import os

from e2e import Bench, Skip, free_port, main, need_root, run     # noqa: F401
from harness.process import wait_listening

try:
    import pika
except ImportError:
    pika = None

MESSAGES = 10000
CONFIRMED = 1000
SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"        # the one in the path insists on a user of its own
START_S = 90


def rabbitmq(bench):
    """The port of a node of its own, with its own port mapper, data and cookie."""
    if not os.path.exists(SERVER):
        raise Skip("rabbitmq-server is not installed")
    if not pika:
        raise Skip("python3-pika is not installed")
    port, distribution, mapper = free_port(), free_port(), free_port()
    at = {name: os.path.join(bench.folder, name) for name in ("data", "log", "plugins", "none", "generated", "pid")}
    with open(at["plugins"], "w") as f:
        f.write("[].\n")
    env = {"HOME": bench.folder, "ERL_EPMD_PORT": str(mapper), "ERL_EPMD_ADDRESS": "127.0.0.1",
           "RABBITMQ_NODENAME": f"rootle{port}@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(port),
           "RABBITMQ_DIST_PORT": str(distribution), "RABBITMQ_MNESIA_BASE": at["data"], "RABBITMQ_LOG_BASE": at["log"],
           "RABBITMQ_ENABLED_PLUGINS_FILE": at["plugins"], "RABBITMQ_CONFIG_FILE": at["none"], "RABBITMQ_CONF_ENV_FILE": "/dev/null",
           "RABBITMQ_GENERATED_CONFIG_DIR": at["generated"], "RABBITMQ_PID_FILE": at["pid"]}
    bench.start("epmd", ["epmd", "-port", mapper, "-address", "127.0.0.1"], mapper)
    wait_listening(bench.start("rabbitmq", [SERVER], env=env, cwd=bench.folder), port, START_S)
    return port


def connect(port):
    return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, heartbeat=0))


def publish(port):
    """Confirmed by nobody, to the default exchange."""
    connection = connect(port)
    channel = connection.channel()
    channel.queue_declare("orders")
    for i in range(MESSAGES):
        channel.basic_publish("", "orders", b"x" * (i % 300))
    connection.close()


def consume(port):
    connection = connect(port)
    channel = connection.channel()
    got = 0
    channel.basic_qos(prefetch_count=500)
    for method, _, _ in channel.consume("orders", inactivity_timeout=5):
        if not method:
            break
        got += 1
        if got % 50 == 0:
            channel.basic_ack(method.delivery_tag, multiple=True)
        if got == MESSAGES:
            break
    channel.cancel()
    connection.close()
    return got


def confirm(port):
    """To an exchange, and confirmed; what nobody wants is returned."""
    connection = connect(port)
    channel = connection.channel()
    returned = 0
    channel.exchange_declare("events", "fanout")
    channel.queue_declare("audit")
    channel.queue_bind("audit", "events")
    channel.confirm_delivery()
    for i in range(CONFIRMED):
        channel.basic_publish("events", f"order.{i}", b"y" * 5000)
    for _ in range(3):
        try:
            channel.basic_publish("", "nobody", b"z", mandatory=True)
        except pika.exceptions.UnroutableError:
            returned += 1
    for _ in range(100):
        channel.basic_get("audit", auto_ack=True)
    channel.basic_get("orders", auto_ack=True)
    connection.close()
    return returned


def fail(port):
    """A queue that is not there, an exchange that is not there, a password that is not right."""
    connection = connect(port)
    for _ in range(3):
        channel = connection.channel()
        try:
            channel.queue_declare("missing", passive=True)
        except pika.exceptions.ChannelClosedByBroker:
            pass
    channel = connection.channel()
    channel.basic_publish("nowhere", "key", b"a")
    try:
        connection.process_data_events(1)
        channel.queue_declare("audit", passive=True)
    except pika.exceptions.ChannelClosedByBroker:
        pass
    connection.close()
    try:
        pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, connection_attempts=1,
                                                          credentials=pika.PlainCredentials("guest", "wrong")))
    except pika.exceptions.AMQPConnectionError:
        pass


def counted(bench, port, op, key="count"):
    return sum(r[key] or 0 for r in bench.rows("requests") if r["port"] == port and r["op"] == op)


def details(bench, port, op):
    return [o["detail"] for r in bench.rows("requests") if r["port"] == port and r["op"] == op for o in r["outcomes"] if o["detail"]]


def case_every_message_is_counted(bench):
    need_root()
    port = rabbitmq(bench)
    rec = bench.record()
    publish(port)
    got = consume(port)
    returned = confirm(port)
    fail(port)
    rec.settle()
    rec.stop()
    bench.equal(got, MESSAGES, "messages that the consumer got")
    bench.equal(counted(bench, port, "PUBLISH orders"), MESSAGES, "counted PUBLISH orders")
    bench.equal(counted(bench, port, "PUBLISH orders", "waits"), MESSAGES, "without a latency")
    bench.equal(counted(bench, port, "DELIVER orders"), MESSAGES, "counted DELIVER orders")
    bench.equal(counted(bench, port, "PUBLISH events"), CONFIRMED, "counted PUBLISH events, confirmed")
    bench.equal(counted(bench, port, "PUBLISH events", "waits"), 0, "of those without a latency")
    bench.equal(counted(bench, port, "RETURN nobody", "errors"), returned, "messages that came back")
    bench.equal(details(bench, port, "RETURN nobody"), ["NO_ROUTE"], "and why")
    bench.equal(counted(bench, port, "Basic.Get audit", "rows"), 100, "messages that were fetched")
    bench.equal(counted(bench, port, "Basic.Get orders", "rows"), 0, "and of an empty queue")
    bench.equal(counted(bench, port, "Queue.Declare missing", "errors"), 3, "declarations of what is not there")
    bench.equal(details(bench, port, "Queue.Declare missing"), ["NOT_FOUND"], "and why")
    bench.equal(counted(bench, port, "Channel.Close", "errors"), 1, "channels closed for a publication")
    bench.equal(counted(bench, port, "Connection.Start", "errors"), 1, "passwords refused")


main(globals())
