#include "key/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

#define PROMPT "prompt"
#define FD "fd:"
#define FILE_PATH "file:"
#define CREDENTIAL "credential:"
#define PATH_LEN 4096
#define FD_LIMIT 1048576

/* What is behind the prefix, or NULL. */
static const char *
behind(const char *source, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(source, prefix, len) == 0 && source[len] != 0 ?
	    source + len : NULL;
}

static int
number_of(const char *text)
{
	uint64_t n;

	return text_u64(text, strlen(text), &n) == 0 && n < FD_LIMIT ?
	    (int)n : -1;
}

int
secret_source_check(const char *source, struct why *w)
{
	const char *rest;

	if (strcmp(source, PROMPT) == 0 || behind(source, FILE_PATH) != NULL)
		return 0;
	if ((rest = behind(source, FD)) != NULL && number_of(rest) >= 0)
		return 0;
	if ((rest = behind(source, CREDENTIAL)) != NULL &&
	    strchr(rest, '/') == NULL && rest[0] != '.')
		return 0;
	return why_set(w, ERR_FORMAT, 0, 0, "\"%.80s\" says not where a "
	    "passphrase or PIN comes from: prompt, fd:N, file:PATH or "
	    "credential:NAME", source);
}

bool
secret_source_is_once(const char *source)
{
	return strcmp(source, PROMPT) == 0 || behind(source, FD) != NULL;
}

struct secret *
secret_new(void)
{
	struct secret *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		return NULL;
	/* An old kernel, or no room for locked pages: as safe as it can be. */
	(void)mlock(s, sizeof(*s));
	(void)madvise(s, sizeof(*s), MADV_DONTDUMP);
	(void)madvise(s, sizeof(*s), MADV_WIPEONFORK);
	return s;
}

void
secret_free(struct secret *s)
{
	if (s == NULL)
		return;
	wipe(s, sizeof(*s));
	(void)munmap(s, sizeof(*s));	/* cannot fail */
}

/* To the end, or if it is typed to the end of the line. */
static int
read_all(int fd, bool line, const char *source, struct secret *ret,
    struct why *w)
{
	ssize_t n = 1;

	ret->len = 0;
	while (ret->len < SECRET_MAX && n > 0) {
		n = read(fd, ret->text + ret->len, SECRET_MAX - ret->len);
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n > 0)
			ret->len += (size_t)n;
		if (line && ret->len > 0 && ret->text[ret->len - 1] == '\n')
			break;
	}
	if (n < 0)
		return why_set(w, ERR_IO, 0, 0, "the passphrase or PIN from "
		    "%s cannot be read: %s", source, strerror(errno));
	if (ret->len == SECRET_MAX)
		return why_set(w, ERR_LIMIT, 0, 0, "the passphrase or PIN from "
		    "%s is longer than %d bytes", source, SECRET_MAX - 1);
	if (ret->len > 0 && ret->text[ret->len - 1] == '\n')
		ret->len--;
	if (ret->len == 0)
		return why_set(w, ERR_MISSING, 0, 0, "the passphrase or PIN "
		    "from %s is empty", source);
	return 0;
}

static int
read_file(const char *path, bool private, const char *source,
    struct secret *ret, struct why *w)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		r = why_set(w, ERR_IO, 0, 0, "the passphrase or PIN from %s "
		    "cannot be read: %s", source, strerror(errno));
	else if (private && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		r = why_set(w, ERR_DENIED, 0, 0, "%s can be read by others; "
		    "chmod 600 it, and think of what is in it as known",
		    path);
	if (r == 0)
		r = read_all(fd, false, source, ret, w);
	if (fd >= 0)
		(void)close(fd);	/* only read */
	return r;
}

/* systemd gives the folder to this service alone. */
static int
read_credential(const char *name, const char *source, struct secret *ret,
    struct why *w)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_LEN];
	int n;

	if (dir == NULL || dir[0] != '/')
		return why_set(w, ERR_MISSING, 0, 0, "%s: no credentials were "
		    "handed over; put LoadCredential=%s:PATH or "
		    "LoadCredentialEncrypted= into the unit", source, name);
	n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return why_set(w, ERR_LIMIT, 0, 0, "%s: too long", source);
	return read_file(path, false, source, ret, w);
}

static int
ask(int fd, const char *what, bool again, struct secret *ret, struct why *w)
{
	struct termios was, quiet;
	int r;

	if (tcgetattr(fd, &was) != 0)
		return why_set(w, ERR_IO, 0, 0, "the terminal: %s",
		    strerror(errno));
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(fd, TCSAFLUSH, &quiet) != 0)
		return why_set(w, ERR_IO, 0, 0, "the terminal: %s",
		    strerror(errno));
	/* Not before: what was typed until then is thrown away. */
	(void)dprintf(fd, "%s for %s: ", again ? "Again, the passphrase" :
	    "Passphrase or PIN", what);
	r = read_all(fd, true, PROMPT, ret, w);
	(void)tcsetattr(fd, TCSAFLUSH, &was);	/* nothing to add */
	(void)dprintf(fd, "\n");
	return r;
}

static int
prompt(const char *what, bool twice, struct secret *ret, struct why *w)
{
	struct secret *again = NULL;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC), r;

	if (fd < 0)
		return why_set(w, ERR_MISSING, 0, 0, "there is no terminal to "
		    "ask for the passphrase or PIN of %s; give it as fd:N, "
		    "file:PATH or credential:NAME", what);
	r = ask(fd, what, false, ret, w);
	if (r == 0 && twice) {
		if ((again = secret_new()) == NULL)
			r = why_set(w, ERR_MEMORY, 0, 0, "out of memory");
		else if ((r = ask(fd, what, true, again, w)) == 0 &&
		    (again->len != ret->len || memcmp(again->text, ret->text,
		    ret->len) != 0))
			r = why_set(w, ERR_CONFLICT, 0, 0, "the two are not "
			    "the same");
	}
	secret_free(again);
	(void)close(fd);		/* all was read */
	return r;
}

int
secret_read(const char *source, const char *what, bool twice,
    struct secret *ret, struct why *w)
{
	const char *rest;
	int r, fd;

	if ((r = secret_source_check(source, w)) != 0)
		return r;
	if (strcmp(source, PROMPT) == 0)
		return prompt(what, twice, ret, w);
	if ((rest = behind(source, FILE_PATH)) != NULL)
		return read_file(rest, true, source, ret, w);
	if ((rest = behind(source, CREDENTIAL)) != NULL)
		return read_credential(rest, source, ret, w);
	fd = number_of(source + strlen(FD));
	r = read_all(fd, false, source, ret, w);
	(void)close(fd);		/* all was read */
	return r;
}
