#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots one of Debian's kernels, records the known workload there on every rung, and judges what rootle said.

usage: test_kernel.py KERNEL [PASS]…
ROOTLE, KNOWN: the programs; SYSROOT: where the libraries of rootle are, if not /; RESULTS: the folder of the result, for table.py

Exit 0, 1, or 77: there is no emulator, or the kernel cannot be fetched.
"""
import json
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import judge                                                        # noqa: E402
import kernels                                                      # noqa: E402
import machine                                                      # noqa: E402
import passes                                                       # noqa: E402
import registry                                                     # noqa: E402
from initramfs import Initramfs                                     # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT_S = 1200                # of a boot; a minute or two where nothing else runs
SKIPPED = 77


def busybox(suites):
    folder = os.path.join(registry.cache_folder(), "busybox", f"{suites.arch}-{suites.suites[0]}")
    registry.unpack(suites.fetch("busybox-static"), folder, r"/busybox$")
    return next(p for p in (f"{folder}/bin/busybox", f"{folder}/usr/bin/busybox") if os.path.exists(p))


def initramfs(files, suites, rootle, known, root, chosen):
    fs = Initramfs()
    for folder in ("proc", "sys", "dev", "tmp"):
        fs.folder(folder)
    fs.device("dev/console", 5, 1)
    fs.file("bin/busybox", busybox(suites), 0o755)
    fs.link("bin/sh", "busybox")
    fs.program("bin/rootle", rootle, root)
    for role in ("server", "client", "brief"):
        fs.file(f"bin/known-{role}", known, 0o755)
    fs.file("init", os.path.join(HERE, "init"), 0o755)
    fs.data("passes", passes.lines(chosen).encode())
    for i, module in enumerate(files.modules):
        fs.module(f"modules/{i}-{os.path.basename(module).split('.')[0]}.ko", module)
    return fs.archive()


def run(kernel, rootle, known, root, chosen, results):
    """Boots; the result as judge.result() makes it, written to results/KERNEL.json."""
    files, suites = kernels.fetch(kernel)
    log = os.path.join(results, f"{kernel.name}.console")
    with tempfile.NamedTemporaryFile(prefix="rootle-vm.") as initrd:
        initrd.write(initramfs(files, suites, rootle, known, root, chosen))
        initrd.flush()
        wrong = machine.boot(kernel.arch, files.image, initrd.name, log, TIMEOUT_S)
    result = judge.result(kernel, machine.sections(log), chosen)
    if wrong:
        judge.fail(result, wrong)
    with open(os.path.join(results, f"{kernel.name}.json"), "w") as f:
        json.dump(result, f, indent=1)
    return result


def skip(why):
    print(f"SKIP {why}")
    sys.exit(SKIPPED)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    kernel = kernels.by_name(sys.argv[1])
    chosen = [p for p in passes.PASSES if len(sys.argv) < 3 or p.name in sys.argv[2:]]
    results = os.path.abspath(os.environ.get("RESULTS", "build/release/vm"))
    os.makedirs(results, exist_ok=True)
    rootle = os.environ.get("ROOTLE", "build/release/rootle")
    if not machine.emulator(kernel.arch):
        skip(f"no emulator: {machine.BOARDS[kernel.arch].qemu} is not installed")
    if not os.path.exists(rootle):
        skip(f"no {rootle}: was it not built?")
    try:
        result = run(kernel, rootle, os.environ.get("KNOWN", "build/release/tests/vm/known"), os.environ.get("SYSROOT", "/"),
                     chosen, results)
    except registry.Unavailable as e:
        skip(e)
    sys.exit(judge.report(result))


main()
