#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""MongoDB and Cassandra: ten thousand requests of the real drivers, against small servers, for Debian has no real ones."""
import json
import os
import sys

from e2e import HERE, Skip, free_port, main, need, need_root, run
from harness import npm, recorder

MONGO = """
const { MongoClient } = require('mongodb');
(async () => {
	const c = new MongoClient(`mongodb://127.0.0.1:${process.argv[1]}/?maxPoolSize=4&compressors=${process.argv[2]}`);
	const db = c.db('shop'), items = db.collection('items');
	await c.connect();
	const n = +process.argv[3];
	for (let i = 0; i < n; i += 10)
		await Promise.all([...Array(10).keys()].map(k => items.insertOne({n: i + k, text: 'x'.repeat(k * 300)})));
	for (let i = 0; i < n; i += 10)
		await Promise.all([...Array(10).keys()].map(k => items.findOne({n: i + k})));
	let documents = 0;
	for await (const d of db.collection('many').find({})) documents++;
	let failed = 0;
	await db.collection('slow').find({}).toArray().catch(() => failed++);
	await items.insertOne({_id: 'twice'}).catch(() => failed++);
	await db.command({ping: 1});
	console.log(JSON.stringify({documents, failed}));
	await c.close();
})();
"""

CASSANDRA = """
const { Client } = require('cassandra-driver');
(async () => {
	const c = new Client({contactPoints: [`127.0.0.1:${process.argv[1]}`], localDataCenter: 'dc1', protocolOptions: {maxVersion: 4},
			      isMetadataSyncEnabled: false});
	await c.connect();
	let rows = 0, failed = 0;
	for (let i = 0; i < 5000; i += 10)
		await Promise.all([...Array(10).keys()].map(k => c.execute(`SELECT name FROM items WHERE id = '${i + k}'`)
			.then(r => rows += r.rows.length)));
	for (let i = 0; i < 5000; i += 10)
		await Promise.all([...Array(10).keys()].map(k => c.execute('INSERT INTO items (id, name) VALUES (?, ?)', [`${i + k}`, 'x'],
			{prepare: true})));
	for (let i = 0; i < 50; i++)
		await c.batch([`UPDATE items SET name = 'a' WHERE id = '${i}'`, `UPDATE items SET name = 'b' WHERE id = '${i}'`]);
	await c.execute("SELECT slow FROM items", [], {retry: new (require('cassandra-driver').policies.retry.FallthroughRetryPolicy)()})
		.catch(() => failed++);
	await c.execute("SELECT broken FROM items").catch(() => failed++);
	console.log(JSON.stringify({rows, failed}));
	await c.shutdown();
})();
"""


def drive(bench, server, script, modules, *args):
    """What the server says that it answered, and what the client says; and the port."""
    need_root()
    need("node")
    if not modules:
        raise Skip("npm's registry is out of reach")
    port = free_port()
    p = bench.start(server, [sys.executable, os.path.join(HERE, "servers", f"{server}.py"), port], port)
    rec = bench.record()
    said = run(["node", "-e", script, port, *args], timeout=60, env={**os.environ, "NODE_PATH": modules}).stdout
    rec.stop()
    p.stop()
    with open(os.path.join(bench.folder, f"{server}.log")) as f:
        answered = json.loads([line for line in f if line.startswith("{")][-1])
    bench.equal(recorder.query("requests", bench.db, "--last", "1h")[-1]["coverage"]["lost_events"], 0, "events lost")
    return port, answered, json.loads(said)


def mongodb(bench, compressor, n):
    port, answered, said = drive(bench, "mongo", MONGO, npm.modules(mongodb="6.12.0"), compressor, n)
    count, errors, rows = (bench.sums(port, k) for k in ("count", "errors", "rows"))
    bench.equal(said, {"documents": 30, "failed": 2}, "what the driver got")
    bench.equal(count.get("insert items"), n + 1, "counted insert items")
    bench.equal(count.get("find items"), n, "counted find items")
    bench.equal(count.get("find many", 0) + count.get("getMore many", 0), 3, "counted batches")
    for name in ("insert", "ping", "getMore", "endSessions"):
        bench.equal(sum(n for op, n in count.items() if op.split()[0] == name), answered.get(name, 0),
                    f"counted {name}: as the server")
    bench.equal(rows.get("find items"), n, "rows of find items")
    bench.equal(rows.get("find many", 0) + rows.get("getMore many", 0), 30, "rows of the batches")
    bench.equal((errors.get("find slow"), errors.get("insert items"), sum(errors.values())), (1, 1, 2), "errors")


def case_mongodb_plain(bench):
    mongodb(bench, "none", 500)


def case_mongodb_zlib(bench):
    mongodb(bench, "zlib", 5000)


def case_cassandra(bench):
    port, answered, said = drive(bench, "cassandra", CASSANDRA, npm.modules(**{"cassandra-driver": "4.8.0"}))
    count, errors, rows = (bench.sums(port, k) for k in ("count", "errors", "rows"))
    insert, batch = "INSERT INTO items (id, name) VALUES (?)", "BATCH UPDATE items SET name = ? WHERE id = ?"
    bench.equal(said, {"rows": 10000, "failed": 2}, "what the driver got")
    bench.equal(count.get("SELECT name FROM items WHERE id = ?"), 5000, "counted SELECT")
    bench.equal(rows.get("SELECT name FROM items WHERE id = ?"), 10000, "rows of SELECT")
    bench.equal(count.get(insert), 5000, "counted INSERT, by the id of a prepared statement")
    bench.equal(count.get("PREPARE " + insert), answered.get("PREPARE"), "counted PREPARE: as the server")
    bench.equal(count.get(batch), 50, "counted BATCH")
    bench.equal(sum(count.values()), sum(answered.values()), "requests in all: as the server")
    bench.equal((errors.get("SELECT slow FROM items"), errors.get("SELECT broken FROM items")), (1, 1), "errors")


main(globals())
