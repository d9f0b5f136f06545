# SPDX-License-Identifier: BSD-2-Clause
"""A virtual machine that boots a kernel with an initramfs and says on its serial console what happened in it.

It is emulated everywhere, so that it is the same machine everywhere.  One thread emulates both CPUs: with two a CPU may run code that
the other has just patched, as kernels do at each tracepoint that is switched on or off ("Oops: int3").
"""
import os
import re
import shutil
import signal
import subprocess
from collections import namedtuple

Board = namedtuple("Board", "qemu argv console")

BOARDS = {
    "amd64": Board("qemu-system-x86_64", ["-cpu", "max"], "ttyS0"),
    "arm64": Board("qemu-system-aarch64", ["-M", "virt", "-cpu", "max,pauth-impdef=on"], "ttyAMA0"),
}
MEMORY_MB = 1024
PR_SET_PDEATHSIG = 1


def emulator(arch):
    """Path of the emulator, or None."""
    return shutil.which(BOARDS[arch].qemu)


def boot(arch, kernel, initrd, log, timeout):
    """Runs the machine until it restarts; the console is in the file log. None, or what went wrong."""
    board = BOARDS[arch]
    command = f"console={board.console} quiet panic=-1 lockdown=none mitigations=off"
    argv = [board.qemu, *board.argv, "-accel", "tcg,thread=single", "-smp", "2", "-m", str(MEMORY_MB), "-nodefaults", "-display", "none",
            "-no-reboot", "-serial", "stdio", "-kernel", kernel, "-initrd", initrd, "-append", command]
    with open(log, "wb") as out:
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, preexec_fn=_die_with_parent)
        try:
            p.wait(timeout)
            return f"the emulator exited {p.returncode}, see {log}" if p.returncode else None
        except subprocess.TimeoutExpired:
            return f"the machine did not end within {timeout} s, see {log}"
        finally:
            if p.poll() is None:
                p.kill()
                p.wait()


def _die_with_parent():
    import ctypes
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(5)


def sections(log):
    """What the guest wrote between "@begin NAME" and "@end NAME", by name."""
    found, name, lines = {}, None, []
    with open(log, errors="replace") as f:
        for line in f.read().replace("\r", "").split("\n"):
            mark = re.match(r"@(begin|end) (\S+)$", line)
            if mark and mark.group(1) == "begin":
                name, lines = mark.group(2), []
            elif mark and name:
                found[name] = "\n".join(lines)
                name = None
            elif name:
                lines.append(line)
    return found
