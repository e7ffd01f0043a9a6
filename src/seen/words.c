#include "seen/words.h"

#include <string.h>

#include "base/buf.h"

static const char *const words[WORDS][SEEN_LANGS] = {
	[WORD_TITLE] = {"Who saw my data?\n", "Wer hat meine Daten gesehen?\n"},
	[WORD_SUBJECT] = {"The person with number %s in the data of \"%s\".",
	    "Die Person mit der Nummer %s in den Daten von »%s«."},
	[WORD_HOME] = {"At home in: %s.", "Zu Hause in: %s."},
	[WORD_HOME_UNKNOWN] = {"Where this person is at home is not known.",
	    "Wo diese Person zu Hause ist, ist nicht bekannt."},
	[WORD_PERIOD] = {"Period: from %s until before %s.",
	    "Zeitraum: von %s bis vor %s."},
	[WORD_PERIOD_FROM] = {"Period: from %s on.", "Zeitraum: ab %s."},
	[WORD_PERIOD_TO] = {"Period: until before %s.",
	    "Zeitraum: bis vor %s."},
	[WORD_PERIOD_ALL] = {"Period: everything that was ever written down.",
	    "Zeitraum: alles, was je aufgeschrieben wurde."},
	[WORD_BASIS] = {"This comes from the record book of \"%s\", which "
	    "has %s entries up to %s.", "Die Grundlage ist das Protokoll von "
	    "»%s«. Es hat %s Einträge, der letzte vom %s."},
	[WORD_ASKING] = {"That this was asked is written there too, as entry "
	    "%s.", "Auch diese Frage steht darin, als Eintrag %s."},
	[WORD_NEWER] = {"%s newer entries are not in this answer yet; ask "
	    "again for them.", "%s neuere Einträge fehlen in dieser Antwort "
	    "noch; bitte noch einmal fragen."},
	[WORD_STRANGE] = {"%s entries belong to visits whose beginning is "
	    "missing; they are not in this answer.", "%s Einträge gehören zu "
	    "Besuchen, deren Anfang fehlt; sie sind nicht in dieser Antwort."},
	[WORD_NO_TAG] = {"The link between this person and the record book "
	    "was erased (\"forgotten\"), or there never was one. Entries that "
	    "list this person can no longer be found by anybody, so part 1 "
	    "cannot be answered.", "Die Verbindung zwischen dieser Person und "
	    "dem Protokoll wurde gelöscht (»vergessen«), oder es gab nie eine. "
	    "Einträge, in denen diese Person steht, kann niemand mehr finden. "
	    "Deshalb lässt sich Teil 1 nicht beantworten."},
	[WORD_GONE] = {"The data no longer has this person. What was written "
	    "down before stays.", "In den Daten gibt es diese Person nicht "
	    "mehr. Was früher aufgeschrieben wurde, bleibt."},
	[WORD_SHOWN] = {"1. Your data was shown", "1. Ihre Daten wurden "
	    "gezeigt"},
	[WORD_SHOWN_NONE] = {"No entry lists you.",
	    "Sie stehen in keinem Eintrag."},
	[WORD_SHOWN_NOT_KNOWN] = {"Not known: see above.",
	    "Nicht bekannt: siehe oben."},
	[WORD_WITHIN] = {"2. Your data may have been seen",
	    "2. Ihre Daten wurden vielleicht gesehen"},
	[WORD_WITHIN_NONE] = {"Nothing else had your data within reach.",
	    "Sonst waren Ihre Daten für nichts in Reichweite."},
	[WORD_WITHIN_WHY] = {"In these cases your data was within reach, and "
	    "it was not written down whose data came out. It may have been "
	    "yours or only that of others.", "In diesen Fällen waren Ihre "
	    "Daten in Reichweite, und es wurde nicht aufgeschrieben, wessen "
	    "Daten gezeigt wurden. Es können Ihre gewesen sein oder nur die "
	    "von anderen."},
	[WORD_WITHIN_DAYS] = {"Counted by whole days (UTC), so some may lie "
	    "just outside the period.", "Gezählt nach ganzen Tagen (UTC); "
	    "manches kann knapp außerhalb des Zeitraums liegen."},
	[WORD_ASKED] = {"3. Who asked this question about you before",
	    "3. Wer diese Frage über Sie schon gestellt hat"},
	[WORD_ASKED_NONE] = {"Nobody, before this time.",
	    "Bisher niemand."},
	[WORD_ASKED_LINE] = {"%s%s", "%s%s"},
	[WORD_ASKED_BY] = {" by %s", " durch %s"},
	[WORD_ONCE] = {"once", "einmal"},
	[WORD_TIMES] = {"%s times", "%s-mal"},
	[WORD_ON] = {"%s, %s", "%s, %s"},
	[WORD_SPAN] = {"%s to %s, %s", "%s bis %s, %s"},
	[WORD_GOING_ON] = {" (and still going on)", " (und noch immer)"},
	[WORD_WHO] = {"Who", "Wer"},
	[WORD_PERSON] = {"a person", "eine Person"},
	[WORD_SERVICE] = {"a program", "ein Programm"},
	[WORD_AT] = {"%s in %s", "%s in %s"},
	[WORD_AT_UNKNOWN] = {"%s at a place that is not known",
	    "%s an einem unbekannten Ort"},
	[WORD_BEHIND] = {"; who gives them orders or owns their firm is in %s",
	    "; Weisungen oder Eigentümer kommen aus %s"},
	[WORD_NAMED] = {"; name: %s", "; Name: %s"},
	[WORD_PURPOSE] = {"Why", "Wozu"},
	[WORD_NO_PURPOSE] = {"no reason was given", "ohne Angabe"},
	[WORD_TICKET] = {"%s, case %s", "%s, Vorgang %s"},
	[WORD_PLAIN] = {"Readable", "Lesbar"},
	[WORD_MASKED] = {"Covered up", "Verdeckt"},
	[WORD_ROWS_ONLY] = {"only that you are there", "nur, dass es Sie gibt"},
	[WORD_TABLES] = {"From", "Aus"},
	[WORD_RULES] = {"Allowed by", "Erlaubt durch"},
	[WORD_OBSERVED] = {"nothing was refused in that time; it was only "
	    "written down", "in dieser Zeit wurde nichts verweigert, nur "
	    "aufgeschrieben"},
	[WORD_ANYBODY] = {"this concerns everybody, wherever at home",
	    "das betrifft alle, wo sie auch zu Hause sind"},
	[WORD_UNKNOWN_HOME] = {"this concerns those whose home is not known",
	    "das betrifft alle, deren Zuhause nicht bekannt ist"},
	[WORD_REASON] = {"Not exact since", "Ungenau, weil"},
	[WORD_ENTRIES] = {"Entries", "Einträge"},
	[WORD_MORE] = {"... and %s more lines like these (%s reads); --all "
	    "shows them.", "... und %s weitere solche Zeilen (%s Zugriffe); "
	    "--all zeigt sie."},
	[WORD_LIMITS] = {"What this answer does not say",
	    "Was diese Antwort nicht sagt"},
	[WORD_LIMIT_NAMES] = {"The names of those who read are left out. They "
	    "are in the record book, and whoever is entitled can ask for "
	    "them.", "Die Namen derer, die gelesen haben, fehlen. Sie stehen "
	    "im Protokoll; wer dazu berechtigt ist, kann danach fragen."},
	[WORD_LIMIT_OTHERS] = {"Other people's data that mentions you, and "
	    "copies outside of this data, are not part of it.", "Daten "
	    "anderer, in denen Sie vorkommen, und Kopien außerhalb dieser "
	    "Daten gehören nicht dazu."},
	[WORD_LIMIT_MOVED] = {"Part 2 is for the homes named above. If you "
	    "lived elsewhere before, ask for that place too.", "Teil 2 gilt "
	    "für den oben genannten Ort. Wenn Sie früher anderswo zu Hause "
	    "waren, fragen Sie auch danach."},
	[WORD_LIMIT_GATEWAY] = {"If there are several entrances to this data, "
	    "each has a record book of its own. This is one of them.",
	    "Wenn es mehrere Zugänge zu diesen Daten gibt, hat jeder sein "
	    "eigenes Protokoll. Dies ist eines davon."},
};

const char *
word_text(enum seen_lang lang, enum word w)
{
	return words[w][lang];
}

void
word_say(struct buf *out, enum seen_lang lang, enum word w, const char *a,
    const char *b, const char *c)
{
	const char *const texts[] = {a, b, c};
	const char *s = words[w][lang], *p;
	size_t i = 0;

	for (; (p = strstr(s, "%s")) != NULL && i < 3; s = p + 2, i++) {
		buf_bytes(out, s, (size_t)(p - s));
		buf_str(out, texts[i] == NULL ? "" : texts[i]);
	}
	buf_str(out, s);
}

enum seen_lang
seen_lang_of(const char *text)
{
	return text != NULL && strncmp(text, "de", 2) == 0 &&
	    (text[2] == 0 || strchr("_.@-", text[2]) != NULL) ? SEEN_DE :
	    SEEN_EN;
}
