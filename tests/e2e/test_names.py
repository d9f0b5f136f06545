#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Names that people use, of kinds of processes that there are: containers, units, interpreters' scripts, pre-forked servers, rules of the user's.

All are servers that get one connection, so that each is somebody's edge: the port says which is which. Names are compared to the letter; of
servers that may run on this machine besides, name:port is right too.
"""
import concurrent.futures
import json
import os
import shutil
import socket
import subprocess
import sys
import time

from e2e import Failed, Skip, free_port, main, need, need_root, run
from harness import recorder
from harness.process import listening

PODMAN_WAIT = 30
PYTHON_SERVER = """
import http.server, os, sys
class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Quiet).serve_forever()
"""
WORKERS = """
import multiprocessing, socket, sys, time
def work(s):
    while True:
        c, _ = s.accept(); c.recv(100); c.sendall(b"done\\n"); c.close()
if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    for _ in range(2): multiprocessing.Process(target=work, args=(s,)).start()
    time.sleep(600)
"""
NODE = 'require("http").createServer((q, s) => s.end()).listen(+process.argv[2], "127.0.0.1")\n'
TITLED = 'process.title = "node /srv/checkout.js"; require("http").createServer((q, s) => s.end()).listen(+process.argv[2], "127.0.0.1")\n'
PERL = ('use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], Listen => 5);\n'
        'while (my $c = $s->accept) { <$c>; print $c "done\\n"; close $c }\n')
RUBY = 'require "socket"\ns = TCPServer.new("127.0.0.1", ARGV[0].to_i)\nloop { c = s.accept; c.gets; c.puts "done"; c.close }\n'
JAVA = """import java.net.*;
public class Checkout {
    public static void main(String[] a) throws Exception {
        ServerSocket s = new ServerSocket(Integer.parseInt(a[0]), 5, InetAddress.getByName("127.0.0.1"));
        while (true) { Socket c = s.accept(); c.getInputStream().read(); c.getOutputStream().write("done\\n".getBytes()); c.close(); }
    }
}
"""
HELPED = """
import http.server, subprocess, sys
class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        subprocess.run(["sh", "-c", f"curl -s http://127.0.0.1:{sys.argv[2]}/helped; true"])
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Quiet).serve_forever()
"""
WSGI = 'def app(environ, start):\n    start("200 OK", [("Content-Length", "0")])\n    return [b""]\n'
SYNC = 'while sleep 0.1; do exec 3<>/dev/tcp/127.0.0.1/$1 && echo hello >&3 && read -r -t 1 x <&3; exec 3>&-; done\n'

CGROUPS = "/sys/fs/cgroup"


def cgroup_make(bench, path):
    """Makes the cgroup in the hierarchy that systemd uses; the file that moves the writer there."""
    for root in (f"{CGROUPS}/systemd", f"{CGROUPS}/unified", CGROUPS):
        if os.path.exists(f"{root}/cgroup.procs"):
            break
    else:
        raise Skip("no hierarchy of cgroups is mounted")
    made = []
    parts = path.strip("/").split("/")
    for i in range(len(parts)):
        folder = os.path.join(root, *parts[:i + 1])
        if not os.path.isdir(folder):
            os.mkdir(folder)
            made.append(folder)

    def remove():
        for folder in reversed(made):
            for _ in range(50):
                try:
                    os.rmdir(folder)
                    break
                except OSError:
                    time.sleep(0.02)
    bench.undo.append(remove)
    return f"{root}/{path.strip('/')}/cgroup.procs"


def put(bench, name, text):
    path = os.path.join(bench.folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o755)
    return path


class Names:
    """What was started: port → the names that are right, and what for."""

    def __init__(self, bench):
        self.bench, self.wanted, self.started = bench, {}, []

    def add(self, what, names, argv, listens=True, **kw):
        """argv may hold PORT."""
        port = free_port()
        self.wanted[port] = (what, names if isinstance(names, tuple) else (names,))
        self.started.append(self.bench.start(f"{len(self.started)}", [str(a).replace("PORT", str(port)) for a in argv], **kw))
        return port

    def expect(self, port, what, *names):
        self.wanted[port] = (what, names)

    def wait(self):
        for port in self.wanted:
            until = time.monotonic() + 15
            while not listening(os.getpid(), port):
                if time.monotonic() > until:
                    raise Failed(f"{self.wanted[port][0]}: nothing listens on port {port}")
                time.sleep(0.05)

    def ask(self):
        """One connection to each, at once."""
        sockets = []
        for port in self.wanted:
            s = socket.create_connection(("127.0.0.1", port), timeout=2)
            s.sendall(b"GET /names HTTP/1.0\r\n\r\n")
            sockets.append(s)
        time.sleep(0.3)
        for s in sockets:
            s.close()


def rootfs_make(bench):
    """Enough of a file system for a web server."""
    if not os.path.exists("/bin/busybox"):
        raise Skip("busybox is not installed")
    if subprocess.run(["ldd", "/bin/busybox"], capture_output=True).returncode == 0:
        raise Skip("busybox is not static")
    root = os.path.join(bench.folder, "rootfs")
    for folder in ("bin", "proc", "sys", "dev", "etc", "tmp", "run", "var"):
        os.makedirs(f"{root}/{folder}")
    shutil.copy("/bin/busybox", f"{root}/bin/busybox")
    for program in ("sh", "sleep", "httpd"):
        os.symlink("busybox", f"{root}/bin/{program}")
    return root


def containers_start(bench, names):
    """Two of Podman's, one of an image; two of runc's by hand."""
    need("podman", "runc")
    root = rootfs_make(bench)
    podman = ["podman", "--root", f"{bench.folder}/store", "--runroot", f"{bench.folder}/run", "--storage-driver", "vfs",
              "--cgroup-manager", "cgroupfs", "--events-backend", "file", "--runtime", "runc"]
    limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--network", "host"]
    tag = os.path.basename(bench.folder).split(".")[-1].lower()
    bench.undo.append(lambda: run([*podman, "rm", "-fa", "-t", "0"], check=False))
    archive = subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE)
    subprocess.run([*podman, "import", "-q", "-", "shop/cart:1.2"], stdin=archive.stdout, check=True, capture_output=True, timeout=PODMAN_WAIT)
    archive.wait()
    of_image, of_folder = free_port(), free_port()
    run([*podman, "run", "-d", "--name", f"shop-cart-{tag}", *limits, "shop/cart:1.2", "/bin/httpd", "-f", "-p", f"127.0.0.1:{of_image}"],
        timeout=PODMAN_WAIT)
    run([*podman, "run", "-d", "--name", f"shop-mail-{tag}", *limits, "--rootfs", root,
         "/bin/sh", "-c", f"httpd -f -p 127.0.0.1:{of_folder} & wait"], timeout=PODMAN_WAIT)
    names.expect(of_image, "Podman, of an image", f"shop-cart-{tag}")
    names.expect(of_folder, "Podman, the child of a shell", f"shop-mail-{tag}")
    for name, argv in ((f"shop-web-{tag}", ["/bin/httpd", "-f", "-p"]), (f"shop-batch-{tag}", ["/bin/sh", "-c"])):
        port = free_port()
        bundle = os.path.join(bench.folder, name)
        os.mkdir(bundle)
        run(["runc", "spec", "--bundle", bundle])
        with open(f"{bundle}/config.json") as f:
            spec = json.load(f)
        argv += [f"127.0.0.1:{port}"] if argv[0] == "/bin/httpd" else [f"/bin/httpd -f -p 127.0.0.1:{port} & wait"]
        spec["root"] = {"path": root, "readonly": False}
        spec["process"].update(args=argv, terminal=False, rlimits=[])
        spec["linux"]["namespaces"] = [n for n in spec["linux"]["namespaces"] if n["type"] != "network"]
        spec["mounts"] = [m for m in spec["mounts"] if m["type"] not in ("sysfs", "cgroup", "mqueue")]
        with open(f"{bundle}/config.json", "w") as f:
            json.dump(spec, f)
        subprocess.run(["runc", "run", "-d", "--bundle", bundle, name], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=True, timeout=20)
        bench.undo.append(lambda name=name: run(["runc", "delete", "-f", name], check=False))
        names.expect(port, f"runc, {argv[0]}", name)
    return of_image


def units_start(bench, names):
    server = put(bench, "unit/serve.py", PYTHON_SERVER)
    python = [sys.executable, server, "PORT"]
    names.add("systemd unit", "shop-orders", python, tasks_files=[cgroup_make(bench, "system.slice/shop-orders.service")])
    names.add("systemd scope", "shop-search", python, tasks_files=[cgroup_make(bench, "system.slice/shop-search.scope")])
    names.add("instance of a template", "shop-mailer", python,
              tasks_files=[cgroup_make(bench, "system.slice/system-shop\\x2dmailer.slice/shop-mailer@3.service")])
    names.add("unit of a user", "shop-notes", python,
              tasks_files=[cgroup_make(bench, "user.slice/user-1000.slice/user@1000.service/app.slice/shop-notes.service")])
    # moved after its start: nothing but its cgroup says so
    moved = cgroup_make(bench, "system.slice/shop-moved.service")
    names.add("unit, moved there later", "shop-moved", python)
    with open(moved, "w") as f:
        f.write(str(names.started[-1].pid))


def java_compile(bench):
    """Under way; None where there is no compiler."""
    if not shutil.which("javac"):
        return None
    return subprocess.Popen(["javac", "-d", f"{bench.folder}/java", put(bench, "java/Checkout.java", JAVA)])


def scripts_start(bench, names, java_compiled):
    python = sys.executable
    names.add("script of Python", "pricing.py", [python, "-u", put(bench, "pricing.py", PYTHON_SERVER), "PORT"])
    names.add("module of Python", "http.server", [python, "-m", "http.server", "--bind", "127.0.0.1", "PORT"], cwd=bench.folder)
    names.add("workers of multiprocessing", "pool.py", [python, put(bench, "pool.py", WORKERS), "PORT"])
    names.add("script of Perl", "report.pl", ["perl", "-w", put(bench, "report.pl", PERL), "PORT"])
    if shutil.which("node"):
        names.add("script of Node", "api.js", ["node", put(bench, "api.js", NODE), "PORT"])
        names.add("Node with a title", "checkout.js", ["node", put(bench, "wrap.js", TITLED), "PORT"])
    if shutil.which("ruby"):
        names.add("script of Ruby", "worker.rb", ["ruby", put(bench, "worker.rb", RUBY), "PORT"])
    if java_compiled:
        java_compiled.wait()
        run(["jar", "cfe", f"{bench.folder}/shop.jar", "Checkout", "-C", f"{bench.folder}/java", "Checkout.class"])
        small = ["java", "-Xmx16m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        names.add("jar", "shop.jar", [*small, "-jar", f"{bench.folder}/shop.jar", "PORT"])
        names.add("main class", "Checkout", [*small, "-cp", f"{bench.folder}/java", "Checkout", "PORT"])
    put(bench, "shop.py", WSGI)
    names.add("gunicorn's workers", "shop", ["gunicorn", "-w", "2", "-b", "127.0.0.1:PORT", "shop:app"], cwd=bench.folder)
    names.add("uWSGI's workers", "billing", ["uwsgi", "--plugin", "python3", "--http-socket", "127.0.0.1:PORT", "--master", "--processes", "2",
                                             "--module", "billing:app", "--die-on-term"], cwd=os.path.dirname(put(bench, "billing.py", WSGI)))


def servers_start(bench, names):
    port, _ = bench.nginx()
    names.expect(port, "nginx and its workers", "nginx")
    for _ in range(2):
        port = bench.redis()
        names.expect(port, "one of two of a name", f"redis:{port}")
    fpm = [f for f in sorted(os.listdir("/usr/sbin")) if f.startswith("php-fpm")]
    www, shop = free_port(), free_port()
    pools = "".join(f"[{n}]\nlisten = 127.0.0.1:{p}\npm = static\npm.max_children = 2\nuser = nobody\n" for n, p in (("www", www), ("basket", shop)))
    conf = put(bench, "fpm.conf", f"[global]\nerror_log = {bench.folder}/fpm.log\ndaemonize = no\n{pools}")
    bench.start("php-fpm", [f"/usr/sbin/{fpm[-1]}", "-F", "-n", "-y", conf])
    names.expect(www, "the usual pool of PHP", "php-fpm")
    names.expect(shop, "a pool of PHP with a name", "php-fpm:basket")
    os.mkdir(f"{bench.folder}/bin")
    program = shutil.copy(os.path.realpath(sys.executable), f"{bench.folder}/bin/ledger")
    names.add("program", "ledger", [program, put(bench, "ledger.py", PYTHON_SERVER), "PORT"])


def rules_start(bench, names):
    """Renamed by a pattern with a group, put together although they listen on different ports, and named by port."""
    python = sys.executable
    names.add("renamed by a rule", "eu-stock", [python, put(bench, "stock.py", PYTHON_SERVER), "PORT", "--region=eu"])
    shard = put(bench, "shard.py", PYTHON_SERVER)
    names.add("grouped by a rule", "shards", [python, shard, "PORT"])
    names.add("grouped by a rule", "shards", [python, shard, "PORT"])
    port = names.add("named by its port", "admin-page", [python, put(bench, "page.py", PYTHON_SERVER), "PORT"])
    return put(bench, "rootle.yaml", f"""
