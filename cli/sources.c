/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "attach.h"
#include "collect/kernel_can.h"
#include "collect/ladder.h"
#include "collect/sockets.h"
#include "exit.h"
#include "say.h"
#include "sources.h"

static int open_bpf(struct sources *s, const struct options *o)
{
	struct probe_options po;
	int ret = probe_options_from(&po, o, s->host.self);

	po.no_iterators = s->host.narrow;
	if (ret == 0)
		ret = bpf_source_open(&po, &s->bpf, &s->report);
	probe_options_done(&po);
	return ret;
}

static int rung_refused(const char *bad, size_t len)
{
	char list[512];
	bool source;
	int name = (int)strcspn(bad, "=,");

	ladder_wish_choices(bad, len, &source, list, sizeof(list));
	if (!memchr(bad, '=', len))
		return say_error(EXIT_USAGE, "--rung %.*s: a list of SOURCE=RUNG is expected; sources are %s", (int)len, bad, list);
	if (!source)
		return say_error(EXIT_USAGE, "--rung %.*s: there is no source '%.*s'; there are %s", (int)len, bad, name, bad, list);
	return say_error(EXIT_USAGE, "--rung %.*s: '%.*s' has no such rung; it has %s", (int)len, bad, name, bad, list);
}

/* What the command line says about the machine, before anything is opened. 0 or an exit code. */
static int find_host(struct sources *s, const struct options *o)
{
	const char *bad;
	size_t len;

	if (o && o->rung && ladder_wish_check(o->rung, &bad, &len))
		return rung_refused(bad, len);
	if (host_find(&s->host, o ? o->host_root : NULL))
		return say_error(EXIT_USAGE, "--host-root %s: there is no /proc of the node in it", o->host_root);
	if (s->host.moved && !(o && o->host_root))
		say_note("the node's /proc is taken from %s", s->host.proc);
	return 0;
}

/* A file that was asked for and is of no use is no reason to go without. */
static int btf_refused(int error, const struct options *o)
{
	if (error == -EBADMSG)
		return say_error(EXIT_USAGE, "--btf %s: this is no BTF file, or one for another kind of machine", o->btf);
	if (o && o->btf && (error == -ENOENT || error == -EACCES))
		return say_error(EXIT_USAGE, "--btf %s: %s", o->btf, strerror(-error));
	return 0;
}

/* Connections without probes; also where the probe of their states is the one that is missing. */
static void open_sockets(struct sources *s)
{
	if ((!s->bpf || !probe_report_is_on(&s->report, "sockets", "states")) && sockets_source_open(s->host.proc, &s->sockets))
		s->sockets = NULL;
}

static void open_nat(struct sources *s)
{
	if (conntrack_open(s->host.proc, &s->nat))
		return;
	conntrack_look(s->nat);
	conntrack_report(s->nat, &s->report);
}

static void open_sampler(struct sources *s, const struct options *o)
{
	s->ident = ident_new(s->host.proc, o ? o->names : NULL, 0);
	s->sampler = sampler_new(&(struct sampler_options){.proc = s->host.proc, .sys = s->host.sys, .bpf = s->bpf});
	s->sampled = s->sampler && sampler_read(s->sampler, &s->sample) == 0;
	if (s->sampler)
		sampler_report(s->sampler, &s->report);
}

static bool any_opened(const struct sources *s)
{
	return s->bpf || s->sockets || s->sampled;
}

int sources_look(struct sources *s, const struct options *o)
{
	*s = (struct sources){0};
	sample_init(&s->sample);
	int ret = find_host(s, o);

	if (ret)
		return ret;
	s->bpf_error = open_bpf(s, o);
	ret = btf_refused(s->bpf_error, o);
	if (ret)
		return ret;
	open_sockets(s);
	open_nat(s);
	open_sampler(s, o);
	return any_opened(s) ? 0 : EXIT_NOTHING_SEEN;
}

/* The probes where they may be had; why not otherwise. */
static int attach_probes(struct sources *s, const struct options *o)
{
	struct utsname u;
	int ret;

	s->bpf_error = open_bpf(s, o);
	if (s->bpf_error == 0) {
		if (!probe_report_is_on(&s->report, "packets", "sent"))
			say_note("requests will not be seen: 'rootle check' says why");
		return 0;
	}
	s->bpf = NULL;
	ret = btf_refused(s->bpf_error, o);
	if (ret)
		return ret;
	if (s->bpf_error == -EPERM || s->bpf_error == -EACCES)
		return say_error(EXIT_NO_PERMISSION, "may not attach any probe: %s is missing; run as root, or give --no-bpf to "
				 "record what /proc tells",
				 s->report.missing_capability ? s->report.missing_capability : "CAP_SYS_ADMIN");
	if (uname(&u) == 0 && kernel_release_is_old(u.release))
		say_note("no probes here (Linux %s; they need 5.8): recording what /proc, sock_diag and PSI tell; requests will not be "
			 "seen", u.release);
	else
		say_note("no BPF here (%s): recording what /proc, sock_diag and PSI tell; requests will not be seen",
			 s->bpf_error == -ENOSYS ? "none of the programs can be loaded" : strerror(-s->bpf_error));
	return 0;
}

