/*
 * gateway/names.h - which statements and portals a name may stand for.
 *
 * Sound rather than exact: a name that is used again keeps its old meaning
 * beside the new one until the store has said that the new one took its
 * place; a name that is not known, or of which too much is known, may mean
 * anything. So may one that the store may read otherwise (lineage/naming.h).
 * Statements that SQL prepared and cursors that it declared are among them.
 * Limits: NAMES_MAX names, NAMED_MAX meanings each.
 */
#ifndef GATEWAY_NAMES_H
#define GATEWAY_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define NAMES_MAX 1000		/* each of statements and of portals */
#define NAMED_MAX 8
#define NAMES_KEEP_MAX 16384	/* bytes of a Parse */

struct arena;
struct judgement;
struct run;

/* What one SQL text would do: counted references, never changed. */
struct meaning {
	unsigned refs;
	struct arena *a;
	const struct judgement *judgement;
	char text_hmac[65];
	/* Body of the Parse that it came with, so that it can be judged and
	 * prepared again; empty: it is too long for that. */
	struct bytes parse;
	struct meaning *of;	/* whose judgement it is; NULL: its own */
	struct meaning *by;	/* what runs it by its name; NULL: itself */
};

/* Takes over the arena, in which the judgement is. */
struct meaning *meaning_new(struct arena *a, const struct judgement *j,
    const char text_hmac[static 65]);
struct meaning *meaning_ref(struct meaning *m);
void meaning_unref(struct meaning *m);
/* NULL, for each: out of memory. */
/* Of a text that makes a name: what the name stands for. */
struct meaning *meaning_inner(struct meaning *m);
/* Of one that runs a name: what it does, given what that stands for. */
struct meaning *meaning_run(struct meaning *m, struct meaning *stands);
/* Of a text of several statements, one of them. */
struct meaning *meaning_part(struct meaning *m, size_t i,
    const char text_hmac[static 65]);
/* Keeps a copy of the Parse; where others hold *m, another takes its place,
 * which rests on it. 0 or ERR_MEMORY. */
int meaning_keep(struct meaning **m, struct bytes parse);

struct named {
	struct named *next;
	unsigned refs;
	bool listed;
	char *name;
	struct {
		struct meaning *meaning;
		uint64_t version;
	} slots[NAMED_MAX];
	size_t n;
	bool anything;		/* and more besides */
	uint64_t anything_version;
	uint64_t version;
	uint64_t epoch;		/* of the clearance that it was judged by */
	bool lost;		/* this connection of the store has it not */
	bool doubted;		/* or may have another of that name */
	bool rewritten;		/* it may stand for a text that was rewritten,
				 * which is not known any more */
	bool sql;		/* a cursor that SQL declared */
	bool held;		/* and that outlives its transaction */
	bool held_new;		/* which has not ended yet */
	uint64_t stretch;	/* of a portal: where it was bound, until it is
				 * executed */
	struct run *run;	/* of a portal: the record that covers it */
	struct meaning *by;	/* of one that runs a name: what it did stand
				 * for, when it was bound */
};

/* What it stands for if that is one thing for sure; or NULL. */
struct meaning *named_sure(const struct named *x);

struct names {
	struct named *buckets[64];
	size_t n;
};

void names_done(struct names *t);	/* forgets all; may be used again */
/*
 * Something ran that may have closed and made what it likes: what can be
 * prepared again is to be (portals cannot), all else may stand for anything.
 */
void names_doubt(struct names *t, const struct named *but, bool portals);
void named_forget_run(struct named *x);
void names_drop(struct names *t);	/* all that SQL can reach */
/* A transaction ended, and with it the cursors that it did not hold. */
void names_end(struct names *t);
/* The first cursor whose rows the end of its transaction will take. */
struct named *names_held(struct names *t);
/* Another connection has none of them. What can be prepared again is marked
 * as lost, the rest forgotten. */
void names_lose(struct names *t);
struct named *names_find(struct names *t, const char *name);
/* Finds or adds; NULL: full or out of memory, so it may mean anything. */
struct named *names_get(struct names *t, const char *name);
void names_remove(struct names *t, struct named *x);
struct named *named_ref(struct named *x);
void named_unref(struct named *x);

/* Its only meaning becomes m; NULL: it may mean anything. */
void named_become(struct named *x, struct meaning *m);
/* Whatever it meant is gone, also if what is to take its place fails. */
void named_clear(struct named *x);

/* A new version begins: what is added now belongs to it. */
uint64_t named_begin(struct named *x);
void named_add(struct named *x, struct meaning *m); /* takes a reference */
void named_add_anything(struct named *x);
/* The store took that version: if it is the newest, the others are gone. */
void named_confirm(struct named *x, uint64_t version);
/* The store did not take it. */
void named_reject(struct named *x, uint64_t version);

enum named_kind {
	NAMED_PLAIN,		/* all that it may stand for is as it was sent */
	NAMED_EXACT,		/* it stands for one that was rewritten */
	NAMED_UNSURE,
};
enum named_kind named_kind(const struct named *x);

#endif
