# SPDX-License-Identifier: BSD-2-Clause
"""Debian packages of other releases and architectures, fetched by apt itself into a folder of its own.

apt verifies the release's signature and every checksum; nothing of the machine's own apt state is touched, and nothing is installed.
The archive is the one that this machine's apt is set up for.
"""
import os
import re
import subprocess
import tarfile
import time

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
FRESH_S = 24 * 3600             # package lists are asked for once a day


class Unavailable(Exception):
    """The packages cannot be had here; the text says why."""


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "rootle", "vm")


def _output(argv, what, **kw):
    try:
        r = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600, **kw)
    except FileNotFoundError as e:
        raise Unavailable(f"{argv[0]} is not installed") from e
    except subprocess.TimeoutExpired as e:
        raise Unavailable(f"{what}: no answer") from e
    if r.returncode:
        raise Unavailable(f"{what}: {(r.stderr.strip() or r.stdout.strip()).splitlines()[-1:]}")
    return r.stdout


def _archives():
    """(address of the archive, address of its security updates or None), as apt has them."""
    listed = _output(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(ORIGIN)", "Created-By: Packages"],
                     "apt's sources")
    plain = security = None
    for line in listed.splitlines():
        uri, release, *origin = line.split()
        if origin and origin[0] not in ("Debian", "$(ORIGIN)"):
            continue
        if release.endswith("-security"):
            security = security or uri
        elif re.fullmatch(r"[a-z]+", release):
            plain = plain or uri
    if not plain:
        raise Unavailable("apt is set up for no Debian archive")
    return plain, security


class Suites:
    """One architecture of some releases ("bookworm bookworm-security"), as apt sees them when it knows nothing else."""

    def __init__(self, arch, suites, folder=None):
        self.arch, self.suites = arch, suites
        self.folder = os.path.join(folder or cache_folder(), "apt", f"{arch}-{suites[0]}")
        self.debs = os.path.join(self.folder, "debs")
        for sub in ("state/lists/partial", "cache/archives/partial", "debs"):
            os.makedirs(os.path.join(self.folder, sub), exist_ok=True)
        if not os.access(KEYRING, os.R_OK):
            raise Unavailable(f"no {KEYRING}: this is not Debian, and packages could not be verified")
        self._write_config()

    def _write_config(self):
        plain, security = _archives()
        with open(os.path.join(self.folder, "sources.list"), "w") as f:
            for suite in self.suites:
                uri = security if suite.endswith("-security") else plain
                if uri:
                    f.write(f"deb [signed-by={KEYRING}] {uri} {suite} main\n")
        with open(os.path.join(self.folder, "apt.conf"), "w") as f:
            f.write(f'APT::Architecture "{self.arch}";\nAPT::Architectures {{ "{self.arch}"; }};\n'
                    f'APT::Sandbox::User "root";\nAcquire::Languages "none";\nAcquire::Retries "2";\n'
                    f'Dir::State "{self.folder}/state";\nDir::State::status "/dev/null";\nDir::Cache "{self.folder}/cache";\n'
                    f'Dir::Etc::SourceList "{self.folder}/sources.list";\nDir::Etc::SourceParts "/dev/null";\n')

    def _apt(self, program, *args, cwd=None):
        env = {**os.environ, "APT_CONFIG": f"{self.folder}/apt.conf", "LC_ALL": "C"}
        return _output([program, *args], " ".join([program, *args]), cwd=cwd, env=env)

    def refresh(self):
        """Lists that are there and cannot be renewed are good enough."""
        stamp = os.path.join(self.folder, "updated")
        if os.path.exists(stamp) and time.time() - os.path.getmtime(stamp) < FRESH_S:
            return
        try:
            self._apt("apt-get", "-q", "--error-on=any", "update")
        except Unavailable:
            if not os.path.exists(stamp):
                raise
            return
        with open(stamp, "w"):
            pass

    def version(self, name):
        return re.search(r"^Version: (\S+)", self._show(name), re.M).group(1)

    def kernel(self, meta):
        """Packages that hold the kernel and its modules, of the newest that a meta-package ("linux-image-cloud-amd64") stands for; the
        one named after the kernel first."""
        found, todo = [], [meta]
        while todo:
            name = todo.pop(0)
            depends = re.search(r"^Depends: (.*)", self._show(name), re.M)
            todo += re.findall(r"\b(linux-(?:image|binary|modules)-[^\s,]+) \(= ", depends.group(1) if depends else "")
            if name != meta:
                found.append(name)
        return found

    def _show(self, name):
        return self._apt("apt-cache", "--no-all-versions", "show", name)

    def closure(self, *names):
        """The packages and all that they depend on."""
        listed = self._apt("apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts",
                           "--no-breaks", "--no-replaces", "--no-enhances", *names)
        return sorted({line for line in listed.splitlines() if re.match(r"^[a-z0-9]", line)})

    def fetch(self, name):
        """Path of the package's file, in the newest version."""
        version = self.version(name)
        path = self._file(name, version)
        if not path:
            self._apt("apt-get", "-q", "download", f"{name}={version}", cwd=self.debs)
            path = self._file(name, version)
        if not path:
            raise Unavailable(f"{name} {version} was fetched but is not there")
        return path

    def _file(self, name, version):
        # apt escapes the colon of an epoch in the file's name
        wanted = f"{name}_{version.replace(':', '%3a')}_"
        found = [f for f in os.listdir(self.debs) if f.startswith(wanted) and f.endswith(".deb")]
        return os.path.join(self.debs, found[0]) if found else None


def unpack(deb, folder, wanted=None):
    """The files of a package, below the folder; of them only those whose name matches the pattern, where one is given. Done once."""
    done = os.path.join(folder, f".{os.path.basename(deb)}.unpacked")
    if os.path.exists(done):
        return
    os.makedirs(folder, exist_ok=True)
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as p:
        with tarfile.open(fileobj=p.stdout, mode="r|") as tar:
            for member in tar:
                if wanted is None or (member.isfile() and re.search(wanted, member.name)):
                    tar.extract(member, folder)
    if p.returncode:
        raise Unavailable(f"{os.path.basename(deb)} cannot be unpacked")
    with open(done, "w"):
        pass
