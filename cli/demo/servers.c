/* SPDX-License-Identifier: BSD-2-Clause */
/* The servers of the demo's system, one after the other: what each is given and when it is up. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pg.h"
#include "system.h"

/* A copy of this binary under another name and, with release > 1, with other bytes at its end. */
static int copy_self(const struct system *s, const char *name, int release, char *path, size_t cap)
{
	int in = open(s->self, O_RDONLY | O_CLOEXEC), out, err = 0;
	struct stat st;
	off_t at = 0;

	snprintf(path, cap, "%s/%s", s->dir, name);
	unlink(path);                  /* a running one keeps its file, under no name */
	out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (in < 0 || out < 0 || fstat(in, &st))
		err = -errno;
	while (!err && at < st.st_size)
		if (sendfile(out, in, &at, st.st_size - at) <= 0)
			err = -EIO;
	if (!err && release > 1 && dprintf(out, "release %d\n", release) < 0)
		err = -errno;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return err;
}

/* One of our own programs (role.h), from its copy. */
static int start_role(struct system *s, struct process *p, const char *name, int release, int out_fd, const char *a,
		      const char *b, const char *c)
{
	char file[64];
	int err = copy_self(s, name, release, file, sizeof(file));

	if (err)
		return err;
	return system_launch(s, p, (struct process_spec){.name = name, .file = file, .out_fd = out_fd,
		.argv = ARGV((char *)name, (char *)"demo-part", (char *)name, (char *)a, (char *)b, (char *)c)});
}

static const char *number(char *buf, int n)
{
	sprintf(buf, "%d", n);
	return buf;
}

int system_start_shop(struct system *s, int release)
{
	char port[12], database[12], version[12];
	int err;

	process_end(&s->shop);
	err = start_role(s, &s->shop, "shop", release, -1, number(port, s->shop_port), number(database, s->database_port),
			 number(version, release));
	return err ? err : system_await(&s->shop, s->shop_port, 5000);
}

int system_start_neighbour(struct system *s, int threads)
{
	char n[12];

	return start_role(s, &s->neighbour, "report-job", 1, -1, number(n, threads), NULL, NULL);
}

int system_start_stock_db(struct system *s)
{
	char port[12];
	int err = start_role(s, &s->database, "stock-db", 1, -1, number(port, s->database_port), NULL, NULL);

	return err ? err : system_await(&s->database, s->database_port, 5000);
}

int system_sql(struct system *s, const char *sql)
{
	return pg_run(s->database_port, "shop", sql);
}

/* The index is what the orders of a customer are found by; without it 200,000 rows are read. */
static int fill_database(struct system *s)
{
	static const char *const sql[] = {
		"CREATE TABLE orders (id int NOT NULL, customer int NOT NULL, total int NOT NULL, note text NOT NULL)",
		"INSERT INTO orders SELECT i, i % 20000, i * 37 % 10000, repeat('paid ', 30) FROM generate_series(1, 200000) i",
		"CREATE INDEX orders_customer_idx ON orders (customer)",
		"ANALYZE orders",
	};
	int err = -ETIMEDOUT;

	for (int i = 0; err && i < 200; i++, process_sleep(50))      /* it listens a moment before it lets anyone in */
		err = pg_run(s->database_port, "postgres", "CREATE DATABASE shop");
	for (size_t i = 0; !err && i < sizeof(sql) / sizeof(*sql); i++)
		err = system_sql(s, sql[i]);
	return err;
}

int system_start_postgres(struct system *s)
{
	const char *user = getpwnam("postgres") ? "postgres" : "nobody";
	struct passwd *p = getpwnam(user);
	char data[64], initdb[80], server[80], port[32], sockets[96], log[64];
	int err;

	snprintf(data, sizeof(data), "%s/pg", s->dir);
	snprintf(log, sizeof(log), "%s/initdb.log", s->dir);
	snprintf(initdb, sizeof(initdb), "%s/initdb", s->postgres_bin);
	snprintf(server, sizeof(server), "%s/postgres", s->postgres_bin);
	snprintf(port, sizeof(port), "port=%u", s->database_port);
	snprintf(sockets, sizeof(sockets), "unix_socket_directories=%s", data);
	if (!p || mkdir(data, 0700) || chown(data, p->pw_uid, p->pw_gid))
		return p ? -errno : -ENOENT;
	err = process_run(&(struct process_spec){.name = "initdb", .user = user, .dir = data, .out_fd = -1,
		.end_signal = SIGTERM, .log = "/dev/null",
		.argv = ARGV(initdb, (char *)"-D", data, (char *)"-U", (char *)"shop", (char *)"-A", (char *)"trust",
			     (char *)"--no-sync", (char *)"-E", (char *)"UTF8", (char *)"--locale=C")});
	if (err)
		return err < 0 ? err : -ECHILD;
	err = system_launch(s, &s->database, (struct process_spec){.name = "postgres", .user = user, .dir = data,
		.end_signal = SIGQUIT,         /* at once, and it takes its shared memory along */
		.argv = ARGV(server, (char *)"-D", data, (char *)"-c", port, (char *)"-c", sockets, (char *)"-c",
			     (char *)"listen_addresses=127.0.0.1", (char *)"-c", (char *)"logging_collector=off", (char *)"-c",
			     (char *)"max_parallel_workers_per_gather=0", (char *)"-c", (char *)"jit=off")});
	if (!err)
		err = system_await(&s->database, s->database_port, 15000);
	return err ? err : fill_database(s);
}

int system_start_nginx(struct system *s)
{
	char conf[64], log[64];
	FILE *f;
	int err;

	snprintf(conf, sizeof(conf), "%s/nginx.conf", s->dir);
	snprintf(log, sizeof(log), "%s/nginx-error.log", s->dir);
	f = fopen(conf, "we");
	if (!f)
		return -errno;
	fprintf(f, "daemon off; pid %s/nginx.pid; worker_processes 1;\nevents { worker_connections 512; }\n"
		"http {\n\taccess_log off;\n", s->dir);
	for (const char *const *t = (const char *const[]){"client_body", "proxy", "fastcgi", "uwsgi", "scgi", NULL}; *t; t++)
		fprintf(f, "\t%s_temp_path %s/nginx-%s;\n", *t, s->dir, *t);
	fprintf(f, "\tupstream shop { server 127.0.0.1:%u; keepalive 64; }\n"
		"\tserver {\n\t\tlisten 127.0.0.1:%u;\n\t\tlocation / {\n\t\t\tproxy_pass http://shop;\n"
		"\t\t\tproxy_http_version 1.1;\n\t\t\tproxy_set_header Connection \"\";\n\t\t\tproxy_read_timeout 4s;\n"
		"\t\t}\n\t}\n}\n", s->shop_port, s->edge_port);
	if (fclose(f))
		return -errno;
	err = system_launch(s, &s->edge, (struct process_spec){.name = "nginx",
		.argv = ARGV(s->nginx, (char *)"-p", s->dir, (char *)"-c", conf, (char *)"-e", log)});
	return err ? err : system_await(&s->edge, s->edge_port, 5000);
}

int system_start_clients(struct system *s)
{
	char port[12], rate[12];
	int p[2], err;

	if (pipe2(p, O_CLOEXEC))
		return -errno;
	err = start_role(s, &s->clients, "clients", 1, p[1], number(port, s->edge_port), number(rate, SYSTEM_RATE), NULL);
	close(p[1]);
	s->clients_fd = p[0];
	return err;
}
