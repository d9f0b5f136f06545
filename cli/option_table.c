/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of all options, in the groups that commands share.
 */
#include "collect/profile.h"
#include "options.h"

#define AT(field) offsetof(struct options, field)

const struct option_row options_common[] = {
	{"help", OPT_FLAG, AT(help), NULL, "show this help"},
	{"version", OPT_FLAG, AT(version), NULL, "show the version"},
	{"color", OPT_CHOICE, AT(color), "WHEN", "auto, always or never; NO_COLOR is obeyed", "auto|always|never", 0, true},
	{"quiet", OPT_FLAG, AT(quiet), NULL, "no notes on stderr, only errors", NULL, 0, true},
	{"verbose", OPT_FLAG, AT(verbose), NULL, "more notes on stderr", NULL, 0, true},
	{"config", OPT_TEXT, AT(config), "FILE", "read this configuration file only"},
	{0},
};

const struct option_row options_json[] = {
	{"json", OPT_FLAG, AT(json), NULL, "JSON for programs instead of text for people"},
	{0},
};

const struct option_row options_db[] = {
	{"db", OPT_LIST, AT(db), "FILE", "the recording; may be given more than once", NULL, 0, true},
	{0},
};

/* Of commands that work on one recording. */
const struct option_row options_one_db[] = {
	{"db", OPT_LIST, AT(db), "FILE", "the recording", NULL, 0, true},
	{0},
};

const struct option_row options_pcap[] = {
	{"pcap", OPT_LIST, AT(pcap), "FILE", "read this capture instead (pcap, pcapng; -: stdin)"},
	{0},
};

const struct option_row options_range[] = {
	{"since", OPT_TIME, AT(since_ns), "TIME", "from: 14:05, 10m (ago), @1589808367, RFC 3339"},
	{"until", OPT_TIME, AT(until_ns), "TIME", "to: same forms, or now"},
	{"last", OPT_DURATION, AT(last_ns), "DURATION", "this long before the end: 10m, 1h30m"},
	{0},
};

const struct option_row options_service[] = {
	{"service", OPT_TEXT, AT(service), "NAME", "only what concerns this service"},
	{0},
};

const struct option_row options_for[] = {
	{"for", OPT_DURATION, AT(for_ns), "DURATION", "how long to record"},
	{0},
};

const struct option_row options_explain[] = {
	{"symptom", OPT_CHOICE, AT(symptom), "KIND", "what is wrong with it: latency or errors", "latency|errors"},
	{"baseline", OPT_RANGE, AT(baseline), "A..B", "when it was still good"},
	{"exit-code", OPT_FLAG, AT(exit_code), NULL, "exit 10: cause found, 11: undetermined, 0: healthy"},
	{0},
};

const struct option_row options_edges[] = {
	{"health", OPT_FLAG, AT(health), NULL, "connects, round trips, resets, closed windows, queues"},
	{0},
};

const struct option_row options_time[] = {
	{"time", OPT_FLAG, AT(time), NULL, "where a request's time goes: parts, callees"},
	{0},
};

const struct option_row options_services[] = {
	{"why", OPT_FLAG, AT(why), NULL, "where each name comes from, and the image it runs"},
	{0},
};

/* Of the tables of requests and what they add up to. */
const struct option_row options_filter[] = {
	{"protocol", OPT_TEXT, AT(protocol), "NAME", "only this protocol; several: http,grpc"},
	{"op", OPT_TEXT, AT(op), "TEXT", "only operations with this text, or like it: 'GET /a/*'"},
	{"status", OPT_TEXT, AT(status), "STATUS", "where any ended so: 404, 5xx, error, ok, 42P01"},
	{"min-latency", OPT_DURATION, AT(min_latency_ns), "DURATION", "only where the p95 is at least this: 250ms"},
	{"max-latency", OPT_DURATION, AT(max_latency_ns), "DURATION", "only where it is at most this"},
	{"sort", OPT_TEXT, AT(sort), "KEY", "most of this first, see below"},
	{"limit", OPT_NUMBER, AT(limit), "N", "the first N rows only", NULL, 1000000000},
	{"follow", OPT_FLAG, AT(follow), NULL, "go on: the rows of each new tick as it arrives"},
	{0},
};

const struct option_row options_record[] = {
	{"keep", OPT_DURATION, AT(keep_ns), "DURATION", "length of the rolling window (default 1h)", NULL, 0, true},
	{"max-size", OPT_SIZE, AT(max_bytes), "SIZE", "most bytes of all its files (default 256M)", NULL, 0, true},
	{"write-pcap", OPT_TEXT, AT(write_pcap), "FILE", "also write the payload seen as a capture (pcapng)"},
	{"detach", OPT_FLAG, AT(detach), NULL, "go to the background once recording"},
	{0},
};

