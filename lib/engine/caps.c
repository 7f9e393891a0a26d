/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain capabilities as a sorted set of "key=value" strings (see caps.h).
 *
 * libvirt lists choices as <enum name='E'> in an element of the kind, so
 * <devices><disk><enum name='bus'><value>virtio</value> becomes
 * "disk.bus=virtio"; a kind with supported='no' becomes "kind.supported=no"
 * and then every question about that kind is answered with NO. The architecture that
 * they are for is "caps.arch=…". */
#include "lib/engine/caps.h"

#include "lib/base/buf.h"
#include "lib/xml/xml.h"

#include <errno.h>

struct vw_caps {
	char **set;
	size_t n, cap;
	char *machine;
	unsigned max_vcpus;
	bool failed;
	char *lines; /* NULL, or what all strings point into */
};

static void add(struct vw_caps *c, const char *kind, const char *key, const char *value)
{
	char *s = NULL;

	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 128;
		char **v = reallocarray(c->set, cap, sizeof(*v));

		if (!v) {
			c->failed = true;
			return;
		}
		c->set = v;
		c->cap = cap;
	}
	if (asprintf(&s, "%s.%s=%s", kind, key, value) < 0) {
		c->failed = true;
		return;
	}
	c->set[c->n++] = s;
}

static void read_enums(struct vw_caps *c, struct vw_xml *x, const xmlNode *kind)
{
	const char *name = (const char *)kind->name;
	const char *supported = vw_xml_attr(kind, "supported");

	if (supported)
		add(c, name, "supported", supported);
	if (vw_streq(supported, "no"))
		return;
	for (xmlNode *e = vw_xml_child(kind, "enum"); e; e = vw_xml_next(e, "enum")) {
		const char *key = vw_xml_attr(e, "name");

		if (!key)
			continue;
		add(c, name, key, "");
		for (xmlNode *v = vw_xml_child(e, "value"); v; v = vw_xml_next(v, "value"))
			add(c, name, key, vw_xml_content(x, v));
	}
}

