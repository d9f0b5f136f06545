/* SPDX-License-Identifier: BSD-2-Clause */
#include "capture_import.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "collect/capture.h"
#include "collect/fragments.h"
#include "collect/pcap_file.h"
#include "exit.h"
#include "model/model.h"
#include "say.h"
#include "store/store.h"

#define TICK_NS (uint64_t)NS_PER_S
#define SILENCE_NS (5 * TICK_NS)        /* of a longer one nothing is told second by second */
#define SIGNALS_EVERY 65536u            /* packets */
#define BACK_NS TICK_NS                 /* a packet that is older than the last one by more: the clock was set, or captures were put together */
#define LATEST_NS (UINT64_MAX / 2)

struct import {
	struct pcap_files *files;
	struct fragments *fragments;
	struct capture *capture;
	struct model *model;
	struct store *store;
	uint64_t begin_ns;              /* of the tick; 0: no packet yet */
	uint64_t last_ns;               /* the latest packet */
	uint64_t shift_ns;              /* added to the capture's clock since it went back */
	uint64_t packets, other, cut, ticks, back;
};

static void on_record(void *arg, const struct ev_hdr *ev)
{
	struct import *im = arg;

	model_event(im->model, ev);
}

static void on_wish(void *arg, uint64_t cookie, int wish)
{
	struct import *im = arg;

	capture_wish(im->capture, cookie, wish);
}

static void count_losses(struct import *im)
{
	struct capture_counters n;

	capture_counters(im->capture, &n);
	model_loss(im->model, "capture", "cut_segments", n.cut_segments);
	model_loss(im->model, "capture", "forgotten", n.forgotten);
	model_loss(im->model, "capture", "fragments", fragments_lost(im->fragments));
	model_loss(im->model, "capture", "broken_packets", im->cut);
}

static int end_tick(struct import *im, uint64_t end_ns)
{
	struct store_error err;
	struct tick *t;
	int ret;

	capture_tick(im->capture, end_ns);
	count_losses(im);
	t = model_tick(im->model, end_ns, (int64_t)im->begin_ns, (int64_t)(end_ns - im->begin_ns));
	if (!t)
		return say_error(EXIT_FAILED, "out of memory");
	ret = store_put_tick(im->store, t, &err) ? say_error(EXIT_FAILED, "%s", err.text) : 0;
	tick_free(t);
	im->begin_ns = end_ns;
	im->ticks++;
	return ret;
}

/* The ticks that are over when a packet comes at ts_ns. */
static int end_ticks(struct import *im, uint64_t ts_ns)
{
	int ret = 0;

	while (ret == 0 && ts_ns >= im->begin_ns + TICK_NS) {
		uint64_t silence = ts_ns - im->begin_ns;

		ret = end_tick(im, im->begin_ns + TICK_NS);
		if (ret == 0 && silence > SILENCE_NS)
			ret = end_tick(im, ts_ns - ts_ns % TICK_NS);
	}
	return ret;
}

static bool interrupted(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) ||
					     sigismember(&pending, SIGHUP));
}

/* Time never goes back behind the tick. Where the clock does, what follows is dated on from there, so that it keeps its distances. */
static uint64_t time_of(struct import *im, uint64_t unix_ns)
{
	uint64_t ts_ns = unix_ns && unix_ns + im->shift_ns < LATEST_NS ? unix_ns + im->shift_ns : im->last_ns;

	if (!im->begin_ns)
		im->begin_ns = ts_ns < TICK_NS ? 1 : ts_ns - ts_ns % TICK_NS;
	if (ts_ns + BACK_NS < im->last_ns) {
		im->shift_ns += im->last_ns - ts_ns;
		im->back++;
		ts_ns = im->last_ns;
	}
	if (ts_ns < im->begin_ns)
		ts_ns = im->begin_ns;
	if (ts_ns > im->last_ns)
		im->last_ns = ts_ns;
	return ts_ns;
}

