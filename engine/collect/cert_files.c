/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/cert_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "collect/below.h"
#include "collect/cert_config.h"
#include "collect/host.h"
#include "collect/procfs.h"
#include "proto/pem.h"
#include "proto/x509.h"

#define FORKED_WITHOUT_EXEC 0x40u  /* PF_FORKNOEXEC of linux/sched.h */
#define PARENTS_MAX 8
#define PROC_PATH (HOST_PATH_MAX + 64)
#define FILES_MAX 4096             /* opened for one question */
#define DEPTH_MAX 8                /* of configurations that include others */
#define CERT_MAX (64 << 10)        /* of a file of certificates; the server's is the first */
#define CONFIG_MAX (1 << 20)
#define ARGS_MAX (128 << 10)
#define FDS_MAX 1024
#define NAMES_MAX 4096             /* of a directory */
#define CLOCK_SLACK_NS NS_PER_S

/* What was found in sources of one kind. */
struct tally {
	int rank;                /* of the best, as of x509_is_for(); 0: none is for that name */
	bool differ;             /* others of that rank end at another time */
	struct certificate best;
	size_t others;           /* that are for other names */
	struct certificate other;
	size_t unknown;          /* that could not be read */
};

struct search {
	const struct certificate_question *q;
	uint32_t image;          /* the process whose exec it was: it has the arguments */
	int64_t start_unix_ns;
	char root[PROC_PATH], cwd[CERT_PATH_LEN], dir[CERT_PATH_LEN];   /* dir: of the configuration */
	const char *proc;
	const struct cert_dialect *dialect;
	struct cert_scan scan;
	struct tally sure, weak;
	char *args;
	size_t args_len;
	size_t files;
	unsigned depth;
	bool in_directory;
	uint8_t *file, *der;     /* CERT_MAX each */
};

/* ---- files ---- */

static int path_join(char to[CERT_PATH_LEN], const char *dir, const char *path)
{
	int n = path[0] == '/' ? snprintf(to, CERT_PATH_LEN, "%s", path) : snprintf(to, CERT_PATH_LEN, "%s/%s", dir, path);

	return n < CERT_PATH_LEN ? 0 : -ENAMETOOLONG;
}

/* At most cap bytes of a file below the process's root; bytes or -errno. *st is set. */
static ssize_t file_load(struct search *s, const char *path, void *buf, size_t cap, struct stat *st)
{
	int fd = s->files++ < FILES_MAX ? below_open(s->root, path) : -EMFILE;
	size_t n = 0;
	ssize_t r = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, st))
		r = -1;
	while (r >= 0 && n < cap && (r = read(fd, (char *)buf + n, cap - n)) > 0)
		n += (size_t)r;
	if (r < 0)
		r = -errno;
	close(fd);
	return r < 0 ? r : (ssize_t)n;
}

/* The first certificate of a file, PEM or DER: the bytes of it in s->der, or -errno. */
static ssize_t certificate_load(struct search *s, const char *path, struct stat *st)
{
	ssize_t n = file_load(s, path, s->file, CERT_MAX, st);

	if (n <= 0)
		return n ? n : -ENODATA;
	if (s->file[0] != 0x30)
		return pem_certificate((const char *)s->file, (size_t)n, s->der, CERT_MAX);
	memcpy(s->der, s->file, (size_t)n);
	return n;
}

/* ---- candidates ---- */

static int64_t changed_ns(const struct stat *st)
{
	return st->st_ctim.tv_sec * (int64_t)NS_PER_S + st->st_ctim.tv_nsec;
}

static void tally_add(struct tally *t, const struct certificate *c, int rank)
{
	if (!rank) {
		t->others += !t->others || strcmp(t->other.path, c->path);
		t->other = *c;
		return;
	}
	if (rank == t->rank) {
		t->differ |= t->best.not_after_s != c->not_after_s;
		return;
	}
	if (rank < t->rank)
		return;
	t->rank = rank;
	t->differ = false;
	t->best = *c;
}

