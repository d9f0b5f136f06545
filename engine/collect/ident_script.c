/* SPDX-License-Identifier: BSD-2-Clause */
/* Interpreters: the name is the script's, or that of the application which the script hosts. To add one is a row. */
#include "collect/ident_rule.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct interpreter {
	const char *program;      /* a version may follow: python3.11, php8.2 */
	const char *takes;        /* options whose value is the next argument, blank-separated */
	const char *code;         /* options after which there is no script */
	const char *module;       /* option whose value is the name */
	const char *verb;         /* a word before the script: "run" */
	const char *why;
};

static const struct interpreter interpreters[] = {
	{ "python", "-W -X --check-hash-based-pycs", "-c", "-m", NULL, "script of python" },
	{ "pypy", "-W -X", "-c", "-m", NULL, "script of pypy" },
	{ "node", "-r --require --import --loader -C --conditions", "-e --eval -p --print -i", NULL, NULL, "script of node" },
	{ "nodejs", "-r --require --import --loader", "-e --eval -p --print -i", NULL, NULL, "script of node" },
	{ "deno", "-c --config --import-map", NULL, NULL, "run", "script of deno" },
	{ "bun", "-r --preload", "-e --eval", NULL, "run", "script of bun" },
	{ "ruby", "-I -r -C -E", "-e", NULL, NULL, "script of ruby" },
	{ "perl", "-I", "-e -E", NULL, NULL, "script of perl" },
	{ "php", "-d -c -t -z", "-r -B -S", "-f", NULL, "script of php" },
	{ "lua", "-l", "-e", NULL, NULL, "script of lua" },
	{ "luajit", "-l", "-e", NULL, NULL, "script of lua" },
	{ "guile", "-L -C -l", "-c", NULL, NULL, "script of guile" },
	{ "mono", NULL, NULL, NULL, NULL, "assembly of mono" },
	{ "mono-sgen", NULL, NULL, NULL, NULL, "assembly of mono" },
	{ "Rscript", NULL, "-e", NULL, NULL, "script of R" },
	{ "tclsh", NULL, NULL, NULL, NULL, "script of tcl" },
	{ "bash", "-o +o -O +O --rcfile --init-file", "-c -s", NULL, NULL, "script of bash" },
	{ "dash", "-o +o", "-c -s", NULL, NULL, "script of sh" },
	{ "ash", "-o +o", "-c -s", NULL, NULL, "script of sh" },
	{ "zsh", "-o +o", "-c -s", NULL, NULL, "script of zsh" },
	{ "ksh", "-o +o", "-c -s", NULL, NULL, "script of ksh" },
	{ "fish", "-C --init-command", "-c --command", NULL, NULL, "script of fish" },
	{ "sh", "-o +o", "-c -s", NULL, NULL, "script of sh" },
};

static const struct interpreter *interpreter_find(const char *program)
{
	for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++)
		if (is_version_of(program, interpreters[i].program))
			return &interpreters[i];
	return NULL;
}

/* "-c" as it stands, or among the letters of "-xec"; long options only whole. */
static bool means_code(const struct interpreter *in, const char *a)
{
	if (!in->code)
		return false;
	if (in_words(in->code, a))
		return true;
	bool shell = in_words(in->code, "-c") && in_words(in->code, "-s");
	return shell && a[0] == '-' && a[1] != '-' && strchr(a, 'c');
}

/* A script that came through a descriptor ("bash /dev/fd/63") has no name of its own. */
static bool is_descriptor(const char *script)
{
	return text_starts(script, "/dev/fd/") || text_starts(script, "/proc/self/fd/") || !strcmp(script, "/dev/stdin");
}

