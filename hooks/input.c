/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hook's stdin: read within bounds of size and time, and what it tells of the domain. */
#include "hooks/hook.h"
#include "lib/engine/metadata.h"
#include "lib/xml/xml.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>

/* Wait for input until the budget is used up. Return: 0 or negative errno. */
static int wait_for_input(const struct hook *h)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	if (poll(&p, 1, (int)hook_time_left(h)) == 0)
		return -ETIMEDOUT;
	return 0;
}

/* Room for more input; one byte more than is allowed at most, to notice too much. */
static int grow(struct hook *h, size_t *cap)
{
	const size_t max = VW_XML_MAX_BYTES + 1;
	const size_t n = *cap ? *cap * 4 : 65536;
	char *p = realloc(h->text, n < max ? n : max);

	if (!p)
		return -ENOMEM;
	h->text = p;
	*cap = n < max ? n : max;
	return 0;
}

static int read_stdin(struct hook *h)
{
	size_t cap = 0;
	int r;

	for (;;) {
		ssize_t n;

		if (h->len > VW_XML_MAX_BYTES)
			return 0; /* vw_xml_parse will say so */
		r = h->len == cap ? grow(h, &cap) : 0;
		if (r == 0)
			r = wait_for_input(h);
		if (r < 0)
			return r;
		n = read(STDIN_FILENO, h->text + h->len, cap - h->len);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (n == 0)
			return 0;
		h->len += n > 0 ? (size_t)n : 0;
	}
}

/* Take a UUID over in lower case; it becomes a file name, so only a canonical one. */
static void take_uuid(struct hook *h, const char *s)
{
	size_t i;

	for (i = 0; i < 36; i++) {
		const bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			break;
		h->uuid[i] = (char)tolower((unsigned char)s[i]);
	}
	h->uuid[i == 36 && !s[i] ? 36 : 0] = '\0';
}

int hook_read(struct hook *h, struct vw_err *err)
{
	const char *name;
	xmlNode *root;
	int r = read_stdin(h);

	if (r < 0)
		return vw_err_set(err, r, "stdin: %s", strerror(-r));
	r = vw_xml_parse(h->text, h->len, "stdin", "domain", &h->doc, err);
	if (r < 0)
		return r;
	root = vw_xml_root(h->doc);
	name = vw_xml_content(h->doc, vw_xml_child(root, "name"));
	h->name = strdup(*name ? name : h->arg_name);
	if (!h->name)
		return vw_err_set(err, -ENOMEM, "out of memory");
	take_uuid(h, vw_xml_content(h->doc, vw_xml_child(root, "uuid")));
	h->mode = vw_metadata_effective_mode(root);
	h->skipped = vw_metadata_skips(root, "disk-cache") || !vw_metadata_is_qemu(root);
	return 0;
}
