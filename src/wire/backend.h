/*
 * wire/backend.h - messages that servers send, read and written.
 *
 * Memory: results of reading point into the body.
 */
#ifndef WIRE_BACKEND_H
#define WIRE_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define BACKEND_SQLSTATE_LEN 5

enum backend_auth {
	BACKEND_AUTH_OK = 0,
	BACKEND_AUTH_CLEARTEXT = 3,
	BACKEND_AUTH_MD5 = 5,
	BACKEND_AUTH_SASL = 10,
	BACKEND_AUTH_SASL_CONTINUE = 11,
	BACKEND_AUTH_SASL_FINAL = 12,
};

/* Fields of ErrorResponse and NoticeResponse; detail and hint may be NULL. */
struct backend_error {
	const char *severity;	/* "ERROR", "FATAL", "NOTICE", ... */
	const char *sqlstate;
	const char *message;
	const char *detail;
	const char *hint;
};

void backend_error_write(struct buf *out, const struct backend_error *e);
void backend_notice_write(struct buf *out, const struct backend_error *e);
/* A body of 'E' or 'N'; severity is the one that is not translated. */
int backend_error_read(struct bytes body, struct backend_error *ret);

void backend_auth_write(struct buf *out, enum backend_auth code,
    struct bytes data);
/* The offer of SASL mechanisms: SCRAM-SHA-256, and before it, if wanted,
 * SCRAM-SHA-256-PLUS. */
void backend_sasl_write(struct buf *out, bool plus);
int backend_auth_read(struct bytes body, uint32_t *code, struct bytes *data);
/* Whether a list of mechanisms (of BACKEND_AUTH_SASL) has this one. */
int backend_sasl_offers(struct bytes list, const char *mechanism);

void backend_parameter_write(struct buf *out, const char *name,
    const char *value);
void backend_key_write(struct buf *out, uint32_t pid, struct bytes secret);
int backend_key_read(struct bytes body, uint32_t *pid, struct bytes *secret);
void backend_ready_write(struct buf *out, char status);
int backend_ready_read(struct bytes body, char *status);
void backend_complete_write(struct buf *out, const char *tag);
void backend_empty_write(struct buf *out);	/* EmptyQueryResponse */
/* RowDescription and DataRow of columns of type text; a value NULL is null. */
void backend_columns_write(struct buf *out, const char *const *names,
    size_t n);
void backend_row_write(struct buf *out, const char *const *values, size_t n);
/* NegotiateProtocolVersion: 3.0, and the options that are not known. */
void backend_negotiate_write(struct buf *out, const char *const *unknown,
    size_t n);

#endif
