/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `new`: creates disk images with qemu-img. A file that is there is never touched:
 * the place is taken with O_EXCL first. */
#include "plugin/cmd/new.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

/* Return: 0 or negative errno. qemu-img says on stderr what it does not like. */
static int run_qemu_img(const struct new_disk *disk, struct vw_err *err)
{
	static const char *const places[] = { "/usr/bin/qemu-img", "/usr/local/bin/qemu-img" };
	bool local = access(places[0], X_OK) < 0;
	char size[32];
	char *argv[] = { (char *)places[local],
			 (char *)"create",
			 (char *)"-q",
			 (char *)"-f",
			 (char *)disk->format,
			 (char *)"--",
			 disk->path,
			 size,
			 NULL };
	posix_spawn_file_actions_t actions;
	int status = 0, rc;
	pid_t pid;

	snprintf(size, sizeof(size), "%uG", disk->size_gib);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	rc = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		return vw_err_set(err, -rc,
				  "qemu-img can't be run: %s (package qemu-utils or qemu-img)",
				  strerror(rc));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return vw_err_set(err, -errno, "qemu-img: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return vw_err_set(err, -EIO, "%s: qemu-img could not create it", disk->path);
	return 0;
}

static int create_image(struct new_disk *disk, struct vw_err *err)
{
	VW_AUTOCLOSE int fd = open(disk->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
				   0600);

	if (fd < 0 && errno == EEXIST)
		return vw_err_set(err, -EEXIST,
				  "%s: is there already and is not overwritten; leave size= away",
				  disk->path);
	if (fd < 0)
		return vw_err_set(err, -errno, "%s: %s", disk->path, strerror(errno));
	disk->created = true;
	return run_qemu_img(disk, err);
}

void new_remove_images(struct new_domain *d)
{
	size_t i;

	for (i = 0; i < d->n_disks; i++) {
		if (d->disks[i].created)
			unlink(d->disks[i].path);
		d->disks[i].created = false;
	}
}

int new_create_images(struct new_domain *d, struct vw_err *err)
{
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < d->n_disks; i++)
		if (d->disks[i].size_gib)
			rc = create_image(&d->disks[i], err);
	if (rc < 0)
		new_remove_images(d);
	return rc;
}
