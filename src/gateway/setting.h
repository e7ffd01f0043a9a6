/*
 * gateway/setting.h - which settings a person may state or change.
 *
 * A setting that changes how SQL is read (lexing, search path, roles) would
 * let the gateway and the store read two different texts; so only those
 * listed here, and doubt denies.
 */
#ifndef GATEWAY_SETTING_H
#define GATEWAY_SETTING_H

#include <stdbool.h>
#include <stddef.h>

#define SETTING_TEXT_MAX 200	/* of a purpose or ticket */

/* value NULL: not a single constant (a list, DEFAULT). */
bool setting_allowed(const char *name, const char *value);
/* Whether SQL may be read differently once it is set. */
bool setting_changes_reading(const char *name);
/* A value, as ParameterStatus tells it, under which SQL is read otherwise. */
bool setting_reads_otherwise(const char *name, const char *value);
/* "sworn.purpose" and "sworn.ticket"; any letter case. */
bool setting_is_purpose(const char *name);
bool setting_is_ticket(const char *name);
bool setting_is_ours(const char *name);	/* sworn.* */
/* At most SETTING_TEXT_MAX bytes of printable UTF-8 text. */
bool setting_text_valid(const char *value);

#endif
