#include "claim/claim.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "directory/control.h"
#include "yaml/yaml.h"

#define CLAIM_MAX ((size_t)1 << 20)

static const char *const claim_keys[] = {
	"claim", "title", "sworn-by", "sentence", "period", "gateways",
	"stores", "never-did", "never-could", NULL,
};
static const char *const period_keys[] = {"from", "to", NULL};
static const char *const did_keys[] = {
	"whose", "who", "categories", "tables", "treatment", NULL,
};
static const char *const who_keys[] = {
	"controlled-from", "by", "principals", "roles", "kind",
	"employed-by", "is", NULL,
};
static const char *const kind_names[] = {"person", "service", NULL};

bool
strs_have(const struct record_strs *l, const char *s)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->s[i], s) == 0)
			return true;
	return false;
}

static struct record_strs
load_strs(struct yaml_in *in, const struct yaml_node *map, const char *key)
{
	const struct yaml_node *node = yaml_get(map, key);
	struct record_strs l = {NULL, 0};
	size_t i;

	if (node == NULL)
		return l;
	l.s = yaml_strs(in, node, &l.n);
	if (l.s == NULL)
		l.n = 0;
	if (in->result == 0 && l.n == 0)
		(void)yaml_fail(in, node, "%s is empty: name at least one, "
		    "or leave it out", key);
	for (i = 0; i < l.n; i++)
		if (l.s[i][0] == 0)
			(void)yaml_fail(in, node, "%s has an empty name", key);
	return l;
}

static struct record_strs
need_strs(struct yaml_in *in, const struct yaml_node *map, const char *key)
{
	if (in->result == 0)
		(void)yaml_need(in, map, key);
	return load_strs(in, map, key);
}

static unsigned
load_by(struct yaml_in *in, const struct yaml_node *who)
{
	struct record_strs names = load_strs(in, who, "by");
	unsigned by = 0, kind;
	size_t i;

	if (names.n == 0)
		return CONTROL_ALL;
	for (i = 0; i < names.n; i++) {
		if ((kind = control_kind_of(names.s[i])) == 0)
			(void)yaml_fail(in, yaml_get(who, "by"),
			    "%s is no kind of control: use location, "
			    "employment, ownership, formal, actual, keeping",
			    names.s[i]);
		by |= kind;
	}
	return by;
}

static void
load_who(struct yaml_in *in, const struct yaml_node *node,
    struct claim_who *ret)
{
	const struct yaml_node *kind;

	ret->by = CONTROL_ALL;
	if (node == NULL)
		return;
	yaml_map(in, node, who_keys);
	if (in->result != 0)
		return;
	ret->controlled_from = load_strs(in, node, "controlled-from");
	ret->by = load_by(in, node);
	ret->principals = load_strs(in, node, "principals");
	ret->roles = load_strs(in, node, "roles");
	ret->employed_by = load_strs(in, node, "employed-by");
	ret->is = load_strs(in, node, "is");
	if ((kind = yaml_get(node, "kind")) != NULL)
		ret->kind = kind_names[yaml_enum(in, kind, kind_names)];
	if (yaml_get(node, "by") != NULL && ret->controlled_from.n == 0)
		(void)yaml_fail(in, yaml_get(node, "by"), "by says how "
		    "somebody is controlled: name controlled-from too");
}

static void
load_treatment(struct yaml_in *in, const struct yaml_node *did,
    struct claim_data *ret)
{
	struct record_strs names = load_strs(in, did, "treatment");
	size_t i;

	ret->plain = ret->mask = names.n == 0;
	for (i = 0; i < names.n; i++) {
		if (strcmp(names.s[i], "plain") == 0)
			ret->plain = true;
		else if (strcmp(names.s[i], "mask") == 0)
			ret->mask = true;
		else
			(void)yaml_fail(in, yaml_get(did, "treatment"),
			    "%s is no treatment that shows anything: use "
			    "plain, mask", names.s[i]);
	}
}

static void
load_never(struct yaml_in *in, const struct yaml_node *node,
    struct claim *c)
{
	yaml_map(in, node, did_keys);
	if (in->result != 0)
		return;
	c->data.whose = need_strs(in, node, "whose");
	c->data.categories = load_strs(in, node, "categories");
	c->data.tables = load_strs(in, node, "tables");
	load_treatment(in, node, &c->data);
	load_who(in, yaml_get(node, "who"), &c->who);
}

static void
load_period(struct yaml_in *in, const struct yaml_node *node, struct claim *c)
{
	yaml_map(in, node, period_keys);
	if (in->result != 0)
		return;
	c->from_ms = yaml_time_ms(in, yaml_need(in, node, "from"));
	c->to_ms = yaml_time_ms(in, yaml_need(in, node, "to"));
	if (in->result == 0 && c->from_ms >= c->to_ms)
		(void)yaml_fail(in, node, "the period ends before it begins");
}

static void
load_claim(struct yaml_in *in, const struct yaml_node *top, struct claim *c)
{
	yaml_map(in, top, claim_keys);
	if (in->result != 0)
		return;
	(void)yaml_u64(in, yaml_need(in, top, "claim"), 1, 1);
	c->title = yaml_str(in, yaml_need(in, top, "title"));
	c->sworn_by = yaml_str(in, yaml_need(in, top, "sworn-by"));
	c->sentence = yaml_str(in, yaml_need(in, top, "sentence"));
	if (in->result == 0)
		load_period(in, yaml_need(in, top, "period"), c);
	c->gateways = need_strs(in, top, "gateways");
	c->stores = need_strs(in, top, "stores");
	if (in->result != 0)
		return;
	c->could = yaml_get(top, "never-could") != NULL;
	if (c->could && yaml_get(top, "never-did") != NULL)
		(void)yaml_fail(in, yaml_get(top, "never-could"), "a claim "
		    "has never-did or never-could: what nobody could, nobody "
		    "did");
	else if (c->could)
		load_never(in, yaml_get(top, "never-could"), c);
	else if (yaml_need(in, top, "never-did") != NULL)
		load_never(in, yaml_get(top, "never-did"), c);
}

int
claim_load(const char *text, size_t len, struct claim **ret, struct why *w)
{
	struct arena *a = arena_new();
	const struct yaml_node *top;
	struct yaml_in in = {a, w, 0};
	struct claim *c;
	int r;

	if (a == NULL)
		return ERR_MEMORY;
	if (len > CLAIM_MAX) {
		r = why_set(w, ERR_LIMIT, 0, 0, "a claim is at most %zu bytes",
		    CLAIM_MAX);
		goto out;
	}
	if ((c = arena_alloc(a, sizeof(*c))) == NULL) {
		r = ERR_MEMORY;
		goto out;
	}
	if ((r = yaml_parse(a, text, len, &top, w)) != 0)
		goto out;
	load_claim(&in, top, c);
	if ((r = in.result) != 0)
		goto out;
	c->memory = a;
	*ret = c;
	a = NULL;		/* now the claim's */
out:
	arena_free(a);
	return r;
}

void
claim_free(struct claim *c)
{
	if (c != NULL)
		arena_free(c->memory);
}
