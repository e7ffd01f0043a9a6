#include "gateway/ticket_answer.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "crypto/hash.h"

#define NAME_MAX_LEN 200

int
ticket_question_write(struct buf *out, const struct ticket_key *k)
{
	json_t *j = json_pack("{s:i, s:s, s:s, s:s, s:s?}", "version", 1,
	    "ticket", k->ticket, "principal", k->principal, "store", k->store,
	    "purpose", k->purpose);
	char *text = j == NULL ? NULL : json_dumps(j, JSON_COMPACT);

	json_decref(j);
	if (text == NULL)
		return ERR_MEMORY;
	buf_str(out, text);
	buf_str(out, "\n");
	free(text);
	return out->failed ? ERR_MEMORY : 0;
}

struct ticket_answer *
ticket_answer_new(void)
{
	struct ticket_answer *t = calloc(1, sizeof(*t));

	if (t == NULL || (t->a = arena_new()) == NULL) {
		free(t);
		return NULL;
	}
	atomic_init(&t->refs, 1);
	t->why = "nobody was asked";
	return t;
}

struct ticket_answer *
ticket_answer_ref(struct ticket_answer *t)
{
	atomic_fetch_add(&t->refs, 1);
	return t;
}

void
ticket_answer_unref(struct ticket_answer *t)
{
	if (t == NULL || atomic_fetch_sub(&t->refs, 1) > 1)
		return;
	arena_free(t->a);
	free(t);
}

/* Text that can stand in a record and in a message to the reader. */
static bool
is_plain(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return len > 0 && len <= NAME_MAX_LEN;
}

/* A list of names; *room is what is left for texts. 0, ERR_FORMAT, ... */
static int
read_list(const json_t *list, struct ticket_answer *t, size_t *room,
    const char *const **ret, size_t *ret_n)
{
	const char **items;
	const json_t *item;
	size_t i, n = json_array_size(list), len;

	if (!json_is_array(list) || n > TICKET_LIST_MAX)
		return ERR_FORMAT;
	if ((items = arena_array(t->a, n, sizeof(*items))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n; i++) {
		item = json_array_get(list, i);
		len = json_string_length(item);
		if (!json_is_string(item) || len > *room ||
		    !is_plain(json_string_value(item), len))
			return ERR_FORMAT;
		*room -= len;
		if ((items[i] = arena_str(t->a,
		    json_string_value(item))) == NULL)
			return ERR_MEMORY;
	}
	*ret = items;
	*ret_n = n;
	return 0;
}

/* Each as a JSON text, so that no two lists give the same bytes. */
static int
hash_references(const json_t *list, const uint8_t *secret,
    struct ticket_answer *t)
{
	char *text = json_dumps(list, JSON_COMPACT);
	uint8_t hash[HASH_LEN];
	struct buf hex;
	int r;

	if (text == NULL)
		return ERR_MEMORY;
	buf_init(&hex, 0);
	if ((r = hash_hmac(secret, HASH_LEN, text, strlen(text),
	    hash)) == 0) {
		text_hex(&hex, hash, sizeof(hash));
		if (buf_text(&hex) == NULL)
			r = ERR_MEMORY;
		else
			memcpy(t->subjects_hmac, hex.data,
			    sizeof(t->subjects_hmac));
	}
	wipe(text, strlen(text));
	free(text);
	buf_done(&hex);
	return r;
}

/* How many, or a list of who: of that only a keyed hash is kept. */
static int
read_subjects(const json_t *subjects, const uint8_t *secret,
    struct ticket_answer *t)
{
	size_t i;

	if (json_is_integer(subjects) && json_integer_value(subjects) >= 0) {
		t->subjects = (uint64_t)json_integer_value(subjects);
		return 0;
	}
	if (!json_is_array(subjects))
		return ERR_FORMAT;
	t->subjects = json_array_size(subjects);
	for (i = 0; i < t->subjects; i++)
		if (!json_is_string(json_array_get(subjects, i)))
			return ERR_FORMAT;
	return hash_references(subjects, secret, t);
}

static bool
is_holder(const json_t *holder, const char *principal)
{
	const json_t *one;
	size_t i;

	if (json_is_string(holder))
		return strcmp(json_string_value(holder), principal) == 0;
	json_array_foreach(holder, i, one)
		if (json_is_string(one) &&
		    strcmp(json_string_value(one), principal) == 0)
			return true;
	return false;
}

static int
read_scope(const json_t *root, const uint8_t *secret, struct ticket_answer *t)
{
	struct policy_scope *s = &t->scope;
	size_t room = TICKET_TEXT_MAX;
	int r;

	if ((r = read_list(json_object_get(root, "tables"), t, &room,
	    &s->tables, &s->n_tables)) != 0 ||
	    (r = read_list(json_object_get(root, "categories"), t, &room,
	    &s->categories, &s->n_categories)) != 0 ||
	    (r = read_list(json_object_get(root, "residences"), t, &room,
	    &s->residences, &s->n_residences)) != 0)
		return r;
	return read_subjects(json_object_get(root, "subjects"), secret, t);
}

int
ticket_answer_read(const char *text, size_t len, const char *principal,
    const uint8_t *secret, struct ticket_answer *ret)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *exists = json_object_get(root, "exists");
	const json_t *open = json_object_get(root, "open");
	const json_t *holder = json_object_get(root, "holder");
	int r = 0;

	ret->confirmed = false;
	if (!json_is_boolean(exists))
		ret->why = "the answer about it was not understood";
	else if (json_is_false(exists))
		ret->why = "there is no such ticket";
	else if (!json_is_boolean(open) || (!json_is_string(holder) &&
	    !json_is_array(holder)))
		ret->why = "the answer about it was not understood";
	else if (json_is_false(open))
		ret->why = "it is closed";
	else if (!is_holder(holder, principal))
		ret->why = "it is not yours";
	else if ((r = read_scope(root, secret, ret)) != 0)
		ret->why = "the answer about it was not understood";
	else
		ret->confirmed = true;
	json_decref(root);
	if (ret->confirmed)
		ret->why = "";
	else
		memset(&ret->scope, 0, sizeof(ret->scope));
	return r == ERR_MEMORY || r == ERR_CRYPTO ? r : 0;
}
