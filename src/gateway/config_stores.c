/*
 * The stores of sworn.conf, their credentials, and what `sworn apply` left for
 * each.
 */
#include "gateway/config_stores.h"

#include <jansson.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "enforce/watch.h"
#include "gateway/config.h"
#include "gateway/config_read.h"
#include "gateway/twins.h"
#include "yaml/yaml.h"

static void
load_services(struct yaml_in *in, const struct yaml_node *n,
    struct config_store *s)
{
	const char **ids, **roles;
	size_t i;

	yaml_any_map(in, n);
	if (in->result != 0 || n == NULL)
		return;
	ids = arena_array(in->arena, n->n + 1, sizeof(*ids));
	roles = arena_array(in->arena, n->n + 1, sizeof(*roles));
	if (ids == NULL || roles == NULL) {
		in->result = ERR_MEMORY;
		return;
	}
	for (i = 0; i < n->n; i++) {
		ids[i] = n->keys[i]->text;
		roles[i] = yaml_str(in, n->items[i]);
	}
	s->service_principals = ids;
	s->service_roles = roles;
	s->n_services = n->n;
}

static void
load_store_keys(struct loading *l, struct yaml_in *in,
    const struct yaml_node *key, const struct yaml_node *n,
    struct config_store *s)
{
	static const char *const keys[] = {"host", "port", "database", "mode",
	    "residences", "catalog", "credentials", "observe-role",
	    "limits", "services", "sslmode", "sslrootcert", "sslcert",
	    "sslkey", "sslcrl", "ssl-min-version", "channel-binding", NULL};
	static const char *const modes[] = {"observe", "enforce", NULL};
	const struct yaml_node *v;

	s->name = loading_name(in, key, "store");
	if (s->name != NULL && strcmp(s->name, CONFIG_DESK_NAME) == 0)
		(void)yaml_fail(in, key, "a store cannot be called %s: by "
		    "that name approvals are asked for", CONFIG_DESK_NAME);
	yaml_map(in, n, keys);
	s->host = yaml_str(in, yaml_need(in, n, "host"));
	if (s->host != NULL && strlen(s->host) >= LINK_HOST_MAX)
		(void)yaml_fail(in, yaml_get(n, "host"), "is too long");
	config_store_tls_read(l, in, n, s->host, &s->tls);
	s->port = 5432;
	if ((v = yaml_get(n, "port")) != NULL)
		s->port = (uint16_t)yaml_u64(in, v, 1, 65535);
	s->database = yaml_str(in, yaml_need(in, n, "database"));
	/* No default: which of the two it is must be written down. */
	s->mode = yaml_enum(in, yaml_need(in, n, "mode"), modes) == 1 ?
	    STORE_ENFORCE : STORE_OBSERVE;
	s->residences = yaml_strs(in, yaml_need(in, n, "residences"),
	    &s->n_residences);
	s->credentials_path =
	    loading_path(l, yaml_str(in, yaml_need(in, n, "credentials")));
	s->observe_role = yaml_str(in, yaml_get(n, "observe-role"));
	limits_read(in, yaml_get(n, "limits"), &s->limits);
	load_services(in, yaml_get(n, "services"), s);
	if (in->result == 0 && s->mode == STORE_OBSERVE &&
	    s->observe_role == NULL)
		(void)yaml_fail(in, key, "store \"%s\" is in mode observe and "
		    "has no observe-role; name the database role that persons "
		    "use in it", s->name);
}

/* role:password lines; # starts a comment line. */
static int
load_credentials(struct loading *l, struct config_store *s)
{
	const char *text, *line, *end, *colon;
	struct config_login *logins;
	size_t len, lines = 1, i, n = 0;
	unsigned number = 0;
	int r;

	if ((r = loading_read(l, s->credentials_path, true, &text, &len)) != 0)
		return r;
	for (i = 0; i < len; i++)
		lines += text[i] == '\n';
	logins = arena_array(l->arena, lines, sizeof(*logins));
	if (logins == NULL)
		return ERR_MEMORY;
	for (line = text; *line != 0; line = *end != 0 ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		number++;
		if (end == line || *line == '#')
			continue;
		colon = memchr(line, ':', (size_t)(end - line));
		if (colon == NULL || colon == line || colon + 1 == end)
			return why_set(l->why, ERR_FORMAT, number, 1,
			    "this line is not role:password");
		logins[n].role = arena_strn(l->arena, line,
		    (size_t)(colon - line));
		logins[n].password = arena_strn(l->arena, colon + 1,
		    (size_t)(end - colon - 1));
		if (logins[n].role == NULL || logins[n].password == NULL)
			return ERR_MEMORY;
		n++;
	}
	s->logins = logins;
	s->n_logins = n;
	return 0;
}

