#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Both ends of a connection are one edge, whatever lies between them: network namespaces, translated addresses, relays; and who is not
here is called as people call him.

A little network of namespaces of its own for each case: "shop" (10.90.2.2) behind "router" (10.90.2.1 and 10.90.1.1), "buyer" (10.90.1.2)
on its other side.  The clients count what they were answered.
"""
import os
import shutil
import subprocess
import sys

from e2e import Process, Skip, main, need, need_root, run, wait_listening

from harness import recorder

N = 40
OURS = ("buyer.py", "shop.py", "books.py", "shoes.py", "sidecar.py", "thief.py")

SHOP = '''
import socket, sys, threading
def serve(c):
    with c:
        left = b""
        while True:
            got = c.recv(4096)
            if not got:
                return
            left += got
            while b"\\r\\n\\r\\n" in left:
                _, left = left.split(b"\\r\\n\\r\\n", 1)
                c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
s = socket.create_server((sys.argv[1], int(sys.argv[2])), family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, backlog=64)
print("listening", flush=True)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
'''

# connections, requests on each, and ports of its own where the same ones are to be used again
BUYER = '''
import socket, sys, time
host, port, connections, requests = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
own = int(sys.argv[5]) if len(sys.argv) > 5 else 0
answered = 0
there = sorted(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
for i in range(connections):
    family, _, _, _, to = there[i % len(there)]
    c = socket.socket(family, socket.SOCK_STREAM)
    c.settimeout(5)
    if own:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        c.bind(("", own))
    c.connect(to)
    for k in range(requests):
        c.sendall(b"GET /buy HTTP/1.1\\r\\nHost: shop\\r\\n\\r\\n")
        got = b""
        while not got.endswith(b"ok"):
            piece = c.recv(4096)
            if not piece:
                sys.exit("closed")
            got += piece
        answered += 1
    if own:         # no TIME-WAIT
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0")
    c.close()
print(answered, flush=True)
time.sleep(0.15)        # /proc is read within 50 ms: of who is gone by then its name and /etc/hosts are not known
'''


def script(bench, name, text):
    path = os.path.join(bench.folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


class Net:
    def __init__(self, bench, mark=""):
        need_root()
        need("ip", "nft")
        self.bench, self.mark = bench, mark
        self.ns = {}
        for name in ("buyer", "router", "shop"):
            self.add(name)
        self.cable("buyer", "10.90.1.2/24", "router", "10.90.1.1/24")
        self.cable("shop", "10.90.2.2/24", "router", "10.90.2.1/24")
        for name, via in (("buyer", "10.90.1.1"), ("shop", "10.90.2.1")):
            run(["ip", "-n", self.ns[name], "route", "add", "default", "via", via])
        self.inside("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")

    def add(self, name):
        ns = f"rootle-{name}{self.mark}-{os.getpid()}"
        run(["ip", "netns", "add", ns])
        self.bench.undo.append(lambda: run(["ip", "netns", "del", ns], check=False))
        run(["ip", "-n", ns, "link", "set", "lo", "up"])
        self.ns[name] = ns

    def cable(self, a, a_address, b, b_address):
        names = f"to-{b}", f"to-{a}"
        run(["ip", "-n", self.ns[a], "link", "add", names[0], "type", "veth", "peer", "name", names[1], "netns", self.ns[b]])
        for ns, name, address in ((a, names[0], a_address), (b, names[1], b_address)):
            run(["ip", "-n", self.ns[ns], "address", "add", address, "dev", name, *(["nodad"] if ":" in address else [])])
            run(["ip", "-n", self.ns[ns], "link", "set", name, "up"])

    def inside(self, name, *argv, **kw):
        return run(["ip", "netns", "exec", self.ns[name], *argv], **kw)

    def address_v6(self, name, address, dev):
        run(["ip", "-n", self.ns[name], "address", "add", address, "dev", dev, "nodad"])

    def translate(self, name, *rules, family="ip"):
        """Chains of a table of NAT: (hook, rule) each."""
        self.load(name, family, "".join(
            f"chain {hook}{i} {{ type nat hook {hook} priority {'100' if hook == 'postrouting' else '-100'}; {rule}; }}\n"
            for i, (hook, rule) in enumerate(rules)))

    def load(self, name, family, text):
        path = os.path.join(self.bench.folder, f"{name}.nft")
        with open(path, "w") as f:
            f.write(f"table {family} joins {{\n{text}}}\n")
        tried = self.inside(name, "nft", "-f", path, check=False)
        if tried.returncode:
            raise Skip(f"no NAT by nftables here: {tried.stderr.strip()[:200]}")

    def serve(self, where, address, port, name="shop.py"):
        p = Process(name, [sys.executable, script(self.bench, name, SHOP), address, port], netns=self.ns[where],
                    log=os.path.join(self.bench.folder, f"{name}-{where}.log"))
        self.bench.processes.append(p)
        wait_listening(p, port)
        return p

    def buy(self, where, host, port, connections=N, requests=1, *own, name="buyer.py"):
        out = self.inside(where, sys.executable, script(self.bench, name, BUYER), host, str(port), str(connections), str(requests),
                          *map(str, own), timeout=20).stdout
        return int(out)


def edges(bench):
    """{(caller, callee, port): requests} of what is ours: other tests' services have other names."""
    found = {}
    for r in bench.rows("requests"):
        if r["from"] in OURS or r["to"] in OURS:
            key = (r["from"], r["to"], r["port"])
            found[key] = found.get(key, 0) + r["count"]
    return found


