# SPDX-License-Identifier: BSD-2-Clause
"""Processes of a test: started with a name for messages, ended by pid, gone when the test is gone.

A child gets SIGTERM when its parent dies (PR_SET_PDEATHSIG), so that even a SIGKILLed runner leaves none behind.  Nothing here ends a process by name.
"""
import ctypes
import os
import pwd
import signal
import subprocess
import time

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """Something that a test needs did not work; the text is for people."""


def terminate_on_signals():
    """SIGTERM and SIGHUP unwind the stack as SIGINT does, so that every `finally` runs."""
    def leave(signo, _frame):
        raise SystemExit(128 + signo)
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


def _enter(netns, tasks_files, user, nice):
    """Runs in the child between fork and exec."""
    for path in tasks_files:
        with open(path, "w") as f:
            f.write("0")
    if netns:
        fd = os.open(f"/run/netns/{netns}", os.O_RDONLY)
        if _libc.setns(fd, CLONE_NEWNET):
            os._exit(126)
        os.close(fd)
    if nice:
        os.nice(nice)
    if user:
        entry = pwd.getpwnam(user)
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)     # after setuid, which clears it; nginx ends its workers on it


class Process:
    """A running program: argv, where its output goes, and how it ends."""

    def __init__(self, name, argv, *, log=None, netns=None, tasks_files=(), user=None, cwd=None, env=None, nice=0,
                 stdout=None, stderr=None):
        self.name, self.argv, self.log = name, [str(a) for a in argv], log
        sink = open(log, "ab") if log else subprocess.DEVNULL
        try:
            self.popen = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=stdout or sink, stderr=stderr or sink, cwd=cwd,
                env={**os.environ, **(env or {})}, start_new_session=True,
                preexec_fn=lambda: _enter(netns, tasks_files, user, nice))
        except OSError as e:
            raise Failed(f"{name}: cannot run {self.argv[0]}: {e}") from e
        finally:
            if log:
                sink.close()

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen.poll() is None

    def send(self, signo):
        if self.alive():
            os.kill(self.pid, signo)

    def send_group(self, signo):
        """The process and what it started: it leads a session of its own."""
        try:
            os.killpg(self.pid, signo)
        except ProcessLookupError:
            pass

    def wait(self, timeout):
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired as e:
            raise Failed(f"{self.name} (pid {self.pid}) did not end within {timeout} s") from e

    def stop(self, signo=signal.SIGTERM, grace=5):
        """Ends it and its children; a process that does not listen is killed. Returns its exit status."""
        self.send_group(signal.SIGCONT)
        self.send(signo)
        try:
            self.popen.wait(grace)
        except subprocess.TimeoutExpired:
            pass
        self.send_group(signal.SIGKILL)
        return self.popen.wait()

    def last_words(self, lines=5):
        if not self.log or not os.path.exists(self.log):
            return ""
        with open(self.log, errors="replace") as f:
            return " | ".join(f.read().splitlines()[-lines:])


def listening(pid, port):
    """Whether a TCP socket listens on the port in the network namespace of the process."""
    for table in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{table}") as f:
                for line in f.readlines()[1:]:
                    local, state = line.split()[1], line.split()[3]
                    if state == "0A" and int(local.rsplit(":", 1)[1], 16) == port:
                        return True
        except FileNotFoundError:
            pass
    return False


def wait_listening(process, port, timeout=15):
    until = time.monotonic() + timeout
    while not listening(process.pid, port):
        if not process.alive():
            raise Failed(f"{process.name} ended while starting: {process.last_words()}")
        if time.monotonic() > until:
            raise Failed(f"{process.name} does not listen on port {port} after {timeout} s: {process.last_words()}")
        time.sleep(0.05)


def run(argv, *, check=True, timeout=60, **kw):
    """A command that ends by itself; its output as text. Failed, with its last line, when it does not succeed."""
    try:
        r = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=timeout,
                           stdin=subprocess.DEVNULL, **kw)
    except FileNotFoundError as e:
        raise Failed(f"{argv[0]} is not installed") from e
    except subprocess.TimeoutExpired as e:
        raise Failed(f"{' '.join(map(str, argv))}: no end after {timeout} s") from e
    if check and r.returncode:
        words = (r.stderr.strip() or r.stdout.strip()).splitlines()[-1:]
        raise Failed(f"{' '.join(map(str, argv))}: exit {r.returncode}: {' '.join(words)}")
    return r
