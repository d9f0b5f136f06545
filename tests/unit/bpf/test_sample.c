/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/sample.h"

#include <criterion/criterion.h>
#include <stdint.h>

#define LOOPBACK 0x7f000001u

Test(sample, is_the_same_for_either_end)
{
	for (uint32_t i = 1; i < 60000; i += 7)
		cr_assert_eq(sample_pair(LOOPBACK + i % 3, LOOPBACK, (uint16_t)i, 8080),
			     sample_pair(LOOPBACK, LOOPBACK + i % 3, 8080, (uint16_t)i));
}

Test(sample, everything_at_shift_0)
{
	for (uint32_t i = 0; i < 100000; i++)
		cr_assert(sample_takes(i * 2654435761u, 0));
}

/* What is read at one shift was read at the one before it: a connection is left out once, not in and out. */
Test(sample, each_shift_takes_of_those_before_it)
{
	for (uint32_t i = 0; i < 200000; i++)
		for (uint32_t shift = 1; shift <= SAMPLE_SHIFT_MAX; shift++)
			if (sample_takes(i, shift))
				cr_assert(sample_takes(i, shift - 1), "pair %u, shift %u", i, shift);
}

/* The loads there are: client ports in a row to one server port; many clients of an address range; both. Within five standard
 * deviations of the binomial distribution. */
static void expect_share(uint32_t taken, uint32_t n, uint32_t shift, const char *load)
{
	double p = 1.0 / (1u << shift), variance = n * p * (1 - p), off = taken - n * p;

	cr_expect(off * off < 25 * variance, "%s, shift %u: %u of %u, expected %.0f", load, shift, taken, n, n * p);
}

Test(sample, takes_its_share_of_every_load)
{
	for (uint32_t shift = 1; shift <= 8; shift++) {
		uint32_t ports = 0, hosts = 0, both = 0, n = 28000;

		for (uint32_t i = 0; i < n; i++) {
			ports += sample_takes(sample_pair(LOOPBACK, LOOPBACK, (uint16_t)(32768 + i), 80), shift);
			hosts += sample_takes(sample_pair(0x0a000000 + i, 0x0a0a0a0a, 40000, 443), shift);
			both += sample_takes(sample_pair(0x0a000000 + i / 7, 0x0a0a0a0a, (uint16_t)(40000 + i % 7), 443), shift);
		}
		expect_share(ports, n, shift, "ports");
		expect_share(hosts, n, shift, "hosts");
		expect_share(both, n, shift, "both");
	}
}

/* The sum of the weights is the number of connections, on average: what unbiased means. */
Test(sample, weights_add_up)
{
	for (uint32_t shift = 0; shift <= 6; shift++) {
		double sum = 0, n = 0;

		for (uint32_t server = 1; server <= 64; server++) {
			for (uint32_t port = 32768; port < 34768; port++, n++)
				if (sample_takes(sample_pair(LOOPBACK, LOOPBACK, (uint16_t)port, (uint16_t)(server * 111)), shift))
					sum += 1u << shift;
		}
		cr_expect_float_eq(sum / n, 1, 0.05, "shift %u: %g", shift, sum / n);
	}
}

Test(sample, absurd_shifts_are_bounded)
{
	cr_expect_eq(sample_takes(0, 255), sample_takes(0, SAMPLE_SHIFT_MAX));
	cr_expect_eq(sample_takes(12345, 32), sample_takes(12345, SAMPLE_SHIFT_MAX));
}
