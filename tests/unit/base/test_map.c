/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

Test(map, agrees_with_a_plain_array_under_random_puts_and_deletes)
{
	static uint32_t truth[4096];
	struct map m;
	uint32_t i, alive = 0;

	srand(1);
	map_init(&m, sizeof(uint32_t), sizeof(uint32_t), 0);
	for (i = 0; i < 200000; i++) {
		uint32_t key = (uint32_t)rand() % 4096, *v;
		bool fresh;

		if (rand() % 3) {
			v = map_put(&m, &key, &fresh);
			cr_assert_eq(fresh, !truth[key]);
			alive += fresh;
			truth[key] = *v = i + 1;
		} else {
			cr_assert_eq(map_del(&m, &key), truth[key] != 0);
			alive -= truth[key] != 0;
			truth[key] = 0;
		}
		cr_assert_eq(m.n, alive);
	}
	for (i = 0; i < 4096; i++) {
		const uint32_t *v = map_get(&m, &i);

		cr_assert_eq(v ? *v : 0, truth[i]);
	}
	map_done(&m);
}

Test(map, limit_refuses_new_keys_only)
{
	struct map m;
	uint64_t k;

	map_init(&m, sizeof(k), 8, 10);
	for (k = 0; k < 10; k++)
		cr_assert_not_null(map_put(&m, &k, NULL));
	cr_assert_null(map_put(&m, &k, NULL));
	k = 3;
	cr_assert_not_null(map_put(&m, &k, NULL));
	map_done(&m);
}

Test(map, iteration_meets_each_entry_once)
{
	bool seen[100] = {false};
	const void *key;
	struct map m;
	void *value;
	size_t it = 0, n = 0;
	uint32_t i;

	map_init(&m, sizeof(i), 1, 0);
	for (i = 0; i < 100; i++)
		map_put(&m, &i, NULL);
	while (map_next(&m, &it, &key, &value)) {
		cr_assert_not(seen[*(const uint32_t *)key]);
		seen[*(const uint32_t *)key] = true;
		n++;
	}
	cr_assert_eq(n, 100);
	map_done(&m);
}

Test(intern, numbers_strings_once_and_keeps_them_apart)
{
	struct intern t;
	char text[32];
	uint32_t i;

	intern_init(&t, 1000);
	for (i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "name-%u", i);
		cr_assert_eq(intern_put(&t, text, strlen(text)), i);
	}
	cr_assert_eq(intern_put(&t, "name-7", 6), 7);
	cr_assert_eq(intern_find(&t, "name-70", 6), 7, "n bounds the string");
	cr_assert_eq(intern_find(&t, "name-", 5), INTERN_NONE, "a prefix is another string");
	cr_assert_eq(intern_put(&t, "one more", 8), INTERN_NONE, "limit");
	cr_assert_str_eq(intern_text(&t, 999), "name-999");
	intern_done(&t);
}
