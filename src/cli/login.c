/*
 * sworn login check -c FILE --principal P --store S --from ADDR [--tls]
 *
 * Which line of the rule file decides how somebody comes in, and what it
 * says. Nothing is connected to.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "cli/cmd.h"
#include "cli/load.h"
#include "cli/options.h"
#include "cli/say.h"
#include "gateway/config.h"

static const char usage[] = "usage: sworn login check -c FILE --principal "
    "PRINCIPAL --store STORE\n    --from ADDRESS|local [--tls]\n";

struct asked {
	const char *file;
	struct login_who who;
	struct arena *arena;
	struct buf out;
};

static const char *
means_of(const struct login_rule *r)
{
	if (r->method == LOGIN_REJECT)
		return "refused";
	if (r->method == LOGIN_CERT)
		return "let in by a certificate that is mapped to the "
		    "principal";
	switch (r->certificate) {
	case LOGIN_CERTIFICATE_CA:
		return "let in by a password, and a valid certificate";
	case LOGIN_CERTIFICATE_FULL:
		return "let in by a password, and a certificate that is "
		    "mapped to the principal";
	case LOGIN_CERTIFICATE_NONE:
		break;
	}
	return "let in by a password";
}

static int
say_rule(struct asked *q, const struct config *c, const struct login_rule *r)
{
	if (r == NULL) {
		buf_fmt(&q->out, "%s: no line matches: refused\n",
		    c->logins.path);
		return 1;
	}
	buf_fmt(&q->out, "%s:%u: ", c->logins.path, r->line);
	login_rule_write(&q->out, r);
	buf_fmt(&q->out, "\n%s\n", means_of(r));
	return r->method == LOGIN_REJECT;
}

static int
answer(struct asked *q, const struct config *c)
{
	const struct login_rule *rule;
	int r;

	if (config_store_find(c, q->who.store) == NULL) {
		(void)fprintf(stderr, "sworn: %s has no store \"%s\"\n",
		    q->file, q->who.store);
		return 2;
	}
	if (c->logins.path == NULL) {
		(void)fprintf(stderr, "sworn: %s names no rule file; write "
		    "logins: FILE\n", q->file);
		return 2;
	}
	if (strcmp(q->who.address, "local") == 0)
		q->who.address = NULL;
	r = config_logins_find(c, &q->who, q->arena, &rule);
	if (r == ERR_FORMAT) {
		(void)fprintf(stderr, "sworn: --from %s is no address; write "
		    "one such as 10.1.2.3 or 2001:db8::1, or local\n",
		    q->who.address);
		return 2;
	}
	if (r != 0)
		return say_error(r);
	r = say_rule(q, c, rule);
	if (q->who.address != NULL && !q->who.encrypted &&
	    !config_tls_takes_plain(&c->tls, q->who.address)) {
		buf_str(&q->out, "refused before that: section tls of "
		    "sworn.conf lets nobody come from there in the clear\n");
		r = 1;
	} else if (q->who.encrypted && c->tls.context == NULL) {
		buf_str(&q->out, "refused before that: sworn.conf has no "
		    "certificate, so the gateway offers no TLS\n");
		r = 1;
	}
	return q->out.failed ? say_error(ERR_MEMORY) :
	    say_out(&q->out) != 0 ? 2 : r;
}

int
cmd_login(int argc, char **argv)
{
	struct asked q = { .file = NULL };
	const char *word = NULL;
	struct config *c = NULL;
	const struct option_slot slots[] = {
		{ "-c", &q.file, NULL },
		{ "--principal", &q.who.principal, NULL },
		{ "--store", &q.who.store, NULL },
		{ "--from", &q.who.address, NULL },
		{ "--tls", NULL, &q.who.encrypted }, { NULL, NULL, NULL },
	};
	int r = 2;

	if (options_read(argc, argv, slots, &word, 1, usage) != 0)
		return 2;
	if (strcmp(word, "check") != 0 || q.file == NULL ||
	    q.who.principal == NULL || q.who.store == NULL ||
	    q.who.address == NULL) {
		(void)fputs(usage, stderr);
		return 2;
	}
	buf_init(&q.out, 0);
	q.who.at_ms = clock_now_ms();
	if ((c = load_config(q.file)) == NULL)
		goto out;
	if ((q.arena = arena_new()) == NULL)
		(void)say_error(ERR_MEMORY);
	else
		r = answer(&q, c);
out:
	buf_done(&q.out);
	arena_free(q.arena);
	config_free(c);
	return r;
}
