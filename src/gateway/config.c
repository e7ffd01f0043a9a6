/*
 * sworn.conf, the files that it names, and what `sworn apply` left for each
 * store. Everything lives in one arena and is immutable once loaded.
 *
 * What two sections must agree on is checked here, since only here both are
 * known: residences against the catalog's labels, services against the
 * directory, users against principals.
 */
#include "gateway/config.h"
#include "gateway/twins.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/time.h"
#include "catalog/catalog.h"
#include "crypto/scram.h"
#include "directory/directory.h"
#include "gateway/addresses.h"
#include "gateway/config_read.h"
#include "gateway/config_witnesses.h"
#include "gateway/policy_file.h"
#include "log/quorum.h"
#include "policy/policy.h"
#include "yaml/yaml.h"

#define NAME_CHARS \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* The arena is the configuration's own, so it hides behind it. */
struct config_whole {
	struct config c;
	struct arena *arena;
};

const char *
store_mode_text(enum store_mode m)
{
	return m == STORE_ENFORCE ? "enforce" : "observe";
}

static const char *
name_of(struct yaml_in *in, const struct yaml_node *n, const char *what)
{
	const char *s = yaml_str(in, n);

	if (s != NULL && (s[0] == 0 || strlen(s) > 60 ||
	    s[strspn(s, NAME_CHARS)] != 0)) {
		(void)yaml_fail(in, n, "\"%.80s\" is not a name for a %s; use "
		    "letters, digits, dot, hyphen and underscore, 60 at most",
		    s, what);
		return NULL;
	}
	return s;
}

static void
load_listener(struct yaml_in *in, const struct yaml_node *n,
    struct config_listener *ret)
{
	static const char *const keys[] = {"address", "port", NULL};
	unsigned char addr[sizeof(struct in6_addr)];

	yaml_map(in, n, keys);
	ret->address = yaml_str(in, yaml_need(in, n, "address"));
	ret->port = (uint16_t)yaml_u64(in, yaml_need(in, n, "port"), 0, 65535);
	if (ret->address != NULL &&
	    inet_pton(AF_INET, ret->address, addr) != 1 &&
	    inet_pton(AF_INET6, ret->address, addr) != 1)
		(void)yaml_fail(in, yaml_get(n, "address"),
		    "\"%.80s\" is not an IP address to listen on; write one, "
		    "such as 127.0.0.1 or ::", ret->address);
}

static void
load_listeners(struct yaml_in *in, const struct yaml_node *n,
    struct config *c)
{
	struct config_listener *ls;
	size_t i;

	yaml_list(in, n);
	if (in->result != 0)
		return;
	if (n->n == 0) {
		(void)yaml_fail(in, n, "no listener; name at least one");
		return;
	}
	ls = arena_array(in->arena, n->n, sizeof(*ls));
	if (ls == NULL) {
		in->result = ERR_MEMORY;
		return;
	}
	for (i = 0; i < n->n; i++)
		load_listener(in, n->items[i], &ls[i]);
	c->listeners = ls;
	c->n_listeners = n->n;
}

static void
load_limits(struct yaml_in *in, const struct yaml_node *n, struct config *c)
{
	static const char *const keys[] = {"sessions", "login", "connect",
	    "log", NULL};
	const struct yaml_node *v;

	yaml_map(in, n, keys);
	c->max_sessions = 1000;
	c->login_timeout_ms = 60000;
	c->connect_timeout_ms = 10000;
	c->log_timeout_ms = 10000;
	if ((v = yaml_get(n, "sessions")) != NULL)
		c->max_sessions = (unsigned)yaml_u64(in, v, 1, 1000000);
	if ((v = yaml_get(n, "login")) != NULL)
		c->login_timeout_ms =
		    (unsigned)yaml_duration_ms(in, v, 100, 600000);
	if ((v = yaml_get(n, "connect")) != NULL)
		c->connect_timeout_ms =
		    (unsigned)yaml_duration_ms(in, v, 100, 600000);
	if ((v = yaml_get(n, "log")) != NULL)
		c->log_timeout_ms =
		    (unsigned)yaml_duration_ms(in, v, 100, 600000);
}

