/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `doctor`: config, templates (against their RELAX NG schema), OS index, state. */
#include "plugin/cmd/doctor.h"

#include "lib/xml/error.h"

#include <dirent.h>
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <sys/stat.h>

bool doctor_open_to_others(const char *path, unsigned *ret_mode)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	*ret_mode = (unsigned)st.st_mode & 07777;
	return st.st_mode & 022 || (st.st_uid != 0 && st.st_uid != geteuid());
}

static void say_open_to_others(struct doctor_result *r, const char *path, unsigned mode)
{
	doctor_say(r, DOCTOR_FAIL, "chown root: and chmod go-w it: it says what is done as root",
		   "%s: others than root may write it (mode %04o)", path, mode);
}

void doctor_config(struct doctor *d, struct doctor_result *r)
{
	struct vw_policy policy;
	struct vw_err err = { 0 };
	unsigned mode;

	if (vw_conf_load(d->paths.conf, &policy, &err) < 0)
		doctor_say(
			r, DOCTOR_FAIL,
			"correct that; until then the hook and virsh use the defaults or nothing",
			"%s", err.text);
	else if (doctor_open_to_others(d->paths.conf, &mode))
		say_open_to_others(r, d->paths.conf, mode);
	else if (access(d->paths.conf, F_OK) < 0)
		doctor_say(r, DOCTOR_PASS, "", "%s: not there, so the defaults hold",
			   d->paths.conf);
	else
		doctor_say(r, DOCTOR_PASS, "", "%s", d->paths.conf);
}

/* The first complaint of libxml2, as "FILE:LINE: message". */
struct complaint {
	char text[480];
};

static void on_error(void *data, vw_xml_error *e)
{
	struct complaint *c = data;

	if (!*c->text)
		snprintf(c->text, sizeof(c->text), "%s:%d: %.*s", e->file ? e->file : "?", e->line,
			 (int)strcspn(e->message ? e->message : "", "\n"),
			 e->message ? e->message : "");
}

/* Is one template valid? */
static bool validate(xmlRelaxNG *schema, const char *path, struct complaint *c)
{
	xmlDoc *doc = xmlReadFile(path, NULL, XML_PARSE_NONET);
	xmlRelaxNGValidCtxt *valid = doc ? xmlRelaxNGNewValidCtxt(schema) : NULL;
	bool good = false;

	if (valid) {
		xmlRelaxNGSetValidStructuredErrors(valid, on_error, c);
		good = xmlRelaxNGValidateDoc(valid, doc) == 0;
		xmlRelaxNGFreeValidCtxt(valid);
	}
	xmlFreeDoc(doc);
	return good;
}

/* All *.xml of a directory. Return: how many were valid, or -1. */
static int validate_dir(xmlRelaxNG *schema, const char *dir, struct complaint *c)
{
	struct dirent **list = NULL;
	int n = scandir(dir, &list, NULL, alphasort), i, valid = 0;

	for (i = 0; i < n; i++) {
		size_t len = strlen(list[i]->d_name);
		VW_AUTOFREE char *path = NULL;

		if (valid >= 0 && *list[i]->d_name != '.' && len > 4 &&
		    vw_streq(list[i]->d_name + len - 4, ".xml") &&
		    asprintf(&path, "%s/%s", dir, list[i]->d_name) > 0)
			valid = validate(schema, path, c) ? valid + 1 : -1;
		free(list[i]);
	}
	free(list);
	return valid;
}

static xmlRelaxNG *load_schema(const char *path, struct complaint *c)
{
	xmlRelaxNGParserCtxt *parser = xmlRelaxNGNewParserCtxt(path);
	xmlRelaxNG *schema;

	if (!parser)
		return NULL;
	xmlRelaxNGSetParserStructuredErrors(parser, on_error, c);
	schema = xmlRelaxNGParse(parser);
	xmlRelaxNGFreeParserCtxt(parser);
	return schema;
}

void doctor_templates(struct doctor *d, struct doctor_result *r)
{
	VW_AUTOFREE char *dir = NULL;
	VW_AUTOFREE char *rng = NULL;
	struct complaint c = { "" };
	struct vw_templates *loaded = NULL;
	struct vw_err err = { 0 };
	xmlRelaxNG *schema;
	unsigned mode;
	int own = -1, admin = -1;

	if (asprintf(&dir, "%s/xml-templates", d->paths.datadir) < 0 ||
	    asprintf(&rng, "%s/template.rng", dir) < 0)
		return doctor_say(r, DOCTOR_FAIL, "", "out of memory");
	/* the loader first: it says what it does not know, the schema only where */
	if (vw_templates_load((const char *const[]){ dir, d->paths.templates_d, NULL }, &loaded,
			      &err) < 0)
		return doctor_say(r, DOCTOR_FAIL,
				  err.code == -EPERM ? "do that: it says what is done as root"
						     : "correct that line, or move the file away",
				  "%s", err.text);
	vw_templates_free(loaded);
	if (doctor_open_to_others(d->paths.templates_d, &mode))
		return say_open_to_others(r, d->paths.templates_d, mode);
	xmlSetStructuredErrorFunc(&c, on_error);
	schema = load_schema(rng, &c);
	if (schema) {
		own = validate_dir(schema, dir, &c);
		admin = own < 0 ? -1 : validate_dir(schema, d->paths.templates_d, &c);
		xmlRelaxNGFree(schema);
	}
	xmlSetStructuredErrorFunc(NULL, NULL);
	if (!schema)
		doctor_say(r, DOCTOR_FAIL, "run install.sh again", "%s: %s", rng,
			   *c.text ? c.text : "can't be read");
	else if (own < 0 || admin < 0)
		doctor_say(r, DOCTOR_FAIL,
			   own < 0 ? "run install.sh again"
				   : "correct that line, or move the file away",
			   "%s", c.text);
	else
		doctor_say(r, DOCTOR_PASS, "", "%d in %s, %d of your own in %s", own, dir, admin,
			   d->paths.templates_d);
}

