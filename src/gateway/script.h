/*
 * gateway/script.h - the statements of one Query, each with its own record.
 *
 * The store runs them in order and stops at the first error; each that ends
 * well says so by one CommandComplete.
 * Memory: heap, one owner: what waits at the gate, then the request.
 */
#ifndef GATEWAY_SCRIPT_H
#define GATEWAY_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

struct meaning;
struct request;
struct run;

struct script {
	struct meaning *text;	/* all of it */
	size_t n;
	size_t at;		/* the one that runs */
	struct script_part {
		struct meaning *meaning;
		struct run *run;	/* NULL: reads nothing guarded */
		bool bounded;	/* its record comes before anything runs */
		bool recorded;
	} parts[];
};

struct script *script_new(struct meaning *text, size_t n);
void script_free(struct script *sc);
/* The request stands for the statement that runs now. */
void script_enter(struct request *q);

#endif
