#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""PostgreSQL beyond counts: pipelines, cursors, COPY, LISTEN, cancels, errors by SQLSTATE, refused start-ups, node-postgres."""
import os
import re
import threading
import time

from e2e import Skip, finish, main, need, need_root, run
from harness import npm


def errors(bench, port, op, sqlstate):
    return sum(o["count"] for r in bench.rows("requests") if r["port"] == port and re.search(op, r["op"], re.I)
               for o in r["outcomes"] if o["detail"] == sqlstate)


def case_pgbench_pipelines(bench):
    """Ten statements sent at once, and answered behind one Sync."""
    need_root()
    port = bench.postgres()
    for mode in ("extended", "prepared"):
        script = os.path.join(bench.folder, f"{mode}.sql")
        with open(script, "w") as f:
            f.write(f"\\set aid random(1, 100000)\n\\startpipeline\n" +
                    f"SELECT abalance + {len(mode)} FROM pgbench_accounts WHERE aid = :aid;\n" * 10 + "\\endpipeline\n")
    rec = bench.record()
    for mode in ("extended", "prepared"):
        run(["pgbench", "-h", "127.0.0.1", "-p", port, "-U", "bench", "-n", "-M", mode, "-f",
             os.path.join(bench.folder, f"{mode}.sql"), "-t", "500", "-c", "2", "bench"], timeout=60)
    finish(bench, rec)
    bench.equal(bench.count(port, r"^SELECT abalance \+ \? FROM pgbench_accounts WHERE aid = \?$"), 2 * 500 * 2 * 10,
                "statements in pipelines of ten")
    bench.equal(bench.count(port, r"\(prepared statement\)"), 0, "executions of statements that are not known")


def driver(port, **kw):
    try:
        import psycopg2
    except ImportError:
        raise Skip("python3-psycopg2 is not installed") from None
    return psycopg2.connect(**{**dict(host="127.0.0.1", port=port, user="bench", dbname="bench"), **kw})


def refused(port, **kw):
    try:
        driver(port, **kw).close()
    except Exception as e:              # of whatever class the driver likes
        return str(e)
    return ""


def cancelled(conn):
    """A query that another thread cancels: its SQLSTATE."""
    threading.Timer(0.3, conn.cancel).start()
    try:
        conn.cursor().execute("SELECT pg_sleep(20)")
    except Exception as e:
        return e.pgcode
    return None


def sqlstate(conn, text):
    try:
        conn.cursor().execute(text)
    except Exception as e:
        return e.pgcode
    return None


def case_what_else_is_said(bench):
    need_root()
    port = bench.postgres()
    conn = driver(port)
    conn.autocommit = True
    conn.cursor().execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    other = driver(port)
    other.autocommit = True
    rows = os.path.join(bench.folder, "rows")
    with open(rows, "w") as f:
        f.write("".join(f"{i}\tvalue {i}\n" for i in range(5000)))
    rec = bench.record()
    conn = driver(port)
    conn.autocommit = True
    cursor = conn.cursor()
    with open(rows) as f:
        cursor.copy_expert("COPY t FROM STDIN", f)
    with open(os.devnull, "w") as f:
        cursor.copy_expert("COPY t TO STDOUT", f)
    cursor.execute("BEGIN; DECLARE c CURSOR FOR SELECT * FROM t")
    for _ in range(10):
        cursor.execute("FETCH 100 FROM c")
    cursor.execute("COMMIT")
    cursor.execute("PREPARE q (int) AS SELECT v FROM t WHERE id = $1")
    for i in range(20):
        cursor.execute(f"EXECUTE q ({i})")
    cursor.execute("DEALLOCATE q")
    cursor.execute("LISTEN news")
    for i in range(5):
        other.cursor().execute(f"NOTIFY news, '{i}'")
    bench.equal(cancelled(conn), "57014", "SQLSTATE of what was cancelled")
    bench.equal([sqlstate(conn, s) for s in ("SELEC 1", "SELECT 1 / 0", "INSERT INTO t VALUES (1, 'again')")],
                ["42601", "22012", "23505"], "SQLSTATEs of errors")
    bench.check("does not exist" in refused(port, dbname="nothing"), "a database that is not there")
    conn.close()
    time.sleep(0.2)         # what it refuses the server ends with the connection, a little later
    finish(bench, rec)
    for op, n in (("^COPY t FROM STDIN$", 1), ("^COPY t TO STDOUT$", 1), (r"^FETCH .*FROM", 10), (r"^SELECT v FROM t WHERE id = \?$", 20),
                  ("^DELIVER news$", 5), ("^CANCEL$", 1), (r"^SELECT pg_sleep\(\?\)$", 1), (r"^SELECT \? / \?$", 1), ("^CONNECT$", 1)):
        bench.equal(bench.count(port, op), n, f"counted {op}")
    for op, state in (("^SELECT pg_sleep", "57014"), (r"^SELECT \? / \?$", "22012"), ("^INSERT INTO t", "23505"),
                      ("^CONNECT$", "3D000")):
        bench.equal(errors(bench, port, op, state), 1, f"{state} of {op}")


NODE = """
const {Client} = require('pg');
(async () => {
  const c = new Client({host: '127.0.0.1', port: +process.argv[2], user: 'bench', database: 'bench'});
  await c.connect();
  for (let i = 0; i < 300; i++) await c.query({name: 'by-id', text: 'SELECT abalance FROM pgbench_accounts WHERE aid = $1', values: [i]});
  for (let i = 0; i < 300; i++) await c.query('SELECT bbalance FROM pgbench_branches WHERE bid = $1', [i]);
  for (let i = 0; i < 300; i++) await c.query('SELECT ' + i + ' AS n');
  await c.end();
})().catch(e => { console.error(e); process.exit(1); });
"""


def case_node_postgres(bench):
    need_root()
    need("node", "npm")
    folder = npm.modules(pg="8.23.1")
    if not folder:
        raise Skip("npm's registry is out of reach")
    port, script = bench.postgres(), os.path.join(bench.folder, "client.js")
    with open(script, "w") as f:
        f.write(NODE)
    rec = bench.record()
    run(["node", script, port], timeout=60, env={**os.environ, "NODE_PATH": folder})
    finish(bench, rec)
    for op in ("^SELECT abalance FROM pgbench_accounts", "^SELECT bbalance FROM pgbench_branches", r"^SELECT \? AS n$"):
        bench.equal(bench.count(port, op), 300, f"counted {op}")


main(globals())
