#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""MariaDB of Debian under sysbench, the mariadb client, PyMySQL and mysql2: counted = sent, errors by name, TLS, compression."""
import os
import re
import shutil
import threading
import time

from e2e import Skip, finish, free_port, main, need, need_root, run
from harness import npm

QUERIES = 10000


class Server:
    """An instance of its own in the bench's folder: root without a password, user "bench" with one."""

    def __init__(self, bench, *options):
        need("mariadbd", "mariadb-install-db", "mariadb")
        self.port, data = free_port(), os.path.join(bench.folder, "mariadb")
        self.socket = os.path.join(bench.folder, "mariadb.sock")
        os.mkdir(data, 0o700)
        shutil.chown(data, "mysql")
        os.chmod(bench.folder, 0o777)
        run(["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=mysql",
             "--auth-root-authentication-method=normal", "--skip-test-db"], timeout=60)
        bench.start("mariadbd", ["mariadbd", "--no-defaults", "--user=mysql", f"--datadir={data}", f"--socket={self.socket}",
                                 f"--port={self.port}", "--bind-address=127.0.0.1", f"--pid-file={data}/pid",
                                 "--skip-log-bin", "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0",
                                 *options], self.port)
        self.sql("CREATE DATABASE bench; CREATE USER bench@localhost IDENTIFIED BY 'right';"
                 "GRANT ALL ON bench.* TO bench@localhost; GRANT PROCESS ON *.* TO bench@localhost;"
                 "CREATE TABLE bench.t (id INT PRIMARY KEY, v VARCHAR(100)); INSERT INTO bench.t VALUES (1, 'a'), (2, 'b')")

    def sql(self, text):
        return run(["mariadb", "--no-defaults", "-uroot", f"-S{self.socket}", "-N", "-e", text], timeout=30).stdout

    def status(self, name):
        return int(self.sql(f"SHOW GLOBAL STATUS LIKE '{name}'").split()[1])

    def connect(self, **kw):
        try:
            import pymysql
        except ImportError:
            raise Skip("python3-pymysql is not installed") from None
        return pymysql.connect(**{**dict(host="127.0.0.1", port=self.port, user="bench", password="right", database="bench",
                                         autocommit=True), **kw})


def ours(bench, server):
    return [r for r in bench.rows("requests") if r["port"] == server.port]


def case_sysbench_texts_and_prepared(bench):
    need_root()
    need("sysbench")
    server = Server(bench)
    argv = ["sysbench", "oltp_point_select", "--db-driver=mysql", "--mysql-host=127.0.0.1", f"--mysql-port={server.port}",
            "--mysql-user=bench", "--mysql-password=right", "--mysql-db=bench", "--tables=1", "--table-size=100", "--threads=4",
            f"--events={QUERIES}", "--time=0"]
    run([*argv, "prepare"], timeout=60)
    before = server.status("Com_select"), server.status("Com_stmt_execute")
    rec = bench.record()
    for mode in ("disable", "auto"):
        said = run([*argv, f"--db-ps-mode={mode}", "run"], timeout=60).stdout
        bench.equal(int(re.search(r"read:\s+(\d+)", said).group(1)), QUERIES, f"queries that sysbench sent, prepared: {mode}")
    selects, executed = server.status("Com_select") - before[0], server.status("Com_stmt_execute") - before[1]
    finish(bench, rec)
    bench.equal((selects, executed), (2 * QUERIES, QUERIES), "statements that MariaDB counted, and executed ones of them")
    bench.equal(bench.count(server.port, r"^SELECT c FROM sbtest1 WHERE id = \?$"), selects, "counted SELECTs")
    bench.equal(sum(r["errors"] for r in ours(bench, server)), 0, "errors counted")
    bench.equal(bench.count(server.port, r"\(prepared statement\)"), 0, "executions of statements that are not known")


def fails(f, number):
    """True where it fails with that number."""
    try:
        f()
    except Exception as e:              # of whatever class the driver likes
        return e.args[0] == number
    return False


def deadlock(server):
    """Two transactions that take two rows in opposite orders: one of them is told."""
    a, b = server.connect(autocommit=False), server.connect(autocommit=False)
    told = []

    def second(c, row):
        try:
            c.cursor().execute("UPDATE t SET v = 'x' WHERE id = %s", (row,))
        except Exception as e:
            told.append(e.args[0])
    a.cursor().execute("UPDATE t SET v = 'y' WHERE id = 1")
    b.cursor().execute("UPDATE t SET v = 'y' WHERE id = 2")
    waiting = threading.Thread(target=second, args=(a, 2))
    waiting.start()
    time.sleep(0.3)
    second(b, 1)
    waiting.join()
    for c in (a, b):
        c.rollback()
        c.close()
    return told


def lock_wait_timeout(server):
    a, b = server.connect(autocommit=False), server.connect(autocommit=False)
    a.cursor().execute("UPDATE t SET v = 'z' WHERE id = 1")
    b.cursor().execute("SET SESSION innodb_lock_wait_timeout = 1")
    said = fails(lambda: b.cursor().execute("UPDATE t SET v = 'z' WHERE id = 1"), 1205)
    a.rollback()
    return said


