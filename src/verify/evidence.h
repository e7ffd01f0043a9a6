/*
 * verify/evidence.h - bundles: what refutes a claim, in a folder of its own.
 *
 * The entries that decide, each with a proof that it is in the log; the
 * signed checkpoints; the claim; the policies, catalogs and directories that
 * the entries name. Whoever has the key needs nothing else, and what does
 * not decide is not in it. docs/verify.md has the format.
 */
#ifndef VERIFY_EVIDENCE_H
#define VERIFY_EVIDENCE_H

#include <stddef.h>

#include "base/err.h"

struct arena;
struct claim;
struct manifest_file;
struct options;
struct outcome;
struct verdict;

/*
 * Writes options->evidence (a folder that is not there yet) from an outcome
 * that refutes. 0 or an error with a sentence in *w; then there is no
 * manifest in the folder, and it is no bundle.
 */
int evidence_write(const struct options *o, const struct outcome *found,
    struct why *w);

/* What an outcome of evidence_read borrows. */
struct evidence {
	struct arena *arena;
	struct claim *claim;
	struct verdict *verdict;
	struct manifest_file *files;
	size_t n_files;
	size_t n_entries;
};

/*
 * Checks the bundle in the folder `dir`. 0 whatever its state: *found has
 * damage, or a verdict; or an error of memory. Initialised by the caller
 * with zeroes.
 */
int evidence_read(struct evidence *e, const char *dir,
    const struct options *o, struct outcome *found);
void evidence_done(struct evidence *e);

#endif
