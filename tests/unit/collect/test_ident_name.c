/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/ident.h"

#include <criterion/criterion.h>
#include <string.h>

/* Arguments are written with '|' between them. */
struct name_case { const char *exe, *argv, *cgroup, *name, *kind; };

#define ID "3f2a9c0d1e4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeef"

static const struct name_case cases[] = {
	{ "/usr/sbin/nginx", "nginx: master process /usr/sbin/nginx -g daemon off;", "/", "nginx", "proxy" },
	{ "/usr/sbin/nginx", "nginx: worker process", "/", "nginx", "proxy" },
	{ "/usr/lib/postgresql/15/bin/postgres", "/usr/lib/postgresql/15/bin/postgres|-D|/var/lib", "/", "postgres", "db" },
	{ "/usr/lib/postgresql/15/bin/postgres", "postgres: checkpointer ", "/", "postgres", "db" },
	{ "/usr/lib/postgresql/15/bin/postgres", "postgres: 15/main: shop shop 127.0.0.1(4242) SELECT", "/", "postgres", "db" },
	{ "/usr/sbin/mysqld", "/usr/sbin/mysqld", "/", "mysql", "db" },
	{ "/usr/sbin/mariadbd", "/usr/sbin/mariadbd", "/system.slice/mariadb.service", "mysql", "db" },
	{ "/usr/bin/redis-check-rdb", "/usr/bin/redis-server 127.0.0.1:6379", "/", "redis", "cache" },
	{ "/usr/bin/redis-server", "redis-server|*:6379", "/", "redis", "cache" },
	{ "/usr/bin/valkey-server", "valkey-server", "/", "redis", "cache" },
	{ "/usr/bin/memcached", "memcached|-m|64", "/", "memcached", "cache" },
	{ "/usr/sbin/haproxy", "haproxy|-W|-f|/etc/haproxy.cfg", "/", "haproxy", "proxy" },
	{ "/usr/bin/mongod", "mongod|--config|/etc/mongod.conf", "/", "mongodb", "db" },
	{ "/usr/lib/erlang/erts-13/bin/beam.smp", "beam.smp|-W|w|-s|rabbit|boot", "/", "rabbitmq", "queue" },
	{ "/usr/lib/erlang/erts-13/bin/beam.smp", "beam.smp|-progname|erl", "/", "beam.smp", "app" },
	{ "/usr/bin/etcd", "etcd|--name|a", "/", "etcd", "db" },
	{ "/usr/bin/clickhouse", "clickhouse-server|--config|server.xml", "/", "clickhouse", "db" },
	{ "/usr/sbin/apache2", "/usr/sbin/apache2|-k|start", "/system.slice/apache2.service", "apache", "proxy" },
	{ "/usr/sbin/httpd", "/usr/sbin/httpd|-DFOREGROUND", "/", "apache", "proxy" },
	{ "/usr/sbin/named", "named|-u|bind", "/", "named", "dns" },
	{ "/usr/lib/jvm/17/bin/java", "java|-Xmx1g|-cp|/opt/kafka/libs/*|kafka.Kafka|server.properties", "/", "kafka", "queue" },
	{ "/usr/lib/jvm/17/bin/java", "java|-cp|a:b|org.apache.zookeeper.server.quorum.QuorumPeerMain|zoo.cfg", "/", "zookeeper", "db" },
	{ "/usr/lib/jvm/17/bin/java", "java|-jar|/srv/shop.jar", "/", "shop.jar", "app" },
	{ "/usr/lib/jvm/17/bin/java", "java|-Xmx1g|-Dx=y|-jar|shop.jar|--port|8080", "/", "shop.jar", "app" },
	{ "/usr/lib/jvm/17/bin/java", "java|-classpath|x.jar|com.example.shop.Checkout", "/", "Checkout", "app" },
	{ "/usr/lib/jvm/17/bin/java", "java|-p|mods|-m|shop/com.example.Main", "/", "Main", "app" },
	{ "/usr/lib/jvm/17/bin/java", "java|-version", "/", "jvm", "app" },
	{ "/usr/bin/python3.11", "python3|-u|app.py", "/", "app.py", "app" },
	{ "/usr/bin/python3.11", "/usr/bin/python3|-X|dev|-W|ignore|/srv/pricing.py|--port|80", "/", "pricing.py", "app" },
	{ "/usr/bin/python3.11", "python3|-m|http.server|8000", "/", "http.server", "app" },
	{ "/usr/bin/python3.11", "python3|-mhttp.server", "/", "http.server", "app" },
	{ "/usr/bin/python3.11", "python3|-c|import time; time.sleep(9)", "/", "python3", "app" },
	{ "/usr/bin/python3.11", "/usr/bin/python3|/usr/bin/gunicorn|-w|4|shop:app", "/", "shop", "app" },
	{ "/usr/bin/python3.11", "gunicorn: master [shop:app]", "/", "shop", "app" },
	{ "/usr/bin/python3.11", "/usr/bin/python3|/usr/bin/gunicorn|-b|:80|app:app", "/", "gunicorn", "app" },
	{ "/usr/bin/python3.11", "/usr/bin/python3|/usr/bin/gunicorn|--name|storefront|-b|127.0.0.1:80|wsgi", "/", "storefront", "app" },
	{ "/usr/bin/python3.11", "/usr/bin/python3|/usr/bin/gunicorn|--config|python:shop.conf|-k|uvicorn.workers.UvicornWorker|blog.wsgi", "/", "blog", "app" },
	{ "/usr/bin/python3.11", "python3|-m|uvicorn|--host|0.0.0.0|shop.main:app|--port|80", "/", "shop", "app" },
	{ "/usr/bin/python3.11", "python3|/usr/local/bin/uvicorn|main:app", "/", "uvicorn", "app" },
	{ "/usr/bin/python3.11", "python3|/usr/bin/celery|-A|shop.celery|worker|-c|4", "/", "celery-shop", "app" },
	{ "/usr/bin/python3.11", "python3|-m|celery|--app=shop|beat", "/", "celery-shop", "app" },
	{ "/usr/bin/python3.11", "python3|-m|flask|--app|shop|run", "/", "shop", "app" },
	{ "/usr/bin/python3.11", "python3|/srv/shop/__main__.py", "/", "shop", "app" },
	{ "/usr/bin/python3.11", "python3|.", "/", "workdir", "app" },
	{ "/usr/bin/node", "node|--x|api.js", "/", "api.js", "app" },
	{ "/usr/bin/node", "node|--require|./trace.js|/srv/api.js", "/", "api.js", "app" },
	{ "/usr/bin/node", "node|/srv/shop/", "/", "shop", "app" },
	{ "/usr/bin/node", "node|.", "/", "workdir", "app" },
	{ "/usr/bin/node", "node /srv/checkout.js", "/", "checkout.js", "app" },
	{ "/usr/bin/node", "npm start", "/", "npm", "app" },
	{ "/usr/bin/node", "node|/usr/bin/yarn|start", "/", "yarn", "app" },
	{ "/usr/bin/deno", "deno|run|--allow-net|server.ts", "/", "server.ts", "app" },
	{ "/usr/bin/bun", "bun|run|index.ts", "/", "index.ts", "app" },
	{ "/usr/bin/node", "node|-e|setInterval(()=>{},1)", "/", "node", "app" },
	{ "/usr/bin/ruby3.1", "ruby|-I|lib|bin/worker.rb", "/", "worker.rb", "app" },
	{ "/usr/bin/perl", "perl|-w|/opt/report.pl", "/", "report.pl", "app" },
	{ "/usr/bin/php8.2", "php|-d|memory_limit=1G|artisan|queue:work", "/", "artisan", "app" },
	{ "/usr/bin/ruby3.1", "puma 5.6.5 (tcp://0.0.0.0:9292) [shop]", "/", "puma", "app" },
	{ "/usr/bin/ruby3.1", "sidekiq 6.5.1 shop [0 of 10 busy]", "/", "sidekiq", "app" },
	{ "/usr/bin/perl", "starman master --workers 5", "/", "starman", "app" },
	{ "/usr/sbin/php-fpm8.2", "php-fpm: pool www", "/", "php-fpm", "app" },
	{ "/usr/sbin/php-fpm8.2", "php-fpm: pool basket", "/", "php-fpm:basket", "app" },
	{ "/usr/sbin/php-fpm8.2", "php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", "/system.slice/php8.2-fpm.service", "php-fpm", "app" },
	{ "/usr/bin/uwsgi-core", "uwsgi|--ini|/etc/uwsgi/apps-enabled/shop.ini", "/", "shop", "app" },
	{ "/usr/bin/uwsgi-core", "uwsgi|--module=shop.wsgi:application|--master", "/", "shop", "app" },
	{ "/usr/bin/uwsgi-core", "uwsgi|--wsgi-file|/srv/catalog.py", "/", "catalog.py", "app" },
	{ "/usr/bin/uwsgi-core", "uWSGI master", "/", "uwsgi", "app" },
	{ "/usr/bin/dotnet", "dotnet|exec|/srv/Shop.Api.dll|--urls|x", "/", "Shop.Api.dll", "app" },
	{ "/usr/bin/dotnet", "dotnet|build", "/", "dotnet", "app" },
	{ "/usr/bin/mono-sgen", "mono|/srv/shop.exe", "/", "shop.exe", "app" },
	{ "/srv/shop/erts-13.1/bin/beam.smp", "beam.smp|--|-root|/srv/shop|-sname|shop@web1|-boot|start", "/", "shop", "app" },
	{ "/usr/lib/jvm/17/bin/java", "java|Shop.java|8080", "/", "Shop.java", "app" },
	{ "/usr/lib/jvm/17/bin/java", "java|-Dspring.application.name=cart|org.springframework.boot.loader.JarLauncher", "/", "cart", "app" },
	{ "/usr/lib/jvm/17/bin/java", "java|org.springframework.boot.loader.JarLauncher", "/", "JarLauncher", "app" },
	{ "/usr/lib/jvm/17/bin/java", "java|@args", "/", "jvm", "app" },
	{ "/bin/bash", "bash|backup.sh", "/", "backup.sh", "app" },
	{ "/bin/bash", "bash|-o|pipefail|-eu|/opt/backup.sh|x", "/", "backup.sh", "app" },
	{ "/bin/bash", "-bash", "/", "bash", "app" },
	{ "/bin/bash", "bash|/dev/fd/63", "/", "bash", "app" },
	{ "/bin/dash", "sh|-c|sleep 5", "/", "sh", "app" },
	{ "/bin/dash", "sh|-ec|sleep 5", "/", "sh", "app" },
	{ "/srv/bin/orders", "./orders|-listen|:8080", "/", "orders", "app" },
	{ "/srv/bin/orders (deleted)", "./orders", "/", "orders", "app" },
	{ "/bin/busybox", "httpd|-p|80", "/", "apache", "proxy" },
	{ "/bin/busybox", "crond", "/", "crond", "app" },
	{ "/bin/busybox", "busybox|crond|-f", "/", "crond", "app" },
	{ "/bin/busybox", "sh|/opt/loop.sh", "/", "loop.sh", "app" },
	{ "/usr/bin/rootle", "pricing", "/", "pricing", "app" },
	{ "/usr/bin/rootle", "rootle|record", "/", "rootle", "app" },
	{ "/srv/bin/orders", "orders", "/docker/" ID, "3f2a9c0d1e4b", "app" },
	{ "/usr/sbin/nginx", "nginx", "/system.slice/docker-" ID ".scope", "3f2a9c0d1e4b", "proxy" },
	{ "/usr/sbin/nginx", "nginx", "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope", "3f2a9c0d1e4b", "proxy" },
	{ "/srv/x", "x", "/kubepods/burstable/pod9/" ID, "3f2a9c0d1e4b", "app" },
	{ "/srv/x", "x", "/machine.slice/libpod-" ID ".scope/container", "3f2a9c0d1e4b", "app" },
	{ "/usr/bin/conmon", "conmon", "/machine.slice/libpod-conmon-" ID ".scope", "conmon", "app" },
	{ "/srv/x", "x", "/lxc/web1/init.scope", "web1", "app" },
	{ "/srv/x", "x", "/lxc.payload.web2/system.slice/a.service", "web2", "app" },
	{ "/srv/bin/orders", "orders", "/system.slice/orders-api.service", "orders-api", "app" },
	{ "/usr/lib/postgresql/15/bin/postgres", "postgres", "/system.slice/system-postgresql.slice/postgresql@15-main.service", "postgres", "db" },
	{ "/usr/lib/postgresql/15/bin/postgres", "postgres", "/system.slice/shop-db.service", "shop-db", "db" },
	{ "/bin/bash", "bash|backup.sh", "/user.slice/user-1000.slice/session-3.scope", "backup.sh", "app" },
	{ "/srv/x", "x", "/user.slice/user-1000.slice/user@1000.service/app.slice/y.service", "y", "app" },
	{ "/srv/x", "x", "/system.slice/run-r12ab.scope", "x", "app" },
	{ "/srv/x", "x", "/system.slice/run-u7.service", "x", "app" },
	{ "/srv/x", "x", "/system.slice/run-tests.service", "run-tests", "app" },
	{ "/srv/x", "x", "/system.slice/run-p12-i3.scope", "x", "app" },
	{ "/srv/x", "x", "/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-x-12.scope", "x", "app" },
	{ "/srv/x", "x", "/user.slice/user-1000.slice/user@1000.service/app.slice/shop.scope", "shop", "app" },
	{ "/srv/x", "x", "/system.slice/system-mail.slice/mail@3.service", "mail", "app" },
	{ "/srv/x", "x", "/system.slice/gunicorn@shop.service", "gunicorn@shop", "app" },
	{ "/bin/bash", "bash|/opt/backup.sh", "/system.slice/cron.service", "backup.sh", "app" },
	{ "/srv/x", "x", "/system.slice/pm2-root.service", "x", "app" },
	{ "/srv/x", "x", "/machine.slice/machine-web3.scope/payload", "web3", "app" },
	{ "/srv/x", "x", "/machine.slice/systemd-nspawn@web4.service/payload/system.slice/a.service", "web4", "app" },
	{ "/usr/bin/qemu-system-x86_64", "qemu", "/machine.slice/machine-qemu\\x2d3\\x2dvm7.scope/libvirt/emulator", "vm7", "app" },
	{ "/srv/x", "x", "/system.slice/a\\x2db.service", "a-b", "app" },
	{ "/srv/x", "x", "/process_api/77baa72bddc4503db9d4a0871fe7bc04", "x", "app" },
	{ "", "", "/", "comm", "app" },
	{ "", "/opt/tool|x", "/", "tool", "app" },
};

