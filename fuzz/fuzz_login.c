/* gateway/login_rules.h: refused with words, or rules that, written and read
 * again, are written the same, and whose first match names who asked. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "gateway/login_lines.h"
#include "gateway/login_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Two files there are, and one of them names itself. */
static int
read_file(void *arg, const char *outer, const char *name,
    const char **ret_name, const char **ret, size_t *ret_len)
{
	(void)arg;
	(void)outer;
	*ret_name = name;
	*ret = strcmp(name, "circle") == 0 ? "x @circle y" :
	    "ann, \"b c\" # d\nall,+staff @none";
	if (strcmp(name, "none") == 0)
		*ret = "";
	*ret_len = strlen(*ret);
	return 0;
}

static const struct login_files files = {.read = read_file};

static void
write_all(struct buf *out, const struct login_rules *rules)
{
	size_t i;

	for (i = 0; i < rules->n; i++) {
		login_rule_write(out, &rules->list[i]);
		buf_u8(out, '\n');
	}
}

static bool
is_whole(const struct login_rules *rules)
{
	size_t i;

	for (i = 0; i < rules->n; i++)
		if (rules->list[i].stores.n == 0 ||
		    rules->list[i].principals.n == 0)
			return false;	/* of a file without a word */
	return true;
}

static void
check_same(struct login_rules *rules, struct arena *a)
{
	struct login_rules again;
	struct buf one, two;
	struct why w;

	buf_init(&one, 0);
	buf_init(&two, 0);
	write_all(&one, rules);
	if (login_rules_read((const char *)one.data, one.len, &files, a,
	    &again, &w) != 0)
		abort();
	write_all(&two, &again);
	if (one.len != two.len || (one.len > 0 &&
	    memcmp(one.data, two.data, one.len) != 0))
		abort();
	buf_done(&one);
	buf_done(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct login_asked q = {.store = "us", .principal = "ann",
	    .kind = LOGIN_NAME_PERSON, .encrypted = true,
	    .address = {{10, 1, 2, 3}, 4}};
	struct arena *a = arena_new();
	const struct login_rule *found;
	struct login_rules rules;
	struct why w = {0};
	int r;

	if (a == NULL)
		return 0;
	r = login_rules_read((const char *)data, len, &files, a, &rules, &w);
	if (r != 0 && r != ERR_MEMORY && w.text[0] == 0)
		abort();
	if (r == 0) {
		found = login_rules_find(&rules, &q);
		if (found != NULL && (found->type == LOGIN_LOCAL ||
		    found->type == LOGIN_HOSTNOSSL || found->stores.n == 0))
			abort();
		if (is_whole(&rules) && rules.n > 0)
			check_same(&rules, a);
	}
	arena_free(a);
	return 0;
}
