/* log/quorum.h: with every witness the quorum is met, with none it is not
 * (unless none is asked for), and the fewest lie between. */
#include <stdint.h>
#include <stdlib.h>

#include "log/quorum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	bool has[QUORUM_MAX] = {false};
	struct quorum *q;
	struct why w;
	size_t i, n;

	if (quorum_read((const char *)data, len, &q, &w) != 0)
		return 0;
	(void)quorum_witnesses(q, &n);
	if (quorum_least(q) > n || quorum_met(q, has) != (quorum_least(q) == 0))
		abort();
	for (i = 0; i < n; i++)
		has[i] = true;
	if (!quorum_met(q, has))
		abort();
	quorum_free(q);
	return 0;
}
