/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that host an application: people know the application by its own name, not by its server's.  Names that every
 * application has ("app:app", "wsgi.py") leave the server's.
 */
#include "collect/ident_rule.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

struct host {
	const char *script;       /* its file's name */
	const char *given;        /* options whose value is the application's name as people gave it, blank-separated */
	const char *module;       /* options whose value is the module; NULL: an argument "module:object" */
	const char *prefix;       /* before the application's name: it is something beside the application */
};

static const struct host hosts[] = {
	{ "gunicorn", "--name -n", NULL, "" }, { "gunicorn3", "--name -n", NULL, "" }, { "uvicorn", NULL, NULL, "" },
	{ "hypercorn", NULL, NULL, "" }, { "daphne", NULL, NULL, "" }, { "granian", "--process-name", NULL, "" },
	{ "waitress-serve", NULL, NULL, "" }, { "flask", NULL, "--app -A", "" },
	{ "celery", NULL, "--app -A", "celery-" }, { "dramatiq", NULL, NULL, "dramatiq-" },
};

static const struct host *host_find(const char *script)
{
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		if (!strcmp(hosts[i].script, script))
			return &hosts[i];
	return NULL;
}

/* Words of modules that every application has. */
static bool is_common(const char *word)
{
	static const char *const words[] = { "wsgi", "asgi", "main", "app", "application", "server", "run", "index", "manage", "src",
					     "celery", "celery_app", "tasks", "worker", "config", "settings", "create_app", "api", "web", NULL };

	return one_of(words, word);
}

bool app_of_module(const char *module, size_t n, char name[NAME_CAP])
{
	char path[256], *dot;

	snprintf(path, sizeof(path), "%.*s", (int)n, module);
	path[strcspn(path, ":")] = '\0';
	snprintf(name, NAME_CAP, "%s", text_basename(path));
	if (text_ends(name, ".py"))
		name[strlen(name) - strlen(".py")] = '\0';
	while ((dot = strrchr(name, '.')) && is_common(dot + 1))
		*dot = '\0';
	while ((dot = strchr(name, '.')) && (*dot = '\0', is_common(name)))
		memmove(name, dot + 1, strlen(dot + 1) + 1);
	if (dot)
		*dot = '.';
	return name[0] && !is_common(name);
}

/* "shop.wsgi:application", "shop:create_app()": neither an address nor a path. */
static bool is_module(const char *a, bool colon)
{
	const char *p = a;

	if (text_starts(a, "python:") || text_starts(a, "file:") || text_starts(a, "unix:") || text_starts(a, "fd:"))
		return false;
	while (isalnum((unsigned char)*p) || *p == '_' || *p == '.')
		p++;
	if (p == a || isdigit((unsigned char)*a))
		return false;
	if (*p != ':')
		return !colon && *p == '\0' && strchr(a, '.');
	return isalpha((unsigned char)p[1]) || p[1] == '_';
}

static const char *module_find(const struct ident_facts *f)
{
	const char *before = NULL, *last = NULL;

	for (const char *a = arg_skip(f, 1); a; before = a, a = arg_next(f, a)) {
		if (before && (before[0] == '-' && !strchr(before, '=')))
			continue;                /* may be an option's value */
		if (is_module(a, true))
			return a;
		if (is_module(a, false) && !text_ends(a, ".py"))
			last = a;
	}
	return last;
}

/* "gunicorn: master [shop:app]" */
static const char *title_find(const struct ident_facts *f, size_t *n)
{
	const char *a = arg_next(f, NULL), *open = a ? strchr(a, '[') : NULL;

	*n = open ? strcspn(open + 1, "]") : 0;
	return *n ? open + 1 : NULL;
}

static const char *option_find(const struct ident_facts *f, const char *options)
{
	char list[64], *save = NULL;

	snprintf(list, sizeof(list), "%s", options ? options : "");
	for (char *o = strtok_r(list, " ", &save); o; o = strtok_r(NULL, " ", &save)) {
		const char *v = arg_value(f, o);
		if (v && *v)
			return v;
	}
	return NULL;
}

