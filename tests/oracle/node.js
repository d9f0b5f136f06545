// SPDX-License-Identifier: BSD-2-Clause
// Node.js: calls side by side, or one after a timer; an agent that keeps connections, or one connection for each call.
// usage: node.js PORT WEB CACHE [own]
'use strict';
const http = require('http'), net = require('net');
const [port, web, cache] = process.argv.slice(2, 5).map(Number), own = process.argv[5] === 'own';
const agent = new http.Agent({keepAlive: !own, maxSockets: 64}), free = [];
const IDS = ['traceparent', 'x-request-id'];

const askWeb = (n, headers) => new Promise((done, failed) => {
  http.get({host: '127.0.0.1', port: web, path: `/b/${n}`, agent, headers}, r => r.resume().on('end', done)).on('error', failed);
});

const askCache = n => new Promise((done, failed) => {
  const s = free.pop() || net.connect(cache, '127.0.0.1').setNoDelay(true);
  let got = '';
  s.removeAllListeners('data').removeAllListeners('error').on('error', failed).on('data', d => {
    got += d;
    if (!got.endsWith('END\r\n')) return;
    if (own) s.end();
    else free.push(s);
    done();
  });
  s.write(`get k${n}\r\n`);
});

const sleep = ms => new Promise(done => setTimeout(done, ms));

http.createServer(async (request, response) => {
  const n = Number(request.url.split('/').pop()), ids = {};
  for (const k of IDS) if (request.headers[k]) ids[k] = request.headers[k];
  if (n % 2) {
    await Promise.all([askWeb(n, ids), askCache(n)]);
  } else {
    await askCache(n);
    await sleep(n % 5);
    await askWeb(n, ids);
  }
  const body = `${n}\n`;
  response.setHeader('Content-Length', body.length);
  response.end(body);
}).listen(port, '127.0.0.1', 256);
