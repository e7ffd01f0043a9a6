/*
 * The rule that decides, and how a rule is written.
 */
#include "gateway/login_rules.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/buf.h"

static bool
has_role(const struct login_asked *q, const char *role)
{
	size_t i;

	for (i = 0; i < q->n_roles; i++)
		if (strcmp(q->roles[i], role) == 0)
			return true;
	return false;
}

static bool
is_named(const struct login_name *n, const char *name,
    const struct login_asked *q)
{
	switch (n->kind) {
	case LOGIN_NAME_ALL:
		return true;
	case LOGIN_NAME_PERSON:
	case LOGIN_NAME_SERVICE:
		return q->kind == n->kind;
	case LOGIN_NAME_ROLE:
		return has_role(q, n->text);
	case LOGIN_NAME:
		break;
	}
	return strcmp(n->text, name) == 0;
}

static bool
is_one_of(const struct login_names *names, const char *name,
    const struct login_asked *q)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (is_named(&names->list[i], name, q))
			return true;
	return false;
}

static bool
is_in(const struct login_address *a, const struct login_network *n,
    const uint8_t *mask)
{
	size_t i;

	if (a->len != n->address.len)
		return false;
	for (i = 0; i < a->len; i++)
		if (((a->bytes[i] ^ n->address.bytes[i]) & mask[i]) != 0)
			return false;
	return true;
}

static bool
is_ours(const struct login_asked *q, bool network)
{
	static const uint8_t whole[16] = {255, 255, 255, 255, 255, 255, 255,
	    255, 255, 255, 255, 255, 255, 255, 255, 255};
	size_t i;

	for (i = 0; i < q->n_ours; i++)
		if (is_in(&q->address, &q->ours[i],
		    network ? q->ours[i].mask : whole))
			return true;
	return false;
}

static bool
comes_from(const struct login_rule *r, const struct login_asked *q)
{
	switch (r->from) {
	case LOGIN_FROM_ALL:
		return true;
	case LOGIN_FROM_NETWORK:
		return is_in(&q->address, &r->network, r->network.mask);
	case LOGIN_FROM_SAMEHOST:
		return is_ours(q, false);
	case LOGIN_FROM_SAMENET:
		return is_ours(q, true);
	}
	return false;
}

static bool
is_type(const struct login_rule *r, const struct login_asked *q)
{
	if (q->local || r->type == LOGIN_LOCAL)
		return q->local && r->type == LOGIN_LOCAL;
	if (r->type == LOGIN_HOST)
		return true;
	return (r->type == LOGIN_HOSTSSL) == q->encrypted;
}

const struct login_rule *
login_rules_find(const struct login_rules *rules, const struct login_asked *q)
{
	const struct login_rule *r;
	size_t i;

	for (i = 0; i < rules->n; i++) {
		r = &rules->list[i];
		if (is_type(r, q) && (q->local || comes_from(r, q)) &&
		    is_one_of(&r->stores, q->store, q) &&
		    is_one_of(&r->principals, q->principal, q))
			return r;
	}
	return NULL;
}

/* ---- as a line ---- */

static void
write_quoted(struct buf *out, const char *s)
{
	buf_u8(out, '"');
	for (; *s != 0; s++) {
		if (*s == '"')
			buf_u8(out, '"');
		buf_u8(out, (uint8_t)*s);
	}
	buf_u8(out, '"');
}

static void
write_names(struct buf *out, const struct login_names *names)
{
	static const char *const words[] = {
		[LOGIN_NAME_ALL] = "all", [LOGIN_NAME_PERSON] = "person",
		[LOGIN_NAME_SERVICE] = "service",
	};
	const struct login_name *n;
	size_t i;

	for (i = 0; i < names->n; i++) {
		n = &names->list[i];
		if (i > 0)
			buf_u8(out, ',');
		if (n->kind == LOGIN_NAME_ROLE)
			buf_u8(out, '+');
		if (n->kind == LOGIN_NAME || n->kind == LOGIN_NAME_ROLE)
			write_quoted(out, n->text);
		else
			buf_str(out, words[n->kind]);
	}
	buf_u8(out, ' ');
}

static void
write_address(struct buf *out, const uint8_t *bytes, size_t len)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(len == 4 ? AF_INET : AF_INET6, bytes, text,
	    sizeof(text)) != NULL)
		buf_str(out, text);
}

/* Bits at the front, or -1 if others are set, too. */
static int
mask_bits(const struct login_network *n)
{
	size_t i, bits = 0, all = 8 * n->address.len;

	while (bits < all && (n->mask[bits / 8] & 0x80 >> bits % 8) != 0)
		bits++;
	for (i = bits; i < all; i++)
		if ((n->mask[i / 8] & 0x80 >> i % 8) != 0)
			return -1;
	return (int)bits;
}

static void
write_from(struct buf *out, const struct login_rule *r)
{
	static const char *const words[] = {
		[LOGIN_FROM_ALL] = "all", [LOGIN_FROM_NETWORK] = "",
		[LOGIN_FROM_SAMEHOST] = "samehost",
		[LOGIN_FROM_SAMENET] = "samenet",
	};
	int bits;

	buf_str(out, words[r->from]);
	if (r->from == LOGIN_FROM_NETWORK) {
		write_address(out, r->network.address.bytes,
		    r->network.address.len);
		if ((bits = mask_bits(&r->network)) >= 0) {
			buf_fmt(out, "/%d", bits);
		} else {
			buf_u8(out, ' ');
			write_address(out, r->network.mask,
			    r->network.address.len);
		}
	}
	buf_u8(out, ' ');
}

void
login_rule_write(struct buf *out, const struct login_rule *r)
{
	static const char *const types[] = {
		[LOGIN_LOCAL] = "local ", [LOGIN_HOST] = "host ",
		[LOGIN_HOSTSSL] = "hostssl ", [LOGIN_HOSTNOSSL] = "hostnossl ",
	};
	static const char *const methods[] = {
		[LOGIN_REJECT] = "reject", [LOGIN_SCRAM] = "scram-sha-256",
		[LOGIN_CERT] = "cert",
	};

	buf_str(out, types[r->type]);
	write_names(out, &r->stores);
	write_names(out, &r->principals);
	if (r->type != LOGIN_LOCAL)
		write_from(out, r);
	buf_str(out, methods[r->method]);
	if (r->certificate == LOGIN_CERTIFICATE_CA)
		buf_str(out, " clientcert=verify-ca");
	else if (r->certificate == LOGIN_CERTIFICATE_FULL)
		buf_str(out, " clientcert=verify-full");
}
