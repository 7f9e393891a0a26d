/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden os: what osinfo-db says, which OS a domain or an image of install
 * media has, and storing it in a domain. */
#include "lib/base/buf.h"
#include "lib/base/input.h"
#include "lib/json/json.h"
#include "plugin/cmd/audit.h"
#include "plugin/cmd/cmd.h"
#include "plugin/cmd/meta.h"
#include "lib/base/open.h"
#include "lib/engine/metadata.h"
#include "plugin/out/json.h"
#include "plugin/out/table.h"
#include "virt/domain.h"

#include <errno.h>
#include <fnmatch.h>

static struct vw_osindex *open_index(struct cmd *cmd, struct vw_err *err)
{
	return cmd_context(cmd, err) < 0 ? NULL : vw_context_osindex(cmd->ctx, err);
}

/* A PATTERN with * ? [ is a glob; else any part of the short id or the name. */
static bool matches(const struct vw_os *os, const char *family, const char *pattern)
{
	bool glob = pattern && strpbrk(pattern, "*?[");

	if (family && strcasecmp(os->family, family))
		return false;
	if (!pattern)
		return true;
	if (glob)
		return fnmatch(pattern, os->short_id, FNM_CASEFOLD) == 0 ||
		       fnmatch(pattern, os->name, FNM_CASEFOLD) == 0;
	return strcasestr(os->short_id, pattern) || strcasestr(os->name, pattern);
}

static void add_row(struct out_table *t, const struct vw_os *os)
{
	out_table_add(t, OUT_BOLD, os->short_id);
	out_table_add(t, OUT_PLAIN, os->name);
	out_table_add(t, OUT_PLAIN, os->family);
	out_table_add(t, OUT_PLAIN, os->release_date);
	out_table_add(t, OUT_DIM, os->id);
}

static int os_list(struct cmd *cmd, const char *family, const char *pattern)
{
	static const struct out_column cols[] = {
		{ "ID", 0, false },       { "NAME", 48, false },   { "FAMILY", 0, false },
		{ "RELEASED", 0, false }, { "FULL ID", 0, false },
	};
	OUT_AUTOTABLE struct out_table t = { 0 };
	struct vw_err err = { 0 };
	struct vw_osindex *index = open_index(cmd, &err);
	json_t *list = cmd->json ? json_array() : NULL;
	size_t n = index ? vw_osindex_count(index) : 0, i, found = 0;

	if (!index)
		return cmd_fail(cmd, &err);
	out_table_init(&t, &cmd->out, cols, VW_N_ELEMENTS(cols));
	for (i = 0; i < n; i++) {
		struct vw_os *os = NULL;

		if (vw_osindex_get(index, i, &os, &err) < 0)
			continue;
		if (matches(os, family, pattern)) {
			found++;
			if (list)
				json_array_append_new(
					list, json_pack("{s:o, s:o, s:o, s:o, s:o}", "id",
							vw_json_string(os->id), "short_id",
							vw_json_string(os->short_id), "name",
							vw_json_string(os->name), "family",
							vw_json_string(os->family), "released",
							vw_json_string(os->release_date)));
			else
				add_row(&t, os);
		}
		vw_os_free(os);
	}
	if (list)
		return cmd_print_json(cmd, json_pack("{s:i, s:o}", "version", 1, "oses", list));
	out_table_print(&t, 0, !cmd->quiet);
	if (!found)
		cmd_note(cmd, "no OS matches; virt-warden os list names all %zu", n);
	return found ? CMD_OK : CMD_FINDINGS;
}

