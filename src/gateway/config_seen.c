#include "gateway/config_seen.h"

#include <string.h>

#include "yaml/yaml.h"

void
config_seen_read(struct yaml_in *in, const struct yaml_node *n,
    struct config_seen *ret)
{
	static const char *const keys[] = {"names-for", NULL};

	if (n == NULL)
		return;
	yaml_map(in, n, keys);
	ret->names_for = yaml_strs(in, yaml_need(in, n, "names-for"),
	    &ret->n);
}

bool
config_seen_names_for(const struct config_seen *s, const char *user)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strcmp(s->names_for[i], user) == 0)
			return true;
	return false;
}
