/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "exit.h"
#include "nearest.h"
#include "proto/user.h"
#include "say.h"
#include "user_protocols.h"
#include "yaml_file.h"

#define FOLDER "/etc/rootle/protocols.d"
#define MESSAGE_MAX (64u << 20)

struct reader {
	struct arena *arena;
	const char *file;
	yaml_document_t *doc;
};

/* One key of a mapping: who reads its value, and where to. */
struct key {
	const char *name;
	int (*read)(const struct reader *r, yaml_node_t *value, void *to);
	size_t at;
};

/* Filled from YAML first, because a union is not. */
struct description {
	struct user_protocol p;
	struct user_lines lines;
	struct user_frames frames;
	yaml_node_t *lines_at, *frames_at;
};

static int refuse(const struct reader *r, const yaml_node_t *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int refuse(const struct reader *r, const yaml_node_t *at, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return say_error(EXIT_USAGE, "%s:%zu: %s", r->file, at->start_mark.line + 1, what);
}

static void *room(const struct reader *r, size_t n)
{
	void *p = arena_alloc(r->arena, n);

	if (!p)
		say_error(EXIT_FAILED, "%s: the descriptions are too large", r->file);
	return p;
}

static const char *scalar(const yaml_node_t *n)
{
	return n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : NULL;
}

static int read_mapping(const struct reader *r, yaml_node_t *node, const struct key *keys, void *to)
{
	if (node->type != YAML_MAPPING_NODE)
		return refuse(r, node, "a mapping is expected here");
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		yaml_node_t *k = yaml_document_get_node(r->doc, p->key);
		const char *name = scalar(k);
		const struct key *key = keys;
		struct nearest near;
		int ret;

		nearest_init(&near, name ? name : "");
		for (; name && key->name && strcmp(key->name, name); key++)
			nearest_offer(&near, key->name);
		if (!name || !key->name)
			return near.best ? refuse(r, k, "unknown key '%s', did you mean '%s'?", name, near.best) :
					   refuse(r, k, "unknown key '%s'", name ? name : "(no word)");
		ret = key->read(r, yaml_document_get_node(r->doc, p->value), (char *)to + key->at);
		if (ret)
			return ret;
	}
	return 0;
}

static int read_number(const struct reader *r, const yaml_node_t *n, uint64_t max, uint64_t *v)
{
	const char *s = scalar(n);
	char *end;

	errno = 0;
	*v = s && *s >= '0' && *s <= '9' ? strtoull(s, &end, 0) : 0;
	if (!s || *s < '0' || *s > '9' || *end || errno || *v > max)
		return refuse(r, n, "a number from 0 to %llu is expected here", (unsigned long long)max);
	return 0;
}

static int read_text(const struct reader *r, yaml_node_t *n, void *to)
{
	const char *s = scalar(n), **text = to;

	if (!s || !*s || strlen(s) != n->data.scalar.length)
		return refuse(r, n, "a text is expected here");
	*text = arena_strdup(r->arena, s);
	return *text ? 0 : say_error(EXIT_FAILED, "out of memory");
}

static int read_byte(const struct reader *r, yaml_node_t *n, void *to)
{
	uint64_t v;
	int ret = read_number(r, n, UINT8_MAX, &v);

	*(uint8_t *)to = (uint8_t)v;
	return ret;
}

static int read_header(const struct reader *r, yaml_node_t *n, void *to)
{
	uint64_t v;
	int ret = read_number(r, n, USER_HEADER_MAX, &v);

	*(uint16_t *)to = (uint16_t)v;
	return ret;
}

static int read_max(const struct reader *r, yaml_node_t *n, void *to)
{
	const char *s = scalar(n);
	int64_t v;

	if (!s || size_parse(s, &v) || v < 1 || v > UINT32_MAX)
		return refuse(r, n, "a size up to 4G is expected here");
	*(uint32_t *)to = (uint32_t)v;
	return 0;
}

