/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a process runs: its container, its pod, its unit. */
#include "collect/ident_rule.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "collect/container.h"

#define CONTAINER_ID_LEN 64
#define SHORT_ID_LEN 12

static bool rule_container(const struct ident_facts *f, struct ident_verdict *v)
{
	if (!f->container)
		return false;
	verdict_name(v, f->container->service, f->container->why);
	return true;
}

static bool is_container_id(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return n == CONTAINER_ID_LEN && (s[n] == '\0' || s[n] == '/' || s[n] == '.');
}

/* The prefixes of a cgroup's name or of its parents that say who made the container. */
static const struct { const char *part, *why; } runtimes[] = {
	{ "cri-containerd-", "cgroup containerd" }, { "crio-", "cgroup cri-o" }, { "libpod-", "cgroup podman" },
	{ "kubepods", "cgroup kubepods" }, { "docker", "cgroup docker" }, { "containerd", "cgroup containerd" },
};

/* One whose runtime's files cannot be read. */
static bool rule_id(const struct ident_facts *f, struct ident_verdict *v)
{
	const char *id = NULL;

	if (strstr(f->cgroup, "libpod-conmon-") || strstr(f->cgroup, "crio-conmon-"))
		return false;            /* the monitor beside the container */
	for (const char *p = f->cgroup; *p; p++)
		if ((p == f->cgroup || p[-1] == '/' || p[-1] == '-' || p[-1] == ':') && is_container_id(p))
			id = p;          /* the innermost */
	if (!id)
		return false;
	snprintf(v->name, sizeof(v->name), "%.*s", SHORT_ID_LEN, id);
	v->why = "cgroup of a container";
	for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++) {
		if (!strstr(f->cgroup, runtimes[i].part))
			continue;
		v->why = runtimes[i].why;
		break;
	}
	return true;
}

/* systemd writes '-' inside a name as "\x2d" where a '-' has a meaning. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++, to++) {
		unsigned v;
		if (s[0] == '\\' && s[1] == 'x' && sscanf(s + 2, "%2x", &v) == 1 && v >= 0x20 && v < 0x7f) {
			*to = (char)v;
			s += 3;
		} else {
			*to = *s;
		}
	}
	*to = '\0';
}

/* "/lxc/NAME", "/lxc.payload.NAME", "/machine.slice/machine-NAME.scope", "/machine.slice/systemd-nspawn@NAME.service" */
static bool rule_machine(const struct ident_facts *f, struct ident_verdict *v)
{
	static const struct { const char *prefix, *why; } places[] = {
		{ "/lxc.payload.", "cgroup of LXC" }, { "/lxc.payload/", "cgroup of LXC" }, { "/lxc/", "cgroup of LXC" },
		{ "/machine.slice/machine-qemu\\x2d", "cgroup of a virtual machine" },
		{ "/machine.slice/machine-", "cgroup of systemd-machined" },
		{ "/machine.slice/systemd-nspawn@", "cgroup of systemd-nspawn" },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char name[256];
		const char *p = strstr(f->cgroup, places[i].prefix);
		if (!p)
			continue;
		p += strlen(places[i].prefix);
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(p, "/"), p);
		if (text_ends(name, ".scope") || text_ends(name, ".service"))
			*strrchr(name, '.') = '\0';
		unescape(name);
		/* libvirt numbers its machines: qemu-3-NAME */
		bool numbered = strstr(places[i].why, "virtual") && isdigit((unsigned char)name[0]) && strchr(name, '-');
		verdict_name(v, numbered ? strchr(name, '-') + 1 : name, places[i].why);
		return v->name[0] != '\0';
	}
	return false;
}

/* --- units ------------------------------------------------------------------------------------------------------------ */

