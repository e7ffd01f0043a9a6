#include "gateway/run.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/names.h"

struct run *
run_new(void)
{
	struct run *r;

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	r->refs = 1;
	memcpy(r->sqlstate, "00000", sizeof("00000"));
	return r;
}

struct run *
run_exact(struct meaning *m)
{
	struct run *r;

	if ((r = run_new()) == NULL)
		return NULL;
	r->exact = true;
	r->meaning = meaning_ref(m);
	return r;
}

struct run *
run_ref(struct run *r)
{
	if (r != NULL)
		r->refs++;
	return r;
}

void
run_unref(struct run *r)
{
	if (r == NULL || --r->refs > 0)
		return;
	meaning_unref(r->meaning);
	tags_done(&r->tags);
	free(r);
}
