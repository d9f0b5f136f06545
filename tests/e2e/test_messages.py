#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Messages that are published and delivered: each is counted, on the side that sends it and on the side that gets it."""
import json
import os
import subprocess
import textwrap

from e2e import Failed, Skip, free_port, main, need, need_root, run
from harness import npm

MESSAGES = 10000


def counted(bench, port, op, key="count"):
    return sum(r[key] or 0 for r in bench.rows("requests") if r["port"] == port and r["op"] == op)


def finish(rec):
    rec.stop()


def nats(bench):
    need_root()
    need("nats-server")
    port = free_port()
    bench.start("nats-server", ["nats-server", "-a", "127.0.0.1", "-p", port, "-js", "-sd", bench.folder], port)
    return port


def node(bench, modules, script, *args):
    """What a script prints as JSON, run with npm's packages."""
    need("node", "npm")
    found = npm.modules(**modules)
    if not found:
        raise Skip("the npm registry is out of reach")
    path = os.path.join(bench.folder, "client.js")
    with open(path, "w") as f:
        f.write(textwrap.dedent(script))
    done = subprocess.run(["node", path, *map(str, args)], env={**os.environ, "NODE_PATH": found}, capture_output=True, text=True,
                          timeout=60)
    if done.returncode:
        raise Failed(f"the client failed: {done.stderr.strip()[-400:]}")
    return json.loads(done.stdout)


NATS_CLIENT = """
    const { connect, StringCodec } = require("nats");
    (async () => {
        const [port, n] = [process.argv[2], Number(process.argv[3])], sc = StringCodec();
        const nc = await connect({ servers: `127.0.0.1:${port}` }), other = await connect({ servers: `127.0.0.1:${port}` });
        let got = 0, failed = 0;
        other.subscribe("orders.>", { callback: () => got++ });
        other.subscribe("price.get", { callback: (err, m) => m.respond(sc.encode("7.5")) });
        await other.flush();
        // a burst of above 256 KB in the first milliseconds of a connection is cut before anybody knows what it is
        await new Promise(r => setTimeout(r, 500));
        for (let i = 0; i < n; i++) nc.publish("orders.new", sc.encode("x".repeat(i % 300)));
        await nc.flush();
        for (let i = 0; i < 500; i++) await nc.request("price.get", sc.encode("a"), { timeout: 5000 });
        for (let i = 0; i < 3; i++) await nc.request("nobody.there", sc.encode("a")).catch(() => failed++);
        const jsm = await nc.jetstreamManager();
        await jsm.streams.add({ name: "S", subjects: ["kept.*"] });
        for (let i = 0; i < 200; i++) await nc.jetstream().publish("kept.one", sc.encode("y"));
        await other.flush();
        console.log(JSON.stringify({ got, failed }));
        await nc.close();
        await other.close();
    })();
"""


def case_nats(bench):
    port = nats(bench)
    rec = bench.record()
    said = node(bench, {"nats": "2.29.3"}, NATS_CLIENT, port, MESSAGES)
    finish(rec)
    bench.equal(counted(bench, port, "PUBLISH orders.new"), MESSAGES, "counted PUBLISH")
    bench.equal(counted(bench, port, "DELIVER orders.new"), said["got"], "counted DELIVER, and what the subscriber got")
    bench.equal(counted(bench, port, "REQUEST price.get"), 500, "counted REQUEST")
    bench.equal(counted(bench, port, "REQUEST nobody.there", "errors"), said["failed"], "requests without a responder")
    bench.equal(counted(bench, port, "REQUEST kept.one"), 200, "messages that a stream acknowledged")
    details = [o["detail"] for r in bench.rows("requests") if r["op"] == "REQUEST nobody.there" for o in r["outcomes"]]
    bench.equal(details, ["NO_RESPONDERS"], "their outcome")


MQTT_CLIENT = """
    const mqtt = require("mqtt");
    (async () => {
        const [port, n, version] = process.argv.slice(2).map(Number);
        const to = { protocolVersion: version }, url = `mqtt://127.0.0.1:${port}`;
        const a = await mqtt.connectAsync(url, to), b = await mqtt.connectAsync(url, to);
        let got = 0;
        b.on("message", () => got++);
        await b.subscribeAsync("room/+/temperature", { qos: 1 });
        // a burst of above 256 KB in the first milliseconds of a connection is cut before anybody knows what it is
        await new Promise(r => setTimeout(r, 500));
        const sent = [];
        for (let i = 0; i < n; i++) sent.push(a.publishAsync("room/kitchen/temperature", "x".repeat(i % 200), { qos: i % 3 }));
        await Promise.all(sent);
        for (let until = Date.now() + 5000; got < n && Date.now() < until;) await new Promise(r => setTimeout(r, 50));
        await a.endAsync();
        await b.endAsync();
        console.log(JSON.stringify({ got }));
    })();
"""


def mqtt(bench, version):
    need_root()
    need("mosquitto")
    port = free_port()
    conf = os.path.join(bench.folder, "mosquitto.conf")
    with open(conf, "w") as f:
        f.write(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\nuser root\n")
    bench.start("mosquitto", ["mosquitto", "-c", conf], port)
    rec = bench.record()
    said = node(bench, {"mqtt": "5.10.1"}, MQTT_CLIENT, port, MESSAGES, version)
    finish(rec)
    bench.equal(said["got"], MESSAGES, "messages that the subscriber got")
    bench.equal(counted(bench, port, "PUBLISH room/kitchen/temperature"), MESSAGES, "counted PUBLISH")
    bench.equal(counted(bench, port, "PUBLISH room/kitchen/temperature", "waits"), (MESSAGES + 2) // 3, "of which QoS 0")
    bench.equal(counted(bench, port, "DELIVER room/kitchen/temperature"), MESSAGES, "counted DELIVER")
    bench.equal(counted(bench, port, "CONNECT"), 2, "counted CONNECT")
    bench.equal(counted(bench, port, "SUBSCRIBE room/+/temperature"), 1, "counted SUBSCRIBE")


def case_mqtt_3(bench):
    mqtt(bench, 4)


def case_mqtt_5(bench):
    mqtt(bench, 5)


def case_mqtt_refuses(bench):
    need_root()
    need("mosquitto", "mosquitto_pub")
    port = free_port()
    conf = os.path.join(bench.folder, "mosquitto.conf")
    with open(conf, "w") as f:
        f.write(f"listener {port} 127.0.0.1\nallow_anonymous false\nuser root\n")
    bench.start("mosquitto", ["mosquitto", "-c", conf], port)
    rec = bench.record()
    said = run(["mosquitto_pub", "-h", "127.0.0.1", "-p", port, "-t", "a", "-m", "b"], check=False)
    finish(rec)
    bench.check(said.returncode != 0, "mosquitto_pub was refused")
    rows = [r for r in bench.rows("requests") if r["port"] == port and r["op"] == "CONNECT"]
    bench.equal([(o["status"], o["detail"]) for r in rows for o in r["outcomes"]], [(5, "NOT_AUTHORIZED")], "outcome of CONNECT")


if __name__ == "__main__":
    main(globals())