static void directory_take(struct search *s, const char *path);

static void candidate_take(struct search *s, const char *name, bool sure)
{
	struct tally *t = sure ? &s->sure : &s->weak;
	struct certificate c = {0};
	struct x509_leaf leaf;
	struct stat st;
	ssize_t n = path_join(c.path, s->cwd, name);

	if (n == 0)
		n = certificate_load(s, c.path, &st);
	if (n == -ENOEXEC && sure && !s->in_directory) {
		directory_take(s, c.path);
		return;
	}
	if (n < 0 || x509_leaf_parse(s->der, (size_t)n, &leaf)) {
		t->unknown++;
		return;
	}
	memcpy(c.subject, leaf.subject, sizeof(c.subject));
	c.not_after_s = leaf.not_after_s;
	c.newer = changed_ns(&st) > s->start_unix_ns + (int64_t)CLOCK_SLACK_NS;
	tally_add(t, &c, x509_is_for(s->der, (size_t)n, s->q->host, s->q->ip));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a directory below the root that fit, sorted; to be freed each. */
static char **names_list(struct search *s, const char *dir, const char *pattern, size_t *n)
{
	int fd = s->files++ < FILES_MAX ? below_open_dir(s->root, dir) : -EMFILE;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	char **v = d ? calloc(NAMES_MAX, sizeof(*v)) : NULL;
	struct dirent *e;

	*n = 0;
	while (v && *n < NAMES_MAX && (e = readdir(d)))
		if (e->d_name[0] != '.' && !fnmatch(pattern, e->d_name, FNM_PERIOD) && (v[*n] = strdup(e->d_name)))
			(*n)++;
	if (d)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	if (v)
		qsort(v, *n, sizeof(*v), by_name);
	return v;
}

static void each_name(struct search *s, const char *dir, const char *pattern, void (*fn)(struct search *s, const char *path))
{
	size_t n;
	char **v = names_list(s, dir, pattern, &n), path[CERT_PATH_LEN];

	if (!v)
		s->sure.unknown++;
	for (size_t i = 0; v && i < n; i++) {
		if (path_join(path, dir, v[i]) == 0)
			fn(s, path);
		free(v[i]);
	}
	free(v);
}

static void entry_take(struct search *s, const char *path)
{
	if (!text_ends(path, ".key") && !text_ends(path, ".ocsp") && !text_ends(path, ".sctl") && !text_ends(path, ".issuer"))
		candidate_take(s, path, true);
}

/* All in it are the server's, as in HAProxy's. */
static void directory_take(struct search *s, const char *path)
{
	s->in_directory = true;
	each_name(s, path, "*", entry_take);
	s->in_directory = false;
}

/* ---- configurations ---- */

static void config_read(struct search *s, const char *path);

static void config_file(void *arg, const char *path, const uint16_t *port, size_t ports)
{
	struct search *s = arg;
	bool here = !ports;
	char full[CERT_PATH_LEN];

	for (size_t i = 0; i < ports; i++)
		here |= port[i] == s->q->port;
	if (!here)
		return;
	if (!path[0] || path_join(full, s->dialect->by_cwd ? s->cwd : s->dir, path)) {
		s->sure.unknown++;
		return;
	}
	candidate_take(s, full, true);
}

/* A file of an included directory: some servers read those alone that are called so. */
static void config_entry(struct search *s, const char *path)
{
	if (!s->dialect->last_wins || text_ends(path, ".conf") || text_ends(path, ".cnf"))
		config_read(s, path);
}

static void config_include(void *arg, const char *pattern)
{
	struct search *s = arg;
	char path[CERT_PATH_LEN], dir[CERT_PATH_LEN], *slash;
	int fd;

	if (path_join(path, s->scan.base[0] && !s->dialect->by_cwd ? s->scan.base : s->dir, pattern)) {
		s->sure.unknown++;
		return;
	}
	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	*slash = '\0';
	if (strpbrk(path, "*?[")) {
		if (strpbrk(dir, "*?["))
			s->sure.unknown++;
		else
			each_name(s, dir[0] ? dir : "/", slash + 1, config_read);
		return;
	}
	fd = below_open_dir(s->root, path);
	if (fd >= 0) {
		close(fd);
		each_name(s, path, "*", config_entry);
	} else {
		config_read(s, path);
	}
}

/* What an existing file says that cannot be read, nobody knows. */
static void config_read(struct search *s, const char *path)
{
	char *text = malloc(CONFIG_MAX + 1);
	struct stat st;
	ssize_t n = text && s->depth < DEPTH_MAX ? file_load(s, path, text, CONFIG_MAX, &st) : -ENOMEM;

	if (n >= 0 && n < CONFIG_MAX) {
		text[n] = '\0';
		s->depth++;
		cert_scan_text(&s->scan, text);
		s->depth--;
	} else if (n != -ENOENT) {
		s->sure.unknown++;
	}
	free(text);
}

/* ---- arguments ---- */

/* The argument behind this one; NULL: it is the last. */
static const char *arg_next(const struct search *s, const char *arg)
{
	const char *next = arg ? arg + strlen(arg) + 1 : s->args;

	return next < s->args + s->args_len ? next : NULL;
}

/* The next value of an option behind `after` (NULL: the first): "-c FILE", "-cFILE", "--config=FILE"; NULL: none. */
static const char *arg_value(const struct search *s, const char *option, const char *after)
{
	size_t n = strlen(option);

	for (const char *a = arg_next(s, after); a; a = arg_next(s, a)) {
		if (strncmp(a, option, n))
			continue;
		if (!a[n])
			return arg_next(s, a);
		if (a[n] == '=')
			return a + n + 1;
		if (n == 2 && a[0] == '-' && a[1] != '-')
			return a + n;
	}
	return NULL;
}

/* "--cert FILE", "--tls-cert-file=FILE", "-c ssl_cert_file=FILE" */
static void options_take(struct search *s)
{
	for (const char *a = arg_next(s, NULL); a; a = arg_next(s, a)) {
		const char *equals = strchr(a, '='), *value = NULL;

		if (equals && cert_is_option(a, (size_t)(equals - a)))
			value = equals + 1;
		else if (!equals && a[0] == '-' && cert_is_option(a, strlen(a)))
			value = arg_next(s, a);
		if (value && value[0] && value[0] != '-')
			candidate_take(s, value, true);
	}
}

/* One that was named is read, whether it is there or not; of the usual ones the first that is there. */
static bool config_named(struct search *s)
{
	const struct cert_dialect *d = s->dialect;
	const char *prefix = d->prefix ? arg_value(s, d->prefix, NULL) : NULL, *value;
	char at[CERT_PATH_LEN], path[CERT_PATH_LEN];
	bool named = false;

	if (path_join(at, s->cwd, prefix ? prefix : s->cwd))
		return false;
	for (size_t i = 0; i < sizeof(d->option) / sizeof(d->option[0]) && d->option[i]; i++)
		for (value = NULL; (value = arg_value(s, d->option[i], value)); named = true) {
			if (path_join(path, at, value) == 0) {
				snprintf(s->dir, sizeof(s->dir), "%.*s", (int)(strrchr(path, '/') - path), path);
				config_include(s, path);
			}
		}
	return named;
}

static bool config_usual(struct search *s)
{
	const struct cert_dialect *d = s->dialect;
	char path[CERT_PATH_LEN];
	int fd;

	for (size_t i = 0; i < sizeof(d->files) / sizeof(d->files[0]) && d->files[i]; i++) {
		if (path_join(path, s->cwd, d->files[i]))
			continue;
		fd = below_open(s->root, path);
		if (fd < 0)
			continue;
		close(fd);
		snprintf(s->dir, sizeof(s->dir), "%.*s", (int)(strrchr(path, '/') - path), path);
		config_read(s, path);
		return true;
	}
	return false;
}

static void config_take(struct search *s)
{
	char also[CERT_PATH_LEN];
	bool read;

	s->scan.d = s->dialect;
	s->scan.found = (struct cert_found){config_file, config_include, s};
	read = config_named(s) || config_usual(s);
	if (s->dialect->also && path_join(also, s->cwd, s->dialect->also) == 0)
		config_read(s, also);
	cert_scan_end(&s->scan);
	if (read && s->dialect->otherwise && !s->sure.rank && !s->sure.others && !s->sure.unknown)
		candidate_take(s, s->dialect->otherwise, true);
}

/* ---- what is only believed by its name ---- */

static void weak_take(void *arg, const char *path)
{
	candidate_take(arg, path, false);
}

static bool is_text(const char *path)
{
	static const char *const ends[] = {".conf", ".cfg", ".cnf", ".ini", ".yaml", ".yml", ".toml", ".json", ".properties",
					   ".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".php", ".lua", ".sh"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (text_ends(path, ends[i]))
			return true;
	return false;
}

/* Scripts and configurations among the arguments. */
static void texts_take(struct search *s)
{
	char *text = malloc(CONFIG_MAX), path[CERT_PATH_LEN];
	struct stat st;

	for (const char *a = arg_next(s, NULL); text && a; a = arg_next(s, a)) {
		const char *equals = strchr(a, '=');
		ssize_t n;

		if (!is_text(a) || path_join(path, s->cwd, equals ? equals + 1 : a))
			continue;
		n = file_load(s, path, text, CONFIG_MAX, &st);
		if (n > 0)
			cert_words(text, (size_t)n, weak_take, s);
	}
	free(text);
}

static void open_files_take(struct search *s)
{
	char path[PROC_PATH], file[CERT_PATH_LEN];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/%u/fd", s->proc, s->q->pid);
	d = opendir(path);
	for (int i = 0; d && i < FDS_MAX && (e = readdir(d)); i++) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, file, sizeof(file) - 1);

		file[n > 0 ? n : 0] = '\0';
		if (file[0] == '/' && cert_is_name(file))
			candidate_take(s, file, false);
	}
	if (d)
		closedir(d);
}

