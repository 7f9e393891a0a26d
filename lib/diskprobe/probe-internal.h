/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What parent and child of a prober say to each other, for lib/probe only.
 *
 * The child is a clone of a process that may have other threads, so nothing that
 * runs in it (worker.c and all that it calls) may call malloc, take a lock, or
 * look up a locale: system calls, memory functions and plain snprintf only. */
#ifndef VW_PROBE_INTERNAL_H
#define VW_PROBE_INTERNAL_H

#include "lib/diskprobe/probe.h"
#include "lib/base/clock.h"

#include <limits.h>
#include <sys/types.h>

enum vw_image_format { VW_IMAGE_RAW = 0, VW_IMAGE_QCOW2, VW_IMAGE_OTHER };

struct vw_look_request {
	uint32_t want;   /* VW_PROBE_… */
	uint32_t format; /* enum vw_image_format */
	int64_t until;   /* stop reading data then, vw_clock_ms */
	const char *path;
};

struct vw_look_reply {
	uint8_t exists, block, blank, odirect, allocated, discard, one_path; /* enum vw_known */
	uint8_t magic;                                                       /* enum vw_magic */
	int32_t error; /* errno that belongs to why, 0 = none (the parent turns it into words) */
	char why[112];
	char better[VW_BETTER_SIZE];
};

/* What parent and child share: the parent fills it and sends a byte, the child answers
 * in it and sends a byte. The child may be killed anywhere, so each reply is whole before
 * its state says so; the parent may be late, so the child says when it began a path. */
#define VW_BATCH_MAX 64
#define VW_BATCH_PATHS (16u * 1024)

enum vw_batch_state {
	VW_BATCH_NONE = 0,
	VW_BATCH_BASIC, /* replies[i].basic holds all but whether it is blank */
	VW_BATCH_DONE,  /* replies[i].whole */
};

struct vw_batch {
	uint32_t n;
	uint32_t timeout_ms, budget_ms; /* of each path; stop reading data after budget_ms … */
	int64_t until;                  /* … or then (vw_clock_ms) */
	bool last;                      /* none comes after it: the child ends */
	struct {
		uint32_t want, format, path; /* path: offset in paths */
	} asks[VW_BATCH_MAX];
	struct {
		uint32_t state; /* enum vw_batch_state, atomic */
		int64_t began;  /* vw_clock_ms, 0 = not yet; atomic */
		struct vw_look_reply basic, whole;
	} replies[VW_BATCH_MAX];
	char paths[VW_BATCH_PATHS];
};

/* A killed child may hang in the kernel for ever (a dead NFS server). So many of
 * them, and nothing more is asked until one has gone. */
#define HUNG_MAX 8

/* A batch as it is filled, and whose facts its entries are. */
struct vw_filling {
	uint32_t n;
	size_t used; /* bytes of paths */
	const struct vw_probe_ask *asks[VW_BATCH_MAX];
};

/* What was begun and is not finished. */
struct vw_probing {
	bool begun;
	const struct vw_probe_ask *asks;
	size_t n, next; /* asks from `next` on are for the batches after this one */
	unsigned timeout_ms;
	int64_t until;
	struct vw_filling filling;
	int sent; /* did that succeed? 0 or negative errno */
};

struct vw_prober {
	char *sysroot;
	char *program; /* NULL: the child is a clone */
	bool works;    /* the program has answered once */
	bool once;     /* vw_prober_once */
	/* vw_program_start, if there is a program: so the hook, which has none, does not link it */
	int (*start_program)(const char *path, const char *sysroot, struct vw_batch **ret,
			     pid_t *ret_pid, int *ret_sock);
	pid_t pid; /* 0 = no child now */
	int sock;
	struct vw_batch *batch; /* shared with this child, and with no other one */
	pid_t hung[HUNG_MAX];   /* killed, not yet reaped */
	size_t n_hung;
	struct vw_probing probing;
};

/* worker.c: start the child. b: memory that is shared with it. Return: 0 or negative
 * errno; *ret_sock is the parent's end. */
int vw_worker_start(const char *sysroot, struct vw_batch *b, pid_t *ret_pid, int *ret_sock);

/* The child's own part, for a program that has been started with this memory and socket. */
_Noreturn void vw_worker_main(const char *sysroot, struct vw_batch *b, int sock);

/* program.c: start the child by running path. *ret: memory that is shared with it, to be unmapped.
 * Return: 0 or negative errno. */
int vw_program_start(const char *path, const char *sysroot, struct vw_batch **ret, pid_t *ret_pid,
		     int *ret_sock);

/* look.c: answer one request. buf: VW_LOOK_BUFFER bytes, page-aligned. basic(ctx) is
 * called when *r holds all that is known without reading the image, if that is next. */
#define VW_LOOK_BUFFER (1024u * 1024)
void vw_look(const char *sysroot, char *buf, const struct vw_look_request *q,
	     struct vw_look_reply *r, void (*basic)(void *ctx), void *ctx);

/* Note why something is unknown; the first reason stays. */
void vw_look_why(struct vw_look_reply *r, int error, const char *why);

/* lun.c: the first line of an attribute of a block device in sysfs. Return: is there one? */
bool vw_sysfs_attribute(const char *sysroot, dev_t dev, const char *name, char *buf, size_t size);
/* lun.c: one_path and better, of a block device. */
void vw_look_lun(const char *sysroot, const char *path, dev_t dev, struct vw_look_reply *r);

/* source.c: reading an image, never beyond a point in time. */
struct vw_source {
	int fd;           /* buffered */
	int direct;       /* O_DIRECT, -1 = not to be used */
	uint64_t size;    /* bytes */
	int64_t until;    /* vw_clock_ms */
	char *buf;        /* VW_LOOK_BUFFER bytes, page-aligned */
	uint64_t window;  /* what vw_source_read has in buf: from here … */
	size_t in_window; /* … so many bytes */
};
int64_t vw_clock_ms(void); /* monotonic */

/* Is all of it zero? Return: 1 yes, 0 no, -ETIMEDOUT not known in time, negative errno. */
int vw_source_zero_file(struct vw_source *s);
int vw_source_zero_device(struct vw_source *s);

/* magic.c: by its first bytes; VW_MAGIC_UNKNOWN: they can't be read. */
enum vw_magic vw_source_magic(struct vw_source *s);

/* A vw_qcow2_read; ctx is the source. */
int vw_source_read(void *ctx, uint64_t off, void *out, size_t len);

/* fs.c: what is known of a filesystem by its magic number (statfs f_type). */
struct vw_fs {
	uint32_t magic;
	enum vw_known odirect; /* takes an O_DIRECT open */
	enum vw_known discard; /* can punch holes */
};
/* Never NULL: an unknown filesystem has all unknown. */
const struct vw_fs *vw_fs_find(uint32_t magic);
enum vw_known vw_fs_odirect(const struct vw_fs *fs);

#endif