static int take_packet(struct import *im, const struct pcap_record *r)
{
	uint64_t ts_ns = time_of(im, r->unix_ns);
	struct capture_packet p;
	int ret, got;

	ret = end_ticks(im, ts_ns);
	if (ret)
		return ret;
	got = capture_packet_parse(r->link, r->p, r->cap, r->len, im->fragments, ts_ns, &p);
	if (got > 0)
		capture_take(im->capture, ts_ns, &p);
	im->packets++;
	im->other += got == 0;
	im->cut += got < 0;
	if (im->packets % SIGNALS_EVERY == 0 && interrupted())
		return say_error(EXIT_FAILED, "interrupted");
	return 0;
}

static void say_what(const struct import *im, const char *const *paths, size_t n)
{
	struct capture_counters c;

	capture_counters(im->capture, &c);
	say_note("capture: %llu packets, %llu of TCP, %llu of UDP%s", (unsigned long long)im->packets, (unsigned long long)c.segments,
		 (unsigned long long)c.datagrams, c.copies ? ", the others of no use or seen before" : "");
	if (c.cut_segments)
		say_note("capture: %llu segments were not captured whole (snap length): some requests in them cannot be read",
			 (unsigned long long)c.cut_segments);
	if (im->back)
		say_note("capture: its clock goes back %llu times: what follows is dated on from there", (unsigned long long)im->back);
	for (size_t i = 0; i < n; i++)
		if (pcap_files_broken(im->files, i))
			say_note("%s: ends in the middle, what is before that was read: %s", paths[i], pcap_files_broken(im->files, i));
}

static int read_all(struct import *im, const char *const *paths, size_t n)
{
	struct pcap_record r;
	int ret = 0;

	while (ret == 0 && pcap_files_next(im->files, &r))
		ret = take_packet(im, &r);
	if (ret)
		return ret;
	say_what(im, paths, n);
	if (!im->packets)
		return say_error(EXIT_NO_DATA, "%s: there is no packet in it", paths[0]);
	model_end(im->model);
	return end_tick(im, im->begin_ns + TICK_NS);
}

static int put_meta(struct import *im, const char *const *paths, bool raw)
{
	const char *name = strrchr(paths[0], '/') ? strrchr(paths[0], '/') + 1 : paths[0];
	const char *const rows[][2] = {{"node", name}, {"version", ROOTLE_VERSION}, {"capture", name}};
	struct store_error err;

	if (raw && store_put_meta(im->store, "raw", "1", &err))
		return say_error(EXIT_FAILED, "%s", err.text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (store_put_meta(im->store, rows[i][0], rows[i][1], &err))
			return say_error(EXIT_FAILED, "%s", err.text);
	return 0;
}

static int import_open(struct import *im, const char *const *paths, size_t n, const char *db, bool raw)
{
	static const struct store_limits no_limits;
	struct model_options mo = {.node = "capture", .by_address = true, .raw = raw, .wish = on_wish, .wish_arg = im};
	struct store_error err;
	char why[512];

	if (pcap_files_open(paths, n, &im->files, why, sizeof(why)))
		return say_error(EXIT_FAILED, "%s", why);
	im->fragments = fragments_new();
	im->capture = capture_new(on_record, im);
	im->model = model_new(&mo);
	if (!im->fragments || !im->capture || !im->model)
		return say_error(EXIT_FAILED, "out of memory");
	im->store = store_open_writer(db, &no_limits, &err);
	return im->store ? put_meta(im, paths, raw) : say_error(EXIT_FAILED, "%s", err.text);
}

int capture_import(const char *const *paths, size_t n, const char *db, bool raw)
{
	struct import im = {0};
	int ret = import_open(&im, paths, n, db, raw);

	if (ret == 0)
		ret = read_all(&im, paths, n);
	model_free(im.model);
	capture_free(im.capture);
	fragments_free(im.fragments);
	pcap_files_close(im.files);
	store_close(im.store);
	return ret;
}
