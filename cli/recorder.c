/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "base/clock.h"
#include "base/loop.h"
#include "budget.h"
#include "collect/map_plan.h"
#include "collect/probe.h"
#include "exit.h"
#include "model/model.h"
#include "pcap_output.h"
#include "plaintext.h"
#include "recorder.h"
#include "say.h"
#include "sources.h"
#include "turn.h"
#include "writer.h"

#define TICK_NS NS_PER_S
/* 16 MB of ring take 160 ms of the heaviest load we measure; idle, 20 wake-ups a second cost nothing that can be seen. */
#define DRAIN_BUSY_NS (10 * NS_PER_MS)
#define DRAIN_IDLE_NS (50 * NS_PER_MS)
#define BUSY_RECORDS 64         /* in one drain: come again soon */
#define EXPIRE_EVERY 60         /* ticks between two ident_expire() */
#define ALIGN_NS (200 * NS_PER_MS)
#define FIRST_TICK_MS 5000
#define LAST_TICKS_MS 5000
#define DEFAULT_KEEP_NS (3600 * NS_PER_S)
#define DEFAULT_MAX_BYTES (256ll << 20)
#define RAW_NS (600 * NS_PER_S)
#define LARGE_BLOCK (128 << 10)

static const int end_signals[] = {SIGINT, SIGTERM, SIGHUP};

struct recorder {
	const struct recorder_options *o;
	struct sources sources;
	struct attach_filter filter;
	struct model *model;
	struct plaintext *plaintext;    /* NULL: not asked for */
	struct pcap_output *pcap;       /* likewise */
	struct store *store;
	struct writer *writer;
	struct loop *loop;
	struct budget budget;
	sigset_t signals;               /* the mask before the loop took its signals */
	int drain_timer;
	int64_t drain_ns;               /* period of drain_timer now */
	uint64_t tick_begin_ts;         /* CLOCK_MONOTONIC of the last tick's end */
	int64_t tick_begin_ns;          /* wall clock of the same */
	uint64_t begin_ts;
	char node[65];
	struct recorder_totals totals;
	int exit_code;                  /* EXIT_FAILED: stopped because the file is gone */
	uint64_t nat_ts;                /* until when is known which connections are translated */
	bool parked;                    /* a source that the budget allows again is not attached yet */
};

void recorder_options_from(struct recorder_options *ro, const struct options *o, const char *path)
{
	*ro = (struct recorder_options){
		.path = path,
		.limits = {
			.keep_ns = o->keep_ns ? o->keep_ns : DEFAULT_KEEP_NS,
			.max_bytes = o->max_bytes ? o->max_bytes : DEFAULT_MAX_BYTES,
			.raw_ns = RAW_NS,
		},
		.for_ns = o->for_ns,
		.no_bpf = o->no_bpf,
		.attach = o,
	};
}

static void on_nat(void *arg, const struct ev_hdr *ev)
{
	struct recorder *r = arg;

	model_event(r->model, ev);
}

/* A translation is there before the connection is, or the datagram: what is told of it must be known first. Once for all records that
 * are in the ring by now. */
static void take_nat(struct recorder *r, uint64_t ts_ns, uint32_t netns, uint32_t pid)
{
	if (!r->sources.nat || ts_ns < r->nat_ts)
		return;
	conntrack_see(r->sources.nat, netns, pid);
	r->nat_ts = clock_ts_ns();
	r->sources.nat->ops->drain(r->sources.nat, on_nat, r);
}

static void take_nat_of(struct recorder *r, const struct ev_hdr *ev)
{
	const struct ev_conn *c = (const struct ev_conn *)ev;
	const struct ev_datagram *d = (const struct ev_datagram *)ev;

	if (ev->type == EV_CONN && ev->size >= sizeof(*c) && (c->what == CONN_ESTABLISHED || c->what == CONN_OWNER))
		take_nat(r, ev->ts_ns, c->netns, c->tgid);
	if (ev->type == EV_DATAGRAM && ev->size >= sizeof(*d))
		take_nat(r, ev->ts_ns, d->netns, d->tgid);
}

