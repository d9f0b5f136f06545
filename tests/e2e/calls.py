#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A fixed series of calls on sockets; each line on stdout is what one returned: value, errno, hash of the bytes received.

Run alone and under probes, the two outputs have to be the same to the byte (test_passive.py).  So nothing here depends on
time or on how the kernel cuts a stream: what may come in pieces is added up before it is said.
"""
import array
import ctypes
import errno
import hashlib
import os
import select
import signal
import socket
import struct
import sys
import tempfile

LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
libc = ctypes.CDLL(None, use_errno=True)


def say(what, result):
    print(f"{what}: {result}")


def short(data):
    return f"{len(data)} bytes {hashlib.sha256(data).hexdigest()[:16]}"


def call(what, fn, *args):
    """Says and returns what fn returned; an error is said by its name."""
    try:
        result = fn(*args)
    except OSError as e:
        say(what, errno.errorcode.get(e.errno, e.errno))
        return None
    if isinstance(result, socket.socket):
        say(what, "a socket")
    elif isinstance(result, tuple):
        say(what, [short(r) if isinstance(r, bytes) else r for r in result if not isinstance(r, str)])
    else:
        say(what, short(result) if isinstance(result, bytes) else result)
    return result


def pattern(n, seed=1):
    return (hashlib.sha256(bytes([seed])).digest() * (n // 32 + 1))[:n]


def read_all(sock, n):
    got = b""
    while len(got) < n:
        piece = sock.recv(n - len(got))
        if not piece:
            break
        got += piece
    return got


def tcp_pair(family=socket.AF_INET):
    listener = socket.socket(family)
    listener.bind((LOOPBACK[family], 0))
    listener.listen(8)
    near = socket.socket(family)
    near.connect(listener.getsockname())
    far, _ = listener.accept()
    listener.close()
    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for s in (near, far):
        s.settimeout(10)
    return near, far


def readable(sock, ms=2000):
    return bool(select.select([sock], [], [], ms / 1000)[0])


def plain(family):
    near, far = tcp_pair(family)
    request = b"GET /orders/7 HTTP/1.1\r\nHost: a\r\n\r\n"
    call("send", near.send, request)
    readable(far)
    call("peek", far.recv, 10, socket.MSG_PEEK)
    call("peek all", far.recv, 4096, socket.MSG_PEEK)
    call("recv", far.recv, 4096)
    call("write", os.write, far.fileno(), b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    readable(near)
    call("read", os.read, near.fileno(), 4096)
    call("writev", os.writev, near.fileno(), [b"POST / HTTP/1.1\r\n", b"Content-Length: 3\r\n\r\n", b"abc"])
    readable(far)
    buffers = [bytearray(17), bytearray(64)]
    call("readv", os.readv, far.fileno(), buffers)
    say("readv bytes", short(bytes(buffers[0] + buffers[1])))
    call("sendmsg", near.sendmsg, [b"ab", b"", b"cd"])
    readable(far)
    call("recvmsg", far.recvmsg, 100)
    near.close()
    call("recv at the end", far.recv, 10)
    far.close()


def not_blocking():
    near, far = tcp_pair()
    near.setblocking(False)
    far.setblocking(False)
    call("recv of nothing", far.recv, 10)
    call("peek of nothing", far.recv, 10, socket.MSG_PEEK)
    sent, block = b"", pattern(65536)
    try:
        while True:
            sent += block[:near.send(block)]
    except OSError as e:
        say("send until full", errno.errorcode[e.errno])
    say("is writable when full", bool(select.select([], [near], [], 0)[1]))
    far.setblocking(True)
    say("what was sent arrives", read_all(far, len(sent)) == sent)
    say("is writable when empty", bool(select.select([], [near], [], 2)[1]))
    near.close()
    far.close()


def partial():
    a, b = socket.socketpair()
    a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    a.setblocking(False)
    for i in range(8):
        call(f"partial send {i}", a.send, pattern(5000, i))
    say("received", short(read_all(b, 5000)))
    call("send again", a.send, pattern(100))
    a.close()
    b.close()


def ends():
    near, far = tcp_pair()
    call("shutdown of writing", near.shutdown, socket.SHUT_WR)
    call("send after it", near.send, b"x")
    call("recv of the end", far.recv, 10)
    call("the other way", far.send, b"still open")
    call("recv", near.recv, 100)
    near.close()
    far.close()
    near, far = tcp_pair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    near.close()                                    # RST
    readable(far)
    call("recv after a reset", far.recv, 10)
    call("send after a reset", far.send, b"x")
    call("send once more", far.send, b"x")
    far.close()
    listener = socket.socket()
    listener.bind((LOOPBACK[socket.AF_INET], 0))
    refused = listener.getsockname()
    listener.close()
    for blocking in (True, False):
        s = socket.socket()
        s.setblocking(blocking)
        call("connect to nobody", s.connect, refused)
        if not blocking:
            select.select([], [s], [], 2)
            say("SO_ERROR", errno.errorcode.get(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))
        s.close()
    s = socket.socket()
    call("send unconnected", s.send, b"x")
    call("recv unconnected", s.recv, 1)
    s.close()


def urgent():
    near, far = tcp_pair()
    near.send(b"before")
    readable(far)
    call("send out of band", near.send, b"!", socket.MSG_OOB)
    p = select.poll()
    p.register(far, select.POLLPRI)
    say("POLLPRI", [e for _, e in p.poll(2000)])
    call("recv out of band", far.recv, 1, socket.MSG_OOB)
    call("recv in band", far.recv, 100)
    near.close()
    far.close()


def order():
    """Which of several connections becomes ready, in which order, as epoll tells."""
    pairs = [tcp_pair() for _ in range(6)]
    ep = select.epoll()
    number = {}
    for i, (_, far) in enumerate(pairs):
        number[far.fileno()] = i
        ep.register(far, select.EPOLLIN | select.EPOLLET)
    seen = []
    for i in (3, 0, 5, 1, 4, 2, 2, 0):
        pairs[i][0].send(b"x" * (i + 1))
        seen.append([(number[fd], e) for fd, e in ep.poll(2)])
    say("edges in the order of the sends", seen)
    for i in (4, 1):
        pairs[i][0].close()
        seen = [(number[fd], e) for fd, e in ep.poll(2)]
        say(f"end of {i}", seen)
    ep.close()
    for near, far in pairs:
        near.close()
        far.close()


def files():
    near, far = tcp_pair()
    with tempfile.TemporaryFile() as f:
        f.write(pattern(100_000))
        f.flush()
        call("sendfile", os.sendfile, near.fileno(), f.fileno(), 0, 50_000)
        say("of it", short(read_all(far, 50_000)))
        call("sendfile behind the end", os.sendfile, near.fileno(), f.fileno(), 200_000, 10)
    r, w = os.pipe()
    os.write(w, pattern(30_000))
    call("splice to a socket", os.splice, r, near.fileno(), 30_000)
    say("of it", short(read_all(far, 30_000)))
    near.send(pattern(2000))
    readable(far)
    call("splice from a socket", os.splice, far.fileno(), w, 2000)
    call("from the pipe", os.read, r, 4000)
    os.close(r)
    os.close(w)
    near.close()
    far.close()


def unix():
    a, b = socket.socketpair()
    with tempfile.TemporaryFile() as f:
        f.write(b"passed on")
        f.flush()
        f.seek(0)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [f.fileno()]))]
        call("send a descriptor", a.sendmsg, [b"fd"], rights)
    data, ancillary, flags, _ = b.recvmsg(10, socket.CMSG_LEN(4))
    say("with it", [data, [(level, kind, len(v)) for level, kind, v in ancillary], flags])
    fd = array.array("i", ancillary[0][2])[0]
    call("read from it", os.read, fd, 100)
    os.close(fd)
    b.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    a.send(b"who")
    data, ancillary, flags, _ = b.recvmsg(10, socket.CMSG_LEN(12))
    say("credentials are ours", [data, struct.unpack("3i", ancillary[0][2])[0] == os.getpid(), flags])
    call("peek", a.send, b"SELECT 1")
    call("peek", b.recv, 3, socket.MSG_PEEK)
    call("recv", b.recv, 100)
    b.close()
    call("send to nobody", a.send, b"x")
    a.close()


def datagrams():
    a, b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    b.bind((LOOPBACK[socket.AF_INET], 0))
    b.settimeout(2)
    call("sendto", a.sendto, b"one datagram", b.getsockname())
    say("recv cut", b.recvmsg(3)[:3])
    a.sendto(b"", b.getsockname())
    call("an empty one", b.recv, 10)
    gone = b.getsockname()
    b.close()
    a.connect(gone)
    call("send to nobody", a.send, b"x")
    select.select([a], [], [], 2)
    call("and then", a.send, b"x")
    call("too large", a.sendto, bytes(70_000), gone)
    a.close()


def pipes():
    """SIGPIPE, where it is not ignored."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        near, far = tcp_pair()
        far.close()
        near.shutdown(socket.SHUT_WR)
        near.send(b"x")
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    say("a child that sends into a closed direction", os.waitstatus_to_exitcode(status))


