/*
 * sworn policy lint -c FILE | --log DIR [--at TIME] [--strict]
 *
 * Fails if anybody reaches every category of every residence over all
 * stores: there is to be no master admin. Warns of rules that do nothing and
 * of names that nothing has; with --strict a warning fails, too.
 *
 * What is masked counts as reached: it is the same access to the same row.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "catalog/catalog.h"
#include "cli/known.h"
#include "cli/options.h"
#include "cli/policy.h"
#include "cli/say.h"
#include "cli/source.h"
#include "cli/survey.h"
#include "gateway/config.h"
#include "gateway/policy_file.h"
#include "policy/approvers.h"
#include "policy/memo.h"
#include "policy/missing.h"
#include "policy/needed.h"
#include "policy/placeless.h"
#include "policy/rule.h"

static const char usage[] = "usage: sworn policy lint " SOURCE_USAGE
    "\n    [--at TIME] [--strict]\n";

struct linting {
	const struct config *config;
	struct survey survey;
	struct needed *needed;
	struct missing missing;
	struct placeless *placeless;
	struct memo *memo;
	size_t *kinds;		/* of each cell: number of (residence,
				 * category), counted from 0 */
	size_t n_kinds;
	bool *reached;		/* by whoever is looked at; as kinds */
	size_t masters, warnings;
};

/* Cells that are the same to the question: one residence, one category. */
static int
make_kinds(struct linting *l)
{
	const struct reach_space *s = &l->survey.space;
	size_t i, k;

	l->kinds = arena_array(l->survey.a, s->n_cells, sizeof(*l->kinds));
	l->reached = arena_array(l->survey.a, s->n_cells,
	    sizeof(*l->reached));
	if (l->kinds == NULL || l->reached == NULL)
		return ERR_MEMORY;
	for (i = 0; i < s->n_cells; i++) {
		for (k = 0; k < i; k++)
			if (strcmp(reach_residence(s, &s->cells[k]),
			    reach_residence(s, &s->cells[i])) == 0 &&
			    strcmp(reach_column(s, &s->cells[k])->category,
			    reach_column(s, &s->cells[i])->category) == 0)
				break;
		l->kinds[i] = k < i ? l->kinds[k] : l->n_kinds++;
	}
	return 0;
}

static int
look(void *arg, const struct reach_session *q)
{
	struct linting *l = arg;
	struct survey *s = &l->survey;
	size_t i;
	int r;

	if ((r = memo_levels(l->memo, q, s->levels)) != 0)
		return r;
	for (i = 0; i < s->space.n_cells; i++)
		if (s->levels[i] != TREAT_ABSENT)
			l->reached[l->kinds[i]] = true;
	missing_add(&l->missing, q, s->levels);
	if ((r = placeless_add(l->placeless, q, s->sessions.places[q->place],
	    s->levels)) != 0)
		return r;
	return needed_add(l->needed, q);
}

static int
look_at_all(struct linting *l)
{
	struct survey *s = &l->survey;
	size_t i, k;
	int r;

	for (i = 0; i < s->n_ids; i++) {
		memset(l->reached, 0, l->n_kinds * sizeof(*l->reached));
		missing_next(&l->missing);
		placeless_next(l->placeless);
		if ((r = reach_each(l->config->directory, &s->sessions,
		    s->ids[i], s->at_ms, look, l)) != 0)
			return r;
		for (k = 0; k < l->n_kinds && l->reached[k]; k++)
			continue;
		if (k < l->n_kinds)
			continue;
		l->masters++;
		(void)fprintf(stderr, "%s: %s reaches every category of every "
		    "residence in all stores: a master admin; see sworn "
		    "who-can\n", l->config->policy_text.path, s->ids[i]);
	}
	return 0;
}

/* "warning: FILE:LINE:COLUMN: rule "..." ", for what follows. */
static void
begin_warning(struct linting *l, unsigned line, unsigned column,
    const char *rule)
{
	char file[1024];

	l->warnings++;
	policy_file_name(l->config->policy_text.path,
	    policy_file_of(l->config->policy, rule), file);
	(void)fprintf(stderr, "warning: %s:%u:%u: rule \"%s\" ", file, line,
	    column, rule);
}

/* "note: FILE:LINE:COLUMN: rule "..." ", likewise. */
static void
begin_note(const struct linting *l, unsigned line, unsigned column,
    const char *rule)
{
	char file[1024];

	policy_file_name(l->config->policy_text.path,
	    policy_file_of(l->config->policy, rule), file);
	(void)fprintf(stderr, "note: %s:%u:%u: rule \"%s\" ", file, line,
	    column, rule);
}

/* Others do as much; or nothing more than "still" can be said. */
static void
say_covered(const struct rule *r, const char *by)
{
	static const char *const does[] = {
		[VERB_PERMIT] = "permits", [VERB_FORBID] = "forbids",
		[VERB_TREAT] = "treats as strictly",
	};

	if (by != NULL)
		(void)fprintf(stderr, "is shadowed: whatever it %s, rule "
		    "\"%s\" %s, too\n", r->verb == VERB_PERMIT ? "permits" :
		    r->verb == VERB_FORBID ? "forbids" : "treats", by,
		    does[r->verb]);
	else
		(void)fprintf(stderr, "is shadowed: other rules together do "
		    "all that it does\n");
}

/*
 * A forbid of what nobody is permitted, and the like, is no fault: it stands
 * against the day when somebody is.
 */
