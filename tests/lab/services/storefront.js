// SPDX-License-Identifier: BSD-2-Clause
// storefront: the pages of the shop.  usage: storefront.js PORT CATALOG_HOST:PORT CART_HOST:PORT
'use strict';
const http = require('http');

const [port, ...backends] = process.argv.slice(2);
const [catalog, cart] = backends.map((text) => {
	const [host, backendPort] = text.split(':');
	return { host, port: Number(backendPort), agent: new http.Agent({ keepAlive: true, maxSockets: 24 }) };
});
const TIMEOUT_MS = 2500;

function call(backend, method, path, body) {
	return new Promise((resolve, reject) => {
		const headers = body ? { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) } : {};
		const { host, port, agent } = backend;
		const request = http.request({ host, port, agent, method, path, headers }, (response) => {
			const parts = [];
			response.on('data', (part) => parts.push(part));
			response.on('end', () => {
				if (response.statusCode >= 500)
					return reject(Object.assign(new Error(`${path}: ${response.statusCode}`), { status: 502 }));
				resolve(JSON.parse(Buffer.concat(parts).toString()));
			});
		});
		const timer = setTimeout(() => request.destroy(Object.assign(new Error(`${path}: timeout`), { status: 504 })),
			TIMEOUT_MS);
		request.on('close', () => clearTimeout(timer));
		request.on('error', (error) => reject(Object.assign(error, { status: error.status || 502 })));
		request.end(body);
	});
}

const routes = [
	['GET', /^\/category\/(\d+)$/, async ([id]) => ({ items: await call(catalog, 'GET', `/items?category=${id}`) })],
	['GET', /^\/basket\/(\d+)$/, async ([id]) => ({ basket: await call(cart, 'GET', `/cart/${id}`) })],
	['POST', /^\/basket\/(\d+)\/(\d+)$/, ([id, item]) => call(cart, 'POST', `/cart/${id}`, JSON.stringify({ item }))],
	['POST', /^\/review\/(\d+)$/, ([id]) => call(catalog, 'POST', '/reviews', JSON.stringify({ item: Number(id), stars: 4 }))],
];

async function answer(request, response) {
	request.resume();
	let status = 404, body = { error: 'no such page' };
	for (const [method, pattern, handler] of routes) {
		const match = request.method === method && pattern.exec(request.url);
		if (!match)
			continue;
		try {
			body = await handler(match.slice(1));
			status = 200;
		} catch (error) {
			status = error.status || 500;
			body = { error: error.message };
			console.error(`${request.method} ${request.url}: ${error.message}`);
		}
	}
	const text = JSON.stringify(body);
	response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
	response.end(text);
}

const server = http.createServer(answer);
server.keepAliveTimeout = 120000;
server.listen(Number(port), '0.0.0.0');