static int read_bool(const struct reader *r, yaml_node_t *n, void *to)
{
	const char *s = scalar(n);

	if (!s || (strcmp(s, "true") && strcmp(s, "false")))
		return refuse(r, n, "true or false is expected here");
	*(bool *)to = *s == 't';
	return 0;
}

static int read_word(const struct reader *r, yaml_node_t *n, void *to)
{
	uint64_t v;
	int ret = read_number(r, n, USER_WORDS_MAX, &v);

	if (ret == 0 && !v)
		return refuse(r, n, "words of a line count from 1");
	*(uint8_t *)to = (uint8_t)v;
	return ret;
}

/* How many values a list or a single one has, and the i-th of them. */
static size_t count_of(const yaml_node_t *n)
{
	return n->type == YAML_SEQUENCE_NODE ? (size_t)(n->data.sequence.items.top - n->data.sequence.items.start) : 1;
}

static yaml_node_t *item_of(const struct reader *r, yaml_node_t *n, size_t i)
{
	return n->type == YAML_SEQUENCE_NODE ? yaml_document_get_node(r->doc, n->data.sequence.items.start[i]) : n;
}

static int read_patterns(const struct reader *r, yaml_node_t *n, void *to)
{
	size_t count = count_of(n);
	const char **v = room(r, (count + 1) * sizeof(*v));
	int ret = v ? 0 : EXIT_FAILED;

	for (size_t i = 0; i < count && !ret; i++)
		ret = read_text(r, item_of(r, n, i), &v[i]);
	if (v)
		v[count] = NULL;
	((struct user_patterns *)to)->v = v;
	return ret;
}

static int read_numbers(const struct reader *r, yaml_node_t *n, void *to)
{
	struct user_numbers *l = to;
	size_t count = count_of(n);
	uint64_t *v = room(r, (count + 1) * sizeof(*v));
	int ret = v ? 0 : EXIT_FAILED;

	for (size_t i = 0; i < count && !ret; i++)
		ret = read_number(r, item_of(r, n, i), UINT64_MAX, &v[i]);
	*l = (struct user_numbers){v, (unsigned)count};
	return ret;
}

/* "NAME" or ["NAME", …]: words that may be shown. */
static int read_details(const struct reader *r, yaml_node_t *n, void *to)
{
	size_t count = count_of(n);
	struct user_name *t = room(r, (count + 1) * sizeof(*t));
	int ret = t ? 0 : EXIT_FAILED;

	for (size_t i = 0; i < count && !ret; i++)
		ret = read_text(r, item_of(r, n, i), &t[i].text);
	if (t)
		t[count].text = NULL;
	*(const struct user_name **)to = t;
	return ret;
}

/* {1: Get, 2: Put} */
static int read_names(const struct reader *r, yaml_node_t *n, void *to)
{
	struct user_name *t;
	size_t count = 0;
	int ret = 0;

	if (n->type != YAML_MAPPING_NODE)
		return refuse(r, n, "a mapping of numbers to names is expected here");
	t = room(r, (size_t)(n->data.mapping.pairs.top - n->data.mapping.pairs.start + 1) * sizeof(*t));
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; t && p < n->data.mapping.pairs.top && !ret; p++, count++) {
		ret = read_number(r, yaml_document_get_node(r->doc, p->key), UINT64_MAX, &t[count].value);
		if (!ret)
			ret = read_text(r, yaml_document_get_node(r->doc, p->value), &t[count].text);
	}
	if (t)
		t[count].text = NULL;
	*(const struct user_name **)to = t;
	return t ? ret : EXIT_FAILED;
}

static int read_ports(const struct reader *r, yaml_node_t *n, void *to)
{
	uint16_t *ports = to;
	uint64_t v = 0;
	int ret = 0;

	if (count_of(n) > USER_PORTS_MAX)
		return refuse(r, n, "at most %d ports", USER_PORTS_MAX);
	for (size_t i = 0; i < count_of(n) && !ret; i++) {
		ret = read_number(r, item_of(r, n, i), UINT16_MAX, &v);
		if (!ret && !v)
			ret = refuse(r, n, "0 is no port");
		ports[i] = (uint16_t)v;
	}
	return ret;
}