void doctor_index(struct doctor *d, struct doctor_result *r)
{
	struct vw_err err = d->context_err;
	struct vw_osindex *index = d->cmd->ctx ? vw_context_osindex(d->cmd->ctx, &err) : NULL;
	VW_AUTOFREE char *program = d->cmd->ctx
					    ? vw_context_program(d->cmd->ctx, "virt-warden-osinfo")
					    : NULL;
	VW_AUTOFREE char *remedy = NULL;

	if (!program || asprintf(&remedy, "%s build (install.sh does it)", program) < 0)
		remedy = NULL;
	if (!index)
		doctor_say(r, DOCTOR_FAIL, remedy ? remedy : "", "%s", err.text);
	else if (vw_osindex_fresh(index) == VW_NO)
		doctor_say(r, DOCTOR_WARN, "run any verb as root, which builds it anew",
			   "older than osinfo-db: %zu OSes", vw_osindex_count(index));
	else
		doctor_say(r, DOCTOR_PASS, "", "%zu OSes", vw_osindex_count(index));
}

void doctor_state(struct doctor *d, struct doctor_result *r)
{
	const char *dir = d->paths.statedir;
	struct stat st;

	if (stat(dir, &st) < 0 && errno == ENOENT)
		doctor_say(r, DOCTOR_PASS, "", "%s: not there yet, made at the first change", dir);
	else if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
		doctor_say(r, DOCTOR_FAIL, "make it a directory of root's, mode 0700",
			   "%s: can't be used", dir);
	else if (access(dir, W_OK | X_OK) < 0)
		doctor_say(
			r, DOCTOR_FAIL,
			"chown it to the user that runs this; nothing is changed that can't be kept",
			"%s: not writable", dir);
	else if (st.st_mode & 077)
		doctor_say(r, st.st_mode & 022 ? DOCTOR_FAIL : DOCTOR_WARN,
			   "chmod 0700 it: domain XML may hold passwords", "%s: mode %04o", dir,
			   (unsigned)st.st_mode & 07777);
	else
		doctor_say(r, DOCTOR_PASS, "", "%s", dir);
}

/* MiB, rounded up. */
static size_t mib(uint64_t bytes)
{
	return (size_t)((bytes + (1u << 20) - 1) >> 20);
}

void doctor_history(struct doctor *d, struct doctor_result *r)
{
	VW_AUTOFREE char *path = NULL;
	struct vw_history *h = NULL;
	struct vw_policy policy;
	struct vw_err err = { 0 };
	uint64_t bytes = 0;
	bool full = false;
	size_t max;
	int rc;

	if (asprintf(&path, "%s/history", d->paths.statedir) < 0)
		return doctor_say(r, DOCTOR_FAIL, "", "out of memory");
	if (access(path, R_OK | W_OK | X_OK) < 0)
		return doctor_say(r, DOCTOR_SKIP, "", "%s: %s", path,
				  errno == ENOENT ? "nothing was kept yet" : strerror(errno));
	if (vw_conf_load(d->paths.conf, &policy, NULL) < 0)
		vw_policy_defaults(&policy);
	max = policy.history_mib;
	rc = vw_history_open(d->paths.statedir, &h, &err);
	if (rc == 0)
		rc = vw_history_size(h, &bytes, &full, &err);
	vw_history_close(h);
	if (rc == -ENODATA)
		doctor_say(r, DOCTOR_PASS, "", "not counted yet; it may take %zu MiB", max);
	else if (rc < 0)
		doctor_say(r, DOCTOR_FAIL, "", "%s", err.text);
	else if (full && mib(bytes) >= max - max / 16)
		doctor_say(
			r, DOCTOR_FAIL,
			"raise [history] size-mib in warden.conf; is virt-wardend running, which "
			"knows what is gone?",
			"%zu of %zu MiB, and nothing in it may go: what can't be kept is not changed",
			mib(bytes), max);
	else
		doctor_say(r, DOCTOR_PASS, "", "%zu of %zu MiB", mib(bytes), max);
}
