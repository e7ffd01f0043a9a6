/* wire/startup.h, and what it hands on: the parameter `options`. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "wire/options.h"
#include "wire/startup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct arena *a = arena_new();
	struct startup_param *params;
	struct startup s;
	struct reader r;
	const char *options, *bad;
	size_t n;
	int result;

	reader_init(&r, data, len);
	result = startup_read(&r, &s);
	if (result != 0 && r.pos != 0 && result == ERR_SHORT)
		abort();	/* moved, though it waits for more */
	if (result == 0 && s.kind == STARTUP_SESSION && a != NULL &&
	    (options = startup_param(&s, "options")) != NULL)
		(void)options_split(options, a, &params, &n, &bad);
	arena_free(a);
	return 0;
}
