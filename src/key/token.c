#include "key/token.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "key/secret.h"
#include "key/token_state.h"

#define SLOTS_MAX 256

static int
read_uri(struct token *t, const char *text, struct why *w)
{
	int r;

	if ((t->uri = p11_kit_uri_new()) == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	r = p11_kit_uri_parse(text, P11_KIT_URI_FOR_OBJECT_ON_TOKEN_AND_MODULE,
	    t->uri);
	if (r != P11_KIT_URI_OK)
		return why_set(w, ERR_FORMAT, 0, 0, "not a URI of a key in a "
		    "token (pkcs11:token=NAME;object=NAME): %s",
		    p11_kit_uri_message(r));
	if (p11_kit_uri_any_unrecognized(t->uri))
		return why_set(w, ERR_FORMAT, 0, 0, "the token's URI has an "
		    "attribute that is not known");
	if (p11_kit_uri_get_pin_value(t->uri) != NULL ||
	    p11_kit_uri_get_pin_source(t->uri) != NULL)
		return why_set(w, ERR_FORMAT, 0, 0, "the token's URI has a PIN "
		    "in it or says where one is; say that with the key's "
		    "secret instead");
	if (p11_kit_uri_get_attribute(t->uri, CKA_LABEL) == NULL &&
	    p11_kit_uri_get_attribute(t->uri, CKA_ID) == NULL)
		return why_set(w, ERR_FORMAT, 0, 0, "the token's URI names no "
		    "key: it needs object=NAME or id=...");
	return 0;
}

static int
load_modules(struct token *t, struct why *w)
{
	const char *path = p11_kit_uri_get_module_path(t->uri);
	CK_RV rv;

	if (path == NULL) {
		t->modules = p11_kit_modules_load_and_initialize(0);
		if (t->modules == NULL)
			return why_set(w, ERR_IO, 0, 0, "PKCS#11 modules: %s",
			    p11_kit_message());
		return 0;
	}
	if (path[0] != '/')
		return why_set(w, ERR_FORMAT, 0, 0, "module-path in the token's "
		    "URI is not a whole path");
	if ((t->only = p11_kit_module_load(path, 0)) == NULL)
		return why_set(w, ERR_IO, 0, 0, "PKCS#11 module %s: %s", path,
		    p11_kit_message());
	if ((rv = p11_kit_module_initialize(t->only)) != CKR_OK) {
		p11_kit_module_release(t->only);
		t->only = NULL;
		return why_set(w, ERR_IO, 0, 0, "PKCS#11 module %s: %s", path,
		    p11_kit_strerror(rv));
	}
	return 0;
}

/* Adds how many of a module's tokens the URI means. */
static void
look(struct token *t, CK_FUNCTION_LIST *f, CK_SLOT_ID *slot, size_t *n)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX, i;
	CK_TOKEN_INFO info;

	if (f->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
		return;
	for (i = 0; i < count; i++) {
		if (f->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
		    !p11_kit_uri_match_token_info(t->uri, &info))
			continue;
		t->f = f;
		*slot = slots[i];
		++*n;
	}
}

static int
find_token(struct token *t, CK_SLOT_ID *ret, struct why *w)
{
	size_t n = 0, i;

	if (t->only != NULL)
		look(t, t->only, ret, &n);
	for (i = 0; t->modules != NULL && t->modules[i] != NULL; i++)
		look(t, t->modules[i], ret, &n);
	if (n == 0)
		return why_set(w, ERR_MISSING, 0, 0, "no token is there that "
		    "the key's URI names; is it plugged in, and its module "
		    "configured (or name it with ?module-path=)?");
	if (n > 1)
		return why_set(w, ERR_CONFLICT, 0, 0, "the key's URI fits %zu "
		    "tokens; name one by token= or serial=", n);
	return 0;
}

static int
log_in(struct token *t, CK_SLOT_ID slot, const struct secret *pin, int write,
    struct why *w)
{
	CK_RV rv;

	rv = t->f->C_OpenSession(slot, CKF_SERIAL_SESSION |
	    (write ? CKF_RW_SESSION : 0), NULL, NULL, &t->session);
	if (rv != CKR_OK) {
		t->session = CK_INVALID_HANDLE;
		return why_set(w, ERR_IO, 0, 0, "the token opens no session: "
		    "%s", p11_kit_strerror(rv));
	}
	rv = t->f->C_Login(t->session, CKU_USER,
	    (CK_UTF8CHAR *)(uintptr_t)pin->text, pin->len);
	if (rv != CKR_OK && rv != CKR_USER_ALREADY_LOGGED_IN)
		return why_set(w, ERR_DENIED, 0, 0, "the token does not let us "
		    "in: %s", p11_kit_strerror(rv));
	return 0;
}

int
token_open(const char *uri, const struct secret *pin, int write,
    struct token **ret, struct why *w)
{
	struct token *t = calloc(1, sizeof(*t));
	CK_SLOT_ID slot = 0;
	int r;

	if (t == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	t->session = CK_INVALID_HANDLE;
	t->key = CK_INVALID_HANDLE;
	if ((r = read_uri(t, uri, w)) != 0 || (r = load_modules(t, w)) != 0 ||
	    (r = find_token(t, &slot, w)) != 0 ||
	    (r = log_in(t, slot, pin, write, w)) != 0)
		goto out;
	*ret = t;
	t = NULL;			/* now the caller's */
out:
	token_close(t);
	return r;
}

void
token_close(struct token *t)
{
	if (t == NULL)
		return;
	if (t->session != CK_INVALID_HANDLE)
		(void)t->f->C_CloseSession(t->session);	/* and logged out */
	if (t->only != NULL) {
		(void)p11_kit_module_finalize(t->only);	/* we end with it */
		p11_kit_module_release(t->only);
	}
	if (t->modules != NULL)
		p11_kit_modules_finalize_and_release(t->modules);
	p11_kit_uri_free(t->uri);
	free(t);
}
