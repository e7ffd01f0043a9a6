/* What an SQL text means in a person's session. */
#include "gateway/person.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "gateway/config.h"
#include "gateway/judge.h"
#include "gateway/names.h"
#include "gateway/standing.h"

static int
text_hmac(const struct session *s, const char *sql, size_t len,
    char ret[static 65])
{
	uint8_t mac[HASH_LEN];
	struct buf hex;
	int r;

	if ((r = hash_hmac(s->worker->shared->text_key, HASH_LEN, sql, len,
	    mac)) != 0)
		return r;
	buf_init(&hex, 0);
	text_hex(&hex, mac, sizeof(mac));
	if (buf_text(&hex) == NULL)
		r = ERR_MEMORY;
	else
		memcpy(ret, hex.data, 65);
	buf_done(&hex);
	return r;
}

struct meaning *
person_part(struct session *s, struct meaning *m, const char *sql, size_t i)
{
	const struct judgement *j = m->judgement->parts[i];
	char hmac[65];

	if (text_hmac(s, sql + j->start, j->len, hmac) != 0)
		return NULL;
	return meaning_part(m, i, hmac);
}

struct meaning *
person_meaning(struct session *s, const char *sql, size_t len)
{
	const struct judgement *j;
	struct meaning *m = NULL;
	struct arena *a = NULL;
	char hmac[65];
	struct judge judge = {
		.store = s->store->name,
		.catalog = s->store->catalog,
		.clearance = s->standing->clearance,
		.schema = s->store->mode == STORE_ENFORCE ?
		    s->standing->role : NULL,
		.login = s->store->mode == STORE_ENFORCE ?
		    s->standing->login : NULL,
		.reads_otherwise = s->person->reads_otherwise,
		.limits = s->store->mode == STORE_ENFORCE ?
		    &s->store->limits : NULL,
		.twins = s->standing->has_twins ? &s->standing->twins : NULL,
		.exact_only = s->standing->exact_only,
	};

	if ((m = texts_find(&s->person->texts, sql, len,
	    judge.reads_otherwise)) != NULL)
		return m;
	if ((a = arena_new()) == NULL || text_hmac(s, sql, len, hmac) != 0 ||
	    judge_text(&judge, sql, len, a, &j) != 0 ||
	    (m = meaning_new(a, j, hmac)) == NULL) {
		arena_free(a);
		return NULL;
	}
	texts_add(&s->person->texts, m, sql, len, judge.reads_otherwise);
	return m;
}
