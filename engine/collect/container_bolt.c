/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one thing that is asked of containerd's metadata: which image a container was made of, at v1/NAMESPACE/containers/ID/image.
 *
 * The file is a bbolt database (go.etcd.io/bbolt: page.go, bucket.go, db.go): pages of a tree for each bucket, never changed in
 * place, so that it can be read while its owner writes: at worst a page is reused under us, and then the answer is "not
 * known".  Everything read is checked against the page.  Little-endian machines only, as those that wrote it.
 */
#include "collect/container_private.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "collect/below.h"

#define MAGIC 0xED0CDAEDu
#define PAGE_MAX (64u << 10)      /* with its overflow pages */
#define DEPTH_MAX 16

enum { BRANCH = 1, LEAF = 2, META = 4 };

struct page_header { uint64_t id; uint16_t flags, count; uint32_t overflow; };
struct branch_item { uint32_t pos, ksize; uint64_t page; };
struct leaf_item { uint32_t flags, pos, ksize, vsize; };
struct bucket { uint64_t root, sequence; };
struct meta { uint32_t magic, version, page_size, flags; struct bucket root; uint64_t freelist, pages, txid, checksum; };

struct bolt {
	int fd;
	uint32_t page_size;
	uint8_t page[PAGE_MAX];
	size_t len;               /* bytes of it that were read */
};

struct bytes { const uint8_t *p; size_t n; };

static bool page_read(struct bolt *b, uint64_t id)
{
	struct page_header h;
	ssize_t n = pread(b->fd, b->page, b->page_size, (off_t)(id * b->page_size));

	if (id > UINT32_MAX || n != (ssize_t)b->page_size)
		return false;
	b->len = (size_t)n;
	memcpy(&h, b->page, sizeof(h));
	if (h.id != id || h.overflow > PAGE_MAX / b->page_size - 1)
		return false;
	if (h.overflow) {
		n = pread(b->fd, b->page, (h.overflow + 1u) * b->page_size, (off_t)(id * b->page_size));
		b->len = n > 0 ? (size_t)n : 0;
	}
	return b->len >= sizeof(h);
}

/* The newest of the two meta pages; false: neither is one. */
static bool root_find(struct bolt *b, uint64_t *root)
{
	struct meta best = { 0 }, m;

	for (int i = 0; i < 2; i++) {
		off_t at = i ? (off_t)(best.page_size ? best.page_size : 4096) : 0;
		if (pread(b->fd, &m, sizeof(m), at + (off_t)sizeof(struct page_header)) == sizeof(m) && m.magic == MAGIC &&
		    m.page_size >= 1024 && m.page_size <= PAGE_MAX && (!best.magic || m.txid > best.txid))
			best = m;
	}
	b->page_size = best.page_size;
	*root = best.root.root;
	return best.magic == MAGIC;
}

static int compare(struct bytes a, const char *key)
{
	size_t n = strlen(key);
	int c = memcmp(a.p, key, a.n < n ? a.n : n);

	return c ? c : a.n < n ? -1 : a.n > n;
}

/* The part of the page that an item points to, counted from the item; empty where it is not in the page. */
static struct bytes part(const uint8_t *page, size_t len, size_t item, uint64_t pos, uint64_t n)
{
	return item + pos + n <= len ? (struct bytes){ page + item + pos, n } : (struct bytes){ 0 };
}

static bool leaf_find(const uint8_t *page, size_t len, unsigned count, const char *key, struct bytes *value)
{
	for (size_t i = 0, at = sizeof(struct page_header); i < count; i++, at += sizeof(struct leaf_item)) {
		struct leaf_item e;
		if (at + sizeof(e) > len)
			return false;
		memcpy(&e, page + at, sizeof(e));
		struct bytes k = part(page, len, at, e.pos, e.ksize);
		if (!k.p || compare(k, key))
			continue;
		*value = part(page, len, at, (uint64_t)e.pos + e.ksize, e.vsize);
		return value->p != NULL;
	}
	return false;
}

/* The child in whose range the key is; 0 none. */
static uint64_t branch_find(const uint8_t *page, size_t len, unsigned count, const char *key)
{
	uint64_t child = 0;

	for (size_t i = 0, at = sizeof(struct page_header); i < count; i++, at += sizeof(struct branch_item)) {
		struct branch_item e;
		if (at + sizeof(e) > len)
			return 0;
		memcpy(&e, page + at, sizeof(e));
		struct bytes k = part(page, len, at, e.pos, e.ksize);
		if (!k.p || (i && compare(k, key) > 0))
			break;
		child = e.page;
	}
	return child;
}

static bool page_find(const uint8_t *page, size_t len, const char *key, struct bytes *value, uint64_t *child)
{
	struct page_header h;

	*child = 0;
	if (len < sizeof(h))
		return false;
	memcpy(&h, page, sizeof(h));
	if (h.flags & LEAF)
		return leaf_find(page, len, h.count, key, value);
	if (h.flags & BRANCH)
		*child = branch_find(page, len, h.count, key);
	return false;
}

static bool tree_find(struct bolt *b, uint64_t root, const char *key, struct bytes *value)
{
	for (int depth = 0; root && depth < DEPTH_MAX; depth++) {
		if (!page_read(b, root))
			return false;
		if (page_find(b->page, b->len, key, value, &root))
			return true;
	}
	return false;
}

/* A small bucket's only page is in its value. */
static bool bucket_find(struct bolt *b, struct bytes *value, const char *key)
{
	struct bucket in;
	uint64_t child;
	uint8_t copy[PAGE_MAX / 8];

	if (value->n < sizeof(in))
		return false;
	memcpy(&in, value->p, sizeof(in));
	if (in.root)
		return tree_find(b, in.root, key, value);
	size_t n = value->n - sizeof(in);
	if (n > sizeof(copy))
		return false;
	memcpy(copy, value->p + sizeof(in), n);
	if (!page_find(copy, n, key, value, &child))
		return false;
	memmove(b->page, value->p, value->n);    /* out of the copy, which ends here */
	value->p = b->page;
	return true;
}

static bool image_find(struct bolt *b, const char *space, const char *id, struct bytes *v)
{
	const char *const path[] = { space, "containers", id, "image" };
	uint64_t top;
	bool found = root_find(b, &top) && tree_find(b, top, "v1", v);

	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]) && found; i++)
		found = bucket_find(b, v, path[i]);
	return found;
}

bool container_bolt_image(const char *root, const char *file, const char *space, const char *id, char ret[CONTAINER_LONG])
{
	int fd = below_open(root, file);
	struct bolt *b = fd < 0 ? NULL : malloc(sizeof(*b));
	struct bytes v = { 0 };
	bool found = false;

	if (b) {
		b->fd = fd;
		found = image_find(b, space, id, &v);
	}
	if (found)
		text_clean(ret, CONTAINER_LONG, (const char *)v.p, v.n, true);
	free(b);
	if (fd >= 0)
		close(fd);
	return found;
}
