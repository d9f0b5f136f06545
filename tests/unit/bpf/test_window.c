/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "bpf/window.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { ESTABLISHED = 1, SYN_SENT = 2, FIN_WAIT1 = 4, FIN_WAIT2 = 5, CLOSE_WAIT = 8, LAST_ACK = 9, CLOSING = 11 };

Test(window, only_an_acknowledgement_of_an_open_connection_closes_it)
{
	cr_expect(window_is_closed(0, ACK));
	cr_expect(window_is_closed(0, ACK | PSH));
	cr_expect(window_is_closed(0, ACK | FIN));
	cr_expect_not(window_is_closed(1, ACK));
	cr_expect_not(window_is_closed(0, SYN | ACK), "a SYN's window is none yet");
	cr_expect_not(window_is_closed(0, SYN));
	cr_expect_not(window_is_closed(0, RST), "most RSTs have 0 there");
	cr_expect_not(window_is_closed(0, RST | ACK));
}

Test(window, counts_how_often_and_how_long)
{
	struct zero_window w = {0};

	cr_expect_eq(window_note(&w, 0, 50), 0);
	cr_expect_eq(window_note(&w, 1, 100), 1);
	cr_expect_eq(window_note(&w, 1, 130), 0, "an answer to a probe: still closed");
	cr_expect_eq(w.since_ns, 100);
	cr_expect_eq(window_note(&w, 0, 150), 0);
	cr_expect_eq(window_note(&w, 0, 160), 0);
	cr_expect_eq(window_note(&w, 1, 200), 1);
	cr_expect_eq(window_note(&w, 0, 190), 0, "two CPUs, and the clock of one was read first");
	cr_expect_eq(w.count, 2);
	cr_expect_eq(w.total_ns, 50);
	cr_expect_eq(w.since_ns, 0);
}

Test(window, queues_are_bytes_and_neither_syn_nor_fin)
{
	cr_expect_eq(queue_unacked(1000, 400, ESTABLISHED), 600);
	cr_expect_eq(queue_unacked(10, 4294967286u, ESTABLISHED), 20, "across the wrap");
	cr_expect_eq(queue_unacked(1, 0, SYN_SENT), 0);
	cr_expect_eq(queue_unacked(1, 0, FIN_WAIT1), 0);
	cr_expect_eq(queue_unacked(6, 0, LAST_ACK), 5);
	cr_expect_eq(queue_unacked(0, 0, FIN_WAIT1), 0, "read while it changed");
	cr_expect_eq(queue_unacked(0, 5, ESTABLISHED), 0);
	cr_expect_eq(queue_unread(700, 100, ESTABLISHED), 600);
	cr_expect_eq(queue_unread(101, 100, CLOSE_WAIT), 0, "an end of file not read");
	cr_expect_eq(queue_unread(100, 100, CLOSE_WAIT), 0, "and read");
	cr_expect_eq(queue_unread(3, 4294967290u, CLOSING), 8);
	cr_expect_eq(queue_unread(77, 0, SYN_SENT), 0);
}

Test(window, totals_are_payload)
{
	cr_expect_eq(bytes_acked(101, ROLE_CLIENT, ESTABLISHED), 100);
	cr_expect_eq(bytes_acked(100, ROLE_SERVER, ESTABLISHED), 100);
	cr_expect_eq(bytes_acked(102, ROLE_CLIENT, FIN_WAIT2), 100);
	cr_expect_eq(bytes_acked(0, ROLE_CLIENT, SYN_SENT), 0);
	cr_expect_eq(bytes_received(100, ESTABLISHED), 100);
	cr_expect_eq(bytes_received(101, CLOSE_WAIT), 100);
	cr_expect_eq(bytes_received(0, CLOSE_WAIT), 0);
}
