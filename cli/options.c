/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/vec.h"
#include "collect/map_plan.h"
#include "exit.h"
#include "nearest.h"
#include "options.h"
#include "say.h"

#define CPU_BUDGET_DEFAULT 0.10

void options_init(struct options *o, int64_t now_ns)
{
	*o = (struct options){
		.now_ns = now_ns,
		.color = "auto",
		.since_ns = TIME_UNSET,
		.until_ns = TIME_UNSET,
		.baseline = {TIME_UNSET, TIME_UNSET},
		.cpu_budget_ratio = CPU_BUDGET_DEFAULT,
		.memory_bytes = MAP_BUDGET_DEFAULT,
		.tls_budget_ratio = 0.05,
	};
}

void options_done(struct options *o)
{
	vec_done(&o->db);
	vec_done(&o->pcap);
	vec_done(&o->cgroup);
	vec_done(&o->exclude_cgroup);
	vec_done(&o->protocols);
	vec_done(&o->pid);
	vec_done(&o->port);
	vec_done(&o->exclude_pid);
	vec_done(&o->exclude_port);
}

const struct option_row *options_find(const struct option_row *const *groups, const char *name, size_t len)
{
	for (; *groups; groups++)
		for (const struct option_row *row = *groups; row->name; row++)
			if (strlen(row->name) == len && memcmp(row->name, name, len) == 0)
				return row;
	return NULL;
}

static int set_choice(const char **to, const struct option_row *row, const char *value, char *why, size_t cap)
{
	size_t len = strlen(value);

	for (const char *c = row->choices; c; c = strchr(c, '|') ? strchr(c, '|') + 1 : NULL)
		if (strcspn(c, "|") == len && len && memcmp(c, value, len) == 0) {
			*to = value;
			return 0;
		}
	snprintf(why, cap, "'%s' is none of %s", value, row->choices);
	return -EINVAL;
}

static int set_numbers(struct number_list *list, uint32_t max, const char *value, char *why, size_t cap)
{
	const char *p = value;

	do {
		char *end;
		unsigned long long v = *p >= '0' && *p <= '9' ? strtoull(p, &end, 10) : (end = (char *)p, 0);

		if (end == p || (*end && *end != ',') || v == 0 || v > max) {
			snprintf(why, cap, "'%s' is not a number from 1 to %u", value, max);
			return -EINVAL;
		}
		uint32_t *slot = vec_push(list);

		if (!slot)
			return -ENOMEM;
		*slot = (uint32_t)v;
		p = *end ? end + 1 : NULL;
	} while (p);
	return 0;
}

static int set_number(uint32_t *to, uint32_t max, const char *value, char *why, size_t cap)
{
	char *end;
	unsigned long long v = strtoull(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || v == 0 || v > max) {
		snprintf(why, cap, "'%s' is not a number from 1 to %u", value, max);
		return -EINVAL;
	}
	*to = (uint32_t)v;
	return 0;
}

static int set_range(struct time_range *to, int64_t now_ns, const char *value, char *why, size_t cap)
{
	const char *dots = strstr(value, "..");
	char left[64];

	if (dots && (size_t)(dots - value) < sizeof(left)) {
		struct time_range r;

		memcpy(left, value, (size_t)(dots - value));
		left[dots - value] = '\0';
		if (time_parse(left, now_ns, &r.since_ns) == 0 && time_parse(dots + 2, now_ns, &r.until_ns) == 0 &&
		    r.since_ns < r.until_ns) {
			*to = r;
			return 0;
		}
	}
	snprintf(why, cap, "'%s' is not a range A..B of two times, the earlier one first", value);
	return -EINVAL;
}

static int set_budget(double *to, const char *value, char *why, size_t cap)
{
	char *end;
	double percent = strtod(value, &end);

	if (strcmp(value, "off") == 0) {
		*to = NAN;
		return 0;
	}
	if (end != value && strcmp(end, "%") == 0 && percent > 0 && percent <= 100) {
		*to = percent / 100;
		return 0;
	}
	snprintf(why, cap, "'%s' is neither 'off' nor a share like 10%%", value);
	return -EINVAL;
}

static int set_positive(int (*parse)(const char *, int64_t *), int64_t *to, const char *value, const char *form, char *why,
			size_t cap)
{
	int64_t v;

	if (parse(value, &v) == 0 && v > 0) {
		*to = v;
		return 0;
	}
	snprintf(why, cap, "'%s' is not %s", value, form);
	return -EINVAL;
}

static int set_memory(int64_t *to, const char *value, char *why, size_t cap)
{
	int ret = set_positive(size_parse, to, value, "a size like 24M", why, cap);

	if (ret == 0 && *to < MAP_BUDGET_MIN) {
		snprintf(why, cap, "%s is too little to attach with: at least %uM", value, MAP_BUDGET_MIN >> 20);
		ret = -EINVAL;
	}
	return ret;
}

static int set_flag(bool *to, const char *value, char *why, size_t cap)
{
	if (value && strcmp(value, "true") && strcmp(value, "false")) {
		snprintf(why, cap, "'%s' is neither true nor false", value);
		return -EINVAL;
	}
	*to = !value || strcmp(value, "true") == 0;
	return 0;
}

