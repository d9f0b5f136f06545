/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "attach.h"
#include "collect/sockets.h"
#include "exit.h"
#include "say.h"
#include "sources.h"

static int open_bpf(struct sources *s, const struct options *o)
{
	struct probe_options po;
	int ret = probe_options_from(&po, o);

	if (ret == 0)
		ret = bpf_source_open(&po, &s->bpf, &s->report);
	probe_options_done(&po);
	return ret;
}

bool sources_look(struct sources *s, bool no_bpf)
{
	*s = (struct sources){0};
	sample_init(&s->sample);
	if (!no_bpf)
		s->bpf_error = open_bpf(s, NULL);
	if (!s->bpf && sockets_source_open("/proc", &s->sockets))
		s->sockets = NULL;
	s->ident = ident_new("/proc", 0);
	s->sampler = sampler_new(&(struct sampler_options){.proc = "/proc", .sys = "/sys", .bpf = s->bpf});
	s->sampled = s->sampler && sampler_read(s->sampler, &s->sample) == 0;
	if (s->sampler)
		sampler_report(s->sampler, &s->report);
	return s->bpf || s->sockets || s->sampled;
}

/* The probes where they may be had; why not otherwise. */
static int attach_probes(struct sources *s, const struct options *o)
{
	s->bpf_error = open_bpf(s, o);
	if (s->bpf_error == 0)
		return 0;
	s->bpf = NULL;
	if (s->bpf_error == -EPERM || s->bpf_error == -EACCES)
		return say_error(EXIT_NO_PERMISSION, "may not attach any probe: %s is missing; run as root, or give --no-bpf to "
				 "record what /proc tells",
				 s->report.missing_capability ? s->report.missing_capability : "CAP_SYS_ADMIN");
	say_note("no BPF here (%s): recording what /proc, sock_diag and PSI tell; requests will not be seen",
		 s->bpf_error == -ENOSYS ? "the kernel has no BPF or no BTF" : strerror(-s->bpf_error));
	return 0;
}

int sources_open(struct sources *s, const struct options *o, bool no_bpf)
{
	*s = (struct sources){0};
	sample_init(&s->sample);
	int ret = no_bpf ? 0 : attach_probes(s, o);

	if (ret)
		goto fail;
	if (!s->bpf && sockets_source_open("/proc", &s->sockets))
		s->sockets = NULL;
	s->ident = ident_new("/proc", 0);
	s->sampler = sampler_new(&(struct sampler_options){.proc = "/proc", .sys = "/sys", .bpf = s->bpf});
	if (!s->ident || !s->sampler) {
		ret = say_error(EXIT_FAILED, "out of memory");
		goto fail;
	}
	s->sampled = sampler_read(s->sampler, &s->sample) == 0;
	sampler_report(s->sampler, &s->report);
	if (!s->bpf && !s->sockets && !s->sampled) {
		ret = say_error(EXIT_NOTHING_SEEN, "nothing can be observed here: no BPF, no sock_diag, and /proc cannot be read");
		goto fail;
	}
	return 0;
fail:
	sources_close(s);
	return ret;
}

void sources_close(struct sources *s)
{
	sampler_free(s->sampler);
	if (s->bpf)
		s->bpf->ops->close(s->bpf);
	if (s->sockets)
		s->sockets->ops->close(s->sockets);
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
		json_object_end(j);
	}
	json_array_end(j);
}
