/*
 * key/token_state.h - for token*.c only.
 */
#ifndef KEY_TOKEN_STATE_H
#define KEY_TOKEN_STATE_H

#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

struct token {
	P11KitUri *uri;
	CK_FUNCTION_LIST **modules;	/* NULL-terminated */
	CK_FUNCTION_LIST *only;		/* of module-path */
	CK_FUNCTION_LIST *f;		/* of the token */
	CK_SESSION_HANDLE session;	/* CK_INVALID_HANDLE: none */
	CK_OBJECT_HANDLE key;
};

#endif