static void
load_log(struct loading *l, struct yaml_in *in, const struct yaml_node *n)
{
	static const char *const keys[] = {"dir", "key", "heartbeat",
	    "publish", "witnesses", NULL};
	const struct yaml_node *v;
	struct config *c = l->c;

	yaml_map(in, n, keys);
	c->log_dir = loading_path(l, yaml_str(in, yaml_need(in, n, "dir")));
	c->log_key_file = loading_path(l, yaml_str(in, yaml_need(in, n, "key")));
	c->heartbeat_ms = 10000;
	c->publish_ms = 1000;
	if ((v = yaml_get(n, "heartbeat")) != NULL)
		c->heartbeat_ms = yaml_duration_ms(in, v, 100, 3600000);
	if ((v = yaml_get(n, "publish")) != NULL)
		c->publish_ms = yaml_duration_ms(in, v, 10, 60000);
	config_witnesses_read(in, yaml_get(n, "witnesses"), &c->witnesses);
}

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
	    "limits", "services", NULL};
	static const char *const modes[] = {"observe", "enforce", NULL};
	const struct yaml_node *v;

	s->name = name_of(in, key, "store");
	yaml_map(in, n, keys);
	s->host = yaml_str(in, yaml_need(in, n, "host"));
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
	struct config_login *login = &s->logins[s->n_logins];

	if (role == NULL || password == NULL)
		return ERR_FORMAT;
	login->role = arena_str(l->arena, role);
	login->password = arena_str(l->arena, password);
	if (login->role == NULL || login->password == NULL)
		return ERR_MEMORY;
	s->n_logins++;
	return twins_read(json_object_get(o, "twins"), l->arena, login);
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

/* What apply left: logins and counts. */
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
	    (r = load_credentials(l, s)) != 0)
		return r;
	return load_applied(l, s);
}

static int
load_stores(struct loading *l, const struct yaml_node *n)
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

static int
compare_users(const void *a, const void *b)
{
	const struct config_user *x = a, *y = b;

	return strcmp(x->principal, y->principal);
}

static int
check_user(struct loading *l, const struct config_user *u, unsigned number)
{
	struct scram_verifier v;
	int r = scram_verifier_read(u->verifier, &v);

	wipe(&v, sizeof(v));
	if (r != 0)
		return why_set(l->why, ERR_FORMAT, number, 1,
		    "the verifier of \"%.80s\" is not SCRAM-SHA-256$...; "
		    "make it with: sworn passwd FILE %.80s", u->principal,
		    u->principal);
	return 0;
}

/* principal:verifier lines. */
static int
load_users(struct loading *l)
{
	const char *text, *line, *end, *colon;
	struct config_user *users;
	size_t len, lines = 1, i, n = 0;
	unsigned number = 0;
	int r;

	if ((r = loading_read(l, l->c->users_path, true, &text, &len)) != 0)
		return r;
	for (i = 0; i < len; i++)
		lines += text[i] == '\n';
	if ((users = arena_array(l->arena, lines, sizeof(*users))) == NULL)
		return ERR_MEMORY;
	for (line = text; *line != 0; line = *end != 0 ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		number++;
		if (end == line || *line == '#')
			continue;
		colon = memchr(line, ':', (size_t)(end - line));
		if (colon == NULL || colon == line)
			return why_set(l->why, ERR_FORMAT, number, 1,
			    "this line is not principal:verifier");
		users[n].principal = arena_strn(l->arena, line,
		    (size_t)(colon - line));
		users[n].verifier = arena_strn(l->arena, colon + 1,
		    (size_t)(end - colon - 1));
		if (users[n].principal == NULL || users[n].verifier == NULL)
			return ERR_MEMORY;
		if ((r = check_user(l, &users[n], number)) != 0)
			return r;
		n++;
	}
	qsort(users, n, sizeof(*users), compare_users);
	for (i = 1; i < n; i++)
		if (compare_users(&users[i - 1], &users[i]) == 0)
			return why_set(l->why, ERR_FORMAT, 0, 0,
			    "\"%.80s\" stands there twice",
			    users[i].principal);
	l->c->users = users;
	l->c->n_users = n;
	return 0;
}

