#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""SMTP: 10,000 commands of Postfix's load generator, and what Python's own client says to aiosmtpd, refusals and TLS included:
every command counted = sent, and the message is one request."""
import os

from e2e import Skip, free_port, main, need, need_root, run
from harness import recorder

SERVER = r"""
import asyncio, ssl, sys
from aiosmtpd.smtp import SMTP
class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 5.1.1 s3cr3t is not here"
        if address.startswith("later"):
            return "451 4.3.0 not now"
        envelope.rcpt_tos.append(address)
        return "250 OK"
    async def handle_DATA(self, server, session, envelope):
        return "250 s3cr3t queued"
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(loop.create_server(lambda: SMTP(Handler(), tls_context=context, loop=loop), "127.0.0.1", int(sys.argv[1])))
loop.run_forever()
"""

CLIENT = r"""
import smtplib, ssl, sys
port, n = int(sys.argv[1]), int(sys.argv[2])
s = smtplib.SMTP("127.0.0.1", port)
for i in range(n):
    s.sendmail("s3cr3t@shop.example", ["a@shop.example"], "Subject: s3cr3t\r\n\r\n" + ".s3cr3t\r\n" * (i % 50 * 20))
for i in range(23):
    for address in ("nobody@shop.example", "later@shop.example"):
        try:
            s.sendmail("s3cr3t@shop.example", [address], "x")
        except smtplib.SMTPRecipientsRefused:
            pass
s.quit()
for i in range(23):
    with smtplib.SMTP("127.0.0.1", port) as s:
        s.starttls(context=ssl._create_unverified_context())
        s.ehlo()
"""

N = 300
LOAD = 3400    # messages: MAIL, RCPT, DATA


def case_messages(bench):
    need_root()
    if run(["/usr/bin/python3", "-c", "import aiosmtpd"], check=False).returncode:
        raise Skip("python3-aiosmtpd is not installed")
    port, paths = free_port(), {}
    for name, text in (("server", SERVER), ("client", CLIENT)):
        paths[name] = os.path.join(bench.folder, f"{name}.py")
        with open(paths[name], "w") as f:
            f.write(text)
    key, cert = bench.certificate("localhost")
    bench.start("mail", ["/usr/bin/python3", paths["server"], port, cert, key], port)
    rec = bench.record()
    run(["/usr/bin/python3", paths["client"], port, N], timeout=60)
    rec.stop()
    coverage = recorder.query("requests", bench.db, "--last", "1h")[-1]["coverage"]
    bench.check(coverage["lost_events"] == 0, f"events lost: {coverage['lost_events']}" + (f", {coverage}" if coverage["lost_events"] else ""))
    rows = [r for r in bench.rows("requests") if r["port"] == port and r["protocol"] == "smtp"]
    seen = {r["op"].split()[0]: (r["count"], r["errors"]) for r in rows}
    # of the refused ones the client says RSET; 550 is the client's error, and its senders may be anybody
    bench.equal({k: v for k, v in seen.items() if k in ("MAIL", "RCPT", "DATA", "RSET", "STARTTLS")},
                {"MAIL": (N + 46, 0), "RCPT": (N + 46, 23), "DATA": (N, 0), "RSET": (46, 0), "STARTTLS": (23, 0)},
                "count and errors by command")
    # the QUIT and the second EHLO of those that went to TLS are encrypted
    bench.equal((seen["EHLO"], seen["QUIT"]), ((24, 0), (1, 0)), "EHLO and QUIT")
    with open(bench.db, "rb") as f:
        bench.check(b"s3cr3t" not in f.read(), "no value is in the recording")


def case_load(bench):
    need_root()
    need("smtp-source", "smtp-sink")
    port = free_port()
    bench.start("smtp-sink", ["smtp-sink", "-u", "nobody", f"127.0.0.1:{port}", "100"], port)
    rec = bench.record()
    run(["smtp-source", "-d", "-s", "4", "-m", LOAD, "-l", "2000", f"127.0.0.1:{port}"], timeout=60)
    rec.stop()
    bench.equal(recorder.query("requests", bench.db, "--last", "1h")[-1]["coverage"]["lost_events"], 0, "events lost")
    seen = {r["op"]: (r["count"], r["errors"]) for r in bench.rows("requests") if r["port"] == port}
    bench.equal({k: v for k, v in seen.items() if k in ("MAIL", "RCPT", "DATA")}, {k: (LOAD, 0) for k in ("MAIL", "RCPT", "DATA")},
                "count and errors by command")


main(globals())
