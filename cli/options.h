/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options: every option of every command, declared once.
 *
 * A command names groups of options; the same rows parse the command line and the configuration file, generate --help
 * and the completions, and are checked against the manual by a test.  The last one given wins, lists grow; what the
 * command line says about a list replaces what the configuration file says.
 */
#ifndef ROOTLE_CLI_OPTIONS_H
#define ROOTLE_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIME_UNSET INT64_MIN

struct text_list { const char **v; size_t n, cap; int level; };
struct number_list { uint32_t *v; size_t n, cap; int level; };
struct time_range { int64_t since_ns, until_ns; };      /* both TIME_UNSET, or both set and since < until */

struct option_row;
struct name_rules;
struct sort_key;

#define OPTION_TIMES 3                  /* options with a time: --since, --until, --baseline */

struct options {
	int64_t now_ns;                 /* the one "now" that relative times count from */
	struct { const struct option_row *row; const char *value; } times[OPTION_TIMES];       /* as they were given */
	/* everywhere */
	bool help, version, quiet, verbose, json;
	const char *color, *config;
	const struct name_rules *names; /* of the configuration; NULL: none */
	/* what is read */
	struct text_list db, pcap;
	int64_t since_ns, until_ns;     /* TIME_UNSET: not given */
	int64_t last_ns, for_ns;        /* 0: not given */
	const char *service;
	/* explain */
	const char *symptom;
	struct time_range baseline;
	bool exit_code;
	/* tables */
	const char *protocol, *op, *status;     /* words separated by commas; a pattern; words */
	int64_t min_latency_ns, max_latency_ns; /* 0: not given */
	const char *sort;
	const struct sort_key *sort_key;        /* --sort, found in the command's table; NULL: not given */
	uint32_t limit;                 /* 0: not given */
	bool follow;
	bool health, time, why;
	/* record */
	int64_t keep_ns, max_bytes;
	const char *write_pcap;         /* a file */
	bool detach, no_bpf, no_profile, no_trace_ids, all_traces, raw;
	uint32_t profile_hz;            /* 0: not given */
	bool tls;
	struct number_list tls_pid;
	double tls_budget_ratio;        /* NaN: off */
	struct number_list pid, port, exclude_pid, exclude_port;
	struct text_list cgroup, exclude_cgroup, protocols;
	double cpu_budget_ratio;        /* NaN: off */
	const char *btf, *rung, *host_root;     /* NULL: not given */
	int64_t memory_bytes;           /* of all BPF maps */
	/* profile */
	bool folded;
	const char *svg;                /* a file; of the map, too */
	/* map */
	bool tree, dot;
	uint32_t width, height;         /* 0: not given */
	/* check, export, demo */
	bool probes;
	const char *format;
	bool list, keep_running;
	const char *stop;               /* a folder */
	int64_t healthy_ns, fault_ns;   /* 0: not given */
};

enum option_type {
	OPT_FLAG,        /* bool */
	OPT_TEXT,        /* const char * */
	OPT_CHOICE,      /* const char *, one of `choices` */
	OPT_LIST,        /* struct text_list */
	OPT_NUMBER,      /* uint32_t, 1..max */
	OPT_NUMBERS,     /* struct number_list, 1..max; "80,443" or repeated */
	OPT_DURATION,    /* int64_t ns > 0 */
	OPT_SIZE,        /* int64_t bytes > 0 */
	OPT_TIME,        /* int64_t unix ns */
	OPT_RANGE,       /* struct time_range, "A..B" */
	OPT_BUDGET,      /* double ratio: "10%", or NaN: "off" */
	OPT_MEMORY,      /* int64_t bytes >= MAP_BUDGET_MIN */
};

struct option_row {
	const char *name;        /* without the dashes; NULL ends a group */
	enum option_type type;
	size_t at;               /* offset in struct options */
	const char *arg;         /* the value's name in the help; NULL for flags */
	const char *help;        /* one line, no full stop */
	const char *choices;     /* OPT_CHOICE: "a|b|c" */
	uint32_t max;            /* OPT_NUMBER, OPT_NUMBERS */
	bool config;             /* may stand in the configuration file */
};

extern const struct option_row options_common[], options_json[], options_db[], options_one_db[], options_pcap[], options_range[],
	options_service[], options_for[], options_explain[], options_edges[], options_services[], options_time[], options_filter[], options_record[],
	options_attach[], options_kernel[], options_profile[], options_map[], options_check[], options_export[], options_demo[];

enum option_level { LEVEL_DEFAULT, LEVEL_SYSTEM, LEVEL_USER, LEVEL_COMMAND_LINE };

void options_init(struct options *o, int64_t now_ns);
void options_done(struct options *o);

/* The row of that name in these groups (NULL-terminated), or NULL. */
const struct option_row *options_find(const struct option_row *const *groups, const char *name, size_t len);

/* Sets one option from text that must stay valid as long as o. 0, or -EINVAL with why (static or in buf). */
int option_set(struct options *o, const struct option_row *row, const char *value, int level, char *why, size_t cap);

/* There is another "now" than was thought, the end of a capture: times that were given count from it. */
void options_now(struct options *o, int64_t now_ns);

/* Takes the options out of argv (argv[0] is the command); what is left is positional: argv[0..*nargs). 0, or EXIT_USAGE
 * after one line on stderr. */
int options_parse(struct options *o, const char *command, const struct option_row *const *groups, int argc, char **argv,
		  int *nargs);

#endif