static void
lint_rule(struct linting *l, size_t i)
{
	const struct rule *r = &l->config->policy->rules[i];
	const char *by;
	enum needed_why why = needed_why(l->needed, i, &by);

	if (why == NEEDED)
		return;
	if (why == NEEDED_NOTHING) {
		begin_note(l, r->line, r->column, r->name);
		(void)fprintf(stderr, "changes nothing now: of all that it "
		    "%s, nobody would be shown more without it\n",
		    r->verb == VERB_FORBID ? "forbids" : "treats");
		return;
	}
	begin_warning(l, r->line, r->column, r->name);
	if (why == NEEDED_COVERED)
		say_covered(r, by);
	else
		(void)fprintf(stderr, "%s\n", why == NEEDED_NOWHERE ?
		    "is dead: no session that there can be meets it, whoever "
		    "reads" : why == NEEDED_FORBIDDEN ? "is shadowed: "
		    "whatever it permits is forbidden each time" : "is "
		    "shadowed: without it all is shown as it is with it");
}

static void
warn_strange(void *arg, unsigned line, unsigned column, const char *rule,
    const char *what, const char *name)
{
	begin_warning(arg, line, column, rule);
	(void)fprintf(stderr, "names %s \"%s\", which nothing here has; is "
	    "it misspelt?\n", what, name);
}

/* Permits that nobody at all could have approved. */
static int
lint_approvals(struct linting *l)
{
	const struct directory *d = l->config->directory;
	struct survey *s = &l->survey;
	struct approval_survey rules;
	const struct rule *rule;
	size_t i, k, n, most;
	const char *const *by;
	int r;

	if ((r = approval_survey_make(d, l->config->policy, s->ids, s->n_ids,
	    s->at_ms, s->a, &rules)) != 0)
		return r;
	for (i = 0; i < rules.n; i++) {
		rule = rules.rules[i].rule;
		for (k = most = 0; k < s->n_ids; k++) {
			arena_reset(s->scratch);
			if ((r = approvers_for(&rules.rules[i], d, s->ids[k],
			    s->at_ms, s->scratch, &by, &n)) != 0)
				return r;
			if (n > most)
				most = n;
		}
		if (most >= rule->approval.count)
			continue;
		begin_warning(l, rule->line, rule->column, rule->name);
		(void)fprintf(stderr, "needs the approval of %u, and nobody "
		    "has more than %zu who may approve and are apart from "
		    "them\n", rule->approval.count, most);
	}
	return 0;
}

/*
 * No warning: a fact that is not written is no fault of the policy's, and
 * who reads them can tell whether there is none.
 */
static void
note_missing(void *arg, unsigned line, unsigned column, const char *rule,
    enum missing_fact fact, size_t principals)
{
	static const char *const texts[] = {
		[MISSING_INSTRUCTOR] = "who instructs them in fact (write "
		    "`instructor`, or `instructor: none`)",
		[MISSING_ROLES] = "a role of theirs",
	};

	begin_note(arg, line, column, rule);
	(void)fprintf(stderr, "rests on a missing fact: %zu principals might "
	    "lose something by it if the directory said %s; it says "
	    "nothing\n", principals, texts[fact]);
}

static void
note_placeless(const struct linting *l)
{
	const struct policy *p = l->config->policy;
	size_t i, n;

	for (i = 0; i < p->n_rules; i++) {
		if ((n = placeless_rests(l->placeless, i)) == 0)
			continue;
		begin_note(l, p->rules[i].line, p->rules[i].column,
		    p->rules[i].name);
		(void)fprintf(stderr, "rests on a missing fact: %zu principals "
		    "might lose something by it if the directory said where "
		    "a company behind them does its business (write "
		    "`principal-place`); it says nothing\n", n);
	}
}

static int
lint_all(struct linting *l, int64_t at_ms, bool strict)
{
	const struct policy *policies[] = { l->config->policy };
	struct policy_known known;
	size_t i;
	struct why w;
	int r;

	if (survey_init(&l->survey, l->config, policies, 1, at_ms, &w) != 0) {
		(void)fprintf(stderr, "%s: %s\n", l->config->policy_text.path,
		    w.text);
		return 1;
	}
	if ((r = make_kinds(l)) != 0 ||
	    (r = known_names(l->config, l->survey.a, &known)) != 0 ||
	    (r = needed_new(&l->survey.space, l->config->policy,
	    &l->needed)) != 0 || (r = placeless_new(&l->survey.space,
	    l->config->policy, l->config->directory,
	    &l->placeless)) != 0 || (r = missing_init(&l->missing,
	    l->config->policy, &l->survey.space, l->survey.a)) != 0 ||
	    (r = memo_new(&l->survey.space, l->config->policy,
	    &l->memo)) != 0 || (r = look_at_all(l)) != 0)
		return say_error(r);
	for (i = 0; i < l->config->policy->n_rules; i++)
		lint_rule(l, i);
	if ((r = lint_approvals(l)) != 0)
		return say_error(r);
	policy_strange(l->config->policy, &known, warn_strange, l);
	missing_tell(&l->missing, note_missing, l);
	note_placeless(l);
	(void)printf("%zu principals: %zu of them a master admin; %zu "
	    "warnings\n", l->survey.n_ids, l->masters, l->warnings);
	return l->masters > 0 || (strict && l->warnings > 0);
}

int
cmd_policy_lint(int argc, char **argv)
{
	struct linting l = { .config = NULL };
	struct source source = { .file = NULL };
	bool strict = false;
	const struct option_slot slots[] = {
		SOURCE_SLOTS(&source),
		{"--strict", NULL, &strict}, {NULL, NULL, NULL},
	};
	int r;

	if ((r = options_read(argc, argv, slots, NULL, 0, usage)) != 0)
		return r;
	if ((r = source_open(&source, usage)) == 0) {
		l.config = source.config;
		r = lint_all(&l, source.at_ms, strict);
	}
	memo_free(l.memo);
	needed_free(l.needed);
	placeless_free(l.placeless);
	survey_done(&l.survey);
	source_close(&source);
	return r;
}
