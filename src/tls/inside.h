/*
 * tls/inside.h - what a context is, for the .c files of tls/ only.
 */
#ifndef TLS_INSIDE_H
#define TLS_INSIDE_H

#include <stdatomic.h>

#include "tls/context.h"
#include "tls/openssl.h"

struct tls_context {
	atomic_uint refs;
	enum tls_side side;
	SSL_CTX *ctx;
};

#endif
