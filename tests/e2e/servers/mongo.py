#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A server that speaks as much of MongoDB as a real driver needs: hello, ping, insert, find, and errors.  Debian has none.

find of "many" gives 30 documents in batches of 10; of "slow" the error 50 (MaxTimeMSExpired); an insert of {_id: "twice"} fails as a
duplicate.  Prints what it has answered, as JSON, when it is told to stop."""
import json
import signal
import socketserver
import struct
import sys
import threading
import zlib

counts, lock = {}, threading.Lock()


def encode(document):
    body = b""
    for name, v in document.items():
        key = name.encode() + b"\0"
        if isinstance(v, bool):
            body += b"\x08" + key + bytes([v])
        elif isinstance(v, int):
            body += b"\x12" + key + struct.pack("<q", v) if name == "id" else b"\x10" + key + struct.pack("<i", v)
        elif isinstance(v, float):
            body += b"\x01" + key + struct.pack("<d", v)
        elif isinstance(v, str):
            body += b"\x02" + key + struct.pack("<i", len(v.encode()) + 1) + v.encode() + b"\0"
        elif isinstance(v, dict):
            body += b"\x03" + key + encode(v)
        else:
            body += b"\x04" + key + encode({str(i): x for i, x in enumerate(v)})
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def decode(b, at=0):
    """(document, where it ends); values of types that are not needed are their bytes."""
    end, at, found = at + struct.unpack_from("<i", b, at)[0], at + 4, {}
    while b[at]:
        kind, nul = b[at], b.index(0, at + 1)
        name, at = b[at + 1:nul].decode(), nul + 1
        if kind in (0x03, 0x04):
            found[name], at = decode(b, at)
        elif kind in (0x02, 0x0d):
            n = struct.unpack_from("<i", b, at)[0]
            found[name], at = b[at + 4:at + 3 + n].decode(), at + 4 + n
        elif kind == 0x05:
            n = struct.unpack_from("<i", b, at)[0]
            found[name], at = b[at + 5:at + 5 + n], at + 5 + n
        else:
            n, form = {0x01: (8, "<d"), 0x08: (1, "<?"), 0x10: (4, "<i"), 0x12: (8, "<q"), 0x09: (8, "<q"), 0x11: (8, "<q"),
                       0x07: (12, "<12s"), 0x0a: (0, "<0s")}[kind]
            found[name], at = struct.unpack_from(form, b, at)[0], at + n
    return found, end


def answer(command, documents):
    name = next(iter(command))
    if name in ("hello", "isMaster", "ismaster"):
        return {"ismaster": True, "isWritablePrimary": True, "helloOk": True, "maxBsonObjectSize": 16777216, "maxWireVersion": 17,
                "minWireVersion": 0, "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000, "readOnly": False,
                "compression": ["zlib"], "ok": 1.0}
    if name == "insert":
        documents = documents or list(command["documents"].values())
        if documents[0].get("_id") == "twice":
            return {"n": 0, "writeErrors": [{"index": 0, "code": 11000, "errmsg": "E11000 duplicate key"}], "ok": 1.0}
        return {"n": len(documents), "ok": 1.0}
    if name == "find" and command["find"] == "slow":
        return {"ok": 0.0, "errmsg": "operation exceeded time limit", "code": 50, "codeName": "MaxTimeMSExpired"}
    if name in ("find", "getMore"):
        many = (command.get("collection") or command["find"]) == "many"
        # the id of the cursor says how many batches are left behind this one
        left = (command["getMore"] & 255) - 1 if name == "getMore" else 2 if many else 0
        batch = [{"_id": i, "text": "x" * 500} for i in range(10)] if many else [{"_id": 1, "text": "hello"}]
        return {"cursor": {"firstBatch" if name == "find" else "nextBatch": batch, "id": (1 << 40) + left if left else 0,
                           "ns": "shop.many" if many else "shop.items"}, "ok": 1.0}
    return {"ok": 1.0}


class Connection(socketserver.BaseRequestHandler):
    def read(self, n):
        b = b""
        while len(b) < n:
            more = self.request.recv(n - len(b))
            if not more:
                raise ConnectionError
            b += more
        return b

    def one(self):
        length, number, _, opcode = struct.unpack("<iiii", self.read(16))
        body, packed = self.read(length - 16), False
        if opcode == 2012:
            opcode, _, how = struct.unpack_from("<iiB", body)
            assert how == 2, "zlib was agreed on"
            body, packed = zlib.decompress(body[9:]), True
        if opcode == 2004:
            command, _ = decode(body, body.index(0, 4) + 9)
            reply, kind = struct.pack("<iqii", 8, 0, 0, 1) + encode(answer(command, [])), 1
        else:
            flags, at, command, documents = struct.unpack_from("<I", body)[0], 4, None, []
            while at < len(body) - (4 if flags & 1 else 0):
                if body[at] == 0:
                    command, at = decode(body, at + 1)
                    continue
                end, at = at + 1 + struct.unpack_from("<i", body, at + 1)[0], body.index(0, at + 5) + 1
                while at < end:
                    document, at = decode(body, at)
                    documents.append(document)
            reply, kind = struct.pack("<IB", 0, 0) + encode(answer(command, documents)), 2013
        name = next(iter(command))
        with lock:
            counts[name] = counts.get(name, 0) + 1
        if opcode == 2013 and flags & 2:
            return
        if packed:
            reply, kind = struct.pack("<iiB", kind, len(reply), 2) + zlib.compress(reply), 2012
        self.request.sendall(struct.pack("<iiii", 16 + len(reply), number + 1000000, number, kind) + reply)

    def handle(self):
        try:
            while True:
                self.one()
        except (ConnectionError, OSError):
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


def stop(*_):
    with lock:
        print(json.dumps(counts), flush=True)
    raise SystemExit(0)


signal.signal(signal.SIGTERM, stop)
Server(("127.0.0.1", int(sys.argv[1])), Connection).serve_forever()
