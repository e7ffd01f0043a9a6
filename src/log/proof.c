/*
 * A proof file is
 *
 *	c2sp.org/tlog-proof@v1
 *	extra <base64>			(optional; ours have none)
 *	index <decimal>
 *	<base64 of a hash>		(from leaf to root, none if size is 1)
 *
 *	<the signed checkpoint>
 */
#include "log/proof.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"

#define HEADER "c2sp.org/tlog-proof@v1"
#define HASH_BASE64_LEN 44

void
proof_write(struct buf *out, const struct proof *p)
{
	size_t i;

	buf_fmt(out, HEADER "\nindex %llu\n", (unsigned long long)p->index);
	for (i = 0; i < p->n; i++) {
		text_base64(out, p->hashes[i].h, HASH_LEN);
		buf_u8(out, '\n');
	}
	buf_u8(out, '\n');
	buf_bytes(out, p->checkpoint.data, p->checkpoint.len);
}

/* The next line, maybe empty, without its newline. */
static int
next_line(const char **at, const char *end, const char **line, size_t *len)
{
	const char *nl = memchr(*at, '\n', (size_t)(end - *at));

	if (nl == NULL)
		return ERR_FORMAT;
	*line = *at;
	*len = (size_t)(nl - *at);
	*at = nl + 1;
	return 0;
}

/* What stands behind a word and a space; NULL: it is another line. */
static const char *
value_of(const char *line, size_t len, const char *word, size_t *ret_len)
{
	size_t n = strlen(word);

	if (len <= n || memcmp(line, word, n) != 0 || line[n] != ' ')
		return NULL;
	*ret_len = len - n - 1;
	return line + n + 1;
}

static int
check_extra(const char *value, size_t len)
{
	struct buf b;
	int r;

	buf_init(&b, NOTE_MAX);
	r = text_unbase64(value, len, &b);
	buf_done(&b);
	return r;
}

static int
read_hash(const char *line, size_t len, struct merkle_hash *ret)
{
	struct buf b;
	int r = ERR_FORMAT;

	buf_init(&b, 64);
	if (len == HASH_BASE64_LEN && text_unbase64(line, len, &b) == 0 &&
	    b.len == HASH_LEN) {
		memcpy(ret->h, b.data, HASH_LEN);
		r = 0;
	}
	buf_done(&b);
	return r;
}

static int
read_index(const char **at, const char *end, uint64_t *ret)
{
	const char *line, *value;
	size_t len, n;

	if (next_line(at, end, &line, &len) != 0)
		return ERR_FORMAT;
	if ((value = value_of(line, len, "extra", &n)) != NULL &&
	    (check_extra(value, n) != 0 ||
	    next_line(at, end, &line, &len) != 0))
		return ERR_FORMAT;
	if ((value = value_of(line, len, "index", &n)) == NULL)
		return ERR_FORMAT;
	return text_u64(value, n, ret);
}

int
proof_read(const char *text, size_t len, struct proof *ret)
{
	const char *at = text, *end = text + len, *line;
	struct proof p = {0};
	size_t n;

	if (len > PROOF_FILE_MAX || next_line(&at, end, &line, &n) != 0 ||
	    n != strlen(HEADER) || memcmp(line, HEADER, n) != 0 ||
	    read_index(&at, end, &p.index) != 0)
		return ERR_FORMAT;
	for (;;) {
		if (next_line(&at, end, &line, &n) != 0)
			return ERR_FORMAT;
		if (n == 0)
			break;
		if (p.n == MERKLE_PROOF_MAX ||
		    read_hash(line, n, &p.hashes[p.n]) != 0)
			return ERR_FORMAT;
		p.n++;
	}
	if (at == end)
		return ERR_FORMAT;
	p.checkpoint = bytes_of(at, (size_t)(end - at));
	*ret = p;
	return 0;
}

int
proof_check(const struct proof *p, const void *entry, size_t len,
    const struct checkpoint *tree)
{
	struct merkle_hash leaf;
	int r;

	if ((r = merkle_leaf(entry, len, &leaf)) != 0)
		return r;
	return merkle_check_inclusion(p->index, tree->size, &leaf,
	    &tree->root, p->hashes, p->n);
}