static int show_json(struct cmd *cmd, const struct vw_os *os)
{
	json_t *top = out_json_top(), *features = json_array();
	size_t i;

	json_object_set_new(top, "id", vw_json_string(os->id));
	json_object_set_new(top, "short_id", vw_json_string(os->short_id));
	json_object_set_new(top, "name", vw_json_string(os->name));
	json_object_set_new(top, "family", vw_json_string(os->family));
	json_object_set_new(top, "distro", vw_json_string(os->distro));
	json_object_set_new(top, "os_version", vw_json_string(os->version));
	json_object_set_new(top, "like", vw_json_string(os->like));
	json_object_set_new(top, "released", vw_json_string(os->release_date));
	json_object_set_new(top, "ram", json_integer((json_int_t)os->ram));
	json_object_set_new(top, "storage", json_integer((json_int_t)os->storage));
	json_object_set_new(top, "cpus", json_integer(os->ncpus));
	for (i = 0; i < os->n_features; i++)
		json_array_append_new(features, vw_json_string(os->features[i]));
	json_object_set_new(top, "features", features);
	return cmd_print_json(cmd, top);
}

static void show_text(struct cmd *cmd, const struct vw_os *os)
{
	static const struct out_column cols[] = { { "", 0, false }, { "", 0, false } };
	OUT_AUTOTABLE struct out_table t = { 0 };
	struct vw_templates *templates = vw_context_templates(cmd->ctx, NULL);
	const char *template = templates ? vw_template_id(
						   vw_templates_pick(templates, os, VW_UNKNOWN))
					 : NULL;
	VW_AUTOFREE char *features = NULL;
	size_t i, len = 0;
	FILE *f = open_memstream(&features, &len);

	for (i = 0; f && i < os->n_features; i++)
		fprintf(f, "%s%s", i ? " " : "", os->features[i]);
	if (f)
		fclose(f);
	out_table_init(&t, &cmd->out, cols, VW_N_ELEMENTS(cols));
#define ROW(key, ...) (out_table_add(&t, OUT_DIM, key), out_table_addf(&t, OUT_PLAIN, __VA_ARGS__))
	ROW("id", "%s", os->short_id);
	ROW("full id", "%s", os->id);
	ROW("name", "%s", os->name);
	if (os->like)
		ROW("like", "%s (osinfo-db does not know this id yet)", os->like);
	ROW("family", "%s %s %s", os->family, os->distro, os->version);
	ROW("released", "%s", *os->release_date ? os->release_date : "?");
	ROW("memory", "%llu MiB", (unsigned long long)os->ram >> 20);
	ROW("storage", "%llu GiB", (unsigned long long)os->storage >> 30);
	ROW("cpus", "%u", os->ncpus);
	ROW("template", "%s", template ? template : "?");
	ROW("devices", "%s", features ? features : "");
#undef ROW
	out_table_print(&t, 0, false);
}

static int os_show(struct cmd *cmd, const char *id)
{
	struct vw_err err = { 0 };
	struct vw_osindex *index = open_index(cmd, &err);
	struct vw_os *os = NULL;
	int rc = index ? vw_osindex_find(index, id, &os, &err) : -EIO;

	if (rc == -ENOENT)
		err.code = CMD_E_USAGE;
	if (rc < 0)
		return cmd_fail(cmd, &err);
	rc = CMD_OK;
	if (cmd->json)
		rc = show_json(cmd, os);
	else
		show_text(cmd, os);
	vw_os_free(os);
	return rc;
}

static int report_os(struct cmd *cmd, const struct vw_os *os, enum vw_os_source source,
		     enum vw_evidence confidence, const char *note)
{
	if (cmd->json) {
		int rc = cmd_print_json(
			cmd, json_pack("{s:i, s:{s:o, s:o, s:o}}", "version", 1, "os", "id",
				       vw_json_string(os ? os->id : NULL), "source",
				       vw_json_string(vw_os_source_name(source)), "confidence",
				       vw_json_string(vw_evidence_name(confidence))));

		return rc == CMD_OK && !os ? CMD_UNKNOWN : rc;
	}
	if (!os) {
		out_print(&cmd->out, OUT_WARN, "unknown");
		out_print(&cmd->out, OUT_PLAIN, "%s%s\n", *note ? ": " : "", note);
		return CMD_UNKNOWN;
	}
	out_print(&cmd->out, OUT_BOLD, "%s", os->short_id);
	out_print(&cmd->out, OUT_PLAIN, "  %s  (source: %s, confidence: %s)\n", os->name,
		  vw_os_source_name(source), vw_evidence_name(confidence));
	if (*note)
		out_print(&cmd->out, OUT_DIM, "%s\n", note);
	return CMD_OK;
}

