/*
 * Witnesses and groups are items in the order of their lines, and a group's
 * members stand above it, so one pass from the front decides them all and no
 * group can contain itself.
 */
#include "log/quorum.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"

#define ITEMS_MAX (2 * QUORUM_MAX)
#define WORDS_MAX (QUORUM_MAX + 4)
#define LOG_TYPE 0x01
#define NONE SIZE_MAX

struct item {
	const char *name;
	bool member;			/* of a group, or the quorum itself */
	size_t witness;			/* its index, or NONE: a group */
	size_t threshold;
	size_t *members;		/* indices of items */
	size_t n_members;
};

struct quorum {
	struct arena *arena;
	struct quorum_party logs[QUORUM_MAX], witnesses[QUORUM_MAX];
	size_t n_logs, n_witnesses;
	struct item items[ITEMS_MAX];
	size_t n_items, n_groups;
	size_t top;			/* item, or NONE */
	bool decided;			/* there was a quorum line */
};

struct words {
	const char *at[WORDS_MAX];
	size_t n;
	unsigned line;
	struct why *why;
};

static int
fail(const struct words *l, int code, const char *what, const char *of)
{
	return why_set(l->why, code, l->line, 0, "%s%.300s", what, of);
}

/* Splits a line in place. */
static int
split(char *line, struct words *l)
{
	char *p = line;

	l->n = 0;
	for (;;) {
		p += strspn(p, " \t");
		if (*p == 0)
			return 0;
		if (l->n == WORDS_MAX)
			return fail(l, ERR_LIMIT, "a line with more words "
			    "than a group can have", "");
		l->at[l->n++] = p;
		p += strcspn(p, " \t");
		if (*p != 0)
			*p++ = 0;
	}
}

static size_t
find(const struct quorum *q, const char *name)
{
	size_t i;

	for (i = 0; i < q->n_items; i++)
		if (strcmp(q->items[i].name, name) == 0)
			return i;
	return NONE;
}

static int
add_item(struct quorum *q, const struct words *l, struct item **ret)
{
	const char *name = l->at[1];

	if (strcmp(name, "none") == 0)
		return fail(l, ERR_FORMAT, "\"none\" is reserved; choose "
		    "another name", "");
	if (find(q, name) != NONE)
		return fail(l, ERR_FORMAT, "a second witness or group named ",
		    name);
	*ret = &q->items[q->n_items++];
	(*ret)->name = name;
	(*ret)->witness = NONE;
	return 0;
}

static int
read_key(const struct words *l, size_t word, uint8_t type,
    struct quorum_party *ret)
{
	const char *text = l->at[word];

	if (note_key_read(text, strlen(text), &ret->key) != 0)
		return fail(l, ERR_FORMAT, "no verifier key "
		    "(name+hex+base64): ", text);
	if (ret->key.type != type)
		return fail(l, ERR_FORMAT, type == LOG_TYPE ? "not the key of "
		    "a log (type 1): " : "not the key of a witness, which "
		    "signs cosignatures (type 4; sworn witness key): ", text);
	ret->url = l->n > word + 1 ? l->at[word + 1] : NULL;
	return 0;
}

static int
read_log(struct quorum *q, const struct words *l)
{
	if (l->n < 2 || l->n > 3)
		return fail(l, ERR_FORMAT, "a log's line is: log VKEY [URL]",
		    "");
	if (q->n_logs == QUORUM_MAX)
		return fail(l, ERR_LIMIT, "too many logs", "");
	q->logs[q->n_logs].name = "";
	return read_key(l, 1, LOG_TYPE, &q->logs[q->n_logs++]);
}

/* Two names of one key would be one witness counted twice. */
static int
read_witness(struct quorum *q, const struct words *l)
{
	struct quorum_party *x = &q->witnesses[q->n_witnesses];
	struct item *item;
	size_t i;
	int r;

	if (l->n < 3 || l->n > 4)
		return fail(l, ERR_FORMAT, "a witness's line is: witness NAME "
		    "VKEY [URL]", "");
	if (q->n_witnesses == QUORUM_MAX)
		return fail(l, ERR_LIMIT, "too many witnesses", "");
	if ((r = read_key(l, 2, QUORUM_WITNESS_TYPE, x)) != 0 ||
	    (r = add_item(q, l, &item)) != 0)
		return r;
	for (i = 0; i < q->n_witnesses; i++)
		if (memcmp(q->witnesses[i].key.public, x->key.public,
		    sizeof(x->key.public)) == 0)
			return fail(l, ERR_FORMAT, "the key of another "
			    "witness, ", q->witnesses[i].name);
	x->name = l->at[1];
	item->witness = q->n_witnesses++;
	return 0;
}

