# SPDX-License-Identifier: BSD-2-Clause
"""The kernels that rootle is run on: a row each. The exact version is the newest that the release has."""
import os
import re
from collections import namedtuple

import registry

# lacks: rungs that this kernel does not have.
Kernel = namedtuple("Kernel", "name arch suites package lacks", defaults=[()])

KERNELS = [
    Kernel("5.10", "amd64", ["bullseye", "bullseye-security"], "linux-image-cloud-amd64"),
    Kernel("6.1", "amd64", ["bookworm", "bookworm-security"], "linux-image-cloud-amd64"),
    Kernel("6.12", "amd64", ["trixie", "trixie-security"], "linux-image-cloud-amd64"),
    Kernel("newest", "amd64", ["sid"], "linux-image-cloud-amd64"),
    Kernel("arm64-6.1", "arm64", ["bookworm", "bookworm-security"], "linux-image-cloud-arm64", ("fentry",)),
    Kernel("arm64-6.12", "arm64", ["trixie", "trixie-security"], "linux-image-cloud-arm64"),
]


def by_name(name):
    return next(k for k in KERNELS if k.name == name)


Files = namedtuple("Files", "image modules")

# What listing connections without BPF needs; they are built in or modules, in this order of dependence.
MODULES = ("inet_diag", "tcp_diag", "udp_diag", "unix_diag")


def fetch(kernel):
    """(Files, Suites) of the newest version; Unavailable says why not."""
    suites = registry.Suites(kernel.arch, kernel.suites)
    suites.refresh()
    packages = suites.kernel(kernel.package)
    folder = os.path.join(registry.cache_folder(), "kernels", packages[0])
    wanted = rf"/(vmlinuz[^/]*|({'|'.join(MODULES)})\.ko(\.\w+)?)$"
    for package in packages:
        registry.unpack(suites.fetch(package), folder, wanted)
    return _files(folder), suites


def _files(folder):
    found = {}
    for at, _, names in os.walk(folder):
        for name in names:
            found[re.sub(r"\.ko(\.\w+)?$|^(vmlinuz).*", r"\2", name)] = os.path.join(at, name)
    if "vmlinuz" not in found:
        raise registry.Unavailable(f"no kernel image in {folder}")
    return Files(found["vmlinuz"], [found[m] for m in MODULES if m in found])
