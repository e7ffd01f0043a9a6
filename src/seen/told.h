/*
 * seen/told.h - an answer as a person reads it, and as a program does.
 *
 * Pure: structs in, text out. Both say the same.
 */
#ifndef SEEN_TOLD_H
#define SEEN_TOLD_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct seen_answer;
struct seen_question;
struct seen_state;

enum seen_lang {
	SEEN_EN,
	SEEN_DE,
	SEEN_LANGS
};

struct seen_told {
	const struct seen_question *question;
	const struct seen_answer *answer;
	const struct seen_state *state;
	const char *subject;
	bool there;		/* the store has the subject */
	uint64_t asked_seq;	/* the entry that says so */
	uint64_t newer;		/* entries that the log has beyond the index */
	bool all;		/* every group, however many */
};

/* "de", "de_AT.UTF-8", ...: English unless it is German. */
enum seen_lang seen_lang_of(const char *text);

/* Each sets out->failed without memory. */
void seen_text(struct buf *out, const struct seen_told *t,
    enum seen_lang lang);
void seen_json(struct buf *out, const struct seen_told *t);

#endif
