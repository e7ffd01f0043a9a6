#include "gateway/login_rules.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"
#include "gateway/login_lines.h"

struct rules {
	struct arena *arena;
	struct why *why;
	const struct login_line *line;
	size_t at;		/* the next field */
};

static const struct {
	const char *word;
	enum login_type type;
} types[] = {
	{"local", LOGIN_LOCAL}, {"host", LOGIN_HOST},
	{"hostssl", LOGIN_HOSTSSL}, {"hostnossl", LOGIN_HOSTNOSSL},
};

/* What pg_hba.conf has, and what to write here. */
struct instead {
	const char *word;
	const char *instead;
};

static const struct instead no_types[] = {
	{"hostgssenc", "connections are not encrypted by GSSAPI; write "
	    "hostssl"},
	{"hostnogssenc", "no connection is encrypted by GSSAPI; write host"},
	{"include", "files are named by @FILE, in the place of stores or "
	    "principals"},
	{"include_dir", "files are named by @FILE, in the place of stores or "
	    "principals"},
	{"include_if_exists", "files are named by @FILE, in the place of "
	    "stores or principals"},
};

static const struct instead no_methods[] = {
	{"trust", "nobody is let in unproven; write scram-sha-256, cert or "
	    "reject"},
	{"md5", "passwords are proven by SCRAM alone; write scram-sha-256"},
	{"password", "passwords are proven by SCRAM alone; write "
	    "scram-sha-256"},
	{"ldap", "passwords are not asked of others; write scram-sha-256 or "
	    "cert"},
	{"radius", "passwords are not asked of others; write scram-sha-256 "
	    "or cert"},
	{"pam", "passwords are not asked of others; write scram-sha-256 or "
	    "cert"},
	{"bsd", "passwords are not asked of others; write scram-sha-256 or "
	    "cert"},
	{"gss", "tickets of Kerberos are not taken; write scram-sha-256 or "
	    "cert"},
	{"sspi", "tickets of Kerberos are not taken; write scram-sha-256 or "
	    "cert"},
	{"ident", "the client's machine is not believed; write scram-sha-256 "
	    "or cert"},
	{"peer", "the client's machine is not believed; write scram-sha-256 "
	    "or cert"},
};

static const struct instead no_stores[] = {
	{"sameuser", "no store is a principal's own; name the stores, or "
	    "all"},
	{"samerole", "no store is a role's own; name the stores, or all"},
	{"samegroup", "no store is a role's own; name the stores, or all"},
	{"replication", "replication is refused to everybody; take it out"},
};

static int
refuse(struct rules *r, const char *what, const char *word,
    const char *instead)
{
	return why_set(r->why, ERR_FORMAT, r->line->number, 0,
	    "%s \"%.80s\" is not taken: %s", what, word, instead);
}

#define INSTEAD(list, word) instead_of(list, sizeof(list) / sizeof(*list), \
    word)

static const char *
instead_of(const struct instead *list, size_t n, const char *word)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i].word, word) == 0)
			return list[i].instead;
	return NULL;
}

/* The next field. ERR_FORMAT: there is none, and `what` was wanted. */
static int
next_field(struct rules *r, const char *what, const struct login_field **ret)
{
	if (r->at == r->line->n)
		return why_set(r->why, ERR_FORMAT, r->line->number, 0,
		    "the line ends where %s is wanted", what);
	*ret = &r->line->fields[r->at++];
	return 0;
}

/* The same, of one word. */
static int
next_word(struct rules *r, const char *what, const struct login_word **ret)
{
	const struct login_field *f;
	int e;

	if ((e = next_field(r, what, &f)) != 0)
		return e;
	if (f->n != 1)
		return why_set(r->why, ERR_FORMAT, r->line->number, 0,
		    "%zu words where %s is wanted; write a line for each",
		    f->n, what);
	*ret = &f->words[0];
	return 0;
}

static int
read_type(struct rules *r, enum login_type *ret)
{
	const struct login_word *w;
	const char *instead;
	size_t i;
	int e;

	if ((e = next_word(r, "a type", &w)) != 0)
		return e;
	for (i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i].word, w->text) == 0) {
			*ret = types[i].type;
			return 0;
		}
	instead = INSTEAD(no_types, w->text);
	return refuse(r, "the type", w->text, instead != NULL ? instead :
	    "write local, host, hostssl or hostnossl");
}