/* A text, or a list of bytes. */
static int read_bytes(const struct reader *r, yaml_node_t *n, void *to)
{
	struct { const uint8_t *p; uint8_t n; } *magic = to;
	size_t count = n->type == YAML_SCALAR_NODE ? n->data.scalar.length : count_of(n);
	uint8_t *p = room(r, count + 1);
	int ret = p ? 0 : EXIT_FAILED;

	if (p && (!count || count > 32))
		return refuse(r, n, "1 to 32 bytes are expected here");
	if (p && n->type == YAML_SCALAR_NODE)
		memcpy(p, n->data.scalar.value, count);
	for (size_t i = 0; p && n->type != YAML_SCALAR_NODE && i < count && !ret; i++)
		ret = read_byte(r, item_of(r, n, i), &p[i]);
	magic->p = p;
	magic->n = (uint8_t)count;
	return ret;
}

static int read_endian(const struct reader *r, yaml_node_t *n, void *to)
{
	const char *s = scalar(n);

	if (!s || (strcmp(s, "big") && strcmp(s, "little")))
		return refuse(r, n, "big or little is expected here");
	*(bool *)to = *s == 'l';
	return 0;
}

static int read_counts(const struct reader *r, yaml_node_t *n, void *to)
{
	static const char *const words[] = {"body", "rest", "all"};
	const char *s = scalar(n);

	for (int i = 0; s && i < 3; i++)
		if (!strcmp(s, words[i])) {
			*(enum user_counts *)to = (enum user_counts)i;
			return 0;
		}
	return refuse(r, n, "body, rest or all is expected here");
}

#define AT(type, field) offsetof(struct type, field)

/* Where a number lies, and what else its mapping may say: keys behind those three. */
#define FIELD_KEYS(type, field) \
	{"at", read_header, AT(type, field.at)}, {"size", read_byte, AT(type, field.size)}, \
	{"endian", read_endian, AT(type, field.little)}

static int field_check(const struct reader *r, yaml_node_t *n, const struct user_field *f)
{
	return f->size >= 1 && f->size <= 8 ? 0 : refuse(r, n, "'at' and 'size' (1 to 8 bytes) are expected here");
}

static int read_length(const struct reader *r, yaml_node_t *n, void *to)
{
	static const struct key keys[] = {FIELD_KEYS(user_frames, length), {"counts", read_counts, AT(user_frames, counts)},
					  {"max", read_max, AT(user_frames, length_max)}, {0}};
	int ret = read_mapping(r, n, keys, to);

	return ret ? ret : field_check(r, n, &((struct user_frames *)to)->length);
}

static int read_op(const struct reader *r, yaml_node_t *n, void *to)
{
	static const struct key keys[] = {FIELD_KEYS(user_frames, op), {"names", read_names, AT(user_frames, ops)},
					  {"text", read_bool, AT(user_frames, op_is_text)},
					  {"oneway", read_numbers, AT(user_frames, oneway)}, {0}};
	struct user_frames *d = to;
	int ret = read_mapping(r, n, keys, to);

	if (ret == 0 && d->op_is_text && (d->ops || d->oneway.n))
		return refuse(r, n, "an operation is a text, or it has names by number");
	if (ret == 0 && d->op_is_text && d->op.size)
		return 0;
	return ret ? ret : field_check(r, n, &d->op);
}

static int read_id(const struct reader *r, yaml_node_t *n, void *to)
{
	static const struct key keys[] = {FIELD_KEYS(user_frames, id), {0}};
	int ret = read_mapping(r, n, keys, to);

	return ret ? ret : field_check(r, n, &((struct user_frames *)to)->id);
}

static int read_status(const struct reader *r, yaml_node_t *n, void *to)
{
	static const struct key keys[] = {FIELD_KEYS(user_frames, status), {"names", read_names, AT(user_frames, statuses)},
					  {"good", read_numbers, AT(user_frames, good)},
					  {"client_error", read_numbers, AT(user_frames, client_errors)}, {0}};
	int ret = read_mapping(r, n, keys, to);

	return ret ? ret : field_check(r, n, &((struct user_frames *)to)->status);
}

