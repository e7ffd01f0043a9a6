/*
 * record/shape.h - which members each type of record has, as tables.
 *
 * Encoder and decoder walk the same tables, so what one writes the other
 * reads, in one order and with nothing left out.
 */
#ifndef RECORD_SHAPE_H
#define RECORD_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "record/record.h"

enum shape_kind {
	SHAPE_STR,		/* const char * */
	SHAPE_NAME,		/* the same, never empty */
	SHAPE_OPT,		/* the same, NULL: absent */
	SHAPE_HASH,		/* the same, "" or 64 lower-case hex digits */
	SHAPE_ENUM,		/* the same, one of `names` */
	SHAPE_U64,
	SHAPE_OPT_U64,		/* the same; 0: absent */
	SHAPE_U32,
	SHAPE_BOOL,
	SHAPE_TIME,		/* int64_t milliseconds; 0: absent */
	SHAPE_STRS,		/* struct record_strs */
	SHAPE_LIST,		/* pointer at off, size_t count at off_n */
	SHAPE_OPT_LIST,		/* the same; none: absent */
	SHAPE_FLAG_LIST,	/* the same; absent unless the bool at off_flag */
	SHAPE_OBJECT,		/* a struct inside the struct */
	SHAPE_FLAG_OBJECT,	/* the same; absent unless the bool at off_flag */
};

struct shape;

struct shape_field {
	const char *name;
	enum shape_kind kind;
	size_t off;
	size_t off_n;
	size_t off_flag;
	const struct shape *of;		/* LIST, OBJECT */
	const char *const *names;	/* ENUM, NULL-terminated */
};

struct shape {
	const struct shape_field *fields;
	size_t n;
	size_t size;			/* of one struct, for lists */
};

/* NULL for a value that is no type. */
const struct shape *shape_of(enum record_type t);

/* Whether a string may stand in such a field. */
bool shape_str_fits(const struct shape_field *f, const char *s);

#endif
