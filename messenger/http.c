/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* POST of JSON by libcurl: http and https only, TLS verified, no redirect, no proxy or .netrc from
 * the environment, bounded in time and in what is read of the answer.
 *
 * An answer is judged by its status as soon as its headers are whole: what body follows, how
 * long or how slow, does not matter. */
#include "messenger/messenger.h"

#include <errno.h>

#ifdef WITH_CURL
#include <curl/curl.h>

struct answer {
	CURL *curl;
	bool whole; /* the headers of the final answer are */
	bool good;  /* and it says yes: nothing else matters */
	char body[120];
	size_t have;
};

static size_t on_header(char *p, size_t size, size_t n, void *opaque)
{
	struct answer *a = opaque;
	const size_t len = size * n;
	long status = 0;

	if (len && (*p == '\r' || *p == '\n')) {
		curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &status);
		a->whole = status >= 200;
		a->good = status >= 200 && status < 300;
	}
	return len;
}

/* A failure's body may say why; no more than its beginning is read. */
static size_t on_body(char *p, size_t size, size_t n, void *opaque)
{
	struct answer *a = opaque;
	const size_t len = size * n;
	const size_t room = sizeof(a->body) - 1 - a->have;
	const size_t take = len < room ? len : room;

	memcpy(a->body + a->have, p, take);
	a->have += take;
	return take == len && !a->good ? len : 0; /* 0: enough */
}

/* Return: as struct sink's send. */
static int judge(const struct answer *a, CURLcode code, const char *url, const char *text,
		 struct vw_err *err)
{
	long status = 0;

	curl_easy_getinfo(a->curl, CURLINFO_RESPONSE_CODE, &status);
	if (!a->whole)
		return vw_err_set(err, -EAGAIN, "%s: %s", url,
				  *text ? text : curl_easy_strerror(code));
	if (status >= 200 && status < 300)
		return 0;
	if (status >= 300 && status < 400)
		return vw_err_set(
			err, -EAGAIN,
			"%s: redirects (status %ld), which is not followed; set the final URL", url,
			status);
	/* 408, 429 and all of 5xx pass; so does 401, 403, 404, 405 when the admin mends it: the
	 * sink is not up. Any other 4xx is for this very message. */
	return vw_err_set(err,
			  status == 400 || status == 413 || status == 415 || status == 422
				  ? -EINVAL
				  : -EAGAIN,
			  "%s: status %ld%s%s", url, status, a->have ? ": " : "", a->body);
}

static void set_options(CURL *curl, const struct sink_context *c, const char *url, const char *body,
			struct curl_slist *headers)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	if (*c->policy->ca_file)
		curl_easy_setopt(curl, CURLOPT_CAINFO, c->policy->ca_file);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)c->policy->http_seconds);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)c->policy->http_seconds);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "virt-warden/" VW_VERSION);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
}

/* Return: false if there is no memory. */
static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
	VW_AUTOFREE char *line = NULL;
	struct curl_slist *longer;

	if (asprintf(&line, "%s:%s%s", name, *value ? " " : "", value) < 0) {
		line = NULL;
		return false;
	}
	longer = curl_slist_append(*list, line);
	if (longer)
		*list = longer;
	return longer != NULL;
}

int alert_post(const struct sink_context *c, const char *url, const char *auth_file,
	       const char *body, const char *id, struct vw_err *err)
{
	VW_AUTOFREE char *secret = NULL;
	struct answer a = { .whole = false };
	struct curl_slist *headers = NULL;
	char text[CURL_ERROR_SIZE] = "";
	int r;

	if (*auth_file) {
		secret = alert_secret(auth_file, err);
		if (!secret)
			return -EAGAIN;
	}
	a.curl = curl_easy_init();
	if (!a.curl || !add_header(&headers, "Content-Type", "application/json") ||
	    !add_header(&headers, "Expect", "") || !add_header(&headers, "X-Virt-Warden-Id", id) ||
	    (secret && !add_header(&headers, "Authorization", secret))) {
		r = vw_err_set(err, -EAGAIN, "out of memory");
	} else {
		set_options(a.curl, c, url, body, headers);
		curl_easy_setopt(a.curl, CURLOPT_HEADERFUNCTION, on_header);
		curl_easy_setopt(a.curl, CURLOPT_HEADERDATA, &a);
		curl_easy_setopt(a.curl, CURLOPT_WRITEFUNCTION, on_body);
		curl_easy_setopt(a.curl, CURLOPT_WRITEDATA, &a);
		curl_easy_setopt(a.curl, CURLOPT_ERRORBUFFER, text);
		r = judge(&a, curl_easy_perform(a.curl), url, text, err);
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(a.curl);
	return r;
}

#else

int alert_post(const struct sink_context *c, const char *url, const char *auth_file,
	       const char *body, const char *id, struct vw_err *err)
{
	(void)c, (void)auth_file, (void)body, (void)id;
	return vw_err_set(err, -EAGAIN, "%s: virt-warden-alert was built without libcurl", url);
}

#endif
