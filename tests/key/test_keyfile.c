/*
 * Files of keys of each kind, and secrets from each source. That the openssl
 * program and a token agree is for tests/end/test_keys.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "key/keyfile.h"
#include "key/secret.h"
#include "key/signing.h"

#define NAME "test.example/log"
#define URI "pkcs11:token=a;object=b"

static char folder[64];

static int
make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/sworn-key-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int
remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static const char *
path_of(const char *name)
{
	static char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static const char *
put(const char *name, const void *data, size_t len, mode_t mode)
{
	const char *path = path_of(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
	return path;
}

static struct secret *
secret_of(const char *text)
{
	struct secret *s = secret_new();

	assert_non_null(s);
	s->len = strlen(text);
	memcpy(s->text, text, s->len);
	return s;
}

/* One of each kind. */
static void
make(enum keyfile_kind kind, struct keyfile *k)
{
	struct secret *pass = secret_of("a passphrase");

	assert_int_equal(keyfile_make(NAME, k), 0);
	if (kind == KEYFILE_ENCRYPTED)
		assert_int_equal(keyfile_seal(k, pass), 0);
	if (kind == KEYFILE_TOKEN) {
		k->kind = kind;
		memcpy(k->uri, URI, sizeof(URI));
	}
	secret_free(pass);
}

static void
what_is_printed_is_parsed_and_nothing_cut_off_it(void **state)
{
	const enum keyfile_kind kinds[] = {KEYFILE_PLAIN, KEYFILE_ENCRYPTED,
	    KEYFILE_TOKEN};
	struct keyfile k, got;
	struct buf text, again;
	size_t i, n, good;

	(void)state;
	for (i = 0; i < 3; i++) {
		make(kinds[i], &k);
		buf_init(&text, 0);
		buf_init(&again, 0);
		keyfile_print(&k, &text);
		assert_int_equal(keyfile_parse((char *)text.data, text.len,
		    &got), 0);
		assert_int_equal(got.kind, kinds[i]);
		assert_string_equal(got.key.name, NAME);
		keyfile_print(&got, &again);
		assert_int_equal(again.len, text.len);
		assert_memory_equal(again.data, text.data, text.len);
		/* The last newline may be missing; a URI may be a shorter
		 * one; else all of it is needed. */
		for (n = 0, good = 0; n + 1 < text.len; n++)
			good += keyfile_parse((char *)text.data, n,
			    &got) == 0;
		assert_int_equal(good, kinds[i] == KEYFILE_TOKEN ?
		    strlen(URI) - strlen("pkcs11:") : 0);
		buf_done(&text);
		buf_done(&again);
	}
}

static void
other_texts_are_no_keys(void **state)
{
	static const char *const after[] = {
		"", "\n", "pkcs11:a b\n", "pkcs11:a\n\n", "pkcs11:\x7f\n",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n",
		("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
		    "-----END ENCRYPTED PRIVATE KEY-----\nmore\n"),
	};
	struct keyfile k, got;
	struct buf text;
	size_t i;

	(void)state;
	make(KEYFILE_PLAIN, &k);
	for (i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
		buf_init(&text, 0);
		note_key_write(&k.key, &text);
		buf_u8(&text, '\n');
		buf_str(&text, after[i]);
		assert_int_not_equal(keyfile_parse((char *)text.data,
		    text.len, &got), 0);
		buf_done(&text);
	}
}

