/*
 * A name is cut into its words at every character that is not a letter:
 * "user_id2" has user and id. A rule asks for a word that begins with one of
 * its stems; a stem that ends with a dot is a whole word. The first rule that
 * fits decides, so those stand first whose loss would hurt most.
 */
#include "cli/guess.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

const char *const guess_categories[] = {
	"technical", "identity", "contact", "location", "content",
	"messages", "behaviour", "health", "payment", "secret",
	"unclassified",
};
const size_t guess_n_categories =
    sizeof(guess_categories) / sizeof(*guess_categories);

static const struct {
	const char *category;
	const char *stems;
} rules[] = {
	{ "secret", "passw pwd. secret token hash salt otp. pin. apikey "
	    "credential" },
	{ "health", "diagnos blood disease medic allerg icd. symptom "
	    "prescri therap treatment genom dna. disabil insurance vaccin" },
	{ "payment", "card iban bic. bank account payment price amount total "
	    "currency balance salary invoice tax. vat. paid" },
	{ "contact", "email mail phone mobile tel. telephone fax address "
	    "street zip. zipcode postal postcode contact" },
	{ "location", "lat. latitude lon. lng. longitude geo gps city town "
	    "country nation. region ip. ipaddr place location device "
	    "timezone state_code" },
	{ "identity", "firstname lastname surname fullname username nickname "
	    "name handle login birth born dob. age. gender sex. ssn. passport "
	    "national avatar photo given family maiden religion race. "
	    "ethnic" },
	{ "behaviour", "view watch click visit search session event like "
	    "duration seconds rating score interest preference play read. "
	    "last seen opened history" },
	{ "content", "title body text caption description bio comment note "
	    "content message subject remark review reason answer question" },
	{ "technical", "id. uuid. key. created updated deleted modified at. "
	    "date time status state. version active enabled hidden type kind "
	    "code. position sort seq. count number no. order flag lang "
	    "locale" },
};

static bool
word_is(const char *word, size_t len, const char *stem, size_t stem_len)
{
	bool whole = stem[stem_len - 1] == '.';

	stem_len -= whole ? 1 : 0;
	return (whole ? len == stem_len : len >= stem_len) &&
	    strncasecmp(word, stem, stem_len) == 0;
}

/* Whether a word of the name begins with one of the stems. */
static bool
fits(const char *name, const char *stems)
{
	const char *w, *s;
	size_t len, stem_len;

	for (w = name; *w != 0; w += len + (w[len] != 0)) {
		for (len = 0; isalpha((unsigned char)w[len]); len++)
			;
		if (len == 0)
			continue;
		for (s = stems; *s != 0; s += stem_len + (s[stem_len] != 0)) {
			stem_len = strcspn(s, " ");
			if (word_is(w, len, s, stem_len))
				return true;
		}
	}
	return false;
}

/* At least two thirds of at least three values. */
static bool
mostly(long n, long of)
{
	return of >= 3 && 3 * n >= 2 * of;
}

const char *
guess_category(const char *table, const char *column, const char *type,
    const struct guess_shapes *s, const char **ret_why)
{
	size_t i;

	*ret_why = "values look like e-mail addresses";
	if (mostly(s->email, s->n))
		return "contact";
	*ret_why = "values look like telephone numbers";
	if (mostly(s->phone, s->n))
		return "contact";
	*ret_why = "values look like network addresses";
	if (mostly(s->address, s->n) || strcmp(type, "inet") == 0 ||
	    strcmp(type, "cidr") == 0)
		return "location";
	*ret_why = "in a table of messages";
	if (fits(table, "message chat mail dm. inbox conversation") &&
	    fits(column, "body text content subject message"))
		return "messages";
	*ret_why = "by its name";
	for (i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (fits(column, rules[i].stems))
			return rules[i].category;
	*ret_why = "by its type";
	if (strcmp(type, "boolean") == 0 || strcmp(type, "uuid") == 0)
		return "technical";
	*ret_why = "nothing is known of it: decide";
	return "unclassified";
}

bool
guess_is_people(const char *table)
{
	return fits(table, "user. users. customer person people member "
	    "patient client subscriber student employee citizen resident "
	    "account player buyer applicant");
}

bool
guess_is_country(const char *column)
{
	return fits(column, "country residence nation. iso. land.");
}

bool
guess_is_term(const char *column)
{
	return fits(column, "id. name. title code label description iso. "
	    "sort position slug kind type symbol");
}
