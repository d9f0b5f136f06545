# SPDX-License-Identifier: BSD-2-Clause
"""The ways in which rootle records the known workload in a guest: a row each."""
from collections import namedtuple

# rungs: what each source is wished onto (a source that the kernel cannot have there stands lower); sees: whether connections
# and requests are expected to be counted at all.
Pass = namedtuple("Pass", "name cgroup options sees")

PASSES = [
    Pass("best", "v2", [], True),
    Pass("v1", "v1", [], True),
    Pass("hybrid", "hybrid", [], True),
    Pass("no-bpf", "v2", ["--no-bpf"], False),
]


def lines(passes):
    """As the guest's init reads them."""
    return "".join(" ".join([p.name, p.cgroup, *p.options]) + "\n" for p in passes)
