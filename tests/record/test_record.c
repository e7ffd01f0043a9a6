/*
 * Records written and read back: fixed texts with what they mean, random
 * records of every type, and every way of being malformed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/arena.h"
#include "record/record.h"
#include "record/shape.h"

#define HEX64 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static uint64_t seed = 88172645463325252u;

static uint64_t
rnd(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return n == 0 ? seed : seed % n;
}

static const char *
random_str(struct arena *a, bool empty_is_fine)
{
	static const char *const pieces[] = {
		"x", "TS-1", "\"", "\\", "\n", "\x01", "\x7f", "\xc3\xa9",
		"\xe2\x86\x92", "\xf0\x9f\x90\x98", "/", "public.users", " ",
	};
	size_t n = rnd(6) + (empty_is_fine ? 0 : 1);
	char *s = arena_str(a, "");

	while (n-- > 0)
		s = arena_fmt(a, "%s%s", s, pieces[rnd(13)]);
	return s;
}

static void random_members(struct arena *, const struct shape *, char *);

static void
random_strs(struct arena *a, struct record_strs *l)
{
	const char **s;
	size_t i;

	l->n = rnd(4);
	s = arena_array(a, l->n, sizeof(*s));
	for (i = 0; i < l->n; i++)
		s[i] = random_str(a, true);
	l->s = s;
}

static void
random_list(struct arena *a, const struct shape_field *f, char *base)
{
	size_t n = rnd(4), i;
	char *items = arena_array(a, n, f->of->size);

	for (i = 0; i < n; i++)
		random_members(a, f->of, items + i * f->of->size);
	*(char **)(void *)(base + f->off) = items;
	*(size_t *)(void *)(base + f->off_n) = n;
}

static void
random_value(struct arena *a, const struct shape_field *f, char *base)
{
	void *p = base + f->off;
	size_t n = 0;

	switch (f->kind) {
	case SHAPE_STR:
	case SHAPE_NAME:
		*(const char **)p = random_str(a, f->kind == SHAPE_STR);
		break;
	case SHAPE_OPT:
		*(const char **)p = rnd(2) ? random_str(a, true) : NULL;
		break;
	case SHAPE_HASH:
		*(const char **)p = rnd(2) ? HEX64 : "";
		break;
	case SHAPE_ENUM:
		while (f->names[n] != NULL)
			n++;
		*(const char **)p = f->names[rnd(n)];
		break;
	case SHAPE_U64:
	case SHAPE_OPT_U64:
		*(uint64_t *)p = rnd(2) ? rnd(1000) : rnd(0) >> 1;
		break;
	case SHAPE_U32:
		*(uint32_t *)p = (uint32_t)rnd(0);
		break;
	case SHAPE_BOOL:
		*(bool *)p = rnd(2);
		break;
	case SHAPE_TIME:
		*(int64_t *)p = (int64_t)rnd(4000000000000);
		break;
	case SHAPE_STRS:
		random_strs(a, p);
		break;
	case SHAPE_FLAG_LIST:
		if (!rnd(2))
			break;
		*(bool *)(base + f->off_flag) = true;
		random_list(a, f, base);
		break;
	case SHAPE_LIST:
	case SHAPE_OPT_LIST:
		random_list(a, f, base);
		break;
	case SHAPE_FLAG_OBJECT:
		if (!rnd(2))
			break;
		*(bool *)(base + f->off_flag) = true;
		random_members(a, f->of, p);
		break;
	case SHAPE_OBJECT:
		random_members(a, f->of, p);
		break;
	}
}

static void
random_members(struct arena *a, const struct shape *shape, char *base)
{
	size_t i;

	for (i = 0; i < shape->n; i++)
		random_value(a, &shape->fields[i], base);
}

static void
encode(const struct record *rec, struct buf *out)
{
	buf_reset(out);
	assert_int_equal(record_encode_envelope(rec->gateway, rec->seq,
	    rec->time_ms, out), 0);
	assert_int_equal(record_encode_body(rec, out), 0);
}

static void
record_of_every_type_reads_back_as_written(void **state)
{
	struct record rec, back;
	struct arena *a;
	struct buf one, two;
	struct why w;
	int i, t;

	(void)state;
	buf_init(&one, 0);
	buf_init(&two, 0);
	for (i = 0; i < 3000; i++) {
		a = arena_new();
		t = RECORD_GENESIS + (int)rnd(RECORD_APPROVAL);
		memset(&rec, 0, sizeof(rec));
		rec.type = (enum record_type)t;
		rec.gateway = random_str(a, true);
		rec.seq = rnd(0) >> 1;
		rec.time_ms = (int64_t)rnd(4000000000000);
		random_members(a, shape_of(rec.type), (char *)&rec.u);
		encode(&rec, &one);
		if (record_decode(bytes_of(one.data, one.len), a, &back,
		    &w) != 0)
			fail_msg("%s: %s", buf_text(&one), w.text);
		assert_int_equal(back.type, rec.type);
		encode(&back, &two);
		assert_true(bytes_equal(bytes_of(one.data, one.len),
		    bytes_of(two.data, two.len)));
		arena_free(a);
	}
	buf_done(&one);
	buf_done(&two);
}

static const char statement_text[] =
    "{\"v\":1,\"gateway\":\"gw\",\"seq\":7,"
    "\"time\":\"2026-11-23T17:40:00.123Z\",\"type\":\"statement\","
    "\"session\":\"00000000000000aa\",\"n\":2,\"text_hmac\":\"ab\","
    "\"what\":\"SELECT\",\"basis\":\"bounded\",\"whole\":false,"
    "\"whole_why\":\"\",\"bound\":[{\"table\":\"public.users\","
    "\"residences\":[\"IE\",\"US\"],\"categories\":[\"identity\"],"
    "\"masked\":[]}],\"rules\":[\"a \\\"rule\\\"\"],"
    "\"would\":[{\"table\":\"public.users\",\"rule\":\"r\","
    "\"because\":\"you \\u2192 located in CN\",\"sqlstate\":\"42501\"}]}";

static void
statement_text_means_what_it_says(void **state)
{
	struct arena *a = arena_new();
	struct record rec;

	(void)state;
	assert_int_equal(record_decode(bytes_str(statement_text), a, &rec,
	    NULL), 0);
	assert_int_equal(rec.type, RECORD_STATEMENT);
	assert_string_equal(rec.gateway, "gw");
	assert_int_equal(rec.seq, 7);
	assert_int_equal(rec.time_ms, 1795455600123);
	assert_int_equal(rec.u.statement.n, 2);
	assert_false(rec.u.statement.whole);
	assert_int_equal(rec.u.statement.bound.n, 1);
	assert_int_equal(rec.u.statement.bound.tables[0].residences.n, 2);
	assert_string_equal(rec.u.statement.bound.tables[0].residences.s[1],
	    "US");
	assert_int_equal(rec.u.statement.bound.tables[0].masked.n, 0);
	assert_string_equal(rec.u.statement.rules.s[0], "a \"rule\"");
	assert_int_equal(rec.u.statement.n_would, 1);
	assert_string_equal(rec.u.statement.would[0].because,
	    "you \xe2\x86\x92 located in CN");
	arena_free(a);
}

static void
another_json_library_reads_what_is_written(void **state)
{
	struct record rec = {.type = RECORD_DENIAL};
	struct buf b;
	json_t *v;

	(void)state;
	buf_init(&b, 0);
	rec.gateway = "gw\t\"1\"";
	rec.u.denial = (struct record_denial){
		.session = "s", .n = 3, .text_hmac = "", .what = "DO\x01",
		.refusal = {"public.t", "", "\\", "42501"},
	};
	encode(&rec, &b);
	v = json_loadb((const char *)b.data, b.len, 0, NULL);
	assert_non_null(v);
	assert_string_equal(json_string_value(json_object_get(v, "gateway")),
	    "gw\t\"1\"");
	assert_string_equal(json_string_value(json_object_get(v, "what")),
	    "DO\x01");
	assert_string_equal(json_string_value(json_object_get(
	    json_object_get(v, "refusal"), "because")), "\\");
	json_decref(v);
	buf_done(&b);
}

static void
purpose_that_was_not_stated_is_absent(void **state)
{
	struct record rec = {.type = RECORD_CLEARANCE, .gateway = "gw"};
	struct arena *a = arena_new();
	struct record back;
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	rec.u.session = (struct record_session){
		.session = "s", .store = "us", .mode = "observe",
		.policy = "", .directory = "", .clearance = "", .role = "",
		.ticket = "T", .principal = "not written here",
	};
	encode(&rec, &b);
	assert_null(strstr(buf_text(&b), "purpose"));
	assert_null(strstr(buf_text(&b), "principal"));
	assert_null(strstr(buf_text(&b), "would"));
	assert_int_equal(record_decode(bytes_of(b.data, b.len), a, &back,
	    NULL), 0);
	assert_null(back.u.session.purpose);
	assert_string_equal(back.u.session.ticket, "T");
	assert_false(back.u.session.has_would);
	buf_done(&b);
	arena_free(a);
}

#define HEAD "{\"v\":1,\"gateway\":\"g\",\"seq\":1," \
	"\"time\":\"2026-11-23T17:40:00.123Z\","
#define BEAT "\"type\":\"heartbeat\",\"opened\":1,\"closed\":1"

static const struct {
	const char *text;
	const char *says;	/* is in the error */
} malformed[] = {
	{"", "byte"},
	{"[]", "record"},
	{"null", "byte"},
	{HEAD BEAT, "byte"},
	{HEAD BEAT "} ", NULL},		/* white space is JSON's own */
	{HEAD BEAT "}{}", "end of file"},
	{HEAD BEAT "}x", "end of file"},
	{HEAD BEAT ",\"opened\":1}", "duplicate"},
	{HEAD BEAT ",\"more\":1}", "more"},
	{HEAD BEAT ",\"session\":\"s\"}", "session"},
	{HEAD "\"type\":\"heartbeat\",\"opened\":1}", "closed"},
	{HEAD "\"type\":\"heartbeat\",\"opened\":1.0,\"closed\":1}", "opened"},
	{HEAD "\"type\":\"heartbeat\",\"opened\":\"1\",\"closed\":1}",
	    "opened"},
	{HEAD "\"type\":\"heartbeat\",\"opened\":-1,\"closed\":1}", "opened"},
	{HEAD "\"type\":\"heartbeat\",\"opened\":null,\"closed\":1}",
	    "opened"},
	{HEAD "\"type\":\"heartbeat\",\"opened\":9223372036854775808,"
	    "\"closed\":1}", "byte"},
	{HEAD "\"type\":\"none\",\"opened\":1,\"closed\":1}", "type"},
	{HEAD "\"type\":\"\",\"opened\":1,\"closed\":1}", "type"},
	{HEAD "\"opened\":1,\"closed\":1}", "type"},
	{"{\"v\":2,\"gateway\":\"g\",\"seq\":1,\"time\":"
	    "\"2026-11-23T17:40:00.123Z\"," BEAT "}", "v:"},
	{"{\"v\":1,\"seq\":1,\"time\":"
	    "\"2026-11-23T17:40:00.123Z\"," BEAT "}", "gateway"},
	{"{\"v\":1,\"gateway\":\"g\",\"seq\":1,\"time\":"
	    "\"2026-11-23T17:40:00Z\"," BEAT "}", "time"},
	{"{\"v\":1,\"gateway\":\"g\",\"seq\":1,\"time\":"
	    "\"2026-11-23T19:40:00.123+02:00\"," BEAT "}", "time"},
	{"{\"v\":1,\"gateway\":\"g\\u0000\",\"seq\":1,\"time\":"
	    "\"2026-11-23T17:40:00.123Z\"," BEAT "}", "byte"},
	{"{\"v\":1,\"gateway\":\"\xff\",\"seq\":1,\"time\":"
	    "\"2026-11-23T17:40:00.123Z\"," BEAT "}", "byte"},
	{HEAD "\"type\":\"object\",\"kind\":\"secret\",\"name\":\"\","
	    "\"sha256\":\"\",\"len\":1}", "kind"},
	{HEAD "\"type\":\"object\",\"kind\":\"policy\",\"name\":\"\","
	    "\"sha256\":\"../../etc/passwd\",\"len\":1}", "sha256"},
	{HEAD "\"type\":\"backend\",\"session\":\"s\",\"n\":1,\"role\":\"r\","
	    "\"pid\":4294967296}", "pid"},
	{HEAD "\"type\":\"backend\",\"session\":\"\",\"n\":1,\"role\":\"r\","
	    "\"pid\":1}", "session"},
};

