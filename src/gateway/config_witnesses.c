#include "gateway/config_witnesses.h"

#include "gateway/config.h"
#include "gateway/config_read.h"
#include "log/quorum.h"
#include "yaml/yaml.h"

#define EVERY_DEFAULT_MS 10000
#define EVERY_MIN_MS 100
#define EVERY_MAX_MS 3600000

void
config_witnesses_read(struct yaml_in *in, const struct yaml_node *n,
    struct config_witnesses *ret)
{
	static const char *const keys[] = {"quorum", "every", "start", NULL};
	static const char *const starts[] = {"quorum", "reachable", NULL};
	const struct yaml_node *v;

	if (n == NULL)
		return;
	yaml_map(in, n, keys);
	ret->text.path = yaml_str(in, yaml_need(in, n, "quorum"));
	ret->every_ms = EVERY_DEFAULT_MS;
	ret->start_needs_quorum = true;
	if ((v = yaml_get(n, "every")) != NULL)
		ret->every_ms = yaml_duration_ms(in, v, EVERY_MIN_MS,
		    EVERY_MAX_MS);
	if ((v = yaml_get(n, "start")) != NULL)
		ret->start_needs_quorum = yaml_enum(in, v, starts) == 0;
}

int
config_witnesses_load(struct loading *l, struct config_witnesses *w)
{
	int r;

	if (w->text.path == NULL)
		return 0;
	if ((r = loading_text(l, w->text.path, &w->text)) != 0 ||
	    (r = quorum_read(w->text.text, w->text.len, &w->quorum,
	    l->why)) != 0)
		return r;
	return quorum_askable(w->quorum, l->why);
}
