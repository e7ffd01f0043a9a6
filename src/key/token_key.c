/*
 * CKM_EDDSA without parameters is pure Ed25519 (PKCS#11 3.0, 2.3.14). The
 * curve is named by its printable string, as that edition has it.
 */
#include <string.h>

#include "key/token.h"
#include "key/token_state.h"

#define POINT_MAX 64
#define OCTET_STRING 0x04

/* PrintableString "edwards25519", DER. */
static uint8_t curve[] = {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2',
    '5', '5', '1', '9'};

static CK_KEY_TYPE edwards = CKK_EC_EDWARDS;
static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/* The URI's name for the key, into two attributes. */
static CK_ULONG
named(const struct token *t, CK_ATTRIBUTE *ret)
{
	const CK_ATTRIBUTE *label, *id;
	CK_ULONG n = 0;

	label = p11_kit_uri_get_attribute(t->uri, CKA_LABEL);
	id = p11_kit_uri_get_attribute(t->uri, CKA_ID);
	if (label != NULL)
		ret[n++] = *label;
	if (id != NULL)
		ret[n++] = *id;
	return n;
}

/* The one object of a class that has the name. */
static int
find(struct token *t, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *ret)
{
	CK_ATTRIBUTE a[4] = {
		{CKA_CLASS, &class, sizeof(class)},
		{CKA_KEY_TYPE, &edwards, sizeof(edwards)},
	};
	CK_OBJECT_HANDLE got[2];
	CK_ULONG n = 2 + named(t, a + 2), found = 0;
	CK_RV rv;

	if (t->f->C_FindObjectsInit(t->session, a, n) != CKR_OK)
		return ERR_IO;
	rv = t->f->C_FindObjects(t->session, got, 2, &found);
	(void)t->f->C_FindObjectsFinal(t->session);	/* all was taken */
	if (rv != CKR_OK)
		return ERR_IO;
	*ret = got[0];
	return found == 0 ? ERR_MISSING : found > 1 ? ERR_CONFLICT : 0;
}

int
token_find(struct token *t, struct why *w)
{
	int r = find(t, CKO_PRIVATE_KEY, &t->key);

	if (r == ERR_MISSING)
		return why_set(w, r, 0, 0, "the token has no Ed25519 key of "
		    "that name");
	if (r == ERR_CONFLICT)
		return why_set(w, r, 0, 0, "the token has several Ed25519 keys "
		    "of that name; name one by id=");
	if (r != 0)
		return why_set(w, r, 0, 0, "the token does not look for keys");
	return 0;
}

int
token_make(struct token *t, struct why *w)
{
	CK_MECHANISM how = {CKM_EC_EDWARDS_KEY_PAIR_GEN, NULL, 0};
	CK_ATTRIBUTE public[7] = {
		{CKA_EC_PARAMS, curve, sizeof(curve)},
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_PRIVATE, &no, sizeof(no)},
		{CKA_VERIFY, &yes, sizeof(yes)},
	};
	CK_ATTRIBUTE private[7] = {
		{CKA_TOKEN, &yes, sizeof(yes)},
		{CKA_PRIVATE, &yes, sizeof(yes)},
		{CKA_SENSITIVE, &yes, sizeof(yes)},
		{CKA_EXTRACTABLE, &no, sizeof(no)},
		{CKA_SIGN, &yes, sizeof(yes)},
	};
	CK_ULONG n_public = 4 + named(t, public + 4);
	CK_ULONG n_private = 5 + named(t, private + 5);
	CK_OBJECT_HANDLE half;
	CK_RV rv;

	rv = t->f->C_GenerateKeyPair(t->session, &how, public, n_public,
	    private, n_private, &half, &t->key);
	if (rv != CKR_OK)
		return why_set(w, ERR_IO, 0, 0, "the token makes no Ed25519 "
		    "key: %s", p11_kit_strerror(rv));
	return 0;
}

int
token_public(struct token *t, uint8_t ret[static SIGN_PUBLIC_LEN],
    struct why *w)
{
	uint8_t point[POINT_MAX];
	CK_ATTRIBUTE a = {CKA_EC_POINT, point, sizeof(point)};
	CK_OBJECT_HANDLE half;
	int r = find(t, CKO_PUBLIC_KEY, &half);

	if (r == 0 && t->f->C_GetAttributeValue(t->session, half, &a, 1) !=
	    CKR_OK)
		r = ERR_IO;
	if (r != 0)
		return why_set(w, r, 0, 0, "the token does not tell the "
		    "public half of the key: it needs one public key of the "
		    "same name beside it");
	/* DER, as PKCS#11 has it, or as some tokens do the bytes alone. */
	if (a.ulValueLen == SIGN_PUBLIC_LEN + 2 && point[0] == OCTET_STRING &&
	    point[1] == SIGN_PUBLIC_LEN)
		memcpy(ret, point + 2, SIGN_PUBLIC_LEN);
	else if (a.ulValueLen == SIGN_PUBLIC_LEN)
		memcpy(ret, point, SIGN_PUBLIC_LEN);
	else
		return why_set(w, ERR_FORMAT, 0, 0, "the token's public key is "
		    "none of Ed25519");
	return 0;
}

int
token_sign(struct token *t, const void *msg, size_t len,
    uint8_t ret[static SIGN_LEN])
{
	CK_MECHANISM how = {CKM_EDDSA, NULL, 0};
	CK_ULONG n = SIGN_LEN;

	if (t->f->C_SignInit(t->session, &how, t->key) != CKR_OK ||
	    t->f->C_Sign(t->session, (CK_BYTE *)(uintptr_t)msg, len, ret,
	    &n) != CKR_OK || n != SIGN_LEN)
		return ERR_IO;
	return 0;
}
