#include "key/signing.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "key/keyfile.h"
#include "key/secret.h"
#include "key/token_process.h"

struct signing {
	struct keyfile file;
	uint8_t seed[SIGN_SEED_LEN];
	struct note_signer signer;
	struct token_process *token;
};

int
signing_keep_secret(void)
{
	const struct rlimit none = {0, 0};

	return setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ? ERR_IO : 0;
}

static struct signing *
allocate(void)
{
	struct signing *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		return NULL;
	/* An old kernel, or no room for locked pages: as safe as it can be. */
	(void)mlock(s, sizeof(*s));
	(void)madvise(s, sizeof(*s), MADV_DONTDUMP);
	(void)madvise(s, sizeof(*s), MADV_WIPEONFORK);
	return s;
}

static int
sign_by_token(void *arg, const void *msg, size_t len,
    uint8_t ret[static SIGN_LEN])
{
	return token_process_sign(arg, msg, len, ret);
}

static int
unseal(struct signing *s, const char *path, const char *source,
    const char *what, struct why *w)
{
	struct secret *pass = secret_new();
	int r;

	if (pass == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	if ((r = secret_read(source, what, false, pass, w)) == 0 &&
	    (r = keyfile_unseal(&s->file, pass, s->seed)) != 0)
		(void)why_set(w, r, 0, 0, "key file %s: %s", path,
		    r == ERR_CRYPTO ? "this is not its passphrase, or it was "
		    "changed" : r == ERR_CONFLICT ? "the key in it is not the "
		    "one that its first line names" :
		    "not a signing key (sworn key new makes one)");
	secret_free(pass);
	return r;
}

/* The child must not have the seed of anything, but its URI. */
static int
start_token(struct signing *s, const char *path, const char *source,
    struct why *w)
{
	struct keyfile file = s->file;	/* s is empty in the child */
	struct why words = {0};
	int r;

	r = token_process_start(file.uri, source, file.key.public, &s->token,
	    &words);
	if (r != 0)
		return why_set(w, r, 0, 0, "key file %.200s: %.300s", path,
		    words.text);
	s->signer.sign = sign_by_token;
	s->signer.arg = s->token;
	return 0;
}

static int
load(struct signing *s, const char *path, const char *source,
    const char *what, struct why *w)
{
	int r;

	if ((r = keyfile_read(path, &s->file, w)) != 0)
		return r;
	s->signer.key = &s->file.key;
	s->signer.seed = s->seed;
	if (s->file.kind == KEYFILE_PLAIN) {
		memcpy(s->seed, s->file.seed, SIGN_SEED_LEN);
		return 0;
	}
	if (source == NULL)
		return why_set(w, ERR_MISSING, 0, 0, "key file %s: the key is "
		    "%s; say where that comes from (%s)", path,
		    s->file.kind == KEYFILE_TOKEN ? "in a token, which needs a "
		    "PIN" : "encrypted, which needs a passphrase",
		    "prompt, fd:N, file:PATH or credential:NAME");
	return s->file.kind == KEYFILE_TOKEN ?
	    start_token(s, path, source, w) :
	    unseal(s, path, source, what, w);
}

int
signing_open(const char *path, const char *source, const char *what,
    struct signing **ret, struct why *w)
{
	struct signing *s = allocate();
	int r;

	if (s == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	if ((r = load(s, path, source, what, w)) == 0) {
		*ret = s;
		s = NULL;		/* now the caller's */
	}
	signing_close(s);
	return r;
}

void
signing_close(struct signing *s)
{
	if (s == NULL)
		return;
	token_process_stop(s->token);
	wipe(s, sizeof(*s));
	(void)munmap(s, sizeof(*s));	/* cannot fail */
}

const struct note_signer *
signing_signer(const struct signing *s)
{
	return &s->signer;
}

pid_t
signing_child(const struct signing *s)
{
	return s->token == NULL ? 0 : token_process_pid(s->token);
}
