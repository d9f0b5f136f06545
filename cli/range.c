/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "base/clock.h"
#include "range.h"
#include "say.h"

/* Being a tick or so off the ends is not "asking for more than there is". */
#define TOLERANCE_NS (2 * NS_PER_S)

int range_resolve(const struct options *o, int64_t first_ns, int64_t last_ns, struct range *ret, const char **why)
{
	bool has_since = o->since_ns != TIME_UNSET, has_until = o->until_ns != TIME_UNSET;
	int64_t until = has_until ? o->until_ns : last_ns;
	int64_t since = has_since ? o->since_ns : o->last_ns ? until - o->last_ns : first_ns;

	if (has_since && o->last_ns) {
		*why = "--since and --last exclude each other";
		return -EINVAL;
	}
	if (has_since && has_until && since >= until) {
		*why = "--since is not before --until";
		return -EINVAL;
	}
	*ret = (struct range){.explicit_ = has_since || has_until || o->last_ns};
	ret->cut_before = since < first_ns - TOLERANCE_NS;
	ret->cut_after = has_until && until > last_ns + TOLERANCE_NS;
	ret->since_ns = since < first_ns ? first_ns : since;
	ret->until_ns = until > last_ns ? last_ns : until;
	if (ret->since_ns > ret->until_ns)
		ret->since_ns = ret->until_ns;
	return 0;
}

void range_say(const struct range *r, int64_t first_ns, int64_t last_ns)
{
	char a[32], b[32], d[32];

	if (first_ns >= last_ns) {
		say_note("range: the recording is empty");
		return;
	}
	if (r->since_ns >= r->until_ns) {
		say_note("range: nothing there; the recording has %s to %s", time_rfc3339(a, sizeof(a), first_ns),
			 time_rfc3339(b, sizeof(b), last_ns));
		return;
	}
	say_note("range: %s to %s (%s)%s", time_rfc3339(a, sizeof(a), r->since_ns), time_rfc3339(b, sizeof(b), r->until_ns),
		 duration_format(d, sizeof(d), r->until_ns - r->since_ns), r->explicit_ ? "" : ", all there is");
	if (r->cut_before)
		say_note("range: asked for more than there is: the recording begins at %s",
			 time_rfc3339(a, sizeof(a), first_ns));
	if (r->cut_after)
		say_note("range: asked for more than there is: the recording ends at %s", time_rfc3339(a, sizeof(a), last_ns));
}