static void read_cpu(struct vw_caps *c, struct vw_xml *x, const xmlNode *cpu)
{
	for (xmlNode *m = vw_xml_child(cpu, "mode"); m; m = vw_xml_next(m, "mode")) {
		const char *name = vw_xml_attr(m, "name");

		if (!name)
			continue;
		add(c, "cpu", "mode", "");
		if (vw_streq(vw_xml_attr(m, "supported"), "yes"))
			add(c, "cpu", "mode", name);
		if (strcmp(name, "custom"))
			continue;
		for (xmlNode *v = vw_xml_child(m, "model"); v; v = vw_xml_next(v, "model")) {
			add(c, "cpu", "model", "");
			if (!vw_streq(vw_xml_attr(v, "usable"), "no"))
				add(c, "cpu", "model", vw_xml_content(x, v));
		}
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_all(struct vw_caps *c, struct vw_xml *x)
{
	xmlNode *root = vw_xml_root(x);
	xmlNode *os = vw_xml_child(root, "os");
	const char *max = vw_xml_attr(vw_xml_child(root, "vcpu"), "max");

	c->machine = strdup(vw_xml_content(x, vw_xml_child(root, "machine")));
	c->max_vcpus = max ? (unsigned)strtoul(max, NULL, 10) : 0;
	if (vw_xml_child(root, "arch"))
		add(c, "caps", "arch", vw_xml_content(x, vw_xml_child(root, "arch")));
	if (vw_xml_child(root, "iothreads"))
		read_enums(c, x, vw_xml_child(root, "iothreads"));
	if (os) {
		read_enums(c, x, os);
		if (vw_xml_child(os, "loader"))
			read_enums(c, x, vw_xml_child(os, "loader"));
	}
	if (vw_xml_child(root, "cpu"))
		read_cpu(c, x, vw_xml_child(root, "cpu"));
	for (xmlNode *d = vw_xml_first(vw_xml_child(root, "devices")); d; d = vw_xml_next(d, NULL))
		read_enums(c, x, d);
	for (xmlNode *f = vw_xml_first(vw_xml_child(root, "features")); f; f = vw_xml_next(f, NULL))
		read_enums(c, x, f);
	if (c->n)
		qsort(c->set, c->n, sizeof(*c->set), compare);
	if (!c->machine)
		c->failed = true;
}

int vw_caps_parse(const char *xml, size_t len, struct vw_caps **ret, struct vw_err *err)
{
	VW_AUTOXML struct vw_xml *x = NULL;
	struct vw_caps *c;
	int r = vw_xml_parse(xml, len, "domain capabilities", "domainCapabilities", &x, err);

	if (r < 0)
		return r;
	c = calloc(1, sizeof(*c));
	if (!c)
		return vw_err_set(err, -ENOMEM, "domain capabilities: out of memory");
	read_all(c, x);
	if (c->failed) {
		vw_caps_free(c);
		return vw_err_set(err, -ENOMEM, "domain capabilities: out of memory");
	}
	*ret = c;
	return 0;
}

void vw_caps_free(struct vw_caps *caps)
{
	if (!caps)
		return;
	for (size_t i = 0; !caps->lines && i < caps->n; i++)
		free(caps->set[i]);
	if (!caps->lines)
		free(caps->machine);
	free(caps->lines);
	free(caps->set);
	free(caps);
}

char *vw_caps_to_lines(const struct vw_caps *c)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	bool fits = !strchr(c->machine, '\n');

	vw_buf_printf(&b, "%s\n%u\n", c->machine, c->max_vcpus);
	for (size_t i = 0; fits && i < c->n; i++) {
		fits = !strchr(c->set[i], '\n');
		vw_buf_puts(&b, c->set[i]);
		vw_buf_puts(&b, "\n");
	}
	return fits ? vw_buf_take(&b) : NULL;
}

/* Cut the line at *text off. Return: it, NULL = no line is left. */
static char *cut_line(char **text)
{
	char *line = *text, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	*text = end + 1;
	return line;
}

static int read_lines(struct vw_caps *c)
{
	char *text = c->lines, *line, *end;
	size_t n = 0;

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		n++;
	c->set = calloc(n + 1, sizeof(*c->set));
	if (!c->set)
		return -ENOMEM;
	c->machine = cut_line(&text);
	line = c->machine ? cut_line(&text) : NULL;
	c->max_vcpus = line ? (unsigned)strtoul(line, &end, 10) : 0;
	if (!line || end == line || *end)
		return -EBADMSG;
	for (; (line = cut_line(&text)); c->n++) {
		if (!strchr(line, '=') || (c->n && strcmp(c->set[c->n - 1], line) > 0))
			return -EBADMSG; /* in_set wants it sorted */
		c->set[c->n] = line;
	}
	return *text ? -EBADMSG : 0;
}

int vw_caps_from_lines(char *lines, struct vw_caps **ret)
{
	struct vw_caps *c = lines ? calloc(1, sizeof(*c)) : NULL;
	int r;

	if (!c) {
		free(lines);
		return -ENOMEM;
	}
	c->lines = lines;
	r = read_lines(c);
	if (r < 0) {
		vw_caps_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

static bool in_set(const struct vw_caps *c, const char *key, const char *value)
{
	char text[160];
	const char *p = text;

	if (snprintf(text, sizeof(text), "%s=%s", key, value) >= (int)sizeof(text))
		return false;
	return c->n && bsearch(&p, c->set, c->n, sizeof(*c->set), compare);
}

enum vw_known vw_caps_has(const struct vw_caps *caps, const char *key, const char *value)
{
	char supported[80];

	if (!caps)
		return VW_UNKNOWN;
	if (in_set(caps, key, value))
		return VW_YES;
	snprintf(supported, sizeof(supported), "%.*s.supported", (int)strcspn(key, "."), key);
	if (in_set(caps, supported, "no") || in_set(caps, key, ""))
		return VW_NO;
	return VW_UNKNOWN;
}

const char *vw_caps_machine(const struct vw_caps *caps)
{
	return caps ? caps->machine : "";
}

unsigned vw_caps_max_vcpus(const struct vw_caps *caps)
{
	return caps ? caps->max_vcpus : 0;
}
