#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""AMQP 0-9-1 and 1.0: RabbitMQ, pika and Qpid Proton.  One broker for all, since it takes many seconds to start."""
import os
import subprocess
import sys

from e2e import Skip, free_port, main, need_root, run
from harness.process import wait_listening

try:
    import pika
except ImportError:
    pika = None

MESSAGES = 10000
MESSAGES_1_0 = 10000
CONFIRMED = 1000
SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"        # the one in the path insists on a user of its own
START_S = 90


def rabbitmq(bench):
    """The port of a node of its own, with its own port mapper, data and cookie."""
    if not os.path.exists(SERVER):
        raise Skip("rabbitmq-server is not installed")
    if not pika:
        raise Skip("python3-pika is not installed")
    if subprocess.run([sys.executable, "-c", "import proton"], stderr=subprocess.DEVNULL).returncode:
        raise Skip("python3-qpid-proton is not installed")
    port, distribution, mapper = free_port(), free_port(), free_port()
    at = {name: os.path.join(bench.folder, name) for name in ("data", "log", "plugins", "none", "generated", "pid")}
    with open(at["plugins"], "w") as f:
        f.write("[rabbitmq_amqp1_0].\n")
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


# As many as it is given credit for, each settled when the broker has; a consumer of the same; an address that is not there; a password
# that is not right.  A process of its own: the library's loop is never given back.
PROTON = r"""
import sys
from proton import Message
from proton.handlers import MessagingHandler
from proton.reactor import Container

url, messages = sys.argv[1], int(sys.argv[2])

class Work(MessagingHandler):
    def __init__(self):
        super().__init__(prefetch=500)
        self.sent = self.accepted = self.got = 0
    def on_start(self, event):
        c = event.container.connect(url, allowed_mechs="PLAIN", reconnect=False)
        self.sender = event.container.create_sender(c, "/queue/proton")
        event.container.create_receiver(c, "/queue/proton")
    def on_sendable(self, event):
        while event.sender.credit and self.sent < messages:
            event.sender.send(Message(body="x" * (self.sent % 300)))
            self.sent += 1
    def done(self, event):
        if self.accepted == messages and self.got == messages:
            event.connection.close()
    def on_accepted(self, event):
        self.accepted += 1
        self.done(event)
    def on_message(self, event):
        self.got += 1
        self.done(event)

class Fail(MessagingHandler):
    def __init__(self, url, address):
        super().__init__()
        self.url, self.address = url, address
    def on_start(self, event):
        c = event.container.connect(self.url, allowed_mechs="PLAIN", reconnect=False)
        event.container.create_sender(c, self.address)
    def on_sendable(self, event):
        event.connection.close()
    def on_link_error(self, event):
        event.connection.close()
    def on_session_error(self, event):
        event.connection.close()
    def on_connection_error(self, event):
        event.connection.close()
    def on_transport_error(self, event):
        pass

work = Work()
Container(work).run()
Container(Fail(url, "/exchange/nowhere")).run()
Container(Fail(url.replace("guest@", "wrong@"), "/queue/proton")).run()
print(work.sent, work.accepted, work.got)
"""


def proton(port):
    """How many messages Proton has sent, has seen accepted, and got."""
    done = subprocess.run([sys.executable, "-c", PROTON, f"amqp://guest:guest@127.0.0.1:{port}", str(MESSAGES_1_0)], timeout=60,
                          stdout=subprocess.PIPE, text=True, check=True)
    return [int(x) for x in done.stdout.split()]


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
    qpid = proton(port)
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
    bench.equal(qpid, [MESSAGES_1_0] * 3, "messages that Proton sent, saw accepted, and got")
    bench.equal(counted(bench, port, "SEND /queue/proton"), MESSAGES_1_0, "counted SEND /queue/proton")
    bench.equal(counted(bench, port, "SEND /queue/proton", "rows"), MESSAGES_1_0, "of those accepted")
    bench.equal(counted(bench, port, "SEND /queue/proton", "errors"), 0, "and with an error")
    bench.equal(counted(bench, port, "DELIVER /queue/proton"), MESSAGES_1_0, "counted DELIVER /queue/proton")
    bench.equal(counted(bench, port, "ATTACH /queue/proton"), 2, "links")
    bench.equal(counted(bench, port, "ATTACH /exchange/nowhere", "errors"), 1, "links to what is not there")
    bench.equal(details(bench, port, "ATTACH /exchange/nowhere"), ["amqp:not-found"], "and why")
    bench.equal(counted(bench, port, "SASL PLAIN", "errors"), 1, "passwords refused to Proton")


main(globals())