static int
add_login(struct loading *l, struct config_store *s, const json_t *o)
{
	const char *role = json_string_value(json_object_get(o, "role"));
	const char *password =
	    json_string_value(json_object_get(o, "password"));
	const char *verifier =
	    json_string_value(json_object_get(o, "verifier"));
	struct config_login *login = &s->logins[s->n_logins];

	if (role == NULL || password == NULL)
		return ERR_FORMAT;
	login->role = arena_str(l->arena, role);
	login->password = arena_str(l->arena, password);
	if (verifier != NULL &&
	    (login->verifier = arena_str(l->arena, verifier)) == NULL)
		return ERR_MEMORY;
	if (login->role == NULL || login->password == NULL)
		return ERR_MEMORY;
	s->n_logins++;
	return twins_read(o, s, l->arena, login);
}

static int
add_counts(struct loading *l, struct config_store *s, json_t *counts)
{
	const char *label;
	json_t *v;

	s->count_labels = arena_array(l->arena, json_object_size(counts) + 1,
	    sizeof(*s->count_labels));
	s->counts = arena_array(l->arena, json_object_size(counts) + 1,
	    sizeof(*s->counts));
	if (s->count_labels == NULL || s->counts == NULL)
		return ERR_MEMORY;
	json_object_foreach(counts, label, v) {
		if (!json_is_integer(v) || json_integer_value(v) < 0)
			return ERR_FORMAT;
		s->count_labels[s->n_counts] = arena_str(l->arena, label);
		if (s->count_labels[s->n_counts] == NULL)
			return ERR_MEMORY;
		s->counts[s->n_counts++] = (uint64_t)json_integer_value(v);
	}
	return 0;
}

/* [name, hash] each, in the order of their names. */
static int
add_watch(struct loading *l, struct config_store *s, const json_t *list)
{
	struct watch_line *w;
	const char *name, *hash;
	size_t i, n = json_array_size(list);

	if (list == NULL)
		return 0;		/* of an older apply */
	if ((w = arena_array(l->arena, n + 1, sizeof(*w))) == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n; i++) {
		name = json_string_value(json_array_get(
		    json_array_get(list, i), 0));
		hash = json_string_value(json_array_get(
		    json_array_get(list, i), 1));
		if (name == NULL || hash == NULL || (i > 0 &&
		    strcmp(w[i - 1].name, name) >= 0))
			return ERR_FORMAT;
		w[i].name = arena_str(l->arena, name);
		w[i].hash = arena_str(l->arena, hash);
		if (w[i].name == NULL || w[i].hash == NULL)
			return ERR_MEMORY;
	}
	s->watch = (struct watch_list){w, n};
	return 0;
}

static int
add_seal(struct config_store *s, const json_t *seal)
{
	const char *key = json_string_value(json_object_get(seal, "key"));
	json_int_t number = json_integer_value(json_object_get(seal,
	    "number"));
	struct buf raw;
	int r;

	if (seal == NULL)
		return 0;
	if (key == NULL || number <= 0 || number > (json_int_t)SEAL_NUMBER_MAX)
		return ERR_FORMAT;
	buf_init(&raw, 0);
	if ((r = text_unhex(key, strlen(key), &raw)) == 0 &&
	    raw.len != sizeof(s->seal.key))
		r = ERR_FORMAT;
	if (r == 0) {
		memcpy(s->seal.key, raw.data, raw.len);
		s->seal.number = (uint64_t)number;
		s->seal.set = true;
	}
	buf_wipe_done(&raw);
	return r;
}

/* What apply left: logins, counts, and what it saw. */
static int
read_applied(struct loading *l, struct config_store *s, json_t *root)
{
	json_t *logins = json_object_get(root, "logins");
	json_t *counts = json_object_get(root, "counts");
	const char *when =
	    json_string_value(json_object_get(root, "counted"));
	struct config_login *all;
	const json_t *o;
	size_t i;
	int r = 0;

	if (json_integer_value(json_object_get(root, "version")) != 1 ||
	    !json_is_array(logins) || !json_is_object(counts) ||
	    when == NULL ||
	    time_parse(when, strlen(when), &s->counted_ms) != 0)
		return ERR_FORMAT;
	all = arena_array(l->arena, s->n_logins + json_array_size(logins) + 1,
	    sizeof(*all));
	if (all == NULL)
		return ERR_MEMORY;
	if (s->n_logins > 0)
		memcpy(all, s->logins, s->n_logins * sizeof(*all));
	s->logins = all;
	if ((r = twins_read_panes(json_object_get(root, "panes"), l->arena,
	    s)) != 0 ||
	    (r = add_watch(l, s, json_object_get(root, "watch"))) != 0 ||
	    (r = add_seal(s, json_object_get(root, "seal"))) != 0)
		return r;
	json_array_foreach(logins, i, o) {
		if ((r = add_login(l, s, o)) != 0)
			return r;
	}
	return add_counts(l, s, counts);
}