static int
read_threshold(const struct words *l, size_t members, size_t *ret)
{
	const char *s = l->at[2];
	uint64_t k;

	if (strcmp(s, "any") == 0)
		*ret = 1;
	else if (strcmp(s, "all") == 0)
		*ret = members;
	else if (text_u64(s, strlen(s), &k) != 0 || k == 0 || k > members)
		return fail(l, ERR_FORMAT, "a group's threshold is any, all, "
		    "or 1 to the number of its members; not ", s);
	else
		*ret = (size_t)k;
	return 0;
}

/* An item to stand in one group, or as the quorum. */
static int
take_member(struct quorum *q, const struct words *l, const char *name,
    size_t *ret)
{
	if ((*ret = find(q, name)) == NONE)
		return fail(l, ERR_MISSING, "no line above names the witness "
		    "or group ", name);
	if (q->items[*ret].member)
		return fail(l, ERR_FORMAT, "a member of a group already, so "
		    "it would count twice: ", name);
	q->items[*ret].member = true;
	return 0;
}

static int
read_group(struct quorum *q, const struct words *l)
{
	size_t members = l->n - 3, threshold, i;
	struct item *item;
	size_t *at;
	int r = 0;

	if (l->n < 4)
		return fail(l, ERR_FORMAT, "a group's line is: group NAME "
		    "any|all|K MEMBER...", "");
	if (q->n_groups == QUORUM_MAX)
		return fail(l, ERR_LIMIT, "too many groups", "");
	if ((r = read_threshold(l, members, &threshold)) != 0)
		return r;
	if ((at = arena_array(q->arena, members, sizeof(*at))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < members && r == 0; i++)
		r = take_member(q, l, l->at[3 + i], &at[i]);
	if (r != 0 || (r = add_item(q, l, &item)) != 0)
		return r;
	q->n_groups++;
	item->threshold = threshold;
	item->members = at;
	item->n_members = members;
	return 0;
}

static int
read_quorum(struct quorum *q, const struct words *l)
{
	if (l->n != 2)
		return fail(l, ERR_FORMAT, "the quorum's line is: quorum "
		    "NAME, or: quorum none", "");
	if (q->decided)
		return fail(l, ERR_FORMAT, "a second quorum line", "");
	q->decided = true;
	q->top = NONE;
	return strcmp(l->at[1], "none") == 0 ? 0 :
	    take_member(q, l, l->at[1], &q->top);
}

static int
read_line(struct quorum *q, char *line, struct words *l)
{
	static const struct {
		const char *word;
		int (*read)(struct quorum *, const struct words *);
	} kinds[] = {
		{"log", read_log}, {"witness", read_witness},
		{"group", read_group}, {"quorum", read_quorum},
	};
	size_t i;
	int r;

	if ((r = split(line, l)) != 0)
		return r;
	if (l->n == 0 || l->at[0][0] == '#')
		return 0;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(l->at[0], kinds[i].word) == 0)
			return kinds[i].read(q, l);
	return fail(l, ERR_FORMAT, "a line begins with log, witness, group or "
	    "quorum, not with ", l->at[0]);
}

static struct quorum *
quorum_new(void)
{
	struct arena *a = arena_new();
	struct quorum *q = a == NULL ? NULL : arena_alloc(a, sizeof(*q));

	if (q == NULL)
		arena_free(a);
	else
		q->arena = a;
	return q;
}

void
quorum_free(struct quorum *q)
{
	if (q != NULL)
		arena_free(q->arena);
}

static int
read_all(struct quorum *q, char *text, size_t len, struct words *l)
{
	char *p = text, *end = text + len, *line;
	int r;

	while (p < end) {
		line = p;
		if ((p = memchr(p, '\n', (size_t)(end - p))) == NULL)
			p = end;
		*p++ = 0;		/* the text has a byte to spare */
		l->line++;
		if ((r = read_line(q, line, l)) != 0)
			return r;
	}
	l->line = 0;
	return q->decided ? 0 : fail(l, ERR_FORMAT, "there is no quorum line; "
	    "write \"quorum NAME\"", "");
}

