#include "gateway/reconciled.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/err.h"
#include "gateway/config.h"
#include "gateway/log_client.h"
#include "record/record.h"

void
reconciled_write(struct buf *out, const struct reconciled *r)
{
	buf_u8(out, RECONCILED_FIRST);
	buf_cstr(out, r->by);
	buf_bytes(out, r->record.data, r->record.len);
}

bool
reconciled_is(struct bytes in)
{
	return in.len > 0 && in.data[0] == RECONCILED_FIRST;
}

int
reconciled_read(struct bytes in, struct reconciled *ret)
{
	struct reader r;
	uint8_t first;

	reader_init(&r, in.data, in.len);
	if (in.len > RECONCILED_MAX || reader_u8(&r, &first) != 0 ||
	    first != RECONCILED_FIRST || reader_cstr(&r, &ret->by) != 0)
		return ERR_FORMAT;
	return reader_bytes(&r, reader_left(&r), &ret->record);
}

static int
refuse(char text[static RECONCILED_TEXT_MAX], int r, const char *why,
    const char *what)
{
	(void)snprintf(text, RECONCILED_TEXT_MAX, "%s%.300s", why, what);
	return r;			/* a cut sentence is fine */
}

int
reconciled_record(const struct reconciled *in, const char *gateway,
    const struct config *c, struct log_client *log, uint64_t *ret_seq,
    char text[static RECONCILED_TEXT_MAX])
{
	struct arena *a = arena_new();
	struct why w = {0};
	struct record rec;
	int r;

	if (a == NULL)
		return refuse(text, ERR_MEMORY, err_text(ERR_MEMORY), "");
	if ((r = record_decode(in->record, a, &rec, &w)) != 0) {
		(void)refuse(text, r, "this is no record: ", w.text);
	} else if (rec.type != RECORD_RECONCILED || in->by[0] == 0) {
		r = refuse(text, ERR_FORMAT, "no such request", "");
	} else if (config_store_find(c, rec.u.reconciled.store) == NULL) {
		r = refuse(text, ERR_MISSING, "the gateway has no store ",
		    rec.u.reconciled.store);
	} else {
		rec.gateway = gateway;
		rec.u.reconciled.by = in->by;
		r = log_client_submit_seq(log, &rec, ret_seq);
		if (r != 0)
			(void)refuse(text, r, "the log did not take the "
			    "record: ", err_text(r));
	}
	arena_free(a);
	return r;
}