static void environment_take(struct search *s)
{
	char path[PROC_PATH], *text = malloc(ARGS_MAX);
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%u/environ", s->proc, s->image);
	n = text ? file_read(AT_FDCWD, path, text, ARGS_MAX) : 0;
	if (n > 0)
		cert_words(text, (size_t)n, weak_take, s);
	free(text);
}

static void anything_take(struct search *s)
{
	cert_words(s->args, s->args_len, weak_take, s);
	texts_take(s);
	environment_take(s);
	open_files_take(s);
}

/* ---- the process ---- */

static int stat_read(const struct search *s, uint32_t pid, struct proc_stat *ret)
{
	char path[PROC_PATH], text[1024];

	snprintf(path, sizeof(path), "%s/%u/stat", s->proc, pid);
	return file_read(AT_FDCWD, path, text, sizeof(text)) > 0 && proc_stat_parse(text, ret) == 0 ? 0 : -ESRCH;
}

static void link_read(const struct search *s, uint32_t pid, const char *name, char *buf, size_t cap)
{
	char path[PROC_PATH];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%u/%s", s->proc, pid, name);
	n = readlink(path, buf, cap - 1);
	buf[n > 0 ? n : 0] = '\0';
}

/* The process that it was forked from, as long as nobody called exec: there the arguments are. */
static uint32_t image_find(const struct search *s, const struct proc_stat *of)
{
	char exe[CERT_PATH_LEN], parent[CERT_PATH_LEN];
	struct proc_stat st = *of;
	uint32_t pid = of->pid;

	link_read(s, pid, "exe", exe, sizeof(exe));
	for (int i = 0; i < PARENTS_MAX && st.flags & FORKED_WITHOUT_EXEC && st.ppid > 1; i++) {
		link_read(s, st.ppid, "exe", parent, sizeof(parent));
		if (strcmp(exe, parent) || stat_read(s, st.ppid, &st))
			break;
		pid = st.pid;
	}
	return pid;
}

