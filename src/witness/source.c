#include "witness/source.h"

#include <inttypes.h>
#include <string.h>

#include "log/tile.h"
#include "witness/fetch.h"

#define LEVEL_BITS 8

void
source_init(struct source *s, struct fetch *f, uint64_t size, struct why *w)
{
	s->fetch = f;
	s->size = size;
	s->w = w;
	s->level = TILE_ENTRIES - 1;
	s->index = 0;
	buf_init(&s->tile, 0);
}

void
source_done(struct source *s)
{
	buf_done(&s->tile);
}

int
source_tile(struct source *s, int level, uint64_t index, struct buf *out)
{
	unsigned width = tile_width(level == TILE_ENTRIES ? 0 :
	    (unsigned)level, index, s->size);
	size_t max = level == TILE_ENTRIES ? SOURCE_BUNDLE_MAX :
	    (size_t)TILE_WIDTH * HASH_LEN;
	char path[TILE_PATH_MAX];
	int r;

	if (width == 0 || tile_path(level, index, width, path) != 0)
		return why_set(s->w, ERR_LIMIT, 0, 0, "no such tile");
	r = fetch_file(s->fetch, path, max, out, s->w);
	if (r == ERR_MISSING && width < TILE_WIDTH &&
	    tile_path(level, index, TILE_WIDTH, path) == 0)
		r = fetch_file(s->fetch, path, max, out, s->w);
	if (r == 0 && level != TILE_ENTRIES &&
	    out->len < (size_t)width * HASH_LEN)
		r = why_set(s->w, ERR_FORMAT, 0, 0, "%s is cut", path);
	return r;
}

int
source_subtree(void *arg, unsigned level, uint64_t index,
    struct merkle_hash *ret)
{
	struct source *s = arg;
	unsigned within = level % LEVEL_BITS;
	uint64_t tile = index >> (LEVEL_BITS - within);
	int at = (int)(level / LEVEL_BITS), r;

	if (at != s->level || tile != s->index) {
		s->level = TILE_ENTRIES - 1;
		if ((r = source_tile(s, at, tile, &s->tile)) != 0)
			return r;
		s->level = at;
		s->index = tile;
	}
	return tile_subtree(bytes_of(s->tile.data, s->tile.len), within,
	    index & ((1u << (LEVEL_BITS - within)) - 1), ret);
}

int
source_rotations(struct fetch *f, const struct note_key *key,
    struct buf *text, struct rotations *ret, struct why *w)
{
	int r;

	ret->n = 0;
	buf_reset(text);
	r = fetch_file(f, ROTATIONS_FILE, ROTATIONS_FILE_MAX, text, w);
	if (r == ERR_MISSING)
		return 0;
	if (r == 0 && (r = rotations_read((const char *)text->data, text->len,
	    ret)) != 0)
		return why_set(w, r, 0, 0, "the file " ROTATIONS_FILE ", which "
		    "says how the log's key was changed, %s", r == ERR_CRYPTO ?
		    "is not signed by both keys" : "is damaged");
	if (r == 0 && !rotations_has(ret, key))
		ret->n = 0;
	return r;
}

int
source_checkpoint(struct fetch *f, const char *name,
    const struct note_key *key, const struct rotations *chain,
    struct buf *note, struct checkpoint *ret, struct why *w)
{
	const struct note_key *signer = key;
	const char *body;
	size_t len;
	int r;

	if ((r = fetch_file(f, name, NOTE_MAX, note, w)) != 0)
		return r;
	r = note_body((const char *)note->data, note->len, &body, &len);
	if (r == 0)
		r = checkpoint_read(body, len, ret);
	if (r != 0)
		return why_set(w, r, 0, 0, "the %s is not valid: %s", name,
		    err_text(r));
	if (strcmp(ret->origin, key->name) != 0)
		return why_set(w, ERR_CRYPTO, 0, 0, "the %s is of another "
		    "log", name);
	if (chain->n > 0)
		signer = rotations_key(chain, ret->size);
	r = note_check((const char *)note->data, note->len, signer, &body,
	    &len, NULL);
	if (r == ERR_MISSING && chain->n > 0)
		return why_set(w, ERR_CRYPTO, 0, 0, "the %s is not signed by "
		    "the key that signs trees of %" PRIu64 " entries: the "
		    "log's key was changed", name, ret->size);
	if (r == ERR_MISSING)
		return why_set(w, ERR_CRYPTO, 0, 0, "the %s is not signed by "
		    "the key given, of %s", name, key->name);
	if (r != 0)
		return why_set(w, r, 0, 0, "the %s is not valid: %s", name,
		    err_text(r));
	return 0;
}