def many():
    """What mmsg returns: calls that Python does not have."""
    near, far = tcp_pair()

    class iovec(ctypes.Structure):
        _fields_ = [("base", ctypes.c_char_p), ("len", ctypes.c_size_t)]

    class msghdr(ctypes.Structure):
        _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint), ("iov", ctypes.POINTER(iovec)),
                    ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t),
                    ("flags", ctypes.c_int)]

    class mmsghdr(ctypes.Structure):
        _fields_ = [("hdr", msghdr), ("len", ctypes.c_uint)]

    texts = [b"SET a 1\r\n", b"SET b 2\r\n", b"GET a\r\n"]
    iovs = [iovec(t, len(t)) for t in texts]
    vec = (mmsghdr * 3)(*[mmsghdr(msghdr(None, 0, ctypes.pointer(v), 1, None, 0, 0), 0) for v in iovs])
    say("sendmmsg", [libc.sendmmsg(near.fileno(), vec, 3, 0), [v.len for v in vec]])
    say("received", short(read_all(far, sum(map(len, texts)))))
    near.close()
    far.close()


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    for family in LOOPBACK:
        plain(family)
    for part in (not_blocking, partial, ends, urgent, order, files, unix, datagrams, pipes, many):
        print(f"-- {part.__name__}", flush=True)
        part()


if __name__ == "__main__":
    sys.exit(main())