/* Programs that write a title over their arguments leave one string: "nginx: master process nginx -c FILE". */
static int args_read(struct search *s)
{
	char path[PROC_PATH];
	ssize_t n;

	s->args = malloc(ARGS_MAX);
	if (!s->args)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/%u/cmdline", s->proc, s->image);
	n = file_read(AT_FDCWD, path, s->args, ARGS_MAX);
	if (n < 0)
		return -ESRCH;
	for (s->args_len = (size_t)n; s->args_len > 1 && !s->args[s->args_len - 2]; s->args_len--)
		;
	if (strlen(s->args) + 1 >= s->args_len)
		for (size_t i = 0; i < s->args_len; i++)
			if (s->args[i] == ' ')
				s->args[i] = '\0';
	return 0;
}

/* As the process itself would say it: below its root. */
static void cwd_read(struct search *s)
{
	char root[CERT_PATH_LEN];
	size_t n;

	link_read(s, s->q->pid, "root", root, sizeof(root));
	link_read(s, s->q->pid, "cwd", s->cwd, sizeof(s->cwd));
	n = strlen(root);
	if (n > 1 && !strncmp(s->cwd, root, n) && (s->cwd[n] == '/' || !s->cwd[n]))
		memmove(s->cwd, s->cwd + n, strlen(s->cwd + n) + 1);
	if (!s->cwd[0])
		snprintf(s->cwd, sizeof(s->cwd), "/");
}

