/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/trace_trust.h"

#define SAMPLES_MAX 4000
#define PRIOR_RIGHT 1.8f               /* before anything is known */
#define PRIOR_WRONG 0.2f
#define AGREED_LEAST 0.55f             /* of two witnesses that chance cannot make agree so often */
#define ORDER_DOUBT 8                  /* disagreements that are taken to have been */
#define AGREED_LEAST_CHOSEN 0.88f      /* each as often right, else by chance one of two others: 1 in 200 agreements is wrong */
#define CHANCE_MOST 0.02f              /* both wrong, for each time that both are right; then they seldom name the same one */
#define MET_MOST 0.04f                 /* of requests that a witness named: had made the call already */
#define RULE_LEAST 0.9f
#define BEHIND_DOUBT 2                 /* such that are taken to have been */

float trust_of(const struct record *r)
{
	return (r->right + PRIOR_RIGHT) / (r->right + r->wrong + PRIOR_RIGHT + PRIOR_WRONG);
}

static bool is_known(const struct record *r)
{
	return r->right + r->wrong >= TRUST_SAMPLES_MIN;
}

bool trust_is_enough(const struct record *r)
{
	return is_known(r) && trust_of(r) >= TRUST_LEAST;
}

bool trust_is_rule(const struct record *r)
{
	return !is_known(r) || r->right >= RULE_LEAST * (r->right + r->wrong);
}

bool trust_is_exception(const struct record *r)
{
	return !is_known(r) || r->wrong >= RULE_LEAST * (r->right + r->wrong);
}

void trust_add(struct record *r, float right)
{
	r->right += right;
	r->wrong += 1 - right;
	if (r->right + r->wrong < SAMPLES_MAX)
		return;
	r->right /= 2;
	r->wrong /= 2;
}

float trust_first(float first, float second)
{
	float a = first * (1 - second), b = second * (1 - first);

	return a + b > 0 ? a / (a + b) : 0.5f;
}

void trust_learn(struct record *f, struct record *b, bool agree)
{
	float right = agree ? 1 : trust_first(trust_of(f), trust_of(b));

	trust_add(f, right);
	trust_add(b, agree ? 1 : 1 - right);
}

bool trust_is_agreement(const struct record *f, const struct record *b)
{
	return (1 - trust_of(f)) * (1 - trust_of(b)) <= CHANCE_MOST * trust_of(f) * trust_of(b);
}

bool trust_is_credible(const struct record *both, bool ordered)
{
	return both->right >= AGREED_LEAST * (both->right + both->wrong + (ordered ? ORDER_DOUBT : 0));
}

bool trust_is_credible_chosen(const struct record *chosen)
{
	float all = chosen->right + chosen->wrong;

	return all >= TRUST_SAMPLES_MIN && chosen->right >= AGREED_LEAST_CHOSEN * all;
}

bool trust_is_borne_out(const struct record *only, bool behind)
{
	float all = only->right + only->wrong;

	return all >= TRUST_SAMPLES_MIN && only->wrong + behind * BEHIND_DOUBT <= MET_MOST * all;
}
