/*
 * gateway/link.h - a connection to a store, from connecting to ready.
 *
 * Driven by its owner's event loop: the owner calls link_io when the socket
 * is ready, and looks at the state. Once LINK_UP the owner reads `in` and
 * writes `out` itself.
 * The store must know us by SCRAM-SHA-256 (bound to its certificate where the
 * connection is encrypted and the store offers it), by our certificate, or
 * trust us; a store that asks for the password itself (cleartext, MD5) is
 * refused.
 */
#ifndef GATEWAY_LINK_H
#define GATEWAY_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "crypto/scram.h"
#include "gateway/flow.h"
#include "wire/startup.h"

#define LINK_TEXT_MAX 256
#define LINK_SECRET_MAX 256
#define LINK_HOST_MAX 256

enum link_state {
	LINK_CONNECTING,
	LINK_ASKING,		/* whether the store encrypts */
	LINK_ENCRYPTING,
	LINK_AUTHENTICATING,
	LINK_STARTING,		/* authenticated, not ready yet */
	LINK_UP,
	LINK_CANCELLING,	/* sent a cancel, waits for the store to close */
	LINK_FAILED,		/* or, for a cancel, done */
};

struct tls;
struct tls_context;

struct link_address {
	struct sockaddr_storage sa;
	socklen_t len;		/* 0: not known */
};

/* What libpq calls sslmode; whether a certificate is looked at and whose it
 * must be are in this order too. */
enum link_tls {
	LINK_TLS_DISABLE,
	LINK_TLS_PREFER,	/* if the store can */
	LINK_TLS_REQUIRE,
	LINK_TLS_VERIFY_CA,
	LINK_TLS_VERIFY_FULL,
};

const char *link_tls_text(enum link_tls m);

enum link_binding {
	LINK_BINDING_DISABLE,
	LINK_BINDING_PREFER,
	LINK_BINDING_REQUIRE,
};

/* How a store is reached. */
struct link_way {
	struct link_address address;
	char host[LINK_HOST_MAX];	/* its name; "": not known */
	enum link_tls tls;
	enum link_binding binding;
	struct tls_context *context;	/* NULL: LINK_TLS_DISABLE */
};

/* Resolves; may block, so it is for start-up. 0 or ERR_MISSING. */
int link_address_find(const char *host, uint16_t port,
    struct link_address *ret);

struct link {
	enum link_state state;
	int fd;
	struct tls *tls;	/* NULL: in the clear */
	enum link_tls mode;
	enum link_binding binding;
	bool bound;		/* SCRAM is bound to its certificate */
	bool cut_off;		/* it ended without an end */
	struct flow in;
	struct flow out;
	struct buf greeting;	/* sent once connected */
	struct scram_client *scram;
	bool cancel;		/* only carries a cancel */
	bool proved;		/* SCRAM ended well, or was not asked for */
	bool scram_final;	/* our proof is out */
	struct buf parameters;	/* the store's ParameterStatus, whole */
	uint32_t pid;
	uint8_t secret[LINK_SECRET_MAX];
	size_t secret_len;
	char sqlstate[6];	/* of what went wrong */
	char why[LINK_TEXT_MAX];
};

/*
 * Starts to connect; `way` need not outlive the call. `salted` is kept by the
 * caller, for the next time; the startup packet has the given parameters. 0 or an error; a store that
 * refuses at once is a link in LINK_FAILED.
 */
int link_new(const struct link_way *way, const char *password,
    struct scram_salted *salted, const struct startup_param *params, size_t n,
    struct link **ret);
int link_cancel_new(const struct link_way *way, uint32_t pid,
    struct bytes secret, struct link **ret);
void link_free(struct link *l);
/* To be called when the socket can be read or written, before LINK_UP. */
void link_io(struct link *l);
/* The epoll events that it waits for, before LINK_UP. */
uint32_t link_wants(const struct link *l);

#endif
