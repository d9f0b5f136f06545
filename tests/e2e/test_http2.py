#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""HTTP/2 in clear text: counted = sent under h2load, the ways to begin it, and what node's server does with streams."""
import re

from e2e import finish, free_port, lines_of, main, need, need_root, run

REQUESTS = 10000


def by_op(bench, port):
    found = {}
    for r in bench.rows("requests"):
        if r["port"] == port:
            key = (r["protocol"], r["op"])
            found[key] = [a + b for a, b in zip(found.get(key, [0, 0]), (r["count"], r["errors"]))]
    return found


def h2load(port, path, *args, tls=False):
    """Sends REQUESTS and returns how many were answered with 2xx."""
    said = run(["h2load", "-n", REQUESTS, *args, f"http{'s' * tls}://127.0.0.1:{port}{path}"], timeout=60).stdout
    return int(re.search(r"status codes: (\d+) 2xx", said).group(1))


def streams(bench, clients, at_once, *options, tls=False):
    need_root()
    need("h2load")
    port, log = bench.nginx(http2=True, tls=tls)
    rec = bench.record(*options)
    answered = h2load(port, "/hello.html", "-c", clients, "-m", at_once, tls=tls)
    finish(bench, rec)
    bench.equal(answered, REQUESTS, "answered, says h2load")
    bench.equal(lines_of(log, REQUESTS), REQUESTS, "nginx's access log")
    bench.equal(by_op(bench, port), {("http2", "GET /hello.html"): [REQUESTS, 0]}, "counted")


def case_h2load_of_many_streams(bench):
    streams(bench, 4, 100)


def case_h2load_one_by_one(bench):
    streams(bench, 8, 1)


def case_inside_of_tls(bench):
    streams(bench, 4, 10, "--tls", "--tls-budget", "off", tls=True)


def case_begun_in_each_way(bench):
    """nghttpx takes both: with prior knowledge, and upgraded from HTTP/1.1; its backend is HTTP/1."""
    need_root()
    need("nghttpx", "curl")
    backend, _ = bench.nginx()
    port = free_port()
    bench.start("nghttpx", ["nghttpx", "--conf=/dev/null", f"--frontend=127.0.0.1,{port};no-tls", f"--backend=127.0.0.1,{backend}",
                            "--workers=1", "--errorlog-file=/dev/null"], port)
    rec = bench.record()
    url = f"http://127.0.0.1:{port}"
    for _ in range(5):
        run(["curl", "-s", "--http2", f"{url}/hello.html"])
        for path in ("hello.html", "missing"):
            run(["curl", "-s", "--http2-prior-knowledge", f"{url}/{path}"])
    finish(bench, rec)
    bench.equal(by_op(bench, port), {("http2", "GET /hello.html"): [10, 0], ("http2", "GET /missing"): [5, 0]}, "at nghttpx")
    bench.equal(by_op(bench, backend), {("http", "GET /hello.html"): [10, 0], ("http", "GET /missing"): [5, 0]}, "behind it")


NODE = """
const http2 = require('http2');
const server = http2.createServer();
server.on('stream', (stream, headers) => {
	const path = headers[':path'];
	stream.on('error', () => {});
	if (path === '/refused')
		return stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
	if (path === '/broken')
		return stream.respond({':status': 500}, {endStream: true});
	if (path === '/hang')
		return;
	if (path === '/trailers') {
		stream.respond({':status': 200}, {waitForTrailers: true});
		stream.on('wantTrailers', () => stream.sendTrailers({'x-sum': '1'}));
		return stream.end('x'.repeat(50000));
	}
	stream.additionalHeaders({':status': 103, link: '</a.css>'});
	stream.respond({':status': 200});
	stream.end('hello');
});
server.listen(+process.argv[1], '127.0.0.1');
"""

NODE_CLIENT = """
const http2 = require('http2');
const client = http2.connect('http://127.0.0.1:' + process.argv[1]);
const ask = path => new Promise(done => {
	const req = client.request({':path': path, ':method': path === '/up' ? 'POST' : 'GET'});
	req.on('error', done); req.on('close', done); req.resume();
	if (path === '/hang')
		req.on('ready', () => setTimeout(() => req.close(http2.constants.NGHTTP2_CANCEL), 100));
	req.end(path === '/up' ? 'y'.repeat(100000) : undefined);
});
(async () => {
	const all = [];
	for (let i = 0; i < 40; i++)
		for (const path of ['/', '/up', '/trailers', '/broken', '/refused', '/hang'])
			all.push(ask(path));
	await Promise.all(all);
	client.close();
})();
"""


def case_streams_of_node(bench):
    need_root()
    need("node")
    port = free_port()
    bench.start("node", ["node", "-e", NODE, port], port)
    rec = bench.record()
    run(["node", "-e", NODE_CLIENT, port], timeout=30)
    finish(bench, rec)
    bench.equal(by_op(bench, port), {("http2", "GET /"): [40, 0], ("http2", "POST /up"): [40, 0], ("http2", "GET /trailers"): [40, 0],
                                     ("http2", "GET /broken"): [40, 40], ("http2", "GET /refused"): [40, 40],
                                     ("http2", "GET /hang"): [40, 40]}, "requests and errors")


main(globals())
