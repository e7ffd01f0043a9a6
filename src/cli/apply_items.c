/*
 * An item is made by SQL of its own, whose hash tells later whether it would
 * be made the same way. Panes come first, then logins, then the logins'
 * rights on the panes, all of a pane's at once: each statement rewrites the
 * rights of all its views.
 *
 * A password is made here, and only its SCRAM verifier goes to the server.
 */
#include "cli/apply.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "catalog/catalog.h"
#include "cli/db.h"
#include "crypto/scram.h"
#include "gateway/config.h"

#define PASSWORDS 100		/* set by one message */

/* ---- which there are to be ---- */

static size_t
readable(const struct clearance *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->n_tables; i++)
		n += c->tables[i].readable;
	return n;
}

/* The panes that a clearance reads, by the order of the panes. */
static int
panes_of(struct apply *a, size_t clearance, const char ***ret, size_t *ret_n)
{
	const struct share_pane *p;
	const char **names;
	size_t i, k, n = 0;

	names = arena_array(a->arena, a->share.n + 1, sizeof(*names));
	if (names == NULL)
		return apply_said(ERR_MEMORY, "out of memory");
	for (i = 0; i < a->share.n; i++) {
		p = &a->share.panes[i];
		for (k = 0; k < p->n_readers; k++)
			if (p->readers[k] == clearance)
				names[n++] = p->name;
	}
	*ret = names;
	*ret_n = n;
	return 0;
}

static int
login_sql(struct apply *a, const struct wanted *w, struct buf *sql)
{
	const char **panes;
	size_t n;
	int r;

	if ((r = panes_of(a, (size_t)(w - a->wanted.items), &panes,
	    &n)) != 0)
		return r;
	r = enforce_login_sql(a->store->catalog, w->clearance, w->role,
	    panes, n, sql);
	limits_sql(&a->store->limits, w->role, sql);
	return r;
}

static int
whole_sql(struct apply *a, const struct wanted *w, struct buf *sql)
{
	int r;

	r = enforce_clearance_sql(a->store->catalog, w->clearance, w->role,
	    a->types, a->n_types, a->residence_columns, sql);
	if (r == 0)
		r = enforce_twins_sql(a->store->catalog, w->clearance,
		    w->role, a->types, a->n_types, false, sql);
	limits_sql(&a->store->limits, w->role, sql);
	return r;
}

static int
pane_sql(struct apply *a, const struct share_pane *p, struct buf *sql)
{
	int r;

	r = enforce_pane_sql(a->store->catalog, &p->shown, p->name, a->types,
	    a->n_types, a->residence_columns, sql);
	return r != 0 ? r : enforce_twins_sql(a->store->catalog, &p->shown,
	    p->name, a->types, a->n_types, true, sql);
}

static int
item_sql(struct apply *a, const struct apply_item *it, struct buf *sql)
{
	int r = ERR_STATE;

	switch (it->kind) {
	case APPLY_WHOLE:
		r = whole_sql(a, &a->wanted.items[it->index], sql);
		break;
	case APPLY_LOGIN:
		r = login_sql(a, &a->wanted.items[it->index], sql);
		break;
	case APPLY_PANE:
		r = pane_sql(a, &a->share.panes[it->index], sql);
		break;
	}
	switch (r) {
	case 0:
		return sql->failed ? apply_said(ERR_MEMORY, "out of memory") :
		    0;
	case ERR_CONFLICT:
		return apply_said(r, "two tables that may be shown together "
		    "have the same name, and their views would hide one "
		    "another; permit one of them only");
	case ERR_MISSING:
		return apply_said(r, "a masked column is not in the store");
	case ERR_DENIED:
		return apply_said(r, "a mask does not fit its column");
	case ERR_LIMIT:
		return apply_said(r, "the ways to residences lead over too "
		    "many tables, or one whose name is too long");
	default:
		return apply_said(r, err_text(r));
	}
}

