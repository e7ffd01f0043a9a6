#include "claim/csvlog.h"

#include <string.h>

#include "base/err.h"
#include "base/time.h"

int
csvlog_time(const char *text, int64_t *ret)
{
	char iso[TIME_TEXT_MAX];
	const char *zone;
	size_t len;

	if (strlen(text) < 20 || text[10] != ' ' ||
	    (zone = strchr(text + 11, ' ')) == NULL)
		return ERR_FORMAT;
	if (strcmp(zone, " UTC") != 0 && strcmp(zone, " GMT") != 0)
		return ERR_FORMAT;
	len = (size_t)(zone - text);
	if (len + 2 > sizeof(iso))
		return ERR_FORMAT;
	memcpy(iso, text, len);
	iso[10] = 'T';
	iso[len] = 'Z';
	return time_parse(iso, len + 1, ret);
}
