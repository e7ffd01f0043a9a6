/* catalog/catalog.h: any text is loaded whole or refused with words. */
#include <stdint.h>
#include <stdlib.h>

#include "catalog/catalog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct catalog *loaded = NULL;
	struct why w = {0};
	int result = catalog_load((const char *)data, len, &loaded, &w);

	if ((result == 0) != (loaded != NULL))
		abort();
	if (result != 0 && result != ERR_MEMORY && w.text[0] == 0)
		abort();	/* refused without a word */
	catalog_free(loaded);
	return 0;
}