static void on_record(void *arg, const struct ev_hdr *ev)
{
	struct recorder *r = arg;

	take_nat_of(r, ev);
	if (ev->type == EV_PROC && ev->size >= sizeof(struct ev_proc))
		ident_event(r->sources.ident, (const struct ev_proc *)ev);
	if (!attach_wanted(&r->filter, ev))
		return;
	model_event(r->model, ev);
	pcap_output_take(r->pcap, ev);
}

static void wish(void *arg, uint64_t cookie, int what)
{
	struct recorder *r = arg;

	if (r->sources.bpf)
		bpf_source_wish(r->sources.bpf, cookie, what);
}

static int drain(struct recorder *r)
{
	int n = r->sources.bpf ? r->sources.bpf->ops->drain(r->sources.bpf, on_record, r) : 0;

	return n > 0 ? n : 0;
}

/* Soon again while there is work, seldom when idle. */
static void on_drain(struct loop *l, void *arg, uint64_t value)
{
	struct recorder *r = arg;

	budget_poll(&r->budget, clock_ts_ns());
	int64_t want = drain(r) >= BUSY_RECORDS ? DRAIN_BUSY_NS : r->drain_ns * 2;

	want = want > DRAIN_IDLE_NS ? DRAIN_IDLE_NS : want;
	if (want != r->drain_ns && loop_timer_set(l, r->drain_timer, want) == 0)
		r->drain_ns = want;
}

static void on_stack(void *arg, const struct profile_row *row)
{
	struct recorder *r = arg;

	if (attach_process_wanted(&r->filter, row->pid))
		model_stack(r->model, row->pid, row->stack, row->samples);
}

static void take_samples(struct recorder *r)
{
	struct profile_counters c;

	if (!r->sources.profile)
		return;
	profile_take(r->sources.profile, on_stack, r);
	profile_counters(r->sources.profile, &c);
	model_loss(r->model, "profile", "gone", c.symbols.gone);
	model_loss(r->model, "profile", "no_room", c.no_room);
	model_loss(r->model, "profile", "paused_ms", c.paused_ms);
	model_loss(r->model, "profile", "files_unreadable", c.symbols.unreadable);
	model_loss(r->model, "profile", "files_too_large", c.symbols.too_large);
	model_loss(r->model, "profile", "files_forgotten", c.symbols.evicted);
}

static void count_nat_losses(struct recorder *r)
{
	struct conntrack_counters c;

	if (!r->sources.nat)
		return;
	conntrack_counters(r->sources.nat, &c);
	model_loss(r->model, "conntrack", "overruns", c.overruns);
	model_loss(r->model, "conntrack", "namespaces", c.spaces);
	model_loss(r->model, "conntrack", "cut", c.cut);
}

/* What was lost outside of the model. */
static void count_losses(struct recorder *r)
{
	struct source_counters c = {0};
	struct source *s = r->sources.bpf ? r->sources.bpf : r->sources.sockets;

	count_nat_losses(r);
	if (!s)
		return;
	s->ops->counters(s, &c);
	for (int i = 0; i < DROP_MAX; i++)
		model_loss(r->model, "kernel", ev_drop_names[i], c.drops[i]);
}

static void say_store_news(struct recorder *r)
{
	struct store_error err;

	if (!writer_news(r->writer, &err))
		return;
	say_note("rootle: %s", err.text);
	if (err.code == -ESTALE) {      /* nobody will ever read what would be written now */
		r->exit_code = EXIT_FAILED;
		loop_stop(r->loop);
	}
}

static void end_tick(struct recorder *r, int64_t end_ns, uint64_t end_ts)
{
	int64_t dur = end_ns - r->tick_begin_ns, mono = (int64_t)(end_ts - r->tick_begin_ts);

	/* the wall clock was set: the monotonic clock knows how long it was */
	if (dur <= 0 || dur > mono + TICK_NS || dur < mono - TICK_NS)
		dur = mono > 0 ? mono : 1;
	struct tick *t = model_tick(r->model, end_ts, end_ns - dur, dur);

	if (!t)
		return;      /* no memory: the facts stay for the next one */
	r->totals.ticks++;
	r->totals.events += t->events;
	r->totals.lost_events += t->lost;
	r->tick_begin_ns = end_ns;
	r->tick_begin_ts = end_ts;
	writer_put(r->writer, t);
}

