/*
 * The witness's configuration (docs/witness.md).
 */
#include "witness/witness.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "key/secret.h"
#include "yaml/yaml.h"

#define LOGS_MAX 10000
#define KEYS_MAX 16
#define TYPE_ED25519 0x01
#define TYPE_COSIGNATURE 0x04

static void
read_keys(struct yaml_in *in, const struct yaml_node *n,
    struct witness_log *ret)
{
	struct note_key *keys;
	size_t i;

	yaml_list(in, n);
	if (in->result != 0)
		return;
	if (n->n == 0 || n->n > KEYS_MAX) {
		(void)yaml_fail(in, n, "1 to %d keys", KEYS_MAX);
		return;
	}
	keys = arena_array(in->arena, n->n, sizeof(*keys));
	if (keys == NULL) {
		in->result = ERR_MEMORY;
		return;
	}
	for (i = 0; i < n->n && in->result == 0; i++) {
		const char *text = yaml_str(in, n->items[i]);

		if (text != NULL && (note_key_read(text, strlen(text),
		    &keys[i]) != 0 || keys[i].type != TYPE_ED25519))
			(void)yaml_fail(in, n->items[i], "not a log's "
			    "verifier key (name+hex+base64)");
	}
	ret->keys = keys;
	ret->n_keys = n->n;
}

static void
read_log(struct yaml_in *in, const struct yaml_node *n,
    struct witness_log *ret)
{
	static const char *const allowed[] = {"origin", "keys", NULL};
	const struct yaml_node *origin;

	yaml_map(in, n, allowed);
	if (in->result != 0)
		return;
	read_keys(in, yaml_need(in, n, "keys"), ret);
	origin = yaml_get(n, "origin");
	if (origin != NULL)
		ret->origin = yaml_str(in, origin);
	else if (in->result == 0)
		ret->origin = ret->keys[0].name;
	if (in->result == 0 && (ret->origin[0] == 0 ||
	    strlen(ret->origin) >= NOTE_NAME_MAX))
		(void)yaml_fail(in, n, "an origin has 1 to %d bytes",
		    NOTE_NAME_MAX - 1);
}

static void
read_logs(struct yaml_in *in, const struct yaml_node *n,
    struct witness_conf *ret)
{
	struct witness_log *logs;
	size_t i, j;

	yaml_list(in, n);
	if (in->result != 0)
		return;
	if (n->n == 0 || n->n > LOGS_MAX) {
		(void)yaml_fail(in, n, "1 to %d logs", LOGS_MAX);
		return;
	}
	if ((logs = arena_array(in->arena, n->n, sizeof(*logs))) == NULL) {
		in->result = ERR_MEMORY;
		return;
	}
	for (i = 0; i < n->n; i++) {
		read_log(in, n->items[i], &logs[i]);
		if (in->result != 0)
			return;
		for (j = 0; j < i; j++)
			if (strcmp(logs[i].origin, logs[j].origin) == 0)
				(void)yaml_fail(in, n->items[i], "%s is "
				    "there twice; give one log all its keys",
				    logs[i].origin);
	}
	ret->logs = logs;
	ret->n_logs = n->n;
}

int
witness_conf_read(struct arena *a, const char *text, size_t len,
    struct witness_conf *ret, struct why *w)
{
	static const char *const allowed[] = {"witness", "key",
	    "key-secret", "state", "listen", "prefix", "logs", NULL};
	struct yaml_in in = {a, w, 0};
	const struct yaml_node *n, *prefix, *secret;
	struct why words;
	size_t end;
	int r;

	memset(ret, 0, sizeof(*ret));
	if ((r = yaml_parse(a, text, len, &n, w)) != 0)
		return r;
	yaml_map(&in, n, allowed);
	if (in.result != 0)
		return in.result;
	(void)yaml_u64(&in, yaml_need(&in, n, "witness"), 1, 1);
	ret->key_file = yaml_str(&in, yaml_need(&in, n, "key"));
	ret->state_dir = yaml_str(&in, yaml_need(&in, n, "state"));
	ret->listen = yaml_str(&in, yaml_need(&in, n, "listen"));
	if ((secret = yaml_get(n, "key-secret")) != NULL &&
	    (ret->key_secret = yaml_str(&in, secret)) != NULL &&
	    secret_source_check(ret->key_secret, &words) != 0)
		(void)yaml_fail(&in, secret, "%s", words.text);
	ret->prefix = "";
	prefix = yaml_get(n, "prefix");
	if (prefix != NULL)
		ret->prefix = yaml_str(&in, prefix);
	if (in.result == 0 && (end = strlen(ret->prefix)) > 0 &&
	    (ret->prefix[0] != '/' || ret->prefix[end - 1] == '/'))
		(void)yaml_fail(&in, prefix, "begins with a slash and does "
		    "not end with one");
	read_logs(&in, yaml_need(&in, n, "logs"), ret);
	return in.result;
}

int
witness_key(const struct note_key *key, struct note_key *ret)
{
	return note_key_make(key->name, TYPE_COSIGNATURE, key->public, ret);
}
