#include "gateway/setting.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

static const char *const allowed[] = {
	"application_name",
	"client_encoding",
	"client_min_messages",
	"datestyle",
	"default_transaction_deferrable",
	"default_transaction_isolation",
	"default_transaction_read_only",
	"extra_float_digits",
	"idle_in_transaction_session_timeout",
	"idle_session_timeout",
	"intervalstyle",
	"lock_timeout",
	"session characteristics",
	"statement_timeout",
	"timezone",
	"transaction",
	"transaction_deferrable",
	"transaction_isolation",
	"transaction_read_only",
};

static const char *const reading[] = {
	"backslash_quote",
	"client_encoding",
	"role",
	"search_path",
	"session_authorization",
	"standard_conforming_strings",
};

static bool
listed(const char *const *list, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcasecmp(list[i], name) == 0)
			return true;
	return false;
}

/* Of a name PostgreSQL reads letters and digits only: asyncpg says 'utf-8',
 * with the quotes. */
static bool
is_utf8(const char *value)
{
	static const char alnum[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	char name[sizeof("unicode")];
	size_t n = 0;

	for (; *value != 0; value++) {
		if (strchr(alnum, *value) == NULL)
			continue;
		if (n + 1 == sizeof(name))
			return false;
		name[n++] = *value;
	}
	name[n] = 0;
	return strcasecmp(name, "utf8") == 0 ||
	    strcasecmp(name, "unicode") == 0;
}

bool
setting_allowed(const char *name, const char *value)
{
	if (setting_is_purpose(name) || setting_is_ticket(name))
		return true;
	if (strcasecmp(name, "client_encoding") == 0)
		return value != NULL && is_utf8(value);
	return listed(allowed, sizeof(allowed) / sizeof(*allowed), name);
}

bool
setting_changes_reading(const char *name)
{
	return listed(reading, sizeof(reading) / sizeof(*reading), name);
}

bool
setting_reads_otherwise(const char *name, const char *value)
{
	if (strcasecmp(name, "standard_conforming_strings") == 0)
		return strcasecmp(value, "on") != 0;
	if (strcasecmp(name, "client_encoding") == 0)
		return !is_utf8(value);
	return false;
}

bool
setting_is_purpose(const char *name)
{
	return strcasecmp(name, "sworn.purpose") == 0;
}

bool
setting_is_ticket(const char *name)
{
	return strcasecmp(name, "sworn.ticket") == 0;
}

bool
setting_is_ours(const char *name)
{
	return strncasecmp(name, "sworn.", 6) == 0;
}

bool
setting_text_valid(const char *value)
{
	const unsigned char *p;
	size_t len = strlen(value);

	if (len > SETTING_TEXT_MAX || !text_is_utf8(value, len))
		return false;
	for (p = (const unsigned char *)value; *p != 0; p++)
		if (*p < 0x20 || *p == 0x7f)
			return false;
	return true;
}
