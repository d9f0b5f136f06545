/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/wall.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define WALL_FCNTL 0x526f01   /* ours alone: SQLite's own operations are small numbers */
#define PAGE 4096             /* as we create files */
#define FRAME_HEADER 24
#define SHM_STEP 32768        /* the -shm file grows by this much for each SHM_FRAMES frames of the -wal */
#define SHM_FRAMES 4062       /* of the first step; later ones hold 4096 */

struct walled {
	sqlite3_file base;
	struct walled *main;  /* of a -wal: the file that it belongs to */
	struct walled *wal;   /* of a main file: its -wal while that is open */
	int64_t limit;        /* of a main file; 0: none */
	int64_t size;         /* as far as we wrote or looked */
	sqlite3_file *real;   /* right behind this struct */
};

static sqlite3_vfs wall_vfs;

static struct walled *walled(sqlite3_file *f)
{
	return (struct walled *)f;
}

static int64_t size_now(struct walled *w)
{
	sqlite3_int64 size = 0;

	if (w && w->real->pMethods && w->real->pMethods->xFileSize(w->real, &size) == SQLITE_OK)
		w->size = size;
	return w ? w->size : 0;
}

/* Bytes of -shm that go with a -wal of this size. */
static int64_t shm_bytes(int64_t wal)
{
	int64_t frames = wal / (PAGE + FRAME_HEADER);

	return frames < SHM_FRAMES ? SHM_STEP : (1 + (frames - SHM_FRAMES) / 4096 + 1) * SHM_STEP;
}

/* May the file grow to `end` bytes? The other file is measured: someone else may have written it. */
static int may_grow(struct walled *w, int64_t end)
{
	struct walled *m = w->main ? w->main : w;
	int64_t main, wal;

	if (end <= w->size || !m->limit)
		return 1;
	main = w == m ? end : size_now(m);
	wal = w == m ? size_now(m->wal) : end;
	return main + wal + shm_bytes(wal) <= m->limit;
}

/* Bytes written, with every shape of "no space" made the one that SQLite knows: it takes only ENOSPC for it. */
static int write_through(struct walled *w, const void *buf, int n, int64_t at)
{
	int rc;

	if (!may_grow(w, at + n))
		return SQLITE_FULL;
	errno = 0;
	rc = w->real->pMethods->xWrite(w->real, buf, n, at);
	if (rc == SQLITE_IOERR_WRITE && (errno == EFBIG || errno == EDQUOT))
		return SQLITE_FULL;
	if (rc == SQLITE_OK && at + n > w->size)
		w->size = at + n;
	return rc;
}

/*
 * What goes into the -wal will go into the main file.  Without room for that a checkpoint could never end and the -wal
 * never be used again, so the main file is grown first, and the transaction fails where it cannot be.  A frame's header is
 * written by itself and begins with its page's number (https://sqlite.org/fileformat2.html, section 4.1).  The pages are
 * beyond the end of the file, so nobody has checkpointed them; a checkpoint cuts off what a rollback left over.
 */
static int reserve(struct walled *main, const uint8_t *p)
{
	static const uint8_t zero[PAGE];
	int64_t end = ((int64_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]) * PAGE;
	int rc = SQLITE_OK;

	if (end > main->size)
		size_now(main);
	for (int64_t at = main->size; rc == SQLITE_OK && at < end; at += PAGE)
		rc = write_through(main, zero, PAGE, at);
	return rc;
}

static int wall_close(sqlite3_file *f)
{
	struct walled *w = walled(f);
	int rc = w->real->pMethods ? w->real->pMethods->xClose(w->real) : SQLITE_OK;

	if (w->main && w->main->wal == w)
		w->main->wal = NULL;
	return rc;
}

static int wall_read(sqlite3_file *f, void *buf, int n, sqlite3_int64 at)
{
	return walled(f)->real->pMethods->xRead(walled(f)->real, buf, n, at);
}

static int wall_write(sqlite3_file *f, const void *buf, int n, sqlite3_int64 at)
{
	struct walled *w = walled(f);
	int rc = w->main && n == FRAME_HEADER ? reserve(w->main, buf) : SQLITE_OK;

	return rc == SQLITE_OK ? write_through(w, buf, n, at) : rc;
}

