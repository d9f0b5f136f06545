# SPDX-License-Identifier: BSD-2-Clause
"""The shop: real servers, a row each, in namespaces and cgroups of their own.

    clients → edge (nginx) → storefront.js ┬→ catalog.py → postgres, on the small throttled disk
                                           └→ cart.py    → redis
"""
import json
import os
import pwd
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass

from harness.process import Failed, Process, run, wait_listening
from host import PREFIX, SUBNET, Cgroups, Disk, Network

HERE = os.path.dirname(os.path.abspath(__file__))
DISK_BYTES_PER_S = 8 << 20
RATE = 80                               # requests a second


@dataclass(frozen=True)
class Service:
    """One server. argv: {dir} is its work folder, {src} the folder of services, {NAME} the HOST:PORT of another row."""
    name: str
    number: int                         # of its address, SUBNET.number
    port: int
    argv: tuple
    prepare: str = ""                   # the method of Shop that makes its files before the start
    finish: str = ""                    # the method of Shop that fills it with data after the start
    user: str = ""


# Started in this order: who is called comes before who calls.
SERVICES = (
    Service("postgres", 50, 5432, ("{pg}/postgres", "-D", "{disk}/pg", "-c", "config_file={disk}/pg/postgresql.conf"),
            prepare="make_cluster", finish="fill_database", user="postgres"),
    Service("redis", 60, 6379, ("redis-server", "{dir}/redis.conf"), prepare="configure_redis"),
    Service("catalog", 30, 8001, ("/usr/bin/python3", "{src}/catalog.py", "8001", "{postgres}")),
    Service("cart", 40, 8002, ("/usr/bin/python3", "{src}/cart.py", "8002", "{redis}")),
    Service("storefront", 20, 8000, ("node", "{src}/storefront.js", "8000", "{catalog}", "{cart}")),
    Service("edge", 10, 80, ("nginx", "-p", "{dir}", "-c", "{dir}/nginx.conf", "-e", "{dir}/error.log"),
            prepare="configure_nginx"),
)
CLIENTS = 100

NGINX = """
daemon off; pid {dir}/nginx.pid; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
	access_log {dir}/access.log;
	client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
	upstream storefront {{ server {storefront}; keepalive 32; }}
	server {{
		listen 80;
		location / {{
			proxy_pass http://storefront; proxy_http_version 1.1; proxy_set_header Connection "";
			proxy_read_timeout 6s;
		}}
	}}
}}
"""
POSTGRES = """
listen_addresses = '*'
unix_socket_directories = '{dir}'
max_connections = 100
shared_buffers = 128MB
max_parallel_workers_per_gather = 0
"""
# 400,000 items in 3,000 categories: 130 rows by the index, or the whole table without it.
SCHEMA = """
CREATE TABLE items (id int PRIMARY KEY, category int NOT NULL, name text NOT NULL, price int NOT NULL);
INSERT INTO items SELECT i, i % 3000, 'item ' || md5(i::text), (i::bigint * 7919) % 100000 FROM generate_series(1, 400000) i;
CREATE INDEX items_category_idx ON items (category);
CREATE TABLE reviews (id serial PRIMARY KEY, item int NOT NULL, stars int NOT NULL, words text NOT NULL);
ANALYZE;
"""


def postgres_bin():
    versions = sorted(os.listdir("/usr/lib/postgresql")) if os.path.isdir("/usr/lib/postgresql") else []
    if not versions:
        raise Failed("PostgreSQL is not installed")
    return f"/usr/lib/postgresql/{versions[-1]}/bin"


