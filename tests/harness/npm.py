# SPDX-License-Identifier: BSD-2-Clause
"""Clients from the npm registry, pinned by their exact version, in a folder that outlives the tests."""
import fcntl
import os
import subprocess

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "rootle", "npm")


def modules(**versions):
    """The node_modules folder that has these packages, e.g. modules(mysql2="3.11.0"), a folder each set of them; None where there
    is no npm or the registry is out of reach."""
    wanted = [f"{name}@{version}" for name, version in sorted(versions.items())]
    folder = os.path.join(CACHE, "+".join(wanted))
    found = os.path.join(folder, "node_modules")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(os.path.join(folder, "complete")):
            return found
        try:
            done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--prefix", folder,
                                   *wanted], stdin=subprocess.DEVNULL, capture_output=True, timeout=120).returncode == 0
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done:
            open(os.path.join(folder, "complete"), "w").close()
    return found if done else None