static int
read_name(struct rules *r, const struct login_word *w, bool is_store,
    struct login_name *ret)
{
	const char *instead;

	ret->kind = LOGIN_NAME;
	ret->text = w->text;
	if (w->text[0] == 0)
		return refuse(r, "the name", w->text, "write one, or all");
	if (w->quoted)
		return 0;
	if (w->text[0] == '/')
		return refuse(r, "the pattern", w->text, "name everybody, or "
		    "a role, or write \"...\" around a name");
	if (strcmp(w->text, "all") == 0) {
		ret->kind = LOGIN_NAME_ALL;
	} else if (is_store) {
		if ((instead = INSTEAD(no_stores, w->text)) != NULL)
			return refuse(r, "the store", w->text, instead);
	} else if (strcmp(w->text, "person") == 0) {
		ret->kind = LOGIN_NAME_PERSON;
	} else if (strcmp(w->text, "service") == 0) {
		ret->kind = LOGIN_NAME_SERVICE;
	} else if (w->text[0] == '+') {
		ret->kind = LOGIN_NAME_ROLE;
		ret->text = w->text + 1;
		if (*ret->text == 0)
			return refuse(r, "the role", w->text,
			    "a name is wanted behind +");
	}
	return 0;
}

static int
read_names(struct rules *r, bool is_store, struct login_names *ret)
{
	const struct login_field *f;
	size_t i;
	int e;

	if ((e = next_field(r, is_store ? "a store" : "a principal",
	    &f)) != 0)
		return e;
	if ((ret->list = arena_array(r->arena, f->n + 1,
	    sizeof(*ret->list))) == NULL)
		return ERR_MEMORY;
	ret->n = f->n;
	for (i = 0; i < f->n; i++)
		if ((e = read_name(r, &f->words[i], is_store,
		    &ret->list[i])) != 0)
			return e;
	return 0;
}

int
login_address_read(const char *text, struct login_address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, ret->bytes) == 1)
		ret->len = 4;
	else if (inet_pton(AF_INET6, text, ret->bytes) == 1)
		ret->len = 16;
	else
		return ERR_FORMAT;
	return 0;
}

static void
apply_mask(struct login_network *n)
{
	size_t i;

	for (i = 0; i < n->address.len; i++)
		n->address.bytes[i] &= n->mask[i];
}

int
login_network_read(const char *address, const char *mask,
    struct login_network *ret)
{
	struct login_address m;

	memset(ret, 0, sizeof(*ret));
	if (login_address_read(address, &ret->address) != 0 ||
	    login_address_read(mask, &m) != 0 || m.len != ret->address.len)
		return ERR_FORMAT;
	memcpy(ret->mask, m.bytes, sizeof(ret->mask));
	return 0;
}

/* ADDRESS/BITS, or ADDRESS with its mask in the next field. */
static int
read_network(struct rules *r, const struct login_word *w,
    struct login_network *ret)
{
	const char *slash = strchr(w->text, '/');
	const struct login_word *mask;
	const char *address;
	uint64_t bits;
	size_t i;
	int e;

	address = slash == NULL ? w->text : arena_strn(r->arena, w->text,
	    (size_t)(slash - w->text));
	if (address == NULL)
		return ERR_MEMORY;
	if (login_address_read(address, &ret->address) != 0)
		return refuse(r, "the address", w->text, "names are not "
		    "looked up; write one such as 10.0.0.0/8 or "
		    "2001:db8::/32, or all, samehost or samenet");
	if (slash == NULL) {
		if ((e = next_word(r, "the address's mask, or /BITS behind it,",
		    &mask)) != 0)
			return e;
		if (login_network_read(address, mask->text, ret) != 0)
			return refuse(r, "the mask", mask->text, "write /BITS "
			    "behind the address, such as 10.0.0.0/8");
	} else {
		if (text_u64(slash + 1, strlen(slash + 1), &bits) != 0 ||
		    bits > 8 * ret->address.len)
			return refuse(r, "the network", w->text, "write "
			    "/BITS, at most 32 or, in IPv6, 128");
		for (i = 0; i < bits; i++)
			ret->mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	}
	apply_mask(ret);
	return 0;
}