def case_translated(bench):
    """In front of "shop" the router translates the destination, the source, or both; the caller may have translated before."""
    net = Net(bench)
    net.translate("buyer", ("output", "ip daddr 10.96.0.1 tcp dport 443 dnat to 10.90.9.9:82"),
                  ("output", "ip daddr 10.90.2.2 tcp dport 83 redirect to :8083"))
    net.translate("router", ("prerouting", "ip daddr 10.90.9.9 tcp dport 80 dnat to 10.90.2.2:8080"),
                  ("prerouting", "ip daddr 10.90.9.9 tcp dport 82 dnat to 10.90.2.2:8082"),
                  ("postrouting", 'oifname "to-shop" tcp dport { 8081, 8082 } masquerade'))
    for port, name in ((8080, "shop.py"), (8081, "books.py"), (8082, "shoes.py")):
        net.serve("shop", "0.0.0.0", port, name)
    net.serve("buyer", "127.0.0.1", 8083, "sidecar.py")
    rec = bench.record()
    wanted = {("buyer.py", callee, port): net.buy("buyer", address, called) for callee, port, address, called in (
        ("shop.py", 8080, "10.90.9.9", 80), ("books.py", 8081, "10.90.2.2", 8081), ("shoes.py", 8082, "10.96.0.1", 443),
        ("sidecar.py", 8083, "10.90.2.2", 83))}
    rec.stop()
    got = edges(bench)
    for key, what in zip(wanted, ("a virtual address", "masqueraded", "the caller's own translation, then both ends' by the router",
                                  "redirected to loopback")):
        bench.equal(got.pop(key, 0), wanted[key], f"{what}: requests of {key[0]} to {key[1]}:{key[2]}")
    bench.equal(got, {}, "no other edges")


def unbound(net, *data):
    need("unbound")
    bench, path = net.bench, os.path.join(net.bench.folder, "unbound.conf")
    lines = "".join(f'  local-data: "{d}"\n' for d in data)
    with open(path, "w") as f:
        f.write(f"""server:
  interface: 10.90.2.2
  access-control: 10.0.0.0/8 allow
  directory: "{bench.folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  local-zone: "test." static
{lines}remote-control:
  control-enable: no
""")
    p = Process("unbound", ["unbound", "-d", "-c", path], netns=net.ns["shop"], log=os.path.join(bench.folder, "unbound.log"))
    bench.processes.append(p)
    wait_listening(p, 53)


def files_of(net, name, **files):
    """What `ip netns exec` puts in place of /etc/hosts and the like."""
    folder = f"/etc/netns/{net.ns[name]}"
    os.makedirs(folder)
    net.bench.undo.append(lambda: shutil.rmtree(folder))
    for file, text in files.items():
        with open(f"{folder}/{file.replace('_', '.')}", "w") as f:
            f.write(text)


def tls_server(net, address, port):
    bench = net.bench
    key, cert = bench.certificate("pay.test")
    p = Process("openssl", ["openssl", "s_server", "-accept", f"{address}:{port}", "-key", key, "-cert", cert, "-www"],
                netns=net.ns["shop"], log=os.path.join(bench.folder, "openssl.log"))
    bench.processes.append(p)
    wait_listening(p, port)
    return p