/* What libosinfo recognises as install media: asked as for a domain that has it in its CD-ROM. */
static int detect_media(struct cmd *cmd, const char *path)
{
	const struct cmd_audit_options opt = { .findings_only = true };
	CMD_AUTOAUDIT struct cmd_audit *a = NULL;
	VW_AUTOFREE char *full = realpath(path, NULL);
	VW_AUTOBUF struct vw_buf b = { 0 };
	struct vw_err err = { 0 };
	char *xml;

	if (!full) {
		cmd_error(cmd, "%s: %m", path);
		return CMD_UNKNOWN;
	}
	if (cmd_audit_ready(cmd, &err) < 0)
		return cmd_fail(cmd, &err);
	vw_buf_puts(&b, "<domain type='qemu'><name>media</name><devices><disk type='file' "
			"device='cdrom'><source file='");
	vw_buf_xml(&b, full, '\'');
	vw_buf_puts(&b, "'/><target dev='hdc' bus='ide'/></disk></devices></domain>");
	xml = vw_buf_take(&b);
	if (!xml) {
		cmd_error(cmd, "%s: out of memory", path);
		return CMD_UNKNOWN;
	}
	if (cmd_audit_text(cmd, xml, path, &opt, &a, &err) < 0)
		return cmd_fail(cmd, &err);
	return report_os(cmd, a->plan->os, a->plan->os_source, a->plan->os_confidence,
			 a->plan->os ? ""
				     : "neither domain XML nor install media that libosinfo knows");
}

/* Does the file begin as XML does? */
static bool looks_like_xml(const char *path)
{
	VW_AUTOCLOSE int fd = vw_open(AT_FDCWD, path, 0, NULL, NULL);
	char head[64] = "";
	const char *p = head;

	if (fd < 0 || read(fd, head, sizeof(head) - 1) < 0)
		return true; /* the reader will say why */
	if (vw_startswith(p, "\xef\xbb\xbf"))
		p += 3;
	p += strspn(p, " \t\r\n");
	return *p == '<' || vw_startswith(head, "\xff\xfe") || vw_startswith(head, "\xfe\xff");
}

static int os_detect(struct cmd *cmd, const char *name)
{
	const struct cmd_audit_options opt = { .findings_only = true };
	VW_AUTODOMAIN virDomainPtr dom = NULL;
	CMD_AUTOAUDIT struct cmd_audit *a = NULL;
	struct vw_err err = { 0 };
	int rc;

	if (vw_input_is_file(name) && !vw_streq(name, "-") && vw_input_is_regular(name) &&
	    !looks_like_xml(name))
		return detect_media(cmd, name);
	if (vw_input_is_file(name)) {
		rc = cmd_audit_file(cmd, name, &opt, &a, &err);
	} else {
		rc = cmd_connect(cmd, true, &err);
		if (rc == 0)
			rc = vw_domain_find(cmd->conn, name, &dom, &err);
		if (rc == 0)
			rc = cmd_audit_domain(cmd, dom, &opt, &a, &err);
	}
	if (rc < 0)
		return cmd_fail(cmd, &err);
	return report_os(cmd, a->plan->os, a->plan->os_source, a->plan->os_confidence,
			 a->facts->os_note);
}

