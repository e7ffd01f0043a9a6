/*
 * PostgreSQL lets every role raise its own statement_timeout and work_mem:
 * for these the login has a default, and the gateway refuses to raise it.
 * temp_file_limit is a superuser's to change, and CONNECTION LIMIT belongs to
 * the role: these the store holds.
 */
#include "gateway/limits.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "yaml/yaml.h"

#define STATEMENT_MS 600000
#define TEMP_MB 1024
#define SUBJECTS 50000

static uint64_t
number(struct yaml_in *in, const struct yaml_node *n, const char *key,
    uint64_t usual, uint64_t max)
{
	const struct yaml_node *v = yaml_get(n, key);

	if (v == NULL)
		return usual;
	if (v->kind == YAML_SCALAR && strcmp(v->text, "none") == 0)
		return 0;
	return yaml_u64(in, v, 1, max);
}

void
limits_read(struct yaml_in *in, const struct yaml_node *n,
    struct store_limits *ret)
{
	static const char *const keys[] = {"statement", "rows", "temp-mb",
	    "work-mb", "connections", "subjects", NULL};
	const struct yaml_node *v;

	memset(ret, 0, sizeof(*ret));
	ret->statement_ms = STATEMENT_MS;
	if (n != NULL)
		yaml_map(in, n, keys);
	if ((v = yaml_get(n, "statement")) != NULL)
		ret->statement_ms = v->kind == YAML_SCALAR &&
		    strcmp(v->text, "none") == 0 ? 0 :
		    yaml_duration_ms(in, v, 1, INT32_MAX);
	ret->rows = number(in, n, "rows", 0, INT64_MAX);
	ret->temp_mb = number(in, n, "temp-mb", TEMP_MB, 1 << 20);
	ret->work_mb = number(in, n, "work-mb", 0, 1 << 20);
	ret->connections = number(in, n, "connections", 0, 10000);
	ret->subjects = SUBJECTS;
	if ((v = yaml_get(n, "subjects")) != NULL)
		ret->subjects = yaml_u64(in, v, 1, 10000000);
}

/* "5000", "30s", " 2 min": what PostgreSQL reads as a time; 0 if it is
 * nothing that we know. */
static uint64_t
milliseconds(const char *s)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {
		{"", 1}, {"ms", 1}, {"s", 1000}, {"min", 60000},
		{"h", 3600000}, {"d", 86400000},
	};
	uint64_t n;
	size_t len, i;

	s += strspn(s, " ");
	len = strspn(s, "0123456789");
	if (len == 0 || len > 9 || text_u64(s, len, &n) != 0)
		return 0;
	s += len;
	s += strspn(s, " ");
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(s, units[i].unit) == 0)
			return n * units[i].ms;
	return 0;
}

bool
limits_allow(const struct store_limits *l, const char *name,
    const char *value)
{
	uint64_t ms;

	if (l->statement_ms == 0 || value == NULL ||
	    strcasecmp(name, "statement_timeout") != 0)
		return true;
	ms = milliseconds(value);
	return ms > 0 && ms <= l->statement_ms;
}

void
limits_sql(const struct store_limits *l, const char *role, struct buf *out)
{
	if (l->statement_ms > 0)
		buf_fmt(out, "ALTER ROLE %s SET statement_timeout = %" PRIu64
		    ";\n", role, l->statement_ms);
	if (l->temp_mb > 0)
		buf_fmt(out, "ALTER ROLE %s SET temp_file_limit = '%" PRIu64
		    "MB';\n", role, l->temp_mb);
	if (l->work_mb > 0)
		buf_fmt(out, "ALTER ROLE %s SET work_mem = '%" PRIu64
		    "MB';\n", role, l->work_mb);
	if (l->connections > 0)
		buf_fmt(out, "ALTER ROLE %s CONNECTION LIMIT %" PRIu64 ";\n",
		    role, l->connections);
}
