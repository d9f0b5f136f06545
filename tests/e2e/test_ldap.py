#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""LDAP of OpenLDAP under its own tools: counted = sent, and errors by their name."""
import os

from e2e import free_port, main, need, need_root, run
from harness import recorder

N = 10000
SUFFIX = "dc=shop,dc=example"


def slapd(bench):
    need("slapd", "slapadd", "ldapsearch")
    folder, port = bench.folder, free_port()
    os.makedirs(f"{folder}/data")
    with open(f"{folder}/slapd.conf", "w") as f:
        f.write("".join(f"include /etc/ldap/schema/{s}.schema\n" for s in ("core", "cosine", "inetorgperson")) +
                f"pidfile {folder}/slapd.pid\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\nidletimeout 0\nloglevel 0\n"
                f'database mdb\nmaxsize 16777216\nsuffix "{SUFFIX}"\nrootdn "cn=admin,{SUFFIX}"\nrootpw s3cr3t\ndirectory {folder}/data\n'
                "index uid eq\n")
    people = "".join(f"dn: uid=user{i},ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nuid: user{i}\ncn: s3cr3t {i}\nsn: s3cr3t\n\n"
                     for i in range(100))
    with open(f"{folder}/init.ldif", "w") as f:
        f.write(f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: shop\ndc: shop\n\n"
                f"dn: ou=people,{SUFFIX}\nobjectClass: organizationalUnit\nou: people\n\n" + people)
    run(["slapadd", "-q", "-f", f"{folder}/slapd.conf", "-l", f"{folder}/init.ldif"])
    bench.start("slapd", ["slapd", "-d", "0", "-f", f"{folder}/slapd.conf", "-h", f"ldap://127.0.0.1:{port}"], port)
    return port


def case_searches(bench):
    need_root()
    port = slapd(bench)
    admin = ["-x", "-H", f"ldap://127.0.0.1:{port}", "-D", f"cn=admin,{SUFFIX}", "-w", "s3cr3t"]
    with open(f"{bench.folder}/names", "w") as f:
        f.write("".join(f"user{i % 200}\n" for i in range(N)))
    with open(f"{bench.folder}/changes", "w") as f:
        f.write("".join(f"dn: uid=user{i},ou=people,{SUFFIX}\nchangetype: modify\nreplace: sn\nsn: s3cr3t{i}\n\n" for i in range(23)) +
                "".join(f"dn: uid=user{i},ou=people,{SUFFIX}\nchangetype: delete\n\n" for i in range(90, 113)))
    rec = bench.record()
    run(["ldapsearch", *admin, "-b", f"ou=people,{SUFFIX}", "-f", f"{bench.folder}/names", "(uid=%s)"], timeout=60)
    run(["ldapmodify", *admin, "-c", "-f", f"{bench.folder}/changes"], check=False)
    for i in range(23):
        run(["ldapwhoami", *admin[:-1], "wrong"], check=False)
        run(["ldapsearch", *admin, "-s", "base", "-b", f"uid=user{i},ou=people,{SUFFIX}", "cn"])
    rec.stop()
    bench.equal(recorder.query("requests", bench.db, "--last", "1h")[-1]["coverage"]["lost_events"], 0, "events lost")
    rows = [r for r in bench.rows("requests") if r["port"] == port]
    bench.equal({r["protocol"] for r in rows}, {"ldap"}, "protocol")
    seen = {}
    for r in rows:
        was = seen.get(r["op"], (0, 0))
        seen[r["op"]] = (was[0] + r["count"], was[1] + r["errors"])
    bench.equal(seen.pop("BIND simple", None), (2 + 46, 23), "binds, and those with a wrong password")
    bench.equal(seen, {f"SEARCH sub ou=people,{SUFFIX}": (N, 0), f"SEARCH base uid={{id}},ou=people,{SUFFIX}": (23, 0),
                       f"MODIFY uid={{id}},ou=people,{SUFFIX}": (23, 0), f"DELETE uid={{id}},ou=people,{SUFFIX}": (23, 13),
                       "UNBIND": (2 + 46, 0)}, "count and errors by operation")
    with open(bench.db, "rb") as f:
        bench.check(b"s3cr3t" not in f.read(), "no value is in the recording")


main(globals())
