/*
 * Linux: prctl, setrlimit and Landlock. Landlock before its second version
 * (Linux 5.19) refuses every rename between folders, which publishing needs,
 * so such kernels count as having none.
 */
#include "gateway/sandbox.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/landlock.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "base/err.h"

/* Of newer versions than the oldest headers that we build with. */
#define ACCESS_FS_V1 ((1ULL << 13) - 1)
#define ACCESS_FS_REFER (1ULL << 13)
#define ACCESS_FS_TRUNCATE (1ULL << 14)		/* version 3 */
#define ACCESS_FS_IOCTL_DEV (1ULL << 15)	/* version 5 */
#define ACCESS_NET_TCP 3ULL			/* version 4: bind, connect */

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | \
	LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_WRITE (ACCESS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | \
	ACCESS_FS_REFER | ACCESS_FS_TRUNCATE)
#define ACCESS_OF_FILES (LANDLOCK_ACCESS_FS_EXECUTE | \
	LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | \
	ACCESS_FS_TRUNCATE | ACCESS_FS_IOCTL_DEV)

struct ruleset {
	uint64_t fs;
	uint64_t net;
};

static int
allow(int ruleset, uint64_t handled, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule;
	struct stat st;
	int fd, r, saved;

	if ((fd = open(path, O_PATH | O_CLOEXEC)) < 0)
		return ERR_IO;
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		access &= ACCESS_OF_FILES;
	rule.allowed_access = access & handled;
	rule.parent_fd = fd;
	r = syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0 ? 0 : ERR_IO;
	saved = errno;
	(void)close(fd);		/* a path, nothing written */
	errno = saved;
	return r;
}

static int
restrict_paths(const struct sandbox *s)
{
	struct ruleset set = {ACCESS_FS_V1 | ACCESS_FS_REFER, 0};
	size_t i, size = sizeof(set.fs);
	long version;
	int fd, r = 0, saved;

	version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 2)
		return ERR_MISSING;
	if (version >= 3)
		set.fs |= ACCESS_FS_TRUNCATE;
	if (version >= 4) {
		size = sizeof(set);
		set.net = s->tcp ? 0 : ACCESS_NET_TCP;
	}
	if (version >= 5)
		set.fs |= ACCESS_FS_IOCTL_DEV;
	fd = (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
	if (fd < 0)
		return ERR_IO;
	for (i = 0; i < s->n_read && r == 0; i++)
		r = allow(fd, set.fs, s->read[i], ACCESS_READ);
	for (i = 0; i < s->n_write && r == 0; i++)
		r = allow(fd, set.fs, s->write[i], ACCESS_WRITE);
	if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		r = ERR_IO;
	saved = errno;
	(void)close(fd);		/* in force, or given up */
	errno = saved;
	return r;
}

int
sandbox_enter(const struct sandbox *s)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return ERR_IO;
	return restrict_paths(s);
}
