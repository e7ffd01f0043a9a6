/*
 * Who could, as a table: of a claim of ability.
 */
#include <string.h>

#include "base/buf.h"
#include "base/time.h"
#include "claim/verdict.h"
#include "verify/html.h"
#include "verify/say.h"

#define ROWS_SHOWN 200

static void
cell(struct buf *out, const char *before, const struct record_strs *l)
{
	if (l->n == 0)
		return;
	buf_str(out, before);
	html_list(out, l);
}

static void
cell_path(struct buf *out, const struct verdict_ability *a)
{
	size_t i;

	buf_str(out, "<td>");
	if (a->is != NULL) {
		html_str(out, a->is);
		buf_str(out, ": ");
		html_str(out, a->is_because);
		buf_str(out, "<br>");
	}
	if (a->label != NULL) {
		html_str(out, a->label);
		cell(out, " by ", &a->kinds);
		for (i = 0; i < a->steps.n; i++) {
			buf_str(out, i == 0 ? "<br><span class=\"small\">" :
			    " \xe2\x86\x92 ");
			html_str(out, a->steps.s[i]);
		}
		if (a->steps.n > 0)
			buf_str(out, "</span>");
	}
	buf_str(out, "</td>");
}

static void
row(struct buf *out, const struct verdict_ability *a)
{
	const struct verdict_evidence who = { .principal = a->principal,
	    .name = a->name, .kind = a->kind };
	char at[TIME_TEXT_MAX];

	buf_str(out, "<tr><th scope=\"row\">");
	html_reader_name(out, &who);
	buf_fmt(out, "<br><span class=\"small\">a %s</span></th><td>",
	    a->kind);
	html_str(out, a->store);
	cell(out, "<br>residents of ", &a->residences);
	buf_str(out, "</td><td>");
	html_list(out, &a->tables);
	cell(out, "<br>plain: ", &a->categories);
	cell(out, "<br>masked: ", &a->masked);
	buf_str(out, "</td><td>from ");
	html_str(out, strcmp(a->place, "unknown") == 0 ?
	    "a network of no site" : a->place);
	buf_str(out, "<br>purpose: ");
	html_str(out, a->purpose != NULL ? a->purpose : "none");
	buf_str(out, "<br>ticket like: ");
	html_str(out, a->ticket != NULL ? a->ticket : "none");
	cell(out, "<br>by rule: ", &a->rules);
	buf_str(out, "</td>");
	cell_path(out, a);
	time_text(a->at_ms, at);
	buf_fmt(out, "<td>%.10s<br>%s<br><span class=\"small\">entry %llu of ",
	    at, at + 11, (unsigned long long)a->seq);
	html_str(out, a->gateway);
	buf_str(out, "</span></td></tr>\n");
}

void
html_abilities(struct buf *out, const struct verdict_result *v, bool all)
{
	static const char *const names[] = {"Who", "Whose", "What", "How",
	    "Why they are meant", "Since"};
	size_t i, n = all || v->n_abilities < ROWS_SHOWN ? v->n_abilities :
	    ROWS_SHOWN;

	if (v->n_abilities == 0)
		return;
	buf_str(out, "<section aria-labelledby=\"could\">\n"
	    "<h2 id=\"could\">Who could</h2>\n<div class=\"scroll\" "
	    "tabindex=\"0\" role=\"region\" aria-labelledby=\"could\">\n"
	    "<table>\n<caption>Everybody who could read what the claim says "
	    "nobody could, by what was in force</caption>\n<thead><tr>");
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		buf_fmt(out, "<th scope=\"col\">%s</th>", names[i]);
	buf_str(out, "</tr></thead>\n<tbody>\n");
	for (i = 0; i < n; i++)
		row(out, &v->abilities[i]);
	buf_str(out, "</tbody>\n</table>\n</div>\n");
	if (v->n_abilities + v->more_abilities > n) {
		buf_str(out, "<p>And ");
		say_number(out, v->n_abilities + v->more_abilities - n);
		buf_str(out, " more, which this page leaves out.</p>\n");
	}
	buf_str(out, "</section>\n");
}
