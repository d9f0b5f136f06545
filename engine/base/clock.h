/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock: the only place that asks the time, and the texts of times and durations.
 *
 * Monotonic `ts_ns` (CLOCK_MONOTONIC, what the kernel side stamps) and wall-clock `unix_ns` (nanoseconds since 1970 UTC)
 * never mix except through clock_wall().
 */
#ifndef ROOTLE_BASE_CLOCK_H
#define ROOTLE_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_S 1000000000ll
#define NS_PER_MS 1000000ll

uint64_t clock_ts_ns(void);      /* CLOCK_MONOTONIC */
int64_t clock_unix_ns(void);     /* CLOCK_REALTIME */
/* The wall time of a monotonic stamp, with the offset as it is now. */
int64_t clock_wall(uint64_t ts_ns);

/* "500ms" "10s" "5m" "1h30m" "2d" "1.5h" (units ns us ms s m h d w; a bare number is refused). 0 and *ns, or -EINVAL. */
int duration_parse(const char *s, int64_t *ns);
/* The shortest exact-enough text: "1h30m", "45s", "250ms". Returns buf. */
char *duration_format(char *buf, size_t cap, int64_t ns);

/* One point in time, as contract: RFC 3339, "14:05" "14:05:06" (today, or yesterday where that lies in the future),
 * "2026-01-02 14:05:06", "2026-01-02", "@1589808367[.5]", a duration (that long before now), "now". Clock times are
 * local time (TZ). now_ns is given, not asked. 0 and *unix_ns, or -EINVAL. */
int time_parse(const char *s, int64_t now_ns, int64_t *unix_ns);
/* RFC 3339 UTC with milliseconds, "2026-01-02T14:05:06.123Z". Returns buf; cap >= 32. */
char *time_rfc3339(char *buf, size_t cap, int64_t unix_ns);
/* Local clock time "14:05:06". Returns buf; cap >= 16. */
char *time_clock(char *buf, size_t cap, int64_t unix_ns);

#endif
