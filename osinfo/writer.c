/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lay out the sections of an OS index and put the file in place. */
#include "osinfo/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static void clear_name(gpointer data)
{
	struct vw_osi_name *name = data;

	g_free(name->text);
}

struct vw_osi_writer *vw_osi_writer_new(void)
{
	struct vw_osi_writer *w = g_new0(struct vw_osi_writer, 1);

	w->strings = g_byte_array_new();
	w->offsets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	w->runs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	w->os = g_array_new(FALSE, TRUE, sizeof(struct vw_osi_os));
	w->ids = g_array_new(FALSE, TRUE, sizeof(struct vw_osi_name));
	w->shorts = g_array_new(FALSE, TRUE, sizeof(struct vw_osi_name));
	w->lists = g_array_new(FALSE, TRUE, sizeof(guint32));
	w->places = g_array_new(FALSE, TRUE, sizeof(struct vw_osi_place));
	g_array_set_clear_func(w->ids, clear_name);
	g_array_set_clear_func(w->shorts, clear_name);
	return w;
}

void vw_osi_writer_free(struct vw_osi_writer *w)
{
	g_byte_array_unref(w->strings);
	g_hash_table_unref(w->offsets);
	g_hash_table_unref(w->runs);
	g_array_unref(w->os);
	g_array_unref(w->ids);
	g_array_unref(w->shorts);
	g_array_unref(w->lists);
	g_array_unref(w->places);
	g_free(w);
}

guint32 vw_osi_writer_string(struct vw_osi_writer *w, const char *text)
{
	g_autofree char *kept = g_strndup(text ? text : "", VW_OSI_MAX_STRING);
	gpointer known;
	guint32 offset = w->strings->len;

	if (g_hash_table_lookup_extended(w->offsets, kept, NULL, &known))
		return GPOINTER_TO_UINT(known);
	g_byte_array_append(w->strings, (const guint8 *)kept, (guint)strlen(kept) + 1);
	g_hash_table_insert(w->offsets, g_steal_pointer(&kept), GUINT_TO_POINTER(offset));
	return offset;
}

void vw_osi_writer_features(struct vw_osi_writer *w, const GPtrArray *features,
			    struct vw_osi_os *record)
{
	g_autoptr(GString) joined = g_string_new("");
	gpointer known;

	record->n_features = MIN(features->len, VW_OSI_MAX_FEATURES);
	for (guint i = 0; i < record->n_features; i++)
		g_string_append_printf(joined, "%s\n", (char *)features->pdata[i]);
	if (g_hash_table_lookup_extended(w->runs, joined->str, NULL, &known)) {
		record->features = GPOINTER_TO_UINT(known);
		return;
	}
	record->features = w->lists->len;
	for (guint i = 0; i < record->n_features; i++) {
		guint32 string = vw_osi_writer_string(w, features->pdata[i]);

		g_array_append_val(w->lists, string);
	}
	g_hash_table_insert(w->runs, g_strdup(joined->str), GUINT_TO_POINTER(record->features));
}

void vw_osi_writer_name(struct vw_osi_writer *w, GArray *names, const char *text)
{
	struct vw_osi_name name = { g_strndup(text, VW_OSI_MAX_STRING), w->os->len };

	g_array_append_val(names, name);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	const struct vw_osi_name *x = a;
	const struct vw_osi_name *y = b;
	int c = strcmp(x->text, y->text);

	return c ? c : x->os < y->os ? -1 : x->os > y->os;
}

/* Sorted keys, ready for the file. libosinfo repeats names that several files of one
 * OS give; of two systems with one name the first keeps it. */
static GArray *make_keys(struct vw_osi_writer *w, GArray *names)
{
	GArray *keys = g_array_new(FALSE, TRUE, sizeof(struct vw_osi_key));

	g_array_sort(names, compare_names);
	for (guint i = 0; i < names->len; i++) {
		const struct vw_osi_name *name = &g_array_index(names, struct vw_osi_name, i);
		struct vw_osi_key key = { vw_osi_writer_string(w, name->text), name->os };

		if (i && vw_streq(name[-1].text, name->text))
			continue;
		g_array_append_val(keys, key);
	}
	return keys;
}

static void put_section(GByteArray *file, struct vw_osi_range *range, const void *data, guint count,
			guint element_size)
{
	range->offset = file->len;
	range->count = count;
	if (count)
		g_byte_array_append(file, data, count * element_size);
}

static void put_array(GByteArray *file, struct vw_osi_range *range, GArray *array)
{
	put_section(file, range, array->data, array->len, g_array_get_element_size(array));
}

static GByteArray *lay_out(struct vw_osi_writer *w)
{
	GByteArray *file = g_byte_array_new();
	g_autoptr(GArray) ids = make_keys(w, w->ids);
	g_autoptr(GArray) shorts = make_keys(w, w->shorts);
	struct vw_osi_header h = {
		.magic = VW_OSI_MAGIC,
		.version = VW_OSI_VERSION,
		.byte_order = VW_OSI_BYTE_ORDER,
	};

	g_byte_array_append(file, (const guint8 *)&h, sizeof(h));
	put_array(file, &h.sections[VW_OSI_OS], w->os);
	put_array(file, &h.sections[VW_OSI_IDS], ids);
	put_array(file, &h.sections[VW_OSI_SHORTS], shorts);
	put_array(file, &h.sections[VW_OSI_LISTS], w->lists);
	put_array(file, &h.sections[VW_OSI_PLACES], w->places);
	put_section(file, &h.sections[VW_OSI_STRINGS], w->strings->data, w->strings->len, 1);
	h.size = file->len;
	memcpy(file->data, &h, sizeof(h));
	h.checksum = vw_osi_checksum(file->data + VW_OSI_COVERED, file->len - VW_OSI_COVERED);
	memcpy(file->data, &h, sizeof(h));
	return file;
}

static int write_all(int fd, const guint8 *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int fill(int fd, const GByteArray *file)
{
	int r = write_all(fd, file->data, file->len);

	if (r < 0)
		return r;
	return fchmod(fd, 0644) < 0 || fsync(fd) < 0 ? -errno : 0;
}

static void sync_directory(const char *path)
{
	VW_AUTOCLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		(void)fsync(fd); /* some filesystems can't; the file itself is safe */
}

int vw_osi_writer_write(struct vw_osi_writer *w, const char *path, struct vw_err *err)
{
	g_autoptr(GByteArray) file = lay_out(w);
	g_autofree char *dir = g_path_get_dirname(path);
	g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
	VW_AUTOCLOSE int fd = -1;
	int r;

	if (file->len > VW_OSI_MAX_SIZE)
		return vw_err_set(err, -EFBIG, "%s: osinfo-db is too big for an index", path);
	if (g_mkdir_with_parents(dir, 0755) < 0)
		return vw_err_set(err, -errno, "%s: can't make the directory: %s", dir,
				  strerror(errno));
	fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		return vw_err_set(err, -errno, "%s: can't write there: %s", dir, strerror(errno));
	r = fill(fd, file);
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temporary);
		return vw_err_set(err, r, "%s: can't write the OS index: %s", path, strerror(-r));
	}
	sync_directory(dir);
	return 0;
}