/* Tried again with each tick until all that the level allows is attached. */
static void limit_probes(struct recorder *r, const struct governor_level *level)
{
	bool parked = r->sources.bpf && bpf_source_limit(r->sources.bpf, level);

	if (parked != r->parked) {
		const char *what = parked ? "a source could not be attached again: it is tried every second" :
				   "the source that could not be attached again is back";

		model_note(r->model, clock_unix_ns(), "budget", what);
		say_note("budget: %s", what);
	}
	r->parked = parked;
}

/* What a level leaves out, in the order that no record is taken for one of another level. */
static void keep_budget(struct recorder *r)
{
	const struct governor_level *level;
	char why[256];
	bool changed = budget_tick(&r->budget, clock_ts_ns(), why, sizeof(why));

	level = &governor_table[r->budget.governor.level];
	if (changed || r->parked)
		limit_probes(r, level);
	if (!changed)
		return;
	if (r->sources.profile)
		profile_pause(r->sources.profile, level->off & PROBE_CLOCK);
	drain(r);
	model_sampling(r->model, level->shift, !(level->off & PROBE_PACKETS));
	model_note(r->model, clock_unix_ns(), "budget", why);
	say_detail("budget: %s", why);
}

/* Processes are moved between cgroups, and write titles, without an event that says so; without probes they execute so, too. */
static void look_again(struct recorder *r)
{
	const struct sample *s = &r->sources.sample;

	for (size_t i = 0; i < s->processes.n; i++) {
		const struct sample_process *p = &s->processes.v[i];

		if (ident_executed(r->sources.ident, p->pid, p->cpu_ns))
			model_process_executed(r->model, p->pid, s->ts_ns);
		else if (ident_moved(r->sources.ident, p->pid, p->cgroup))
			model_process_changed(r->model, p->pid);
	}
}

static void take_tick(struct recorder *r, bool aligned)
{
	if (r->sources.nat) {
		conntrack_look(r->sources.nat);
		r->nat_ts = clock_ts_ns();
		r->sources.nat->ops->drain(r->sources.nat, on_nat, r);
	}
	drain(r);
	if (r->sources.sockets)
		r->sources.sockets->ops->drain(r->sources.sockets, on_record, r);
	if (r->sources.bpf)
		bpf_source_health(r->sources.bpf, on_record, r);
	if (sampler_read(r->sources.sampler, &r->sources.sample) == 0) {
		look_again(r);
		model_sample(r->model, &r->sources.sample);
	}
	take_samples(r);
	count_losses(r);
	plaintext_tick(r->plaintext);
	pcap_output_tick(r->pcap);
	/* both clocks together, and moved together: the model takes event times from the distance to the end */
	int64_t now = clock_unix_ns(), late = now % TICK_NS;
	uint64_t ts = clock_ts_ns();

	if (!aligned || late >= ALIGN_NS || now - late <= r->tick_begin_ns || ts - (uint64_t)late <= r->tick_begin_ts)
		late = 0;
	end_tick(r, now - late, ts - (uint64_t)late);
	if (r->totals.ticks % EXPIRE_EVERY == 0)
		ident_expire(r->sources.ident);
	say_store_news(r);
}

static void on_tick(struct loop *l, void *arg, uint64_t expirations)
{
	struct recorder *r = arg;

	take_tick(r, true);
	keep_budget(r);
}

static void on_end(struct loop *l, void *arg, uint64_t value)
{
	loop_stop(l);
}

static void say_probes(const struct probe_report *report)
{
	for (size_t i = 0; i < report->lines.n; i++) {
		const struct probe_line *l = &report->lines.v[i];

		say_detail("probe: %s: %s%s%s", l->probe, l->rung ? l->rung : "absent", l->why ? ", " : "", l->why ? l->why : "");
	}
}