static int
read_from(struct rules *r, struct login_rule *ret)
{
	const struct login_word *w;
	int e;

	if ((e = next_word(r, "an address", &w)) != 0)
		return e;
	if (w->quoted)
		ret->from = LOGIN_FROM_NETWORK;
	else if (strcmp(w->text, "all") == 0)
		ret->from = LOGIN_FROM_ALL;
	else if (strcmp(w->text, "samehost") == 0)
		ret->from = LOGIN_FROM_SAMEHOST;
	else if (strcmp(w->text, "samenet") == 0)
		ret->from = LOGIN_FROM_SAMENET;
	else
		ret->from = LOGIN_FROM_NETWORK;
	return ret->from == LOGIN_FROM_NETWORK ?
	    read_network(r, w, &ret->network) : 0;
}

static int
read_method(struct rules *r, struct login_rule *ret)
{
	const struct login_word *w;
	const char *instead;
	int e;

	if ((e = next_word(r, "a method", &w)) != 0)
		return e;
	if (strcmp(w->text, "scram-sha-256") == 0) {
		ret->method = LOGIN_SCRAM;
	} else if (strcmp(w->text, "reject") == 0) {
		ret->method = LOGIN_REJECT;
	} else if (strcmp(w->text, "cert") == 0) {
		if (ret->type != LOGIN_HOSTSSL)
			return refuse(r, "the method", w->text, "only what "
			    "comes over TLS has a certificate; write hostssl "
			    "for the type");
		ret->method = LOGIN_CERT;
		ret->certificate = LOGIN_CERTIFICATE_FULL;
	} else {
		instead = INSTEAD(no_methods, w->text);
		return refuse(r, "the method", w->text, instead != NULL ?
		    instead : "write scram-sha-256, cert or reject");
	}
	return 0;
}

static int
read_option(struct rules *r, const struct login_word *w,
    struct login_rule *ret)
{
	if (!text_starts(w->text, "clientcert="))
		return refuse(r, "the option", w->text, text_starts(w->text,
		    "map=") ? "section tls of sworn.conf says whose a "
		    "certificate is; take it out" : "there is only "
		    "clientcert=verify-ca and clientcert=verify-full");
	if (ret->type != LOGIN_HOSTSSL)
		return refuse(r, "the option", w->text, "only what comes over "
		    "TLS has a certificate; write hostssl for the type");
	if (strcmp(w->text, "clientcert=verify-full") == 0) {
		ret->certificate = LOGIN_CERTIFICATE_FULL;
	} else if (strcmp(w->text, "clientcert=verify-ca") == 0) {
		if (ret->method == LOGIN_CERT)
			return refuse(r, "the option", w->text, "with cert the "
			    "certificate must be the principal's; take it "
			    "out");
		ret->certificate = LOGIN_CERTIFICATE_CA;
	} else {
		return refuse(r, "the option", w->text,
		    "write clientcert=verify-ca or clientcert=verify-full");
	}
	return 0;
}

static int
read_rule(struct rules *r, struct login_rule *ret)
{
	const struct login_field *f;
	size_t i;
	int e;

	ret->line = r->line->number;
	if ((e = read_type(r, &ret->type)) != 0 ||
	    (e = read_names(r, true, &ret->stores)) != 0 ||
	    (e = read_names(r, false, &ret->principals)) != 0)
		return e;
	if (ret->type != LOGIN_LOCAL && (e = read_from(r, ret)) != 0)
		return e;
	if ((e = read_method(r, ret)) != 0)
		return e;
	while (r->at < r->line->n) {
		f = &r->line->fields[r->at++];
		for (i = 0; i < f->n; i++)
			if ((e = read_option(r, &f->words[i], ret)) != 0)
				return e;
	}
	return 0;
}

int
login_rules_read(const char *text, size_t len,
    const struct login_files *files, struct arena *a,
    struct login_rules *ret, struct why *w)
{
	struct rules r = {.arena = a, .why = w};
	struct login_line *lines = NULL;
	size_t n = 0, i;
	int e;

	if ((e = login_lines_read(text, len, files, a, &lines, &n, w)) != 0)
		return e;
	if ((ret->list = arena_array(a, n + 1, sizeof(*ret->list))) == NULL)
		return ERR_MEMORY;
	memset(ret->list, 0, (n + 1) * sizeof(*ret->list));
	for (i = 0; i < n; i++) {
		r.line = &lines[i];
		r.at = 0;
		if ((e = read_rule(&r, &ret->list[i])) != 0)
			return e;
	}
	ret->n = n;
	return 0;
}
