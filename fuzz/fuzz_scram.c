/* crypto/scram.h: a client that says anything never gets in, and neither
 * does a server that says anything. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "crypto/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
as_client(const char *first, size_t first_len, const char *final,
    size_t final_len)
{
	static const char text[] = "SCRAM-SHA-256$1:AAAA$"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
	struct scram_verifier v;
	struct scram_server *s;
	struct buf out;

	buf_init(&out, 0);
	if (scram_verifier_read(text, &v) != 0)
		abort();
	if ((s = scram_server_new(&v)) != NULL &&
	    scram_server_bind(s, bytes_of(text, 32)) == 0 &&
	    scram_server_first(s, first_len > 0 && *first == 'p', first,
	    first_len, &out) == 0 &&
	    scram_server_final(s, final, final_len, &out) == 0)
		abort();
	scram_server_free(s);
	buf_done(&out);
}

static void
as_server(const char *first, size_t first_len, const char *final,
    size_t final_len)
{
	struct scram_client *c = scram_client_new("password");
	struct buf out;

	buf_init(&out, 0);
	/* A huge count of iterations is only slow; it is cut elsewhere. */
	if (c != NULL && memmem(first, first_len, ",i=", 3) == NULL &&
	    scram_client_first(c, &out) == 0 &&
	    scram_client_final(c, first, first_len, &out) == 0 &&
	    scram_client_check(c, final, final_len) == 0)
		abort();
	scram_client_free(c);
	buf_done(&out);
}

/* Two messages, parted by the first NUL. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	const uint8_t *nul = len > 0 ? memchr(data, 0, len) : NULL;
	size_t at = nul != NULL ? (size_t)(nul - data) : len;
	size_t next = nul != NULL ? at + 1 : len;

	as_client(text, at, text + next, len - next);
	as_server(text, at, text + next, len - next);
	return 0;
}
