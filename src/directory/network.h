/*
 * directory/network.h - networks in CIDR notation, and addresses in them.
 *
 * An IPv4 address written as IPv6 (::ffff:192.0.2.1), as dual-stack sockets
 * give it, is the IPv4 address. A network with bits beyond its prefix is
 * malformed: whoever wrote it meant something else.
 */
#ifndef DIRECTORY_NETWORK_H
#define DIRECTORY_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

struct network {
	uint8_t bits[16];	/* IPv4: the first four; the rest zero */
	uint8_t len;		/* 4 or 16 bytes */
	uint8_t prefix;
};

/* 0 or ERR_FORMAT. */
int network_parse(const char *text, struct network *ret);
/* An address is a network of full prefix. */
int network_address(const char *text, struct network *ret);
/* Cuts to a shorter prefix. */
struct network network_cut(const struct network *n, uint8_t prefix);
/* An order in which equal length and prefix stand together. */
int network_compare(const struct network *a, const struct network *b);

#endif
