#include "witness/request.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

#define OLD "old "
#define HASH_TEXT_LEN 44

/* The next line, without its newline; empty is fine. */
static int
next_line(const char **p, const char *end, const char **line, size_t *len)
{
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));

	if (nl == NULL)
		return ERR_FORMAT;
	*line = *p;
	*len = (size_t)(nl - *p);
	*p = nl + 1;
	return 0;
}

static int
read_hash(const char *text, size_t len, struct merkle_hash *ret)
{
	struct buf b;
	int r = ERR_FORMAT;

	buf_init(&b, HASH_TEXT_LEN);
	if (len == HASH_TEXT_LEN && text_unbase64(text, len, &b) == 0 &&
	    b.len == HASH_LEN) {
		memcpy(ret->h, b.data, HASH_LEN);
		r = 0;
	}
	buf_done(&b);
	return r;
}

int
request_read(const char *body, size_t len, struct request *ret)
{
	const char *p = body, *end = body + len, *line;
	size_t n;
	int r;

	if (len > REQUEST_MAX)
		return ERR_LIMIT;
	if ((r = next_line(&p, end, &line, &n)) != 0)
		return r;
	if (n <= strlen(OLD) || memcmp(line, OLD, strlen(OLD)) != 0 ||
	    text_u64(line + strlen(OLD), n - strlen(OLD), &ret->old) != 0)
		return ERR_FORMAT;
	for (ret->n = 0;;) {
		if ((r = next_line(&p, end, &line, &n)) != 0)
			return r;
		if (n == 0)
			break;
		if (ret->n == REQUEST_PROOF_MAX ||
		    read_hash(line, n, &ret->proof[ret->n++]) != 0)
			return ERR_FORMAT;
	}
	ret->note = p;
	ret->note_len = (size_t)(end - p);
	return ret->note_len > 0 ? 0 : ERR_FORMAT;
}

void
request_write(const struct request *q, struct buf *out)
{
	size_t i;

	buf_fmt(out, OLD "%" PRIu64 "\n", q->old);
	for (i = 0; i < q->n; i++) {
		text_base64(out, q->proof[i].h, HASH_LEN);
		buf_u8(out, '\n');
	}
	buf_u8(out, '\n');
	buf_bytes(out, q->note, q->note_len);
}
