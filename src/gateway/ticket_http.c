#include "gateway/ticket_http.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "gateway/config_tickets.h"
#include "gateway/file.h"
#include "gateway/ticket_answer.h"

#define TOKEN_MAX 4096

static size_t
take(char *data, size_t size, size_t n, void *arg)
{
	struct buf *out = arg;

	/* One byte more than allowed shows that there was more. */
	if (out->len + size * n > TICKET_ANSWER_MAX + 1)
		n = (TICKET_ANSWER_MAX + 1 - out->len) / size;
	buf_bytes(out, data, size * n);
	return out->failed ? 0 : size * n;
}

/* "Authorization: Bearer ..." of the token's file. */
static int
add_token(const struct config_tickets *c, struct curl_slist **headers)
{
	struct curl_slist *more;
	char line[TOKEN_MAX + 32];
	struct buf token;
	int r;

	if (c->token_path == NULL)
		return 0;
	buf_init(&token, TOKEN_MAX);
	if ((r = file_read(c->token_path, &token)) == 0 &&
	    buf_text(&token) == NULL)
		r = ERR_MEMORY;
	if (r == 0) {
		token.data[strcspn((const char *)token.data, "\r\n")] = 0;
		(void)snprintf(line, sizeof(line),
		    "Authorization: Bearer %s", token.data); /* fits */
		if ((more = curl_slist_append(*headers, line)) == NULL)
			r = ERR_MEMORY;
		else
			*headers = more;
		wipe(line, sizeof(line));
	}
	buf_wipe_done(&token);
	return r;
}

static bool
set_up(CURL *h, const struct config_tickets *c, const char *question,
    struct curl_slist *headers, struct buf *out)
{
	return curl_easy_setopt(h, CURLOPT_URL, c->url) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https") ==
	    CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms) ==
	    CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_USERAGENT, "sworn") == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_POSTFIELDS, question) == CURLE_OK &&
	    (c->ca_path == NULL || curl_easy_setopt(h, CURLOPT_CAINFO,
	    c->ca_path) == CURLE_OK) &&
	    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
	    curl_easy_setopt(h, CURLOPT_WRITEDATA, out) == CURLE_OK;
}

static int
say(struct buf *out, const char *fmt, long status, const char *text)
{
	buf_reset(out);
	if (text != NULL)
		buf_fmt(out, "%s: %s", fmt, text);
	else
		buf_fmt(out, "%s %ld", fmt, status);
	return ERR_IO;
}

int
ticket_http(const struct config_tickets *c, const char *question,
    struct buf *out)
{
	struct curl_slist *headers = NULL, *more;
	CURL *h = NULL;
	CURLcode e;
	long status = 0;
	int r = ERR_IO;

	if (add_token(c, &headers) != 0) {
		(void)say(out, "the token of the ticket system", 0,
		    "cannot be read");
		goto out;
	}
	if ((more = curl_slist_append(headers,
	    "Content-Type: application/json")) != NULL)
		headers = more;
	if (more == NULL ||
	    curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    (h = curl_easy_init()) == NULL ||
	    !set_up(h, c, question, headers, out)) {
		(void)say(out, "asking the ticket system", 0, "libcurl");
		goto out;
	}
	e = curl_easy_perform(h);
	/* What is too long is told by its length. */
	if (e != CURLE_OK && out->len <= TICKET_ANSWER_MAX)
		(void)say(out, "the ticket system cannot be asked", 0,
		    curl_easy_strerror(e));
	else if (e == CURLE_OK && (curl_easy_getinfo(h,
	    CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status != 200))
		(void)say(out, "the ticket system answered with HTTP status",
		    status, NULL);
	else
		r = 0;
out:
	curl_easy_cleanup(h);
	curl_slist_free_all(headers);
	return r;
}
