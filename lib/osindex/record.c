/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copy one record of the OS index out into a struct vw_os. */
#include "lib/osindex/reader.h"

#include <errno.h>

void vw_os_free(struct vw_os *os)
{
	if (!os)
		return;
	for (size_t i = 0; i < os->n_features; i++)
		free(os->features[i]);
	free(os->features);
	free(os->id);
	free(os->short_id);
	free(os->name);
	free(os->family);
	free(os->distro);
	free(os->version);
	free(os->like);
	free(os->release_date);
	free(os);
}

static void cleanup_os(struct vw_os **os)
{
	vw_os_free(*os);
}

static int copy_string(const struct vw_osindex *x, uint32_t offset, char **ret)
{
	const char *s = vw_osi_string(x, offset);

	if (!s)
		return -EBADMSG;
	*ret = strdup(s);
	return *ret ? 0 : -ENOMEM;
}

static int copy_features(const struct vw_osindex *x, const struct vw_osi_os *record,
			 struct vw_os *os)
{
	uint32_t total = x->header.sections[VW_OSI_LISTS].count;

	if (record->n_features > VW_OSI_MAX_FEATURES || record->features > total ||
	    record->n_features > total - record->features)
		return -EBADMSG;
	os->features = calloc(record->n_features + 1, sizeof(os->features[0]));
	if (!os->features)
		return -ENOMEM;
	for (; os->n_features < record->n_features; os->n_features++) {
		uint32_t string;
		int r;

		vw_osi_read(x, VW_OSI_LISTS, record->features + os->n_features, &string,
			    sizeof(string));
		r = copy_string(x, string, &os->features[os->n_features]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int copy_record(const struct vw_osindex *x, const struct vw_osi_os *record, struct vw_os *os)
{
	const struct {
		uint32_t offset;
		char **ret;
	} strings[] = {
		{ record->id, &os->id },
		{ record->short_id, &os->short_id },
		{ record->name, &os->name },
		{ record->family, &os->family },
		{ record->distro, &os->distro },
		{ record->version, &os->version },
		{ record->release_date, &os->release_date },
	};

	for (size_t i = 0; i < VW_N_ELEMENTS(strings); i++) {
		int r = copy_string(x, strings[i].offset, strings[i].ret);

		if (r < 0)
			return r;
	}
	os->ram = record->ram;
	os->storage = record->storage;
	os->ncpus = record->ncpus;
	return copy_features(x, record, os);
}

int vw_osi_load(const struct vw_osindex *x, uint32_t i, struct vw_os **ret, struct vw_err *err)
{
	VW_CLEANUP(cleanup_os) struct vw_os *os = NULL;
	struct vw_osi_os record;
	int r;

	if (i >= vw_osindex_count(x))
		return vw_osi_corrupt(x, err);
	vw_osi_read(x, VW_OSI_OS, i, &record, sizeof(record));
	os = calloc(1, sizeof(*os));
	r = os ? copy_record(x, &record, os) : -ENOMEM;
	if (r == -EBADMSG)
		return vw_osi_corrupt(x, err);
	if (r < 0)
		return vw_err_set(err, r, "%s: out of memory", x->path);
	*ret = vw_steal(os);
	return 0;
}