static void
malformed_records_are_refused_and_named(void **state)
{
	struct arena *a = arena_new();
	struct record rec;
	struct why w;
	size_t i;
	int r;

	(void)state;
	for (i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		w.text[0] = 0;
		r = record_decode(bytes_str(malformed[i].text), a, &rec, &w);
		if (malformed[i].says == NULL) {
			assert_int_equal(r, 0);
			continue;
		}
		if (r != ERR_FORMAT || strstr(w.text, malformed[i].says) ==
		    NULL)
			fail_msg("%s: %d %s", malformed[i].text, r, w.text);
	}
	arena_free(a);
}

/* Every member of a statement is needed: without any one it is refused. */
static void
leaving_out_any_needed_member_is_refused(void **state)
{
	struct arena *a = arena_new();
	json_t *v = json_loads(statement_text, 0, NULL), *copy;
	const char *key;
	json_t *member;
	struct record rec;
	char *text;
	int r;

	(void)state;
	assert_non_null(v);
	json_object_foreach(v, key, member) {
		copy = json_deep_copy(v);
		json_object_del(copy, key);
		text = json_dumps(copy, JSON_COMPACT);
		r = record_decode(bytes_str(text), a, &rec, NULL);
		assert_int_equal(r, strcmp(key, "would") == 0 ? 0 :
		    ERR_FORMAT);
		free(text);
		json_decref(copy);
	}
	json_decref(v);
	arena_free(a);
}

