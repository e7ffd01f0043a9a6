/*
 * seen/words.h - the sentences of an answer, in each language.
 *
 * A sentence may have %s for what is filled in, always text, in the order in
 * which word_say gets it.
 */
#ifndef SEEN_WORDS_H
#define SEEN_WORDS_H

#include "seen/told.h"

enum word {
	WORD_TITLE, WORD_SUBJECT, WORD_HOME, WORD_HOME_UNKNOWN, WORD_PERIOD,
	WORD_PERIOD_FROM, WORD_PERIOD_TO, WORD_PERIOD_ALL, WORD_BASIS,
	WORD_ASKING, WORD_NEWER, WORD_STRANGE, WORD_NO_TAG, WORD_GONE,
	WORD_SHOWN, WORD_SHOWN_NONE, WORD_SHOWN_NOT_KNOWN,
	WORD_WITHIN, WORD_WITHIN_NONE, WORD_WITHIN_WHY, WORD_WITHIN_DAYS,
	WORD_ASKED, WORD_ASKED_NONE, WORD_ASKED_LINE, WORD_ASKED_BY,
	WORD_ONCE, WORD_TIMES, WORD_ON, WORD_SPAN, WORD_GOING_ON,
	WORD_WHO, WORD_PERSON, WORD_SERVICE, WORD_AT, WORD_AT_UNKNOWN,
	WORD_BEHIND, WORD_NAMED, WORD_PURPOSE, WORD_NO_PURPOSE, WORD_TICKET,
	WORD_PLAIN, WORD_MASKED, WORD_ROWS_ONLY, WORD_TABLES, WORD_RULES,
	WORD_OBSERVED, WORD_ANYBODY, WORD_UNKNOWN_HOME, WORD_REASON,
	WORD_ENTRIES, WORD_MORE,
	WORD_LIMITS, WORD_LIMIT_NAMES, WORD_LIMIT_OTHERS, WORD_LIMIT_MOVED,
	WORD_LIMIT_GATEWAY,
	WORDS
};

/* Appends the sentence; texts behind what it takes are left out. */
void word_say(struct buf *out, enum seen_lang lang, enum word w,
    const char *a, const char *b, const char *c);
/* The raw sentence, for tests. */
const char *word_text(enum seen_lang lang, enum word w);

#endif
