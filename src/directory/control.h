/*
 * directory/control.h - the control set: every country that stands behind a
 * principal, and the paths by which it does.
 *
 * A path goes from the principal over edges to a country. The kinds of its
 * edges are a set; a member of the control set keeps the minimal such sets
 * (no path whose kinds include another's), each with a shortest path. Rules
 * and claims choose kinds: a member counts if one of its paths uses chosen
 * kinds only. An unknown fact leads to the label "unknown".
 *
 *   person  --location-->  country of the site (and of the network used)
 *   person  --employment-> employer entity -> where it is organised, and
 *                          its principal place of business
 *   entity  --ownership->  every label L such that owners that are L, or are
 *                          themselves so owned, hold >= threshold in sum
 *   person  --formal-->    manager; --actual--> whoever instructs in fact
 *   service --location-->  where it runs
 *   service --keeping-->   operator entity, and each keeper (a person)
 * and so on from whoever is reached.
 */
#ifndef DIRECTORY_CONTROL_H
#define DIRECTORY_CONTROL_H

#include <stddef.h>
#include <stdint.h>

struct arena;
struct buf;
struct directory;

enum control_kind {
	CONTROL_LOCATION = 1,
	CONTROL_EMPLOYMENT = 2,
	CONTROL_OWNERSHIP = 4,
	CONTROL_FORMAL = 8,
	CONTROL_ACTUAL = 16,
	CONTROL_KEEPING = 32,
};
#define CONTROL_ALL 63u
#define CONTROL_UNKNOWN "unknown"

/* "location", "employment", "ownership", "formal", "actual", "keeping". */
const char *control_kind_text(enum control_kind k);
unsigned control_kind_of(const char *text);	/* 0 if it is none */

struct control_step {
	enum control_kind kind;
	const char *to;		/* id of the node reached; a label at the end */
	const char *text;	/* "instructed by Chen Wei", "located in CN" */
};

struct control_path {
	unsigned kinds;		/* set of enum control_kind */
	const struct control_step *steps;
	size_t n;
};

struct control_member {
	const char *label;
	const struct control_path *paths;	/* minimal kinds, each shortest */
	size_t n_paths;
};

struct control {
	const struct control_member *members;	/* sorted by label */
	size_t n;
	/* Where the session comes from, as control_of was told. */
	const char *const *seen_at;
	size_t n_seen_at;
	/* Of every fact that was looked at on the way; sorted, distinct. */
	const char *const *issuers;
	size_t n_issuers;
};

/*
 * The control set of a principal at a time. `seen_at` are labels of where
 * the session comes from (by network); they count as locations beside the
 * assigned one. Result in the arena. 0, ERR_MISSING, ERR_MEMORY.
 */
int control_of(const struct directory *d, const char *principal,
    int64_t at_ms, const char *const *seen_at, size_t n_seen_at,
    struct arena *a, const struct control **ret);

/*
 * The same for many principals at one time: what was found out for one is
 * not looked for again. Answers live as long as both their arena and the
 * batch. After ERR_MEMORY a batch can only be freed. One owner.
 */
struct control_batch;

int control_batch_new(const struct directory *d, int64_t at_ms,
    struct control_batch **ret);
void control_batch_free(struct control_batch *b);	/* NULL is fine */
int control_batch_of(struct control_batch *b, const char *principal,
    const char *const *seen_at, size_t n_seen_at, struct arena *a,
    const struct control **ret);

/* The shortest path to a label whose kinds are all in `allowed`, or NULL. */
const struct control_path *control_find(const struct control *c,
    const char *label, unsigned allowed);

/* "you -> instructed by Chen Wei -> located in CN" with arrows as U+2192. */
void control_path_text(struct buf *out, const struct control_path *p);

#endif
