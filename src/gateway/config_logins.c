#include "gateway/config_logins.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "directory/directory.h"
#include "gateway/config.h"
#include "gateway/config_read.h"
#include "gateway/login_lines.h"
#include "gateway/parcel.h"

#define INTERFACES_ITEM "interfaces"	/* of a parcel; no path */

/* ---- this machine's networks ---- */

static bool
put_address(struct buf *out, const struct sockaddr *a)
{
	char text[INET6_ADDRSTRLEN];
	const void *bits;

	if (a->sa_family == AF_INET)
		bits = &((const struct sockaddr_in *)(const void *)a)->sin_addr;
	else
		bits = &((const struct sockaddr_in6 *)(const void *)a)
		    ->sin6_addr;
	if (inet_ntop(a->sa_family, bits, text, sizeof(text)) == NULL)
		return false;
	buf_str(out, text);
	return true;
}

/* ADDRESS MASK, a line each. */
static int
write_interfaces(struct buf *out)
{
	struct ifaddrs *all, *i;

	if (getifaddrs(&all) != 0)
		return ERR_IO;
	for (i = all; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_netmask == NULL ||
		    (i->ifa_addr->sa_family != AF_INET &&
		    i->ifa_addr->sa_family != AF_INET6) ||
		    !put_address(out, i->ifa_addr))
			continue;
		buf_u8(out, ' ');
		/* Some systems leave the family of a mask open. */
		i->ifa_netmask->sa_family = i->ifa_addr->sa_family;
		(void)put_address(out, i->ifa_netmask);	/* else no mask */
		buf_u8(out, '\n');
	}
	freeifaddrs(all);
	return out->failed ? ERR_MEMORY : 0;
}

static int
read_interfaces(struct loading *l, char *text, struct config_logins *c)
{
	struct login_network n;
	char *line, *blank, *end;

	for (line = text; *line != 0; line = end + 1) {
		if ((end = strchr(line, '\n')) == NULL)
			return ERR_FORMAT;
		*end = 0;
		if ((blank = strchr(line, ' ')) == NULL)
			return ERR_FORMAT;
		*blank = 0;
		if (login_network_read(line, blank + 1, &n) != 0)
			continue;
		if ((c->ours = login_grown(l->arena, c->ours, c->n_ours,
		    sizeof(n))) == NULL)
			return ERR_MEMORY;
		c->ours[c->n_ours++] = n;
	}
	return 0;
}

static int
load_interfaces(struct loading *l, struct config_logins *c)
{
	struct bytes got = {NULL, 0};
	struct buf b;
	char *text;
	int r;

	buf_init(&b, 0);
	if (l->from != NULL) {
		r = parcel_find(l->from, INTERFACES_ITEM, &got);
	} else if ((r = write_interfaces(&b)) == 0) {
		got = bytes_of(b.data, b.len);
		if (l->take != NULL)
			r = parcel_add(l->take, INTERFACES_ITEM, got.data,
			    got.len);
	}
	if (r == ERR_IO)
		(void)why_set(l->why, r, 0, 0, "this machine's addresses "
		    "cannot be read: %s", strerror(errno));
	if (r == 0 && (text = arena_strn(l->arena, got.len == 0 ? "" :
	    (const char *)got.data, got.len)) == NULL)
		r = ERR_MEMORY;
	if (r == 0)
		r = read_interfaces(l, text, c);
	buf_done(&b);
	return r;
}

/* ---- the file ---- */

struct reading {
	struct loading *l;
	const char *path;
	struct buf all;		/* the texts, one behind the other */
};

