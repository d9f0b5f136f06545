# SPDX-License-Identifier: BSD-2-Clause
"""What is in each capture of ../shared/data/pcap, reviewed by hand with tshark: requests that were answered, by protocol, and
protocols that are recognised without any (a TLS handshake, QUIC, a question without an answer).  Whatever is not said here is not to be found.

A row: file: (kind, {protocol: requests}, {recognised besides}, tshark's display filter and count, why the two differ).
kind is what the capture is of, for the matrix; "foreign" is what is none of ours."""

TLS, QUIC, HTTP, DNS = {"tls"}, {"quic"}, {"http"}, {"dns"}
REQUEST, QUESTION, HELLO = "http.request", "dns.flags.response==0", "tls.handshake.type==1"
NONE = (None, 0)

CAPTURES = {
    # of HTTP
    "http-crash-content-disposition.pcap": ("http", {"http": 1}, (), (REQUEST, 1), ""),
    "http-lines-split.pcap": ("http", {"http": 1}, (), (REQUEST, 1), ""),
    "http-manipulated.pcap": ("http", {"http": 1}, (), (REQUEST, 3), "one has 17 blanks behind its method, which is no request line "
                              "(RFC 9112, 3), and the answer to the one behind that is cut short by the end of the capture"),
    "http-proxy.pcapng": ("http", {"http": 1}, (), (REQUEST, 1), ""),
    "http.pcapng": ("http", {"http": 1}, (), (REQUEST, 1), ""),
    "http_asymmetric.pcapng": ("http", {}, HTTP, (REQUEST, 3), "each direction has addresses of its own (NAT): no request has an answer"),
    "http_auth.pcap": ("http", {"http": 1}, (), (REQUEST, 1), ""),
    "http_connect.pcap": ("http", {"http": 1, "dns": 1}, TLS, (REQUEST, 1), ""),
    "http_guessed_host_and_guessed.pcapng": ("http", {}, (), (REQUEST, 0), ""),
    "http_invalid_server.pcap": ("http", {"http": 1}, (), (REQUEST, 1), ""),
    "http_ipv6.pcap": ("tls", {}, TLS, (REQUEST, 0), ""),
    "http_on_sip_port.pcap": ("http", {}, HTTP, ("sip", 2), "it is HTTP, its answer is cut short by the end of the capture; tshark goes by port 5060"),
    "http_origin_different_than_host.pcap": ("http", {"http": 1}, (), (REQUEST, 1), ""),
    "http_starting_with_reply.pcapng": ("http", {"http": 2}, (), (REQUEST, 2), ""),
    "http_ua_splitted_in_two_pkts.pcapng": ("http", {"http": 37}, (), (REQUEST, 37), ""),
    "jsonrpc.pcap": ("http", {"http": 1}, (), (REQUEST, 1), ""),
    "steam.pcapng": ("http", {"http": 1}, TLS, (REQUEST, 1), ""),
    "http2.pcapng": ("http2", {"http2": 1}, (), ("http2", 0), "prior knowledge on port 29518: tshark does not look for it there"),
    # of DNS
    "dns.pcap": ("dns", {"dns": 2}, (), (QUESTION, 2), ""),
    "dns-google-nsid.pcapng": ("dns", {"dns": 7}, (), (QUESTION, 7), ""),
    "dns-invalid-chars.pcap": ("dns", {"dns": 1}, (), (QUESTION, 1), ""),
    "dns_ambiguous_names.pcap": ("dns", {"dns": 10}, (), (QUESTION, 10), ""),
    "dns_fragmented.pcap": ("dns", {"dns": 20, "dns-tcp": 2}, (), (QUESTION, 22), ""),
    "dns_invert_query.pcapng": ("dns", {}, (), (QUESTION, 1), "an inverse query (RFC 3425 took it out) has no question that could be named"),
    "dns_long_domainname.pcap": ("dns", {"dns": 1}, (), (QUESTION, 1), ""),
    "malformed_dns.pcap": ("dns", {}, DNS, (QUESTION, 2), "the names of the answers lead in circles, so they are none"),
    # of databases, caches and queues
    "pgsql.pcap": ("postgres", {"postgres": 7}, (), ('pgsql.type == "Execute"', 5), "two packets have two Execute each"),
    "pgsql2.pcapng": ("tls", {}, TLS, ('pgsql.type == "Execute"', 0), ""),
    "mysql.pcapng": ("mysql", {"mysql": 1}, TLS, ("mysql.command", 2), "nobody answers COM_QUIT"),
    "mssql_tds.pcap": ("tds", {"tds": 10}, (), ("tds.type == 1 || tds.type == 3", 20), "ten of them have no answer in the capture"),
    "memcached.cap": ("memcached", {"memcached": 1}, (), ("memcache.command", 2), "tshark marks the answer of stats, too"),
    "mongodb.pcap": ("mongodb", {}, {"mongodb"}, NONE, ""),        # of five connections the first question each, no answers
    "mongo_false_positive.pcapng": ("foreign", {}, (), NONE, ""),
    "kafka.pcapng": ("kafka", {"kafka": 11}, (), ("kafka && tcp.dstport == 9092", 14), "three of them have no answer in the capture"),
    "cassandra.pcap": ("cassandra", {"cassandra": 2}, (), ("cql.opcode", 3), "OPTIONS, its answer and a STARTUP without one; the same of "
                       "another connection, of version 5, which tshark does not read"),
    "amqp.pcap": ("amqp", {"amqp": 31}, (), ("amqp.method.method == 40 || amqp.method.method == 60", 31), ""),
    "nats.pcap": ("nats", {"nats": 2}, (), NONE, ""),
    "mqtt.pcap": ("mqtt", {"mqtt": 4}, (), ("mqtt.msgtype", 8), "two are answers, one says goodbye, and one CONNECT has no answer"),
    "coap_mqtt.pcap": ("mqtt", {"mqtt": 22}, (), NONE, ""),
    "elasticsearch.pcap": ("foreign", {}, (), ("elasticsearch.header.request_id", 25), "the protocol between its nodes, not HTTP"),
    "fastcgi.pcap": ("fastcgi", {"fastcgi": 1}, (), NONE, ""),
    "smtp.pcap": ("smtp", {"smtp": 35}, (), ("smtp.req.command", 35), ""),
    # of TLS and QUIC: edges
    "443-opvn.pcap": ("foreign", {}, (), (HELLO, 1), "the ClientHello is inside of OpenVPN"),
    "dingtalk.pcap": ("tls", {}, TLS, NONE, ""),
    "doq_adguard.pcapng": ("quic", {}, QUIC, NONE, ""),
    "google_ssl.pcap": ("tls", {}, TLS, NONE, ""),
    "imaps.pcap": ("tls", {}, TLS, NONE, ""),
    "long_tls_certificate.pcap": ("tls", {}, TLS, NONE, ""),
    "mumble.pcapng": ("tls", {}, TLS, NONE, ""),
    "quic-23.pcap": ("quic", {}, QUIC, NONE, ""),
    "quic-mvfst-27.pcapng": ("quic", {}, QUIC, NONE, ""),
    "salesforce.pcap": ("tls", {}, TLS, NONE, ""),
    "tls_1.2_unidirectional_client.pcapng": ("tls", {}, TLS, NONE, ""),
    "tls_alert.pcap": ("tls", {}, TLS, NONE, ""),
    "tls_heur__vmess-tcp-tls.pcapng": ("tls", {"dns": 8}, TLS, (QUESTION, 8), ""),
    # of other protocols: nothing of ours is in them
    **{name: ("foreign", {}, (), NONE, "") for name in (
        "IEC104.pcap", "afp.pcap", "bacnet.pcap", "bt_search.pcap", "citrix.pcap", "crynet.pcap", "dcerpc.pcap", "dtls_mid_sessions.pcapng",
        "ethernetIP.pcap", "ftp-start-tls.pcap", "ftp.pcap", "gquic.pcap", "h323.pcap", "hsrp0.pcap", "imap.pcap", "jrmi.pcap",
        "kerberos-login.pcap", "ldp.pcap", "malformed_icmp.pcap", "netflowv9.pcap", "openflow.pcap", "path_of_exile.pcapng",
        "portable_executable.pcap", "quic.pcap", "quic_q39.pcap", "radius_false_positive.pcapng", "reasm_crash_anon.pcapng", "rsh.pcap",
        "skinny.pcap", "snmp.pcap", "source_engine.pcap", "stomp.pcapng", "stun_tcp_multiple_msgs_same_pkt.pcap", "telnet.pcap",
        "thrift.pcap")},
}