static size_t arguments(const char *text, char *buf)
{
	size_t n = strlen(text);

	memcpy(buf, text, n + 1);
	for (size_t i = 0; i < n; i++)
		if (buf[i] == '|')
			buf[i] = '\0';
	return n ? n + 1 : 0;
}

Test(ident_name, table)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct name_case *c = &cases[i];
		char argv[512], name[64];
		const char *kind, *why;
		struct ident_facts f = { .comm = "comm", .exe = c->exe, .argv = argv, .alen = arguments(c->argv, argv), .cgroup = c->cgroup, .cwd = "/srv/workdir" };
		ident_name(&f, name, sizeof(name), &kind, &why);
		cr_expect_str_eq(name, c->name, "%s [%s] in %s: %s, not %s", c->exe, c->argv, c->cgroup, name, c->name);
		cr_expect_str_eq(kind, c->kind, "%s [%s]: kind %s, not %s", c->exe, c->argv, kind, c->kind);
		cr_expect(why && *why, "%s: no reason", c->argv);
	}
}

/* Any bytes give a name, never an empty one, and nothing that a terminal obeys. */
Test(ident_name, hostile_arguments)
{
	static const char *const exes[] = { "/usr/bin/python3", "/usr/bin/java", "/bin/busybox", "/bin/sh", "", "/x/\x1b[31m" };
	unsigned seed = 7;

	for (int round = 0; round < 20000; round++) {
		char argv[41] = { 0 }, name[64];
		const char *kind, *why;
		size_t n = seed % 41;
		for (size_t i = 0; i < n; i++) {
			seed = seed * 1103515245 + 12345;
			argv[i] = "-mcj/.: \0\0\x1b" "ar@"[(seed >> 16) % 15];
		}
		argv[n < 40 ? n : 40] = '\0';
		struct ident_facts f = { .comm = "c", .exe = exes[round % 6], .argv = argv, .alen = n, .cgroup = "/" };
		ident_name(&f, name, sizeof(name), &kind, &why);
		cr_assert(name[0] && kind && why, "round %d: no name", round);
		cr_assert(!strpbrk(name, "\x1b\n"), "round %d: a control character in the name", round);
		cr_assert_str_neq(name, "java");
	}
}
