/*
 * enforce/mask.h - a mask as an expression over a column.
 *
 * The masked value has the column's type, so that clients go on working. Two
 * exceptions: a text loses its greatest length, and a pseudonym of any
 * integer is a bigint.
 *
 * Pseudonyms are HMAC-SHA-256 under a key that belongs to the store. The
 * views' owner roles may read the key, from table sworn.pseudonym_key; a
 * reader has no right on it, and no function that would compute a pseudonym
 * of its own choice: with one, it could try every address there is.
 */
#ifndef ENFORCE_MASK_H
#define ENFORCE_MASK_H

struct buf;
struct enforce_type;
struct mask;

/* NULL if it fits; else what the mask fits, in words. */
const char *mask_misfit(const struct mask *m, const struct enforce_type *t);

/* The expression for column t->column of the relation that `of` names. */
void mask_sql(struct buf *out, const struct mask *m,
    const struct enforce_type *t, const char *of);

/* Makes the key, unless there is one; and what its readers need. */
void mask_key_sql(struct buf *out);
void mask_key_grant_sql(struct buf *out, const char *role);

#endif
