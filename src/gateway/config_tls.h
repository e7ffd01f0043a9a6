/*
 * gateway/config_tls.h - how sworn.conf has connections encrypted: those of
 * clients (section tls) and those to a store.
 *
 * The files are read with the configuration, so that a version of it has its
 * certificates, and a reload brings new ones or none at all.
 */
#ifndef GATEWAY_CONFIG_TLS_H
#define GATEWAY_CONFIG_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/link.h"
#include "tls/context.h"
#include "tls/tls.h"

struct loading;
struct yaml_in;
struct yaml_node;

enum config_tls_mode {		/* who may connect without it */
	CONFIG_TLS_OFF,		/* all must; it is not offered */
	CONFIG_TLS_ALLOW,	/* anybody */
	CONFIG_TLS_REMOTE,	/* who connects from the same machine */
	CONFIG_TLS_REQUIRE,	/* nobody */
};

struct config_certificate {	/* whose a client's certificate is */
	enum tls_name kind;
	const char *name;
	const char *principal;
};

struct config_tls {
	enum config_tls_mode mode;
	const char *certificate;	/* paths; NULL: none */
	const char *key;
	const char *client_ca;
	const char *client_crl;
	enum tls_version least;
	bool certificate_required;
	const struct config_certificate *certificates;
	size_t n_certificates;
	struct tls_context *context;	/* NULL: it is not offered */
};

struct config_store_tls {
	enum link_tls mode;
	enum link_binding binding;
	const char *root;
	const char *certificate;
	const char *key;
	const char *crl;
	enum tls_version least;
	struct tls_context *context;	/* NULL: mode is LINK_TLS_DISABLE */
};

/* The section's keys (n NULL: the defaults), then its files. The second: 0,
 * or an error with its why. */
void config_tls_read(struct loading *l, struct yaml_in *in,
    const struct yaml_node *n, struct config_tls *ret);
int config_tls_load(struct loading *l, struct config_tls *t);
void config_tls_done(struct config_tls *t);
/* Whether who comes from this address may be in the clear. */
bool config_tls_takes_plain(const struct config_tls *t, const char *address);

/* Of a store's section; its host is known. */
void config_store_tls_read(struct loading *l, struct yaml_in *in,
    const struct yaml_node *n, const char *host,
    struct config_store_tls *ret);
int config_store_tls_load(struct loading *l, struct config_store_tls *t);
void config_store_tls_done(struct config_store_tls *t);

#endif
