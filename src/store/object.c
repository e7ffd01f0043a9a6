/*
 * The name is the content's hash, so storing twice is storing once, and a
 * file whose content is not its name is replaced.
 */
#include "store/object.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "store/disk.h"

static bool
is_stored(int dir, const char *path, const void *data, size_t len)
{
	struct buf old;
	bool same;

	buf_init(&old, 0);
	same = disk_read(dir, path, len, &old) == 0 &&
	    bytes_equal(bytes_of(old.data, old.len), bytes_of(data, len));
	buf_done(&old);
	return same;
}

int
object_store(const struct disk *d, int log_dir, const void *data, size_t len,
    char ret_hex[static 65])
{
	uint8_t digest[HASH_LEN];
	char path[80];
	struct buf hex;
	int r;

	ret_hex[0] = '\0';
	if (len > OBJECT_MAX)
		return ERR_LIMIT;
	if ((r = hash_sha256(data, len, digest)) != 0)
		return r;
	buf_init(&hex, 0);
	text_hex(&hex, digest, sizeof(digest));
	if (buf_text(&hex) == NULL) {
		r = ERR_MEMORY;
		goto out;
	}
	(void)snprintf(path, sizeof(path), "objects/%s", (char *)hex.data);
	if ((r = disk_parents(d, log_dir, path)) != 0)
		goto out;
	if (!is_stored(log_dir, path, data, len))
		r = disk_replace(d, log_dir, path, data, len);
	else	/* perhaps found in memory only, after a crash */
		r = disk_sync_dir(d, log_dir, "objects");
	if (r == 0)
		r = disk_sync_dir(d, log_dir, ".");
	if (r == 0)
		memcpy(ret_hex, hex.data, 65);
out:
	buf_done(&hex);
	return r;
}
