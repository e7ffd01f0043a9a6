/* A message's members by its descriptor: no kind of node can be forgotten. */
#include <string.h>

#include "lineage/level.h"

static const ProtobufCMessage *
member(const ProtobufCMessage *m, size_t offset)
{
	const ProtobufCMessage *p;

	memcpy(&p, (const char *)m + offset, sizeof(p));
	return p;
}

static bool
visit_list(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
    visit_fn *fn, void *arg)
{
	const char *base = (const char *)m;
	ProtobufCMessage *const *list;
	size_t n, i;

	memcpy(&n, base + f->quantifier_offset, sizeof(n));
	memcpy(&list, base + f->offset, sizeof(list));
	for (i = 0; i < n; i++)
		if (!fn(arg, list[i]))
			return false;
	return true;
}

bool
visit(const ProtobufCMessage *m, visit_fn *fn, void *arg)
{
	const ProtobufCFieldDescriptor *f;
	const ProtobufCMessage *one;
	uint32_t chosen;
	unsigned i;

	for (i = 0; i < m->descriptor->n_fields; i++) {
		f = &m->descriptor->fields[i];
		if (f->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			if (!visit_list(m, f, fn, arg))
				return false;
			continue;
		}
		if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
			memcpy(&chosen, (const char *)m +
			    f->quantifier_offset, sizeof(chosen));
			if (chosen != f->id)
				continue;
		}
		one = member(m, f->offset);
		if (one != NULL && !fn(arg, one))
			return false;
	}
	return true;
}
