/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "exit.h"
#include "say.h"
#include "yaml_file.h"

#define MAX_BYTES (64 * 1024)

static int say_parser(const char *file, const yaml_parser_t *p)
{
	return say_error(EXIT_USAGE, "%s:%zu: not YAML: %s", file, p->problem_mark.line + 1, p->problem ? p->problem : "unreadable");
}

/* What stands behind a second '---' would be left out in silence. */
static int refuse_more(const char *file, yaml_parser_t *p)
{
	yaml_document_t next;
	const yaml_node_t *root;
	int ret;

	if (!yaml_parser_load(p, &next))
		return say_parser(file, p);
	root = yaml_document_get_root_node(&next);
	ret = root ? say_error(EXIT_USAGE, "%s:%zu: a second document: one is expected", file, root->start_mark.line + 1) : 0;
	yaml_document_delete(&next);
	return ret;
}

static int read_stream(const char *file, FILE *f, int (*fn)(void *arg, const char *file, yaml_document_t *doc), void *arg)
{
	yaml_document_t doc;
	yaml_parser_t parser;
	int ret;

	if (!yaml_parser_initialize(&parser))
		return say_error(EXIT_FAILED, "out of memory");
	yaml_parser_set_input_file(&parser, f);
	if (!yaml_parser_load(&parser, &doc)) {
		ret = say_parser(file, &parser);
	} else {
		ret = yaml_document_get_root_node(&doc) ? refuse_more(file, &parser) : 0;
		ret = ret ? ret : fn(arg, file, &doc);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	return ret;
}

int yaml_file_read(const char *file, bool must_exist, int (*fn)(void *arg, const char *file, yaml_document_t *doc), void *arg)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	struct stat st;
	int ret;

	if (!f && !must_exist && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	if (!f)
		return say_error(EXIT_USAGE, "cannot read the configuration %s: %s", file, strerror(errno));
	/* libyaml takes quadratic time over deep nesting, and a pipe would be waited for */
	if (fstat(fileno(f), &st) || !S_ISREG(st.st_mode) || st.st_size > MAX_BYTES)
		ret = say_error(EXIT_USAGE, "the configuration %s is no file of at most %d KB", file, MAX_BYTES / 1024);
	else
		ret = read_stream(file, f, fn, arg);
	fclose(f);
	return ret;
}
