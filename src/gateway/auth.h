/*
 * gateway/auth.h - how whoever connects proves who it is.
 *
 * auth.c chooses the means for a session and holds what all of them need
 * before; each exchange has a file of its own (auth_scram.c). It ends in
 * open_begin, with s->auth naming the means, or in login_fail.
 */
#ifndef GATEWAY_AUTH_H
#define GATEWAY_AUTH_H

struct session;
struct version;

/* As records name them. */
#define AUTH_SCRAM "scram-sha-256"
#define AUTH_SCRAM_PLUS "scram-sha-256-plus"
#define AUTH_CERTIFICATE "certificate"

/* The startup packet is read: s->user and what stands beside it are set. */
void auth_begin(struct session *s);

/* auth_scram.c */
void auth_scram_begin(struct session *s, const struct version *v);
void auth_sasl_first(struct session *s);
void auth_sasl_final(struct session *s);

#endif
