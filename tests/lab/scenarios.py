# SPDX-License-Identifier: BSD-2-Clause
"""The scenarios: a row each.  A row says how the shop is broken, how it is healed, and what the right answer is.

`services` and `kinds` are what is accepted as the first cause of the first incident; the names are the ones that people
would use.  No services: no incident is the right answer.
"""
import os
import signal
from dataclasses import dataclass
from typing import Callable

from shop import HERE, Shop


@dataclass(frozen=True)
class Scenario:
    id: str
    what: str
    services: tuple = ()
    kinds: tuple = ()
    do_break: Callable[[Shop], None] = lambda shop: None
    do_heal: Callable[[Shop], None] = lambda shop: None
    healthy_s: int = 60
    fault_s: int = 45


def drop_index(shop):
    shop.sql("DROP INDEX items_category_idx")


def create_index(shop):
    shop.sql("CREATE INDEX IF NOT EXISTS items_category_idx ON items (category)")


def start_backup(shop):
    target = f"{shop.disk.path}/backup"
    os.makedirs(target, exist_ok=True)
    shop.run_beside("nightly-backup", [f"{HERE}/services/nightly-backup.sh", f"{shop.disk.path}/pg/base", target],
                    beside="postgres")


def stop_backup(shop):
    shop.end("nightly-backup")


SCENARIOS = (
    Scenario("slow-query", "the index under a catalog query is dropped", ("postgres",), ("db.slow_query",),
             drop_index, create_index),
    Scenario("backup", "a copy loop saturates the small disk that PostgreSQL is on",
             ("nightly-backup.sh", "nightly-backup", "dd"), ("disk.neighbour",), start_backup, stop_backup),
    Scenario("throttle", "catalog's CPU quota is cut to a little less than it uses", ("catalog.py",), ("cpu.throttled",),
             lambda shop: shop.cgroups.set_cpu_quota("catalog", 0.95 * shop.cgroups.cpu_use("catalog")),
             lambda shop: shop.cgroups.set_cpu_quota("catalog", None)),
    Scenario("down", "Redis is killed; connects are refused", ("redis",), ("dependency.down",),
             lambda shop: shop.end("redis"), lambda shop: shop.start("redis")),
    Scenario("cascade", "cart hangs (SIGSTOP); everything in front times out", ("cart.py",), ("dependency.hung",),
             lambda shop: shop.running["cart"].send(signal.SIGSTOP),
             lambda shop: shop.running["cart"].send(signal.SIGCONT)),
    Scenario("healthy", "two minutes of load and nothing else", healthy_s=75, fault_s=50),
)