static int
read_named(void *arg, const char *outer, const char *name,
    const char **ret_name, const char **ret, size_t *ret_len)
{
	struct reading *g = arg;
	const char *from = outer != NULL ? outer : g->path;
	int r;

	*ret_name = name[0] == '/' ? arena_str(g->l->arena, name) :
	    arena_fmt(g->l->arena, "%.*s%s", (int)(strrchr(from, '/') + 1 -
	    from), from, name);
	if (*ret_name == NULL)
		return ERR_MEMORY;
	if ((r = loading_read(g->l, *ret_name, false, ret, ret_len)) != 0)
		return r;
	buf_bytes(&g->all, *ret, *ret_len);
	loading_about(g->l, g->path);
	return 0;
}

static int
check_names(struct loading *l, const struct login_rule *rule)
{
	const struct login_name *n;
	size_t i;

	for (i = 0; i < rule->stores.n; i++) {
		n = &rule->stores.list[i];
		if (n->kind == LOGIN_NAME &&
		    strcmp(n->text, CONFIG_DESK_NAME) != 0 &&
		    config_store_find(l->c, n->text) == NULL)
			return why_set(l->why, ERR_MISSING, rule->line, 0,
			    "there is no store \"%.80s\" in sworn.conf; "
			    "correct it, or take it out", n->text);
	}
	for (i = 0; i < rule->principals.n; i++) {
		n = &rule->principals.list[i];
		if (n->kind == LOGIN_NAME &&
		    !directory_knows(l->c->directory, n->text))
			return why_set(l->why, ERR_MISSING, rule->line, 0,
			    "the directory has never had \"%.80s\"; correct "
			    "it, or take it out", n->text);
	}
	if (rule->certificate != LOGIN_CERTIFICATE_NONE &&
	    l->c->tls.client_ca == NULL)
		return why_set(l->why, ERR_MISSING, rule->line, 0, "clients "
		    "are asked for certificates only if \"client-ca\" in "
		    "section tls of sworn.conf says who signs them");
	return 0;
}

int
config_logins_load(struct loading *l, const char *name,
    struct config_logins *c)
{
	struct reading g = {.l = l};
	struct login_files files = {.read = read_named, .arg = &g};
	const char *text;
	size_t len, i;
	int r;

	if (name == NULL)
		return 0;
	if ((g.path = loading_path(l, name)) == NULL)
		return ERR_MEMORY;
	buf_init(&g.all, 0);
	if ((r = loading_read(l, g.path, false, &text, &len)) != 0)
		goto out;
	buf_bytes(&g.all, text, len);
	if ((r = login_rules_read(text, len, &files, l->arena, &c->rules,
	    l->why)) != 0)
		goto out;
	for (i = 0; i < c->rules.n && r == 0; i++)
		r = check_names(l, &c->rules.list[i]);
	if (r == 0 && g.all.failed)
		r = ERR_MEMORY;
	if (r == 0 && (r = load_interfaces(l, c)) == 0)
		r = loading_hash((const char *)g.all.data, g.all.len,
		    c->sha256);
	if (r == 0)
		c->path = g.path;
out:
	buf_done(&g.all);
	return r;
}

/* ---- who is let in ---- */

int
config_logins_find(const struct config *c, const struct login_who *who,
    struct arena *a, const struct login_rule **ret)
{
	struct login_asked q = {.store = who->store,
	    .principal = who->principal, .kind = LOGIN_NAME,
	    .local = who->address == NULL, .encrypted = who->encrypted,
	    .ours = c->logins.ours, .n_ours = c->logins.n_ours};
	const struct principal *p;
	int r;

	if (!q.local && (r = login_address_read(who->address,
	    &q.address)) != 0)
		return r;
	r = directory_principal(c->directory, who->principal, who->at_ms, a,
	    &p);
	if (r == 0) {
		q.kind = p->kind == PRINCIPAL_SERVICE ? LOGIN_NAME_SERVICE :
		    LOGIN_NAME_PERSON;
		q.roles = p->roles;
		q.n_roles = p->n_roles;
	} else if (r != ERR_MISSING) {
		return r;
	}
	*ret = login_rules_find(&c->logins.rules, &q);
	return 0;
}