const struct option_row options_attach[] = {
	{"no-bpf", OPT_FLAG, AT(no_bpf), NULL, "record only what /proc, sock_diag and PSI tell", NULL, 0, true},
	{"no-profile", OPT_FLAG, AT(no_profile), NULL, "do not sample which functions use the CPUs", NULL, 0, true},
	{"profile-hz", OPT_NUMBER, AT(profile_hz), "N", "samples of each CPU a second (default 49)", NULL, PROFILE_HZ_MAX, true},
	{"pid", OPT_NUMBERS, AT(pid), "PID", "only connections of these processes", NULL, 4194304},
	{"port", OPT_NUMBERS, AT(port), "PORT", "only connections with these ports", NULL, 65535, true},
	{"cgroup", OPT_LIST, AT(cgroup), "PATH", "only connections of processes in this cgroup", NULL, 0, true},
	{"exclude-pid", OPT_NUMBERS, AT(exclude_pid), "PID", "no connections of these processes", NULL, 4194304},
	{"exclude-port", OPT_NUMBERS, AT(exclude_port), "PORT", "no connections with these ports", NULL, 65535, true},
	{"exclude-cgroup", OPT_LIST, AT(exclude_cgroup), "PATH", "no connections of processes in it", NULL, 0, true},
	{"protocols", OPT_LIST, AT(protocols), "FILE", "in-house protocols, see rootle-protocols(5)"},
	{"no-trace-ids", OPT_FLAG, AT(no_trace_ids), NULL, "ignore ids in requests: traceparent, b3, X-Request-ID", NULL, 0, true},
	{"all-traces", OPT_FLAG, AT(all_traces), NULL, "keep every trace, not the telling ones", NULL, 0, true},
	{"raw", OPT_FLAG, AT(raw), NULL, "operations with their values: literals, keys, queries"},
	{"tls", OPT_FLAG, AT(tls), NULL, "also what is inside of TLS, by probes on its libraries", NULL, 0, true},
	{"tls-pid", OPT_NUMBERS, AT(tls_pid), "PID", "the same for these processes and what they start", NULL, 4194304},
	{"tls-budget", OPT_BUDGET, AT(tls_budget_ratio), "SHARE", "of the node for that, or off; past it, it ends (5%)",
	 NULL, 0, true},
	{"cpu-budget", OPT_BUDGET, AT(cpu_budget_ratio), "SHARE", "most of the node to use: off, or a share (default 10%)",
	 NULL, 0, true},
	{0},
};

const struct option_row options_kernel[] = {
	{"btf", OPT_TEXT, AT(btf), "FILE", "BTF of this kernel, for one that has none of its own", NULL, 0, true},
	{"rung", OPT_TEXT, AT(rung), "LIST", "owners=kprobe,…: no better rung than this, to compare"},
	{"host-root", OPT_TEXT, AT(host_root), "DIR", "where the node's /proc and /sys are, in a container", NULL, 0, true},
	{"memory-budget", OPT_MEMORY, AT(memory_bytes), "SIZE", "most memory of the BPF maps (default 48M)", NULL, 0, true},
	{0},
};

const struct option_row options_profile[] = {
	{"folded", OPT_FLAG, AT(folded), NULL, "folded stacks, for flamegraph.pl or speedscope"},
	{"svg", OPT_TEXT, AT(svg), "FILE", "write a flame graph"},
	{0},
};

const struct option_row options_map[] = {
	{"width", OPT_NUMBER, AT(width), "COLUMNS", "of the drawing (default: the terminal, else 80)", NULL, 1000},
	{"height", OPT_NUMBER, AT(height), "ROWS", "of the drawing: what is healthy is folded to fit", NULL, 1000},
	{"tree", OPT_FLAG, AT(tree), NULL, "as a tree of calls, nothing folded"},
	{"dot", OPT_FLAG, AT(dot), NULL, "for Graphviz: rootle map --dot | dot -Tsvg"},
	{"svg", OPT_TEXT, AT(svg), "FILE", "write the drawing as an SVG file"},
	{0},
};

const struct option_row options_check[] = {
	{"probes", OPT_FLAG, AT(probes), NULL, "list every program with its hook and type"},
	{0},
};

const struct option_row options_export[] = {
	{"format", OPT_CHOICE, AT(format), "FORMAT", "ndjson (the default)", "ndjson"},
	{0},
};

const struct option_row options_demo[] = {
	{"list", OPT_FLAG, AT(list), NULL, "list the scenarios"},
	{"keep-running", OPT_FLAG, AT(keep_running), NULL, "leave the system, its fault and the recorder running"},
	{"stop", OPT_TEXT, AT(stop), "FOLDER", "end what --keep-running left"},
	{"healthy", OPT_DURATION, AT(healthy_ns), "TIME", "time before the fault (default 25s)"},
	{"fault", OPT_DURATION, AT(fault_ns), "TIME", "time with the fault (default 20s)"},
	{0},
};
