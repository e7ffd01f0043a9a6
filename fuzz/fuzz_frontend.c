/* wire/frontend.h behind wire/frame.h: a client's messages. */
#include <stdint.h>
#include <stdlib.h>

#include "wire/frame.h"
#include "wire/frontend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct frontend_query query;
	struct frontend_parse parse;
	struct frontend_bind bind;
	struct frontend_target target;
	struct frontend_execute execute;
	struct frontend_sasl sasl;
	struct frame f;
	struct reader r;
	size_t before;

	reader_init(&r, data, len);
	for (;;) {
		before = r.pos;
		if (frame_read(&r, FRONTEND_MAX, &f) != 0)
			break;
		if (r.pos != before + FRAME_HEAD + f.body.len)
			abort();	/* not where the next one begins */
		/* Each reader on each body: it must not trust the type. */
		(void)frontend_query_read(f.body, &query);
		(void)frontend_parse_read(f.body, &parse);
		(void)frontend_bind_read(f.body, &bind);
		(void)frontend_target_read(f.body, &target);
		(void)frontend_execute_read(f.body, &execute);
		(void)frontend_sasl_read(f.body, &sasl);
	}
	return 0;
}