static int
load_applied(struct loading *l, struct config_store *s)
{
	json_error_t error;
	const char *text;
	size_t len;
	json_t *root;
	int r;

	s->applied_path = arena_fmt(l->arena, "%s/applied.%s.json",
	    l->c->state_dir, s->name);
	if (s->applied_path == NULL)
		return ERR_MEMORY;
	if (!loading_exists(l, s->applied_path))
		return 0; /* nothing applied yet: sessions say so */
	s->applied = true;
	if ((r = loading_read(l, s->applied_path, true, &text, &len)) != 0)
		return r;
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	r = root != NULL ? read_applied(l, s, root) : ERR_FORMAT;
	if (r == ERR_FORMAT)
		r = why_set(l->why, r, 0, 0, "is not what sworn apply writes; "
		    "run sworn apply for store %s again", s->name);
	json_decref(root);
	return r;
}

/* The store's residences against the labels that its catalog can give. */
static int
check_residences(struct loading *l, const struct yaml_node *n,
    const struct config_store *s)
{
	const struct yaml_node *at = yaml_get(n, "residences");
	size_t i, k;

	loading_about(l, l->c->path);
	if (s->n_residences == 0 ||
	    (s->catalog->residence_store && s->n_residences != 1))
		return why_set(l->why, ERR_FORMAT, at->line, at->column,
		    "store \"%s\" needs %s residence: its catalog says that "
		    "subjects are at home %s", s->name,
		    s->catalog->residence_store ? "exactly one" : "a",
		    s->catalog->residence_store ? "where the store is" :
		    "where a column says");
	if (s->catalog->residence_store)
		return 0;
	for (i = 0; i < s->n_residences; i++) {
		for (k = 0; k < s->catalog->n_values; k++)
			if (strcmp(s->catalog->values[k].label,
			    s->residences[i]) == 0)
				break;
		if (k == s->catalog->n_values)
			return why_set(l->why, ERR_FORMAT, at->line,
			    at->column, "no value of the catalog's residence "
			    "column means \"%s\"; add it to values, or take "
			    "it out here", s->residences[i]);
	}
	return 0;
}

static int
load_store(struct loading *l, const struct yaml_node *key,
    const struct yaml_node *n, struct config_store *s)
{
	struct yaml_in in = {.arena = l->arena, .why = l->why};
	const char *name;
	int r;

	loading_about(l, l->c->path);
	load_store_keys(l, &in, key, n, s);
	name = yaml_str(&in, yaml_need(&in, n, "catalog"));
	if (in.result != 0)
		return in.result;
	if ((r = loading_text(l, name, &s->catalog_text)) != 0)
		return r;
	if ((r = catalog_load(s->catalog_text.text, s->catalog_text.len,
	    &s->catalog, l->why)) != 0)
		return r;
	if ((r = check_residences(l, n, s)) != 0 ||
	    (r = config_store_tls_load(l, &s->tls)) != 0 ||
	    (r = load_credentials(l, s)) != 0)
		return r;
	return load_applied(l, s);
}

int
config_stores_load(struct loading *l, const struct yaml_node *n)
{
	struct yaml_in in = {.arena = l->arena, .why = l->why};
	struct config *c = l->c;
	size_t i;
	int r;

	yaml_any_map(&in, n);
	if (in.result != 0)
		return in.result;
	if (n->n == 0)
		return yaml_fail(&in, n, "no store; name at least one");
	c->stores = arena_array(l->arena, n->n, sizeof(*c->stores));
	if (c->stores == NULL)
		return ERR_MEMORY;
	for (i = 0; i < n->n; i++) {
		c->n_stores = i + 1; /* so that config_free sees a half one */
		if ((r = load_store(l, n->keys[i], n->items[i],
		    &c->stores[i])) != 0)
			return r;
	}
	return 0;
}
