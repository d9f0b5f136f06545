/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/flame.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NOT_KNOWN "(not known)"

/* A stack of the window below one service; stack WIN_NONE: the service itself. */
struct node_key { uint32_t service, stack; };

static bool wanted(const struct win_profile *p, const struct flame_wish *wish)
{
	if ((wish->since_ns || wish->until_ns) && (p->t_ns < wish->since_ns || p->t_ns >= wish->until_ns))
		return false;
	if (wish->service != WIN_NONE && p->service != wish->service)
		return false;
	for (size_t i = 0; i < wish->n_pid; i++)
		if (wish->pid[i] == p->pid)
			return true;
	return !wish->n_pid;
}

static uint32_t node_new(struct flame *f, uint32_t parent, uint32_t service, const char *frame)
{
	struct flame_node *v = vec_push(&f->nodes);

	if (!v)
		return WIN_NONE;
	*v = (struct flame_node){.frame = frame, .parent = parent, .service = service, .child = WIN_NONE, .next = WIN_NONE};
	if (parent != WIN_NONE)
		v->depth = f->nodes.v[parent].depth + 1;
	return (uint32_t)f->nodes.n - 1;
}

/* The node of a stack, made with all that calls it: a caller's number in the window is less than its own. */
static uint32_t node_of(struct flame *f, struct map *index, const struct window *w, uint32_t service, uint32_t stack)
{
	const struct node_key key = {service, stack};
	uint32_t *at = map_get(index, &key), parent = FLAME_ROOT, made;
	const char *name = service == WIN_NONE ? NOT_KNOWN : w->services.v[service].name;

	if (at)
		return *at;
	if (stack != WIN_NONE) {
		parent = node_of(f, index, w, service, w->stacks.v[stack].parent);
		name = w->stacks.v[stack].frame;
	}
	made = parent == WIN_NONE ? WIN_NONE : node_new(f, parent, service, name);
	at = made == WIN_NONE ? NULL : map_put(index, &key, NULL);
	if (!at)
		return WIN_NONE;
	return *at = made;
}

/* Totals from the inside out, and children in their order: nodes stand behind their parents. */
static void link_children(struct flame *f)
{
	for (size_t i = f->nodes.n; i-- > 0;) {
		struct flame_node *v = &f->nodes.v[i], *parent = v->parent == WIN_NONE ? NULL : &f->nodes.v[v->parent];
		uint32_t *at;

		v->total += v->self;
		if (!parent)
			continue;
		parent->total += v->total;
		at = &parent->child;
		while (*at != WIN_NONE && (f->nodes.v[*at].total > v->total ||
					   (f->nodes.v[*at].total == v->total && strcmp(f->nodes.v[*at].frame, v->frame) < 0)))
			at = &f->nodes.v[*at].next;
		v->next = *at;
		*at = (uint32_t)i;
	}
}

int flame_init(struct flame *f, const struct window *w, const struct flame_wish *wish)
{
	struct map index;
	int err = 0;

	*f = (struct flame){0};
	map_init(&index, sizeof(struct node_key), sizeof(uint32_t), 0);
	if (node_new(f, WIN_NONE, WIN_NONE, "all") == WIN_NONE)
		err = -ENOMEM;
	for (size_t i = 0; !err && i < w->profile.n; i++) {
		const struct win_profile *p = &w->profile.v[i];
		uint32_t node;

		if (!wanted(p, wish))
			continue;
		node = node_of(f, &index, w, p->service, p->stack);
		if (node == WIN_NONE)
			err = -ENOMEM;
		else
			f->nodes.v[node].self += p->samples;
	}
	map_done(&index);
	if (!err)
		link_children(f);
	return err;
}

void flame_done(struct flame *f)
{
	vec_done(&f->nodes);
}

static int by_frame(const void *pa, const void *pb)
{
	return strcmp(((const struct flame_function *)pa)->frame, ((const struct flame_function *)pb)->frame);
}

static void function_add(struct flame_function *into, const struct flame_function *from)
{
	into->samples += from->samples;
	if (from->most <= into->most)
		return;
	into->most = from->most;
	into->node = from->node;
}

int flame_functions(const struct flame *f, struct flame_functions *ret)
{
	size_t n = 0;

	*ret = (struct flame_functions){0};
	for (size_t i = 1; i < f->nodes.n; i++) {
		const struct flame_node *node = &f->nodes.v[i];
		struct flame_function *v = node->self > 0 ? vec_push(&ret->list) : NULL;

		if (v)
			*v = (struct flame_function){node->frame, node->self, node->self, (uint32_t)i};
		else if (node->self > 0)
			return -ENOMEM;
	}
	if (!ret->list.n)
		return 0;
	qsort(ret->list.v, ret->list.n, sizeof(*ret->list.v), by_frame);
	for (size_t i = 1; i < ret->list.n; i++) {
		if (by_frame(&ret->list.v[n], &ret->list.v[i]) == 0)
			function_add(&ret->list.v[n], &ret->list.v[i]);
		else
			ret->list.v[++n] = ret->list.v[i];
	}
	ret->list.n = n + 1;
	return 0;
}

const struct flame_function *flame_function_find(const struct flame_functions *v, const char *frame)
{
	struct flame_function key = {.frame = frame};

	return v->list.n ? bsearch(&key, v->list.v, v->list.n, sizeof(key), by_frame) : NULL;
}

char *flame_path(const struct flame *f, uint32_t node, const char *between, char *buf, size_t cap)
{
	size_t at = cap - 1, sep = strlen(between);

	buf[at] = '\0';
	for (; f->nodes.v[node].depth > 1; node = f->nodes.v[node].parent) {
		size_t n = strlen(f->nodes.v[node].frame), with = at < cap - 1 ? sep : 0;

		if (at < n + with)
			break;
		at -= with;
		memcpy(buf + at, between, with);
		at -= n;
		memcpy(buf + at, f->nodes.v[node].frame, n);
	}
	return memmove(buf, buf + at, cap - at);
}