static int read_body(const struct reader *r, yaml_node_t *n, void *to)
{
	static const struct key keys[] = {{"when", read_patterns, AT(user_body, when)}, {"length", read_word, AT(user_body, length_word)},
					  {"add", read_byte, AT(user_body, length_add)}, {"until", read_text, AT(user_body, until)}, {0}};
	struct user_body *b = to;
	int ret = read_mapping(r, n, keys, to);

	if (ret == 0 && (!b->when.v || !b->until == !b->length_word))
		return refuse(r, n, "a body needs 'when', and either 'length' or 'until'");
	return ret;
}

static int read_request(const struct reader *r, yaml_node_t *n, void *to)
{
	static const struct key keys[] = {{"op", read_word, AT(user_lines, op_words)}, {"id", read_word, AT(user_lines, request_id)},
					  {"only", read_patterns, AT(user_lines, requests)},
					  {"oneway", read_patterns, AT(user_lines, oneway)},
					  {"body", read_body, AT(user_lines, request_body)}, {0}};

	return read_mapping(r, n, keys, to);
}

static int read_response(const struct reader *r, yaml_node_t *n, void *to)
{
	static const struct key keys[] = {{"id", read_word, AT(user_lines, response_id)}, {"ignore", read_patterns, AT(user_lines, ignore)},
					  {"client_error", read_patterns, AT(user_lines, client_error)},
					  {"server_error", read_patterns, AT(user_lines, server_error)},
					  {"status", read_word, AT(user_lines, status_word)},
					  {"detail", read_word, AT(user_lines, detail_word)},
					  {"details", read_details, AT(user_lines, details)},
					  {"body", read_body, AT(user_lines, response_body)}, {0}};
	struct user_lines *d = to;
	int ret = read_mapping(r, n, keys, to);

	if (ret == 0 && !d->detail_word != !d->details)
		return refuse(r, n, "'detail' says which word, 'details' which ones may be shown: both or none");
	return ret;
}

static int read_lines(const struct reader *r, yaml_node_t *n, void *to)
{
	static const struct key keys[] = {{"end", read_text, AT(user_lines, end)}, {"request", read_request, 0},
					  {"response", read_response, 0}, {0}};
	struct description *d = to;
	int ret;

	d->lines_at = n;
	d->lines = (struct user_lines){.end = "\n", .op_words = 1};
	ret = read_mapping(r, n, keys, &d->lines);
	d->lines.end_len = strlen(d->lines.end);
	if (ret == 0 && !d->lines.request_id != !d->lines.response_id)
		return refuse(r, n, "requests and responses both need an 'id', or neither");
	return ret;
}

/* Everything that is looked at lies in the header. */
static int frames_check(const struct reader *r, yaml_node_t *n, struct user_frames *d)
{
	const struct user_field *f[] = {&d->length, &d->op, &d->id, &d->status};
	unsigned end = 0;

	for (size_t i = 0; i < sizeof(f) / sizeof(*f); i++)
		if (f[i]->size && f[i]->at + f[i]->size > (int)end)
			end = f[i]->at + f[i]->size;
	if (!d->length.size)
		return refuse(r, n, "frames need a 'length'");
	if (!d->header)
		d->header = (uint16_t)end;
	return end <= d->header ? 0 : refuse(r, n, "a field ends at byte %u, behind the header of %u bytes", end, d->header);
}

static int read_frames(const struct reader *r, yaml_node_t *n, void *to)
{
	static const struct key keys[] = {{"header", read_header, AT(user_frames, header)}, {"length", read_length, 0},
					  {"op", read_op, 0}, {"id", read_id, 0}, {"status", read_status, 0}, {0}};
	struct description *d = to;
	int ret;

	d->frames_at = n;
	d->frames = (struct user_frames){.length_max = MESSAGE_MAX};
	ret = read_mapping(r, n, keys, &d->frames);
	return ret ? ret : frames_check(r, n, &d->frames);
}

