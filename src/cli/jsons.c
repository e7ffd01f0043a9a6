#include "cli/jsons.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"

void
jsons_add(json_t **list, json_t *item)
{
	if (json_array_append_new(*list, item) != 0) {
		json_decref(*list);
		*list = NULL;
	}
}

json_t *
jsons_list(const char *const *items, size_t n)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		jsons_add(&list, json_string(items[i]));
	return list;
}

int
jsons_write(json_t *j, struct buf *out)
{
	char *text = j == NULL ? NULL : json_dumps(j, JSON_INDENT(1));

	json_decref(j);
	if (text == NULL)
		return ERR_MEMORY;
	buf_str(out, text);
	buf_str(out, "\n");
	free(text);
	return out->failed ? ERR_MEMORY : 0;
}
