/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads a host's facts from JSON, strictly and within bounds (see host.h): tables say
 * which key is what, and where it goes. */
#include "virt/hostfacts/host.h"

#include <errno.h>

enum kind { STRING = 0, NUMBER, BOOLEAN, WORDS, LIST };

#define MAX_ITEMS 100000 /* of one list */
/* Of a number: the least stands for "not said"; the greatest leaves room for sums and differences. */
#define MIN_NUMBER (-1)
#define MAX_NUMBER (1LL << 53)

struct field {
	const char *key;
	enum kind kind;
	size_t at, count_at, size; /* of LIST: where its length goes, size of one item */
	const struct field *item;
	bool optional; /* came later: "" in a file that lacks it */
};

#define END                                        \
	{                                          \
		NULL, STRING, 0, 0, 0, NULL, false \
	}

#define F(kind, key, member)                                                 \
	{                                                                    \
		key, kind, offsetof(struct THING, member), 0, 0, NULL, false \
	}
#define O(key, member)                                                        \
	{                                                                     \
		key, STRING, offsetof(struct THING, member), 0, 0, NULL, true \
	}
#define L(key, member, table)                                                         \
	{                                                                             \
		key, LIST, offsetof(struct vw_host_facts, member),                    \
			offsetof(struct vw_host_facts, n_##member),                   \
			sizeof(*((struct vw_host_facts *)NULL)->member), table, false \
	}

#define THING vw_host_virt
static const struct field virt_fields[] = {
	F(STRING, "type", type),        F(STRING, "emulator", emulator), F(STRING, "model", model),
	F(STRING, "vendor", vendor),    F(WORDS, "features", features),  F(WORDS, "models", models),
	F(WORDS, "machines", machines), F(WORDS, "caps", caps),          END,
};
#undef THING
#define THING vw_host_net
static const struct field net_fields[] = { F(STRING, "name", name), F(BOOLEAN, "active", active),
					   END };
#undef THING
#define THING vw_host_pool
static const struct field pool_fields[] = {
	F(STRING, "name", name),      F(STRING, "type", type), F(STRING, "path", path),
	O("format", format),          O("source", source),     F(BOOLEAN, "active", active),
	F(WORDS, "volumes", volumes), F(BOOLEAN, "cut", cut),  END,
};
#undef THING
#define THING vw_host_lun
static const struct field lun_fields[] = { F(STRING, "path", path), F(STRING, "wwn", wwn),
					   F(STRING, "serial", serial), F(NUMBER, "bytes", bytes),
					   END };
#undef THING
#define THING vw_host_domain
static const struct field domain_fields[] = { F(STRING, "name", name), F(STRING, "uuid", uuid),
					      F(BOOLEAN, "active", active),
					      F(WORDS, "ports", ports), END };
#undef THING
#define THING vw_host_pages
static const struct field pages_fields[] = { F(NUMBER, "kib", kib), F(NUMBER, "total", total),
					     F(NUMBER, "free", free), END };
#undef THING
#define THING vw_host_file
static const struct field file_fields[] = { F(STRING, "path", path), F(BOOLEAN, "there", there),
					    END };
#undef THING
#define THING vw_host_facts
static const struct field host_fields[] = {
	F(STRING, "name", name),
	F(STRING, "uri", uri),
	F(STRING, "hostname", hostname),
	F(STRING, "uuid", uuid),
	F(STRING, "arch", arch),
	F(NUMBER, "libvirt", libvirt),
	F(NUMBER, "qemu", qemu),
	F(NUMBER, "tsc_khz", tsc_khz),
	F(BOOLEAN, "tsc_scaling", tsc_scaling),
	F(NUMBER, "memory_kib", memory_kib),
	F(WORDS, "security", security),
	F(WORDS, "interfaces", interfaces),
	F(WORDS, "unasked", unasked),
	L("virts", virts, virt_fields),
	L("networks", nets, net_fields),
	L("pools", pools, pool_fields),
	L("luns", luns, lun_fields),
	L("domains", domains, domain_fields),
	L("pages", pages, pages_fields),
	L("files", files, file_fields),
	END,
};
#undef THING

static int bad(struct vw_err *err, const char *file, const char *key, const char *why)
{
	return vw_err_set(err, -EINVAL,
			  "%s: no sound facts file: '%s' %s; make it anew by virt-warden facts URI",
			  file, key, why);
}

static int load_words(json_t *value, struct vw_words *ret, const char *file, const char *key,
		      struct vw_err *err)
{
	size_t n = json_array_size(value), i;
	const char **v;

	if (!json_is_array(value) || n > MAX_ITEMS)
		return bad(err, file, key, "is no list of words, or too long");
	v = calloc(n + 1, sizeof(*v));
	if (!v)
		return vw_err_set(err, -ENOMEM, "out of memory");
	*ret = (struct vw_words){ .v = v, .n = n };
	for (i = 0; i < n; i++) {
		v[i] = json_string_value(json_array_get(value, i));
		if (!v[i])
			return bad(err, file, key, "holds something that is no word");
	}
	return 0;
}

static int load(json_t *object, const struct field *fields, void *ret, const char *file,
		struct vw_err *err);

static int load_list(json_t *value, const struct field *f, char *base, const char *file,
		     struct vw_err *err)
{
	size_t n = json_array_size(value), i;
	char *items;
	int r = 0;

	if (!json_is_array(value) || n > MAX_ITEMS)
		return bad(err, file, f->key, "is no list, or too long");
	items = calloc(n + 1, f->size);
	if (!items)
		return vw_err_set(err, -ENOMEM, "out of memory");
	memcpy(base + f->at, &items, sizeof(items));
	memcpy(base + f->count_at, &n, sizeof(n));
	for (i = 0; r == 0 && i < n; i++)
		r = load(json_array_get(value, i), f->item, items + i * f->size, file, err);
	return r;
}

static int load_one(json_t *value, const struct field *f, char *base, const char *file,
		    struct vw_err *err)
{
	switch (f->kind) {
	case STRING:
		if (!json_is_string(value))
			return bad(err, file, f->key, "is no text");
		*(const char **)(void *)(base + f->at) = json_string_value(value);
		return 0;
	case NUMBER:
		if (!json_is_integer(value))
			return bad(err, file, f->key, "is no number");
		if (json_integer_value(value) < MIN_NUMBER ||
		    json_integer_value(value) > MAX_NUMBER)
			return bad(err, file, f->key, "is a number out of range (-1 to 2^53)");
		*(long long *)(void *)(base + f->at) = json_integer_value(value);
		return 0;
	case BOOLEAN:
		if (!json_is_boolean(value))
			return bad(err, file, f->key, "is neither true nor false");
		*(bool *)(base + f->at) = json_is_true(value);
		return 0;
	case WORDS:
		return load_words(value, (struct vw_words *)(void *)(base + f->at), file, f->key,
				  err);
	default: return load_list(value, f, base, file, err);
	}
}

static int load(json_t *object, const struct field *fields, void *ret, const char *file,
		struct vw_err *err)
{
	int r = 0;

	if (!json_is_object(object))
		return bad(err, file, fields[0].key, "is missing");
	for (const struct field *f = fields; r == 0 && f->key; f++) {
		json_t *value = json_object_get(object, f->key);

		if (!value && f->optional)
			*(const char **)(void *)((char *)ret + f->at) = "";
		else
			r = value ? load_one(value, f, ret, file, err)
				  : bad(err, file, f->key, "is missing");
	}
	return r;
}

static int intern(struct host *h, struct vw_features *t, struct vw_err *err)
{
	for (size_t i = 0; i < h->facts.n_virts; i++) {
		struct vw_host_virt *v = &h->facts.virts[i];

		for (size_t k = 0; k < v->features.n; k++) {
			int number = vw_features_intern(t, v->features.v[k]);

			if (number < 0)
				return vw_err_set(err, number, "%s: too many names of CPU features",
						  h->arg);
			vw_featset_add(&v->set, (unsigned)number);
		}
	}
	return 0;
}

int host_load(struct host *h, json_t *json, const char *name, struct vw_features *t,
	      struct vw_err *err)
{
	json_t *version = json_object_get(json, "version");
	int r;

	h->json = json;
	if (!json_is_integer(version))
		return bad(err, name, "version", "is missing");
	if (json_integer_value(version) > VW_FACTS_VERSION)
		return vw_err_set(
			err, -EPROTO,
			"%s: facts of version %lld, made by a newer virt-warden; update this one",
			name, (long long)json_integer_value(version));
	if (json_integer_value(version) != VW_FACTS_VERSION)
		return bad(err, name, "version", "is none that there ever was");
	r = load(json, host_fields, &h->facts, name, err);
	if (r == 0 && !*h->facts.name)
		r = bad(err, name, "name", "is empty");
	if (r == 0)
		vw_host_sort(&h->facts);
	return r < 0 ? r : intern(h, t, err);
}

static void clear(const struct field *fields, char *base)
{
	for (const struct field *f = fields; f->key; f++) {
		char *items;
		size_t n;

		if (f->kind == WORDS) {
			free(((struct vw_words *)(void *)(base + f->at))->v);
		} else if (f->kind == LIST) {
			memcpy(&items, base + f->at, sizeof(items));
			memcpy(&n, base + f->count_at, sizeof(n));
			for (size_t i = 0; items && i < n; i++)
				clear(f->item, items + i * f->size);
			free(items);
		}
	}
}

void host_clear(struct host *h)
{
	clear(host_fields, (char *)&h->facts);
	json_decref(h->json);
	*h = (struct host){ 0 };
}