int
quorum_read(const char *text, size_t len, struct quorum **ret, struct why *w)
{
	struct words l = {.why = w};
	struct quorum *q;
	char *copy;
	int r;

	if (len > QUORUM_FILE_MAX)
		return fail(&l, ERR_LIMIT, "longer than a quorum file may be",
		    "");
	if (len > 0 && (memchr(text, 0, len) != NULL ||
	    !text_is_utf8(text, len)))
		return fail(&l, ERR_FORMAT, "not UTF-8 text", "");
	if ((q = quorum_new()) == NULL)
		return ERR_MEMORY;
	if ((copy = arena_strn(q->arena, text, len)) == NULL)
		r = ERR_MEMORY;
	else
		r = read_all(q, copy, len, &l);
	if (r == 0)
		*ret = q;
	else
		quorum_free(q);
	return r;
}

int
quorum_of(const struct note_key *keys, size_t n, size_t k,
    struct quorum **ret)
{
	struct quorum *q;
	struct item *group;
	size_t i;

	if (n == 0 || n > QUORUM_MAX || k == 0 || k > n)
		return ERR_LIMIT;
	if ((q = quorum_new()) == NULL)
		return ERR_MEMORY;
	group = &q->items[n];
	group->members = arena_array(q->arena, n, sizeof(*group->members));
	if (group->members == NULL) {
		quorum_free(q);
		return ERR_MEMORY;
	}
	for (i = 0; i < n; i++) {
		q->witnesses[i].key = keys[i];
		q->witnesses[i].name = q->witnesses[i].key.name;
		q->items[i].name = q->witnesses[i].name;
		q->items[i].witness = i;
		group->members[i] = i;
	}
	group->name = "";
	group->witness = NONE;
	group->threshold = k;
	group->n_members = n;
	q->n_witnesses = n;
	q->n_items = n + 1;
	q->top = n;
	*ret = q;
	return 0;
}

int
quorum_askable(const struct quorum *q, struct why *w)
{
	size_t i;

	for (i = 0; i < q->n_witnesses; i++)
		if (q->witnesses[i].url == NULL)
			return why_set(w, ERR_MISSING, 0, 0, "the witness "
			    "%.200s has no URL, so it cannot be asked",
			    q->witnesses[i].name);
	if (quorum_least(q) == 0)
		return why_set(w, ERR_FORMAT, 0, 0, "its quorum is none, "
		    "which demands nothing; name a witness or a group");
	return 0;
}

const struct quorum_party *
quorum_logs(const struct quorum *q, size_t *ret_n)
{
	*ret_n = q->n_logs;
	return q->logs;
}

const struct quorum_party *
quorum_witnesses(const struct quorum *q, size_t *ret_n)
{
	*ret_n = q->n_witnesses;
	return q->witnesses;
}

bool
quorum_met(const struct quorum *q, const bool *has)
{
	bool met[ITEMS_MAX] = {false};
	size_t i, k, n;

	for (i = 0; i < q->n_items; i++) {
		const struct item *item = &q->items[i];

		if (item->witness != NONE) {
			met[i] = has[item->witness];
			continue;
		}
		for (k = n = 0; k < item->n_members; k++)
			n += met[item->members[k]];
		met[i] = n >= item->threshold;
	}
	return q->top == NONE || met[q->top];
}

/* The cheapest members of a group; it has few. */
static size_t
least_of(const struct item *item, const size_t *least)
{
	bool used[ITEMS_MAX] = {false};
	size_t i, k, best, sum = 0;

	for (k = 0; k < item->threshold; k++) {
		best = NONE;
		for (i = 0; i < item->n_members; i++)
			if (!used[i] && (best == NONE ||
			    least[item->members[i]] <
			    least[item->members[best]]))
				best = i;
		used[best] = true;
		sum += least[item->members[best]];
	}
	return sum;
}

size_t
quorum_least(const struct quorum *q)
{
	size_t least[ITEMS_MAX] = {0}, i;

	for (i = 0; i < q->n_items; i++)
		least[i] = q->items[i].witness != NONE ? 1 :
		    least_of(&q->items[i], least);
	return q->top == NONE ? 0 : least[q->top];
}