names:
  - match: {{cmdline: '~/stock\\.py .*--region=([a-z]+)'}}
    name: $1-stock
  - match: {{name: shard.py}}
    group: shards
  - match: {{name: page.py, port: {port}}}
    name: admin-page
""")


def has_another(services, name, port):
    """Whether something else on this machine has the name, so that this is name:port."""
    return name != "shards" and any(s.split(":")[0] == name and s != f"{name}:{port}" for s in services)


def case_twenty_kinds(bench):
    need_root()
    need("curl", "gunicorn", "uwsgi", "perl", "redis-server", "nginx", "php-fpm8.2" if os.path.exists("/usr/sbin/php-fpm8.2") else "nginx")
    names = Names(bench)
    slow = concurrent.futures.ThreadPoolExecutor(1)      # its thread stays: what it starts ends with it
    bench.undo.append(slow.shutdown)
    postgres, java = slow.submit(bench.postgres), java_compile(bench)
    servers_start(bench, names)
    image_port = containers_start(bench, names)
    units_start(bench, names)
    config = rules_start(bench, names)
    scripts_start(bench, names, java)
    names.expect(postgres.result(), "PostgreSQL, one process a connection", "postgres")
    names.wait()
    rec = bench.record("--config", config, "--no-profile")
    sync = names.add("a script of a shell that calls", "pricing.py", [sys.executable, f"{bench.folder}/pricing.py", "PORT"])
    names.add("a server that calls through curl", "thumbs.py", [sys.executable, put(bench, "thumbs.py", HELPED), "PORT", sync])
    names.wait()
    names.bench.start("sync", ["bash", put(bench, "sync.sh", SYNC), sync])
    until = time.monotonic() + 8
    while time.monotonic() < until:
        names.ask()
        edges = bench.rows("edges")
        if names.wanted.keys() <= {e["port"] for e in edges} and {"sync.sh", "thumbs.py"} <= {e["from"] for e in edges}:
            break
    rec.stop()
    edges = bench.rows("edges")
    services = {s["service"]: s for s in bench.rows("services")}
    for port, (what, right) in names.wanted.items():
        found = sorted({e["to"] for e in edges if e["port"] == port})
        allowed = {*right, *(f"{n}:{port}" for n in right if has_another(services, n, port))}
        bench.check(len(found) == 1 and found[0] in allowed, f"{what}: {', '.join(found) or 'no edge'}" + (
            "" if found and found[0] in allowed else f", wanted {right[0]}"))
    callers = {e["from"] for e in edges if e["port"] == sync}
    bench.check("sync.sh" in callers, "a script of a shell is the caller by its name")
    bench.check("thumbs.py" in callers and "curl" not in callers, f"what a server starts calls in its name: {sorted(callers)}")
    kinds = {what for what, _ in names.wanted.values()}
    bench.at_least(len(kinds), 20, "kinds of processes")
    cart = next((e["to"] for e in edges if e["port"] == image_port), None)
    bench.equal(services.get(cart, {}).get("image"), "localhost/shop/cart:1.2", "image of the container")
    bench.equal(services.get(cart, {}).get("why"), "Podman container", "reason for its name")
    bench.equal(services.get("eu-stock", {}).get("why"), f"rule of {config}:3", "reason for a name by rule")
    bench.equal(sorted({"java", "", "0", "php-fpm8.2"} & {n.split(":")[0] for n in services}), [], "names that say nothing")
    text = run([recorder.binary(), "services", "--why", "--db", bench.db, "--last", "1h"]).stdout
    bench.check("Podman container" in text and "script of python" in text, "services --why says why")


main(globals())
