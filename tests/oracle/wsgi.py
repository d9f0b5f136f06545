# SPDX-License-Identifier: BSD-2-Clause
"""An application for gunicorn's synchronous workers: a request at a time, a connection for each.  WEB and CACHE: ports."""
import os

from common import IDS, Pool, work

WEB, CACHE = Pool(int(os.environ["WEB"])), Pool(int(os.environ["CACHE"]))


def app(environ, start_response):
    n = int(environ["PATH_INFO"].rsplit("/", 1)[1])
    ids = {name: environ["HTTP_" + name.upper().replace("-", "_")] for name in IDS
           if "HTTP_" + name.upper().replace("-", "_") in environ}
    work(WEB, CACHE, n, ids)
    body = b"%d\n" % n
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
