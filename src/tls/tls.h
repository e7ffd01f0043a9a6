/*
 * tls/tls.h - one encrypted connection over a socket that does not block.
 *
 * Driven by its owner's event loop: whatever says ERR_SHORT is called again
 * when the socket is ready for what tls_wants names. tls_read leaves nothing
 * behind that could be read without the socket, so one that is not readable
 * means: nothing there.
 * Memory: heap, one owner. The socket stays the caller's. Writing to one that
 * is closed raises SIGPIPE, which the process is to ignore.
 */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TLS_RECORD_MAX 16384	/* of a record's contents */
/* The record that is read, what one buffer may hold behind it, and the record
 * that is begun there. */
#define TLS_READ_MIN ((size_t)4 * TLS_RECORD_MAX)
#define TLS_HASH_MAX 64
#define TLS_NAME_MAX 512
#define TLS_ALPN "postgresql"

struct tls;
struct tls_context;

/* Each NULL without memory. */
struct tls *tls_accept_new(struct tls_context *c, int fd);
/* host: told to the server (SNI) unless it is an address; with check_host its
 * certificate must also be for that. */
struct tls *tls_connect_new(struct tls_context *c, int fd, const char *host,
    bool check_host);
void tls_free(struct tls *t);		/* NULL is fine */

/* 0: done; ERR_SHORT; ERR_CRYPTO: tls_why says what went wrong. */
int tls_handshake(struct tls *t);
const char *tls_why(const struct tls *t);
/* What the last ERR_SHORT waits for. */
bool tls_wants_read(const struct tls *t);
bool tls_wants_write(const struct tls *t);

/*
 * Reads what there is, at most len, which is at least TLS_READ_MIN: the number
 * of bytes; 0: the peer has said that this is the end; ERR_SHORT;
 * ERR_IO: the stream broke or was cut off.
 */
int tls_read(struct tls *t, uint8_t *ret, size_t len);
/* The number of bytes taken; ERR_SHORT (call again with the same bytes, more
 * may stand behind them); ERR_IO. */
int tls_write(struct tls *t, const uint8_t *data, size_t len);
/* Says that this is the end, if that goes at once. */
void tls_close(struct tls *t);

/* All of these after the handshake. */
const char *tls_version_text(const struct tls *t);	/* "TLSv1.3" */
bool tls_alpn_agreed(const struct tls *t);
/* tls-server-end-point (RFC 5929): its length, 0 if the certificate's
 * signature has no hash of its own. */
size_t tls_end_point(const struct tls *t, uint8_t ret[static TLS_HASH_MAX]);
/* Of a handshake that failed: whether for the peer's certificate. */
bool tls_peer_is_refused(const struct tls *t);
/* Whether the peer showed a certificate; it was checked then. */
bool tls_peer_is_known(const struct tls *t);

enum tls_name {
	TLS_NAME_CN,		/* of the subject */
	TLS_NAME_DNS,		/* of the subject's alternative names */
	TLS_NAME_EMAIL,
	TLS_NAME_URI,
};

/* Whether the peer's certificate has exactly this name. Without a doubt: a
 * name with a NUL in it, or a second CN, is none. */
bool tls_peer_has_name(const struct tls *t, enum tls_name kind,
    const char *name);

#endif