/* Once who is who is known. Without samples a recording is a recording. */
static void open_profile(struct sources *s, const struct options *o)
{
	struct profile_probe probe;
	int err = s->bpf ? bpf_source_profile(s->bpf, &probe) : -ENOSYS;

	if (!err)
		err = profile_open(&probe, s->host.proc, o && o->profile_hz ? o->profile_hz : PROFILE_HZ, &s->profile);
	if (err && err != -ENOSYS)
		say_note("CPUs are not sampled: %s", strerror(-err));
}

/* Whose plaintext is asked for must be there, or it would be waited for in vain. */
static int tls_pids_check(const struct sources *s, const struct options *o)
{
	char path[HOST_PATH_MAX + 32];

	for (size_t i = 0; o && i < o->tls_pid.n; i++) {
		snprintf(path, sizeof(path), "%s/%u", s->host.proc, o->tls_pid.v[i]);
		if (access(path, F_OK))
			return say_error(EXIT_USAGE, "--tls-pid %u: there is no such process", o->tls_pid.v[i]);
	}
	return 0;
}

int sources_open(struct sources *s, const struct options *o, bool no_bpf)
{
	*s = (struct sources){0};
	sample_init(&s->sample);
	int ret = find_host(s, o);

	if (ret == 0)
		ret = tls_pids_check(s, o);
	if (ret == 0 && s->host.foreign)
		say_note("in a PID namespace of its own: names of processes outside of it are not known (docker run --pid=host, or the "
			 "node's /proc mounted at /host/proc)");
	if (ret == 0 && no_bpf && o && (o->tls || o->tls_pid.n))
		say_note("without BPF nothing inside of TLS is seen");
	if (ret == 0 && !no_bpf)
		ret = attach_probes(s, o);
	if (ret)
		goto fail;
	open_sockets(s);
	open_nat(s);
	open_sampler(s, o);
	if (!s->ident || !s->sampler) {
		ret = say_error(EXIT_FAILED, "out of memory");
		goto fail;
	}
	open_profile(s, o);
	if (!s->host.foreign)
		s->hosts = hosts_new(s->host.proc);
	if (s->bpf && !s->host.foreign)
		s->certificates = certificates_new(s->host.proc);
	if (!any_opened(s)) {
		ret = say_error(EXIT_NOTHING_SEEN, "nothing can be observed here: no BPF, no sock_diag, and /proc cannot be read");
		goto fail;
	}
	return 0;
fail:
	sources_close(s);
	return ret;
}

int sources_existing(struct sources *s, source_fn *fn, void *arg)
{
	struct source *once = NULL;
	int ret = s->bpf ? bpf_source_existing(s->bpf, fn, arg) : 0;

	if (ret >= 0 || s->sockets)     /* its first reading has them all */
		return 0;
	ret = sockets_source_open(s->host.proc, &once);
	if (ret)
		return ret;
	ret = once->ops->drain(once, fn, arg);
	once->ops->close(once);
	return ret < 0 ? ret : 0;
}

void sources_close(struct sources *s)
{
	sampler_free(s->sampler);
	profile_close(s->profile);
	if (s->bpf)
		s->bpf->ops->close(s->bpf);
	if (s->sockets)
		s->sockets->ops->close(s->sockets);
	if (s->nat)
		s->nat->ops->close(s->nat);
	certificates_free(s->certificates);
	hosts_free(s->hosts);
	ident_free(s->ident);
	sample_done(&s->sample);
	probe_report_done(&s->report);
	*s = (struct sources){0};
}

const char *probe_state_text(enum probe_state state)
{
	static const char *const names[] = {[PROBE_ABSENT] = "absent", [PROBE_ON] = "on", [PROBE_INSTEAD] = "instead"};

	return names[state];
}

void probe_report_json(struct json *j, const char *key, const struct probe_report *r)
{
	json_array(j, key);
	for (size_t i = 0; i < r->lines.n; i++) {
		const struct probe_line *l = &r->lines.v[i];

		json_object(j, NULL);
		json_string(j, "probe", l->probe);
		json_string(j, "part", l->part);
		json_string(j, "state", probe_state_text(l->state));
		json_string(j, "rung", l->rung);
		json_string(j, "program", l->program);
		json_string(j, "hook", l->hook);
		json_string(j, "program_type", l->type);
		json_string(j, "lacks", l->lacks);
		json_string(j, "why", l->why);
		if (l->insns)
			json_uint(j, "verified_insns", l->insns);
		else
			json_null(j, "verified_insns");
		json_object_end(j);
	}
	json_array_end(j);
}