/* Services that sworn.conf maps must be services of the directory. */
static int
check_services(struct loading *l, const struct yaml_node *stores)
{
	const struct principal *p;
	size_t i, k;

	loading_about(l, l->c->path);
	for (i = 0; i < l->c->n_stores; i++) {
		const struct config_store *s = &l->c->stores[i];
		const struct yaml_node *n =
		    yaml_get(stores->items[i], "services");

		for (k = 0; k < s->n_services; k++)
			if (directory_principal(l->c->directory,
			    s->service_principals[k], clock_now_ms(),
			    l->arena, &p) != 0 ||
			    p->kind != PRINCIPAL_SERVICE)
				return why_set(l->why, ERR_MISSING,
				    n->keys[k]->line, n->keys[k]->column,
				    "\"%.80s\" is no service of the directory "
				    "today; add it there, or take it out here",
				    s->service_principals[k]);
	}
	return 0;
}

static int
load_top(struct loading *l, const struct yaml_node *root)
{
	static const char *const keys[] = {"gateway", "state", "workers",
	    "listeners", "console", "users", "directory", "addresses", "policy",
	    "log", "limits", "stores", "tickets", NULL};
	struct yaml_in in = {.arena = l->arena, .why = l->why};
	const struct yaml_node *v;
	const char *directory, *policy, *addresses;
	struct config *c = l->c;
	int r;

	yaml_map(&in, root, keys);
	c->gateway = name_of(&in, yaml_need(&in, root, "gateway"), "gateway");
	c->state_dir = loading_path(l, yaml_str(&in, yaml_need(&in, root, "state")));
	c->workers = 2;
	if ((v = yaml_get(root, "workers")) != NULL)
		c->workers = (unsigned)yaml_u64(&in, v, 1, 256);
	load_listeners(&in, yaml_need(&in, root, "listeners"), c);
	if ((v = yaml_get(root, "console")) != NULL) {
		load_listener(&in, v, &c->console);
		c->has_console = true;
	}
	c->users_path = loading_path(l, yaml_str(&in, yaml_need(&in, root, "users")));
	load_log(l, &in, yaml_need(&in, root, "log"));
	load_limits(&in, yaml_get(root, "limits"), c);
	config_tickets_read(&in, yaml_get(root, "tickets"), l->folder,
	    &c->tickets);
	directory = yaml_str(&in, yaml_need(&in, root, "directory"));
	addresses = yaml_str(&in, yaml_get(root, "addresses"));
	policy = yaml_str(&in, yaml_need(&in, root, "policy"));
	v = yaml_need(&in, root, "stores");
	if (in.result != 0)
		return in.result;
	if ((r = loading_text(l, directory, &c->directory_text)) != 0 ||
	    (r = directory_load(c->directory_text.text, c->directory_text.len,
	    &c->directory, l->why)) != 0)
		return r;
	if (addresses != NULL && ((r = loading_text(l, addresses,
	    &c->addresses_text)) != 0 ||
	    (r = addresses_new(c->addresses_text.text, c->addresses_text.len,
	    &c->addresses, l->why)) != 0))
		return r;
	if ((r = loading_policy(l, policy, &c->policy_text)) != 0 ||
	    (r = policy_file_load(c->policy_text.path, c->policy_text.text,
	    c->policy_text.len, &c->policy, l->why, l->file)) != 0)
		return r;
	if ((r = config_witnesses_load(l, &c->witnesses)) != 0 ||
	    (r = load_stores(l, v)) != 0 || (r = check_services(l, v)) != 0)
		return r;
	return load_users(l);
}

static int
load(struct loading *l, const char *path)
{
	const struct yaml_node *root;
	const char *text;
	size_t len;
	int r;

	loading_about(l, path);
	if ((l->c->path = arena_str(l->arena, path)) == NULL)
		return ERR_MEMORY;
	if ((r = loading_folder(l, path)) != 0 ||
	    (r = loading_read(l, path, false, &text, &len)) != 0 ||
	    (r = loading_hash(text, len, l->c->sha256)) != 0 ||
	    (r = yaml_parse(l->arena, text, len, &root, l->why)) != 0)
		return r;
	return load_top(l, root);
}

