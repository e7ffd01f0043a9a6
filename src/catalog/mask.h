/*
 * catalog/mask.h - what a masked column shows instead of its value.
 *
 *	constant		'***', or nothing where the type has no text
 *	{constant: TEXT}	this, whatever the row
 *	null			NULL
 *	pseudonym		a keyed hash: equal values stay equal
 *	{first: N}, {last: N}	so many characters, of a value at least
 *				twice as long
 *	{round: STEP}		a number, toward zero, to a multiple
 *	{round: month}		a date or time, to the beginning of its ...
 *	{network: BITS}		an address' network (IPv6: twice the bits)
 *
 * Which of them a policy's `treat: mask` means is the catalog's to say, for
 * a column or for a category; whether it fits the column's type is found by
 * who knows the type (enforce/mask.h).
 * Pure. Memory: arguments point into the text's tree.
 */
#ifndef CATALOG_MASK_H
#define CATALOG_MASK_H

#include <stdbool.h>

struct buf;
struct yaml_in;
struct yaml_node;

enum mask_kind {
	MASK_CONSTANT = 0,	/* what nobody chose: tells nothing */
	MASK_NULL,
	MASK_PSEUDONYM,
	MASK_FIRST,
	MASK_LAST,
	MASK_ROUND,
	MASK_NETWORK,
};

/* arg: TEXT, N, STEP, unit or BITS as written; NULL where there is none. */
struct mask {
	enum mask_kind kind;
	const char *arg;
};

/* After a failure (in->result) the mask is the constant. NULL is none. */
struct mask mask_read(struct yaml_in *in, const struct yaml_node *n);

/* Whether the argument of MASK_ROUND is a unit of time. */
bool mask_is_unit(const struct mask *m);
/* Whether it is computed from the value. */
bool mask_reads(const struct mask *m);

/* " pseudonym", " last 4", " constant 'x'"; nothing for `constant`. Equal
 * texts are equal masks. */
void mask_text(struct buf *out, const struct mask *m);

#endif