/* What a sample stands for. */
static int put_profile_hz(struct recorder *r, struct store_error *err)
{
	char hz[16];

	snprintf(hz, sizeof(hz), "%u", r->o->attach && r->o->attach->profile_hz ? r->o->attach->profile_hz : PROFILE_HZ);
	return r->sources.profile ? store_put_meta(r->store, "profile_hz", hz, err) : 0;
}

/* What the maps of the probes may take, and take. */
static int put_memory(struct recorder *r, struct store_error *err)
{
	char budget[24], maps[24];
	int ret;

	if (!r->sources.bpf)
		return 0;
	snprintf(budget, sizeof(budget), "%lld", r->o->attach ? (long long)r->o->attach->memory_bytes : (long long)MAP_BUDGET_DEFAULT);
	snprintf(maps, sizeof(maps), "%zu", bpf_source_map_bytes(r->sources.bpf, NULL));
	ret = store_put_meta(r->store, "memory_budget_bytes", budget, err);
	return ret ? ret : store_put_meta(r->store, "map_bytes", maps, err);
}

static int put_meta(struct recorder *r)
{
	struct store_error err;
	struct utsname u;
	struct json j;
	char started[32];
	int ret;

	json_init(&j, false);
	probe_report_json(&j, NULL, &r->sources.report);
	uname(&u);
	time_rfc3339(started, sizeof(started), clock_unix_ns());
	const char *const rows[][2] = {
		{"node", r->node}, {"version", ROOTLE_VERSION}, {"kernel", u.release}, {"machine", u.machine},
		{"started", started}, {"probes", j.buf},
	};

	ret = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && ret == 0; i++)
		ret = store_put_meta(r->store, rows[i][0], rows[i][1], &err);
	if (ret == 0)
		ret = put_memory(r, &err);
	if (ret == 0)
		ret = put_profile_hz(r, &err);
	/* of a recording that goes on after one with values this stays true */
	if (ret == 0 && r->o->attach && r->o->attach->raw)
		ret = store_put_meta(r->store, "raw", "1", &err);
	json_done(&j);
	return ret ? say_error(EXIT_FAILED, "%s", err.text) : 0;
}

static int open_model(struct recorder *r)
{
	struct model_options mo = {
		.ident = ident_resolver(r->sources.ident),
		.certificates = certificates_resolver(r->sources.certificates),
		.hosts = hosts_resolver(r->sources.hosts),
		.node = r->node,
		.wish = wish,
		.wish_arg = r,
		.raw = r->o->attach && r->o->attach->raw,
		.no_trace_ids = r->o->attach && r->o->attach->no_trace_ids,
		.all_traces = r->o->attach && r->o->attach->all_traces,
	};

	gethostname(r->node, sizeof(r->node) - 1);
	r->model = model_new(&mo);
	attach_filter_init(&r->filter, r->o->attach, mo.ident);
	return r->model ? 0 : say_error(EXIT_FAILED, "out of memory");
}

/* Sockets and processes that are there already, as a first short tick: something to read within the first second. */
static int first_tick(struct recorder *r)
{
	struct store_error err;

	r->begin_ts = r->tick_begin_ts = clock_ts_ns();
	budget_begin(&r->budget, r->sources.bpf, r->o->attach ? r->o->attach->cpu_budget_ratio : NAN, r->begin_ts);
	r->tick_begin_ns = clock_unix_ns();
	if (r->sources.nat)
		r->sources.nat->ops->drain(r->sources.nat, on_nat, r);
	if (sources_existing(&r->sources, on_record, r) < 0)
		say_note("connections from before could not be listed: they appear with their next packet");
	if (r->sources.sampled)
		model_sample(r->model, &r->sources.sample);
	model_note(r->model, r->tick_begin_ns, "recorder", "recording begins");
	take_tick(r, false);
	int ret = writer_flush(r->writer, FIRST_TICK_MS, &err);

	if (ret == -ETIMEDOUT)
		return say_error(EXIT_FAILED, "%s: the first tick could not be written within %d s", r->o->path,
				 FIRST_TICK_MS / 1000);
	return ret ? say_error(EXIT_FAILED, "%s", err.text) : 0;
}

