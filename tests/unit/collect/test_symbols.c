/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of real processes by name; the tables by hand. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collect/profile_clock.h"
#include "collect/symbols.h"
#include "collect/symbols_jit.h"
#include "collect/symbols_kernel.h"
#include "collect/symbols_module.h"

#define MANY 64

struct target { pid_t pid; int in; unsigned long long inner, hidden, outer, jit; };

/* Starts the program at path and takes in what it says. */
static struct target target_start(const char *path)
{
	struct target t = {0};
	int in[2], out[2];
	char line[256];
	ssize_t n;

	cr_assert_eq(pipe2(in, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(out, O_CLOEXEC), 0);
	t.pid = fork();
	if (t.pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	t.in = in[1];
	n = read(out[0], line, sizeof(line) - 1);
	close(out[0]);
	cr_assert_gt(n, 0, "%s says nothing", path);
	line[n] = '\0';
	cr_assert_eq(sscanf(line, "%llx %llx %llx %llx", &t.inner, &t.hidden, &t.outer, &t.jit), 4, "%s", line);
	return t;
}

static void target_stop(struct target *t)
{
	close(t->in);
	waitpid(t->pid, NULL, 0);
}

struct sample { struct ev_stack e; uint64_t ip[MANY]; };

/* A sample of user addresses, the innermost first. */
static struct ev_stack *sample(struct sample *s, pid_t pid, uint16_t n, const uint64_t *ip)
{
	struct ev_stack *e = (struct ev_stack *)s;

	*e = (struct ev_stack){.h = {.type = EV_STACK, .size = (uint32_t)(sizeof(*e) + 8u * n)}, .tgid = (uint32_t)pid,
			       .tid = (uint32_t)pid, .user = n};
	memcpy((char *)s + sizeof(*e), ip, 8u * n);
	return e;
}

static char text[STACK_TEXT_MAX];

static const char *folded(struct symbols *s, struct ev_stack *e)
{
	cr_assert_eq(symbols_fold(s, e, text), strlen(text));
	return text;
}

/* Inside of the functions; the outer ones by an address behind a call. */
static const char *folded_of(struct symbols *s, const struct target *t)
{
	const uint64_t ip[] = {t->inner + 3, t->hidden + 6, t->outer + 6};
	struct sample room;

	return folded(s, sample(&room, t->pid, 3, ip));
}

static void named_in(const char *path)
{
	struct target t = target_start(path);
	struct symbols *s = symbols_new("/proc");

	cr_assert_str_eq(folded_of(s, &t), "known_outer;known_hidden;known_inner");
	symbols_free(s);
	target_stop(&t);
}

Test(symbols, position_independent)
{
	named_in(SYMBOLS_PIE);
}

Test(symbols, fixed_position)
{
	named_in(SYMBOLS_FIXED);
}

/* The dynamic table has what is exported; of the rest the unwind table tells the beginning. */
Test(symbols, stripped)
{
	struct target t = target_start(SYMBOLS_STRIPPED);
	struct symbols *s = symbols_new("/proc");
	struct mappings maps = {0};
	struct elf_symbols elf;
	uint64_t addr = 0;
	char want[128];
	int fd = open(SYMBOLS_STRIPPED, O_RDONLY | O_CLOEXEC);

	cr_assert_eq(mappings_read(&maps, "/proc", (uint32_t)t.pid, 0), 0);
	cr_assert_eq(elf_symbols_read(&elf, fd, NULL, 100000), 0);
	cr_assert(elf_symbols_addr(&elf, t.hidden - mapping_find(&maps, t.hidden)->start + mapping_find(&maps, t.hidden)->offset, &addr));
	cr_assert_eq(elf_symbols_start(&elf, addr + 6), addr, "the unwind table has other beginnings");
	snprintf(want, sizeof(want), "known_outer;[symbols_stripped+0x%llx];known_inner", (unsigned long long)addr);
	cr_assert_str_eq(folded_of(s, &t), want);
	elf_symbols_done(&elf);
	mappings_done(&maps);
	close(fd);
	symbols_free(s);
	target_stop(&t);
}

static void file_copy(const char *from, const char *to)
{
	char buf[65536];
	ssize_t n;
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	cr_assert(in >= 0 && out >= 0);
	while ((n = read(in, buf, sizeof(buf))) > 0)
		cr_assert_eq(write(out, buf, (size_t)n), n);
	close(in);
	close(out);
}

Test(symbols, deleted_file)
{
	char path[64] = "/tmp/rootle-symbols-XXXXXX";
	struct symbols *s = symbols_new("/proc");
	struct target t;

	if (geteuid())
		cr_skip_test("map_files needs root");
	close(mkstemp(path));
	unlink(path);
	file_copy(SYMBOLS_PIE, path);
	t = target_start(path);
	unlink(path);
	cr_assert_str_eq(folded_of(s, &t), "known_outer;known_hidden;known_inner");
	symbols_free(s);
	target_stop(&t);
}

Test(symbols, another_image_is_not_guessed_at)
{
	struct target t = target_start(SYMBOLS_FIXED);
	struct symbols *s = symbols_new("/proc");
	struct symbols_counters c;
	struct sample room;
	struct ev_stack *e = sample(&room, t.pid, 1, &(uint64_t){t.inner + 3});

	e->image = 4711;
	cr_assert_str_eq(folded(s, e), "[unknown]");
	symbols_counters(s, &c);
	cr_assert_eq(c.gone, 1);
	symbols_free(s);
	target_stop(&t);
}

Test(symbols, a_process_that_ended_is_counted)
{
	struct target t = target_start(SYMBOLS_PIE);
	struct symbols *s = symbols_new("/proc");
	struct symbols_counters c;

	target_stop(&t);
	cr_assert_str_eq(folded_of(s, &t), "[unknown]");
	symbols_counters(s, &c);
	cr_assert_eq(c.gone, 1);
	symbols_free(s);
}

/* Mappings that are known are enough, also when it has ended since. */
Test(symbols, known_before_the_end)
{
	struct target t = target_start(SYMBOLS_PIE);
	struct symbols *s = symbols_new("/proc");

	folded_of(s, &t);
	target_stop(&t);
	cr_assert_str_eq(folded_of(s, &t), "known_outer;known_hidden;known_inner");
	symbols_free(s);
}

Test(symbols, an_address_in_no_code_ends_the_stack)
{
	struct target t = target_start(SYMBOLS_PIE);
	struct symbols *s = symbols_new("/proc");
	const uint64_t ip[] = {t.inner + 3, 0x1234, t.outer + 6};
	struct sample room;

	cr_assert_str_eq(folded(s, sample(&room, t.pid, 3, ip)), "[unknown];known_inner");
	symbols_free(s);
	target_stop(&t);
}

Test(symbols, functions_that_a_runtime_compiles)
{
	struct target t = target_start(SYMBOLS_PIE);
	struct symbols *s = symbols_new("/proc");
	char path[64];
	struct sample room;
	FILE *f;

	cr_assert_str_eq(folded(s, sample(&room, t.pid, 1, &(uint64_t){t.jit + 16})), "[anon]");
	symbols_free(s);
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", t.pid);
	f = fopen(path, "we");
	cr_assert(f);
	fprintf(f, "%llx 40 LazyCompile:~hot /srv/a;b.js:3\nnonsense\n%llx 20 later\n", t.jit, t.jit + 0x20);
	fclose(f);
	s = symbols_new("/proc");
	cr_assert_str_eq(folded(s, sample(&room, t.pid, 1, &(uint64_t){t.jit + 16})), "LazyCompile:~hot /srv/a:b.js:3");
	cr_assert_str_eq(folded(s, sample(&room, t.pid, 1, &(uint64_t){t.jit + 0x28})), "later", "memory that was used again");
	symbols_free(s);
	if (chown(path, 12345, 12345) == 0) {
		s = symbols_new("/proc");
		cr_assert_str_eq(folded(s, sample(&room, t.pid, 1, &(uint64_t){t.jit + 16})), "[anon]", "somebody else's file");
	} else {
		s = NULL;
	}
	unlink(path);
	symbols_free(s);
	target_stop(&t);
}

Test(symbols, the_vdso_is_known)
{
	struct modules *m = calloc(1, sizeof(*m));
	struct module *v;
	char name[64];
	bool found = false;

	modules_init(m);
	v = module_vdso(m);
	cr_assert(v);
	for (size_t i = 0; i < v->elf.names.symbols.n; i++)
		found |= symbol_name(&v->elf.names, &v->elf.names.symbols.v[i], name, sizeof(name)) > 0 && strstr(name, "clock_gettime");
	cr_assert(found);
	modules_done(m);
	free(m);
}

/* More files than are kept: the oldest are forgotten, and read again where they are asked for. */
Test(symbols, modules_are_bounded)
{
	struct modules *m = calloc(1, sizeof(*m));
	struct mappings maps = {0};
	char dir[] = "/tmp/rootle-modules-XXXXXX", path[128];
	size_t seen = 0;

	if (geteuid())
		cr_skip_test("map_files needs root");
	cr_assert(mkdtemp(dir));
	modules_init(m);
	for (int i = 0; i < MODULES_MAX + 20; i++) {
		snprintf(path, sizeof(path), "%s/module-%d", dir, i);
		file_copy(SYMBOLS_PIE, path);
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		cr_assert(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED);
		close(fd);
		unlink(path);
	}
	rmdir(dir);
	cr_assert_eq(mappings_read(&maps, "/proc", (uint32_t)getpid(), 0), 0);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < maps.list.n; i++)
			if (!strncmp(maps.list.v[i].name, "module-", 7))
				seen += module_of(m, "/proc", (uint32_t)getpid(), &maps.list.v[i]) != NULL;
	cr_assert_eq(seen, 2 * (MODULES_MAX + 20));
	cr_assert_geq(m->evicted, 20);
	mappings_done(&maps);
	modules_done(m);
	free(m);
}

Test(symbols, tables_have_a_bound)
{
	struct elf_symbols elf;
	int fd = open(SYMBOLS_PIE, O_RDONLY | O_CLOEXEC);

	cr_assert_eq(elf_symbols_read(&elf, fd, NULL, 3), 0);
	cr_assert(elf.too_large);
	cr_assert_eq(elf.names.symbols.n, 0);
	elf_symbols_done(&elf);
	close(fd);
}

Test(symbols, no_elf_file)
{
	struct elf_symbols elf;
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	cr_assert_eq(elf_symbols_read(&elf, fd, NULL, 100), -ENOEXEC);
	elf_symbols_done(&elf);
	close(fd);
}

static const char kallsyms[] =
	"ffffffff81000000 T _stext\nffffffff81001000 t do_a\nffffffff81001000 T __do_a\nffffffff81002000 D data\n"
	"ffffffff81003000 T do_b\nffffffff81103000 T far_away\nffffffffc0000000 t mod_fn\t[mod]\nffffffffc0000100 t mod_end\t[mod]\n";

static const char *kernel_name(const struct symbol_table *t, uint64_t addr)
{
	const struct symbol *s = symbol_find(t, addr);

	return s && symbol_name(t, s, text, sizeof(text)) > 0 ? text : NULL;
}

Test(symbols, kernel)
{
	char path[] = "/tmp/rootle-kallsyms-XXXXXX";
	struct symbol_table t;
	int fd = mkstemp(path);

	cr_assert_eq(write(fd, kallsyms, sizeof(kallsyms) - 1), (ssize_t)sizeof(kallsyms) - 1);
	close(fd);
	cr_assert_eq(symbols_kernel_read(&t, path), 0);
	cr_assert_str_eq(kernel_name(&t, 0xffffffff81001004), "do_a", "of two names the plain one");
	cr_assert_str_eq(kernel_name(&t, 0xffffffff81002fff), "do_a", "data is no function, and not its end");
	cr_assert_str_eq(kernel_name(&t, 0xffffffffc0000010), "mod_fn");
	cr_assert_null(kernel_name(&t, 0xffffffff81003010), "the next symbol is too far away");
	cr_assert_null(kernel_name(&t, 0xffffffff80000000));
	cr_assert_null(kernel_name(&t, 0xffffffffc0000200), "nothing is known behind the last");
	symbol_table_done(&t);
	unlink(path);
}

Test(symbols, kernel_addresses_hidden)
{
	static const char hidden[] = "0000000000000000 T _stext\n0000000000000000 t do_a\n";
	char path[] = "/tmp/rootle-kallsyms-XXXXXX";
	struct symbol_table t;
	int fd = mkstemp(path);

	cr_assert_eq(write(fd, hidden, sizeof(hidden) - 1), (ssize_t)sizeof(hidden) - 1);
	close(fd);
	cr_assert_eq(symbols_kernel_read(&t, path), -EACCES);
	symbol_table_done(&t);
	unlink(path);
}

Test(symbols, maps_text)
{
	struct mappings m = {0};

	cr_assert_eq(mappings_parse(&m, "1000-2000 r--p 00000000 08:01 77  /usr/bin/x\n2000-3000 r-xp 00001000 08:01 77  /usr/bin/x y (deleted)\n"
				    "7000-8000 r-xp 00000000 00:00 0 \n9000-a000 r-xp 00000000 00:00 0      [vdso]\nb000-c000 r-xp 0000"), 0);
	cr_assert_eq(m.list.n, 3);
	cr_assert_str_eq(m.list.v[0].name, "x y");
	cr_assert_eq(m.list.v[0].offset, 0x1000);
	cr_assert_str_eq(m.list.v[1].name, "");
	cr_assert_str_eq(m.list.v[2].name, "[vdso]");
	cr_assert_null(mapping_find(&m, 0x1800));
	cr_assert_eq(mapping_find(&m, 0x2fff), &m.list.v[0]);
	cr_assert_null(mapping_find(&m, 0x3000));
	mappings_done(&m);
}

/* 2 MB, as of a process of some 25,000 mappings: no slower a line than with few. */
Test(symbols, maps_text_of_many_lines)
{
	static const char line[] = "7f0123456000-7f0123457000 r-xp 00001000 08:01 77                         /usr/lib/x.so\n";
	size_t n = 50000, len = sizeof(line) - 1;
	char *maps = malloc(n * len + 1);
	struct timespec a, b;
	struct mappings m = {0};
	double s;

	for (size_t i = 0; i < n; i++)
		memcpy(maps + i * len, line, len + 1);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	cr_assert_eq(mappings_parse(&m, maps), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	s = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	cr_log_info("50,000 lines in %.4f s", s);
	cr_assert_lt(s, 0.5, "%.3f s", s);
	cr_assert_eq(m.list.n, MAPPINGS_MAX);
	cr_assert_str_eq(m.list.v[0].name, "x.so");
	mappings_done(&m);
	free(maps);
}

Test(symbols, maps_text_that_is_none)
{
	static const char *const lines[] = {"", "-", "1000", "1000-", "1000-2000", "1000-2000 r-x", "1000-2000 r-xp ", "1000-2000 r-xp 0",
					    "1000-2000 r-xp 0 08:01", "1000-2000 r-xp 0 08:01 ", "x-y r-xp 0 0:0 0", "1000-2000 r-xpp 0 08:01 7",
					    "1000-2000  r-xp 0 08:01 7", "1000-2000 r-x\n00000000 08:01 7 /x"};
	struct mappings m = {0};
	char maps[128];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(maps, sizeof(maps), "%s\n", lines[i]);
		cr_assert_eq(mappings_parse(&m, maps), 0);
		cr_assert_eq(m.list.n, 0, "%s", lines[i]);
	}
	mappings_done(&m);
}

Test(symbols, cpu_lists)
{
	const char *p = "0-3,8,10-11\n";
	uint32_t a, b, n = 0, last = 0;

	for (; cpu_range_next(&p, &a, &b); n++)
		last = b;
	cr_assert_eq(n, 3);
	cr_assert_eq(last, 11);
	p = "4-2";
	cr_assert_not(cpu_range_next(&p, &a, &b));
	p = "0-99999999";
	cr_assert_not(cpu_range_next(&p, &a, &b), "not a billion files");
}