/* "run-r12ab", "run-u7", "run-p12-i3", "run-471": systemd-run's own names. */
static bool is_transient(const char *unit)
{
	const char *p = text_starts(unit, "run-") ? unit + 4 : NULL;

	if (!p)
		return false;
	p += *p == 'r' || *p == 'u' || *p == 'p';
	return isxdigit((unsigned char)*p) && p[strspn(p, "0123456789abcdef-i")] == '\0';
}

/* Units that people never named: sessions, transient ones, the manager itself, what a desktop makes of programs. */
static bool is_anonymous(const char *unit)
{
	static const char *const prefixes[] = { "session-", "user@", "libpod-conmon-", "crio-conmon-", "app-", "vte-spawn-", "tmux-spawn-",
						"dbus-:", NULL };

	for (const char *const *p = prefixes; *p; p++)
		if (text_starts(unit, *p))
			return true;
	return !strcmp(unit, "init") || is_transient(unit);
}

/* Units that run other people's programs: these have names of their own. */
static bool is_launcher(const char *unit)
{
	static const char *const names[] = { "cron", "crond", "atd", "anacron", "ssh", "sshd", "supervisor", "supervisord", "runit", "runsvdir",
					     "s6", "monit", "circusd", "inetd", "xinetd", NULL };

	return one_of(names, unit) || text_starts(unit, "pm2-") || text_starts(unit, "ssh@") || text_starts(unit, "sshd@");
}

/* "worker@3" is one of the workers; "gunicorn@shop" is the shop's. */
static void instance_cut(char *unit)
{
	char *at = strchr(unit, '@');

	if (at && at > unit && at[1 + strspn(at + 1, "0123456789")] == '\0')
		*at = '\0';
}

/* The innermost that has a name: "/user.slice/user-1000.slice/user@1000.service/app.slice/shop.service". */
static bool rule_unit(const struct ident_facts *f, struct ident_verdict *v)
{
	const char *end = f->cgroup + strlen(f->cgroup), *begin;
	char unit[256];

	for (; end > f->cgroup; end = begin > f->cgroup ? begin - 1 : f->cgroup) {
		const char *slash = memrchr(f->cgroup, '/', (size_t)(end - f->cgroup));
		begin = slash ? slash + 1 : f->cgroup;
		snprintf(unit, sizeof(unit), "%.*s", (int)(end - begin), begin);
		if (!text_ends(unit, ".service") && !text_ends(unit, ".scope"))
			continue;
		bool scope = text_ends(unit, ".scope");
		*strrchr(unit, '.') = '\0';
		if (is_anonymous(unit))
			continue;
		if (is_launcher(unit))
			return false;
		unescape(unit);
		instance_cut(unit);
		verdict_name(v, unit, scope ? "systemd scope" : strstr(f->cgroup, "/user@") ? "systemd user unit" : "systemd unit");
		return unit[0] != '\0';
	}
	return false;
}

/* Namespaces of its own and a cgroup that somebody named: a container whose runtime left no trace. */
static bool rule_contained(const struct ident_facts *f, struct ident_verdict *v)
{
	const char *part = strrchr(f->cgroup, '/');

	if (part && strlen(part + 1) >= SHORT_ID_LEN && part[1 + strspn(part + 1, "0123456789abcdef-")] == '\0')
		return false;            /* a number is no name */
	if (!f->contained || !part || !part[1] || text_ends(part, ".slice") || text_ends(part, ".scope") || text_ends(part, ".service"))
		return false;
	verdict_name(v, part + 1, "cgroup of a process with namespaces of its own");
	return true;
}

/* In order. To add one is a row. */
static const struct { bool (*match)(const struct ident_facts *f, struct ident_verdict *v); bool unit; } rules[] = {
	{ rule_container, false },
	{ rule_id, false },
	{ rule_machine, false },
	{ rule_unit, true },
	{ rule_contained, false },
};

bool rule_place(const struct ident_facts *f, struct ident_verdict *v, bool *unit)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if ((f->cgroup || !i) && rules[i].match(f, v)) {
			*unit = rules[i].unit;
			return true;
		}
	return false;
}
