/*
 * key/token_process.h - a token in a process of its own.
 *
 * What a PKCS#11 module needs (files, devices, sockets, threads) is not known
 * beforehand, so it runs where nothing else is: a child that holds the
 * session and the PIN, reads one message at a time from a socket pair and
 * answers with its signature. It ends with its parent. A signature is
 * checked here before anybody gets it.
 */
#ifndef KEY_TOKEN_PROCESS_H
#define KEY_TOKEN_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "crypto/sign.h"

#define TOKEN_MESSAGE_MAX 65536
#define TOKEN_TIMEOUT_MS 30000	/* of one signature */

struct token_process;

/*
 * source: of the PIN, which the child alone reads. ERR_CRYPTO: the key in
 * the token is not the one of this public half. Forks: before there are
 * threads.
 */
int token_process_start(const char *uri, const char *source,
    const uint8_t public[static SIGN_PUBLIC_LEN], struct token_process **ret,
    struct why *w);
void token_process_stop(struct token_process *p);	/* NULL is fine */
pid_t token_process_pid(const struct token_process *p);

/* ERR_IO: not now (the token is away, or slow); ERR_STATE: the process is
 * gone; ERR_CRYPTO: the signature is not the key's. */
int token_process_sign(struct token_process *p, const void *msg, size_t len,
    uint8_t ret[static SIGN_LEN]);

#endif
