/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `new`: --disk, --network and --cdrom, taken apart (see plugin/cmd/new.h). */
#include "plugin/cmd/cmd.h"
#include "plugin/cmd/new.h"

#include "lib/base/open.h"

#include <errno.h>

void new_clear(struct new_domain *d)
{
	size_t i;

	for (i = 0; i < d->n_disks; i++)
		free(d->disks[i].path);
	for (i = 0; i < d->n_nics; i++)
		free(d->nics[i].name);
	free(d->cdrom);
}

/* The next word up to a single comma; ",," is a comma in it. In place. NULL at the end. */
static char *next_word(char **rest)
{
	char *word = *rest, *to = word, *from = word;

	if (!word || !*word)
		return NULL;
	for (; *from; from++) {
		if (*from == ',' && from[1] != ',')
			break;
		if (*from == ',')
			from++;
		*to++ = *from;
	}
	*rest = *from ? from + 1 : from;
	*to = '\0';
	return word;
}

/* "key=value". Return: the value, or NULL. */
static const char *value_of(const char *word, const char *key)
{
	size_t len = strlen(key);

	return !strncmp(word, key, len) && word[len] == '=' ? word + len + 1 : NULL;
}

static char *absolute(const char *path)
{
	VW_AUTOFREE char *cwd = NULL;
	char *full = NULL;

	if (*path == '/')
		return strdup(path);
	cwd = getcwd(NULL, 0);
	return cwd && asprintf(&full, "%s/%s", cwd, path) >= 0 ? full : NULL;
}

static bool has_suffix(const char *path, const char *suffix)
{
	size_t len = strlen(path), n = strlen(suffix);

	return len > n && !strcasecmp(path + len - n, suffix);
}

/* A qcow2 image named disk.img must not become the guest's raw disk. */
static bool is_qcow2(int path_fd)
{
	VW_AUTOCLOSE int fd = vw_open_again(path_fd, 0);
	char magic[4] = "";

	return fd >= 0 && read(fd, magic, 4) == 4 && !memcmp(magic, "QFI\xfb", 4);
}

/* What is there, and the format where none was named. */
static void look_at(struct new_disk *disk)
{
	struct vw_seen seen = { .fd = -1 };
	const char *format = "qcow2";

	disk->exists = vw_open_look(AT_FDCWD, disk->path, VW_OPEN_BLOCK, &seen) == 0;
	VW_AUTOCLOSE int path_fd = seen.fd;
	disk->block = disk->exists ? S_ISBLK(seen.st.st_mode) : vw_startswith(disk->path, "/dev/");
	if (*disk->format)
		return;
	if (disk->block || has_suffix(disk->path, ".raw") || has_suffix(disk->path, ".img"))
		format = "raw";
	if (disk->exists && !disk->block && !seen.odd && is_qcow2(path_fd))
		format = "qcow2";
	snprintf(disk->format, sizeof(disk->format), "%s", format);
}

static bool one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (vw_streq(word, *list))
			return true;
	return false;
}

static int disk_option(struct new_disk *disk, const char *word, struct vw_err *err)
{
	static const char *const formats[] = { "raw", "qcow2", "qed", "vmdk", "vdi", "vpc", NULL };
	static const char *const buses[] = { "virtio", "scsi", "sata", "ide", "usb", NULL };
	const char *size = value_of(word, "size"), *format = value_of(word, "format");
	const char *bus = value_of(word, "bus");
	unsigned long n = 0;
	int rc;

	if (size) {
		rc = cmd_number("size (GiB)", size, 1, 1 << 20, &n, err);
		disk->size_gib = (unsigned)n;
		return rc;
	}
	if (format && one_of(format, formats)) {
		snprintf(disk->format, sizeof(disk->format), "%s", format);
		return 0;
	}
	if (bus && one_of(bus, buses)) {
		snprintf(disk->bus, sizeof(disk->bus), "%s", bus);
		return 0;
	}
	return vw_err_set(
		err, CMD_E_USAGE,
		"--disk does not know '%s': size=GiB, format=raw|qcow2|…, bus=virtio|scsi|sata|ide|usb",
		word);
}

int new_add_disk(struct new_domain *d, const char *spec, struct vw_err *err)
{
	VW_AUTOFREE char *copy = strdup(spec);
	struct new_disk *disk = &d->disks[d->n_disks];
	char *rest = copy;
	const char *word, *path;
	int rc = 0;

	if (d->n_disks == NEW_DISKS_MAX)
		return vw_err_set(err, CMD_E_USAGE, "at most %d disks", NEW_DISKS_MAX);
	word = copy ? next_word(&rest) : NULL;
	if (!word)
		return vw_err_set(err, CMD_E_USAGE, "--disk needs a path");
	path = value_of(word, "path");
	disk->path = absolute(path ? path : word);
	if (!disk->path)
		return vw_err_set(err, -ENOMEM, "out of memory");
	d->n_disks++;
	while (rc == 0 && (word = next_word(&rest)))
		rc = disk_option(disk, word, err);
	if (rc == 0)
		look_at(disk);
	return rc;
}

static bool is_mac(const char *s)
{
	size_t i;

	for (i = 0; i < 17; i++)
		if (i % 3 == 2 ? s[i] != ':' : !s[i] || !strchr("0123456789abcdefABCDEF", s[i]))
			return false;
	return s[17] == '\0';
}

int new_add_nic(struct new_domain *d, const char *spec, struct vw_err *err)
{
	VW_AUTOFREE char *copy = strdup(spec);
	struct new_nic *nic = &d->nics[d->n_nics];
	const char *word, *name, *mac;
	char *rest = copy;

	if (d->n_nics == NEW_NICS_MAX)
		return vw_err_set(err, CMD_E_USAGE, "at most %d networks", NEW_NICS_MAX);
	word = copy ? next_word(&rest) : NULL;
	if (!word)
		return vw_err_set(err, CMD_E_USAGE, "--network needs a name");
	nic->type = vw_streq(word, "user")     ? "user"
		    : value_of(word, "bridge") ? "bridge"
					       : "network";
	name = value_of(word, nic->type);
	if (strcmp(nic->type, "user"))
		nic->name = strdup(name ? name : word);
	d->n_nics++;
	while ((word = next_word(&rest))) {
		mac = value_of(word, "mac");
		if (!mac || !is_mac(mac))
			return vw_err_set(err, CMD_E_USAGE,
					  "--network does not know '%s': mac=52:54:00:…", word);
		memcpy(nic->mac, mac, sizeof(nic->mac));
	}
	return 0;
}

int new_set_cdrom(struct new_domain *d, const char *path, struct vw_err *err)
{
	free(d->cdrom);
	d->cdrom = absolute(path);
	return d->cdrom ? 0 : vw_err_set(err, -ENOMEM, "out of memory");
}
