/* SPDX-License-Identifier: BSD-2-Clause */
/* disk.slow: the device, or its throttle, got slower at the same work. */
#include <math.h>

#include "explain/cause.h"
#include "explain/say.h"

double cause_disk_slow(struct study *s, uint32_t v, struct finding *f)
{
	uint32_t wait, host = study_host(s), await;
	double grown, own = metric_growth(s, v, "disk_read_bytes") + metric_growth(s, v, "disk_write_bytes");
	const char *name = study_name(s, v);

	/* More work at the same speed is the work's fault; without a before there is no telling. */
	if (s->blind || !disk_waits(s, v, &wait) || own > 1e6 || disk_taker(s, v, &grown) != WIN_NONE ||
	    wait_fit(s, v, wait) < FIT_MIN)
		return 0;
	finding_say_series(s, f, wait);
	await = host == WIN_NONE ? WIN_NONE : study_series(s, host, "dev_await_s");
	if (await != WIN_NONE && s->shift[await].z >= Z_SURE)
		finding_say_series(s, f, await);
	finding_say_calls(s, f);
	f->summary = study_text(s, "the disk under %s got slower at the same work: threads wait %s for it in every second", name,
				say_ms(s, s->shift[wait].after * 1e3));
	f->advice = study_text(s, "look at the device and its limits (io.max, blkio.throttle, the cloud volume's quota) under %s", name);
	f->refute = study_text(s, "if %s reads or writes more than before, it is its work and not the disk: %s", name,
			       say_check(s, "services", v));
	return 0.82;
}
