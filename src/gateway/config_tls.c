#include "gateway/config_tls.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "gateway/config_read.h"
#include "tls/context.h"
#include "yaml/yaml.h"

#define SYSTEM "system"

static const char *
path_of(struct loading *l, struct yaml_in *in, const struct yaml_node *n)
{
	return loading_path(l, yaml_str(in, n));
}

static enum tls_version
version_of(struct yaml_in *in, const struct yaml_node *n)
{
	static const char *const names[] = {"1.2", "1.3", NULL};

	return n != NULL && yaml_enum(in, n, names) == 1 ? TLS_VERSION_1_3 :
	    TLS_VERSION_1_2;
}

/* Two keys that only make sense together. */
static void
check_pair(struct yaml_in *in, const struct yaml_node *n, const char *one,
    const char *other)
{
	const struct yaml_node *a = yaml_get(n, one), *b = yaml_get(n, other);

	if ((a == NULL) != (b == NULL))
		(void)yaml_fail(in, a != NULL ? a : b, "\"%s\" and \"%s\" "
		    "come together: a certificate and its key", one, other);
}

static void
read_certificate(struct yaml_in *in, const struct yaml_node *n,
    struct config_certificate *ret)
{
	static const char *const keys[] = {"cn", "dns", "email", "uri",
	    "principal", NULL};
	static const enum tls_name kinds[] = {TLS_NAME_CN, TLS_NAME_DNS,
	    TLS_NAME_EMAIL, TLS_NAME_URI};
	const struct yaml_node *v;
	size_t i, found = 0;

	yaml_map(in, n, keys);
	ret->principal = yaml_str(in, yaml_need(in, n, "principal"));
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if ((v = yaml_get(n, keys[i])) == NULL)
			continue;
		ret->kind = kinds[i];
		ret->name = yaml_str(in, v);
		found++;
	}
	if (in->result == 0 && (found != 1 || *ret->name == 0))
		(void)yaml_fail(in, n, "one name of the certificate is wanted: "
		    "cn, dns, email or uri");
}

static void
read_certificates(struct yaml_in *in, const struct yaml_node *n,
    struct config_tls *t)
{
	struct config_certificate *list;
	size_t i;

	yaml_list(in, n);
	if (in->result != 0)
		return;
	list = arena_array(in->arena, n->n + 1, sizeof(*list));
	if (list == NULL) {
		in->result = ERR_MEMORY;
		return;
	}
	for (i = 0; i < n->n; i++)
		read_certificate(in, n->items[i], &list[i]);
	t->certificates = list;
	t->n_certificates = n->n;
}

static void
check_tls(struct yaml_in *in, const struct yaml_node *n,
    const struct config_tls *t)
{
	const struct yaml_node *v;

	check_pair(in, n, "certificate", "key");
	if (t->mode != CONFIG_TLS_OFF && t->certificate == NULL)
		(void)yaml_fail(in, n, "a \"certificate\" and its \"key\" "
		    "are wanted, or mode: off");
	if (t->mode == CONFIG_TLS_OFF && t->certificate != NULL)
		(void)yaml_fail(in, yaml_get(n, "certificate"),
		    "with mode: off no certificate is used; take it out, or "
		    "write another mode");
	if (t->client_ca != NULL)
		return;
	if ((v = yaml_get(n, "certificates")) == NULL &&
	    (v = yaml_get(n, "client-crl")) == NULL &&
	    t->certificate_required)
		v = yaml_get(n, "client-certificate");
	if (v != NULL)
		(void)yaml_fail(in, v, "clients are asked for certificates "
		    "only if \"client-ca\" says who signs them");
}

void
config_tls_read(struct loading *l, struct yaml_in *in,
    const struct yaml_node *n, struct config_tls *t)
{
	static const char *const keys[] = {"mode", "certificate", "key",
	    "min-version", "client-ca", "client-crl", "client-certificate",
	    "certificates", NULL};
	static const char *const modes[] = {"off", "allow", "remote",
	    "require", NULL};
	static const char *const asks[] = {"allow", "require", NULL};
	const struct yaml_node *v;

	t->mode = CONFIG_TLS_REMOTE;
	if (n == NULL)
		return;
	yaml_map(in, n, keys);
	if ((v = yaml_get(n, "mode")) != NULL)
		t->mode = (enum config_tls_mode)yaml_enum(in, v, modes);
	t->certificate = path_of(l, in, yaml_get(n, "certificate"));
	t->key = path_of(l, in, yaml_get(n, "key"));
	t->client_ca = path_of(l, in, yaml_get(n, "client-ca"));
	t->client_crl = path_of(l, in, yaml_get(n, "client-crl"));
	t->least = version_of(in, yaml_get(n, "min-version"));
	if ((v = yaml_get(n, "client-certificate")) != NULL)
		t->certificate_required = yaml_enum(in, v, asks) == 1;
	if ((v = yaml_get(n, "certificates")) != NULL)
		read_certificates(in, v, t);
	if (in->result == 0)
		check_tls(in, n, t);
}

typedef int (*take_pem)(struct tls_context *c, struct bytes pem,
    struct why *w);

/* A file of PEM for a context, if one is named. */
static int
load_pem(struct loading *l, const char *path, bool secret, take_pem take,
    struct tls_context *c)
{
	const char *text;
	size_t len;
	int r;

	if (path == NULL)
		return 0;
	if ((r = loading_read(l, path, secret, &text, &len)) != 0)
		return r;
	r = take(c, bytes_of(text, len), l->why);
	if (secret)
		wipe((char *)(uintptr_t)text, len);	/* it is the arena's */
	return r;
}