int
config_load_by(const char *path, struct parcel *take,
    const struct parcel *from, struct config **ret, struct why *w,
    char file[static 1024])
{
	struct config_whole *whole;
	struct loading l = {.why = w, .file = file, .take = take,
	    .from = from};
	int r = ERR_MEMORY;

	memset(w, 0, sizeof(*w));
	if ((whole = calloc(1, sizeof(*whole))) == NULL)
		return r;
	l.c = &whole->c;
	loading_about(&l, path);
	if ((l.arena = whole->arena = arena_new()) == NULL ||
	    (r = load(&l, path)) != 0)
		goto out;
	*ret = l.c;
	whole = NULL; /* now the caller's */
out:
	if (r == ERR_MEMORY)
		(void)why_set(w, r, 0, 0, "out of memory");
	if (whole != NULL)
		config_free(&whole->c);
	return r;
}

int
config_load(const char *path, struct config **ret, struct why *w,
    char file[static 1024])
{
	return config_load_by(path, NULL, NULL, ret, w, file);
}

int
config_state_dir(const char *path, char **ret, struct why *w,
    char file[static 1024])
{
	struct loading l = {.why = w, .file = file};
	struct yaml_in in = {.why = w};
	const struct yaml_node *root;
	const char *text, *dir;
	size_t len;
	int r = ERR_MEMORY;

	loading_about(&l, path);
	if ((l.arena = in.arena = arena_new()) == NULL)
		return why_set(w, r, 0, 0, "out of memory");
	if ((r = loading_folder(&l, path)) != 0 ||
	    (r = loading_read(&l, path, false, &text, &len)) != 0 ||
	    (r = yaml_parse(l.arena, text, len, &root, w)) != 0)
		goto out;
	dir = loading_path(&l, yaml_str(&in, yaml_need(&in, root, "state")));
	if ((r = in.result) == 0 && (dir == NULL ||
	    (*ret = strdup(dir)) == NULL))
		r = ERR_MEMORY;
out:
	arena_free(l.arena);
	return r;
}

void
config_free(struct config *c)
{
	struct config_whole *whole = (struct config_whole *)c;
	size_t i, k;

	if (c == NULL)
		return;
	for (i = 0; i < c->n_stores; i++) {
		struct config_store *s = &c->stores[i];

		for (k = 0; k < s->n_logins; k++)
			wipe((char *)(uintptr_t)s->logins[k].password,
			    strlen(s->logins[k].password));
		catalog_free(s->catalog);
	}
	directory_free(c->directory);
	quorum_free(c->witnesses.quorum);
	addresses_free(c->addresses);
	policy_free(c->policy);
	arena_free(whole->arena);
	free(whole);
}

const struct config_store *
config_store_find(const struct config *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_stores; i++)
		if (strcmp(c->stores[i].name, name) == 0)
			return &c->stores[i];
	return NULL;
}

const struct config_user *
config_user_find(const struct config *c, const char *principal)
{
	struct config_user key = {.principal = principal};

	if (c->n_users == 0)
		return NULL;
	return bsearch(&key, c->users, c->n_users, sizeof(*c->users),
	    compare_users);
}

const struct config_login *
config_login_find(const struct config_store *s, const char *role)
{
	size_t i;

	for (i = 0; i < s->n_logins; i++)
		if (strcmp(s->logins[i].role, role) == 0)
			return &s->logins[i];
	return NULL;
}

const char *
config_service_role(const struct config_store *s, const char *principal)
{
	size_t i;

	for (i = 0; i < s->n_services; i++)
		if (strcmp(s->service_principals[i], principal) == 0)
			return s->service_roles[i];
	return NULL;
}

bool
config_knows_purpose(const struct config *c, const char *purpose)
{
	const char *const *known;
	size_t i, n;

	if (purpose == NULL)
		return true;
	known = policy_purposes(c->policy, &n);
	for (i = 0; i < n; i++)
		if (strcmp(known[i], purpose) == 0)
			return true;
	return false;
}
