#include "gateway/config_tickets.h"

#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text.h"
#include "yaml/yaml.h"

#define ARGS_MAX 64
#define URL_MAX 2000

static const char *
path_below(struct yaml_in *in, const struct yaml_node *n, const char *folder)
{
	const char *s = yaml_str(in, n);

	if (s == NULL || s[0] == '/')
		return s;
	if ((s = arena_fmt(in->arena, "%s/%s", folder, s)) == NULL)
		in->result = why_set(in->why, ERR_MEMORY, 0, 0,
		    "out of memory");
	return s;
}

/* A program and its arguments; no shell reads them. */
static void
read_command(struct yaml_in *in, const struct yaml_node *n,
    const char *folder, struct config_tickets *ret)
{
	const char *const *given;
	const char **argv;
	size_t i, count;

	given = yaml_strs(in, n, &count);
	if (in->result == 0 && (count == 0 || count > ARGS_MAX))
		(void)yaml_fail(in, n, "a program and up to %d arguments are "
		    "wanted", ARGS_MAX - 1);
	if (in->result != 0)
		return;
	argv = arena_array(in->arena, count + 1, sizeof(*argv));
	if (argv == NULL) {
		in->result = why_set(in->why, ERR_MEMORY, 0, 0,
		    "out of memory");
		return;
	}
	for (i = 0; i < count; i++)
		argv[i] = given[i];
	if (argv[0][0] != '/' && (argv[0] = arena_fmt(in->arena, "%s/%s",
	    folder, given[0])) == NULL)
		in->result = why_set(in->why, ERR_MEMORY, 0, 0,
		    "out of memory");
	else if (access(argv[0], X_OK) != 0)
		(void)yaml_fail(in, n, "\"%.200s\" is no program that can be "
		    "run here; give its path", argv[0]);
	ret->command = argv;
}

static void
read_url(struct yaml_in *in, const struct yaml_node *n,
    struct config_tickets *ret)
{
	const char *s = yaml_str(in, n);

	if (s != NULL && (strlen(s) > URL_MAX ||
	    (!text_starts(s, "http://") && !text_starts(s, "https://"))))
		(void)yaml_fail(in, n, "\"%.80s\" is no URL of http:// or "
		    "https://", s);
	ret->url = s;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool
config_tickets_same(const struct config_tickets *a,
    const struct config_tickets *b)
{
	size_t i;

	if (a->set != b->set || (a->command == NULL) != (b->command == NULL) ||
	    !same_text(a->url, b->url) ||
	    !same_text(a->token_path, b->token_path) ||
	    !same_text(a->ca_path, b->ca_path) ||
	    a->timeout_ms != b->timeout_ms || a->cache_ms != b->cache_ms ||
	    a->parallel != b->parallel)
		return false;
	for (i = 0; a->command != NULL; i++) {
		if (!same_text(a->command[i], b->command[i]))
			return false;
		if (a->command[i] == NULL)
			break;
	}
	return true;
}

void
config_tickets_read(struct yaml_in *in, const struct yaml_node *n,
    const char *folder, struct config_tickets *ret)
{
	static const char *const keys[] = {"command", "url", "token", "ca",
	    "timeout", "cache", "parallel", NULL};
	const struct yaml_node *command, *url, *v;

	if (n == NULL)
		return;
	yaml_map(in, n, keys);
	ret->set = true;
	ret->timeout_ms = 2000;
	ret->cache_ms = 30000;
	ret->parallel = 8;
	command = yaml_get(n, "command");
	url = yaml_get(n, "url");
	if ((command != NULL) == (url != NULL))
		(void)yaml_fail(in, n, "whom to ask is either a \"command\" "
		    "or a \"url\"");
	if (command != NULL)
		read_command(in, command, folder, ret);
	read_url(in, url, ret);
	if (command != NULL && (v = yaml_get(n, "token")) != NULL)
		(void)yaml_fail(in, v, "a token is for a \"url\"");
	ret->token_path = path_below(in, yaml_get(n, "token"), folder);
	ret->ca_path = path_below(in, yaml_get(n, "ca"), folder);
	if ((v = yaml_get(n, "timeout")) != NULL)
		ret->timeout_ms = (unsigned)yaml_duration_ms(in, v, 50,
		    30000);
	if ((v = yaml_get(n, "cache")) != NULL)
		ret->cache_ms = (unsigned)yaml_duration_ms(in, v, 100,
		    600000);
	if ((v = yaml_get(n, "parallel")) != NULL)
		ret->parallel = (unsigned)yaml_u64(in, v, 1, 64);
}
