#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Builds rootle for 64-bit ARM with Debian's cross compiler, against a sysroot of Debian's own packages, and looks at what came out.

usage: cross.py FOLDER        FOLDER/build/rootle and FOLDER/sysroot, used again by the next run

Exit 0, 1, or 77: no cross compiler, or the packages cannot be fetched.
"""
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import registry                                                     # noqa: E402

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ARCH, COMPILER, SKIPPED = "arm64", "aarch64-linux-gnu-gcc", 77
NOT_FOR_TARGET = r"^(libcriterion|libclang)"    # of the tests, of the compiler


def codename():
    """This machine's release: the libraries must fit the cross compiler, which is of it."""
    with open("/etc/os-release") as f:
        found = re.search(r"^VERSION_CODENAME=(\w+)$", f.read(), re.M)
    if not found:
        raise registry.Unavailable("/etc/os-release names no release")
    return found.group(1)


def libraries():
    """What cli/packages says is needed to build, as far as it is for the target."""
    with open(os.path.join(SOURCE, "cli", "packages")) as f:
        names = re.findall(r"^build (\S+-dev)$", f.read(), re.M)
    return [n for n in names if not re.search(NOT_FOR_TARGET, n)]


def sysroot(folder):
    """A folder with the libraries and headers of the target."""
    name = codename()
    suites = registry.Suites(ARCH, [name, f"{name}-security"])
    suites.refresh()
    for package in suites.closure(*libraries()):
        registry.unpack(suites.fetch(package), folder)
    return folder


def build(folder):
    """Path of the binary."""
    root, out = sysroot(os.path.join(folder, "sysroot")), os.path.join(folder, "build")
    toolchain = os.path.join(SOURCE, "cli/cmake/toolchain-aarch64.cmake")
    for argv in (["cmake", "-C", f"{SOURCE}/cli/cmake/preset-release.cmake", "-S", SOURCE, "-B", out, "-G", "Ninja", "--toolchain",
                  toolchain, f"-DROOTLE_SYSROOT={root}", "-DBUILD_TESTING=OFF"], ["cmake", "--build", out, "--target", "rootle"]):
        r = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if r.returncode:
            print((r.stdout + r.stderr)[-4000:])
            return None
    return os.path.join(out, "rootle")


def known(folder):
    """The known workload for the target: it needs no more than a libc."""
    out = os.path.join(folder, "known")
    subprocess.run([COMPILER, f"--sysroot={folder}/sysroot", "-O2", "-D_GNU_SOURCE", "-static", "-o", out, f"{SOURCE}/tests/vm/known.c"], check=True)
    return out


def machine_of(path):
    """As the ELF header says."""
    said = subprocess.run(["readelf", "-h", path], capture_output=True, text=True, check=True).stdout
    return re.search(r"Machine:\s+(.*)", said).group(1)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not shutil.which(COMPILER):
        print(f"SKIP no {COMPILER}")
        sys.exit(SKIPPED)
    try:
        binary = build(os.path.abspath(sys.argv[1]))
    except registry.Unavailable as e:
        print(f"SKIP {e}")
        sys.exit(SKIPPED)
    if not binary:
        print("FAIL the cross build")
        sys.exit(1)
    good = True
    for path in (binary, known(os.path.abspath(sys.argv[1]))):
        good = good and machine_of(path) == "AArch64"
        print(f"{path}: {machine_of(path)}, {os.path.getsize(path)} bytes")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
