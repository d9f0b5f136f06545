# SPDX-License-Identifier: BSD-2-Clause
"""catalog: items and reviews, from PostgreSQL.  usage: catalog.py PORT POSTGRES_HOST:PORT"""
import json
import sys
import threading
from hashlib import blake2b
from urllib.parse import parse_qs, urlsplit

import psycopg2

from web import Service, serve

POSTGRES_HOST, POSTGRES_PORT = sys.argv[2].split(":")
LOCAL = threading.local()


def cursor():
    """The connection of this thread: one thread serves one keep-alive connection."""
    if getattr(LOCAL, "db", None) is None or LOCAL.db.closed:
        LOCAL.db = psycopg2.connect(host=POSTGRES_HOST, port=POSTGRES_PORT, user="shop", dbname="shop", connect_timeout=2)
        LOCAL.db.autocommit = True
    return LOCAL.db.cursor()


def render(rows):
    """What a template engine and a price rule cost: about two milliseconds of CPU."""
    items = []
    for item, name, price in rows:
        badge = blake2b(name.encode(), digest_size=4)
        for rule in range(240):
            badge.update(b"%d:%d" % (rule, price))
        items.append({"id": item, "name": name, "price": price / 100, "badge": badge.hexdigest()})
    return sorted(items, key=lambda i: i["badge"])


class Catalog(Service):
    def get(self):
        category = int(parse_qs(urlsplit(self.path).query).get("category", ["1"])[0])
        with cursor() as c:
            c.execute("SELECT id, name, price FROM items WHERE category = %s ORDER BY price LIMIT 30", (category,))
            return 200, render(c.fetchall())

    def post(self, body):
        review = json.loads(body)
        with cursor() as c:
            c.execute("INSERT INTO reviews (item, stars, words) VALUES (%s, %s, %s) RETURNING id",
                      (review["item"], review["stars"], "as described, arrived in time"))
            return 200, {"id": c.fetchone()[0]}


serve(Catalog, int(sys.argv[1]))
