/*
 * What is mapped when nobody says anything: the attributes of the schemas
 * that the sources have in common (RFC 4519, RFC 2798, RFC 7643), and for
 * tables the names of our own format. Written as a mapping, read as one.
 *
 * Roles carry rights in policies, so a group or title becomes a role only
 * where a mapping says so; a table's column "roles" says so itself.
 */
#include <string.h>

#include "import/mapping.h"

static const char ldap_text[] =
    "import: 1\n"
    "issuer: ldap\n"
    "people:\n"
    "  where: {objectClass: [person, inetOrgPerson, organizationalPerson, "
    "posixAccount, user]}\n"
    "  skip: {objectClass: computer}\n"
    "  id: uid\n"
    "  name: [displayName, cn]\n"
    "  site: {attribute: l, country: c}\n"
    "  employer: o\n"
    "  kind: {attribute: employeeType, values: {employee: employee, "
    "full-time: employee, part-time: employee, permanent: employee, "
    "staff: employee, contractor: contractor, contingent: contractor, "
    "contingent worker: contractor, external: contractor, "
    "consultant: contractor, temporary: contractor, vendor: contractor}}\n"
    "  manager: manager\n"
    "groups:\n"
    "  where: {objectClass: [groupOfNames, groupOfUniqueNames, posixGroup, "
    "group]}\n"
    "  id: cn\n"
    "  member: [member, uniqueMember, memberUid]\n";

static const char scim_text[] =
    "import: 1\n"
    "issuer: scim\n"
    "people:\n"
    "  where: {schemas: \"urn:ietf:params:scim:schemas:core:2.0:User\"}\n"
    "  skip: {active: \"false\"}\n"
    "  id: userName\n"
    "  name: [displayName, name.formatted]\n"
    "  site: {attribute: [\"addresses[primary].locality\", "
    "\"addresses[work].locality\", addresses.locality], "
    "country: [\"addresses[primary].country\", "
    "\"addresses[work].country\", addresses.country]}\n"
    "  employer: organization\n"
    "  kind: {attribute: userType, values: {employee: employee, "
    "full-time: employee, part-time: employee, permanent: employee, "
    "staff: employee, contractor: contractor, contingent: contractor, "
    "contingent worker: contractor, external: contractor, "
    "consultant: contractor, temporary: contractor, vendor: contractor}}\n"
    "  manager: manager.value\n"
    "groups:\n"
    "  where: {schemas: \"urn:ietf:params:scim:schemas:core:2.0:Group\"}\n"
    "  id: displayName\n"
    "  member: members.value\n";

static const char csv_text[] =
    "import: 1\n"
    "issuer: csv\n"
    "people:\n"
    "  id: id\n"
    "  name: name\n"
    "  from: from\n"
    "  to: to\n"
    "  site: {attribute: site, separator: ;}\n"
    "  employer: {attribute: employer, separator: ;}\n"
    "  kind: {attribute: kind, values: {employee: employee, "
    "contractor: contractor}}\n"
    "  manager: {attribute: manager, separator: ;}\n"
    "  instructor: {attribute: instructor, separator: ;}\n"
    "  nationality: {attribute: nationality, separator: ;}\n"
    "  residence: {attribute: residence, separator: ;}\n"
    "  offices: {attribute: offices, separator: ;}\n"
    "  roles: {attribute: roles, separator: ;}\n"
    "services:\n"
    "  id: id\n"
    "  name: name\n"
    "  from: from\n"
    "  to: to\n"
    "  site: {attribute: site, separator: ;}\n"
    "  operator: {attribute: operator, separator: ;}\n"
    "  keepers: {attribute: keepers, separator: ;}\n"
    "  roles: {attribute: roles, separator: ;}\n"
    "  networks: {attribute: networks, separator: ;}\n"
    "entities:\n"
    "  id: id\n"
    "  name: name\n"
    "  from: from\n"
    "  to: to\n"
    "  country: {attribute: country, separator: ;}\n"
    "  principal-place: {attribute: principal-place, separator: ;}\n"
    "  rest: rest\n"
    "owners: {entity: entity, owner: owner, share: share, from: from, "
    "to: to}\n"
    "sites:\n"
    "  id: id\n"
    "  country: country\n"
    "  networks: {attribute: networks, separator: ;}\n"
    "tickets: {ticket: ticket, assignee: assignee, assigner: assigner, "
    "approver: approver, time: time}\n";

int
mapping_default(struct arena *a, enum source_kind kind, struct mapping *ret)
{
	const char *text = kind == SOURCE_LDAP ? ldap_text :
	    kind == SOURCE_SCIM ? scim_text : csv_text;
	struct why w;
	size_t i;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = mapping_load(a, text, strlen(text), ret, &w);
	for (i = 0; i < SECTIONS; i++)
		memset(ret->sections[i].named, 0,
		    sizeof(ret->sections[i].named));
	return r;
}
