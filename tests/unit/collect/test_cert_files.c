/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes that name certificates: a shell under the name of a server, with its arguments. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../proto/certificates.h"
#include "base/text.h"
#include "collect/cert_files.h"

static char dir[] = "/tmp/rootle-certs-XXXXXX";
static pid_t child;

static const char *at(const char *name)
{
	static char path[4][256];
	static unsigned i;
	char *p = path[i++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(at(name), "w");

	cr_assert_not_null(f);
	fputs(text, f);
	fclose(f);
}

static void begin(void)
{
	char copy[512];

	cr_assert_not_null(mkdtemp(dir));
	put("names.pem", PEM_NAMES);
	put("only.pem", PEM_ONLY);
	put("wait.sh", "read x\n");
	snprintf(copy, sizeof(copy), "cp /bin/sh %s; cp /bin/sh %s", at("nginx"), at("server"));
	cr_assert_eq(system(copy), 0);
}

static void stop(void)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	child = 0;
}

static void end(void)
{
	char command[256];

	stop();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(cert_files, .init = begin, .fini = end);

/* Runs `program wait.sh ARGS…` with this environment, and waits until it is that. */
static void start(const char *program, char *const args[], const char *env)
{
	char *argv[8] = {(char *)program, (char *)"wait.sh"}, *envp[2] = {(char *)env, NULL}, path[64], cmdline[256];
	int pipes[2];

	for (int i = 0; args && args[i]; i++)
		argv[2 + i] = args[i];
	stop();
	cr_assert_eq(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		dup2(pipes[0], 0);
		if (chdir(dir) == 0)
			execve(at(program), argv, envp);
		_exit(1);
	}
	/* its arguments are there when exec is over */
	snprintf(path, sizeof(path), "/proc/%d/cmdline", child);
	for (int i = 0; i < 1000; i++) {
		if (file_read(AT_FDCWD, path, cmdline, sizeof(cmdline)) > 0 && !strcmp(cmdline, program))
			return;
		usleep(1000);
	}
	cr_assert_fail("%s did not start", program);
}

static int ask(const char *host, uint16_t port, struct certificate *ret)
{
	struct certificate_question q = {.pid = (uint32_t)child, .port = port, .ip = {[10] = 0xff, 0xff, 127, 0, 0, 1}};

	strncpy(q.host, host, sizeof(q.host) - 1);
	return cert_files_find("/proc", &q, ret);
}

static void expect(const char *host, uint16_t port, const char *file)
{
	struct certificate c = {0};
	int known = ask(host, port, &c);

	cr_assert_eq(known, file != NULL, "%s:%u: %d %s", host, port, known, c.path);
	if (!file)
		return;
	cr_assert_str_eq(c.path, at(file));
	cr_assert_eq(c.newer, false);
	cr_assert_gt(c.not_after_s, 2400000000);
}

Test(cert_files, options)
{
	start("server", (char *[]){(char *)"--cert", (char *)"only.pem", (char *)"--ca=names.pem", NULL}, NULL);
	expect("only.test", 443, "only.pem");
	expect("other.test", 443, "only.pem");
	start("server", (char *[]){(char *)"--tls-cert-file=only.pem", (char *)"--cert", (char *)"names.pem", NULL}, NULL);
	expect("only.test", 443, "only.pem");
	expect("www.shop.test", 443, "names.pem");
	expect("", 443, "names.pem");
	expect("other.test", 443, NULL);
}

Test(cert_files, what_cannot_be_read_is_not_replaced_by_another)
{
	start("server", (char *[]){(char *)"--cert", (char *)"missing.pem", (char *)"names.pem", NULL}, "X=/only.pem");
	expect("shop.test", 443, NULL);
	expect("only.test", 443, NULL);
	put("garbage.pem", "-----BEGIN CERTIFICATE-----\n!!\n");
	start("server", (char *[]){(char *)"--cert", (char *)"garbage.pem", (char *)"--cert", (char *)"names.pem", NULL}, NULL);
	expect("other.test", 443, NULL);
	expect("shop.test", 443, "names.pem");
}

Test(cert_files, words_are_believed_by_name_alone)
{
	char env[128];

	snprintf(env, sizeof(env), "CERT=%s", at("only.pem"));
	start("server", (char *[]){(char *)"names.pem", NULL}, env);
	expect("shop.test", 443, "names.pem");
	expect("only.test", 443, "only.pem");
	expect("other.test", 443, NULL);
	put("server.yaml", "tls:\n  file: \"names.pem\"\n");
	start("server", (char *[]){(char *)"--config=server.yaml", NULL}, NULL);
	expect("shop.test", 443, "names.pem");
	expect("only.test", 443, NULL);
}

Test(cert_files, configurations)
{
	char conf[1024];

	cr_assert_eq(mkdir(at("sites"), 0700), 0);
	put("nginx.conf", "http { include sites/*.conf; server { listen 8443; ssl_certificate only.pem; } }");
	snprintf(conf, sizeof(conf), "server { listen 443; ssl_certificate %s; }", at("names.pem"));
	put("sites/a.conf", conf);
	start("nginx", (char *[]){(char *)"-c", (char *)"nginx.conf", NULL}, NULL);
	expect("other.test", 443, "names.pem");
	expect("shop.test", 8443, "only.pem");
	expect("shop.test", 9443, NULL);
	put("sites/b.conf", "server { listen 443; ssl_certificate $x.pem; }");
	expect("shop.test", 443, "names.pem");
	expect("other.test", 443, NULL);
	/* includes itself */
	put("sites/b.conf", "include sites/*.conf;");
	expect("other.test", 443, NULL);
}

Test(cert_files, another_process)
{
	struct certificate_question q = {.pid = (uint32_t)getpid(), .start_ticks = 1};
	struct certificate c;

	cr_assert_eq(cert_files_find("/proc", &q, &c), -ESRCH);
	cr_assert_eq(cert_files_find("/nowhere", &q, &c), -ESRCH);
}

Test(cert_files, a_file_that_is_newer_than_the_process)
{
	struct certificate c;

	start("server", (char *[]){(char *)"--cert", (char *)"only.pem", NULL}, NULL);
	sleep(2);
	put("only.pem", PEM_ONLY);
	cr_assert_eq(ask("only.test", 443, &c), 1);
	cr_assert_eq(c.newer, true);
}
