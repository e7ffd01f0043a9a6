#include "gateway/run.h"

#include <stdlib.h>
#include <string.h>

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
run_ref(struct run *r)
{
	if (r != NULL)
		r->refs++;
	return r;
}

void
run_unref(struct run *r)
{
	if (r != NULL && --r->refs == 0)
		free(r);
}
