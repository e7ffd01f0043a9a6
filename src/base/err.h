/*
 * base/err.h - the codes that functions return.
 *
 * 0 is success. Every failure is one negative value of enum err; a caller
 * that must say more says it in words of its own (struct why, below).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

enum err {
	ERR_NONE = 0,
	ERR_MEMORY = -1,	/* allocation failed */
	ERR_SHORT = -2,		/* more bytes are needed; nothing consumed */
	ERR_FORMAT = -3,	/* bytes do not follow their format */
	ERR_LIMIT = -4,		/* a documented maximum was exceeded */
	ERR_IO = -5,		/* a system call failed; errno has it */
	ERR_MISSING = -6,	/* what was named does not exist */
	ERR_DENIED = -7,	/* refused by a rule or a failed check */
	ERR_CRYPTO = -8,	/* signature, hash or key does not hold */
	ERR_EXISTS = -9,	/* exists already */
	ERR_STATE = -10,	/* not possible now (closed, failed, busy) */
	ERR_CONFLICT = -11,	/* contradicts what is already known */
};

/* English text for a code, without a trailing full stop. Never NULL. */
const char *err_text(int code);

/*
 * Where and why, for people: filled by parsers of people's files. line and
 * column count from 1; 0 when not known. file is set only where the text
 * that was read has several files: which of them, "" for the first. text is one sentence that says
 * what is wrong and what to do, cut at WHY_TEXT_MAX.
 */
#define WHY_TEXT_MAX 512
#define WHY_FILE_MAX 256

struct why {
	unsigned line;
	unsigned column;
	char file[WHY_FILE_MAX];
	char text[WHY_TEXT_MAX];
};

/* Fills *w (may be NULL) and returns code, so that callers can return it. */
int why_set(struct why *w, int code, unsigned line, unsigned column,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
