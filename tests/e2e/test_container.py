#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""From within a container: pid and mount namespaces of its own, the node's /proc, /sys and cgroups mounted at /host."""
import json
import os
import subprocess
import tempfile

from e2e import main, need, need_root, run
from harness import recorder

# $1 the folder that stands for the container's root, $2… the command. What the container sees is mounted in its namespace only.
ENTER = """
set -e
root=$1; shift
mount --make-rprivate /
mount --rbind / $root
mkdir -p $root/tmp/rootle.host
mount -t tmpfs none $root/tmp/rootle.host
mkdir $root/tmp/rootle.host/proc $root/tmp/rootle.host/sys
mount --bind /proc $root/tmp/rootle.host/proc
mount --rbind /sys $root/tmp/rootle.host/sys
umount -l $root/proc
mount -t proc none $root/proc
umount -l $root/sys/fs/cgroup 2> /dev/null || true
exec chroot $root "$@"
"""


def contained(*argv, check=True):
    """Runs a command in the container."""
    need_root()
    need("unshare", "chroot")
    with tempfile.TemporaryDirectory(prefix="rootle-root.") as root:
        return run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh", root, *argv], check=check)


def case_without_the_node_it_says_so(bench):
    r = contained(recorder.binary(), "record", "--db", bench.db, "--for", "1s")
    bench.check("PID namespace" in r.stderr, f"said: {r.stderr.splitlines()[0] if r.stderr else 'nothing'}")


def case_check_with_the_node(bench):
    said = json.loads(contained(recorder.binary(), "check", "--json", "--host-root", "/tmp/rootle.host").stdout)
    on = {(p["probe"], p["part"]): p for p in said["probes"]}
    bench.equal(on["packets", "sent"]["state"], "on", "packets, with no cgroup2 mounted where it usually is")
    bench.equal(on["existing sockets", "sockets"]["rung"], "sock_diag", "sockets from before, for iterators show the container's")
    bench.check("pid namespace" not in {probe for probe, _ in on}, "processes are the node's")


def case_names_and_requests_of_the_node(bench):
    """A server and its client outside; the recorder inside."""
    need_root()
    need("ab")
    port, _ = bench.nginx()
    rec = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh",
                            tempfile.mkdtemp(dir=bench.folder), recorder.binary(), "record", "--db", bench.db, "--cpu-budget", "off",
                            "--host-root", "/tmp/rootle.host", "--for", "6s"],
                           stderr=subprocess.PIPE, text=True)
    try:
        for line in rec.stderr:
            if line.startswith("recording: "):
                break
        run(["ab", "-q", "-n", 23, "-c", 1, f"http://127.0.0.1:{port}/hello.html"])
        rec.wait(timeout=20)
    finally:
        if rec.poll() is None:
            rec.kill()
            rec.wait()
        rec.stderr.close()
    edges = [e for e in bench.rows("edges") if e["port"] == port]
    bench.equal(sum(e["count"] for e in edges), 23, "requests")
    bench.equal({(e["from"], e["to"].split(":")[0]) for e in edges}, {("ab", "nginx")}, "between")
    nginx = [s for s in bench.rows("services") if s["service"] in ("nginx", f"nginx:{port}")]
    bench.check(nginx and nginx[0]["mem_bytes"], "memory of nginx is known")


def case_a_folder_without_proc(bench):
    need_root()
    r = run([recorder.binary(), "check", "--host-root", bench.folder], check=False)
    bench.equal(r.returncode, 2, "exit code")
    bench.equal(r.stderr.strip(), f"rootle: --host-root {bench.folder}: there is no /proc of the node in it", "said")
    bench.check(os.path.isdir(bench.folder), "the folder is left alone")


main(globals())
