/* SPDX-License-Identifier: BSD-2-Clause */
/* What the configurations of servers say of certificates. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/cert_config.h"

static char said[8192];

static void say(const char *what, const char *path, const uint16_t *port, size_t ports)
{
	size_t n = strlen(said);

	n += (size_t)snprintf(said + n, sizeof(said) - n, "%s%s", what, path[0] ? path : "?");
	for (size_t i = 0; i < ports; i++)
		n += (size_t)snprintf(said + n, sizeof(said) - n, " %u", port[i]);
	snprintf(said + n, sizeof(said) - n, "\n");
}

static void file(void *arg, const char *path, const uint16_t *port, size_t ports)
{
	say("", path, port, ports);
}

static void include(void *arg, const char *pattern)
{
	say("+", pattern, NULL, 0);
	if (!strcmp(pattern, "snippet"))
		cert_scan_text(arg, "ssl_certificate from/snippet.pem;");
}

static void scan(const char *program, const char *text, const char *want)
{
	struct cert_scan s = {.d = cert_dialect_of(program), .found = {file, include, &s}};
	char *exact = strdup(text);

	cr_assert_not_null(s.d, "%s", program);
	said[0] = '\0';
	cert_scan_text(&s, exact);
	cert_scan_end(&s);
	free(exact);
	cr_assert_str_eq(said, want, "%s: %s\nsays:\n%s", program, text, said);
}

Test(cert_config, nginx)
{
	scan("nginx", "events {}\nhttp { ssl_certificate all.pem; include \"conf.d/*.conf\"; server { listen 80; }\n"
		      "server { # ssl_certificate no.pem;\n listen 443 ssl; listen [::]:8443 ssl; server_name a; location / { return 200; }\n"
		      " ssl_certificate /etc/a.pem; ssl_certificate '/etc/b c.pem'; ssl_certificate_key k.pem; } }\n"
		      "stream { upstream x { server 127.0.0.1:5; } server { listen 127.0.0.1:9; include snippet; } }",
	     "all.pem\n+conf.d/*.conf\n/etc/a.pem 443 8443\n/etc/b c.pem 443 8443\n+snippet\nfrom/snippet.pem 9\n");
	scan("nginx", "server { listen 443; ssl_certificate $ssl_server_name.pem; }", "? 443\n");
	scan("nginx", "server { listen 443; ssl_certificate ${x}.pem; }", "? 443\n");
	scan("nginx", "server { listen 443; ssl_certificate \"a.pem; }", "? 443\n");
}

Test(cert_config, apache)
{
	scan("apache2", "Listen 443\nIncludeOptional sites-enabled/*.conf\n<VirtualHost *:443 [::]:8443>\n  ServerName a\n"
			"  sslcertificatefile \"/etc/a.crt\"\n  SSLCertificateKeyFile /etc/a.key\n</VirtualHost>\n"
			"<VirtualHost *:80>\n</VirtualHost>\nServerRoot /srv\nSSLCertificateFile \\\n all.crt\n",
	     "+sites-enabled/*.conf\n/etc/a.crt 443 8443\n/srv/all.crt\n");
}

Test(cert_config, haproxy)
{
	scan("haproxy", "global\n  crt-base /etc/ssl\nfrontend a\n  bind *:443,:8443 ssl crt a.pem crt /b/ alpn h2\n  bind :80\n"
			"  bind :9443 ssl crt-list /list\nbackend b\n  server s 10.0.0.1:443 ssl crt client.pem\n",
	     "/etc/ssl/a.pem 443 8443\n/b/ 443 8443\n? 9443\n");
}

Test(cert_config, one_setting_for_all)
{
	scan("postgres", "ssl = on\nssl_cert_file = 'server.crt'\t# (change requires restart)\ninclude_dir = 'conf.d'\n"
			 "#ssl_cert_file = 'no.crt'\nssl_cert_file='/etc/last.crt'\n", "+conf.d\n/etc/last.crt\n");
	scan("mariadbd", "[client]\nssl-cert=/client.pem\n[mysqld]\nssl_cert = /server.pem\n!includedir /etc/mysql/conf.d/\n"
			 "[mysqldump]\n[client]\nssl-cert=/client.pem\n; ssl-cert=/no.pem\n", "+/etc/mysql/conf.d/\n/server.pem\n");
	scan("redis-server", "tls-port 6380\ntls-cert-file /r.crt\ntls-client-cert-file /c.crt\n", "/r.crt\n");
}

Test(cert_config, hostile)
{
	size_t n = 1 << 20;
	char *text = malloc(n + 1);
	static const char *const programs[] = {"nginx", "apache2", "haproxy", "postgres", "mysqld", "redis-server"};
	static const char bytes[] = "{}{};;\n\n\"'#\\= \tserver listen ssl_certificate <VirtualHost [bind crt include";
	unsigned seed = 1;

	for (size_t p = 0; p < sizeof(programs) / sizeof(programs[0]); p++) {
		struct cert_scan s = {.d = cert_dialect_of(programs[p]), .found = {file, include, &s}};

		said[0] = '\0';
		for (size_t i = 0; i < n; i++)
			text[i] = bytes[rand_r(&seed) % (sizeof(bytes) - 1)];
		text[n] = '\0';
		cert_scan_text(&s, text);
		memset(text, '{', n);
		cert_scan_text(&s, text);
		memset(text, 'a', n);
		cert_scan_text(&s, text);
		cert_scan_end(&s);
	}
	free(text);
}

static void word(void *arg, const char *path)
{
	say("", path, NULL, 0);
}

Test(cert_config, words_and_options)
{
	static const char text[] = "load_cert_chain('/etc/a.pem', \"b/c.crt\"); A=/x/ca.cer\0.pem\0 key.key d.pem";

	said[0] = '\0';
	cert_words(text, sizeof(text) - 1, word, NULL);
	cr_assert_str_eq(said, "/etc/a.pem\nb/c.crt\n/x/ca.cer\nd.pem\n");
	cr_assert(cert_is_option("--tls-cert-file", 15));
	cr_assert(cert_is_option("ssl_cert_file", 13));
	cr_assert_not(cert_is_option("--client-cert", 13));
	cr_assert_not(cert_is_option("--cacert", 8));
	cr_assert_not(cert_is_option("--a-very-long-option-that-is-longer-than-any", 44));
}