static void
only_the_passphrase_opens_an_encrypted_key(void **state)
{
	static const char *const wrong[] = {"", "a", "a passphras",
	    "a passphrase ", "A passphrase"};
	uint8_t seed[SIGN_SEED_LEN], plain[SIGN_SEED_LEN];
	struct secret *pass = secret_of("a passphrase"), *other;
	struct keyfile k, changed;
	unsigned unread = 0;
	size_t i;

	(void)state;
	assert_int_equal(keyfile_make(NAME, &k), 0);
	memcpy(plain, k.seed, sizeof(plain));
	assert_int_equal(keyfile_seal(&k, pass), 0);
	memset(seed, 0, sizeof(seed));
	assert_memory_equal(k.seed, seed, sizeof(seed));
	assert_int_equal(keyfile_unseal(&k, pass, seed), 0);
	assert_memory_equal(seed, plain, sizeof(seed));
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		other = secret_of(wrong[i]);
		assert_int_equal(keyfile_unseal(&k, other, seed), ERR_CRYPTO);
		secret_free(other);
	}
	/* What was changed is found, be it by the padding or by the key; but
	 * for bits that nobody reads (of base64's last letter, or a version),
	 * and then the key is the same. */
	for (i = 60; k.pem[i] != 0; i += 9) {
		changed = k;
		changed.pem[i] = changed.pem[i] == 'A' ? 'B' : 'A';
		if (keyfile_unseal(&changed, pass, seed) == 0) {
			assert_memory_equal(seed, plain, sizeof(seed));
			unread++;
		}
	}
	assert_in_range(unread, 0, 2);
	/* Another key under this one's name. */
	make(KEYFILE_ENCRYPTED, &changed);
	memcpy(k.pem, changed.pem, sizeof(k.pem));
	assert_int_equal(keyfile_unseal(&k, pass, seed), ERR_CONFLICT);
	secret_free(pass);
}

