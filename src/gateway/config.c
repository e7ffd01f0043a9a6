/*
 * sworn.conf and the files that it names; its stores are in config_stores.c.
 * Everything lives in one arena and is immutable once loaded.
 *
 * What two sections must agree on is checked here, since only here both are
 * known: residences against the catalog's labels, services against the
 * directory, users against principals.
 */
#include "gateway/config.h"

#include <arpa/inet.h>
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
#include "gateway/config_stores.h"
#include "gateway/config_witnesses.h"
#include "gateway/drift.h"
#include "gateway/policy_file.h"
#include "key/secret.h"
#include "log/quorum.h"
#include "policy/policy.h"
#include "yaml/yaml.h"

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

/* A file's path is relative, as others are. */
static void
load_key_secret(struct loading *l, struct yaml_in *in,
    const struct yaml_node *n)
{
	static const char file[] = "file:";
	const char *text = n == NULL ? NULL : yaml_str(in, n);
	struct why w;

	if (text == NULL)
		return;
	if (secret_source_check(text, &w) != 0) {
		(void)yaml_fail(in, n, "%s", w.text);
		return;
	}
	if (strncmp(text, file, sizeof(file) - 1) == 0)
		text = arena_fmt(l->arena, "%s%s", file,
		    loading_path(l, text + sizeof(file) - 1));
	if (text == NULL)
		in->result = ERR_MEMORY;
	l->c->log_key_secret = text;
}

static void
load_log(struct loading *l, struct yaml_in *in, const struct yaml_node *n)
{
	static const char *const keys[] = {"dir", "key", "key-secret",
	    "heartbeat", "publish", "witnesses", NULL};
	const struct yaml_node *v;
	struct config *c = l->c;

	yaml_map(in, n, keys);
	c->log_dir = loading_path(l, yaml_str(in, yaml_need(in, n, "dir")));
	c->log_key_file = loading_path(l, yaml_str(in, yaml_need(in, n, "key")));
	load_key_secret(l, in, yaml_get(n, "key-secret"));
	c->heartbeat_ms = 10000;
	c->publish_ms = 1000;
	if ((v = yaml_get(n, "heartbeat")) != NULL)
		c->heartbeat_ms = yaml_duration_ms(in, v, 100, 3600000);
	if ((v = yaml_get(n, "publish")) != NULL)
		c->publish_ms = yaml_duration_ms(in, v, 10, 60000);
	config_witnesses_read(in, yaml_get(n, "witnesses"), &c->witnesses);
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
	    "log", "limits", "logins", "stores", "tickets", "tls", "seen",
	    "drift", NULL};
	struct yaml_in in = {.arena = l->arena, .why = l->why};
	const struct yaml_node *v;
	const char *directory, *policy, *addresses, *logins;
	struct config *c = l->c;
	int r;

	yaml_map(&in, root, keys);
	c->gateway = loading_name(&in, yaml_need(&in, root, "gateway"), "gateway");
	c->state_dir = loading_path(l, yaml_str(&in, yaml_need(&in, root, "state")));
	c->drift_ms = DRIFT_EVERY_MS;
	if ((v = yaml_get(root, "drift")) != NULL)
		c->drift_ms = v->text != NULL &&
		    strcmp(v->text, "off") == 0 ? 0 :
		    yaml_duration_ms(&in, v, 100, 3600000);
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
	config_tls_read(l, &in, yaml_get(root, "tls"), &c->tls);
	config_tickets_read(&in, yaml_get(root, "tickets"), l->folder,
	    &c->tickets);
	config_seen_read(&in, yaml_get(root, "seen"), &c->seen);
	directory = yaml_str(&in, yaml_need(&in, root, "directory"));
	addresses = yaml_str(&in, yaml_get(root, "addresses"));
	policy = yaml_str(&in, yaml_need(&in, root, "policy"));
	logins = yaml_str(&in, yaml_get(root, "logins"));
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
	    (r = config_tls_load(l, &c->tls)) != 0 ||
	    (r = config_stores_load(l, v)) != 0 ||
	    (r = check_services(l, v)) != 0 ||
	    (r = config_logins_load(l, logins, &c->logins)) != 0)
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
		wipe(s->seal.key, sizeof(s->seal.key));
		catalog_free(s->catalog);
		config_store_tls_done(&s->tls);
	}
	config_tls_done(&c->tls);
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
