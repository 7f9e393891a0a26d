/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "Debian 12.5.0 amd64 n" is unknown to an osinfo-db of 2022, "Debian 11.5.0 amd64 n"
 * is not. So: lower the version in the volume id (its first number, and the one that
 * follows it directly) until osinfo-db knows the medium, and put the version that was
 * really there into that system's id. Whose facts stand in is then up to the index. */
#include "osinfo/guess.h"

#include "lib/base/util.h"

#define MAX_STEPS 8u /* releases that osinfo-db may be behind */
#define MAX_DIGITS 4u

struct version {
	const char *volume_id;
	size_t start[2], len[2]; /* len[1] is 0 if there is no second number */
	guint number[2];
};

static bool read_number(struct version *v, int i, size_t start)
{
	v->start[i] = start;
	v->len[i] = strspn(v->volume_id + start, "0123456789");
	if (v->len[i] == 0 || v->len[i] > MAX_DIGITS) {
		v->len[i] = 0;
		return false;
	}
	v->number[i] = (guint)g_ascii_strtoull(v->volume_id + start, NULL, 10);
	return true;
}

static bool read_version(struct version *v)
{
	size_t end;

	if (!read_number(v, 0, strcspn(v->volume_id, "0123456789")))
		return false;
	end = v->start[0] + v->len[0];
	if (v->volume_id[end] && strchr("._-", v->volume_id[end]))
		read_number(v, 1, end + 1);
	return true;
}

/* "04" stays two digits wide, 10 becomes 9. */
static void append_number(GString *text, const struct version *v, int i, guint number)
{
	bool padded = v->volume_id[v->start[i]] == '0';

	g_string_append_printf(text, "%0*u", padded ? (int)v->len[i] : 1, number);
}

/* Does osinfo-db know the medium with these numbers instead? */
static bool known_as(OsinfoDb *db, OsinfoMedia *media, const struct version *v, guint first,
		     guint second)
{
	size_t end = v->start[0] + v->len[0];
	g_autoptr(GString) text = g_string_new_len(v->volume_id, (gssize)v->start[0]);

	append_number(text, v, 0, first);
	if (v->len[1]) {
		g_string_append_c(text, v->volume_id[end]);
		append_number(text, v, 1, second);
		end = v->start[1] + v->len[1];
	}
	g_string_append(text, v->volume_id + end);
	osinfo_entity_set_param(OSINFO_ENTITY(media), OSINFO_MEDIA_PROP_VOLUME_ID, text->str);
	return osinfo_db_identify_media(db, media) && osinfo_media_get_os(media);
}

/* Replace the numbers that were tried, in the last part of the name, by the real ones.
 * NULL if they are not what is there. */
static char *real_name(const char *name, const struct version *v, const guint tried[2])
{
	const char *slash = strrchr(name, '/');
	const char *p = slash ? slash + 1 : name;
	g_autoptr(GString) text = g_string_new_len(name, p - name);

	for (int i = 0;; i++) {
		size_t skip = strcspn(p, "0123456789");
		size_t digits = strspn(p + skip, "0123456789");

		g_string_append_len(text, p, (gssize)skip);
		if (!digits)
			return i ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
		if (i == 2 || !v->len[i] || g_ascii_strtoull(p + skip, NULL, 10) != tried[i])
			return NULL;
		g_string_append_len(text, v->volume_id + v->start[i], (gssize)v->len[i]);
		p += skip + digits;
	}
}

static bool try(OsinfoDb *db, OsinfoMedia *media, const struct version *v, guint first,
		guint second, struct vw_osi_guess *ret)
{
	const guint tried[2] = { first, second };
	const char *short_id;
	OsinfoOs *os;
	char *id;

	if (!known_as(db, media, v, first, second))
		return false;
	os = osinfo_media_get_os(media);
	id = real_name(osinfo_entity_get_id(OSINFO_ENTITY(os)), v, tried);
	if (!id)
		return false;
	short_id = osinfo_product_get_short_id(OSINFO_PRODUCT(os));
	ret->id = id;
	ret->short_id = short_id ? real_name(short_id, v, tried) : NULL;
	return true;
}

gboolean vw_osi_guess_media(OsinfoDb *db, OsinfoMedia *media, struct vw_osi_guess *ret)
{
	g_autofree char *volume_id = g_strdup(osinfo_media_get_volume_id(media));
	struct version v = { .volume_id = volume_id };

	if (!osinfo_media_is_bootable(media) || !volume_id || !read_version(&v))
		return FALSE;
	for (guint i = 1; i <= MIN(MAX_STEPS, v.number[0]); i++) {
		if (try(db, media, &v, v.number[0] - i, v.number[1], ret))
			return TRUE;
		if (v.number[1] && try(db, media, &v, v.number[0] - i, 0, ret))
			return TRUE;
	}
	for (guint i = 1; v.len[1] && i <= MIN(MAX_STEPS, v.number[1]); i++)
		if (try(db, media, &v, v.number[0], v.number[1] - i, ret))
			return TRUE;
	return FALSE;
}