/* <libosinfo:libosinfo><libosinfo:os id="…"/>, where virt-manager and the rest look for it. */
static int store_os(struct cmd *cmd, virDomainPtr dom, const char *id, struct vw_err *err)
{
	CMD_AUTODOC xmlDoc *doc = NULL;
	int rc = cmd_meta_read(dom, VW_METADATA_OS_NS, "libosinfo", &doc, err);
	xmlNode *root, *os;

	if (rc < 0)
		return rc;
	root = xmlDocGetRootElement(doc);
	os = cmd_meta_child(root, "os");
	if (!os)
		os = xmlNewChild(root, NULL, (const xmlChar *)"os", NULL);
	if (!os || !xmlSetProp(os, (const xmlChar *)"id", (const xmlChar *)id))
		return vw_err_set(err, -ENOMEM, "out of memory");
	return cmd_meta_write(cmd, dom, VW_METADATA_OS_NS, "libosinfo", doc, false, "os-metadata",
			      err);
}

static int os_set(struct cmd *cmd, const char *name, const char *id)
{
	VW_AUTODOMAIN virDomainPtr dom = NULL;
	struct vw_err err = { 0 };
	struct vw_osindex *index = open_index(cmd, &err);
	struct vw_os *os = NULL;
	int rc = index ? vw_osindex_find(index, id, &os, &err) : -EIO;

	if (rc == -ENOENT)
		err.code = CMD_E_USAGE;
	if (rc == 0)
		rc = cmd_connect(cmd, false, &err);
	if (rc == 0)
		rc = vw_domain_find(cmd->conn, name, &dom, &err);
	if (rc == 0)
		rc = store_os(cmd, dom, os->id, &err);
	if (rc < 0)
		rc = cmd_fail(cmd, &err);
	else if (cmd->json || !cmd->quiet)
		rc = report_os(cmd, os, VW_OS_METADATA, VW_EV_ASSUMED, "");
	vw_os_free(os);
	return rc;
}

static int run_os(struct cmd *cmd, int argc, char **argv)
{
	enum { OPT_FAMILY = CMD_OPT_OWN };
	static const struct option longs[] = {
		CMD_LONG,
		{ "family", required_argument, NULL, OPT_FAMILY },
		CMD_LONG_END,
	};
	const char *family = NULL, *what;
	int c, n;

	while ((c = cmd_getopt(cmd, argc, argv, longs)) != -1) {
		if (c == CMD_STOP)
			return cmd->status;
		family = optarg;
	}
	what = optind < argc ? argv[optind] : "";
	n = argc - optind - 1;
	if (family && !vw_streq(what, "list"))
		return cmd_usage(cmd, "--family is for os list");
	if (vw_streq(what, "list") && n <= 1)
		return os_list(cmd, family, argv[optind + 1]);
	if (vw_streq(what, "show") && n == 1)
		return os_show(cmd, argv[optind + 1]);
	if (vw_streq(what, "detect") && n == 1)
		return os_detect(cmd, argv[optind + 1]);
	if (vw_streq(what, "set") && n == 2)
		return os_set(cmd, argv[optind + 1], argv[optind + 2]);
	return cmd_usage(cmd,
			 "os takes: list [PATTERN], show ID, detect FILE|DOMAIN, set DOMAIN ID");
}

const struct command cmd_os = {
	.name = "os",
	.summary = "OS facts: list, show, detect, set",
	.usage =
		"virt-warden os list [--family F] [PATTERN]\n"
		"       virt-warden os show ID\n"
		"       virt-warden os detect FILE|DOMAIN\n"
		"       virt-warden os set DOMAIN ID\n"
		"\n"
		"list and show: what osinfo-db knows. detect: the OS of a domain, of a domain XML\n"
		"or of an install medium (ISO), where that was learnt and how sure it is. set:\n"
		"stores the OS in the domain, where virt-manager and others look for it too.\n"
		"\n"
		"Options:\n"
		"      --family F      linux, winnt, freebsd … only\n",
	.run = run_os,
};
