/*
 * libmaxminddb opens files by name and maps them. A file that is replaced in
 * place would change or end under the map, so the bytes go into memory of
 * their own first, which then has a name for as long as it is opened.
 *
 * Format: "MaxMind DB File Format Specification", version 2. The label is
 * country.iso_code; where the address is registered does not say where it
 * is, so registered_country is not looked at.
 */
#include "gateway/addresses.h"

#include <errno.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

struct addresses {
	MMDB_s db;
};

static int
write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, data, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_IO;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
open_bytes(struct addresses *a, const void *data, size_t len, struct why *w)
{
	char name[64];
	int fd, status, r;

	if ((fd = memfd_create("addresses", MFD_CLOEXEC)) == -1 ||
	    (r = write_all(fd, data, len)) != 0) {
		r = why_set(w, ERR_IO, 0, 0, "cannot be kept in memory: %s",
		    strerror(errno));
		goto out;
	}
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd); /* fits */
	status = MMDB_open(name, MMDB_MODE_MMAP, &a->db);
	if (status != MMDB_SUCCESS) {
		memset(&a->db, 0, sizeof(a->db));
		r = why_set(w, ERR_FORMAT, 0, 0, "is no database of addresses "
		    "in MaxMind's format (MMDB): %s", MMDB_strerror(status));
	}
out:
	if (fd != -1)
		(void)close(fd);	/* the map stays */
	return r;
}

int
addresses_new(const void *data, size_t len, struct addresses **ret,
    struct why *w)
{
	struct addresses *a;
	char label[ADDRESSES_LABEL_MAX];
	int r;

	if ((a = calloc(1, sizeof(*a))) == NULL)
		return why_set(w, ERR_MEMORY, 0, 0, "out of memory");
	if ((r = open_bytes(a, data, len, w)) != 0)
		goto out;
	/* Whether it can be walked at all. */
	r = addresses_country(a, "192.0.2.1", label);
	if (r != 0 && r != ERR_MISSING) {
		r = why_set(w, ERR_FORMAT, 0, 0, "is a broken database of "
		    "addresses; fetch it again");
		goto out;
	}
	*ret = a;
	a = NULL;		/* now the caller's */
	r = 0;
out:
	addresses_free(a);
	return r;
}

void
addresses_free(struct addresses *a)
{
	if (a == NULL)
		return;
	if (a->db.file_content != NULL)
		MMDB_close(&a->db);
	free(a);
}

int64_t
addresses_built_ms(const struct addresses *a)
{
	return (int64_t)a->db.metadata.build_epoch * 1000;
}

const char *
addresses_type(const struct addresses *a)
{
	return a->db.metadata.database_type;
}

/* An IPv4 address in IPv6's clothes is asked about as what it is. */
static bool
to_socket(const char *address, struct sockaddr_storage *ret)
{
	struct sockaddr_in *four = (struct sockaddr_in *)(void *)ret;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)ret;
	struct in6_addr bits;

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		return true;
	}
	if (inet_pton(AF_INET6, address, &bits) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&bits)) {
		memcpy(&four->sin_addr, bits.s6_addr + 12, 4);
		four->sin_family = AF_INET;
		return true;
	}
	six->sin6_addr = bits;
	six->sin6_family = AF_INET6;
	return true;
}

static bool
is_label(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		    "abcdefghijklmnopqrstuvwxyz0123456789_-", s[i]) == NULL ||
		    s[i] == 0)
			return false;
	return len > 0 && len < ADDRESSES_LABEL_MAX &&
	    !(len == 7 && memcmp(s, "unknown", 7) == 0);
}

int
addresses_country(const struct addresses *a, const char *address,
    char ret[static ADDRESSES_LABEL_MAX])
{
	struct sockaddr_storage where;
	MMDB_lookup_result_s found;
	MMDB_entry_data_s data;
	int status;

	if (!to_socket(address, &where))
		return ERR_MISSING;
	/* A file of IPv4 alone knows nothing of IPv6. */
	if (where.ss_family == AF_INET6 && a->db.metadata.ip_version == 4)
		return ERR_MISSING;
	found = MMDB_lookup_sockaddr(&a->db,
	    (const struct sockaddr *)(const void *)&where, &status);
	if (status != MMDB_SUCCESS)
		return ERR_FORMAT;
	if (!found.found_entry)
		return ERR_MISSING;
	status = MMDB_get_value(&found.entry, &data, "country", "iso_code",
	    (const char *)NULL);
	if (status == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR)
		return ERR_MISSING;
	if (status != MMDB_SUCCESS)
		return ERR_FORMAT;
	if (!data.has_data)
		return ERR_MISSING;
	if (data.type != MMDB_DATA_TYPE_UTF8_STRING ||
	    !is_label(data.utf8_string, data.data_size))
		return ERR_FORMAT;
	memcpy(ret, data.utf8_string, data.data_size);
	ret[data.data_size] = 0;
	return 0;
}