static bool is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return n >= 2 && n <= 24 && !s[n] && s[0] >= 'a' && s[0] <= 'z';
}

static int description_check(const struct reader *r, yaml_node_t *n, struct description *d)
{
	if (!d->p.name || !is_name(d->p.name))
		return refuse(r, n, "a 'name' is needed: 2 to 24 small letters, digits, - and _");
	if (!d->lines_at == !d->frames_at)
		return refuse(r, n, "%s: either 'lines' or 'frames' is needed", d->p.name);
	if (!d->p.ports[0] && d->p.magic[FROM_CLIENT].n < 2)
		return refuse(r, n, "%s: 'ports' or a 'magic' of two bytes is needed, else nothing tells which connections speak it",
			      d->p.name);
	return 0;
}

static int description_read(const struct reader *r, yaml_node_t *n)
{
	static const struct key keys[] = {{"name", read_text, AT(description, p.name)}, {"ports", read_ports, AT(description, p.ports)},
					  {"magic", read_bytes, AT(description, p.magic[FROM_CLIENT])},
					  {"response_magic", read_bytes, AT(description, p.magic[FROM_SERVER])},
					  {"lines", read_lines, 0}, {"frames", read_frames, 0}, {0}};
	struct description d = {0};
	struct user_protocol *p = room(r, sizeof(*p));
	int ret = p ? read_mapping(r, n, keys, &d) : EXIT_FAILED;

	if (ret == 0)
		ret = description_check(r, n, &d);
	if (ret)
		return ret;
	*p = d.p;
	p->is_frames = d.frames_at;
	if (p->is_frames)
		p->frames = d.frames;
	else
		p->lines = d.lines;
	ret = user_add(p);
	if (ret == -EEXIST)
		return refuse(r, n, "%s: there is a protocol of this name already", p->name);
	return ret ? refuse(r, n, "more than %d descriptions", USER_PROTOCOLS_MAX) : 0;
}

int user_protocols_read(struct arena *a, const char *file, yaml_document_t *doc, yaml_node_t *list)
{
	struct reader r = {a, file, doc};
	int ret = 0;

	if (list->type != YAML_SEQUENCE_NODE)
		return refuse(&r, list, "a list of descriptions is expected here");
	for (size_t i = 0; i < count_of(list) && !ret; i++)
		ret = description_read(&r, item_of(&r, list, i));
	return ret;
}

static int read_document(void *arg, const char *file, yaml_document_t *doc)
{
	struct reader r = {arg, file, doc};
	yaml_node_t *root = yaml_document_get_root_node(doc), *k;
	yaml_node_pair_t *p;

	if (!root)
		return 0;
	p = root->type == YAML_MAPPING_NODE ? root->data.mapping.pairs.start : NULL;
	k = p && root->data.mapping.pairs.top == p + 1 ? yaml_document_get_node(doc, p->key) : NULL;
	if (!k || !scalar(k) || strcmp(scalar(k), "protocols"))
		return refuse(&r, root, "one key 'protocols' is expected here");
	return user_protocols_read(arg, file, doc, yaml_document_get_node(doc, p->value));
}

static int is_yaml(const struct dirent *e)
{
	return e->d_name[0] != '.' && (text_ends(e->d_name, ".yaml") || text_ends(e->d_name, ".yml"));
}

static int load_folder(struct arena *a)
{
	struct dirent **e;
	int n = scandir(FOLDER, &e, is_yaml, alphasort), ret = 0;

	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 :
		       say_error(EXIT_USAGE, "cannot read " FOLDER ": %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *path = arena_printf(a, FOLDER "/%s", e[i]->d_name);

		if (ret == 0)
			ret = path ? yaml_file_read(path, true, read_document, a) : say_error(EXIT_FAILED, "out of memory");
		free(e[i]);
	}
	free(e);
	return ret;
}

int user_protocols_load(struct arena *a, const struct options *o)
{
	int ret = load_folder(a);

	for (size_t i = 0; i < o->protocols.n && !ret; i++)
		ret = yaml_file_read(o->protocols.v[i], true, read_document, a);
	return ret;
}
