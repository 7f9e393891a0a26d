/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The path comes from domain XML and is hostile: it is looked at before it is opened
 * (lib/base/open.h). A child does that, holds nothing of ours but one end of a pipe, and says
 * in one message what it found. When its time is up it is killed, and not waited for: on a
 * dead file server it may be stuck in the kernel for good. If what it reads makes libosinfo
 * abort, the pipe just ends. */
#include "osinfo/media-read.h"

#include "lib/base/open.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define READ_MS 2000

static const char *const text_properties[] = {
	OSINFO_MEDIA_PROP_VOLUME_ID,
	OSINFO_MEDIA_PROP_SYSTEM_ID,
	OSINFO_MEDIA_PROP_PUBLISHER_ID,
	OSINFO_MEDIA_PROP_APPLICATION_ID,
};

/* An ISO's fields have 128 bytes at most. */
struct report {
	int result;
	struct vw_err err;
	bool bootable;
	gint64 volume_size; /* bytes, -1 = not said */
	char texts[VW_N_ELEMENTS(text_properties)][256];
};

static int read_descriptors(const char *path, struct report *report)
{
	g_autoptr(OsinfoMedia) media = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *link = NULL;
	VW_AUTOCLOSE int fd = vw_open(AT_FDCWD, path, VW_OPEN_BLOCK, NULL, &report->err);

	if (fd < 0)
		return fd;
	link = g_strdup_printf("/proc/self/fd/%d", fd);
	media = osinfo_media_create_from_location_with_flags(link, NULL, 0, &error);
	if (!media)
		return vw_err_set(&report->err,
				  error->domain == OSINFO_MEDIA_ERROR ? -ENOMEDIUM : -EIO, "%s: %s",
				  path, error->message);
	report->bootable = osinfo_media_is_bootable(media);
	report->volume_size = osinfo_media_get_volume_size(media);
	for (size_t i = 0; i < VW_N_ELEMENTS(text_properties); i++) {
		const char *text = osinfo_entity_get_param_value(OSINFO_ENTITY(media),
								 text_properties[i]);

		g_strlcpy(report->texts[i], text ? text : "", sizeof(report->texts[i]));
	}
	return 0;
}

/* The child. It must not keep the caller of this program waiting for the end of its output. */
static int tell(const char *path, int to)
{
	struct report report = { .volume_size = -1 };
	VW_AUTOCLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		return 1;
	report.result = read_descriptors(path, &report);
	return write(to, &report, sizeof(report)) != (ssize_t)sizeof(report);
}

/* The message is shorter than PIPE_BUF: it comes whole or not at all. */
static int hear(int from, const char *path, struct report *ret, struct vw_err *err)
{
	struct pollfd wait = { .fd = from, .events = POLLIN };
	int n = poll(&wait, 1, READ_MS);

	G_STATIC_ASSERT(sizeof(*ret) <= 4096);
	if (n == 0)
		return vw_err_set(err, -ETIMEDOUT, "%s: can't be read in time", path);
	if (n < 0 || read(from, ret, sizeof(*ret)) != (ssize_t)sizeof(*ret))
		return vw_err_set(err, -EIO, "%s: reading it failed", path);
	if (ret->result < 0)
		*err = ret->err;
	return ret->result;
}

static OsinfoMedia *make_media(const char *path, const struct report *report)
{
	OsinfoMedia *media = osinfo_media_new(path, NULL);
	OsinfoEntity *entity = OSINFO_ENTITY(media);

	osinfo_entity_set_param_boolean(entity, OSINFO_MEDIA_PROP_BOOTABLE, report->bootable);
	if (report->volume_size >= 0)
		osinfo_entity_set_param_int64(entity, OSINFO_MEDIA_PROP_VOLUME_SIZE,
					      report->volume_size);
	for (size_t i = 0; i < VW_N_ELEMENTS(text_properties); i++)
		if (report->texts[i][0])
			osinfo_entity_set_param(entity, text_properties[i], report->texts[i]);
	return media;
}

int vw_osi_read_media(const char *path, OsinfoMedia **ret, struct vw_err *err)
{
	struct report report;
	VW_AUTOCLOSE int from = -1;
	int ends[2];
	pid_t child;
	int r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return vw_err_set(err, -errno, "%s: can't make a pipe: %s", path, strerror(errno));
	from = ends[0];
	child = fork();
	if (child == 0)
		_exit(tell(path, ends[1]));
	close(ends[1]);
	if (child < 0)
		return vw_err_set(err, -EAGAIN, "%s: can't fork", path);
	r = hear(from, path, &report, err);
	kill(child, SIGKILL);
	if (r != -ETIMEDOUT)
		waitpid(child, NULL, 0);
	if (r == 0)
		*ret = make_media(path, &report);
	return r;
}
