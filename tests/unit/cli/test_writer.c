/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "cli/writer.h"

static void define(struct tick *t, uint32_t id, const char *name)
{
	struct tick_service *s = vec_push(&t->services);

	*s = (struct tick_service){id, arena_strdup(&t->arena, name), arena_strdup(&t->arena, "app"), NULL, NULL};
	struct tick_op *op = vec_push(&t->ops);

	*op = (struct tick_op){id, arena_strdup(&t->arena, name)};
}

Test(writer, a_lost_tick_hands_its_definitions_on)
{
	struct tick *lost = tick_new(1 * NS_PER_S, NS_PER_S), *next = tick_new(2 * NS_PER_S, NS_PER_S);

	define(lost, 1, "old");
	lost->events = 7;
	lost->lost = 2;
	*(struct tick_edge *)vec_push(&lost->edges) = (struct tick_edge){5, 1, 2, 80, arena_strdup(&lost->arena, "http")};
	define(next, 2, "new");
	define(next, 1, "renamed");
	cr_assert_eq(tick_carry(next, lost), 0);
	tick_free(lost);

	cr_assert_eq(next->services.n, 3);
	cr_expect_str_eq(next->services.v[0].name, "old", "what is carried comes first: later definitions win");
	cr_expect_str_eq(next->services.v[1].name, "new");
	cr_expect_str_eq(next->services.v[2].name, "renamed");
	cr_expect_str_eq(next->ops.v[0].text, "old");
	cr_assert_eq(next->edges.n, 1);
	cr_expect_str_eq(next->edges.v[0].protocol, "http");
	cr_expect_eq(next->lost, 9, "what was in the lost tick is lost");
	cr_assert_eq(next->loss.n, 1);
	cr_expect_str_eq(next->loss.v[0].stage, "store");
	tick_free(next);
}

Test(writer, losses_add_up_over_several_ticks)
{
	struct tick *a = tick_new(1 * NS_PER_S, NS_PER_S), *b = tick_new(2 * NS_PER_S, NS_PER_S);
	struct tick *c = tick_new(3 * NS_PER_S, NS_PER_S);
	uint64_t ticks = 0;

	cr_assert_eq(tick_carry(b, a), 0);
	cr_assert_eq(tick_carry(c, b), 0);
	for (size_t i = 0; i < c->loss.n; i++)
		if (strcmp(c->loss.v[i].stage, "store") == 0)
			ticks += c->loss.v[i].count;
	cr_expect_eq(ticks, 2);
	tick_free(a);
	tick_free(b);
	tick_free(c);
}