def case_names_of_others(bench):
    """The shop is told to the recorder to be none of its own: what it is called is what the buyer calls it."""
    net = Net(bench)
    for address in ("10.90.2.12", "10.90.2.3", "10.90.2.4", "10.90.2.5"):
        run(["ip", "-n", net.ns["shop"], "address", "add", f"{address}/24", "dev", "to-router"])
    unbound(net, "cart.test. A 10.90.2.2", "cart.test. A 10.90.2.12")
    files_of(net, "buyer", resolv_conf="nameserver 10.90.2.2\n", hosts="127.0.0.1 localhost\n10.90.2.3 till.test till\n")
    shop, pay = net.serve("shop", "0.0.0.0", 8080), tls_server(net, "10.90.2.5", 8443)
    rec = bench.record("--exclude-pid", f"{shop.pid},{pay.pid}")
    wanted = {("buyer.py", callee, 8080): net.buy("buyer", address, 8080) for callee, address in (
        ("cart.test", "cart.test"), ("till.test", "till"), ("10.90.2.4:8080", "10.90.2.4"))}
    net.inside("buyer", "openssl", "s_client", "-connect", "10.90.2.5:8443", "-servername", "pay.test", check=False)
    rec.stop()
    bench.equal({k: n for k, n in edges(bench).items() if k[1] != "unbound"}, wanted, "of two addresses one service")
    services = {r["service"]: r for r in bench.rows("services", "--why")}
    for name, why in (("cart.test", "DNS answer"), ("till.test", "/etc/hosts"), ("10.90.2.4:8080", "address"), ("pay.test", "SNI")):
        bench.equal(services.get(name, {}).get("why"), why, f"why it is {name}")


def case_counts_of_both_sides(bench):
    """One recorder that sees the callers alone, another that sees the called alone: both count what the callers count."""
    net = Net(bench)
    net.translate("router", ("prerouting", "ip daddr 10.90.9.9 tcp dport 81 dnat to 10.90.2.2:8081"),
                  ("postrouting", 'oifname "to-shop" tcp dport 8081 masquerade'))
    called = [net.serve("shop", "0.0.0.0", 8080), net.serve("shop", "0.0.0.0", 8081, "books.py")]
    pids = ",".join(str(p.pid) for p in called)
    rec = bench.record("--exclude-pid", pids)
    theirs = recorder.Recorder(os.path.join(bench.folder, "theirs.db"), "--cpu-budget", "off", "--pid", pids)
    bench.processes.append(theirs.process)
    answered = {8080: net.buy("buyer", "10.90.2.2", 8080, 50, 20) + net.buy("buyer", "10.90.2.2", 8080, 200, 1),
                8081: net.buy("buyer", "10.90.9.9", 81, 50, 20)}
    rec.stop()
    theirs.stop()
    for port, name in ((8080, "shop.py"), (8081, "books.py")):
        callers = sum(r["count"] for r in bench.rows("requests") if r["from"] == "buyer.py" and r["port"] in (port, port % 8000))
        servers = sum(r["count"] for r in recorder.query("requests", theirs.db, "--last", "1h") if r.get("to") == name)
        bench.at_most(abs(callers - servers) / answered[port] * 100, 0.1, f"{name}: callers' side {callers}, called side {servers}", "%")
        bench.equal(callers, answered[port], f"{name}: what the callers were answered")


def case_ports_used_again(bench):
    """The same four numbers, seconds and milliseconds later, by another program: each has its own requests."""
    net = Net(bench)
    net.serve("shop", "0.0.0.0", 8080)
    rec = bench.record()
    first = net.buy("buyer", "10.90.2.2", 8080, 8, 3, 45001)
    second = net.buy("buyer", "10.90.2.2", 8080, 8, 3, 45001, name="thief.py")
    rec.stop()
    bench.equal(edges(bench), {("buyer.py", "shop.py", 8080): first, ("thief.py", "shop.py", 8080): second}, "one port, two programs")


def behind_the_kernels_back(bench, *rung):
    """Without a connection tracked (as by a load balancer in BPF): both ends have the numbers of their first bytes in common."""
    net = Net(bench)
    net.load("router", "ip", """chain there { type filter hook prerouting priority raw; ip daddr 10.90.9.9 tcp dport 8080 notrack ip daddr set 10.90.2.2; }
chain back { type filter hook postrouting priority raw; ip saddr 10.90.2.2 tcp sport 8080 ip saddr set 10.90.9.9; }
chain neither { type filter hook prerouting priority raw; ip saddr 10.90.2.2 notrack; }
""")
    net.serve("shop", "0.0.0.0", 8080)
    rec = bench.record(*rung)
    answered = net.buy("buyer", "10.90.9.9", 8080)
    rec.stop()
    bench.equal(edges(bench), {("buyer.py", "shop.py", 8080): answered}, "one edge")


