#include "cli/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "base/buf.h"
#include "cli/as_of.h"
#include "cli/history.h"
#include "cli/load.h"
#include "gateway/config.h"
#include "log/note.h"

static int
said(const struct why *w)
{
	(void)fprintf(stderr, "sworn: %s\n", w->text);
	return 1;
}

/* With no key from elsewhere, whoever can write the folder can make a log. */
static int
warn_own_key(const struct history *h)
{
	struct buf key;
	int r = 0;

	buf_init(&key, 0);
	note_key_write(&h->key, &key);
	if (buf_text(&key) == NULL)
		r = ERR_MEMORY;
	else
		(void)fprintf(stderr, "warning: no --key: the log is whole by "
		    "the key that it names itself, %s; compare it with the "
		    "gateway's, or give that\n", (const char *)key.data);
	buf_done(&key);
	return r;
}

int
source_history(struct source *s, const char *usage)
{
	struct note_key key;
	struct why w;

	if (s->log == NULL) {
		(void)fputs(usage, stderr);
		return 2;
	}
	if (s->key != NULL &&
	    note_key_read(s->key, strlen(s->key), &key) != 0) {
		(void)fprintf(stderr, "sworn: no verifier key "
		    "(name+hex+base64): %s\n", s->key);
		return 2;
	}
	if (history_read(s->log, s->key != NULL ? &key : NULL, &s->history,
	    &w) != 0)
		return said(&w);
	return s->key == NULL ? warn_own_key(s->history) != 0 : 0;
}

void
source_say(const struct source *s, const struct history_version *v)
{
	char at[TIME_TEXT_MAX], from[TIME_TEXT_MAX], until[TIME_TEXT_MAX];

	time_text(s->at_ms, at);
	time_text(v->from_ms, from);
	(void)fprintf(stderr, "%s%s%sversion %u of gateway %s, in force "
	    "since %s (entry %" PRIu64 "), policy %.12s, directory %.12s\n",
	    s->at_ms != 0 ? "as of " : "", s->at_ms != 0 ? at : "",
	    s->at_ms != 0 ? ": " : "", v->number, s->history->gateway, from,
	    v->seq, v->policy, v->directory);
	if (v->end == HISTORY_BROKEN && s->at_ms > v->until_ms) {
		time_text(v->until_ms, until);
		(void)fprintf(stderr, "warning: the gateway ended without "
		    "saying so; it was last seen at %s\n", until);
	}
}

static int
open_log(struct source *s, const char *usage)
{
	const struct history_version *v;
	struct why w;
	int r;

	if (s->at != NULL && (r = options_time(s->at, &s->at_ms)) != 0)
		return r;
	if ((r = source_history(s, usage)) != 0)
		return r;
	if (s->at == NULL)
		s->at_ms = s->history->last_ms;
	if (history_at(s->history, s->at_ms, &v, &w) != 0 ||
	    as_of_new(s->history, v, s->at_ms, &s->as_of, &w) != 0)
		return said(&w);
	source_say(s, v);
	as_of_warn(s->as_of);
	s->config = as_of_config(s->as_of);
	return 0;
}

int
source_open(struct source *s, const char *usage)
{
	if ((s->file != NULL) == (s->log != NULL) ||
	    (s->key != NULL && s->log == NULL)) {
		(void)fputs(usage, stderr);
		return 2;
	}
	if (s->log != NULL)
		return open_log(s, usage);
	if ((s->loaded = load_config(s->file)) == NULL)
		return 1;
	s->config = s->loaded;
	return options_time(s->at, &s->at_ms);
}

void
source_close(struct source *s)
{
	as_of_free(s->as_of);
	history_free(s->history);
	config_free(s->loaded);
}
