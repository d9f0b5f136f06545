/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/mask.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* masked NULL: whatever, but without the secret. */
static const struct { const char *argv, *masked; } cases[] = {
	{ "app|--password=hunter2|--port|80", "app --password=*** --port 80" },
	{ "app|--password|hunter2|--port|80", "app --password *** --port 80" },
	{ "app|--db-password|hunter2", "app --db-password ***" },
	{ "app|--password=a b;c", "app --password=***" },
	{ "app|PASSWORD=hunter2", "app PASSWORD=***" },
	{ "env|DB_PASS=hunter2|app", "env DB_PASS=*** app" },
	{ "app|--api-key=hunter2", "app --api-key=***" },
	{ "app|--key|hunter2", "app --key ***" },
	{ "app|--auth-token|hunter2|x", "app --auth-token *** x" },
	{ "app|client_secret:hunter2", "app client_secret:***" },
	{ "mysql|-uroot|-phunter2|shop", "mysql -uroot -p*** shop" },
	{ "/usr/bin/mysqldump|-u|root|-phunter2", "/usr/bin/mysqldump -u root -p***" },
	{ "app|-phunter2", "app -p***" },
	{ "app|-p8080", "app -p8080" },
	{ "app|-p|8080", "app -p 8080" },
	{ "redis-cli|-a|hunter2|ping", "redis-cli -a *** ping" },
	{ "sshpass|-p|hunter2|ssh|host", "sshpass -p *** ssh host" },
	{ "curl|-u|bob:hunter2|http://x/", "curl -u *** http://x/" },
	{ "curl|-H|Authorization: Bearer hunter2|http://x/", "curl -H Authorization: Bearer *** http://x/" },
	{ "curl|-H|X-Api-Key: hunter2", "curl -H X-Api-Key: ***" },
	{ "psql|postgres://bob:hunter2@db:5432/shop", "psql postgres://***@db:5432/shop" },
	{ "app|--url=redis://:hunter2@cache/0", "app --url=redis://***@cache/0" },
	{ "app|http://x/?a=1&token=hunter2&b=2", "app http://x/?…" },
	{ "psql|host=db password=hunter2 dbname=shop", "psql host=db password=*** dbname=shop" },
	{ "sh|-c|PGPASSWORD=hunter2 psql -h db", "sh -c PGPASSWORD=***" },
	{ "sh|-c|cd /x && mysql -u root -phunter2 shop", "sh -c cd /x && mysql -u root -p*** shop" },
	{ "sh|-c|app --password hunter2 -v", "sh -c app --password *** -v" },
	{ "app|{\"password\":\"hunter2\",\"user\":\"bob\"}", "app {\"password\":\"***\",\"user\":\"bob\"}" },
	{ "java|-Dspring.datasource.password=hunter2|-jar|a.jar", "java -Dspring.datasource.password=*** -jar a.jar" },
	{ "app|ghp_abcdefghijklmnopqrstuvwxyz", "app ***" },
	{ "postgres|-c|config_file=/etc/pg.conf", "postgres -c config_file=/etc/pg.conf" },
	{ "node|--max-old-space-size=100|keyboard.js", "node --max-old-space-size=100 keyboard.js" },
	{ "nginx: worker process||||", "nginx: worker process" },
	{ "app|a\033[31mb", "app a?[31mb" },
	{ "", "" },
	{ "psql|-c|ALTER USER bob PASSWORD 'hunter2'", "psql -c …" },
	{ "psql|-h|db|-Atc|INSERT INTO card VALUES('hunter2')|shop", "psql -h db -Atc … shop" },
	{ "psql|--command=SELECT 'hunter2'|-dcool", "psql --command=… -dcool" },
	{ "psql|-cSELECT 'hunter2'", "psql -c…" },
	{ "sh|-c|psql -c \"SELECT 'hunter2'\" shop", "sh -c psql -c … shop" },
	{ "mysql|-uroot|-e|SET PASSWORD = 'hunter2'|shop", "mysql -uroot -e … shop" },
	{ "mysql|-Nse|SELECT 'hunter2'", "mysql -Nse …" },
	{ "mariadb|--execute|SELECT 'hunter2'", "mariadb --execute …" },
	{ "mysqldump|-e|shop|-phunter2", "mysqldump -e shop -p***" },
	{ "sqlcmd|-S|db|-U|sa|-P|hunter2|-Q|SELECT 'hunter2'", "sqlcmd -S db -U sa -P *** -Q …" },
	{ "sqlite3|/x.db|INSERT INTO t VALUES('hunter2')", "sqlite3 /x.db …" },
	{ "mongosh|--eval|db.auth('a','hunter2')|shop", "mongosh --eval … shop" },
	{ "clickhouse-client|-q|SELECT 'hunter2'", "clickhouse-client -q …" },
	{ "redis-cli|-h|cache|AUTH|bob|hunter2", "redis-cli -h cache AUTH *** ***" },
	{ "redis-cli|CONFIG|SET|requirepass|hunter2", "redis-cli CONFIG SET requirepass ***" },
	{ "sh|-c|redis-cli auth bob hunter2", "sh -c redis-cli auth ***" },
	{ "mongo|-phunter2|shop", "mongo -p*** shop" },
	{ "az|login|-u|bob|-p|hunter2", "az login -u bob -p ***" },
	{ "docker|login|-phunter2", "docker login -p***" },
	{ "docker|run|-p|80:80|nginx", "docker run -p 80:80 nginx" },
	{ "unzip|-P|hunter2|a.zip", "unzip -P *** a.zip" },
	{ "htpasswd|-b|file|bob|hunter2", "htpasswd -b *** *** ***" },
	{ "aws|configure|set|aws_secret_access_key|hunter2", "aws configure set aws_secret_access_key ***" },
	{ "app|secret|--port|80", "app secret --port 80" },
	{ "auth|serve|token.js|80", "auth serve token.js 80" },
	{ "curl|-sSu|root:hunter2|http://x/", "curl -sSu *** http://x/" },
	{ "curl|-sSuroot:hunter2", "curl -sSu***" },
	{ "curl|--user=root:hunter2", "curl --user=***" },
	{ "curl|-XPUT|-oout|x", "curl -XPUT -oout x" },
	{ "curl|https://h/x?session=hunter2&sig=hunter2", "curl https://h/x?…" },
	{ "sh|-c|curl 'https://h/x?s=hunter2' -v", "sh -c curl 'https://h/x?…' -v" },
	{ "curl|h/x?session=hunter2", "curl h/x?…" },
	{ "curl|https://hooks.slack.com/services/T0/B0/hunter2", "curl https://hooks.slack.com/services/…" },
	{ "app|postgresql://u:p@hunter2@h/shop", "app postgresql://***@h/shop" },
	{ "app|redis://:p/hunter2@h:6379/0", "app redis://***@h:6379/0" },
	{ "app|http://h:80/@scope/x", "app http://h:80/@scope/x" },
	{ "psql|host=db password='a hunter2 c' dbname=shop", "psql host=db password='***' dbname=shop" },
	{ "sh|-c|app --password 'a hunter2 c' -v", "sh -c app --password *** -v" },
	{ "sh|-c|mysql -p'a hunter2' shop", "sh -c mysql -p*** shop" },
	{ "app|{\\\"password\\\":\\\"hunter2\\\"}", NULL },
	{ "app|host=h password = hunter2", "app host=h password = ***" },
	{ "app|H=\"Authorization: Bearer hunter2\"", NULL },
	{ "app|ALTER USER bob PASSWORD 'hunter2'", NULL },
};

