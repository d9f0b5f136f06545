#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Both ends of a connection are one edge, whatever lies between them: network namespaces, translated addresses, relays; and who is not
here is called as people call him.

A little network of namespaces of its own for each case: "shop" (10.90.2.2, fd90:2::2) behind "router" (10.90.2.1 and 10.90.1.1), "buyer"
(10.90.1.2) on its other side.  The clients count what they were answered.
"""
import os
import sys

from e2e import Process, Skip, main, need, need_root, run, wait_listening

N = 40
OURS = ("buyer.py", "shop.py", "sidecar.py")

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
import socket, sys
host, port, connections, requests = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
own = int(sys.argv[5]) if len(sys.argv) > 5 else 0
answered = 0
for i in range(connections):
    family, _, _, _, to = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
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
'''


def script(bench, name, text):
    path = os.path.join(bench.folder, name)
    with open(path, "w") as f:
        f.write(text)
    return path


class Net:
    def __init__(self, bench):
        need_root()
        need("ip", "nft")
        self.bench = bench
        self.ns = {}
        for name in ("buyer", "router", "shop"):
            self.add(name)
        self.cable("buyer", "10.90.1.2/24", "router", "10.90.1.1/24")
        self.cable("shop", "10.90.2.2/24", "router", "10.90.2.1/24")
        for name, via in (("buyer", "10.90.1.1"), ("shop", "10.90.2.1")):
            run(["ip", "-n", self.ns[name], "route", "add", "default", "via", via])
        self.inside("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")

    def add(self, name):
        ns = f"rootle-{name}-{os.getpid()}"
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

    def translate(self, name, *rules):
        """Chains of a table of NAT: (hook, rule) each."""
        text = "".join(f"chain {hook} {{ type nat hook {hook} priority {-100 if hook in ('prerouting', 'output') else 100}; {rule}; }}\n"
                       for hook, rule in rules)
        path = os.path.join(self.bench.folder, f"{name}.nft")
        with open(path, "w") as f:
            f.write(f"table ip joins {{\n{text}}}\n")
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


def case_destination_translated(bench):
    net = Net(bench)
    net.translate("router", ("prerouting", "ip daddr 10.90.9.9 tcp dport 80 dnat to 10.90.2.2:8080"))
    net.serve("shop", "0.0.0.0", 8080)
    rec = bench.record()
    answered = net.buy("buyer", "10.90.9.9", 80)
    rec.stop()
    bench.equal(edges(bench), {("buyer.py", "shop.py", 8080): answered}, "a virtual address: one edge")


def case_source_translated(bench):
    net = Net(bench)
    net.translate("router", ("postrouting", "oifname \"to-shop\" masquerade"))
    net.serve("shop", "0.0.0.0", 8080)
    rec = bench.record()
    answered = net.buy("buyer", "10.90.2.2", 8080)
    rec.stop()
    bench.equal(edges(bench), {("buyer.py", "shop.py", 8080): answered}, "masqueraded: one edge")


def case_translated_twice(bench):
    """By the caller's own namespace, then source and destination by the router."""
    net = Net(bench)
    net.translate("buyer", ("output", "ip daddr 10.96.0.1 tcp dport 443 dnat to 10.90.9.9:80"))
    net.translate("router", ("prerouting", "ip daddr 10.90.9.9 tcp dport 80 dnat to 10.90.2.2:8080"),
                  ("postrouting", "oifname \"to-shop\" masquerade"))
    net.serve("shop", "0.0.0.0", 8080)
    rec = bench.record()
    answered = net.buy("buyer", "10.96.0.1", 443)
    rec.stop()
    bench.equal(edges(bench), {("buyer.py", "shop.py", 8080): answered}, "three addresses: one edge")


def case_redirected_to_loopback(bench):
    net = Net(bench)
    net.translate("buyer", ("output", "ip daddr 10.90.2.2 tcp dport 80 redirect to :8080"))
    net.serve("buyer", "127.0.0.1", 8080, name="sidecar.py")
    rec = bench.record()
    answered = net.buy("buyer", "10.90.2.2", 80)
    rec.stop()
    bench.equal(edges(bench), {("buyer.py", "sidecar.py", 8080): answered}, "redirected: one edge")


if __name__ == "__main__":
    main(globals())