static int set_time(int64_t *to, int64_t now_ns, const char *value, char *why, size_t cap)
{
	if (time_parse(value, now_ns, to) == 0)
		return 0;
	snprintf(why, cap, "'%s' is not a time like 14:05, 10m, @1589808367 or 2026-01-02T14:05:06Z", value);
	return -EINVAL;
}

static void keep_time(struct options *o, const struct option_row *row, const char *value)
{
	for (size_t i = 0; i < OPTION_TIMES; i++) {
		if (o->times[i].row && o->times[i].row != row)
			continue;
		o->times[i].row = row;
		o->times[i].value = value;
		return;
	}
}

void options_now(struct options *o, int64_t now_ns)
{
	char why[8];

	o->now_ns = now_ns;
	for (size_t i = 0; i < OPTION_TIMES && o->times[i].row; i++) {
		const struct option_row *row = o->times[i].row;
		void *at = (char *)o + row->at;

		/* they were understood once */
		if (row->type == OPT_TIME)
			set_time(at, now_ns, o->times[i].value, why, sizeof(why));
		else
			set_range(at, now_ns, o->times[i].value, why, sizeof(why));
	}
}

/* What a higher level says about a list replaces what the lower one said. */
#define list_level(list, lv) ((list)->level < (lv) ? ((list)->level = (lv), (list)->n = 0) : 0)

int option_set(struct options *o, const struct option_row *row, const char *value, int level, char *why, size_t cap)
{
	void *at = (char *)o + row->at;

	if (row->type != OPT_FLAG && !*value) {
		snprintf(why, cap, "the value is empty");
		return -EINVAL;
	}
	switch (row->type) {
	case OPT_FLAG:
		return set_flag(at, value, why, cap);
	case OPT_TEXT:
		*(const char **)at = value;
		return 0;
	case OPT_CHOICE:
		return set_choice(at, row, value, why, cap);
	case OPT_LIST: {
		struct text_list *list = at;

		list_level(list, level);
		const char **slot = vec_push(list);

		return slot ? (*slot = value, 0) : -ENOMEM;
	}
	case OPT_NUMBER:
		return set_number(at, row->max, value, why, cap);
	case OPT_NUMBERS:
		list_level((struct number_list *)at, level);
		return set_numbers(at, row->max, value, why, cap);
	case OPT_DURATION:
		return set_positive(duration_parse, at, value, "a duration like 30s, 5m or 1h30m", why, cap);
	case OPT_SIZE:
		return set_positive(size_parse, at, value, "a size like 64M or 1G", why, cap);
	case OPT_TIME:
		keep_time(o, row, value);
		return set_time(at, o->now_ns, value, why, cap);
	case OPT_RANGE:
		keep_time(o, row, value);
		return set_range(at, o->now_ns, value, why, cap);
	case OPT_BUDGET:
		return set_budget(at, value, why, cap);
	case OPT_MEMORY:
		return set_memory(at, value, why, cap);
	}
	return -EINVAL;
}

static int unknown_option(const char *command, const struct option_row *const *groups, const char *arg)
{
	char name[64];
	struct nearest near;
	size_t len = strcspn(arg, "=");

	snprintf(name, sizeof(name), "%.*s", (int)len, arg);
	nearest_init(&near, name + strspn(name, "-"));
	for (; *groups; groups++)
		for (const struct option_row *row = *groups; row->name; row++)
			nearest_offer(&near, row->name);
	if (near.best)
		return say_error(EXIT_USAGE, "%s: unknown option '%s', did you mean --%s?", command, name, near.best);
	return say_error(EXIT_USAGE, "%s: unknown option '%s', see rootle %s --help", command, name, command);
}

/* One option at argv[*i]; moves *i past its value. */
static int parse_one(struct options *o, const char *command, const struct option_row *const *groups, int argc, char **argv,
		     int *i)
{
	const char *arg = argv[*i];
	const char *name = strcmp(arg, "-h") == 0 ? "--help" : arg;
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct option_row *row = text_starts(name, "--") ? options_find(groups, name + 2, len - 2) : NULL;
	char why[256] = "out of memory";

	if (!row)
		return unknown_option(command, groups, arg);
	if (row->type == OPT_FLAG && value)
		return say_error(EXIT_USAGE, "%s: --%s takes no value", command, row->name);
	if (row->type != OPT_FLAG && !value) {
		if (*i + 1 >= argc)
			return say_error(EXIT_USAGE, "%s: --%s needs a value: --%s %s", command, row->name, row->name, row->arg);
		value = argv[++*i];
	}
	if (option_set(o, row, value, LEVEL_COMMAND_LINE, why, sizeof(why)))
		return say_error(EXIT_USAGE, "%s: --%s: %s", command, row->name, why);
	return 0;
}

int options_parse(struct options *o, const char *command, const struct option_row *const *groups, int argc, char **argv,
		  int *nargs)
{
	bool only_args = false;

	*nargs = 0;
	for (int i = 1; i < argc; i++) {
		if (!only_args && strcmp(argv[i], "--") == 0) {
			only_args = true;
		} else if (!argv[i][0]) {
			return say_error(EXIT_USAGE, "%s: an argument is empty", command);
		} else if (only_args || argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[(*nargs)++] = argv[i];
		} else {
			int ret = parse_one(o, command, groups, argc, argv, &i);

			if (ret)
				return ret;
		}
	}
	return 0;
}
