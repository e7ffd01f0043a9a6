#include "gateway/log_objects.h"

#include <errno.h>
#include <string.h>

#include "base/report.h"
#include "gateway/log_wire.h"
#include "store/disk.h"
#include "store/object.h"

static void
end(struct log_objects *o)
{
	object_abort(o->writer);
	o->writer = NULL;
}

static bool
answer(struct log_objects *o, int result, struct log_stored *ret)
{
	if (result != 0) {
		report(REPORT_WARNING, "an object cannot be stored beside the "
		    "log: %s", result == ERR_IO || result == ERR_STATE ?
		    strerror(errno) : err_text(result));
		ret->hex[0] = 0;
	}
	end(o);
	ret->id = o->id;
	ret->result = result == 0 || result == ERR_LIMIT ||
	    result == ERR_CRYPTO ? result : ERR_IO;
	return true;
}

static int
begin(struct log_objects *o, const struct log_object *part)
{
	end(o);
	o->begun = true;
	o->id = part->id;
	o->len = part->len;
	o->got = 0;
	if (part->len > OBJECT_MAX)
		return ERR_LIMIT;
	return object_open(&disk_real, o->log_dir, part->hash, &o->writer);
}

bool
log_objects_take(struct log_objects *o, const struct log_object *part,
    struct log_stored *ret)
{
	struct object_writer *w;
	int r;

	memset(ret, 0, sizeof(*ret));
	if ((!o->begun || part->id != o->id) && (r = begin(o, part)) != 0)
		return answer(o, r, ret);
	if (o->writer == NULL)
		return false;		/* answered already */
	if (part->part.len > o->len - o->got)
		return answer(o, ERR_CRYPTO, ret);
	if ((r = object_write(o->writer, part->part.data,
	    part->part.len)) != 0)
		return answer(o, r, ret);
	o->got += part->part.len;
	if (o->got < o->len)
		return false;
	w = o->writer;
	o->writer = NULL;		/* closing frees it */
	return answer(o, object_close(w, ret->hex), ret);
}

void
log_objects_reset(struct log_objects *o)
{
	end(o);
	o->begun = false;		/* another's ids begin anew */
}
