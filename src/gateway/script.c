#include "gateway/script.h"

#include <stdlib.h>

#include "gateway/judge.h"
#include "gateway/run.h"
#include "gateway/session.h"

struct script *
script_new(struct meaning *text, size_t n)
{
	struct script *sc;

	sc = calloc(1, sizeof(*sc) + n * sizeof(sc->parts[0]));
	if (sc == NULL)
		return NULL;
	sc->text = meaning_ref(text);
	sc->n = n;
	return sc;
}

void
script_free(struct script *sc)
{
	size_t i;

	if (sc == NULL)
		return;
	for (i = 0; i < sc->n; i++) {
		meaning_unref(sc->parts[i].meaning);
		run_unref(sc->parts[i].run);
	}
	meaning_unref(sc->text);
	free(sc);
}

void
script_enter(struct request *q)
{
	const struct script *sc = q->script;
	const struct judgement *j;

	run_unref(q->run);
	meaning_unref(q->meaning);
	q->run = NULL;
	q->meaning = NULL;
	if (sc->at == sc->n)
		return;
	j = sc->parts[sc->at].meaning->judgement;
	if (j->sent != NULL || j->exact != NULL)
		q->meaning = meaning_ref(sc->parts[sc->at].meaning);
	if (sc->parts[sc->at].run == NULL)
		return;
	q->run = run_ref(sc->parts[sc->at].run);
	q->run->executing++;
}