def case_errors(bench):
    need_root()
    server = Server(bench, "--max-connections=8")
    conn = server.connect()
    cursor = conn.cursor()
    rec = bench.record()
    bench.check(fails(lambda: cursor.execute("SELEC 1"), 1064), "1064 of a text that is no SQL")
    bench.check(fails(lambda: cursor.execute("SELECT * FROM missing"), 1146), "1146 of a table that is not there")
    bench.check(fails(lambda: server.connect(password="wrong"), 1045), "1045 of a wrong password")
    bench.equal(deadlock(server), [1213], "deadlock")
    bench.check(lock_wait_timeout(server), "1205 of a lock that is not given up")
    crowd = [server.connect() for _ in range(8 - server.status("Threads_connected"))]
    # one more is kept for an administrator
    bench.check(fails(lambda: [crowd.append(server.connect()) for _ in range(9)], 1040), "1040 of one connection too many")
    for c in crowd:
        c.close()
    finish(bench, rec)
    rows = ours(bench, server)

    def errors(op, detail):
        return sum(o["count"] for r in rows if re.search(op, r["op"]) for o in r["outcomes"] if o["detail"] == detail)
    for op, detail, n in ((r"^SELEC", "ER_PARSE_ERROR", 1), (r"^SELECT \* FROM missing", "ER_NO_SUCH_TABLE", 1),
                          ("^CONNECT$", "ER_ACCESS_DENIED_ERROR", 1), ("^CONNECT$", "ER_CON_COUNT_ERROR", 1),
                          ("^UPDATE", "ER_LOCK_DEADLOCK", 1), ("^UPDATE", "ER_LOCK_WAIT_TIMEOUT", 1)):
        bench.equal(errors(op, detail), n, detail)


NODE = """
const mysql = require('mysql2/promise');
const [port, compress] = [+process.argv[2], process.argv[3] === 'compress'];
(async () => {
  const c = await mysql.createConnection({host: '127.0.0.1', port, user: 'bench', password: 'right', database: 'bench', compress});
  const s = await c.prepare('SELECT v FROM t WHERE id = ? OR v = ?');
  for (let i = 0; i < 500; i++) await s.execute([i, 'none']);
  for (let i = 0; i < 200; i++) await c.query('SELECT seq, REPEAT("x", 100) FROM seq_1_to_10');
  await c.ping();
  await c.end();
})().catch(e => { console.error(e); process.exit(1); });
"""


def client_mysql2(bench, server):
    """500 executions and 200 texts, plain and compressed."""
    folder = shutil.which("node") and shutil.which("npm") and npm.modules(mysql2="3.24.6")
    if not folder:
        print("  SKIP mysql2: no Node.js, or npm's registry is out of reach")
        return 0
    script = os.path.join(bench.folder, "client.js")
    with open(script, "w") as f:
        f.write(NODE)
    for how in ("plain", "compress"):
        run(["node", script, server.port, how], timeout=60, env={**os.environ, "NODE_PATH": folder})
    return 2


def client_pymysql(bench, server):
    """Several results, and a file."""
    from pymysql.constants import CLIENT
    conn = server.connect(client_flag=CLIENT.MULTI_STATEMENTS, local_infile=True)
    cursor, data = conn.cursor(), os.path.join(bench.folder, "rows.txt")
    with open(data, "w") as f:
        f.write("".join(f"{i}\tv\n" for i in range(100, 400)))
    for _ in range(10):
        cursor.execute("SELECT 1; SELECT 2; UPDATE t SET v = 'q' WHERE id = 1")
        while cursor.nextset():
            pass
    cursor.execute(f"LOAD DATA LOCAL INFILE '{data}' INTO TABLE t")
    cursor.execute("SELECT * FROM t")
    conn.close()


def client_tls(bench, server):
    said = run(["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{server.port}", "-ubench", "-pright", "--ssl", "-N", "-e",
                "SHOW STATUS LIKE 'Ssl_cipher'"], timeout=20).stdout
    bench.check(len(said.split()) == 2, f"a client that is encrypted: {said.strip()}")


def case_clients_compression_tls(bench):
    need_root()
    need("openssl")
    key, cert = os.path.join(bench.folder, "key.pem"), os.path.join(bench.folder, "cert.pem")
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj",
         "/CN=localhost"])
    os.chmod(key, 0o644)
    server = Server(bench, "--local-infile=1", f"--ssl-cert={cert}", f"--ssl-key={key}")
    server.connect().close()            # PyMySQL is there
    rec = bench.record()
    times = client_mysql2(bench, server)
    client_pymysql(bench, server)
    client_tls(bench, server)
    finish(bench, rec)
    for op, n in ((r"^SELECT v FROM t WHERE id = \? OR v = \?$", 500 * times), ("^PREPARE SELECT v FROM t", times),
                  ("^SELECT seq, REPEAT", 200 * times), ("^PING$", times), (r"^SELECT \?; SELECT \?; UPDATE t", 10),
                  (r"^LOAD DATA LOCAL INFILE \?", 1), (r"^SELECT \* FROM t$", 1), ("^SHOW STATUS", 0)):
        bench.equal(bench.count(server.port, op), n, f"counted {op}")
    bench.equal({r["protocol"] for r in bench.rows("edges") if r.get("port") == server.port} - {"mysql"}, {"tls"},
                "the other protocol that was seen")


main(globals())