static int wall_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct walled *w = walled(f);
	int rc;

	if (!may_grow(w, size))
		return SQLITE_FULL;
	rc = w->real->pMethods->xTruncate(w->real, size);
	if (rc == SQLITE_OK)
		w->size = size;
	return rc;
}

static int wall_sync(sqlite3_file *f, int flags)
{
	return walled(f)->real->pMethods->xSync(walled(f)->real, flags);
}

static int wall_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return walled(f)->real->pMethods->xFileSize(walled(f)->real, size);
}

static int wall_lock(sqlite3_file *f, int level)
{
	return walled(f)->real->pMethods->xLock(walled(f)->real, level);
}

static int wall_unlock(sqlite3_file *f, int level)
{
	return walled(f)->real->pMethods->xUnlock(walled(f)->real, level);
}

static int wall_reserved(sqlite3_file *f, int *ret)
{
	return walled(f)->real->pMethods->xCheckReservedLock(walled(f)->real, ret);
}

static int wall_control(sqlite3_file *f, int op, void *arg)
{
	struct walled *w = walled(f);

	if (op == WALL_FCNTL) {
		w->limit = *(int64_t *)arg;
		size_now(w);
		size_now(w->wal);
		return SQLITE_OK;
	}
	return w->real->pMethods->xFileControl(w->real, op, arg);
}

static int wall_sector(sqlite3_file *f)
{
	return walled(f)->real->pMethods->xSectorSize(walled(f)->real);
}

static int wall_traits(sqlite3_file *f)
{
	return walled(f)->real->pMethods->xDeviceCharacteristics(walled(f)->real);
}

static int wall_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
	return walled(f)->real->pMethods->xShmMap(walled(f)->real, page, size, extend, ret);
}

static int wall_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return walled(f)->real->pMethods->xShmLock(walled(f)->real, at, n, flags);
}

static void wall_shm_barrier(sqlite3_file *f)
{
	walled(f)->real->pMethods->xShmBarrier(walled(f)->real);
}

static int wall_shm_unmap(sqlite3_file *f, int del)
{
	return walled(f)->real->pMethods->xShmUnmap(walled(f)->real, del);
}

/* Version 2: no xFetch, so that SQLite never maps the file and every write comes by here. */
static sqlite3_io_methods wall_methods = {
	.iVersion = 2,
	.xClose = wall_close, .xRead = wall_read, .xWrite = wall_write, .xTruncate = wall_truncate,
	.xSync = wall_sync, .xFileSize = wall_size, .xLock = wall_lock, .xUnlock = wall_unlock,
	.xCheckReservedLock = wall_reserved, .xFileControl = wall_control, .xSectorSize = wall_sector,
	.xDeviceCharacteristics = wall_traits, .xShmMap = wall_shm_map, .xShmLock = wall_shm_lock,
	.xShmBarrier = wall_shm_barrier, .xShmUnmap = wall_shm_unmap,
};

static sqlite3_vfs *real_vfs(void)
{
	return wall_vfs.pAppData;
}

/* Only the main file and its -wal are walled; journals and temporary files go straight to the real VFS. */
static int wall_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct walled *w = walled(f);
	int rc;

	if (!(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
		return real_vfs()->xOpen(real_vfs(), name, f, flags, out);
	memset(w, 0, sizeof(*w));
	w->real = (sqlite3_file *)(w + 1);
	rc = real_vfs()->xOpen(real_vfs(), name, w->real, flags, out);
	if (!w->real->pMethods)
		return rc;
	w->base.pMethods = &wall_methods;
	if (flags & SQLITE_OPEN_WAL) {
		w->main = walled(sqlite3_database_file_object(name));
		w->main->wal = w;
	}
	size_now(w);
	return rc;
}

static void wall_init(void)
{
	sqlite3_vfs *real = sqlite3_vfs_find(NULL);

	if (!real)
		return;
	wall_vfs = *real;
	wall_vfs.pNext = NULL;
	wall_vfs.zName = WALL_VFS;
	wall_vfs.szOsFile = (int)sizeof(struct walled) + real->szOsFile;
	wall_vfs.pAppData = real;
	wall_vfs.xOpen = wall_open;
	sqlite3_vfs_register(&wall_vfs, 0);
}

int wall_register(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, wall_init);
	return wall_vfs.pAppData ? 0 : -ENOMEM;
}

void wall_set(sqlite3 *db, int64_t bytes)
{
	sqlite3_file_control(db, "main", WALL_FCNTL, &bytes);
}
