/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UUIDs of domains: the typed XML is kept before libvirt has seen it, so we give the UUID. */
#include "plugin/preload/preload.h"

#include <ctype.h>
#include <sys/random.h>

static void format(const unsigned char b[16], char uuid[VIR_UUID_STRING_BUFLEN])
{
	snprintf(uuid, VIR_UUID_STRING_BUFLEN,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
}

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return p ? (int)(p - digits) : -1;
}

bool vw_uuid_canonical(const char *text, char uuid[VIR_UUID_STRING_BUFLEN])
{
	unsigned char b[16];
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '-' || isspace((unsigned char)*text))
			continue;
		if (n == 32 || hex(*text) < 0)
			return false;
		b[n / 2] = (unsigned char)(n % 2 ? b[n / 2] | hex(*text) : hex(*text) << 4);
		n++;
	}
	if (n < 32)
		return false;
	format(b, uuid);
	return true;
}

bool vw_uuid_random(char uuid[VIR_UUID_STRING_BUFLEN])
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return false;
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* RFC 9562: version 4, random */
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	format(b, uuid);
	return true;
}

bool vw_set_uuid(struct vw_xml *doc, const char *uuid)
{
	xmlNode *root = vw_xml_root(doc);
	xmlNode *node = vw_xml_child(root, "uuid");

	if (!node && vw_xml_add(doc, root, vw_xml_child(root, "name"), "uuid", &node) < 0)
		return false;
	return vw_xml_set_content(doc, node, uuid) == 0;
}

bool vw_identify(struct vw_xml *doc, const struct vw_gathered *facts,
		 char uuid[VIR_UUID_STRING_BUFLEN])
{
	const char *typed = facts->outline->uuid;
	char known[VIR_UUID_STRING_BUFLEN];

	if (!*facts->outline->name)
		return false;
	if (*typed) /* a name that is taken under another UUID is refused */
		return vw_uuid_canonical(typed, uuid) &&
		       (!facts->known ||
			(virDomainGetUUIDString(facts->known, known) == 0 && !strcmp(known, uuid)));
	return !facts->known && vw_uuid_random(uuid) && vw_set_uuid(doc, uuid);
}
