/*
 * gateway/login_rules.h - who may come from where, and how it proves who it
 * is: a rule file, in order, the first that matches.
 *
 * Pure: text in, struct out. Format: docs/login.md; it is written as
 * PostgreSQL's pg_hba.conf. What that has and this has not is refused.
 * Memory: everything is in the arena.
 */
#ifndef GATEWAY_LOGIN_RULES_H
#define GATEWAY_LOGIN_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct buf;
struct login_files;

enum login_type {
	LOGIN_LOCAL,		/* through a UNIX socket */
	LOGIN_HOST,
	LOGIN_HOSTSSL,
	LOGIN_HOSTNOSSL,
};

enum login_method {
	LOGIN_REJECT,
	LOGIN_SCRAM,
	LOGIN_CERT,
};

enum login_certificate {	/* wanted of the client */
	LOGIN_CERTIFICATE_NONE,
	LOGIN_CERTIFICATE_CA,	/* any that is valid */
	LOGIN_CERTIFICATE_FULL,	/* the principal's */
};

enum login_name_kind {
	LOGIN_NAME,
	LOGIN_NAME_ALL,
	LOGIN_NAME_PERSON,
	LOGIN_NAME_SERVICE,
	LOGIN_NAME_ROLE,
};

struct login_name {
	enum login_name_kind kind;
	const char *text;	/* of a name or a role */
};

struct login_names {
	struct login_name *list;
	size_t n;
};

struct login_address {
	uint8_t bytes[16];
	size_t len;		/* 4 or 16 */
};

struct login_network {
	struct login_address address;
	uint8_t mask[16];
};

enum login_from {
	LOGIN_FROM_ALL,
	LOGIN_FROM_NETWORK,
	LOGIN_FROM_SAMEHOST,
	LOGIN_FROM_SAMENET,
};

struct login_rule {
	unsigned line;
	enum login_type type;
	struct login_names stores;
	struct login_names principals;
	enum login_from from;
	struct login_network network;
	enum login_method method;
	enum login_certificate certificate;
};

struct login_rules {
	struct login_rule *list;
	size_t n;
};

struct login_asked {
	const char *store;
	const char *principal;
	enum login_name_kind kind;	/* LOGIN_NAME: nobody knows it */
	const char *const *roles;
	size_t n_roles;
	bool local;			/* then the address is not looked at */
	struct login_address address;
	bool encrypted;
	const struct login_network *ours;	/* this machine's */
	size_t n_ours;
};

/* 0, or an error with its why. */
int login_rules_read(const char *text, size_t len,
    const struct login_files *files, struct arena *a,
    struct login_rules *ret, struct why *w);
/* The first that matches, or NULL: then nobody is let in. */
const struct login_rule *login_rules_find(const struct login_rules *rules,
    const struct login_asked *asked);
/* As a line of such a file, without @FILE. */
void login_rule_write(struct buf *out, const struct login_rule *rule);

int login_address_read(const char *text, struct login_address *ret);
/* "127.0.0.1" and "255.0.0.0". */
int login_network_read(const char *address, const char *mask,
    struct login_network *ret);

#endif
