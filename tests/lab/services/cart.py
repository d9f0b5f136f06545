# SPDX-License-Identifier: BSD-2-Clause
"""cart: baskets, in Redis.  usage: cart.py PORT REDIS_HOST:PORT"""
import json
import sys

import redis

from web import Service, serve

REDIS_HOST, REDIS_PORT = sys.argv[2].split(":")
POOL = redis.ConnectionPool(host=REDIS_HOST, port=int(REDIS_PORT), socket_timeout=2, socket_connect_timeout=2)


class Cart(Service):
    def key(self):
        return "basket:" + self.path.rsplit("/", 1)[1]

    def get(self):
        basket = redis.Redis(connection_pool=POOL).hgetall(self.key())
        return 200, {item.decode(): int(n) for item, n in basket.items()}

    def post(self, body):
        r, item = redis.Redis(connection_pool=POOL), json.loads(body)["item"]
        n = r.hincrby(self.key(), int(item) % 8, 1)
        r.expire(self.key(), 3600)
        return 200, {"n": n}


serve(Cart, int(sys.argv[1]))
