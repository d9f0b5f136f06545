/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/mask.h"

#include <criterion/criterion.h>
#include <string.h>

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
	{ "app|http://x/?a=1&token=hunter2&b=2", "app http://x/?a=1&token=***&b=2" },
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
		if (i != 33)     /* what stands for a control character is text_clean()'s choice */
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