static void
what_could_not_be_read_back_is_not_written(void **state)
{
	struct record rec = {.type = RECORD_STOP, .gateway = "gw"};
	struct buf b;
	char *big = calloc(1, RECORD_MAX + 1);

	(void)state;
	buf_init(&b, 0);
	memset(big, 'x', RECORD_MAX);
	rec.u.stop.opened = UINT64_MAX;
	assert_int_equal(record_encode_body(&rec, &b), ERR_LIMIT);
	rec.type = RECORD_GENESIS;
	rec.u.genesis.origin = "\xff";
	rec.u.genesis.key = "k";
	assert_int_equal(record_encode_body(&rec, &b), ERR_FORMAT);
	rec.u.genesis.origin = NULL;
	assert_int_equal(record_encode_body(&rec, &b), ERR_FORMAT);
	rec.u.genesis.origin = big;
	assert_int_equal(record_encode_body(&rec, &b), ERR_LIMIT);
	rec.type = RECORD_NONE;
	assert_int_equal(record_encode_body(&rec, &b), ERR_FORMAT);
	assert_int_equal(record_encode_envelope("g", 1, INT64_MAX, &b),
	    ERR_LIMIT);
	assert_int_equal(b.len, 0);
	free(big);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_of_every_type_reads_back_as_written),
		cmocka_unit_test(statement_text_means_what_it_says),
		cmocka_unit_test(another_json_library_reads_what_is_written),
		cmocka_unit_test(purpose_that_was_not_stated_is_absent),
		cmocka_unit_test(malformed_records_are_refused_and_named),
		cmocka_unit_test(leaving_out_any_needed_member_is_refused),
		cmocka_unit_test(what_could_not_be_read_back_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