/* Before anything is attached: from here on a signal ends the recording in order. */
static int open_loop(struct recorder *r)
{
	int ret = 0;

	sigprocmask(SIG_SETMASK, NULL, &r->signals);
	r->loop = loop_new();
	if (!r->loop)
		return say_error(EXIT_FAILED, "cannot make an event loop: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(end_signals) / sizeof(end_signals[0]) && ret >= 0; i++)
		ret = loop_signal(r->loop, end_signals[i], on_end, r);
	return ret >= 0 ? 0 : say_error(EXIT_FAILED, "cannot wait for signals: %s", strerror(-ret));
}

/* By a timer, and at once where a source says so. */
static int start_drain(struct recorder *r)
{
	struct source *s = r->sources.bpf;
	int ret = s ? loop_fd(r->loop, s->ops->fd(s), EPOLLIN | EPOLLET, on_drain, r) : 0;

	r->drain_ns = DRAIN_BUSY_NS;
	if (s && ret >= 0)
		ret = r->drain_timer = loop_timer(r->loop, r->drain_ns, false, on_drain, r);
	return ret;
}

static int start_timers(struct recorder *r)
{
	int ret = start_drain(r);

	if (ret >= 0)
		ret = loop_timer(r->loop, TICK_NS, true, on_tick, r);
	if (ret >= 0 && r->o->for_ns)
		ret = loop_timer(r->loop, r->o->for_ns, false, on_end, r);
	return ret >= 0 ? 0 : say_error(EXIT_FAILED, "cannot make the timers: %s", strerror(-ret));
}

static void say_summary(struct recorder *r)
{
	struct writer_totals w;
	double seconds = (double)(clock_ts_ns() - r->begin_ts) / 1e9;

	writer_totals(r->writer, &w);
	if (r->sources.bpf)
		r->totals.map_bytes = bpf_source_map_bytes(r->sources.bpf, NULL);
	r->totals.lost_ticks = w.lost += w.waiting;      /* after the last flush: what waits now is given up */
	r->totals.cpu_ratio = seconds > 0 ? own_cpu_s() / seconds : 0;
	r->totals.probes_ratio = seconds > 0 ? r->budget.probes_s / seconds : 0;
	say_note("recorded: %llu ticks, %llu events, %llu lost events, %llu lost ticks, %.1f %% of a core",
		 (unsigned long long)w.written, (unsigned long long)r->totals.events,
		 (unsigned long long)r->totals.lost_events, (unsigned long long)w.lost, r->totals.cpu_ratio * 100);
	if (r->o->attach && !isnan(r->o->attach->cpu_budget_ratio))
		say_note("cpu budget: used %.2f %% of the node (%.2f %% in the probes) of %.3g %% allowed",
			 (r->totals.cpu_ratio + r->totals.probes_ratio) * 100 / (double)cpus_online(),
			 r->totals.probes_ratio * 100 / (double)cpus_online(), r->o->attach->cpu_budget_ratio * 100);
}

/* What the recorder itself took, among the facts of the recording. The writer is gone: the store is ours again. */
static void put_cost(struct recorder *r)
{
	struct store_error err;
	struct json j;

	json_init(&j, false);
	json_object(&j, NULL);
	json_number(&j, "cpu_cores", r->totals.cpu_ratio);
	json_number(&j, "probes_cores", r->totals.probes_ratio);
	json_number(&j, "cpu_ratio", (r->totals.cpu_ratio + r->totals.probes_ratio) / (double)cpus_online());
	json_uint(&j, "map_bytes", r->totals.map_bytes);
	json_object_end(&j);
	if (store_put_meta(r->store, "recorder_cost", j.buf, &err))
		say_detail("the cost of recording is not in the file: %s", err.text);
	json_done(&j);
}

/* A second Ctrl-C while everything was being closed asked for what has been done: it must not kill us on the last metre. */
static void restore_signals(struct recorder *r)
{
	sigset_t ours;

	sigemptyset(&ours);
	for (size_t i = 0; i < sizeof(end_signals) / sizeof(end_signals[0]); i++)
		if (!sigismember(&r->signals, end_signals[i]))
			sigaddset(&ours, end_signals[i]);
	while (sigtimedwait(&ours, NULL, &(struct timespec){0}) > 0)
		;
	sigprocmask(SIG_SETMASK, &r->signals, NULL);
}

static void recorder_close(struct recorder *r)
{
	writer_close(r->writer, LAST_TICKS_MS);
	if (r->writer && r->totals.ticks)
		put_cost(r);
	store_close(r->store);
	loop_free(r->loop);
	attach_filter_done(&r->filter);
	plaintext_close(r->plaintext);
	pcap_output_close(r->pcap);
	model_free(r->model);
	sources_close(&r->sources);
	restore_signals(r);
}

/* The file first: a second recorder is refused before it attaches anything. */
static int recorder_open(struct recorder *r)
{
	struct store_error err;
	int ret = open_loop(r);

	if (ret)
		return ret;
	r->store = store_open_writer(r->o->path, &r->o->limits, &err);
	if (!r->store)
		return say_error(EXIT_FAILED, "%s", err.text);
	ret = sources_open(&r->sources, r->o->attach, r->o->no_bpf);
	say_probes(&r->sources.report);
	if (ret == 0)
		ret = open_model(r);
	if (ret == 0)
		ret = put_meta(r);
	if (ret == 0 && r->o->attach && r->o->attach->write_pcap)
		ret = pcap_output_open(&r->pcap, r->o->attach->write_pcap, r->o->limits.max_bytes, r->model);
	if (ret == 0 && !(r->writer = writer_open(r->store)))
		ret = say_error(EXIT_FAILED, "cannot start the writing thread: %s", strerror(errno));
	return ret;
}

/* The probes on TLS libraries come last: what they will cost is seen by then. The ring is emptied meanwhile. */
static void begin_plaintext(struct recorder *r)
{
	uint64_t end = clock_ts_ns() + NS_PER_S;

	r->plaintext = plaintext_open(r->o->attach, &r->sources, r->model);
	while (r->plaintext && clock_ts_ns() < end) {
		drain(r);
		usleep(DRAIN_BUSY_NS / 1000);
	}
	plaintext_begin(r->plaintext);
}

static int run(struct recorder *r, recorder_ready_fn *ready, void *arg)
{
	struct store_error err;
	int ret = first_tick(r);
	struct turn turn;

	if (ret == 0)
		begin_plaintext(r);
	if (ret == 0)
		ret = start_timers(r);
	if (ret)
		return ret;
	if (ready)
		ready(arg, r->o->path);
	turn_ask(&turn);
	ret = loop_run(r->loop) ? say_error(EXIT_FAILED, "the event loop failed") : r->exit_code;
	turn_give_back(&turn);
	model_note(r->model, clock_unix_ns(), "recorder", "recording ends");
	if (r->sources.profile)
		profile_stop(r->sources.profile);
	model_end(r->model);
	if (r->sources.bpf)
		bpf_source_ends(r->sources.bpf);
	take_tick(r, false);
	if (writer_flush(r->writer, LAST_TICKS_MS, &err))
		say_store_news(r);
	say_summary(r);
	return ret;
}

/* A symbol table takes megabytes for a moment. glibc would take the first one that is freed as a sign to keep the next ones
 * on its heap, where they leave holes: large blocks go back to the kernel instead. */
static void bound_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
	mallopt(M_TRIM_THRESHOLD, 2 * LARGE_BLOCK);
}

int recorder_run(const struct recorder_options *o, recorder_ready_fn *ready, void *arg)
{
	struct recorder r = {.o = o};
	int ret;

	bound_memory();
	ret = recorder_open(&r);
	if (ret == 0)
		ret = run(&r, ready, arg);
	recorder_close(&r);
	return ret;
}