bool app_name(const struct ident_facts *f, const char *script, char name[NAME_CAP])
{
	const struct host *h = host_find(script);
	const char *given = h ? option_find(f, h->given) : NULL, *module;
	char app[NAME_CAP];
	size_t n = 0;

	if (!h)
		return false;
	if (given) {
		snprintf(name, NAME_CAP, "%s%s", h->prefix, given);
		return true;
	}
	module = h->module ? option_find(f, h->module) : module_find(f);
	n = module ? strlen(module) : 0;
	if (!module)
		module = title_find(f, &n);
	if (!module || !app_of_module(module, n, app))
		return false;
	snprintf(name, NAME_CAP, "%s%s", h->prefix, app);
	return true;
}

/* --- others with an application ---------------------------------------------------------------------------------------- */

/* "uwsgi --ini /etc/uwsgi/apps-enabled/shop.ini", "--wsgi-file app.py", "--module shop.wsgi"; its titles ("uWSGI worker 1") say less. */
bool rule_uwsgi(const struct ident_facts *f, const char *program, struct ident_verdict *v)
{
	static const char *const files[] = { "--wsgi-file", "--file", "--psgi", NULL };
	static const char *const modules[] = { "--module", "-w", "--wsgi", NULL };
	static const char *const settings[] = { "--ini", "--yaml", "--json", "--xml", NULL };
	char name[NAME_CAP];
	const char *a;

	if (strncmp(program, "uwsgi", 5))
		return false;
	verdict_name(v, "uwsgi", "executable");
	for (const char *const *o = settings; *o; o++)
		if ((a = arg_value(f, *o)) && *text_basename(a)) {
			snprintf(name, sizeof(name), "%.*s", (int)strcspn(text_basename(a), "."), text_basename(a));
			if (!is_common(name) && strcmp(name, "uwsgi"))
				verdict_name(v, name, "application that uWSGI hosts");
		}
	for (const char *const *o = modules; *o; o++)
		if ((a = arg_value(f, *o)) && app_of_module(a, strlen(a), name))
			verdict_name(v, name, "application that uWSGI hosts");
	for (const char *const *o = files; *o; o++)
		if ((a = arg_value(f, *o)) && *text_basename(a)) {
			v->script = a;
			verdict_name(v, text_basename(a), "script of uWSGI");
		}
	return true;
}

/* "php-fpm: pool shop": each pool is a service; "www" is what every installation has. */
bool rule_pool(const struct ident_facts *f, const char *program, struct ident_verdict *v)
{
	static const char mark[] = "php-fpm: pool ";
	const char *title = arg_next(f, NULL);
	char name[NAME_CAP];

	if (!is_version_of(program, "php-fpm"))
		return false;
	v->titled = true;
	verdict_name(v, "php-fpm", "executable");
	if (!title || !text_starts(title, mark))
		return true;
	title += sizeof(mark) - 1;
	snprintf(name, sizeof(name), "php-fpm:%.*s", (int)strcspn(title, " "), title);
	if (strcmp(name, "php-fpm:www") && strcmp(name, "php-fpm:"))
		verdict_name(v, name, "pool in the title of the process");
	return true;
}

/* "dotnet Shop.dll", "dotnet exec --depsfile x Shop.dll" */
bool rule_dotnet(const struct ident_facts *f, const char *program, struct ident_verdict *v)
{
	if (strcmp(program, "dotnet"))
		return false;
	for (const char *a = arg_skip(f, 1); a; a = arg_next(f, a)) {
		if (a[0] == '-' || !text_ends(a, ".dll"))
			continue;
		v->script = a;
		verdict_name(v, text_basename(a), "assembly of dotnet");
		return true;
	}
	verdict_name(v, "dotnet", "runtime without an assembly");
	v->weak = true;
	return true;
}

/* Erlang and Elixir: the node's name is the release's ("-sname shop@host", "-name shop@10.0.0.1"). */
bool rule_erlang(const struct ident_facts *f, const char *program, struct ident_verdict *v)
{
	const char *node = arg_value(f, "-sname");
	char name[NAME_CAP];

	if (strcmp(program, "beam.smp") && strcmp(program, "beam"))
		return false;
	node = node ? node : arg_value(f, "-name");
	snprintf(name, sizeof(name), "%.*s", node ? (int)strcspn(node, "@") : 0, node ? node : "");
	if (name[0])
		verdict_name(v, name, "name of the Erlang node");
	else
		verdict_name(v, program, "executable");
	return true;
}