class Shop:
    """All of it: up after __init__, gone after the ledger's undo_all()."""

    def __init__(self, ledger):
        self.ledger, self.running, self.clients = ledger, {}, None
        self.folder = tempfile.mkdtemp(prefix="rootle-lab.", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        ledger.add("folder", self.folder)
        self.network, self.cgroups = Network(ledger), Cgroups(ledger)
        self.disk = Disk(ledger, self.cgroups, self.folder)
        self.words = {"src": f"{HERE}/services", "disk": self.disk.path, "pg": postgres_bin(),
                      **{s.name: f"{SUBNET}.{s.number}:{s.port}" for s in SERVICES}}
        self.rows = {s.name: s for s in SERVICES}
        self.namespaces = {s.name: self.network.host(s.name, s.number) for s in SERVICES}
        self.namespaces["clients"] = self.network.host("clients", CLIENTS)
        self.tasks = {name: self.cgroups.group(name) for name in self.namespaces}
        for service in SERVICES:
            if service.prepare:
                getattr(self, service.prepare)(service)
            self.start(service.name)
            if service.finish:
                getattr(self, service.finish)(service)
        self.disk.throttle(DISK_BYTES_PER_S)

    # services

    def dir(self, service):
        path = f"{self.folder}/{service.name}"
        os.makedirs(path, exist_ok=True)
        if service.user:
            shutil.chown(path, service.user)
        return path

    def start(self, name):
        """Starts a service by its row, and waits until it listens."""
        service = self.rows[name]
        argv = [word.format(dir=self.dir(service), **self.words) for word in service.argv]
        process = Process(name, argv, log=f"{self.folder}/{name}.log", netns=self.namespaces[name],
                          tasks_files=self.tasks[name], user=service.user or None, cwd=self.dir(service))
        self.ledger.process(process)
        self.running[name] = process
        wait_listening(process, service.port)

    def run_beside(self, name, argv, beside):
        """Another program, in the namespace of a service but not in its cgroup: an intruder or a tool."""
        process = Process(name, argv, log=f"{self.folder}/{name}.log", netns=self.namespaces[beside])
        self.ledger.process(process)
        self.running[name] = process
        return process

    def end(self, name, signo=signal.SIGKILL):
        self.running.pop(name).stop(signo)

    def check(self):
        """Raises when a service that should run does not."""
        for name, process in self.running.items():
            if not process.alive():
                raise Failed(f"{name} ended by itself: {process.last_words()}")

    # load

    def load(self, seconds, seed):
        """Starts the clients; stop_load() ends them and returns what they counted."""
        self.report = f"{self.folder}/clients.json"
        argv = ["/usr/bin/python3", f"{HERE}/services/clients.py", self.words["edge"], RATE, seconds, self.report, seed]
        self.clients = Process("clients", argv, log=f"{self.folder}/clients.log", netns=self.namespaces["clients"],
                               tasks_files=self.tasks["clients"])
        self.ledger.process(self.clients)

    def stop_load(self):
        if not self.clients:
            return {}
        self.clients.send(signal.SIGTERM)
        clients, self.clients = self.clients, None
        clients.wait(20)
        with open(self.report) as f:
            return json.load(f)

    # the files of single services

    def sql(self, text):
        socket = self.dir(self.rows["postgres"])
        run(["runuser", "-u", "postgres", "--", "psql", "-qXv", "ON_ERROR_STOP=1", "-h", socket, "-U", "shop",
             "-d", "shop", "-c", text], cwd="/")

    def make_cluster(self, service):
        data = f"{self.disk.path}/pg"
        os.mkdir(data, 0o700)
        shutil.chown(data, service.user)
        entry = pwd.getpwnam(service.user)
        run([f"{self.words['pg']}/initdb", "-D", data, "-U", "shop", "-A", "trust", "--no-sync", "-E", "UTF8",
             "--locale=C"], cwd="/", user=entry.pw_uid, group=entry.pw_gid)
        with open(f"{data}/postgresql.conf", "a") as f:
            f.write(POSTGRES.format(dir=self.dir(service)))
        with open(f"{data}/pg_hba.conf", "a") as f:
            f.write(f"host all all {SUBNET}.0/24 trust\n")

    def fill_database(self, service):
        until = time.monotonic() + 15
        while True:                     # it listens a moment before it lets anyone in
            try:
                run(["runuser", "-u", service.user, "--", "psql", "-qX", "-h", self.dir(service), "-U", "shop", "-d",
                     "postgres", "-c", "CREATE DATABASE shop"], cwd="/")
                break
            except Failed:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
        for statement in filter(str.strip, SCHEMA.split(";")):
            self.sql(statement)
        self.sql("CHECKPOINT")

    def configure_redis(self, service):
        with open(f"{self.dir(service)}/redis.conf", "w") as f:
            f.write(f"bind 0.0.0.0\nport {service.port}\nprotected-mode no\nsave \"\"\ndir {self.dir(service)}\n")

    def configure_nginx(self, service):
        with open(f"{self.dir(service)}/nginx.conf", "w") as f:
            f.write(NGINX.format(dir=self.dir(service), storefront=self.words["storefront"]))
