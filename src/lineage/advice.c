/* For each reason not to rewrite (rewrite.h) a way to write it otherwise. */
#include <string.h>

#include "lineage/rewrite.h"

static const struct {
	const char *why;
	const char *advice;
} list[] = {
	{ "has a subquery in a condition",
	    "use EXISTS, IN or a join, and not under NOT" },
	{ "has a condition on a value that several rows make",
	    "select the value without the condition; of these only count(*) "
	    "> n, max(x) > n and min(x) < n can be followed" },
	{ "has a condition on groups that change",
	    "select the groups without HAVING" },
	{ "has a condition on what an outer join adds",
	    "use JOIN, or let WHERE compare a column of the joined table" },
	{ "takes the first rows by a value that several rows make",
	    "leave LIMIT away, or sort by columns of tables" },
	{ "takes the first rows of groups that change",
	    "leave LIMIT away, or sort by columns of tables" },
	{ "skips rows, which are not shown and matter",
	    "instead of OFFSET ask for what is behind the last row: WHERE id "
	    "> ... ORDER BY id LIMIT ..." },
	{ "compares whole answers",
	    "use UNION, or IN with one column" },
	{ "leaves out rows that a window function is over",
	    "show all rows, or the first ones by row_number() <= n as the "
	    "only condition" },
	{ "uses a window function",
	    "use it in a subquery of FROM, and show all rows" },
	{ "takes a row as a whole", "name its columns" },
	{ "takes all columns of a join with USING", "name the columns" },
	{ "takes all columns of a WITH query", "name the columns" },
	{ "joins by what columns are called", "use JOIN ... ON" },
	{ "groups by several sets", "ask for each grouping by itself" },
	{ "is read by the end of a transaction", "declare it WITHOUT HOLD" },
	{ "is not one query", "send one SELECT by itself" },
};

const char *
rewrite_advice(const char *why)
{
	size_t i;

	for (i = 0; why != NULL && i < sizeof(list) / sizeof(*list); i++)
		if (strcmp(list[i].why, why) == 0)
			return list[i].advice;
	return "ask for columns of tables in one SELECT, with functions of "
	    "PostgreSQL's own";
}
