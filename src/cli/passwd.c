/*
 * sworn passwd FILE PRINCIPAL: sets a principal's SCRAM verifier in the
 * users file. The password comes from standard input: one line; asked for
 * without echo if that is a terminal. It is never an argument, since
 * arguments can be read by everybody on the machine.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/cmd.h"
#include "crypto/scram.h"
#include "gateway/file.h"

#define PASSWORD_MAX 1024
#define USERS_MAX ((size_t)256 << 20)

static int
read_line(char *ret, size_t cap)
{
	size_t len;

	if (fgets(ret, (int)cap, stdin) == NULL)
		return ERR_MISSING;
	len = strcspn(ret, "\n");
	if (ret[len] != '\n' && len + 1 == cap)
		return ERR_LIMIT;
	ret[len] = 0;
	if (len > 0 && ret[len - 1] == '\r')
		ret[len - 1] = 0;
	return ret[0] != 0 ? 0 : ERR_MISSING;
}

static int
read_password(const char *principal, char *ret, size_t cap)
{
	struct termios was, quiet;
	int r;

	if (tcgetattr(STDIN_FILENO, &was) != 0)
		return read_line(ret, cap);
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	(void)fprintf(stderr, "New password for %s: ", principal);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) != 0)
		return ERR_IO;
	r = read_line(ret, cap);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &was); /* nothing to add */
	(void)fprintf(stderr, "\n");
	return r;
}

/* Copies all lines but the principal's, then appends the new one. */
static void
replace_line(const struct buf *old, const char *principal,
    const struct scram_verifier *v, struct buf *out)
{
	size_t name_len = strlen(principal), pos = 0, len;

	while (pos < old->len) {
		const char *line = (const char *)old->data + pos;
		const char *end = memchr(line, '\n', old->len - pos);

		len = end != NULL ? (size_t)(end - line) : old->len - pos;
		pos += len + 1;
		if (len > name_len && line[name_len] == ':' &&
		    memcmp(line, principal, name_len) == 0)
			continue;
		buf_bytes(out, line, len);
		buf_u8(out, '\n');
	}
	buf_str(out, principal);
	buf_u8(out, ':');
	scram_verifier_write(v, out);
	buf_u8(out, '\n');
}

static int
set_password(const char *path, const char *principal, const char *password)
{
	struct scram_verifier v = {0};
	struct buf old, new;
	int r;

	buf_init(&old, USERS_MAX);
	buf_init(&new, USERS_MAX);
	if ((r = file_read(path, &old)) != 0 && r == ERR_IO &&
	    errno == ENOENT)
		r = 0; /* the first principal makes the file */
	if (r == 0 && (r = scram_verifier_make(password, &v)) == 0) {
		replace_line(&old, principal, &v, &new);
		r = new.failed ? ERR_MEMORY :
		    file_replace(path, new.data, new.len);
	}
	if (r == ERR_IO)
		(void)fprintf(stderr, "sworn passwd: %s: %s\n", path,
		    strerror(errno));
	else if (r != 0)
		(void)fprintf(stderr, "sworn passwd: %s\n", err_text(r));
	wipe(&v, sizeof(v));
	buf_wipe_done(&old);
	buf_wipe_done(&new);
	return r;
}

int
cmd_passwd(int argc, char **argv)
{
	char password[PASSWORD_MAX];
	int r;

	if (argc != 3 || argv[1][0] == '-' || argv[2][0] == 0 ||
	    strpbrk(argv[2], ":\n#") != NULL) {
		(void)fprintf(stderr, "usage: sworn passwd FILE PRINCIPAL\n"
		    "The password is one line on standard input. A principal "
		    "holds no colon, hash sign or line break.\n");
		return 2;
	}
	if ((r = read_password(argv[2], password, sizeof(password))) != 0)
		(void)fprintf(stderr, "sworn passwd: no password on standard "
		    "input, or one longer than %d bytes\n", PASSWORD_MAX - 2);
	else
		r = set_password(argv[1], argv[2], password);
	wipe(password, sizeof(password));
	return r == 0 ? 0 : 1;
}
