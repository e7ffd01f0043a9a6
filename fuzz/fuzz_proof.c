/* log/proof.h: a proof file that is read is written back as the same bytes,
 * less the extra data of others, and no file proves an entry to be in a tree
 * whose root nobody computed from it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "log/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct checkpoint tree = {.size = 100000};
	struct proof p, again;
	struct buf out;

	if (proof_read((const char *)data, len, &p) != 0)
		return 0;
	buf_init(&out, 0);
	proof_write(&out, &p);
	if (out.failed || out.len > len ||
	    proof_read((const char *)out.data, out.len, &again) != 0 ||
	    again.index != p.index || again.n != p.n ||
	    memcmp(again.hashes, p.hashes, p.n * sizeof(p.hashes[0])) != 0 ||
	    !bytes_equal(again.checkpoint, p.checkpoint))
		abort();
	if (proof_check(&p, "entry", 5, &tree) == 0)
		abort();
	buf_done(&out);
	return 0;
}