static void
key_files_are_private_new_and_not_overwritten(void **state)
{
	struct keyfile k, got;
	struct why w = {0};
	struct stat st;

	(void)state;
	make(KEYFILE_PLAIN, &k);
	assert_int_equal(keyfile_write(path_of("key"), &k, &w), 0);
	assert_int_equal(stat(path_of("key"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(keyfile_write(path_of("key"), &k, &w), ERR_EXISTS);
	assert_int_equal(keyfile_read(path_of("key"), &got, &w), 0);
	assert_memory_equal(got.seed, k.seed, sizeof(k.seed));
	assert_int_equal(chmod(path_of("key"), 0640), 0);
	assert_int_equal(keyfile_read(path_of("key"), &got, &w), ERR_DENIED);
	assert_non_null(strstr(w.text, "chmod 600"));
	assert_int_equal(unlink(path_of("key")), 0);
	assert_int_equal(keyfile_read(path_of("key"), &got, &w), ERR_IO);
}

static void
key_that_needs_a_secret_says_so(void **state)
{
	struct signing *s = NULL;
	struct keyfile k;
	struct why w = {0};

	(void)state;
	make(KEYFILE_ENCRYPTED, &k);
	assert_int_equal(keyfile_write(path_of("key"), &k, &w), 0);
	assert_int_equal(signing_open(path_of("key"), NULL, "it", &s, &w),
	    ERR_MISSING);
	assert_non_null(strstr(w.text, "encrypted"));
	assert_null(s);
	assert_int_equal(unlink(path_of("key")), 0);
	make(KEYFILE_TOKEN, &k);
	assert_int_equal(keyfile_write(path_of("key"), &k, &w), 0);
	assert_int_equal(signing_open(path_of("key"), NULL, "it", &s, &w),
	    ERR_MISSING);
	assert_non_null(strstr(w.text, "PIN"));
	assert_int_equal(unlink(path_of("key")), 0);
}

static int
read_from(const char *kind, const char *name, struct secret *ret,
    struct why *w)
{
	char source[160];

	(void)snprintf(source, sizeof(source), "%s%s", kind, name);
	return secret_read(source, "it", false, ret, w);
}

static void
secret_is_the_file_without_one_newline(void **state)
{
	static const struct {
		const char *text, *want;	/* NULL: refused */
	} cases[] = {{"abc", "abc"}, {"abc\n", "abc"}, {"abc\n\n", "abc\n"},
	    {"a b \n", "a b "}, {"", NULL}, {"\n", NULL}};
	struct secret *s = secret_new();
	char *big = malloc(SECRET_MAX);
	struct why w = {0};
	size_t i;
	int r;

	(void)state;
	assert_non_null(s);
	assert_non_null(big);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r = read_from("file:", put("s", cases[i].text,
		    strlen(cases[i].text), 0600), s, &w);
		if (cases[i].want == NULL) {
			assert_int_equal(r, ERR_MISSING);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(s->len, strlen(cases[i].want));
		assert_memory_equal(s->text, cases[i].want, s->len);
	}
	memset(big, 'x', SECRET_MAX);
	assert_int_equal(read_from("file:", put("s", big, SECRET_MAX, 0600),
	    s, &w), ERR_LIMIT);
	assert_int_equal(read_from("file:", put("s", big, SECRET_MAX - 1,
	    0600), s, &w), 0);
	assert_int_equal(read_from("file:", put("s", "abc", 3, 0604), s, &w),
	    ERR_DENIED);
	assert_null(strstr(w.text, "abc"));
	/* systemd's folder is private by itself. */
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
	assert_int_equal(read_from("credential:", "s", s, &w), 0);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(read_from("credential:", "s", s, &w), ERR_MISSING);
	assert_non_null(strstr(w.text, "LoadCredential=s:"));
	assert_int_equal(unlink(path_of("s")), 0);
	free(big);
	secret_free(s);
}

static void
descriptor_is_read_once_and_closed(void **state)
{
	struct secret *s = secret_new();
	struct why w = {0};
	char source[16];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "a pin\n", 6), 6);
	(void)close(fds[1]);
	(void)snprintf(source, sizeof(source), "fd:%d", fds[0]);
	assert_int_equal(secret_read(source, "it", true, s, &w), 0);
	assert_int_equal(s->len, 5);
	assert_memory_equal(s->text, "a pin", 5);
	assert_int_equal(fcntl(fds[0], F_GETFD), -1);
	assert_int_equal(secret_read(source, "it", false, s, &w), ERR_IO);
	secret_free(s);
}

static void
what_is_no_source_is_told_apart(void **state)
{
	static const char *const good[] = {"prompt", "fd:0", "fd:63",
	    "file:/x", "file:x", "credential:log-key"};
	static const char *const bad[] = {"", "secret", "fd:", "fd:x", "fd:-1",
	    "fd:99999999", "file:", "credential:", "credential:a/b",
	    "credential:..", "env:X", "prompt ", "pass:word"};
	struct why w;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(secret_source_check(good[i], &w), 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(secret_source_check(bad[i], &w), ERR_FORMAT);
	assert_true(secret_source_is_once("fd:3"));
	assert_true(secret_source_is_once("prompt"));
	assert_false(secret_source_is_once("file:/x"));
	assert_false(secret_source_is_once("credential:x"));
}

static void
forked_process_has_no_secret(void **state)
{
	struct secret *s = secret_of("a passphrase");
	int status;
	pid_t pid;

	(void)state;
	if ((pid = fork()) == 0)
		_exit(s->len == 0 && s->text[0] == 0 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(s->len, 12);
	secret_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_is_printed_is_parsed_and_nothing_cut_off_it),
		cmocka_unit_test(other_texts_are_no_keys),
		cmocka_unit_test(only_the_passphrase_opens_an_encrypted_key),
		cmocka_unit_test(
		    key_files_are_private_new_and_not_overwritten),
		cmocka_unit_test(key_that_needs_a_secret_says_so),
		cmocka_unit_test(secret_is_the_file_without_one_newline),
		cmocka_unit_test(descriptor_is_read_once_and_closed),
		cmocka_unit_test(what_is_no_source_is_told_apart),
		cmocka_unit_test(forked_process_has_no_secret),
	};

	return cmocka_run_group_tests_name("keyfile", tests, make_folder,
	    remove_folder);
}
