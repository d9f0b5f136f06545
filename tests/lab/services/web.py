# SPDX-License-Identifier: BSD-2-Clause
"""web: the small HTTP/1.1 server under the Python services: a thread a connection, JSON answers, 500 on an exception."""
import json
import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536                    # headers and body leave in one segment
    disable_nagle_algorithm = True

    def get(self):
        return 404, {"error": "no such page"}

    def post(self, body):
        return 404, {"error": "no such page"}

    def do_GET(self):
        self.reply(self.get)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.reply(lambda: self.post(body))

    def reply(self, handler):
        try:
            status, answer = handler()
        except Exception as error:      # whatever a handler raises is an answer to the client and a line in the log
            status, answer = 500, {"error": str(error)}
            traceback.print_exc(file=sys.stderr)
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


def serve(handler, port):
    Server(("0.0.0.0", port), handler).serve_forever()
