/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "command.h"
#include "sort.h"

#define GROUPS(...) ((const struct option_row *const[]){__VA_ARGS__, options_common, NULL})
#define COMMON ((const struct option_row *const[]){options_common, NULL})
#define READ options_db, options_pcap, options_range, options_service, options_json, options_for, options_attach, options_kernel

#define FILTERS "Protocol and operation choose requests, status and latency (p95) choose rows of all their requests."

const struct command command_table[] = {
	{"top", "", "live view of services, their map and what is wrong",
	 "Reads the recording that is being written, or starts a recorder of its own and stops it on leaving.",
	 GROUPS(options_one_db, options_pcap, options_service, options_attach, options_kernel), cmd_top},
	{"record", "", "attach the probes and write the rolling window",
	 "Runs until the time is up, or SIGINT, SIGTERM or SIGHUP. Prints 'recording: FILE' once every probe is attached and the "
	 "first tick is in the file.",
	 GROUPS(options_one_db, options_for, options_record, options_attach, options_kernel), cmd_record},
	{"status", "", "is a recorder running, and what is in the recording",
	 "Exit code 0: somebody is recording; 3: nobody is.", GROUPS(options_one_db, options_json), cmd_status},
	{"stop", "", "end the recorder that writes the recording", "Returns when it is gone.", GROUPS(options_one_db), cmd_stop},
	{"snapshot", "FILE", "one-file copy of the window, for the ticket", "Refuses to overwrite FILE.",
	 GROUPS(options_one_db, options_pcap, options_range), cmd_snapshot, 1, 1},
	{"mark", "TEXT", "put a note on the timeline: \"rolled back\"", NULL, GROUPS(options_one_db), cmd_mark, 1, 1},
	{"explain", "", "what broke, and why: ranked causes with evidence",
	 "Without --service it looks for the worst symptom in the range. With --service and --symptom the symptom is taken "
	 "as given.",
	 GROUPS(options_explain, READ), cmd_explain},
	{"incidents", "", "one row per incident with its first cause", NULL, GROUPS(READ), cmd_incidents},
	{"map", "", "who calls whom, and how well",
	 FILTERS " Callers on the left. What does not fit is folded where it is healthy.", GROUPS(options_map, options_filter, READ), cmd_map,
	 .sorts = sort_edges},
	{"services", "", "one row per service: use, load, errors",
	 FILTERS " With --json the reason for a name is there in either form.", GROUPS(options_services, options_time, options_filter, READ), cmd_services,
	 .sorts = sort_services},
	{"edges", "", "one row per caller and callee: load, latency, TCP health",
	 FILTERS " With --json every number is there in either form.", GROUPS(options_edges, options_time, options_filter, READ), cmd_edges,
	 .sorts = sort_edges},
	{"requests", "", "one row per caller, callee and operation", FILTERS, GROUPS(options_time, options_filter, READ), cmd_requests,
	 .sorts = sort_requests},
	{"traces", "[ID]", "requests with all that they caused; one drawn in time",
	 "Without ID: one row a trace, the slowest first. The filters are about any hop of it, the latencies about the first. With ID, "
	 "or so much of it as only one has: where its time went, hop by hop.",
	 GROUPS(options_filter, READ), cmd_traces, 0, 1, .sorts = sort_traces},
	{"profile", "", "where the CPU time goes: services, and their functions",
	 "Samples of the CPUs, added up by service and stack. --pid: of these processes only.", GROUPS(options_profile, READ),
	 cmd_profile},
	{"events", "", "starts, exits, deploys, kills, notes", NULL, GROUPS(READ), cmd_events},
	{"check", "", "what this kernel and these privileges allow, rung by rung",
	 "Exit code 69 where nothing at all can be observed.", GROUPS(options_check, options_json, options_kernel), cmd_check},
	{"export", "", "the recording as ndjson", NULL, GROUPS(options_export, options_db, options_pcap, options_range), cmd_export},
	{"import", "FILE...", "ndjson into a recording",
	 "One transaction a file: a line that is refused keeps the whole file out.", GROUPS(options_one_db), cmd_import, 1, -1},
	{"demo", "[SCENARIO]", "start a small real system, break it, explain it",
	 "nginx, a shop and PostgreSQL on loopback under a steady load: recorded, broken, explained, cleaned up.",
	 GROUPS(options_demo, options_json), cmd_demo, 0, 1},
	{"demo-part", "NAME ARGUMENTS...", "a program of the demo's system", NULL, COMMON, cmd_demo_part, 1, -1,
	 .hidden = true, .raw = true},
	{"help", "[COMMAND]", "this list, or the help of a command", NULL, COMMON, cmd_help, 0, 1},
	{"version", "", "the version", NULL, COMMON, cmd_version},
	{"completion", "bash", "print the completion script of a shell", NULL, COMMON, cmd_completion, 1, 1},
	{0},
};

const struct command *command_find(const char *name)
{
	for (const struct command *c = command_table; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}
