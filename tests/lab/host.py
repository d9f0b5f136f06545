# SPDX-License-Identifier: BSD-2-Clause
"""The machine under the lab: network namespaces on a bridge, cgroups (v1 or v2), one small slow disk.

Whatever is made here is written to a ledger first, so that the next run can take away what a killed one left.
"""
import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import time

from harness.process import Failed, run

PREFIX = "rlab"                          # of every namespace, link and cgroup
SUBNET = "10.199.77"
CGROUP = "/sys/fs/cgroup"


def _pid_start(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return int(f.read().rsplit(")", 1)[1].split()[19])
    except OSError:
        return None


class Ledger:
    """What is to be undone, newest first, on disk. One lab at a time: the ledger's lock says so."""

    def __init__(self, path="/run/rootle-lab.json"):
        self.path, self.entries = path, []
        self.lock = open(path + ".lock", "w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as e:
            raise Failed("another lab is running on this machine") from e

    def recover(self):
        """Undoes what an earlier run that was killed left; the number of things taken away."""
        if os.path.exists(self.path):
            with contextlib.suppress(ValueError), open(self.path) as f:
                self.entries = json.load(f)
        left = len(self.entries)
        self.undo_all()
        return left

    def add(self, kind, *args):
        self.entries.append([kind, *args])
        self._save()

    def process(self, process):
        self.add("process", process.pid, _pid_start(process.pid))

    def undo_all(self):
        while self.entries:
            kind, *args = self.entries.pop()
            try:
                UNDO[kind](*args)
            except (OSError, Failed) as e:
                print(f"lab: could not undo {kind} {args}: {e}", file=sys.stderr)
            self._save()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)

    def _save(self):
        with open(self.path + ".new", "w") as f:
            json.dump(self.entries, f)
        os.rename(self.path + ".new", self.path)


def _end_process(pid, start):
    """The process and the session it leads, unless the pid is somebody else's by now. A number stays taken while a
    group bears it, so children that outlived the process are still ours."""
    if _pid_start(pid) not in (None, start):
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _remove_cgroup(path):
    until = time.monotonic() + 5
    while os.path.isdir(path):
        with contextlib.suppress(OSError):
            os.rmdir(path)
            return
        if time.monotonic() > until:
            raise Failed(f"{path} is still in use")
        time.sleep(0.1)


def _unmount(path):
    run(["umount", path], check=False)
    if os.path.ismount(path):
        run(["umount", "-l", path])


def _write(path, text):
    with open(path, "w") as f:
        f.write(text)


UNDO = {
    "process": _end_process,
    "netns": lambda name: run(["ip", "netns", "del", name], check=False),
    "link": lambda name: run(["ip", "link", "del", name], check=False),
    "mount": _unmount,
    "loop": lambda device: run(["losetup", "-d", device], check=False),
    "throttle": lambda path, text: _write(path, text),
    "cgroup": _remove_cgroup,
    "folder": lambda path: shutil.rmtree(path, ignore_errors=True),
}


class Network:
    """A namespace an address, joined by a bridge that lives in a namespace of its own."""

    def __init__(self, ledger):
        self.ledger, self.hub = ledger, f"{PREFIX}-hub"
        self._namespace(self.hub)
        run(["ip", "-n", self.hub, "link", "add", "br0", "type", "bridge"])
        run(["ip", "-n", self.hub, "link", "set", "br0", "up"])

    def _namespace(self, name):
        self.ledger.add("netns", name)
        run(["ip", "netns", "add", name])
        run(["ip", "-n", name, "link", "set", "lo", "up"])

    def host(self, name, number):
        """Adds a namespace with the address SUBNET.number; its name."""
        ns, outer = f"{PREFIX}-{name}", f"v{number}"
        self._namespace(ns)
        run(["ip", "-n", self.hub, "link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", ns])
        run(["ip", "-n", self.hub, "link", "set", outer, "master", "br0", "up"])
        run(["ip", "-n", ns, "addr", "add", f"{SUBNET}.{number}/24", "dev", "eth0"])
        run(["ip", "-n", ns, "link", "set", "eth0", "up"])
        return ns


class Cgroups:
    """A group a service, on v1 (one in each hierarchy) or v2."""

    V1 = ("cpu", "cpuacct", "memory")

    def __init__(self, ledger):
        self.ledger = ledger
        self.v1 = os.path.isfile(f"{CGROUP}/cpu/cpu.cfs_quota_us")
        if self.v1:
            self.roots = [f"{CGROUP}/{c}" for c in self.V1 if os.path.isfile(f"{CGROUP}/{c}/cgroup.procs")]
        elif os.path.isfile(f"{CGROUP}/cgroup.controllers"):
            self.roots = [CGROUP]
        else:
            raise Failed("no cgroup hierarchy with a cpu controller is mounted")
        for root in self.roots:
            self._make(f"{root}/{PREFIX}")
        if not self.v1:
            for level in (CGROUP, f"{CGROUP}/{PREFIX}"):
                _write(f"{level}/cgroup.subtree_control", "+cpu +memory +io")

    def _make(self, path):
        self.ledger.add("cgroup", path)
        os.makedirs(path, exist_ok=True)

    def group(self, name):
        """Makes the service's group; the files that a process writes itself into to enter it."""
        paths = [f"{root}/{PREFIX}/{name}" for root in self.roots]
        for path in paths:
            self._make(path)
        return [f"{path}/cgroup.procs" for path in paths]

    def cpu_use(self, name, seconds=5):
        """Cores that the group uses now."""
        def used():
            if self.v1:
                with open(f"{CGROUP}/cpuacct/{PREFIX}/{name}/cpuacct.usage") as f:
                    return int(f.read()) / 1e9
            with open(f"{CGROUP}/{PREFIX}/{name}/cpu.stat") as f:
                return int(dict(line.split() for line in f)["usage_usec"]) / 1e6
        before, began = used(), time.monotonic()
        time.sleep(seconds)
        return (used() - before) / (time.monotonic() - began)

    def set_cpu_quota(self, name, cores):
        """cores None: no limit."""
        if self.v1:
            _write(f"{CGROUP}/cpu/{PREFIX}/{name}/cpu.cfs_quota_us", str(int(cores * 100000) if cores else -1))
        else:
            _write(f"{CGROUP}/{PREFIX}/{name}/cpu.max", f"{int(cores * 100000)} 100000" if cores else "max 100000")


class Disk:
    """A small ext4 on a loop device whose bandwidth is throttled, for everyone who uses it alike.

    On v1 the limit is on the root group, where all who have no blkio group of their own are (and the kernel's own
    journal and writeback threads with them); on v2, where the root cannot be limited, on the lab's common group.
    """

    def __init__(self, ledger, cgroups, folder, *, megabytes=768):
        self.ledger, self.cgroups, self.path = ledger, cgroups, f"{folder}/disk"
        image = f"{folder}/disk.img"
        with open(image, "wb") as f:
            f.truncate(megabytes << 20)
        run(["mkfs.ext4", "-q", "-F", image])
        self.device = run(["losetup", "-f", "--show", image]).stdout.strip()
        ledger.add("loop", self.device)
        os.mkdir(self.path)
        ledger.add("mount", self.path)
        run(["mount", self.device, self.path])
        rdev = os.stat(self.device).st_rdev
        self.number = f"{os.major(rdev)}:{os.minor(rdev)}"

    def throttle(self, bytes_per_s):
        if not self.cgroups.v1:
            path = f"{CGROUP}/{PREFIX}/io.max"
            self.ledger.add("throttle", path, f"{self.number} rbps=max wbps=max")
            _write(path, f"{self.number} rbps={bytes_per_s} wbps={bytes_per_s}")
            return
        for way in ("read", "write"):
            path = f"{CGROUP}/blkio/blkio.throttle.{way}_bps_device"
            self.ledger.add("throttle", path, f"{self.number} 0")
            _write(path, f"{self.number} {bytes_per_s}")
