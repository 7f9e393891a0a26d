/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* [cpu] baseline as a file: the <cpu> that `virt-warden matrix --baseline` prints, turned
 * into the words of the key itself ("Nehalem +aes -mpx"). */
#include "lib/conf/baseline.h"

#include "lib/base/buf.h"
#include "lib/base/open.h"
#include "lib/base/trust.h"
#include "lib/xml/xml.h"

#include <errno.h>

#define BYTES_MAX (64u * 1024)

static bool is_word(const char *s)
{
	return s && *s && !s[strspn(s, VW_BASELINE_CHARS)];
}

static int add_features(struct vw_buf *b, const xmlNode *cpu, const char *path, struct vw_err *err)
{
	const xmlNode *f = vw_xml_child(cpu, "feature");

	for (; f; f = vw_xml_next(f, "feature")) {
		const char *name = vw_xml_attr(f, "name"), *policy = vw_xml_attr(f, "policy");
		bool require = !policy || !strcmp(policy, "require");

		if (!is_word(name) || (!require && strcmp(policy, "disable") != 0))
			return vw_err_set(err, -EINVAL,
					  "%s: a <feature> must have a name and the policy require "
					  "or disable",
					  path);
		vw_buf_printf(b, " %c%s", require ? '+' : '-', name);
	}
	return 0;
}

static int convert(struct vw_xml *x, const char *path, char *baseline, struct vw_err *err)
{
	const xmlNode *cpu = vw_xml_root(x), *model = vw_xml_child(cpu, "model");
	VW_AUTOBUF struct vw_buf b = { 0 };
	int r;

	if (!model || !is_word(vw_xml_content(x, model)))
		return vw_err_set(err, -EINVAL,
				  "%s: a <cpu> with a <model> is needed, as virt-warden matrix "
				  "--baseline prints it",
				  path);
	vw_buf_puts(&b, vw_xml_content(x, model));
	r = add_features(&b, cpu, path, err);
	if (r < 0)
		return r;
	if (b.failed)
		return vw_err_set(err, -ENOMEM, "%s: out of memory", path);
	if (b.len >= VW_BASELINE_MAX)
		return vw_err_set(err, -E2BIG, "%s: more features than there are", path);
	memcpy(baseline, b.p, b.len + 1);
	return 0;
}

int vw_baseline_load(char *baseline, struct vw_err *err)
{
	char path[VW_BASELINE_MAX];
	VW_AUTOFREE char *text = NULL;
	VW_AUTOCLOSE int fd = -1;
	VW_AUTOXML struct vw_xml *x = NULL;
	struct vw_err why = { 0 };
	struct stat sb;
	ssize_t n;
	int r;

	if (*baseline != '/')
		return 0;
	strcpy(path, baseline);
	fd = vw_open(AT_FDCWD, path, 0, &sb, &why);
	if (fd < 0)
		return vw_err_set(err, fd, "[cpu] baseline: %s", why.text);
	if (sb.st_size > BYTES_MAX)
		return vw_err_set(err, -EINVAL, "%s: no file with a <cpu> element", path);
	r = vw_trust(path, err);
	if (r < 0)
		return r;
	text = malloc(BYTES_MAX);
	n = text ? read(fd, text, BYTES_MAX) : -1;
	if (n < 0)
		return vw_err_set(err, -EIO, "%s: %s", path, strerror(errno));
	r = vw_xml_parse(text, (size_t)n, path, "cpu", &x, err);
	return r < 0 ? r : convert(x, path, baseline, err);
}