/* Once shared, always: a clearance more or less would make all again. */
static void
choose_form(struct apply *a)
{
	size_t i, views = 0;

	for (i = 0; i < a->wanted.n; i++)
		views += readable(a->wanted.items[i].clearance);
	a->shared = a->shared || apply_known(a, "form") != NULL ||
	    views > APPLY_VIEWS_MAX;
}

static int
share(struct apply *a)
{
	struct share_clearance *all;
	uint8_t hash[HASH_LEN];
	size_t i;
	int r;

	all = arena_array(a->arena, a->wanted.n + 1, sizeof(*all));
	if (all == NULL)
		return apply_said(ERR_MEMORY, "out of memory");
	for (i = 0; i < a->wanted.n; i++)
		all[i] = (struct share_clearance){a->wanted.items[i].role,
		    a->wanted.items[i].clearance};
	if ((r = share_make(all, a->wanted.n, a->arena, &a->share)) != 0)
		return apply_said(r, err_text(r));
	for (i = 0; i < a->share.n; i++) {
		if ((r = hash_sha256(a->share.panes[i].text,
		    strlen(a->share.panes[i].text), hash)) != 0)
			return apply_said(r, "cannot hash");
		enforce_pane_name(hash, a->share.panes[i].name);
	}
	return 0;
}

int
apply_list(struct apply *a)
{
	struct apply_item *it;
	struct buf sql;
	size_t i;
	int r = 0;

	choose_form(a);
	if (a->shared && (r = share(a)) != 0)
		return r;
	a->n_items = a->share.n + a->wanted.n;
	a->items = arena_array(a->arena, a->n_items + 1, sizeof(*a->items));
	if (a->items == NULL)
		return apply_said(ERR_MEMORY, "out of memory");
	buf_init(&sql, 0);
	for (i = 0; r == 0 && i < a->n_items; i++) {
		it = &a->items[i];
		it->kind = i < a->share.n ? APPLY_PANE : a->shared ?
		    APPLY_LOGIN : APPLY_WHOLE;
		it->index = i < a->share.n ? i : i - a->share.n;
		it->name = i < a->share.n ? a->share.panes[i].name :
		    a->wanted.items[it->index].role;
		buf_reset(&sql);
		if ((r = item_sql(a, it, &sql)) == 0)
			r = apply_hash(sql.data, sql.len, it->sql_hash);
	}
	buf_done(&sql);
	return r;
}

/* A view and its twin, their table, and roles and schemas. */
static uint64_t
item_locks(const struct apply *a, const struct apply_item *it)
{
	switch (it->kind) {
	case APPLY_WHOLE:
		return 8 + 3 * readable(a->wanted.items[it->index].clearance);
	case APPLY_PANE:
		return 8 + 3 * a->share.panes[it->index].n_tables;
	case APPLY_LOGIN:
		return 4;
	}
	return 0;
}

uint64_t
apply_locks(const struct apply *a)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < a->n_items; i++)
		if (!a->items[i].kept)
			n += 2 * item_locks(a, &a->items[i]);
	return n;
}

/* ---- dropping ---- */

static struct apply_item *
find_item(const struct apply *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->n_items; i++)
		if (strcmp(a->items[i].name, name) == 0)
			return &a->items[i];
	return NULL;
}

bool
apply_wants(const struct apply *a, const char *name)
{
	return find_item(a, name) != NULL;
}

static int
drop_item(struct apply *a, const char *key, const char *name)
{
	struct buf sql;
	int r;

	buf_init(&sql, 0);
	if ((r = enforce_drop_sql(name, a->store->catalog, &sql)) == 0) {
		buf_fmt(&sql, "DELETE FROM sworn.state WHERE key = '%s';\n",
		    key);
		r = apply_change(a, key[0] == 'p' ? "dropping a pane" :
		    "dropping a clearance", &sql);
	}
	buf_done(&sql);
	return r;
}

/* Locks that dropping takes are those of making; what is not wanted is
 * guessed at its largest. */
static uint64_t
drop_locks(const struct apply *a, const struct apply_item *it, const char *key)
{
	if (it != NULL)
		return item_locks(a, it);
	return key[0] == 'r' && a->shared ? 4 :
	    8 + 3 * a->store->catalog->n_tables;
}

