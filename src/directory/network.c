/*
 * Addresses are compared as bytes; a prefix that ends inside a byte is cut
 * by a mask.
 */
#include "directory/network.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "directory/directory.h"

#define ADDRESS_MAX 64

int
network_address(const char *text, struct network *ret)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	uint8_t bits[16] = {0};

	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, bits) == 1) {
		memcpy(ret->bits, bits, 4);
		ret->len = 4;
	} else if (inet_pton(AF_INET6, text, bits) != 1) {
		return ERR_FORMAT;
	} else if (memcmp(bits, mapped, sizeof(mapped)) == 0) {
		memcpy(ret->bits, bits + sizeof(mapped), 4);
		ret->len = 4;
	} else {
		memcpy(ret->bits, bits, sizeof(bits));
		ret->len = 16;
	}
	ret->prefix = (uint8_t)(ret->len * 8);
	return 0;
}

struct network
network_cut(const struct network *n, uint8_t prefix)
{
	struct network cut = *n;
	size_t whole = prefix / 8;

	cut.prefix = prefix;
	if (whole < sizeof(cut.bits)) {
		cut.bits[whole] &= (uint8_t)(0xff00 >> (prefix % 8));
		memset(cut.bits + whole + 1, 0, sizeof(cut.bits) - whole - 1);
	}
	return cut;
}

int
network_parse(const char *text, struct network *ret)
{
	const char *slash = strchr(text, '/');
	char address[ADDRESS_MAX];
	struct network n, cut;
	uint64_t prefix;

	if (slash == NULL || (size_t)(slash - text) >= sizeof(address))
		return ERR_FORMAT;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = 0;
	if (network_address(address, &n) != 0 ||
	    text_u64(slash + 1, strlen(slash + 1), &prefix) != 0)
		return ERR_FORMAT;
	/* ::ffff:0:0/96 and longer would mean IPv4 in disguise. */
	if (n.len == 4 && strchr(address, ':') != NULL)
		return ERR_FORMAT;
	if (prefix > n.prefix)
		return ERR_FORMAT;
	cut = network_cut(&n, (uint8_t)prefix);
	if (memcmp(cut.bits, n.bits, sizeof(cut.bits)) != 0)
		return ERR_FORMAT;
	*ret = cut;
	return 0;
}

int
network_compare(const struct network *a, const struct network *b)
{
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	return memcmp(a->bits, b->bits, sizeof(a->bits));
}

bool
network_valid(const char *network)
{
	struct network n;

	return network_parse(network, &n) == 0;
}

bool
network_contains(const char *network, const char *address)
{
	struct network n, a, cut;

	if (network_parse(network, &n) != 0 ||
	    network_address(address, &a) != 0 || a.len != n.len)
		return false;
	cut = network_cut(&a, n.prefix);
	return network_compare(&n, &cut) == 0;
}
