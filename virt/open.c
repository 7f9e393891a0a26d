/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opens connections that never prompt (see virt/open.h). */
#include "virt/open.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <strings.h>

/* Does the scheme ("qemu+ssh") name a transport that may prompt? libvirt takes any case. */
static bool may_prompt(const char *uri)
{
	static const char *const transports[] = { "ssh", "libssh", "libssh2" };
	size_t end = strcspn(uri, ":/?#"), plus = strcspn(uri, "+:/?#");

	if (uri[end] != ':' || uri[plus] != '+')
		return false;
	for (size_t i = 0; i < VW_N_ELEMENTS(transports); i++)
		if (strlen(transports[i]) == end - plus - 1 &&
		    !strncasecmp(uri + plus + 1, transports[i], end - plus - 1))
			return true;
	return false;
}

/* The last of two parameters counts (libvirt 9.0, remote_driver.c, EXTRACT_URI_ARG_BOOL). */
char *vw_uri_mute(const char *uri)
{
	size_t fragment = strcspn(uri, "#"), query = strcspn(uri, "?#");
	const char *glue = uri[query] != '?'                         ? "?"
			   : uri[query + 1] && uri[query + 1] != '#' ? "&"
								     : "";
	char *ret = NULL;

	if (!may_prompt(uri))
		return strdup(uri);
	if (asprintf(&ret, "%.*s%sno_tty=1%s", (int)fragment, uri, glue, uri + fragment) < 0)
		return NULL;
	return ret;
}

/* Whatever libvirt would ask the user: no. */
static int refuse(virConnectCredentialPtr cred, unsigned n, void *data)
{
	(void)cred;
	(void)n;
	(void)data;
	return -1;
}

/* With a callback, not without: what auth.conf holds is used only then. */
virConnectPtr vw_open_mute(const char *uri, unsigned flags)
{
	static int types[] = { VIR_CRED_AUTHNAME, VIR_CRED_ECHOPROMPT, VIR_CRED_REALM,
			       VIR_CRED_PASSPHRASE, VIR_CRED_NOECHOPROMPT };
	static virConnectAuth auth = { .credtype = types,
				       .ncredtype = VW_N_ELEMENTS(types),
				       .cb = refuse };
	VW_AUTOFREE char *mute = uri ? vw_uri_mute(uri) : NULL;

	return virConnectOpenAuth(mute ? mute : uri, &auth, flags);
}

/* EIO, ECONNRESET: how an ssh ends that was not let in (libvirt 9.0, virnetsocket.c). */
static bool may_be_rights(void)
{
	static const int others[] = { EHOSTUNREACH, ENETUNREACH, ECONNREFUSED,
				      ETIMEDOUT,    ECONNRESET,  EIO };
	virErrorPtr e = virGetLastError();

	for (size_t i = 0; e && i < VW_N_ELEMENTS(others); i++)
		if (e->code == VIR_ERR_SYSTEM_ERROR && e->int1 == others[i])
			return false;
	return true;
}

virConnectPtr vw_open_mute_either(const char *uri, unsigned flags)
{
	virConnectPtr conn = vw_open_mute(uri, flags);

	return conn || !may_be_rights() ? conn : vw_open_mute(uri, flags ^ VIR_CONNECT_RO);
}