/* Panes stand before roles in the state's order: without them a login has
 * little to take back. */
int
apply_drop_known(struct apply *a, bool keep_others)
{
	const struct apply_item *it;
	const char *key, *name;
	int i, r;

	for (i = 0; a->known != NULL && i < PQntuples(a->known); i++) {
		key = PQgetvalue(a->known, i, 0);
		if ((name = apply_key_name(key)) == NULL)
			continue;
		it = find_item(a, name);
		if (it != NULL ? it->kept : keep_others)
			continue;
		if (it == NULL && key[0] == 'r')
			a->n_dropped++;
		if ((r = apply_room(a, drop_locks(a, it, key))) != 0 ||
		    (r = drop_item(a, key, name)) != 0 ||
		    (a->remove && (r = apply_next(a)) != 0))
			return r;
	}
	return 0;
}

/* ---- making ---- */

static int
make_item(struct apply *a, struct apply_item *it)
{
	char key[ENFORCE_NAME_MAX + 8];
	struct buf sql;
	int r;

	if ((r = apply_room(a, item_locks(a, it))) != 0)
		return r;
	buf_init(&sql, 0);
	if ((r = item_sql(a, it, &sql)) != 0)
		goto out;
	apply_key(it, key, sizeof(key));
	if (a->closed && it->kind != APPLY_PANE)
		buf_fmt(&sql, "ALTER ROLE %s NOLOGIN;\n", it->name);
	buf_fmt(&sql, "INSERT INTO sworn.state VALUES ('%s', '') ON CONFLICT "
	    "(key) DO UPDATE SET value = '';\n", key);
	r = apply_change(a, it->kind == APPLY_PANE ? "making a pane" :
	    "making a clearance", &sql);
	it->pending = it->kind != APPLY_LOGIN;	/* its rights are to come */
out:
	buf_done(&sql);
	return r;
}

/* Of one pane's readers those that are new. */
static int
grant_pane(struct apply *a, const struct share_pane *p)
{
	struct apply_item *it;
	struct buf roles, sql;
	size_t k, n = 0;
	int r = 0;

	buf_init(&roles, 0);
	buf_init(&sql, 0);
	for (k = 0; k < p->n_readers; k++) {
		it = &a->items[a->share.n + p->readers[k]];
		if (!it->kept)
			buf_fmt(&roles, "%s%s", n++ > 0 ? ", " : "",
			    it->name);
	}
	if (buf_text(&roles) == NULL)
		r = apply_said(ERR_MEMORY, "out of memory");
	else if (n > 0 && (r = apply_room(a, n + 2 * p->n_tables)) == 0) {
		enforce_pane_grant_sql(p->name, buf_text(&roles), &p->shown,
		    &sql);
		r = apply_change(a, "giving logins a pane", &sql);
	}
	buf_done(&roles);
	buf_done(&sql);
	return r;
}

int
apply_make_items(struct apply *a)
{
	struct apply_item *it;
	size_t i;
	int r;

	for (i = 0; i < a->n_items; i++) {
		it = &a->items[i];
		if (it->kind != APPLY_PANE && it->kept)
			a->n_kept++;
		else if (it->kind != APPLY_PANE)
			a->n_new++;
		if (!it->kept && (r = make_item(a, it)) != 0)
			return r;
	}
	for (i = 0; i < a->share.n; i++)
		if ((r = grant_pane(a, &a->share.panes[i])) != 0)
			return r;
	for (i = a->share.n; i < a->n_items; i++)
		a->items[i].pending = !a->items[i].kept;
	if (a->shared && (r = apply_change_text(a, "noting that views are "
	    "shared", "INSERT INTO sworn.state VALUES ('form', 'shared') "
	    "ON CONFLICT DO NOTHING;\n")) != 0)
		return r;
	return apply_remember_pending(a);
}

/* ---- passwords ---- */

