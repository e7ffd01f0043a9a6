/*
 * The MAC is over a text without ambiguity: fields and lines end with a NUL,
 * which none of them has.
 */
#include "gateway/seal.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "enforce/watch.h"

#define BEGIN "sworn 1 "

int
seal_write(const struct seal *s, const char *store,
    const struct watch_list *l, struct buf *out)
{
	uint8_t mac[HASH_LEN];
	struct buf in;
	size_t i;
	int r;

	buf_init(&in, 0);
	buf_cstr(&in, store);
	buf_u64(&in, s->number);
	for (i = 0; i < l->n; i++) {
		buf_cstr(&in, l->lines[i].name);
		buf_cstr(&in, l->lines[i].hash);
	}
	r = in.failed ? ERR_MEMORY : hash_hmac(s->key, sizeof(s->key),
	    in.data, in.len, mac);
	if (r == 0) {
		buf_fmt(out, BEGIN "%" PRIu64 " ", s->number);
		text_hex(out, mac, sizeof(mac));
		r = out->failed ? ERR_MEMORY : 0;
	}
	buf_done(&in);
	return r;
}

uint64_t
seal_number(const char *text)
{
	uint64_t n;
	size_t len;

	if (!text_starts(text, BEGIN))
		return 0;
	text += strlen(BEGIN);
	len = strcspn(text, " ");
	return text_u64(text, len, &n) != 0 || n > SEAL_NUMBER_MAX ? 0 : n;
}

bool
seal_check(const uint8_t key[static HASH_LEN], const char *store,
    const struct watch_list *l, const char *text, uint64_t *ret)
{
	struct seal s = {.set = true, .number = seal_number(text)};
	struct buf want;
	bool same = false;

	if (s.number == 0)
		return false;
	memcpy(s.key, key, sizeof(s.key));
	buf_init(&want, 0);
	if (seal_write(&s, store, l, &want) == 0 &&
	    want.len == strlen(text))
		same = equal_secret(want.data, text, want.len);
	if (same)
		*ret = s.number;
	buf_done(&want);
	wipe(s.key, sizeof(s.key));
	return same;
}