Test(mask, table)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char argv[256], buf[512];
		size_t n = strlen(cases[i].argv);
		memcpy(argv, cases[i].argv, n + 1);
		for (size_t k = 0; k < n; k++)
			if (argv[k] == '|')
				argv[k] = '\0';
		cmdline_mask(argv, n, buf, sizeof(buf));
		if (i != 33 && cases[i].masked)     /* what stands for a control character is text_clean()'s choice */
			cr_expect_str_eq(buf, cases[i].masked, "[%s] became [%s]", cases[i].argv, buf);
		cr_expect(!strstr(buf, "hunter2"), "[%s] shows the secret", cases[i].argv);
		cr_expect(!strchr(buf, '\033'), "[%s] obeyed by a terminal", cases[i].argv);
	}
}

Test(mask, is_cut_at_the_capacity)
{
	char argv[8192], buf[512];

	memset(argv, 'x', sizeof(argv));
	cr_expect_eq(cmdline_mask(argv, sizeof(argv), buf, sizeof(buf)), 511);
	cr_expect_eq(strlen(buf), 511);
}

/* A secret cut off in the middle of its name or value is not shown either: every prefix. */
Test(mask, every_prefix)
{
	static const char argv[] = "mysql\0-u\0root\0--password=hunter2hunter2\0postgres://bob:hunter2@db/x";

	for (size_t n = 0; n <= sizeof(argv); n++) {
		char buf[512], *copy = malloc(n ? n : 1);
		memcpy(copy, argv, n);
		cmdline_mask(copy, n, buf, sizeof(buf));
		if (n < 40)
			cr_expect(!strstr(buf, "hun"), "prefix of %zu: %s", n, buf);
		free(copy);
	}
}

/* Nothing behind the end is read: every prefix of every row, in as many bytes as it has. */
Test(mask, reads_no_further)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t n = 0; n <= strlen(cases[i].argv); n++) {
			char buf[512], *copy = malloc(n ? n : 1);
			memcpy(copy, cases[i].argv, n);
			for (size_t k = 0; k < n; k++)
				if (copy[k] == '|')
					copy[k] = '\0';
			cr_expect_lt(cmdline_mask(copy, n, buf, sizeof(buf)), sizeof(buf));
			free(copy);
		}
	}
}