/* A new one. */
static int
make_password(struct apply *a, size_t i)
{
	uint8_t bytes[PASSWORD_HEX / 2];
	struct buf text;
	int r;

	buf_init(&text, 0);
	if ((r = random_bytes(bytes, sizeof(bytes))) != 0) {
		(void)apply_said(r, "no random bytes");
		goto out;
	}
	text_hex(&text, bytes, sizeof(bytes));
	if (buf_text(&text) == NULL) {
		r = apply_said(ERR_MEMORY, "out of memory");
		goto out;
	}
	memcpy(a->passwords[i], buf_text(&text), PASSWORD_HEX + 1);
out:
	wipe(bytes, sizeof(bytes));
	buf_wipe_done(&text);
	return r;
}

static int
make_verifier(struct apply *a, size_t i)
{
	struct scram_verifier v;
	struct buf text;
	int r;

	if ((r = scram_verifier_make(a->passwords[i], &v)) != 0)
		return apply_said(r, "cannot make a verifier");
	buf_init(&text, 0);
	scram_verifier_write(&v, &text);
	if (buf_text(&text) == NULL ||
	    (a->verifiers[i] = arena_str(a->arena, buf_text(&text))) == NULL)
		r = apply_said(ERR_MEMORY, "out of memory");
	wipe(&v, sizeof(v));
	buf_wipe_done(&text);
	return r;
}

/* The verifier that the server has of a role, or "". */
static const char *
server_verifier(PGresult *rows, const char *role)
{
	int lo = 0, hi = PQntuples(rows), at, order;

	while (lo < hi) {
		at = lo + (hi - lo) / 2;
		order = strcmp(PQgetvalue(rows, at, 0), role);
		if (order == 0)
			return PQgetvalue(rows, at, 1);
		if (order < 0)
			lo = at + 1;
		else
			hi = at;
	}
	return "";
}

/* Whether the password that the gateway has already is the server's still:
 * a role may change its own. */
static bool
is_set(struct apply *a, size_t i, PGresult *rows)
{
	const char *role = a->wanted.items[i].role;
	const struct config_login *old = config_login_find(a->store, role);

	if (old == NULL || strlen(old->password) != PASSWORD_HEX)
		return false;
	memcpy(a->passwords[i], old->password, PASSWORD_HEX + 1);
	if (old->verifier == NULL ||
	    strcmp(old->verifier, server_verifier(rows, role)) != 0)
		return false;
	a->verifiers[i] = old->verifier;
	return true;
}

/* The server computes as long as whoever logs in, so what is set already is
 * left alone. */
static int
set_passwords(struct apply *a, PGresult *rows, struct buf *sql)
{
	size_t i, n = 0;
	int r = 0;

	for (i = 0; r == 0 && i < a->wanted.n; i++) {
		if (is_set(a, i, rows))
			continue;
		if ((a->passwords[i][0] == 0 &&
		    (r = make_password(a, i)) != 0) ||
		    (r = make_verifier(a, i)) != 0)
			return r;
		buf_fmt(sql, "ALTER ROLE %s PASSWORD '%s';\n",
		    a->wanted.items[i].role, a->verifiers[i]);
		if (++n % PASSWORDS == 0) {
			r = db_run_buf(a->c, "setting passwords", sql);
			buf_reset(sql);
		}
	}
	return r != 0 ? r : db_run_buf(a->c, "setting passwords", sql);
}

int
apply_set_passwords(struct apply *a)
{
	PGresult *rows = NULL;
	struct buf sql;
	size_t i;
	int r;

	if (a->dry_run) {
		for (i = 0; i < a->wanted.n; i++)
			(void)printf("ALTER ROLE %s PASSWORD "
			    "'(made by apply)';\n\n",
			    a->wanted.items[i].role);
		return 0;
	}
	buf_init(&sql, 0);
	r = db_rows(a->c, "reading verifiers", "SELECT rolname, rolpassword "
	    "FROM pg_authid WHERE rolname ~ '^sworn_[0-9a-f]{16}$' "
	    "AND rolpassword IS NOT NULL ORDER BY rolname COLLATE \"C\"",
	    &rows);
	if (r == 0)
		r = set_passwords(a, rows, &sql);
	PQclear(rows);
	buf_wipe_done(&sql);
	return r;
}
