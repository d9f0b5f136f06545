/* SPDX-License-Identifier: BSD-2-Clause */
/* ident_private: what ident.c (which processes there are) and ident_image.c (what each runs, and its name) share. */
#ifndef ROOTLE_COLLECT_IDENT_PRIVATE_H
#define ROOTLE_COLLECT_IDENT_PRIVATE_H

#include "base/map.h"
#include "base/vec.h"
#include "collect/container.h"
#include "collect/ident_rule.h"
#include "collect/name_rules.h"

#define CMDLINE_CAP 512            /* as kept */

/* The strings of one process image; a forked child shares its parent's. */
struct image {
	uint32_t refs;
	bool server, weak, placed, titled, whole, monitored, ruled, tool, launcher;
	char comm[EV_COMM_LEN + 1];
	char exe[512], cmdline[CMDLINE_CAP], cgroup[512];
	char service[NAME_CAP], version[20];
	const char *kind, *why;           /* static, or in words */
	struct { const char *name, *image, *space, *pod; } container;   /* in words; NULL none */
};

struct entry {
	struct process_ident id;
	struct image *image;
	uint64_t checked_ns, cpu_ns;          /* looked at; what it had used when it was asked whether it executed something */
	bool stale;               /* executed something that was not read yet */
	bool forked;              /* start_ticks is computed from the event */
	bool titled;              /* forked by one whose workers have titles: it is looked at again when it is asked for */
	bool executed;            /* found to, where no events tell, and nobody has asked yet */
	uint8_t bare;             /* times that it was read without arguments: it may be in the midst of an exec */
	uint8_t age;              /* calls of ident_expire() since it has exited */
};

struct ident {
	int procfd;
	struct map table;         /* pid → struct entry * */
	struct containers *containers;
	const struct name_rules *rules;       /* not owned */
	struct intern words;
	char pid_namespace[32];   /* of the first process */
	VEC(struct entry *) retired;          /* replaced by a process with the same pid: freed by the expiry after the next */
	VEC(struct image *) images;           /* replaced by an exec, likewise */
	size_t retired_old, images_old;       /* how many of these were there at the last expiry */
	bool events;              /* somebody tells of exec and exit */
	bool foreign;             /* the pids of events are not those of this /proc */
	uint64_t tick_ns;
	uint64_t second;          /* of the budget */
	uint32_t reads;
	char *argv;
	char text[4096];
};

/* --- ident.c ---------------------------------------------------------------------------------------------------------- */

/* Known, or read now; depth: ancestors that were asked for on the way. NULL: gone. Uses the buffers of t. */
struct entry *ident_entry_find(struct ident *t, uint32_t pid, int depth);

/* --- ident_image.c ---------------------------------------------------------------------------------------------------- */

/* NULL: no memory. One reference. */
struct image *ident_image_new(const char *comm, const char *exe);
void ident_image_put(struct image *i);
/* Finds the name of a process whose cgroup is in i and whose arguments are in t->argv. Last of a reading: it uses the buffers for the
 * parent. */
void ident_image_name(struct ident *t, struct entry *e, struct image *i, size_t alen, int depth);
/* What rules are asked about; parent may be NULL. */
void ident_facts_fill(const struct image *i, const struct image *parent, struct name_facts *ret);
/* Kept as long as t; NULL where it is empty, or there is no room. */
const char *ident_word(struct ident *t, const char *s);
/* The target of a link below the process's folder, fit for a terminal; "" where it cannot be read. */
void ident_link_read(const struct ident *t, uint32_t pid, const char *name, char *buf, size_t cap);

#endif
