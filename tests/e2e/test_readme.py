#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The recipes of the README do what they say: each runs over a recorded incident and prints something."""
import os
import re

from e2e import HERE, main, need, run
from harness import recorder

ROOT = os.path.dirname(os.path.dirname(HERE))

NOT_IN_FIXTURE = (".tls.", ".timed")       # the recorded incident has no TLS and no times within a request


def recipes():
    with open(os.path.join(ROOT, "README.md")) as f:
        section = f.read().split("## Recipes", 1)[1].split("## ", 1)[0]
    return re.findall(r"^rootle .*\| jq .*$", section, re.M)


def case_recipes(bench):
    need("jq")
    run([recorder.binary(), "import", "--db", bench.db, os.path.join(ROOT, "tests/golden/shop.ndjson")])
    with open(f"{bench.folder}/rootle", "w") as f:         # the recipes read the default recording
        f.write(f'#!/bin/sh\nexec {recorder.binary()} "$@" --db {bench.db}\n')
    os.chmod(f"{bench.folder}/rootle", 0o755)
    env = {**os.environ, "PATH": f"{bench.folder}:{os.environ['PATH']}"}
    bench.equal(len(recipes()), 14, "recipes with jq in the README")
    for line in recipes():
        r = run(["bash", "-o", "pipefail", "-c", line], check=False, env=env)
        there = r.stdout.strip() or any(key in line for key in NOT_IN_FIXTURE)
        bench.check(r.returncode == 0 and there, f"{line[:70]}… {r.stderr.strip()[:120]}")


main(globals())