/* The script (or the module's name) among the arguments; NULL where there is none. */
static const char *script_find(const struct ident_facts *f, const struct interpreter *in)
{
	const char *a = arg_skip(f, 1);

	for (; a; a = arg_next(f, a)) {
		if (in->module && !strcmp(a, in->module))
			return arg_next(f, a);
		if (in->module && strlen(in->module) == 2 && !strncmp(a, in->module, 2) && a[2])
			return a + 2;
		if (!strcmp(a, "--"))
			return arg_next(f, a);
		if (means_code(in, a) || !strcmp(a, "-"))
			return NULL;
		if (in_words(in->takes, a)) {
			a = arg_next(f, a);
			if (!a)
				return NULL;
		} else if (a[0] && a[0] != '-' && a[0] != '+' && !(in->verb && !strcmp(a, in->verb))) {
			return a;
		}
	}
	return NULL;
}

/* A file that every application has one of is called as the folder that it is in; "." is the folder that it runs in. */
static void script_name(const struct ident_facts *f, const char *script, char name[NAME_CAP])
{
	static const char *const nameless[] = { "__main__.py", ".", "./", "..", "", NULL };
	char path[512];

	snprintf(path, sizeof(path), "%s", script);
	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	snprintf(name, NAME_CAP, "%s", text_basename(path));
	if (!one_of(nameless, name))
		return;
	char *slash = strrchr(path, '/');
	if (slash && slash > path) {
		*slash = '\0';
		snprintf(name, NAME_CAP, "%s", text_basename(path));
	} else {
		snprintf(name, NAME_CAP, "%s", f->cwd ? text_basename(f->cwd) : "");
	}
}

static bool script_take(const struct ident_facts *f, const struct interpreter *in, const char *script, struct ident_verdict *v)
{
	char name[NAME_CAP];

	if (!script || !*script || is_descriptor(script))
		return false;
	if (app_name(f, text_basename(script), name)) {
		verdict_name(v, name, "application that the script hosts");
		return true;
	}
	script_name(f, script, name);
	if (!name[0] || one_of((const char *const[]){ ".", "..", "/", NULL }, name))
		return false;
	verdict_name(v, name, in->why);
	v->script = in->module && !strchr(script, '/') && !strchr(script, '.') ? NULL : script;
	return true;
}

/* A program that has put its command line into one argument: "node /srv/api.js" (PM2). */
static bool title_take(const struct ident_facts *f, const struct interpreter *in, struct ident_verdict *v)
{
	const char *title = arg_next(f, NULL), *rest = arg_skip(f, 1);
	char argv[512];
	struct ident_facts split = *f;

	if (!title || (rest && *rest) || !strchr(title, ' '))
		return false;
	snprintf(argv, sizeof(argv), "%s", title);
	split.argv = argv;
	split.alen = strlen(argv) + 1;
	for (char *p = argv; *p; p++)
		if (*p == ' ')
			*p = '\0';
	if (!is_version_of(text_basename(argv), in->program) || !script_take(&split, in, script_find(&split, in), v))
		return false;
	v->script = NULL;                /* it was in our copy */
	return true;
}

bool rule_script(const struct ident_facts *f, const char *program, struct ident_verdict *v)
{
	const struct interpreter *in = interpreter_find(program);
	const char *argv0 = arg_next(f, NULL);
	char called[NAME_CAP], name[NAME_CAP];

	if (!in)
		return false;
	title_copy(called, sizeof(called), argv0 ? argv0 : program);
	if (title_take(f, in, v) || script_take(f, in, script_find(f, in), v))
		return true;
	/* No script: the interpreter itself, or the title that its program has set ("gunicorn: master [shop]"). */
	bool titled = called[0] && !interpreter_find(called) && argv0 && strpbrk(argv0, " :");
	if (titled && app_name(f, called, name))
		verdict_name(v, name, "application in the title of the process");
	else
		verdict_name(v, titled || interpreter_find(called) ? called : program,
			     titled ? "title of the process" : "interpreter without a script");
	v->weak = true;
	v->tool = !titled && in_words(in->code ? in->code : "", "-s");      /* a shell that was given a command */
	return true;
}
