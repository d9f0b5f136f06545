# SPDX-License-Identifier: BSD-2-Clause
"""A file system for the guest's memory: busybox, the binary under test with its libraries, what else is put in; as a cpio archive."""
import gzip
import lzma
import os
import re
import stat
import subprocess


class Initramfs:
    """Files by their path in the guest; folders come by themselves."""

    def __init__(self):
        self.entries = {}       # path without the leading slash: (mode, bytes, rdev)

    def folder(self, path):
        path = path.strip("/")
        if path and path not in self.entries:
            self.folder(os.path.dirname(path))
            self.entries[path] = (stat.S_IFDIR | 0o755, b"", (0, 0))

    def data(self, path, data, mode=0o644):
        self.folder(os.path.dirname(path))
        self.entries[path.strip("/")] = (stat.S_IFREG | mode, data, (0, 0))

    def link(self, path, target):
        self.folder(os.path.dirname(path))
        self.entries[path.strip("/")] = (stat.S_IFLNK | 0o777, target.encode(), (0, 0))

    def device(self, path, major, minor):
        self.folder(os.path.dirname(path))
        self.entries[path.strip("/")] = (stat.S_IFCHR | 0o600, b"", (major, minor))

    def file(self, path, source, mode=None):
        with open(source, "rb") as f:
            self.data(path, f.read(), mode or stat.S_IMODE(os.stat(source).st_mode))

    def program(self, path, source, root="/"):
        """A dynamic program, with the loader and the libraries that it names, looked for below root."""
        self.file(path, source, 0o755)
        for library in libraries(source, root):
            self.file(library, os.path.join(root, library.lstrip("/")), 0o755)

    def module(self, path, source):
        """A kernel module, unpacked: busybox's insmod takes no compressed one."""
        openers = {".xz": lzma.open, ".gz": gzip.open}
        with openers.get(os.path.splitext(source)[1], open)(source, "rb") as f:
            self.data(path, f.read())

    def archive(self):
        """"newc", which Documentation/driver-api/early-userspace/buffer-format.rst describes; compressed."""
        out = bytearray()
        entries = list(self.entries.items()) + [("TRAILER!!!", (0, b"", (0, 0)))]
        for inode, (path, (mode, data, rdev)) in enumerate(entries, 1):
            name = path.encode() + b"\0"
            fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev, len(name), 0)
            out += b"070701" + b"".join(b"%08X" % v for v in fields) + name
            out += b"\0" * (-len(out) % 4) + data
            out += b"\0" * (-len(out) % 4)
        return gzip.compress(bytes(out), 1)


def libraries(program, root="/"):
    """Absolute paths (below root) of all the libraries of a program and of its loader."""
    folders = [f for f in _library_folders(root) if os.path.isdir(os.path.join(root, f.lstrip("/")))]
    found, todo = {}, [program]
    while todo:
        loader, needed = _dynamic(todo.pop())
        if loader:
            found[os.path.basename(loader)] = loader
        for name in needed:
            if name in found:
                continue
            path = next((f"{f}/{name}" for f in folders if os.path.exists(os.path.join(root, f.lstrip("/"), name))), None)
            if not path:
                raise FileNotFoundError(f"{name}, which {program} needs, is not below {root}")
            found[name] = path
            todo.append(os.path.join(root, path.lstrip("/")))
    return sorted(set(found.values()))


def _library_folders(root):
    below = os.path.join(root, "lib")
    triplets = [d for d in os.listdir(below) if d.endswith("-linux-gnu")]
    return [f"{lib}/{t}" for t in triplets for lib in ("/lib", "/usr/lib")] + ["/lib64", "/lib", "/usr/lib"]


def _dynamic(path):
    said = subprocess.run(["readelf", "-W", "-l", "-d", path], capture_output=True, text=True, check=True).stdout
    loader = re.search(r"Requesting program interpreter: ([^\]]+)\]", said)
    return loader and loader.group(1), re.findall(r"\(NEEDED\).*\[(.+)\]", said)