int
config_tls_load(struct loading *l, struct config_tls *t)
{
	struct tls_context *c;
	int r;

	if (t->certificate == NULL)
		return 0;
	if ((r = tls_context_new(TLS_SERVER, t->least, TLS_VERIFY_NONE,
	    &c)) != 0)
		return r;
	t->context = c;
	if ((r = load_pem(l, t->certificate, false, tls_context_certificate,
	    c)) != 0 ||
	    (r = load_pem(l, t->key, true, tls_context_key, c)) != 0 ||
	    (r = load_pem(l, t->client_ca, false, tls_context_authorities,
	    c)) != 0)
		return r;
	return load_pem(l, t->client_crl, false, tls_context_revoked, c);
}

void
config_tls_done(struct config_tls *t)
{
	tls_context_unref(t->context);
	t->context = NULL;
}

static bool
is_loopback(const char *address)
{
	return text_starts(address, "127.") || strcmp(address, "::1") == 0;
}

bool
config_tls_takes_plain(const struct config_tls *t, const char *address)
{
	switch (t->mode) {
	case CONFIG_TLS_OFF:
	case CONFIG_TLS_ALLOW:
		return true;
	case CONFIG_TLS_REMOTE:
		return is_loopback(address);
	case CONFIG_TLS_REQUIRE:
		break;
	}
	return false;
}

/* ---- to a store ---- */

/* Whether what goes there stays on this machine. */
static bool
is_here(const char *host)
{
	struct in_addr four;
	struct in6_addr six;

	if (host[0] == '/' || strcmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &six) == 1 &&
	    IN6_IS_ADDR_LOOPBACK(&six);
}

/* What is asked for and would not be looked at. */
static void
check_store_tls(struct yaml_in *in, const struct yaml_node *n,
    const char *host, const struct config_store_tls *t)
{
	static const char *const only[] = {"sslcert", "sslrootcert", "sslcrl",
	    "ssl-min-version", NULL};
	const struct yaml_node *v;
	size_t i;

	check_pair(in, n, "sslcert", "sslkey");
	if (host[0] == '/' && t->mode != LINK_TLS_DISABLE)
		(void)yaml_fail(in, yaml_get(n, "sslmode"), "PostgreSQL has "
		    "no TLS on a UNIX socket; take sslmode out");
	for (i = 0; t->mode == LINK_TLS_DISABLE && only[i] != NULL; i++)
		if ((v = yaml_get(n, only[i])) != NULL)
			(void)yaml_fail(in, v, "the connection to this store "
			    "is not encrypted; write sslmode: verify-full");
	if (t->mode < LINK_TLS_VERIFY_CA &&
	    ((v = yaml_get(n, "sslrootcert")) != NULL ||
	    (v = yaml_get(n, "sslcrl")) != NULL))
		(void)yaml_fail(in, v, "with sslmode: %s no certificate is "
		    "checked; write verify-full", link_tls_text(t->mode));
	if (t->binding == LINK_BINDING_REQUIRE && t->mode < LINK_TLS_REQUIRE)
		(void)yaml_fail(in, yaml_get(n, "channel-binding"),
		    "channel binding needs TLS; write sslmode: verify-full");
}

void
config_store_tls_read(struct loading *l, struct yaml_in *in,
    const struct yaml_node *n, const char *host, struct config_store_tls *t)
{
	static const char *const modes[] = {"disable", "prefer", "require",
	    "verify-ca", "verify-full", NULL};
	static const char *const bindings[] = {"disable", "prefer",
	    "require", NULL};
	const struct yaml_node *v;
	const char *root;

	if (in->result != 0 || host == NULL)
		return;
	t->mode = is_here(host) ? LINK_TLS_DISABLE : LINK_TLS_VERIFY_FULL;
	t->binding = LINK_BINDING_PREFER;
	if ((v = yaml_get(n, "sslmode")) != NULL)
		t->mode = (enum link_tls)yaml_enum(in, v, modes);
	if ((v = yaml_get(n, "channel-binding")) != NULL)
		t->binding = (enum link_binding)yaml_enum(in, v, bindings);
	root = yaml_str(in, yaml_get(n, "sslrootcert"));
	if (t->mode >= LINK_TLS_VERIFY_CA)
		t->root = root == NULL || strcmp(root, SYSTEM) == 0 ?
		    tls_system_authorities() : loading_path(l, root);
	t->certificate = path_of(l, in, yaml_get(n, "sslcert"));
	t->key = path_of(l, in, yaml_get(n, "sslkey"));
	t->crl = path_of(l, in, yaml_get(n, "sslcrl"));
	t->least = version_of(in, yaml_get(n, "ssl-min-version"));
	if (in->result == 0)
		check_store_tls(in, n, host, t);
}

int
config_store_tls_load(struct loading *l, struct config_store_tls *t)
{
	struct tls_context *c;
	int r;

	if (t->mode == LINK_TLS_DISABLE)
		return 0;
	if ((r = tls_context_new(TLS_CLIENT, t->least,
	    t->mode >= LINK_TLS_VERIFY_CA ? TLS_VERIFY_CHAIN :
	    TLS_VERIFY_NONE, &c)) != 0)
		return r;
	t->context = c;
	if ((r = load_pem(l, t->root, false, tls_context_authorities,
	    c)) != 0 ||
	    (r = load_pem(l, t->crl, false, tls_context_revoked, c)) != 0 ||
	    (r = load_pem(l, t->certificate, false, tls_context_certificate,
	    c)) != 0)
		return r;
	return load_pem(l, t->key, true, tls_context_key, c);
}

void
config_store_tls_done(struct config_store_tls *t)
{
	tls_context_unref(t->context);
	t->context = NULL;
}