static int64_t unix_of(uint64_t start_ticks)
{
	struct timespec boot, now;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec - boot.tv_sec) * (int64_t)NS_PER_S + now.tv_nsec - boot.tv_nsec +
	       (int64_t)(start_ticks * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK)));
}

static int process_read(struct search *s)
{
	struct proc_stat st;
	char exe[CERT_PATH_LEN];

	if (stat_read(s, s->q->pid, &st) || (s->q->start_ticks && st.start_ticks != s->q->start_ticks))
		return -ESRCH;
	s->start_unix_ns = unix_of(st.start_ticks);
	s->image = image_find(s, &st);
	snprintf(s->root, sizeof(s->root), "%s/%u/root", s->proc, s->q->pid);
	cwd_read(s);
	link_read(s, s->q->pid, "exe", exe, sizeof(exe));
	exe[strcspn(exe, " ")] = '\0';          /* " (deleted)": it was upgraded */
	s->dialect = cert_dialect_of(text_basename(exe));
	return args_read(s);
}

static int verdict(const struct search *s, struct certificate *ret)
{
	const struct tally *sure = &s->sure, *weak = &s->weak;
	const struct certificate *c = NULL;

	if (sure->rank)
		c = sure->differ ? NULL : &sure->best;
	else if (sure->others || sure->unknown)
		c = sure->others == 1 && !sure->unknown ? &sure->other : NULL;
	else if (weak->rank)
		c = weak->differ ? NULL : &weak->best;
	if (c)
		*ret = *c;
	return c != NULL;
}

int cert_files_find(const char *proc, const struct certificate_question *q, struct certificate *ret)
{
	struct search *s = calloc(1, sizeof(*s));
	int err = s ? 0 : -ENOMEM;

	if (err)
		return err;
	s->proc = proc;
	s->q = q;
	s->file = malloc(CERT_MAX);
	s->der = malloc(CERT_MAX);
	err = s->file && s->der ? process_read(s) : -ENOMEM;
	if (!err) {
		options_take(s);
		if (s->dialect && !s->sure.rank && !s->sure.others && !s->sure.unknown)
			config_take(s);
		if (!s->sure.rank && !s->sure.others && !s->sure.unknown)
			anything_take(s);
		err = verdict(s, ret);
	}
	free(s->args);
	free(s->file);
	free(s->der);
	free(s);
	return err;
}
