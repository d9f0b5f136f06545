# SPDX-License-Identifier: BSD-2-Clause
"""The ways in which rootle records the known workload in a guest: a row each."""
import os
import sys
from collections import namedtuple

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import known                                           # noqa: E402

# What each sees on every kernel: "everything"; "traffic": all but why processes ended; "starts" of what listens only, for connections
# that are gone between two samples are not seen.  stands: (source, rung) that must be in use there, or None.
Pass = namedtuple("Pass", "name cgroup options sees stands", defaults=["everything", None])

COPYING = ",".join(f"{source}=tracepoint" for source in known.TRACEPOINTS)

PASSES = [
    Pass("best", "v2", []),
    Pass("v1", "v1", []),
    Pass("hybrid", "hybrid", []),
    Pass("fentry", "v2", ["--rung", "owners=fentry"], stands=("owners", "fentry")),
    Pass("kprobe", "v2", ["--rung", "owners=kprobe"], stands=("owners", "kprobe")),
    Pass("tracepoint", "v2", ["--rung", COPYING], stands=("sockets", "tracepoint")),
    Pass("btf-file", "v2", ["--rung", "btf=absent", "--btf", "/sys/kernel/btf/vmlinux"], stands=("processes", "tracepoint")),
    Pass("no-btf", "v2", ["--rung", "btf=absent"], "traffic", ("sockets", "sockops")),
    Pass("no-bpf", "v2", ["--no-bpf"], "starts"),
]


def lines(passes):
    """As the guest's init reads them: words between tabs."""
    return "".join("\t".join([p.name, p.cgroup, *p.options]) + "\n" for p in passes)
