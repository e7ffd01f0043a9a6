/*
 * log/quorum.h - which witnesses count, and how many of which are enough.
 *
 * Format: c2sp.org/tlog-policy. Lines of words; a line that begins with `#`
 * is a comment:
 *
 *	log <vkey> [<url>]
 *	witness <name> <vkey> [<url>]
 *	group <name> any|all|<k> <member>...
 *	quorum <name>|none
 *
 * Members are witnesses and groups of lines above, each in one group only;
 * there is exactly one quorum line. Keys of logs are of type 0x01, keys of
 * witnesses of type 0x04, and no witness's key stands there twice.
 * Limits: QUORUM_FILE_MAX bytes, QUORUM_MAX logs, witnesses and groups each.
 */
#ifndef LOG_QUORUM_H
#define LOG_QUORUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "log/note.h"

#define QUORUM_FILE_MAX 65536
#define QUORUM_MAX 64
#define QUORUM_WITNESS_TYPE 0x04

struct quorum;

struct quorum_party {
	const char *name;	/* in the file; of a log "" */
	const char *url;	/* NULL: none is given */
	struct note_key key;
};

/* On failure *w has line and sentence. */
int quorum_read(const char *text, size_t len, struct quorum **ret,
    struct why *w);
/* k of n keys, 1 <= k <= n <= QUORUM_MAX; copies them. ERR_LIMIT,
 * ERR_MEMORY. */
int quorum_of(const struct note_key *keys, size_t n, size_t k,
    struct quorum **ret);
void quorum_free(struct quorum *q);
/* Whether it serves those who ask: each witness has a URL, and some are
 * demanded. 0, or *w has the sentence. */
int quorum_askable(const struct quorum *q, struct why *w);

const struct quorum_party *quorum_logs(const struct quorum *q, size_t *ret_n);
const struct quorum_party *quorum_witnesses(const struct quorum *q,
    size_t *ret_n);

/* Whether these witnesses are enough; has[i] is of the i-th. */
bool quorum_met(const struct quorum *q, const bool *has);
/* The fewest witnesses that can be enough; 0 with `quorum none`. */
size_t quorum_least(const struct quorum *q);

#endif