def case_behind_the_kernels_back(bench):
    behind_the_kernels_back(bench)


def case_behind_the_kernels_back_by_sockops(bench):
    behind_the_kernels_back(bench, "--rung", "sockets=sockops")


def case_translated_names(bench):
    """Questions and answers go through the translation, too: datagrams of two sockets are one edge."""
    net = Net(bench)
    unbound(net, "cart.test. A 10.90.2.2")
    files_of(net, "buyer", resolv_conf="nameserver 10.90.9.9\n", nsswitch_conf="hosts: dns\n")
    net.translate("router", ("prerouting", "ip daddr 10.90.9.9 udp dport 53 dnat to 10.90.2.2:53"),
                  ("postrouting", 'oifname "to-shop" udp dport 53 masquerade'))
    net.serve("shop", "0.0.0.0", 8080)
    rec = bench.record()
    answered = sum(net.buy("buyer", "cart.test", 8080, 1) for _ in range(10))
    rec.stop()
    asked = [r for r in bench.rows("requests") if r["protocol"] == "dns" and r["op"] == "A cart.test"]
    bench.equal({(r["from"], r["to"], r["count"], r["errors"]) for r in asked}, {("buyer.py", "unbound", 10, 0)}, "questions, and to whom")
    bench.equal(edges(bench).get(("buyer.py", "shop.py", 8080)), answered, "and then the shop itself")


def case_translated_ipv6(bench):
    net = Net(bench)
    for name, address, dev in (("buyer", "fd90:1::2/64", "to-router"), ("router", "fd90:1::1/64", "to-buyer"),
                               ("shop", "fd90:2::2/64", "to-router"), ("router", "fd90:2::1/64", "to-shop")):
        net.address_v6(name, address, dev)
    for name, via in (("buyer", "fd90:1::1"), ("shop", "fd90:2::1")):
        run(["ip", "-6", "-n", net.ns[name], "route", "add", "default", "via", via])
    net.inside("router", "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
    net.translate("router", ("prerouting", "ip6 daddr fd90:9::9 tcp dport 80 dnat to [fd90:2::2]:8080"),
                  ("postrouting", 'oifname "to-shop" tcp dport 8080 masquerade'), family="ip6")
    net.serve("shop", "::", 8080)
    rec = bench.record()
    answered = net.buy("buyer", "fd90:9::9", 80)
    rec.stop()
    bench.equal(edges(bench), {("buyer.py", "shop.py", 8080): answered}, "one edge")


def case_equal_addresses(bench):
    """Two networks that know nothing of each other use the same four numbers at the same time: nobody is joined to a stranger."""
    one, other = Net(bench), Net(bench, "-b")
    one.serve("shop", "0.0.0.0", 8080)
    other.serve("shop", "0.0.0.0", 8080, "books.py")
    rec = bench.record()
    wanted = {("buyer.py", "shop.py", 8080): 0, ("thief.py", "books.py", 8080): 0}
    for _ in range(3):
        buyers = [(subprocess.Popen(["ip", "netns", "exec", net.ns["buyer"], sys.executable, script(bench, name, BUYER), "10.90.2.2",
                                          "8080", "20", "5", "45001"], stdout=subprocess.PIPE, text=True), (name, shop, 8080))
                  for net, name, shop in ((one, "buyer.py", "shop.py"), (other, "thief.py", "books.py"))]
        for p, key in buyers:
            wanted[key] += int(p.communicate(timeout=20)[0])
    rec.stop()
    bench.equal(edges(bench), wanted, "each network has its own requests")


def case_relay(bench):
    """socat passes on what it gets: a service of its own that hides nobody. Called by IPv6, it calls by IPv4."""
    need("socat")
    net = Net(bench)
    net.address_v6("buyer", "fd90::2/64", "to-router")
    net.address_v6("router", "fd90::1/64", "to-buyer")
    net.serve("shop", "0.0.0.0", 8080)
    relay = Process("socat", ["socat", "TCP6-LISTEN:80,fork,reuseaddr", "TCP4:10.90.2.2:8080"], netns=net.ns["router"])
    bench.processes.append(relay)
    wait_listening(relay, 80)
    rec = bench.record()
    answered = net.buy("buyer", "fd90::1", 80, 10, 4)
    rec.stop()
    bench.equal(edges(bench), {("buyer.py", "socat", 80): answered, ("socat", "shop.py", 8080): answered}, "two hops")


if __name__ == "__main__":
    main(globals())
