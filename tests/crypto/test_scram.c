/*
 * crypto/scram.h against the vector of RFC 7677, a verifier that PostgreSQL
 * 15 made (CREATE ROLE ... PASSWORD 'pencil'), and each side against the
 * other.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/scram.h"

#define RFC_NONCE "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"

/* Made by PostgreSQL 15.20 for the password "pencil". */
static const char postgres_verifier[] =
    "SCRAM-SHA-256$4096:hDqAQM4fTePUtyoX3O32AA=="
    "$7kJP2qZwm7+frWxDAjeGoPQaMSjwHKh4sKdfyrk9kDY="
    ":dUW5gj2TZIP/3WyVJNK2c23ISPS7qcOFGKyaDPDCZmM=";

static void
proof_is_that_of_rfc_7677(void **state)
{
	static const char auth[] = "n=user,r=rOprNGfwEbeRWgbNEkqO,"
	    "r=" RFC_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
	    "c=biws,r=" RFC_NONCE;
	uint8_t salted[HASH_LEN], proof[HASH_LEN], sig[HASH_LEN];
	struct buf salt, text;

	(void)state;
	buf_init(&salt, 0);
	buf_init(&text, 0);
	assert_int_equal(text_unbase64("W22ZaJ0SNY7soEsUEjb6gQ==", 24,
	    &salt), 0);
	assert_int_equal(hash_pbkdf2("pencil", salt.data, salt.len, 4096,
	    salted), 0);
	assert_int_equal(scram_proof(salted, auth, strlen(auth), proof, sig),
	    0);
	text_base64(&text, proof, sizeof(proof));
	assert_string_equal(buf_text(&text),
	    "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
	buf_reset(&text);
	text_base64(&text, sig, sizeof(sig));
	assert_string_equal(buf_text(&text),
	    "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
	buf_done(&salt);
	buf_done(&text);
}

/* A whole exchange: what the server says at its end, what the client says. */
static void
exchange(const struct scram_verifier *v, const char *password,
    struct scram_salted *keep, int *server, int *client)
{
	struct scram_server *s = scram_server_new(v);
	struct scram_client *c = scram_client_new(password);
	struct buf a, b;

	assert_non_null(s);
	assert_non_null(c);
	if (keep != NULL)
		scram_client_keep(c, keep);
	buf_init(&a, 0);
	buf_init(&b, 0);
	assert_int_equal(scram_client_first(c, &a), 0);
	assert_int_equal(scram_server_first(s, false, (char *)a.data, a.len, &b), 0);
	buf_reset(&a);
	assert_int_equal(scram_client_final(c, (char *)b.data, b.len, &a), 0);
	buf_reset(&b);
	*server = scram_server_final(s, (char *)a.data, a.len, &b);
	*client = scram_client_check(c, (char *)b.data, b.len);
	buf_done(&a);
	buf_done(&b);
	scram_server_free(s);
	scram_client_free(c);
}

static void
verifier_of_postgresql_takes_its_password_only(void **state)
{
	struct scram_verifier v;
	struct buf b;
	int server, client;

	(void)state;
	assert_int_equal(scram_verifier_read(postgres_verifier, &v), 0);
	exchange(&v, "pencil", NULL, &server, &client);
	assert_int_equal(server, 0);
	assert_int_equal(client, 0);
	exchange(&v, "Pencil", NULL, &server, &client);
	assert_int_equal(server, ERR_DENIED);
	buf_init(&b, 0);
	scram_verifier_write(&v, &b);
	assert_string_equal(buf_text(&b), postgres_verifier);
	buf_done(&b);
}

static void
client_that_keeps_its_salted_password_is_let_in_again(void **state)
{
	struct scram_salted keep = {0};
	struct scram_verifier v, w;
	int server, client, i;

	(void)state;
	assert_int_equal(scram_verifier_make("secret", &v), 0);
	assert_int_equal(scram_verifier_make("secret", &w), 0);
	for (i = 0; i < 2; i++) {
		exchange(&v, "secret", &keep, &server, &client);
		assert_int_equal(server, 0);
		assert_int_equal(client, 0);
		assert_int_equal(keep.iterations, SCRAM_ITERATIONS);
	}
	/* Another salt at the server: it is made anew. */
	exchange(&w, "secret", &keep, &server, &client);
	assert_int_equal(server, 0);
	assert_memory_equal(keep.salt, w.salt, w.salt_len);
}

static void
server_that_does_not_know_the_password_is_found_out(void **state)
{
	struct scram_verifier v;
	int server, client;

	(void)state;
	assert_int_equal(scram_verifier_make("secret", &v), 0);
	v.server_key[0] ^= 1;
	exchange(&v, "secret", NULL, &server, &client);
	assert_int_equal(server, 0);
	assert_int_equal(client, ERR_CRYPTO);
}

static void
mock_is_steady_for_a_name_and_lets_nobody_in(void **state)
{
	const uint8_t secret[HASH_LEN] = {7};
	struct scram_verifier a, b, c;
	int server, client;

	(void)state;
	assert_int_equal(scram_verifier_mock("eve", secret, &a), 0);
	assert_int_equal(scram_verifier_mock("eve", secret, &b), 0);
	assert_int_equal(scram_verifier_mock("mallory", secret, &c), 0);
	assert_memory_equal(a.salt, b.salt, a.salt_len);
	assert_memory_not_equal(a.salt, c.salt, a.salt_len);
	exchange(&a, "", NULL, &server, &client);
	assert_int_equal(server, ERR_DENIED);
}

static void
verifier_read_rejects_what_postgresql_would_not_write(void **state)
{
	static const char *const bad[] = {
		"", "md5abcdef", "SCRAM-SHA-256$", "SCRAM-SHA-256$4096:$:",
		"SCRAM-SHA-256$0:AAAA$AAAA:AAAA",
		"SCRAM-SHA-256$04096:W22ZaJ0SNY7soEsUEjb6gQ==$x:y",
		"SCRAM-SHA-256$99999999:W22ZaJ0SNY7soEsUEjb6gQ=="
		"$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
		":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
	};
	struct scram_verifier v;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(scram_verifier_read(bad[i], &v),
		    ERR_FORMAT);
}

static void
server_first_rejects_binding_identity_and_mandatory_extensions(void **state)
{
	static const char *const bad[] = {
		"", "n", "n,,", "p=tls-unique,,n=,r=abc", "n,a=root,n=,r=abc",
		"n,,m=x,n=,r=abc", "n,,n=,r=", "n,,n=,r=a\tb", "x,,n=,r=abc",
		"n,,n=,r=abc,m=ext", "n,,r=abc",
	};
	struct scram_verifier v;
	struct scram_server *s;
	struct buf out;
	size_t i;

	(void)state;
	assert_int_equal(scram_verifier_read(postgres_verifier, &v), 0);
	buf_init(&out, 0);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		s = scram_server_new(&v);
		assert_int_equal(scram_server_first(s, false, bad[i],
		    strlen(bad[i]), &out), ERR_FORMAT);
		scram_server_free(s);
	}
	buf_done(&out);
}

/* Each byte of client-final matters: no change of one is let in. */
static void
server_final_rejects_each_single_change(void **state)
{
	struct scram_verifier v;
	struct scram_server *s;
	struct scram_client *c;
	struct buf first, answer, final, out;
	size_t i, len = 1;
	int r;

	(void)state;
	assert_int_equal(scram_verifier_read(postgres_verifier, &v), 0);
	buf_init(&first, 0);
	buf_init(&answer, 0);
	buf_init(&final, 0);
	buf_init(&out, 0);
	for (i = 0; i < len; i++) {
		s = scram_server_new(&v);
		c = scram_client_new("pencil");
		buf_reset(&first);
		buf_reset(&answer);
		buf_reset(&final);
		assert_int_equal(scram_client_first(c, &first), 0);
		assert_int_equal(scram_server_first(s, false, (char *)first.data,
		    first.len, &answer), 0);
		assert_int_equal(scram_client_final(c, (char *)answer.data,
		    answer.len, &final), 0);
		len = final.len;
		final.data[i] ^= 1;
		r = scram_server_final(s, (char *)final.data, final.len, &out);
		assert_true(r == ERR_FORMAT || r == ERR_DENIED);
		scram_server_free(s);
		scram_client_free(c);
	}
	assert_true(len > 100);
	buf_done(&first);
	buf_done(&answer);
	buf_done(&final);
	buf_done(&out);
}

static void
client_final_rejects_a_server_nonce_that_is_not_longer_than_ours(void **state)
{
	struct scram_client *c = scram_client_new("pencil");
	struct buf first, in, out;
	const char *nonce;

	(void)state;
	buf_init(&first, 0);
	buf_init(&in, 0);
	buf_init(&out, 0);
	assert_int_equal(scram_client_first(c, &first), 0);
	nonce = strstr(buf_text(&first), "r=") + 2;
	buf_fmt(&in, "r=%s,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", nonce);
	assert_int_equal(scram_client_final(c, (char *)in.data, in.len,
	    &out), ERR_FORMAT);
	buf_reset(&in);
	buf_fmt(&in, "r=x%s,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", nonce);
	assert_int_equal(scram_client_final(c, (char *)in.data, in.len,
	    &out), ERR_FORMAT);
	buf_done(&first);
	buf_done(&in);
	buf_done(&out);
	scram_client_free(c);
}

/* With what each side takes for the server's certificate; plus: the client
 * found it in the offer. */
static int
bound_exchange(const char *server, const char *client, bool plus,
    bool could, int *first)
{
	struct scram_verifier v;
	struct scram_server *s;
	struct scram_client *c = scram_client_new("pencil");
	struct buf a, b;
	int r;

	assert_int_equal(scram_verifier_read(postgres_verifier, &v), 0);
	s = scram_server_new(&v);
	if (server != NULL)
		assert_int_equal(scram_server_bind(s, bytes_str(server)), 0);
	if (client != NULL)
		assert_int_equal(scram_client_bind(c, bytes_str(client)), 0);
	if (could)
		scram_client_could_bind(c);
	buf_init(&a, 0);
	buf_init(&b, 0);
	assert_int_equal(scram_client_first(c, &a), 0);
	r = *first = scram_server_first(s, plus, (char *)a.data, a.len, &b);
	buf_reset(&a);
	if (r == 0) {
		assert_int_equal(scram_client_final(c, (char *)b.data, b.len,
		    &a), 0);
		buf_reset(&b);
		r = scram_server_final(s, (char *)a.data, a.len, &b);
	}
	if (r == 0)
		r = scram_client_check(c, (char *)b.data, b.len);
	buf_done(&a);
	buf_done(&b);
	scram_server_free(s);
	scram_client_free(c);
	return r;
}

static void
binding_holds_only_if_both_see_the_same_certificate(void **state)
{
	int first;

	(void)state;
	assert_int_equal(bound_exchange("hash", "hash", true, false,
	    &first), 0);
	assert_int_equal(bound_exchange("hash", "hush", true, false,
	    &first), ERR_CONFLICT);
	assert_int_equal(first, 0);
	assert_int_equal(bound_exchange("hash", "hashes", true, false,
	    &first), ERR_CONFLICT);
}

static void
offer_that_was_changed_on_its_way_is_noticed(void **state)
{
	int first;

	(void)state;
	/* The client believes that there was no PLUS: there was. */
	assert_int_equal(bound_exchange("hash", NULL, false, true, &first),
	    ERR_CONFLICT);
	/* There was none; or the client cannot bind at all. */
	assert_int_equal(bound_exchange(NULL, NULL, false, true, &first), 0);
	assert_int_equal(bound_exchange("hash", NULL, false, false, &first),
	    0);
}

static void
mechanism_and_header_must_agree(void **state)
{
	int first;

	(void)state;
	assert_int_equal(bound_exchange("hash", "hash", false, false,
	    &first), ERR_FORMAT);
	assert_int_equal(bound_exchange("hash", NULL, true, false, &first),
	    ERR_FORMAT);
	assert_int_equal(bound_exchange("hash", NULL, true, true, &first),
	    ERR_FORMAT);
	assert_int_equal(bound_exchange(NULL, "hash", true, false, &first),
	    ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proof_is_that_of_rfc_7677),
		cmocka_unit_test(
		    verifier_of_postgresql_takes_its_password_only),
		cmocka_unit_test(
		    client_that_keeps_its_salted_password_is_let_in_again),
		cmocka_unit_test(
		    server_that_does_not_know_the_password_is_found_out),
		cmocka_unit_test(mock_is_steady_for_a_name_and_lets_nobody_in),
		cmocka_unit_test(
		    verifier_read_rejects_what_postgresql_would_not_write),
		cmocka_unit_test(server_first_rejects_binding_identity_and_mandatory_extensions),
		cmocka_unit_test(server_final_rejects_each_single_change),
		cmocka_unit_test(
		    binding_holds_only_if_both_see_the_same_certificate),
		cmocka_unit_test(offer_that_was_changed_on_its_way_is_noticed),
		cmocka_unit_test(mechanism_and_header_must_agree),
		cmocka_unit_test(client_final_rejects_a_server_nonce_that_is_not_longer_than_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
